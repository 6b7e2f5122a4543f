//! `belfry diff OLD NEW`: what a change of a plan means, and with a store of samples what it would have done.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use plan::Plan;
use plan::diff::PlanDiff;

use super::backtest::PastArguments;
use super::diff_report::{as_json, as_markdown, as_text};
use super::reading::read;
use crate::backtest::{BacktestReport, Variant};

/// Something differs.
const DIFFERENT: u8 = 1;
/// A plan cannot be read, or the past does not answer.
const FAILED: u8 = 2;

#[derive(Args)]
pub(super) struct DiffArguments {
    /// The plan before.
    old: PathBuf,
    /// The plan after.
    new: PathBuf,
    /// With --url or --prometheus both plans are replayed over that past.
    #[command(flatten)]
    past: PastArguments,
    /// Print JSON instead of text.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown, for a comment on a change.
    #[arg(long)]
    markdown: bool,
}

/// What two plans would have done.
pub(super) struct Replayed {
    pub(super) old: BacktestReport,
    pub(super) new: BacktestReport,
}

pub(super) fn diff(arguments: &DiffArguments) -> anyhow::Result<ExitCode> {
    match compare(arguments) {
        Ok(is_equal) if is_equal => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::from(DIFFERENT)),
        Err(error) => {
            eprintln!("belfry: {error:#}");
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn compare(arguments: &DiffArguments) -> anyhow::Result<bool> {
    let (old, _) = read(&arguments.old, None)?;
    let (new, _) = read(&arguments.new, None)?;
    let differs: PlanDiff = plan::diff::diff(&old, &new);
    let replayed = if arguments.past.is_named() && !differs.is_empty() {
        Some(replay(&arguments.past, old, new)?)
    } else {
        None
    };
    let text = if arguments.json {
        format!("{}\n", as_json(&differs, replayed.as_ref()))
    } else if arguments.markdown {
        as_markdown(&differs, replayed.as_ref())
    } else {
        as_text(&differs, replayed.as_ref())
    };
    print!("{text}");
    Ok(differs.is_empty())
}

/// Replays both over the same span: each by itself, since they may scrape other targets.
fn replay(past: &PastArguments, old: Plan, new: Plan) -> anyhow::Result<Replayed> {
    let span = past.span_now()?;
    let replay = |name: &str, plan: Plan| {
        let variant = Variant {
            name: name.to_owned(),
            plan,
            only: None,
            contacts: None,
        };
        past.replay_over(vec![variant], span)?
            .pop()
            .ok_or_else(|| anyhow::anyhow!("a replay gave no report"))
    };
    Ok(Replayed {
        old: replay("before", old)?,
        new: replay("after", new)?,
    })
}
