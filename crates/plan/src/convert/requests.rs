//! HTTP calls of procedures. Where they may go is checked in `check::reach`, when every target and probe is known.

use super::secrets::{self, TOKEN};
use crate::context::{Context, Reach};
use crate::fields::Fields;
use crate::limits::BODY_BYTES_MAX;
use crate::node::{Node, Value};
use crate::scalar_map::place;
use crate::{Code, RequestStep, grammar, values};

/// The call: method and address in one text, the method `GET` where there is none.
pub(super) fn request(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    node: &Node,
) -> Option<RequestStep> {
    let text = values::text(context, node);
    let parts = text.map(|text| match text.split_once(char::is_whitespace) {
        Some((method, url)) => (Some(method), url.trim_start()),
        None => (None, text),
    });
    let method = match parts {
        Some((Some(method), _)) => {
            let part = part(context, node, method);
            values::word(context, &part, "a method", &grammar::METHODS)
        }
        Some((None, _)) => Some("GET"),
        None => None,
    };
    let url = parts.and_then(|(_, url)| {
        let part = part(context, node, url);
        let url = values::url(context, &part)?;
        context.reached.push(Reach {
            address: values::host_and_port(&url).to_ascii_lowercase(),
            span: part.span,
        });
        Some(url)
    });
    let body_node = fields.optional("body");
    let body = body_node.and_then(|node| json(context, node));
    if let (Some(node), Some("GET")) = (body_node, method) {
        let message = "a GET has no body";
        let help = "leave it out, or write the method that takes it before the address";
        context.error(Code::UnknownKey, &node.span, message, "", help);
    }
    let token = secrets::optional(context, fields, &TOKEN);
    Some(RequestStep {
        method: method?.to_owned(),
        url: url?,
        body: body.unwrap_or_default(),
        token,
    })
}

/// A part of a scalar, as a node of its own place.
fn part(context: &Context<'_>, node: &Node, part: &str) -> Node {
    let Value::Text(whole) = &node.value else {
        unreachable!("only a text has parts");
    };
    let start = whole.find(part).unwrap_or(0);
    Node {
        value: Value::Text(part.to_owned()),
        span: place(context, node, whole, start..start + part.len()),
    }
}

/// A body: JSON text, since that is what is sent, to the letter.
fn json(context: &mut Context<'_>, node: &Node) -> Option<String> {
    if matches!(node.value, Value::Map(_) | Value::List(_)) {
        let message = format!("a body is JSON text, but this is {}", node.value.shape());
        let help = "put it between quotes, as in '{\"workers\": 8}'";
        context.error(Code::WrongShape, &node.span, message, "not text", help);
        return None;
    }
    let text = values::text_up_to(context, node, "a body", BODY_BYTES_MAX)?;
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
        return Some(text.to_owned());
    };
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let start = text.floor_char_boundary(before + error.column().saturating_sub(1));
    let at = place(
        context,
        node,
        text,
        start..text.ceil_char_boundary(start + 1),
    );
    // The error repeats line and column, but of the body and not of the file.
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    let message = format!("this body is not JSON: {said}");
    let help = "write it as it shall be sent, as in '{\"workers\": 8}'";
    context.error(Code::InvalidJson, &at, message, "", help);
    None
}
