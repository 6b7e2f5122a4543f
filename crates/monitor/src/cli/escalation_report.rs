//! `belfry escalation-report`: were levels told when they were promised, and did somebody take the incidents in time?

use std::process::ExitCode;

use clap::Args;

use super::ask::ask_for_text;

#[derive(Args)]
pub(super) struct EscalationReportArguments {
    /// The month, as in 2026-11; the present one (in UTC) unless given.
    #[arg(long)]
    month: Option<String>,
    /// Where Belfry listens.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
    /// Print the answer as JSON instead of Markdown.
    #[arg(long)]
    json: bool,
}

pub(super) fn escalation_report(arguments: &EscalationReportArguments) -> anyhow::Result<ExitCode> {
    let format = if arguments.json { "json" } else { "markdown" };
    let mut parameters = vec![("format", format)];
    parameters.extend(arguments.month.as_deref().map(|month| ("month", month)));
    let path = "/api/belfry/v1/escalation-report";
    println!(
        "{}",
        ask_for_text(&arguments.url, path, &parameters)?.trim_end()
    );
    Ok(ExitCode::SUCCESS)
}
