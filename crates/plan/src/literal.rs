//! Text as a YAML scalar: bare where nothing would be taken for anything else, between quotes otherwise. For everything that
//! writes plans and contacts: the formatter, the import and the draft of a new plan.

use std::fmt::Write as _;

/// Where a scalar stands: between brackets more characters mean something.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind a key or a dash.
    Block,
    /// Between `[` and `]`, or `{` and `}`.
    Flow,
}

/// A text in a plan that says exactly this, whatever it holds: `${NAME}` in it is no value from the environment.
pub fn literal(text: &str, place: Place) -> String {
    scalar(&text.replace("${", "$${"), place)
}

/// A text where nothing is taken from the environment, as in contacts.
pub fn scalar(text: &str, place: Place) -> String {
    if needs_quotes(text, place) {
        quoted(text)
    } else {
        text.to_owned()
    }
}

/// Whether YAML would read a bare text as something else, or not at all.
pub(crate) fn needs_quotes(text: &str, place: Place) -> bool {
    // `<` and `=` would be fine bare; beside their likes that are not, quotes read better.
    let begins = |letter: char| "-?:,[]{}#&*!|>'\"%@`<=".contains(letter);
    text.is_empty()
        || text.starts_with(begins)
        || text.trim() != text
        || text.contains(is_odd)
        || text.contains(": ")
        || text.ends_with(':')
        || text.contains(" #")
        || is_null(text)
        || (place == Place::Flow && text.contains([',', '[', ']', '{', '}', ':']))
}

/// A text between quotes: between those that need no escapes, where there are such.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains(is_odd) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            own if is_odd(own) => {
                // Writing to a String does not fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(own));
            }
            own => quoted.push(own),
        }
    }
    quoted.push('"');
    quoted
}

/// A character that some reader takes for the end of a line, for the beginning of the file, or not at all.
fn is_odd(letter: char) -> bool {
    letter.is_control() || "\u{feff}\u{85}\u{2028}\u{2029}".contains(letter)
}

fn is_null(text: &str) -> bool {
    text == "~" || text.eq_ignore_ascii_case("null")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let check = |text: &str, block: &str, flow: &str| {
            assert_eq!(literal(text, Place::Block), block, "{text:?}");
            assert_eq!(literal(text, Place::Flow), flow, "{text:?}");
            let in_block = format!("format: 1\nservice: shop\ntitle: {block}\n");
            let in_flow = format!("{{format: 1, service: shop, title: {flow}}}\n");
            for plan in [in_block, in_flow] {
                let (plan, found) = crate::parse("plan.yaml", &plan);
                let title = plan.map(|plan| plan.title);
                assert_eq!(title.as_deref(), Some(text), "{found:?}");
            }
        };
        check("plain text", "plain text", "plain text");
        check("a, b", "a, b", "\"a, b\"");
        check(
            "up{job=\"x\"} == 0",
            "up{job=\"x\"} == 0",
            "'up{job=\"x\"} == 0'",
        );
        check("a: b", "\"a: b\"", "\"a: b\"");
        check("- a", "\"- a\"", "\"- a\"");
        check(
            "it's \"so\": yes",
            "'it''s \"so\": yes'",
            "'it''s \"so\": yes'",
        );
        check("Null", "\"Null\"", "\"Null\"");
        check("one\u{2028}two", "\"one\\u2028two\"", "\"one\\u2028two\"");
        check(
            "${HOME} $${X} $1",
            "$${HOME} $$${X} $1",
            "\"$${HOME} $$${X} $1\"",
        );
    }
}
