//! `belfry import FILE`: a monitoring plan written for people becomes a plan file. The plan goes to standard output (or to
//! `-o FILE`), the account of what became of each line to standard error.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use plan::import::{Account, Import, Options};
use serde_json::{Value, json};
use world::{Disk, OsDisk};

#[derive(Args)]
pub(super) struct ImportArguments {
    /// A plan in Markdown, or rule files of Prometheus.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the files are; without it their names say it.
    #[arg(long, value_enum)]
    from: Option<Source>,
    /// Where the service answers, without a path, as in `http://127.0.0.1:8080`.
    #[arg(long)]
    base_url: Option<String>,
    /// The service's name.
    #[arg(long)]
    service: Option<String>,
    /// Write the plan to this file; it must not exist.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Exit with 1 when a line could not be read, something was not carried, or a warning was given.
    #[arg(long)]
    strict: bool,
    /// Print the account as one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Source {
    /// A document for people.
    Markdown,
    /// Alerting and recording rules of Prometheus.
    Prometheus,
}

pub(super) fn import(arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    let source = arguments.from.unwrap_or_else(|| source_by_name(&arguments.files[0]));
    let options = Options {
        file: file_name(&arguments.files[0]),
        service: arguments.service.clone(),
        base_url: arguments.base_url.clone(),
    };
    let (import, shown) = match source {
        Source::Markdown => markdown(arguments, &options)?,
        Source::Prometheus => bail!("not yet"),
    };
    if !import.refused.is_empty() {
        let said: Vec<String> = import.refused.iter().map(ToString::to_string).collect();
        bail!("the plan would be refused; are `--service` and `--base-url` right?\n{}", said.join("\n"));
    }
    hand_out(arguments, &import.yaml)?;
    eprint!("{shown}");
    let clean = import.clean();
    Ok(if arguments.strict && !clean { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
