//! Message templates inside the plan: compiled to see that they parse, and their errors placed in the file.
//!
//! Only the syntax is looked at. What a template may name is known where messages are rendered, and a name that is absent
//! there gives an empty text and not a lost page.

use minijinja::Environment;

use crate::context::Context;
use crate::limits::TEMPLATE_BYTES_MAX;
use crate::node::Node;
use crate::scalar_map::place;
use crate::{Code, values};

/// A template's text; reports where it does not parse.
pub(crate) fn read(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let text = values::text_up_to(context, node, "a template", TEMPLATE_BYTES_MAX)?;
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
