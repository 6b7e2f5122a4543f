//! `belfry export FORMAT PLAN`: the plan in other tools' words, on standard output or as files; what they cannot carry on
//! standard error.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;
use plan::{Export, ExportFormat, ExportedFile};
use world::{Disk, OsDisk, write_atomically};

use super::reading::read;

#[derive(Args)]
pub(super) struct ExportArguments {
    /// The tool.
    #[arg(value_parser = PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::as_str)))]
    format: String,
    /// The plan's file.
    plan: PathBuf,
    /// The contacts' file, where people matter: Alertmanager's receivers. Without it they tell nobody.
    #[arg(long)]
    contacts: Option<PathBuf>,
    /// The folder for the files; without it they come on standard output, one after another.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Exit with 1 if the tool cannot carry all of the plan.
    #[arg(long)]
    strict: bool,
}

pub(super) fn export(arguments: &ExportArguments) -> anyhow::Result<ExitCode> {
    let (plan, contacts) = read(&arguments.plan, arguments.contacts.as_deref())?;
    let format = ExportFormat::ALL
        .into_iter()
        .find(|format| format.as_str() == arguments.format)
        .context("an unknown format")?;
    let Export { files, notes } = plan::export(format, &plan, &contacts);
    match &arguments.out {
        Some(folder) => write(folder, &files)?,
        None => print(&files),
    }
    for note in &notes {
        eprintln!("note: {note}");
    }
    let complete = notes.is_empty() || !arguments.strict;
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn write(folder: &Path, files: &[ExportedFile]) -> anyhow::Result<()> {
    OsDisk
        .create_dir_all(folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    for file in files {
        let path = folder.join(&file.name);
        write_atomically(&OsDisk, &path, file.text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// YAML documents with `---` between them, JSON ones one after another: what the tools that read streams read.
fn print(files: &[ExportedFile]) {
    for (index, file) in files.iter().enumerate() {
        let is_yaml = !file.name.ends_with(".json");
        if is_yaml && files.len() > 1 {
            if index > 0 {
                println!("---");
            }
            println!("# {}", file.name);
        }
        print!("{}", file.text);
    }
}
