//! `belfry message PLAN --alert NAME`: what the first page about an alert would say, by the plan's templates.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use world::{Clock, SystemClock};

use super::reading::read;
use super::simulate::labels;
use crate::rehearsal::{Script, first_message};

#[derive(Args)]
pub(super) struct MessageArguments {
    /// The plan's file.
    plan: PathBuf,
    /// The contacts' file: without it nobody is told, and there is nothing to say.
    #[arg(long)]
    contacts: PathBuf,
    /// The alert.
    #[arg(long)]
    alert: String,
    /// A label of the alert's series, as `name=value`; may be repeated.
    #[arg(long)]
    label: Vec<String>,
    /// The address that links in the message begin with.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
}

pub(super) fn message(arguments: &MessageArguments) -> anyhow::Result<ExitCode> {
    let (plan, contacts) = read(&arguments.plan, Some(&arguments.contacts))?;
    let script = Script {
        alert: arguments.alert.clone(),
        labels: labels(&arguments.label)?,
        at: SystemClock::default().now().into(),
        acknowledged_after: None,
        ends_after: None,
        length: Duration::ZERO,
        silences: Vec::new(),
        overrides: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (subject, body) =
        runtime.block_on(first_message(plan, contacts, &script, &arguments.url))?;
    println!("{subject}\n\n{body}");
    Ok(ExitCode::SUCCESS)
}
