//! Plan text to [`Plan`] and diagnostics with spans.
//!
//! Promise: total. Any bytes give an answer, never a panic, and all errors at once. serde lives at the edge only (`syntax`).
//!
//! Reading order: [`parse`] turns text into a tree (`syntax`, `node`), walks it field by field (`fields`, `values`,
//! `convert`), then looks across sections (`check`). What it finds is a list of [`Diagnostic`]s, each with a [`Code`],
//! shown by [`render`] or in one line.

mod drills;
mod plan;
mod response;

mod check;
mod civil;
mod codes;
mod contacts;
mod context;
mod convert;
mod diagnostics;
mod expression;
mod fields;
mod limits;
mod node;
mod render;
mod scalar_map;
mod series;
mod suggest;
mod syntax;
mod template;
mod values;

pub use codes::Code;
pub use contacts::*;
pub use diagnostics::{Diagnostic, DiagnosticSeverity, TextSpan};
pub use drills::*;
pub use limits::{DIAGNOSTICS_MAX, TEXT_BYTES_MAX};
pub use plan::*;
pub use render::render;
pub use response::*;
pub use series::{
    BELFRY_SERIES, DRILL_LAST_PASSED, HEARTBEAT_AGE, HEARTBEAT_ALLOWED, PLAN_METRIC_PRESENT,
};

use context::Context;

/// Reads a plan. `name` is what diagnostics call the file.
///
/// The plan is there only when no diagnostic is an error; warnings may stand beside it. Diagnostics come in the order
/// of the text.
pub fn parse(name: &str, text: &str) -> (Option<Plan>, Vec<Diagnostic>) {
    let mut context = Context::new(name, text);
    let plan = syntax::read(&mut context.report).and_then(|root| {
        let plan = convert::plan(&mut context, &root);
        check::all(&mut context, plan)
    });
    context.report.finish(plan)
}

/// Reads a contacts file. `name` is what diagnostics call the file.
///
/// The contacts are there only when no diagnostic is an error.
pub fn parse_contacts(name: &str, text: &str) -> (Option<Contacts>, Vec<Diagnostic>) {
    let mut context = Context::new(name, text);
    let contacts = syntax::read(&mut context.report).and_then(|root| {
        let contacts = convert::contacts(&mut context, &root);
        check::names(&mut context);
        contacts
    });
    context.report.finish(contacts)
}
