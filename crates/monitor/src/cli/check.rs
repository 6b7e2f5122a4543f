//! `belfry check PLAN`: offline, for editors and CI.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use plan::DiagnosticSeverity;
use serde_json::json;

use super::reading::{read_contacts, read_plan};

#[derive(Args)]
pub(super) struct CheckArguments {
    /// The plan's file.
    plan: PathBuf,
    /// A contacts file to check as well.
    #[arg(long)]
    contacts: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn check(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    let name = arguments.plan.display().to_string();
    let reading = read_plan(&arguments.plan)?;
    let mut shown = vec![reading.render()];
    let (plan, mut found) = (reading.plan, reading.diagnostics);
    if let Some(path) = &arguments.contacts {
        let contacts = read_contacts(path)?;
        shown.push(contacts.shown);
        found.extend(contacts.diagnostics);
    }
    shown.retain(|text| !text.is_empty());
    let errors = found
        .iter()
        .filter(|diagnostic| diagnostic.severity == DiagnosticSeverity::Error)
        .count();
    if arguments.json {
        let list = found.iter().map(|diagnostic| {
            json!({
                "file": diagnostic.file,
                "line": diagnostic.span.at.line,
                "column": diagnostic.span.at.column,
                "code": diagnostic.code.to_string(),
                "severity": if diagnostic.severity == DiagnosticSeverity::Error { "error" } else { "warning" },
                "message": diagnostic.message,
                "help": diagnostic.help,
            })
        });
        println!(
            "{}",
            json!({"errors": errors, "diagnostics": list.collect::<Vec<_>>()})
        );
    } else {
        if !shown.is_empty() {
            println!("{}\n", shown.join("\n\n").trim_end());
        }
        let counted = format!(
            "{errors} error{}, {} in all",
            if errors == 1 { "" } else { "s" },
            found.len()
        );
        match plan {
            Some(plan) => println!(
                "{name}: {} metrics, {} rules, {} dashboards, {} probes; findings: {counted}",
                plan.metrics.len(),
                plan.rules().count(),
                plan.dashboards.len(),
                plan.probes.len(),
            ),
            None => println!("{name}: not a plan yet; findings: {counted}"),
        }
        if let Some(first) = found.first() {
            println!("`belfry explain {}` says more of a code.", first.code);
        }
    }
    Ok(if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
