//! `belfry check PLAN`: offline, for editors and CI. What reading finds forbids the plan, what lint finds does not: `run`
//! starts a plan that `check` still complains about.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use plan::{Contacts, Diagnostic, LintFinding, Linted, Plan};
use serde_json::{Value, json};
use world::{Disk, OsDisk};

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
    let contacts = match &arguments.contacts {
        Some(path) => Some(ReadContacts::read(path)?),
        None => None,
    };
    let text = read(&arguments.plan)?;
    let name = arguments.plan.display().to_string();
    let people = contacts.as_ref().and_then(|read| read.contacts.as_ref());
    let linted = plan::lint(&name, &text, people);
    let checked = Checked {
        name,
        text,
        linted,
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

/// The contacts file and what reading it found.
struct ReadContacts {
    name: String,
    text: String,
    contacts: Option<Contacts>,
    diagnostics: Vec<Diagnostic>,
}

impl ReadContacts {
    fn read(path: &Path) -> anyhow::Result<ReadContacts> {
        let (name, text) = (path.display().to_string(), read(path)?);
        let (contacts, diagnostics) = plan::parse_contacts(&name, &text);
        Ok(ReadContacts {
            name,
            text,
            contacts,
            diagnostics,
        })
    }
}

/// Everything that was found.
struct Checked {
    name: String,
    text: String,
    linted: Linted,
    contacts: Option<ReadContacts>,
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
        let mut parts = vec![plan::render(
            &self.linted.diagnostics,
            &self.text,
            &self.name,
        )];
        if let Some(read) = &self.contacts {
            parts.push(plan::render(&read.diagnostics, &read.text, &read.name));
        }
        let render = |finding: &LintFinding| {
            let diagnostic = std::slice::from_ref(&finding.diagnostic);
            plan::render(diagnostic, &self.text, &self.name)
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
        let summary = self.summary();
        parts.push(summary);
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

fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = OsDisk
        .read(path)
        .map_err(|error| anyhow::anyhow!("cannot read {}: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{} is not UTF-8", path.display()))
}
