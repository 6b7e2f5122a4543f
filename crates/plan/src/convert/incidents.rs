//! How alerts become incidents, and what the messages about them say.

use std::time::Duration;

use super::label_names;
use crate::context::Context;
use crate::fields::Fields;
use crate::limits::{GROUP_LABELS_MAX, INTERVAL_MIN, PAGE_INTERVAL_DEFAULT, PAGE_INTERVAL_MAX};
use crate::node::Node;
use crate::{IncidentOptions, Messages, grammar, template, values};

/// The options of a plan that says nothing about them.
pub(super) fn options_default() -> IncidentOptions {
    IncidentOptions {
        group_by: vec!["alertname".to_owned()],
        page_interval: PAGE_INTERVAL_DEFAULT,
    }
}

pub(super) fn options(context: &mut Context<'_>, node: &Node) -> Option<IncidentOptions> {
    let mut fields = Fields::open(context, node, &grammar::INCIDENTS)?;
    let group_by = fields.optional("group_by");
    let group_by = group_by.map(|node| group_by_labels(context, node));
    let interval = fields.optional("page_interval");
    let interval = interval.and_then(|node| page_interval(context, node));
    fields.finish(context);
    let default = options_default();
    Some(IncidentOptions {
        group_by: group_by.unwrap_or(default.group_by),
        page_interval: interval.unwrap_or(default.page_interval),
    })
}

/// Labels by which alerts group; none at all puts the alerts of one severity and policy into one incident.
pub(super) fn group_by_labels(context: &mut Context<'_>, node: &Node) -> Vec<String> {
    label_names(context, node, GROUP_LABELS_MAX, "alerts group by")
}

fn page_interval(context: &mut Context<'_>, node: &Node) -> Option<Duration> {
    let why = "a storm must not page without pause, and an alert must not wait for days";
    values::duration_between(context, node, INTERVAL_MIN..=PAGE_INTERVAL_MAX, why)
}

pub(super) fn messages(context: &mut Context<'_>, node: &Node) -> Option<Messages> {
    let mut fields = Fields::open(context, node, &grammar::MESSAGES)?;
    let subject = fields.optional("subject");
    let subject = subject.and_then(|node| template::read_line(context, node));
    let body = fields.optional("body");
    let body = body.and_then(|node| template::read(context, node));
    fields.finish(context);
    Some(Messages { subject, body })
}
