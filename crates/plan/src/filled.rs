//! What the environment put into scalars: where it stands in the text, and how it stays out of what is said.
//!
//! A value may be a secret, and diagnostics go to logs, web pages and CI. So a finding about a part that came from the
//! environment is said in general words with the variable's name, and in every other the values that happen to be
//! quoted (a declared name, a suggestion) are replaced by their variables.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Code;
use crate::diagnostics::{Finding, all, quote};
use crate::files::Files;

/// Values shorter than this are replaced only between backquotes: `5` is also a part of many a sentence.
const REPLACED_ANYWHERE_BYTES_MIN: usize = 6;

/// Everything that was filled in.
#[derive(Default)]
pub(crate) struct Filled {
    /// By the byte at which the scalar begins.
    scalars: BTreeMap<usize, FilledScalar>,
    /// Values by their variables.
    secrets: BTreeMap<String, String>,
}

impl Filled {
    /// Notes a scalar whose text and value are not the same.
    pub(crate) fn note(&mut self, scalar: FilledScalar) {
        self.scalars.insert(scalar.span.start, scalar);
    }

    /// Notes a value that must not be shown.
    pub(crate) fn keep_secret(&mut self, variable: &str, value: &str) {
        // Readers of values trim them, and an empty one tells nothing.
        let value = value.trim();
        if !value.is_empty() {
            self.secrets.insert(variable.to_owned(), value.to_owned());
        }
    }

    /// The scalar that stands at a place, if it was filled in.
    pub(crate) fn scalar(&self, span: &Range<usize>) -> Option<&FilledScalar> {
        self.scalars.get(&span.start)
    }

    /// A finding without values from the environment; `None` where all has been said about the scalar.
    pub(crate) fn without_values(
        &self,
        files: &Files<'_>,
        at: &Range<usize>,
        finding: Finding,
    ) -> Option<Finding> {
        let before = self.scalars.range(..=at.start).next_back();
        let scalar = before
            .map(|(_, scalar)| scalar)
            .filter(|scalar| at.start <= scalar.span.end);
        if scalar.is_some_and(|scalar| scalar.given_up) {
            return None;
        }
        let variables = scalar.map_or(Vec::new(), |scalar| scalar.variables_in(files, at));
        if !variables.is_empty() {
            return Some(in_general(finding.code, &variables));
        }
        Some(Finding {
            code: finding.code,
            message: self.hide(finding.message),
            label: self.hide(finding.label),
            help: self.hide(finding.help),
        })
    }

    /// A name as it stands in the text, whatever the environment made of it.
    pub(crate) fn as_written(&self, name: &str) -> String {
        let scalars = self.scalars.values();
        let mut of_name = scalars.filter(|own| own.holds_values() && own.value.trim() == name);
        match of_name.next() {
            Some(scalar) => scalar.written.trim().to_owned(),
            None => name.to_owned(),
        }
    }

    /// A text with variables in the place of their values.
    fn hide(&self, mut text: String) -> String {
        if self.secrets.is_empty() {
            return text;
        }
        // Whole scalars first: an excerpt may end within a value, and a short value is told by what stands around it.
        let scalars = self.scalars.values();
        for scalar in scalars.filter(|scalar| scalar.holds_values()) {
            text = text.replace(&quote(scalar.value.trim()), &quote(&scalar.written));
        }
        // The longest first: one value may hold another.
        let mut secrets: Vec<(&String, &String)> = self.secrets.iter().collect();
        secrets.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (name, value) in secrets {
            let variable = format!("${{{name}}}");
            text = text.replace(&quote(value), &format!("`{variable}`"));
            if value.len() >= REPLACED_ANYWHERE_BYTES_MIN {
                text = text.replace(value, &variable);
            }
        }
        text
    }
}

/// What can be said without the value: the kind of mistake, and where to look.
fn in_general(code: Code, variables: &[String]) -> Finding {
    let variables = all(variables);
    let meaning = code.meaning();
    let mut letters = meaning.chars();
    let first = letters.next().map(|letter| letter.to_lowercase());
    let meaning: String = first.into_iter().flatten().chain(letters).collect();
    Finding {
        code,
        message: format!("with the value of {variables} this is wrong: {meaning}"),
        label: String::new(),
        help: "look at what it holds; that is not shown, since it may be a secret".to_owned(),
    }
}

/// A scalar whose text and value are not the same.
pub(crate) struct FilledScalar {
    span: Range<usize>,
    /// Before …
    written: String,
    /// … and after.
    pub(crate) value: String,
    pieces: Vec<Piece>,
    /// Whether a value was missing: that was said, and whatever follows from it is not.
    given_up: bool,
}

/// A part of a scalar and the part of its value that came of it.
struct Piece {
    written: Range<usize>,
    value: Range<usize>,
    /// The variable whose value it is, if it comes from the environment.
    variable: Option<String>,
}

impl Piece {
    /// Whether something else stands there than was written. A default is shorter than what it is written with.
    fn is_replaced(&self) -> bool {
        self.variable.is_some() || self.written.len() != self.value.len()
    }
}

impl FilledScalar {
    pub(crate) fn new(span: Range<usize>, written: &str) -> FilledScalar {
        FilledScalar {
            span,
            written: written.to_owned(),
            value: String::new(),
            pieces: Vec::new(),
            given_up: false,
        }
    }

    /// A scalar that could not be filled in.
    pub(crate) fn given_up(span: Range<usize>, written: &str) -> FilledScalar {
        FilledScalar {
            value: written.to_owned(),
            given_up: true,
            ..FilledScalar::new(span, written)
        }
    }

    /// Adds the next piece: the text for the bytes that were written, and the variable that it comes from.
    pub(crate) fn push(&mut self, written: Range<usize>, text: &str, variable: Option<String>) {
        let start = self.value.len();
        self.value.push_str(text);
        self.pieces.push(Piece {
            written,
            value: start..self.value.len(),
            variable,
        });
    }

    /// The text before it was filled in, and the bytes of it that a part of the value comes from. `None` when `value` is
    /// not this scalar's: then only the whole scalar can be shown.
    pub(crate) fn before(&self, value: &str, part: &Range<usize>) -> Option<(&str, Range<usize>)> {
        if self.given_up || !self.value.starts_with(value) {
            return None;
        }
        let start = match self.piece_at(part.start) {
            Some(piece) if piece.is_replaced() => piece.written.start,
            Some(piece) => piece.written.start + (part.start - piece.value.start),
            None => self.written.len(),
        };
        let last = part.end.checked_sub(1).filter(|last| *last >= part.start);
        let end = match last.and_then(|last| self.piece_at(last)) {
            Some(piece) if piece.is_replaced() => piece.written.end,
            Some(piece) => piece.written.start + (part.end - piece.value.start),
            None => start,
        };
        Some((&self.written, start..end.max(start)))
    }

    fn piece_at(&self, at: usize) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.value.end <= at);
        self.pieces.get(index)
    }

    fn holds_values(&self) -> bool {
        self.pieces.iter().any(|piece| piece.variable.is_some())
    }

    /// The variables whose values a place may be about. A place covers a variable wholly or not at all, so a look at
    /// the text tells; where the text hides its signs behind escapes, the place may be about each of them.
    fn variables_in(&self, files: &Files<'_>, at: &Range<usize>) -> Vec<String> {
        let marked = files.written(at);
        let signs_are_hidden = !files.written(&self.span).contains("${");
        let mut variables: Vec<String> = Vec::new();
        for piece in &self.pieces {
            let Some(name) = &piece.variable else {
                continue;
            };
            let is_marked =
                signs_are_hidden || marked.contains(&self.written[piece.written.clone()]);
            if is_marked && !variables.contains(name) {
                variables.push(name.clone());
            }
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_value_is_a_part_of_the_text() {
        let mut scalar = FilledScalar::new(0..20, "a ${B} c $${ d");
        scalar.push(0..2, "a ", None);
        scalar.push(2..6, "long value", Some("B".to_owned()));
        scalar.push(6..9, " c ", None);
        scalar.push(9..12, "${", None);
        scalar.push(12..14, " d", None);
        let value = scalar.value.clone();
        let check = |part: &str, expect: &str| {
            let start = value.find(part).unwrap();
            let (written, found) = scalar.before(&value, &(start..start + part.len())).unwrap();
            assert_eq!(&written[found], expect, "{part}");
        };
        check("a", "a");
        check("long", "${B}");
        check("value c", "${B} c");
        check("a long", "a ${B}");
        check("c", "c");
        check("{ d", "$${ d");
        check(" d", " d");
        let end = value.len();
        assert_eq!(
            scalar.before(&value, &(end..end)),
            Some(("a ${B} c $${ d", 14..14))
        );
        assert_eq!(scalar.before("another", &(0..1)), None);
    }

    #[test]
    fn values_are_hidden() {
        let mut filled = Filled::default();
        filled.keep_secret("SHORT", "5");
        filled.keep_secret("LONG", "a-long-secret\n");
        let check = |text: &str, expect: &str| {
            assert_eq!(filled.hide(text.to_owned()), expect);
        };
        check("write 5 to 15, not `5`", "write 5 to 15, not `${SHORT}`");
        check("did you mean `a-long-secret`?", "did you mean `${LONG}`?");
        check("x-a-long-secret-y", "x-${LONG}-y");
    }
}
