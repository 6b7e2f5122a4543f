//! Findings that the plan accepts, each with its reason.

use super::at;
use crate::context::Context;
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::limits::{NAME_CHARS_MAX, WAIVED_MAX};
use crate::node::{Node, Value};
use crate::{Code, Waiver, grammar, values};

pub(super) fn waiver(context: &mut Context<'_>, node: &Node) -> Option<Waiver> {
    let mut fields = Fields::open(context, node, &grammar::WAIVER)?;
    let code = fields.required(
        context,
        "code",
        "write the code of the finding, such as `BF0101`",
    );
    let code = code.and_then(|node| code_of_finding(context, node));
    let about = fields.required(context, "about", "name what the finding is about");
    let about = about.map(|node| names(context, node));
    let reason = fields.required(context, "reason", "say why the finding is accepted");
    let reason = reason.and_then(|node| values::text(context, node));
    let at = at(context, &fields);
    fields.finish(context);
    Some(Waiver {
        code: code?,
        about: about?,
        reason: reason?.to_owned(),
        at,
    })
}

/// The code of a finding that can be waived. Errors cannot: a plan with one cannot run.
fn code_of_finding(context: &mut Context<'_>, node: &Node) -> Option<Code> {
    let written = values::text(context, node)?;
    let code = Code::from_text(written).filter(|code| code.is_lint());
    if code.is_none() {
        let message = format!(
            "{} is not the code of a finding that can be waived",
            quote(written)
        );
        let help = "write a code that `belfry check` shows with a warning, from `BF0101`";
        context.error(Code::UnknownWord, &node.span, message, "", help);
    }
    code
}

/// One name, or several in a list.
fn names(context: &mut Context<'_>, node: &Node) -> Vec<String> {
    if matches!(node.value, Value::List(_)) {
        super::needs_one(context, node, "a waiver is about at least one thing");
        return super::items_up_to(context, node, (WAIVED_MAX, "names"), name);
    }
    name(context, node).into_iter().collect()
}

fn name(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let what = "a name";
    values::text_up_to(context, node, what, 4 * NAME_CHARS_MAX).map(str::to_owned)
}
