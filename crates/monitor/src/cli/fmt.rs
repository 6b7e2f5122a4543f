//! `belfry fmt PLAN...`: plans and contacts in one form, comments kept.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use world::{OsDisk, write_atomically};

use super::reading::read_text;

/// The exit code when a file could not be formatted; it is left as it is.
const REFUSED: u8 = 2;

#[derive(Args)]
pub(super) struct FmtArguments {
    /// Plans and contacts files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write nothing; name the files that would change, and exit with 1 when there are any.
    #[arg(long)]
    check: bool,
    /// Print the result instead of writing it.
    #[arg(long, conflicts_with = "check")]
    stdout: bool,
}

/// What became of one file.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Outcome {
    Same,
    Changed,
    Refused,
}

pub(super) fn fmt(arguments: &FmtArguments) -> anyhow::Result<ExitCode> {
    let mut outcomes = Vec::new();
    for path in &arguments.files {
        outcomes.push(format_file(arguments, path)?);
    }
    let code = if outcomes.contains(&Outcome::Refused) {
        ExitCode::from(REFUSED)
    } else if arguments.check && outcomes.contains(&Outcome::Changed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    };
    Ok(code)
}

fn format_file(arguments: &FmtArguments, path: &Path) -> anyhow::Result<Outcome> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    let formatted = match plan::format(&name, &text) {
        Ok(formatted) => formatted,
        Err(error) => {
            eprintln!("{name}: {error}");
            return Ok(Outcome::Refused);
        }
    };
    let outcome = if formatted == text {
        Outcome::Same
    } else {
        Outcome::Changed
    };
    if arguments.stdout {
        print!("{formatted}");
    } else if outcome == Outcome::Changed && arguments.check {
        println!("{name}: would be formatted");
    } else if outcome == Outcome::Changed {
        // The one text or the other, even after a crash.
        write_atomically(&OsDisk, path, formatted.as_bytes())
            .with_context(|| format!("cannot write {name}"))?;
        println!("{name}: formatted");
    }
    Ok(outcome)
}
