//! Message templates inside the plan: compiled to see that they parse, and their errors placed in the file.
//!
//! Only the syntax is looked at. What a template may name is known where messages are rendered, and a name that is absent
//! there gives an empty text and not a lost page.

use std::ops::Range;

use minijinja::Environment;

use crate::context::Context;
use crate::limits::{ELIF_MAX, TAG_BYTES_MAX, TEMPLATE_BYTES_MAX};
use crate::node::Node;
use crate::scalar_map::place;
use crate::{Code, values};

/// A template's text; reports where it does not parse.
pub(crate) fn read(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let text = values::text_up_to(context, node, "a template", TEMPLATE_BYTES_MAX)?;
    if let Some(found) = too_deep(text) {
        let at = place(context, node, text, found.part);
        context.error(Code::TooMany, &at, found.message, "", found.help);
        return None;
    }
    // An environment for each: nothing of one template may be seen by another.
    let environment = Environment::empty();
    let Err(error) = environment.template_from_str(text) else {
        return Some(text.to_owned());
    };
    let what = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let message = format!("this template does not parse: {what}");
    let part = error.range().unwrap_or(0..text.len());
    let part = text.floor_char_boundary(part.start)..text.floor_char_boundary(part.end);
    let at = place(context, node, text, part);
    let help = "write `{{ value }}`, `{% if … %} … {% endif %}` and `{% for … %} … {% endfor %}`";
    context.error(Code::TemplateSyntax, &at, message, "", help);
    None
}

/// A template that gives one line, such as a subject.
pub(crate) fn read_line(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let text = read(context, node)?;
    if !text.contains(['\n', '\r']) {
        return Some(text);
    }
    let message = "a subject is one line";
    let help = "write it in one line, and what follows into `body`";
    context.error(Code::TemplateSyntax, &node.span, message, "", help);
    None
}

/// A part of a template that would recurse too deeply.
struct TooDeep {
    part: Range<usize>,
    message: String,
    help: &'static str,
}

/// Looks for what would overflow the stack of minijinja's compiler, before it sees the text.
///
/// Every place where a tag could begin is taken for the beginning of one, even inside comments and strings: a real tag is
/// never missed, and what is refused needlessly is nothing that anybody writes.
fn too_deep(text: &str) -> Option<TooDeep> {
    if let Some((start, word)) = text.match_indices("elif").nth(ELIF_MAX) {
        return Some(TooDeep {
            part: start..start + word.len(),
            message: format!("this template has more than {ELIF_MAX} `elif`"),
            help: "write a shorter one; a page is read on a telephone",
        });
    }
    let opens = |(at, _): &(usize, char)| {
        let rest = &text[*at..];
        rest.starts_with("{{") || rest.starts_with("{%")
    };
    let start = text
        .char_indices()
        .filter(opens)
        .map(|(at, _)| at)
        .find(|at| tag_length(&text.as_bytes()[*at..]) > TAG_BYTES_MAX)?;
    Some(TooDeep {
        part: start..start + 2,
        message: format!("this tag does not end within {TAG_BYTES_MAX} bytes"),
        help: "close it, or make several of it with `{% set name = … %}`",
    })
}

/// The bytes of a tag from its opening on, as minijinja reads it: it ends outside strings and brackets. Looking further
/// than the bound is of no use.
fn tag_length(tag: &[u8]) -> usize {
    let closing: &[u8] = if tag.starts_with(b"{{") { b"}}" } else { b"%}" };
    let mut balance = 0_i32;
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in tag.iter().enumerate().skip(2).take(TAG_BYTES_MAX) {
        if let Some(delimiter) = quote {
            if !escaped && *byte == delimiter {
                quote = None;
            }
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            _ if balance == 0 && tag[at..].starts_with(closing) => return at,
            b'"' | b'\'' => quote = Some(*byte),
            b'(' | b'[' | b'{' => balance += 1,
            b')' | b']' | b'}' => balance -= 1,
            _ => {}
        }
    }
    tag.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end_of_a_tag() {
        let check =
            |tag: &str, expect: usize| assert_eq!(tag_length(tag.as_bytes()), expect, "{tag}");
        check("{{ a }} b", 5);
        check("{% if a %} b", 8);
        check("{{ '}}' }} b", 8);
        check(r#"{{ "\"}}" }} b"#, 10);
        check("{{ {'a': {}} }} b", 13);
        check("{{ a %}{ }} b", 9);
        check("{% a }} %} b", 12);
        check("{{ a", 4);
        check("{{ (a }} b", 10);
    }

    #[test]
    fn refuses_what_would_overflow() {
        let check =
            |text: &str, refused: bool| assert_eq!(too_deep(text).is_some(), refused, "{text}");
        check(&format!("{{{{ a{} }}}}", "|b".repeat(100)), false);
        check(&format!("{{{{ a{} }}}}", "|b".repeat(200)), true);
        check(
            &format!("{{# {{{{ \" #}}{{{{ \"}}}}\"{} }}}}", "+\"}}\"".repeat(100)),
            true,
        );
        check(&"{% elif a %}".repeat(50), false);
        check(&"{% elif a %}".repeat(51), true);
        check(&"plain text ".repeat(1_000), false);
    }
}
