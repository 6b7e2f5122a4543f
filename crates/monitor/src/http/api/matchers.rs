//! Matchers as people and `amtool` write them: `alertname="NoStock"`, `instance=~web.*`, `severity!=warning`.
//!
//! Source: Alertmanager, `pkg/labels/parse.go`: quotes are optional, blanks around each part are allowed, and between
//! quotes `\"`, `\\` and `\n` are escapes while any other backslash stands for itself. Not PromQL's parser, which demands
//! quotes: what works on `amtool`'s command line must work here.

use model::{MatchOp, Matcher, is_label_name};

/// The most matchers of one silence or question: more are no selection but a list.
pub(super) const MATCHERS_MAX: usize = 64;
/// The longest value of a matcher, in bytes. Labels are bounded by the same length.
const VALUE_BYTES_MAX: usize = 4096;

/// Operators, those that begin like another one first.
const OPS: [MatchOp; 4] = [
    MatchOp::Regex,
    MatchOp::NotEqual,
    MatchOp::NotRegex,
    MatchOp::Equal,
];

/// Reads one matcher.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn parse_matcher(text: &str) -> Result<Matcher, String> {
    let bad = || format!("`{text}` is not a matcher; write for example alertname=\"Name\"");
    let start = text.find(['=', '!']).ok_or_else(bad)?;
    let (name, rest) = text.split_at(start);
    let op = OPS
        .into_iter()
        .find(|op| rest.starts_with(op.as_str()))
        .ok_or_else(bad)?;
    let value = rest[op.as_str().len()..].trim();
    matcher(name.trim(), op, &unquoted(value).ok_or_else(bad)?)
}

/// A matcher from its parts.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn matcher(name: &str, op: MatchOp, value: &str) -> Result<Matcher, String> {
    if !is_label_name(name) {
        return Err(format!("`{name}` cannot be the name of a label"));
    }
    if value.len() > VALUE_BYTES_MAX {
        return Err(format!(
            "the value for `{name}` is longer than {VALUE_BYTES_MAX} bytes"
        ));
    }
    Matcher::new(name, op, value)
        .map_err(|error| format!("the regular expression for `{name}` is wrong: {error}"))
}

/// Between quotes or without any; `None` where quotes do not pair.
fn unquoted(text: &str) -> Option<String> {
    let inner = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => text,
    };
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(escaped @ ('"' | '\\')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                // The backslash escaped the quote at the end, or ends a text without quotes.
                None if text.starts_with('"') => return None,
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let check = |text: &str, expect: &str| {
            let found = match parse_matcher(text) {
                Ok(matcher) => matcher.to_string(),
                Err(_) => "refused".to_owned(),
            };
            assert_eq!(found, expect, "{text}");
        };
        check(r#"alertname="NoStock""#, r#"alertname="NoStock""#);
        check("alertname=NoStock", r#"alertname="NoStock""#);
        check(r#" a != "b c" "#, r#"a!="b c""#);
        check("a=~b.*", r#"a=~"b.*""#);
        check("a!~b|c", r#"a!~"b|c""#);
        check("a==b", r#"a="=b""#);
        check("a=", r#"a="""#);
        check(r#"a="say \"x\" \\ \d""#, r#"a="say \"x\" \\ \\d""#);
        check(r#"a="x=y""#, r#"a="x=y""#);
        check(r#"a="b"#, "refused");
        check(r#"a=b""#, "refused");
        check(r#"a="b\""#, "refused");
        check("a", "refused");
        check("a!b", "refused");
        check("1a=b", "refused");
        check("=b", "refused");
        check("a=~(", "refused");
        check(&format!("a={}", "x".repeat(4097)), "refused");
    }
}
