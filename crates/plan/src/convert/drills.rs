//! How alerts are drilled.

use super::at;
use super::requests::request;
use crate::context::{Context, DrillTime, Kind};
use crate::fields::Fields;
use crate::limits::{DRILL_EVERY_DEFAULT, DRILL_WITHIN_DEFAULT, DRILL_WITHIN_MAX, FAULTS_MAX};
use crate::node::Node;
use crate::{Code, DrillFault, DrillOptions, RequestStep, grammar, values};

pub(super) fn options_default() -> DrillOptions {
    DrillOptions {
        every: DRILL_EVERY_DEFAULT,
        faults: Vec::new(),
    }
}

pub(super) fn options(context: &mut Context<'_>, node: &Node) -> Option<DrillOptions> {
    let mut fields = Fields::open(context, node, &grammar::DRILLS)?;
    let every = fields.optional("every");
    let every = every.and_then(|node| values::duration(context, node));
    let faults = fields.optional("faults");
    let limit = (FAULTS_MAX, "faults");
    let faults = faults.map(|node| super::items_up_to(context, node, limit, fault));
    fields.finish(context);
    Some(DrillOptions {
        every: every.unwrap_or(DRILL_EVERY_DEFAULT),
        faults: faults.unwrap_or_default(),
    })
}

fn fault(context: &mut Context<'_>, node: &Node) -> Option<DrillFault> {
    let mut fields = Fields::open(context, node, &grammar::FAULT)?;
    let help = "name the alert that the fault makes fire";
    let alert_node = fields.required(context, "alert", help);
    let alert = alert_node.and_then(|node| values::reference(context, Kind::Alert, node));
    let inject = fields.required(
        context,
        "inject",
        "write the request that breaks the service",
    );
    let inject = inject.and_then(|node| call(context, node));
    let end = fields.required(
        context,
        "end",
        "write the request that mends the service again",
    );
    let end = end.and_then(|node| call(context, node));
    let within_node = fields.optional("within");
    let within = within_node.and_then(|node| time(context, node));
    let within = within.unwrap_or(DRILL_WITHIN_DEFAULT);
    let calm_within = fields.optional("calm_within");
    let calm_within = calm_within.and_then(|node| time(context, node));
    let at = at(context, &fields);
    let origin = fields.origin();
    if let (Some(alert), Some(node)) = (&alert, alert_node) {
        context.drill_times.push(DrillTime {
            alert: alert.clone(),
            within,
            alert_span: node.span.clone(),
            span: within_node.unwrap_or(node).span.clone(),
        });
    }
    fields.finish(context);
    Some(DrillFault {
        alert: alert?,
        inject: inject?,
        end: end?,
        within,
        calm_within,
        origin,
        at,
    })
}

fn time(context: &mut Context<'_>, node: &Node) -> Option<std::time::Duration> {
    let length = values::duration(context, node)?;
    if length > DRILL_WITHIN_MAX {
        let message = "no drill leaves a service broken for so long";
        let most = model::format_duration(DRILL_WITHIN_MAX);
        let help = format!("write at most `{most}`");
        context.error(Code::InvalidDuration, &node.span, message, "", help);
        return None;
    }
    Some(length)
}

/// A request as a step of a procedure writes it, with its keys beside it.
fn call(context: &mut Context<'_>, node: &Node) -> Option<RequestStep> {
    let mut fields = Fields::open(context, node, &grammar::FAULT_REQUEST)?;
    let help = "write method and address, as in `POST http://127.0.0.1:8765/break`";
    let written = fields.required(context, "request", help);
    let request = match written {
        Some(node) => request(context, &mut fields, node),
        None => {
            // Without the request its other keys say nothing, but they are known.
            for key in grammar::REQUEST_KEYS {
                fields.optional(key);
            }
            None
        }
    };
    fields.finish(context);
    request
}
