//! Who is told when, and what the responder does.

use std::time::Duration;

use super::{at, origin};
use crate::context::{Context, Kind};
use crate::expression::{self, Allowed};
use crate::fields::Fields;
use crate::limits::STEP_TIMEOUT_DEFAULT;
use crate::node::Node;
use crate::{Code, EscalationLevel, EscalationPolicy, Procedure, Step, StepKind, values};

pub(super) fn policy(context: &mut Context<'_>, node: &Node) -> Option<EscalationPolicy> {
    let mut fields = Fields::open(context, node, "an escalation policy")?;
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
    fields.finish(context);
    Some(EscalationPolicy {
        name: name?,
        levels: levels?,
        acknowledgement_expires: None,
    })
}

/// One level; `last` is the time of the level before it.
fn level(
    context: &mut Context<'_>,
    node: &Node,
    last: &mut Option<Duration>,
) -> Option<EscalationLevel> {
    let mut fields = Fields::open(context, node, "an escalation level")?;
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

pub(super) fn procedure(context: &mut Context<'_>, node: &Node) -> Option<Procedure> {
    let mut fields = Fields::open(context, node, "a procedure")?;
    let id = fields.required(context, "id", "name it for references");
    let id = id.and_then(|node| values::new_name(context, Kind::Procedure, node));
    let title = fields.required(context, "title", "write what people call it");
    let title = title.and_then(|node| values::text(context, node));
    let steps = fields.required(context, "steps", "list what the responder does");
    let steps = steps
        .map(|node| super::some_items(context, node, "a procedure needs at least one step", step));
    let origin = origin(context, &mut fields);
    let at = at(context, &fields);
    fields.finish(context);
    Some(Procedure {
        id: id?,
        title: title?.to_owned(),
        steps: steps?,
        origin,
        at,
    })
}

fn step(context: &mut Context<'_>, node: &Node) -> Option<Step> {
    let mut fields = Fields::open(context, node, "a step")?;
    let title = fields.required(context, "do", "say what to do");
    let title = title.and_then(|node| values::text(context, node));
    let query = fields.optional("query");
    let logs = fields.optional("logs");
    let check = fields.optional("check");
    if [query, logs, check].iter().flatten().count() > 1 {
        let message = "a step shows one thing: a query, a log search or a probe";
        let help = "make a step of each";
        context.error(Code::OneOf, &fields.span().clone(), message, "", help);
    }
    let kind = match (query, logs, check) {
        (Some(node), _, _) => {
            expression::read(context, node, "a step", Allowed::VectorOrScalar).map(StepKind::Query)
        }
        (None, Some(node), _) => {
            values::text(context, node).map(|text| StepKind::Logs(text.to_owned()))
        }
        (None, None, Some(node)) => {
            values::reference(context, Kind::Probe, node).map(StepKind::Check)
        }
        (None, None, None) => Some(StepKind::Manual),
    };
    fields.finish(context);
    let kind = kind?;
    Some(Step {
        title: title?.to_owned(),
        automatic: !matches!(kind, StepKind::Manual),
        changes: false,
        timeout: STEP_TIMEOUT_DEFAULT,
        kind,
    })
}
