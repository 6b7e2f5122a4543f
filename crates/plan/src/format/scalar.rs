//! One scalar in its best form: quoted only where it must be, lengths of time and PromQL as Belfry writes them.

use super::lines::quoted_end;
use super::snippet;
use crate::grammar::Type;
use crate::literal::{Place, needs_quotes, quoted};
use crate::node::Value;

/// A scalar as it shall be written; `raw` is how it is.
pub(super) fn formatted(raw: &str, value: Option<&Type>, place: Place) -> String {
    let Some(text) = text_of(raw) else {
        return raw.to_owned();
    };
    let best = value.and_then(|value| canonical(&text, value));
    let is_quoted = raw.starts_with(['"', '\'']);
    match best.filter(|best| *best != text) {
        Some(best) if needs_quotes(&best, place) => quoted(&best),
        Some(best) => best,
        None if is_quoted && !needs_quotes(&text, place) && !keeps_quotes(&text, value) => text,
        None => raw.to_owned(),
    }
}

/// What a scalar of one line says; nothing where it has no plain text.
fn text_of(raw: &str) -> Option<String> {
    let is_quoted = raw.starts_with(['"', '\'']);
    if is_quoted && quoted_end(raw) != Some(raw.len()) {
        return None;
    }
    match snippet(raw)?.value {
        Value::Text(text) => Some(text),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// A value as Belfry itself writes it, where it has such a form.
pub(super) fn canonical(text: &str, value: &Type) -> Option<String> {
    match value {
        Type::Duration(..) => duration(text.trim_end()),
        Type::Vector | Type::VectorOrScalar => expression(text),
        Type::OneOrMore(of, _) => canonical(text, of),
        _ => None,
    }
}

/// A length of time. Days stay days: `14d` beside `30d` reads better than `2w`.
fn duration(written: &str) -> Option<String> {
    let length = model::parse_duration(written).ok()?;
    let days = written.strip_suffix('d');
    let only_days = days.is_some_and(|days| days.bytes().all(|byte| byte.is_ascii_digit()));
    if length.is_zero() {
        Some("0".to_owned())
    } else if only_days {
        Some(written.trim_start_matches('0').to_owned())
    } else {
        Some(model::format_duration(length))
    }
}

/// An expression as PromQL's printer has it. One with comments or line breaks of its own stays, since the printer knows
/// neither.
fn expression(written: &str) -> Option<String> {
    if written.contains(['#', '\n']) {
        return None;
    }
    let printed = promql::parse(written).ok()?.to_string();
    // What the printer gives must read back as the same tree.
    let again = promql::parse(&printed).ok()?;
    (again.to_string() == printed).then_some(printed)
}

/// Whether quotes stay that Belfry itself does not need: around what other readers of YAML take for a number, a boolean
/// or a time where none is meant, and around texts with places to fill, which need them as soon as one comes first.
fn keeps_quotes(text: &str, value: Option<&Type>) -> bool {
    let is_meant = matches!(
        value,
        Some(Type::Format | Type::Count(..) | Type::Number | Type::Boolean | Type::Duration(..))
    );
    if is_meant {
        return false;
    }
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_word = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let begins = text.trim_start_matches(['+', '-', '.']);
    is_word || begins.starts_with(|first: char| first.is_ascii_digit()) || text.contains("{{")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::RULE;

    #[test]
    fn one_form_for_each() {
        let key = |name: &str| RULE.key(name).map(|key| &key.value);
        let check = |name: &str, raw: &str, expect: &str| {
            assert_eq!(formatted(raw, key(name), Place::Block), expect, "{raw}");
        };
        check("for", "90s", "1m30s");
        check("for", "\"2m\"", "2m");
        check("for", "14d", "14d");
        check("for", "24h", "1d");
        check("for", "0s", "0");
        check("for", "soon", "soon");
        check("expr", "up==0", "up == 0");
        check("expr", "\"up == 0\"", "up == 0");
        check("expr", "'{job=\"a\"} == 0'", "'{job=\"a\"} == 0'");
        check("expr", "sum(up)by(job)>1", "sum by (job) (up) > 1");
        check("expr", "up == ", "up == ");
        check("summary", "\"plain text\"", "plain text");
        check("summary", "'it''s'", "it's");
        check("summary", "\"{{ $value }} s\"", "\"{{ $value }} s\"");
        check("summary", "\"in {{ $value }} s\"", "\"in {{ $value }} s\"");
        check("summary", "\"a: b\"", "\"a: b\"");
        check("summary", "\"a\\nb\"", "\"a\\nb\"");
        check("summary", "\"5\"", "\"5\"");
        check("summary", "\"no\"", "\"no\"");
        check("summary", "\"null\"", "\"null\"");
        check("summary", "no", "no");
    }

    #[test]
    fn more_needs_quotes_between_brackets() {
        let check = |raw: &str, expect: &str| {
            assert_eq!(formatted(raw, None, Place::Flow), expect, "{raw}");
        };
        check("\"a, b\"", "\"a, b\"");
        check("'a'", "a");
        check("\"a:b\"", "\"a:b\"");
    }
}
