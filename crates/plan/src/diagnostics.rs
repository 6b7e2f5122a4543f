//! What is wrong with a text, where, and what would be right.
//!
//! A [`Diagnostic`] is complete in itself (file, line, column), so that it can be logged, sent as JSON or shown in one
//! line without the text; only the pretty form of `render` needs the text again.
//!
//! A plan may hold values from the environment, and those may be secrets: [`Report`] keeps them out of what is said.

use std::fmt;
use std::ops::Range;

use crate::files::Files;
use crate::filled::Filled;
use crate::limits::{DIAGNOSTICS_MAX, EXCERPT_CHARS_MAX};
use crate::{Code, Location};

/// Whether a diagnostic forbids the text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiagnosticSeverity {
    /// The text is refused.
    Error,
    /// The text is used, but somebody should look.
    Warning,
}

impl DiagnosticSeverity {
    /// The word before the code.
    pub fn as_str(self) -> &'static str {
        match self {
            DiagnosticSeverity::Error => "error",
            DiagnosticSeverity::Warning => "warning",
        }
    }
}

/// A part of a file's text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextSpan {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// Where it starts, for people.
    pub at: Location,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// Whether it forbids the text.
    pub severity: DiagnosticSeverity,
    /// The file's name, as the caller gave it.
    pub file: String,
    /// Where.
    pub span: TextSpan,
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// A few words beside the marked part; may be empty.
    pub label: String,
    /// What would be right; may be empty.
    pub help: String,
}

impl Diagnostic {
    /// Whether the text is refused because of it.
    pub fn is_error(&self) -> bool {
        self.severity == DiagnosticSeverity::Error
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: error[BF0012]: what is wrong; help: what would be right`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { line, column, .. } = self.span.at;
        let (severity, code, message) = (self.severity.as_str(), self.code, &self.message);
        write!(
            f,
            "{}:{line}:{column}: {severity}[{code}]: {message}",
            self.file
        )?;
        if self.help.is_empty() {
            return Ok(());
        }
        write!(f, "; help: {}", self.help)
    }
}

/// Collects diagnostics about the files of one plan.
pub(crate) struct Report<'t> {
    pub(crate) files: Files<'t>,
    /// The values that scalars got from the environment.
    pub(crate) filled: Filled,
    found: Vec<Diagnostic>,
}

/// A finding before it is placed: what a converter has to say.
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: String,
}

impl<'t> Report<'t> {
    pub(crate) fn new(name: &'t str, text: &'t str) -> Report<'t> {
        Report {
            files: Files::new(name, text),
            filled: Filled::default(),
            found: Vec::new(),
        }
    }

    /// Whether an error was found.
    pub(crate) fn refuses(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    pub(crate) fn error(&mut self, at: &Range<usize>, finding: Finding) {
        self.add(DiagnosticSeverity::Error, at, finding);
    }

    pub(crate) fn warning(&mut self, at: &Range<usize>, finding: Finding) {
        self.add(DiagnosticSeverity::Warning, at, finding);
    }

    /// The value where nothing forbids it, and everything that was found, in the order of the text.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> (Option<T>, Vec<Diagnostic>) {
        let refused = self.refuses();
        debug_assert!(
            refused || value.is_some(),
            "a text without errors must give a value"
        );
        self.found
            .sort_by_key(|found| (found.span.at.file, found.span, found.code));
        self.found.dedup();
        (value.filter(|_| !refused), self.found)
    }

    /// A warning about a part of the text, in the hands of the caller; `None` where all has been said about that part.
    pub(crate) fn placed_warning(&self, at: &Range<usize>, finding: Finding) -> Option<Diagnostic> {
        self.placed(DiagnosticSeverity::Warning, at, finding)
    }

    fn placed(
        &self,
        severity: DiagnosticSeverity,
        at: &Range<usize>,
        finding: Finding,
    ) -> Option<Diagnostic> {
        let finding = self.filled.without_values(&self.files, at, finding)?;
        let (file, span) = self.files.within(at);
        let span = TextSpan {
            start: span.start,
            end: span.end,
            at: self.files.location(at.start),
        };
        Some(Diagnostic {
            code: finding.code,
            severity,
            file: self.files.name(file).to_owned(),
            span,
            message: finding.message,
            label: finding.label,
            help: finding.help,
        })
    }

    fn add(&mut self, severity: DiagnosticSeverity, at: &Range<usize>, finding: Finding) {
        // An error must never be lost behind a crowd of warnings: the bound gives way to the first error.
        let first_error = severity == DiagnosticSeverity::Error && !self.refuses();
        if self.found.len() >= DIAGNOSTICS_MAX && !first_error {
            return;
        }
        let placed = self.placed(severity, at, finding);
        self.found.extend(placed);
    }
}

/// User text inside a message: in backquotes, short, and on one line.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(EXCERPT_CHARS_MAX)
        .flat_map(visible)
        .collect();
    if text.chars().nth(EXCERPT_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The gist of another parser's message. Regular expressions draw their errors over several lines; the last says it.
pub(crate) fn gist(message: &str) -> &str {
    let last = message.lines().next_back().unwrap_or(message);
    last.strip_prefix("error: ").unwrap_or(last)
}

/// A character as it may stand in a message: control characters would move a terminal's cursor.
fn visible(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = (!character.is_control()).then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

/// Words to choose from, as a sentence lists them: `a`, `b` or `c`.
pub(crate) fn either<S: AsRef<str>>(words: &[S]) -> String {
    listed(words, "or")
}

/// Words that are all there: `a`, `b` and `c`.
pub(crate) fn all<S: AsRef<str>>(words: &[S]) -> String {
    listed(words, "and")
}

fn listed<S: AsRef<str>>(words: &[S], conjunction: &str) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}
