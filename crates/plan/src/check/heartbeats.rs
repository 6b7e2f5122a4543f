//! Heartbeats that nobody listens for.

use crate::context::{Context, Kind};
use crate::expression::names_read;
use crate::series::{HEARTBEAT_AGE, HEARTBEAT_ALLOWED};
use crate::{Code, Plan};

/// Warns where heartbeats are declared but no rule reads their age: a job could fall silent and nobody would hear it.
pub(super) fn check(context: &mut Context<'_>, plan: &Plan) {
    let first = context
        .declared
        .iter()
        .find(|named| named.kind == Kind::Heartbeat);
    let Some(span) = first.map(|named| named.span.clone()) else {
        return;
    };
    // A selector that fixes no name may read anything, the age included.
    let watched = plan
        .rules()
        .flat_map(|(_, rule)| names_read(&rule.expr))
        .any(|name| name.is_none_or(|name| name == HEARTBEAT_AGE));
    if watched {
        return;
    }
    let message = "no rule reads the age of heartbeats, so nobody is told when one is late";
    let help = format!("add a rule with `expr: {HEARTBEAT_AGE} > {HEARTBEAT_ALLOWED}`");
    context.warning(Code::HeartbeatUnwatched, &span, message, help);
}
