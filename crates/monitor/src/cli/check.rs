//! `belfry check PLAN`: offline, for editors and CI.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use plan::DiagnosticSeverity;
use serde_json::json;
use world::{Disk, OsDisk};

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
    let mut found = Vec::new();
    let name = arguments.plan.display().to_string();
    let text = read(&arguments.plan)?;
    let (plan, diagnostics) = plan::parse(&name, &text);
    let mut shown = plan::render(&diagnostics, &text, &name);
    found.extend(diagnostics);
    if let Some(path) = &arguments.contacts {
        let name = path.display().to_string();
        let text = read(path)?;
        let (_, diagnostics) = plan::parse_contacts(&name, &text);
        shown.push_str(&plan::render(&diagnostics, &text, &name));
        found.extend(diagnostics);
    }
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
            println!("{}\n", shown.trim_end());
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

/// The text of a file.
pub(super) fn read(path: &std::path::Path) -> anyhow::Result<String> {
    let bytes = OsDisk
        .read(path)
        .map_err(|error| anyhow::anyhow!("cannot read {}: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{} is not UTF-8", path.display()))
}
