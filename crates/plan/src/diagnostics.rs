//! What is wrong with a text, where, and what would be right.
//!
//! A [`Diagnostic`] is complete in itself (file, line, column), so that it can be logged, sent as JSON or shown in one
//! line without the text; only the pretty form of `render` needs the text again.

use std::fmt;
use std::ops::Range;

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

/// A part of the text.
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
        let Location { line, column } = self.span.at;
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

/// Collects diagnostics about one text.
pub(crate) struct Report<'t> {
    file: &'t str,
    text: &'t str,
    line_starts: Vec<usize>,
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
    pub(crate) fn new(file: &'t str, text: &'t str) -> Report<'t> {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = [0]
            .into_iter()
            .chain(after_breaks.map(|(at, _)| at + 1))
            .collect();
        Report {
            file,
            text,
            line_starts,
            found: Vec::new(),
        }
    }

    /// Whether an error was found.
    pub(crate) fn refuses(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    pub(crate) fn error(&mut self, at: &Range<usize>, finding: Finding) {
        self.add(DiagnosticSeverity::Error, at, finding);
    }

    pub(crate) fn warning(&mut self, at: &Range<usize>, finding: Finding) {
        self.add(DiagnosticSeverity::Warning, at, finding);
    }

    /// Line and column of a byte; any number is taken, past the end means the end.
    pub(crate) fn location(&self, byte: usize) -> Location {
        let byte = self.text.floor_char_boundary(byte.min(self.text.len()));
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let start = self.line_starts[line - 1];
        let before = self.text[start..byte].trim_start_matches('\u{feff}');
        Location {
            line,
            column: before.chars().count() + 1,
        }
    }

    /// The byte of a line and column, as far as the text has them.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let Some(start) = line
            .checked_sub(1)
            .and_then(|index| self.line_starts.get(index))
        else {
            return self.text.len();
        };
        let rest = &self.text[*start..];
        let wanted = rest.char_indices().nth(column.saturating_sub(1));
        start + wanted.map_or(rest.len(), |(at, _)| at)
    }

    /// The value where nothing forbids it, and everything that was found, in the order of the text.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> (Option<T>, Vec<Diagnostic>) {
        let refused = self.refuses();
        debug_assert!(
            refused || value.is_some(),
            "a text without errors must give a value"
        );
        self.found.sort_by_key(|found| (found.span, found.code));
        self.found.dedup();
        (value.filter(|_| !refused), self.found)
    }

    /// A warning about a part of the text, in the hands of the caller.
    pub(crate) fn placed_warning(&self, at: &Range<usize>, finding: Finding) -> Diagnostic {
        self.placed(DiagnosticSeverity::Warning, at, finding)
    }

    fn placed(
        &self,
        severity: DiagnosticSeverity,
        at: &Range<usize>,
        finding: Finding,
    ) -> Diagnostic {
        let start = self.text.floor_char_boundary(at.start.min(self.text.len()));
        let end = at.end.clamp(start, self.text.len());
        let span = TextSpan {
            start,
            end: self.text.floor_char_boundary(end),
            at: self.location(start),
        };
        Diagnostic {
            code: finding.code,
            severity,
            file: self.file.to_owned(),
            span,
            message: finding.message,
            label: finding.label,
            help: finding.help,
        }
    }

    fn add(&mut self, severity: DiagnosticSeverity, at: &Range<usize>, finding: Finding) {
        // An error must never be lost behind a crowd of warnings: the bound gives way to the first error.
        let first_error = severity == DiagnosticSeverity::Error && !self.refuses();
        if self.found.len() >= DIAGNOSTICS_MAX && !first_error {
            return;
        }
        let placed = self.placed(severity, at, finding);
        self.found.push(placed);
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
