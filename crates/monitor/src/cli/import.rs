//! `belfry import FILE`: a monitoring plan written for people, or rule files of Prometheus, become a plan file. The plan goes
//! to standard output (or to `-o FILE`), the account of what became of each line or rule to standard error.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use plan::Diagnostic;
use plan::import::{Account, Fate, Fidelity, Options, Remark, Verdict};
use serde_json::{Value, json};
use world::{Disk, OsDisk};

#[derive(Args)]
pub(super) struct ImportArguments {
    /// A plan in Markdown, or rule files of Prometheus.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the files are; without it, files that end in `.yml` or `.yaml` are rule files.
    #[arg(long, value_enum)]
    from: Option<Source>,
    /// Where the service answers, without a path, as in `http://127.0.0.1:8080`.
    #[arg(long)]
    base_url: Option<String>,
    /// The service's name.
    #[arg(long)]
    service: Option<String>,
    /// Write the plan to this file, which must not exist, instead of standard output.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Exit with 1 when a line could not be read, an alert was not carried, or a warning was given.
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

/// What either kind of import gives.
struct Outcome {
    yaml: String,
    refused: Vec<Diagnostic>,
    clean: bool,
    account: String,
}

pub(super) fn import(arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    let names: Vec<String> = arguments.files.iter().map(|path| file_name(path)).collect();
    let options = Options {
        file: names.join(", "),
        service: arguments.service.clone(),
        base_url: arguments.base_url.clone(),
    };
    let source = arguments
        .from
        .unwrap_or_else(|| by_ending(&arguments.files[0]));
    let outcome = match source {
        Source::Markdown => markdown(arguments, &options)?,
        Source::Prometheus => prometheus(arguments, &options)?,
    };
    if !outcome.refused.is_empty() {
        let said: Vec<String> = outcome.refused.iter().map(ToString::to_string).collect();
        bail!(
            "no plan can be made with these options: {}",
            said.join("; ")
        );
    }
    match &arguments.output {
        Some(path) => write_new(path, &outcome.yaml)?,
        None => print!("{}", outcome.yaml),
    }
    eprint!("{}", outcome.account);
    let failed = arguments.strict && !outcome.clean;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Writes the plan where none is: what people made of an earlier import must not be lost.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if OsDisk.len(path).is_ok() {
        bail!(
            "{} exists; take it away or choose another name",
            path.display()
        );
    }
    world::write_atomically(&OsDisk, path, text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

fn by_ending(path: &Path) -> Source {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("yml" | "yaml" | "rules") => Source::Prometheus,
        Some(_) | None => Source::Markdown,
    }
}

fn markdown(arguments: &ImportArguments, options: &Options) -> anyhow::Result<Outcome> {
    let [file] = arguments.files.as_slice() else {
        bail!(
            "a plan comes from one document; give one file, or `--from prometheus` for rule files"
        );
    };
    let import = plan::import::document(&read(file)?, options);
    let account = if arguments.json {
        format!("{}\n", account_json(&import.account))
    } else {
        import.account.to_string()
    };
    Ok(Outcome {
        clean: import.account.is_clean(),
        yaml: import.yaml,
        refused: import.refused,
        account,
    })
}

fn prometheus(arguments: &ImportArguments, options: &Options) -> anyhow::Result<Outcome> {
    let mut files = Vec::new();
    for path in &arguments.files {
        files.push((file_name(path), read(path)?));
    }
    let import = plan::import::rule_files(&files, options);
    let account = if arguments.json {
        format!("{}\n", fidelity_json(&import.fidelity))
    } else {
        import.fidelity.to_string()
    };
    Ok(Outcome {
        clean: import.fidelity.is_clean(),
        yaml: import.yaml,
        refused: import.refused,
        account,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    OsDisk
        .read(path)
        .with_context(|| format!("cannot read {}", path.display()))
}

fn account_json(account: &Account) -> Value {
    let lines = account.lines.iter().map(|line| {
        let mut shown = json!({"line": line.number, "text": line.text, "fate": line.fate.as_str()});
        match &line.fate {
            Fate::Mapped(places) => shown["to"] = json!(places),
            Fate::Explained(reason) | Fate::Unread(reason) => shown["reason"] = json!(reason),
        }
        shown
    });
    let (mapped, explained, unread) = account.counts();
    json!({
        "lines": lines.collect::<Vec<Value>>(),
        "remarks": remarks_json(&account.remarks),
        "mapped": mapped,
        "explained": explained,
        "unread": unread,
        "warnings": account.warnings(),
    })
}

fn fidelity_json(fidelity: &Fidelity) -> Value {
    let rules = fidelity.rules.iter().map(|rule| {
        let mut shown = json!({
            "file": rule.file,
            "line": rule.line,
            "group": rule.group,
            "name": rule.name,
            "kind": if rule.records { "record" } else { "alert" },
            "carried": rule.verdict.as_str(),
        });
        match &rule.verdict {
            Verdict::Exactly => {}
            Verdict::Changed(changes) => shown["changes"] = json!(changes),
            Verdict::NotCarried(reason) => shown["reason"] = json!(reason),
        }
        shown
    });
    let (exactly, changed, not_carried) = fidelity.counts();
    json!({
        "rules": rules.collect::<Vec<Value>>(),
        "remarks": remarks_json(&fidelity.remarks),
        "exactly": exactly,
        "changed": changed,
        "not_carried": not_carried,
        "warnings": fidelity.warnings(),
    })
}

fn remarks_json(remarks: &[Remark]) -> Value {
    let shown = remarks.iter().map(|remark| {
        json!({"weight": remark.weight.as_str(), "line": remark.line, "text": remark.text})
    });
    shown.collect()
}
