//! A text that a matcher takes, for the labels of series that are made.

use model::{MatchOp, Matcher};
use regex_syntax::hir::{Class, Hir, HirKind};

/// The deepest pattern that is followed; people write three levels.
const DEPTH_MAX: usize = 50;
/// How often a repetition is written out at most.
const REPEAT_MAX: u32 = 20;
/// What stands for "any letter", the first that fits.
const LETTERS: [char; 5] = ['x', '0', 'A', '-', '/'];

/// A value that the matcher takes, `before` where that is one. `None` where none is found.
pub(super) fn value_for(matcher: &Matcher, before: &str) -> Option<String> {
    if matcher.matches(before) {
        return Some(before.to_owned());
    }
    let tried = match matcher.op() {
        MatchOp::Equal => Some(matcher.value().to_owned()),
        MatchOp::Regex => {
            let pattern = regex_syntax::parse(matcher.value()).ok()?;
            let mut text = String::new();
            write(&pattern, &mut text, DEPTH_MAX).then_some(text)
        }
        // Anything else but what is excluded; nothing at all is the last resort.
        MatchOp::NotEqual | MatchOp::NotRegex => {
            let others = ["other", "drill", "0", ""];
            let found = others.into_iter().find(|text| matcher.matches(text));
            found.map(str::to_owned)
        }
    };
    tried.filter(|text| matcher.matches(text))
}

/// Writes the plainest text of a pattern; whether it has one that is known.
fn write(pattern: &Hir, text: &mut String, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            text.push_str(&String::from_utf8_lossy(&literal.0));
            true
        }
        HirKind::Class(class) => letter(class).map(|letter| text.push(letter)).is_some(),
        HirKind::Repetition(repeated) => {
            (0..repeated.min.min(REPEAT_MAX)).all(|_| write(&repeated.sub, text, depth - 1))
        }
        HirKind::Capture(capture) => write(&capture.sub, text, depth - 1),
        HirKind::Concat(parts) => parts.iter().all(|part| write(part, text, depth - 1)),
        HirKind::Alternation(parts) => parts
            .first()
            .is_some_and(|part| write(part, text, depth - 1)),
    }
}

fn letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let takes = |letter: &char| {
        class
            .iter()
            .any(|range| range.start() <= *letter && *letter <= range.end())
    };
    let usual = LETTERS.into_iter().find(takes);
    usual.or_else(|| class.iter().next().map(|range| range.start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_a_matcher_takes() {
        let check = |op: MatchOp, pattern: &str, before: &str, expect: Option<&str>| {
            let matcher = Matcher::new("a", op, pattern).unwrap();
            let found = value_for(&matcher, before);
            assert_eq!(found.as_deref(), expect, "{pattern}");
            assert!(found.is_none_or(|text| matcher.matches(&text)));
        };
        check(MatchOp::Equal, "b", "drill", Some("b"));
        check(MatchOp::Equal, "", "drill", Some(""));
        check(MatchOp::Regex, "5..", "drill", Some("5xx"));
        check(MatchOp::Regex, "5[0-9]{2}", "drill", Some("500"));
        check(MatchOp::Regex, ".+", "drill", Some("drill"));
        check(MatchOp::Regex, "api|web", "drill", Some("api"));
        check(MatchOp::Regex, "(get|post)-[a-z]+", "drill", Some("get-x"));
        check(MatchOp::Regex, "[^x0A]", "drill", Some("-"));
        check(MatchOp::NotEqual, "drill", "drill", Some("other"));
        check(MatchOp::NotEqual, "", "", Some("other"));
        check(MatchOp::NotRegex, ".+", "drill", Some(""));
        check(MatchOp::NotRegex, ".*", "drill", None);
    }
}
