//! `belfry review INCIDENT`: the post-incident review of a running Belfry, as Markdown, to be redirected into a file.

use std::process::ExitCode;

use clap::Args;

use super::ask::ask_for_text;

#[derive(Args)]
pub(super) struct ReviewArguments {
    /// The incident's number.
    incident: i64,
    /// Where Belfry listens.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
}

pub(super) fn review(arguments: &ReviewArguments) -> anyhow::Result<ExitCode> {
    let path = format!("/api/belfry/v1/incidents/{}/review", arguments.incident);
    print!("{}", ask_for_text(&arguments.url, &path, &[])?);
    Ok(ExitCode::SUCCESS)
}
