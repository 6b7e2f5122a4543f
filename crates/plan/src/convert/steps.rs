//! What the responder does: procedures and their steps.

use std::time::Duration;

use super::at;
use super::requests::request;
use crate::context::{Context, Kind};
use crate::expression::{self, Allowed};
use crate::fields::Fields;
use crate::limits::{
    COMPARE_BEFORE_DEFAULT, DURATION_MIN, STEP_TIMEOUT_DEFAULT, STEP_TIMEOUT_MAX, STEPS_MAX,
};
use crate::node::Node;
use crate::{Code, CommandStep, Procedure, Step, StepKind, grammar, values};

pub(super) fn procedure(context: &mut Context<'_>, node: &Node) -> Option<Procedure> {
    let mut fields = Fields::open(context, node, &grammar::PROCEDURE)?;
    let id = fields.required(context, "id", "name it for references");
    let id = id.and_then(|node| values::new_name(context, Kind::Procedure, node));
    let title = fields.required(context, "title", "write what people call it");
    let title = title.and_then(|node| values::text(context, node));
    let steps = fields.required(context, "steps", "list what the responder does");
    let steps = steps.map(|node| {
        super::needs_one(context, node, "a procedure needs at least one step");
        super::items_up_to(context, node, (STEPS_MAX, "steps"), step)
    });
    let origin = fields.origin();
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
    let mut fields = Fields::open(context, node, &grammar::STEP)?;
    let title = fields.required(context, "do", "say what to do");
    let title = title.and_then(|node| values::text(context, node));
    let written = grammar::STEP_KINDS.map(|key| fields.optional(key).map(|node| (key, node)));
    let written: Vec<(&str, &Node)> = written.into_iter().flatten().collect();
    if let [(first, _), (second, _), ..] = written.as_slice() {
        let message = format!("a step does one thing, but this has `{first}` and `{second}`");
        let help = "make a step of each";
        context.error(Code::OneOf, &fields.span().clone(), message, "", help);
    }
    let kind = match written.first() {
        Some((key, node)) => kind(context, &mut fields, key, node),
        None => Some(StepKind::Manual),
    };
    let has = |key: &str| written.iter().any(|(own, _)| *own == key);
    further_keys(context, &mut fields, "compare", has("compare"), &["before"]);
    further_keys(
        context,
        &mut fields,
        "request",
        has("request"),
        &grammar::REQUEST_KEYS,
    );
    let manner = manner(context, &mut fields, kind.as_ref());
    fields.finish(context);
    Some(Step {
        title: title?.to_owned(),
        kind: kind?,
        changes: manner.changes,
        automatic: manner.automatic,
        timeout: manner.timeout,
    })
}

fn kind(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &str,
    node: &Node,
) -> Option<StepKind> {
    let query = |context: &mut Context<'_>| {
        expression::read(context, node, "a step", Allowed::VectorOrScalar)
    };
    match key {
        "query" => query(context).map(StepKind::Query),
        "logs" => values::text(context, node).map(|text| StepKind::Logs(text.to_owned())),
        "check" => values::reference(context, Kind::Probe, node).map(StepKind::Check),
        "deployments" => values::duration(context, node).map(StepKind::Deployments),
        "compare" => {
            let before = fields.optional("before");
            let before = before.and_then(|node| values::duration(context, node));
            Some(StepKind::Compare {
                expr: query(context)?,
                before: before.unwrap_or(COMPARE_BEFORE_DEFAULT),
            })
        }
        "request" => request(context, fields, node).map(StepKind::Request),
        "command" => {
            let argv = super::command(context, node);
            Some(StepKind::Command(CommandStep { argv }))
        }
        other => unreachable!("`{other}` is among the kinds"),
    }
}

/// How a step runs.
struct Manner {
    changes: bool,
    automatic: bool,
    timeout: Duration,
}

/// What a step of this kind may say of how it runs; nothing is known of a kind that is broken.
fn manner(context: &mut Context<'_>, fields: &mut Fields<'_>, kind: Option<&StepKind>) -> Manner {
    let changes_node = fields.optional("changes");
    let changes = changes_node.and_then(|node| values::boolean(context, node));
    if let (Some(node), Some(false), Some(StepKind::Request(request))) =
        (changes_node, changes, kind)
    {
        doubt(context, node, &request.method);
    }
    let changes = changes.unwrap_or(kind.is_some_and(changes_by_default));
    let automatic_node = fields.optional("automatic");
    let automatic = automatic_node.and_then(|node| values::boolean(context, node));
    let timeout_node = fields.optional("timeout");
    let timeout = timeout_node.and_then(|node| {
        let bounds = DURATION_MIN..=STEP_TIMEOUT_MAX;
        let why = "a responder waits for it";
        values::duration_between(context, node, bounds, why)
    });
    let manual = matches!(kind, Some(StepKind::Manual));
    if manual {
        let help = "leave it out: a person does this step, in their own time";
        means_nothing(context, "automatic", automatic_node, help);
        means_nothing(context, "timeout", timeout_node, help);
    } else if kind.is_some() && !changes {
        let help = "leave it out: a step that changes nothing runs by itself";
        means_nothing(context, "automatic", automatic_node, help);
    }
    Manner {
        changes,
        automatic: !manual && (!changes || automatic == Some(true)),
        timeout: timeout.unwrap_or(STEP_TIMEOUT_DEFAULT),
    }
}

fn means_nothing(context: &mut Context<'_>, key: &str, node: Option<&Node>, help: &str) {
    if let Some(node) = node {
        let message = format!("`{key}` means nothing on this step");
        context.error(Code::UnknownKey, &node.span, message, "", help);
    }
}

fn changes_by_default(kind: &StepKind) -> bool {
    match kind {
        StepKind::Request(request) => request.method != "GET",
        StepKind::Command(_) => true,
        StepKind::Manual
        | StepKind::Query(_)
        | StepKind::Logs(_)
        | StepKind::Check(_)
        | StepKind::Deployments(_)
        | StepKind::Compare { .. } => false,
    }
}

/// `changes: false` lets a step run by itself whenever an incident opens. A POST may well change nothing (a search, a
/// verification); of the other methods HTTP itself says that they do.
fn doubt(context: &mut Context<'_>, node: &Node, method: &str) {
    if !["PUT", "PATCH", "DELETE"].contains(&method) {
        return;
    }
    let message = format!("a {method} changes something by its meaning, yet runs by itself here");
    let help = "leave `changes: false` out, so that it waits for a person";
    context.warning(Code::SaysItChangesNothing, &node.span, message, help);
}

/// The keys that only one kind of step has: reports them where that kind is not there.
fn further_keys(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    owner: &str,
    has_owner: bool,
    keys: &[&'static str],
) {
    for key in keys {
        if has_owner {
            // Read already, or by one of two kinds in one step, which is reported.
            fields.optional(key);
        } else if let Some(node) = fields.refused(key) {
            let message = format!("`{key}` means nothing without `{owner}`");
            let help = format!("leave it out, or write `{owner}:`");
            context.error(Code::UnknownKey, &node.span, message, "", help);
        }
    }
}
