//! From a place in a scalar's value to the place in the file where it was written.
//!
//! YAML takes away indentation, quotes, escapes and line folds. Instead of repeating its rules for each of the five
//! styles, the value is laid along the raw text: every visible character of the value must appear there, in order,
//! with only white space, quotes and escapes between. That is right for everything that people write, and off by a few
//! columns, never out of the scalar, for exotic escapes.

use std::ops::Range;

use crate::context::Context;
use crate::node::Node;

/// The most characters of raw text that one character of the value may have been written with (`\U0001F600`).
const ESCAPE_CHARS_MAX: usize = 10;

/// The most white space that is looked past for one character: an indentation, and not a page. Without a bound a hostile
/// scalar would be walked through once for each of its characters.
const BLANKS_MAX: usize = 256;

/// The place of a part of a scalar's value. A value from the environment is placed at its variable.
pub(crate) fn place(
    context: &Context<'_>,
    node: &Node,
    value: &str,
    part: Range<usize>,
) -> Range<usize> {
    place_within(context, &node.span, value, part)
}

/// The same, for a scalar that stands at `whole`.
pub(crate) fn place_within(
    context: &Context<'_>,
    whole: &Range<usize>,
    value: &str,
    part: Range<usize>,
) -> Range<usize> {
    match context.report.filled.scalar(whole) {
        None => as_written(context, whole, value, part),
        Some(filled) => match filled.before(value, &part) {
            Some((written, part)) => as_written(context, whole, written, part),
            None => whole.clone(),
        },
    }
}

/// The place of a part of what stands in the text, but for YAML's own signs.
fn as_written(
    context: &Context<'_>,
    whole: &Range<usize>,
    value: &str,
    part: Range<usize>,
) -> Range<usize> {
    let raw = context.report.files.written(whole);
    let found = raw_range(raw, value, part);
    let start = whole.start + found.start;
    // An error at the very end (`rate(x`) has no width; it is shown behind the last character.
    start..(whole.start + found.end).max(start)
}

/// Where `part` (bytes of `value`) stands in `raw` (the scalar as written, from its first character on).
fn raw_range(raw: &str, value: &str, part: Range<usize>) -> Range<usize> {
    let mut start = None;
    let mut end = None;
    let mut position = usize::from(is_quoted(raw, value));
    for (at, wanted) in value.char_indices() {
        let (found, next) = step(raw, position, wanted);
        if at >= part.start && start.is_none() {
            start = Some(found);
        }
        if at + wanted.len_utf8() >= part.end && end.is_none() {
            end = Some(if part.end > part.start { next } else { found });
        }
        position = next;
    }
    let start = start.unwrap_or(position);
    start..end.unwrap_or(position).max(start)
}

fn is_quoted(raw: &str, value: &str) -> bool {
    let within = |quote| raw.len() > 1 && raw.starts_with(quote) && raw.ends_with(quote);
    (within('"') || within('\'')) && raw != value
}

/// Where `wanted` stands at or after `position`, and the position after it.
fn step(raw: &str, position: usize, wanted: char) -> (usize, usize) {
    let rest = raw.get(position..).unwrap_or("");
    if wanted.is_whitespace() {
        return match rest.chars().next() {
            // A folded line break: the white space around it became one blank.
            Some(first) if first.is_whitespace() && first != wanted && wanted == ' ' => {
                (position, raw.len() - rest.trim_start().len())
            }
            Some(first) if first.is_whitespace() => (position, position + first.len_utf8()),
            // Written as an escape.
            Some(_) | None => (position, position),
        };
    }
    let mut skipped = 0;
    for (at, found) in rest.char_indices().take(BLANKS_MAX) {
        if found == wanted {
            return (position + at, position + at + found.len_utf8());
        }
        skipped += usize::from(!found.is_whitespace());
        if skipped > ESCAPE_CHARS_MAX {
            break;
        }
    }
    (position, position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_written_place() {
        let check = |raw: &str, value: &str, part: &str, expect: &str| {
            let start = value.find(part).expect("the part is in the value");
            let found = raw_range(raw, value, start..start + part.len());
            assert_eq!(&raw[found], expect, "{raw:?}");
        };
        check("rate(x) > 2", "rate(x) > 2", "> 2", "> 2");
        check("'it''s z'", "it's z", "z", "z");
        check(r#""a{b=\"c\"} z""#, r#"a{b="c"} z"#, "z", "z");
        check("a\n    + b\n      + c", "a\n+ b\n  + c", "c", "c");
        check("a\n    + b\n    + c", "a + b + c", "b + c", "b\n    + c");
        check(r#""\"q\"""#, r#""q""#, "q", "q");
        check("é + ü", "é + ü", "ü", "ü");
    }

    #[test]
    fn stays_inside() {
        let check = |raw: &str, value: &str| {
            for start in 0..=value.len() {
                let found = raw_range(raw, value, start..value.len());
                assert!(
                    found.end <= raw.len() && found.start <= found.end,
                    "{raw:?} {value:?}"
                );
            }
        };
        check("", "abc");
        check("abc", "xyz");
        check("\"\\x41\\u00e9\"", "Aé");
        check("'", "'");
    }
}
