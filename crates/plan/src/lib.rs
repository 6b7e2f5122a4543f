//! Plan text to [`Plan`] and diagnostics with spans.
//!
//! Promise: total. Any bytes give an answer, never a panic, and all errors at once. serde lives at the edge only (`syntax`).
//!
//! Reading order: [`parse_files`] turns texts into one tree (`inclusion`, `syntax`, `node`; `files` for places, `variables` for
//! values from the environment), walks it field by field (`fields`, `values`, `convert`), then looks across sections
//! (`check`) and turns objectives into rules (`lower`). [`lint_files`] goes on where that finds no error, and looks for what
//! could run but would not do what the plan means (`lint`). What they find is a list of [`Diagnostic`]s, each with a [`Code`],
//! shown by [`render`] or in one line. [`export()`] says the plan in other tools' words, [`import`] makes one of theirs.

pub mod import;

mod drills;
mod events;
mod plan;
mod response;
mod rule_file;
mod test_file;

mod check;
mod civil;
mod codes;
mod contacts;
mod context;
mod convert;
pub mod coverage;
mod diagnostics;
pub mod diff;
mod export;
mod expression;
mod fields;
mod files;
mod filled;
mod format;
mod grammar;
mod inclusion;
mod joining;
mod limits;
mod lint;
mod literal;
mod lower;
mod node;
mod render;
mod scalar_map;
mod series;
mod services;
mod sources;
mod suggest;
mod syntax;
mod template;
mod values;
mod variables;

pub use codes::Code;
pub use contacts::*;
pub use diagnostics::{Diagnostic, DiagnosticSeverity, TextSpan};
pub use drills::*;
pub use events::*;
pub use export::{Export, ExportFormat, ExportedFile, export};
pub use format::{FormatError, format};
pub use grammar::{contacts_schema, plan_schema, reference};
pub use limits::{DIAGNOSTICS_MAX, FINDINGS_MAX, LOGS_BEFORE_INCIDENT, TEXT_BYTES_MAX};
pub use lint::{LintFinding, Linted};
pub use literal::{Place, literal, scalar};
pub use lower::percent;
pub use plan::*;
pub use render::render;
pub use response::*;
pub use rule_file::*;
pub use series::*;
pub use sources::{PlanFile, Reading, Sources};
pub use test_file::*;

use context::Context;

/// Reads a plan of one text: one that includes no others and takes nothing from the environment. `name` is what diagnostics
/// call the file.
///
/// The plan is there only when no diagnostic is an error; warnings may stand beside it. Diagnostics come in the order
/// of the text.
pub fn parse(name: &str, text: &str) -> (Option<Plan>, Vec<Diagnostic>) {
    let reading = parse_files(name, text, &mut sources::Alone);
    (reading.plan, reading.diagnostics)
}

/// Reads a plan with the files that it includes and values from the environment. `name` is the main file's path: those of
/// included files count from it.
pub fn parse_files(name: &str, text: &str, sources: &mut dyn Sources) -> Reading {
    let mut context = Context::new(name, text);
    let plan = read_plan(&mut context, sources);
    let files = context.report.files.to_list();
    let (plan, diagnostics) = context.report.finish(plan);
    Reading {
        plan,
        diagnostics,
        files,
    }
}

/// Reads a plan of one text as [`parse`] does, and lints it if it could run.
pub fn lint(name: &str, text: &str, contacts: Option<&Contacts>) -> Linted {
    lint_files(name, text, contacts, &mut sources::Alone)
}

/// Reads a plan as [`parse_files`] does, and lints it if it could run. With contacts it also asks whether somebody fills
/// every role.
pub fn lint_files(
    name: &str,
    text: &str,
    contacts: Option<&Contacts>,
    sources: &mut dyn Sources,
) -> Linted {
    let mut context = Context::new(name, text);
    let plan = read_plan(&mut context, sources);
    let findings = match &plan {
        Some(plan) if !context.report.refuses() => lint::findings(&context, plan, contacts),
        Some(_) | None => Vec::new(),
    };
    let files = context.report.files.to_list();
    let (plan, diagnostics) = context.report.finish(plan);
    Linted {
        plan,
        diagnostics,
        findings,
        files,
    }
}

fn read_plan(context: &mut Context<'_>, sources: &mut dyn Sources) -> Option<Plan> {
    context.marks_added = true;
    let root = inclusion::read(context, sources)?;
    let plan = convert::plan(context, &root);
    check::all(context, plan)
}

/// Reads a contacts file. `name` is what diagnostics call the file.
///
/// The contacts are there only when no diagnostic is an error.
pub fn parse_contacts(name: &str, text: &str) -> (Option<Contacts>, Vec<Diagnostic>) {
    let mut context = Context::new(name, text);
    let root = syntax::read(&mut context.report, 0, limits::NODES_MAX);
    let contacts = root.and_then(|root| {
        let contacts = convert::contacts(&mut context, &root);
        check::names(&mut context);
        contacts
    });
    context.report.finish(contacts)
}

/// Whether a text is a rule file of Prometheus and not a plan.
pub fn is_rule_file(text: &str) -> bool {
    let mut context = Context::new("", text);
    let root = syntax::read(&mut context.report, 0, limits::NODES_MAX);
    root.is_some_and(|root| convert::is_rule_file(&root))
}

/// Reads what a test names as its rules: a plan, or a rule file of Prometheus, which has `groups` at its top.
///
/// The rules are there only when no diagnostic is an error.
pub fn parse_rules(name: &str, text: &str) -> (Option<Rules>, Vec<Diagnostic>) {
    let mut context = Context::new(name, text);
    let root = syntax::read(&mut context.report, 0, limits::NODES_MAX);
    match root.filter(convert::is_rule_file) {
        Some(root) => {
            let file = convert::rule_file(&mut context, &root);
            check::names(&mut context);
            context.report.finish(file.map(Rules::File))
        }
        None => {
            let (plan, diagnostics) = parse(name, text);
            (plan.map(|plan| Rules::Plan(Box::new(plan))), diagnostics)
        }
    }
}

/// Reads a file of tests. `name` is what diagnostics call the file.
///
/// The tests are there only when no diagnostic is an error.
pub fn parse_tests(name: &str, text: &str) -> (Option<TestFile>, Vec<Diagnostic>) {
    let mut context = Context::new(name, text);
    let tests = syntax::read(&mut context.report, 0, limits::NODES_MAX)
        .and_then(|root| convert::test_file(&mut context, &root));
    context.report.finish(tests)
}
