//! `belfry report`: a month on a page, as one HTML file that prints.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use world::{OsDisk, write_atomically};

use super::ask::ask_for_text;

#[derive(Args)]
pub(super) struct ReportArguments {
    /// The month, as in 2026-11; the present one (in UTC) unless given.
    #[arg(long)]
    month: Option<String>,
    /// The file to write; standard output unless given.
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Where Belfry listens.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
}

pub(super) fn report(arguments: &ReportArguments) -> anyhow::Result<ExitCode> {
    let month = arguments.month.as_deref();
    let parameters: Vec<(&str, &str)> = month.map(|month| ("month", month)).into_iter().collect();
    let page = ask_for_text(&arguments.url, "/api/belfry/v1/report", &parameters)?;
    let Some(path) = &arguments.out else {
        println!("{page}");
        return Ok(ExitCode::SUCCESS);
    };
    write_atomically(&OsDisk, path, page.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(ExitCode::SUCCESS)
}
