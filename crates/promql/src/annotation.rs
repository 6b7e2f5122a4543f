//! Remarks about an answer that is given all the same: a warning says "probably wrong", an info "worth knowing".
//!
//! They are collected while evaluating and kept once each, however many steps and series repeat them.

use std::fmt;

use crate::Span;

/// The most annotations kept of either kind; a thousand series with a bad bucket label need no thousand lines.
const ANNOTATIONS_MAX: usize = 100;

/// One remark with the part of the query that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// What to know, without a position.
    pub message: String,
    /// The part of the query that it is about.
    pub span: Span,
}

impl Annotation {
    /// The message with its position in `query`, as `message (line:column)`.
    pub fn with_position(&self, query: &str) -> String {
        let (line, column) = self.span.line_column(query);
        format!("{} ({line}:{column})", self.message)
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Warnings and infos of one evaluation, in the order of their first appearance.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    pub(crate) warnings: Vec<Annotation>,
    pub(crate) infos: Vec<Annotation>,
}

impl Annotations {
    pub(crate) fn warn(&mut self, span: Span, message: impl fmt::Display) {
        push(
            &mut self.warnings,
            span,
            format!("PromQL warning: {message}"),
        );
    }

    pub(crate) fn info(&mut self, span: Span, message: impl fmt::Display) {
        push(&mut self.infos, span, format!("PromQL info: {message}"));
    }
}

fn push(list: &mut Vec<Annotation>, span: Span, message: String) {
    let annotation = Annotation { message, span };
    if list.len() < ANNOTATIONS_MAX && !list.contains(&annotation) {
        list.push(annotation);
    }
}
