//! `belfry check PLAN`: offline, for editors and CI. What reading finds forbids the plan, what lint finds does not: `run`
//! starts a plan that `check` still complains about.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use plan::{Diagnostic, LintFinding, Linted, Plan};
use serde_json::{Value, json};

use super::reading::{lint_plan, read_contacts};
use crate::plan_files::ContactsReading;

#[derive(Args)]
pub(super) struct CheckArguments {
    /// The plan's file.
    plan: PathBuf,
    /// A contacts file to check as well, and whether somebody fills every role of the plan.
    #[arg(long)]
    contacts: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Show waived findings in full, with their reasons.
    #[arg(long)]
    waived: bool,
}

pub(super) fn check(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    let contacts = arguments.contacts.as_deref().map(read_contacts);
    let contacts = contacts.transpose()?;
    let people = contacts.as_ref().and_then(|read| read.contacts.as_ref());
    let checked = Checked {
        name: arguments.plan.display().to_string(),
        linted: lint_plan(&arguments.plan, people)?,
        contacts,
    };
    if arguments.json {
        println!("{}", checked.json());
    } else {
        print!("{}", checked.shown(arguments.waived));
    }
    let clean = checked.errors() == 0 && checked.open().count() == 0;
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Everything that was found.
struct Checked {
    name: String,
    linted: Linted,
    contacts: Option<ContactsReading>,
}

impl Checked {
    /// What reading found, of both files.
    fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let of_contacts = self.contacts.iter().flat_map(|read| &read.diagnostics);
        self.linted.diagnostics.iter().chain(of_contacts)
    }

    fn errors(&self) -> usize {
        self.diagnostics().filter(|found| found.is_error()).count()
    }

    /// Findings of lint that nobody has accepted.
    fn open(&self) -> impl Iterator<Item = &LintFinding> {
        let findings = self.linted.findings.iter();
        findings.filter(|finding| finding.waived.is_none())
    }

    /// Those that the plan accepts.
    fn waived(&self) -> impl Iterator<Item = &LintFinding> {
        let findings = self.linted.findings.iter();
        findings.filter(|finding| finding.waived.is_some())
    }

    fn json(&self) -> Value {
        let diagnostics: Vec<Value> = self.diagnostics().map(diagnostic_json).collect();
        let findings: Vec<Value> = self.linted.findings.iter().map(finding_json).collect();
        json!({
            "errors": self.errors(),
            "open": self.open().count(),
            "waived": self.waived().count(),
            "diagnostics": diagnostics,
            "findings": findings,
        })
    }

    fn shown(&self, with_waived: bool) -> String {
        let mut parts = vec![self.linted.render(&self.linted.diagnostics)];
        parts.extend(self.contacts.iter().map(|read| read.shown.clone()));
        let render = |finding: &LintFinding| {
            let diagnostic = std::slice::from_ref(&finding.diagnostic);
            self.linted.render(diagnostic)
        };
        parts.extend(self.open().map(render));
        if with_waived {
            let with_reason = |finding: &LintFinding| {
                let reason = finding.waived.as_deref().unwrap_or_default();
                format!("{}\n  = waived: {reason}", render(finding))
            };
            parts.extend(self.waived().map(with_reason));
        }
        parts.retain(|part| !part.is_empty());
        parts.push(
            self.summary()
                + &self
                    .hint()
                    .map_or(String::new(), |hint| format!("\n{hint}")),
        );
        parts.join("\n\n") + "\n"
    }

    fn summary(&self) -> String {
        let warnings = self.diagnostics().count() - self.errors();
        let counted = format!(
            "{}, {}, {}, {} waived",
            counted(self.errors(), "error"),
            counted(warnings, "warning"),
            counted(self.open().count(), "finding"),
            self.waived().count()
        );
        match &self.linted.plan {
            Some(plan) => format!("{}: {}; {counted}", self.name, size(plan)),
            None => format!("{}: not a plan yet; {counted}", self.name),
        }
    }

    /// Where more is said about the first thing that was found.
    fn hint(&self) -> Option<String> {
        let open = self.open().map(|finding| &finding.diagnostic);
        let first = self.diagnostics().chain(open).next()?;
        Some(format!(
            "`belfry explain {}` says more of a code.",
            first.code
        ))
    }
}

fn size(plan: &Plan) -> String {
    format!(
        "{} metrics, {} rules, {} dashboards, {} probes",
        plan.metrics.len(),
        plan.rules().count(),
        plan.dashboards.len(),
        plan.probes.len(),
    )
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn diagnostic_json(diagnostic: &Diagnostic) -> Value {
    json!({
        "file": diagnostic.file,
        "line": diagnostic.span.at.line,
        "column": diagnostic.span.at.column,
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}

fn finding_json(finding: &LintFinding) -> Value {
    let mut shown = diagnostic_json(&finding.diagnostic);
    shown["about"] = json!(finding.about);
    shown["waived"] = json!(finding.waived.is_some());
    shown["reason"] = json!(finding.waived);
    shown
}
