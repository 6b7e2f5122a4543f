//! Who is told when.

use std::time::Duration;

use crate::context::{Context, Kind};
use crate::fields::Fields;
use crate::limits::{ACKNOWLEDGEMENT_MIN, DURATION_MAX};
use crate::node::Node;
use crate::{Code, EscalationLevel, EscalationPolicy, grammar, values};

pub(super) fn policy(context: &mut Context<'_>, node: &Node) -> Option<EscalationPolicy> {
    let mut fields = Fields::open(context, node, &grammar::ESCALATION_POLICY)?;
    let name = fields.required(context, "name", "name the policy");
    let name = name.and_then(|node| values::new_name(context, Kind::EscalationPolicy, node));
    let levels = fields.required(context, "levels", "list its levels, the first `after: 0`");
    let mut last = None;
    let levels = levels.map(|node| {
        let what = "an escalation policy needs at least one level";
        super::some_items(context, node, what, |context, node| {
            level(context, node, &mut last)
        })
    });
    let expires = fields.optional("acknowledgement_expires");
    let expires = expires.and_then(|node| {
        let why = "whoever works on it must not be paged meanwhile";
        values::duration_between(context, node, ACKNOWLEDGEMENT_MIN..=DURATION_MAX, why)
    });
    fields.finish(context);
    Some(EscalationPolicy {
        name: name?,
        levels: levels?,
        acknowledgement_expires: expires,
    })
}

/// One level; `last` is the time of the level before it.
fn level(
    context: &mut Context<'_>,
    node: &Node,
    last: &mut Option<Duration>,
) -> Option<EscalationLevel> {
    let mut fields = Fields::open(context, node, &grammar::ESCALATION_LEVEL)?;
    let after_node = fields.required(
        context,
        "after",
        "write when it is told, as in `after: 15m`",
    );
    let after = after_node.and_then(|node| values::duration_or_zero(context, node));
    if let (Some(node), Some(after)) = (after_node, after) {
        check_order(context, node, *last, after);
        *last = Some(after);
    }
    let roles = fields.required(context, "roles", "list the roles that are told");
    let roles = roles.map(|node| {
        super::some_items(
            context,
            node,
            "an escalation level needs at least one role",
            values::name,
        )
    });
    fields.finish(context);
    Some(EscalationLevel {
        after: after?,
        roles: roles?,
    })
}

fn check_order(context: &mut Context<'_>, node: &Node, last: Option<Duration>, after: Duration) {
    let (message, help) = match last {
        None if after > Duration::ZERO => (
            "the first escalation level must be told at once".to_owned(),
            "write `after: 0`".to_owned(),
        ),
        Some(last) if after <= last => (
            format!(
                "this level comes {} after the incident opened, not later than the level before it",
                model::format_duration(after)
            ),
            format!("write more than {}", model::format_duration(last)),
        ),
        None | Some(_) => return,
    };
    context.error(Code::EscalationOrder, &node.span, message, "", help);
}
