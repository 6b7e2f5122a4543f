//! Alert rules.

use std::time::Duration;

use super::incidents::group_by_labels;
use super::{at, service, text_or_empty};
use crate::context::{Context, Kind};
use crate::diagnostics::quote;
use crate::expression::{self, Allowed};
use crate::fields::{self, Fields};
use crate::limits::INTERVAL_DEFAULT;
use crate::node::Node;
use crate::{AlertRule, Code, RuleGroup, Severity, grammar, values};

/// Labels that Belfry sets on every alert.
const LABELS_RESERVED: [&str; 4] = ["alertname", "severity", "alertstate", "__name__"];

pub(super) fn group(context: &mut Context<'_>, node: &Node) -> Option<RuleGroup> {
    let mut fields = Fields::open(context, node, &grammar::RULE_GROUP)?;
    let name = fields.required(context, "name", "name the group");
    let name = name.and_then(|node| values::new_name(context, Kind::RuleGroup, node));
    let interval = fields
        .optional("interval")
        .and_then(|node| values::interval(context, node));
    let rules = fields.required(context, "rules", "list its rules");
    let rules = rules
        .map(|node| super::some_items(context, node, "a rule group needs at least one rule", rule));
    fields.finish(context);
    let interval = interval.unwrap_or(INTERVAL_DEFAULT);
    Some(RuleGroup {
        name: name?,
        interval,
        rules: rules?,
    })
}

fn rule(context: &mut Context<'_>, node: &Node) -> Option<AlertRule> {
    let mut fields = Fields::open(context, node, &grammar::RULE)?;
    let name_node = fields.required(context, "alert", "name the alert");
    let name = name_node.and_then(|node| values::metric_like(context, Kind::Alert, node));
    let expr = fields.required(
        context,
        "expr",
        "write the PromQL that yields a value when it is wrong",
    );
    let expr = expr.and_then(|node| expression::read(context, node, "a rule", Allowed::Vector));
    let hold = fields
        .optional("for")
        .and_then(|node| values::duration_or_zero(context, node));
    let keep_firing = fields
        .optional("keep_firing_for")
        .and_then(|node| values::duration_or_zero(context, node));
    let group_by = fields
        .optional("group_by")
        .map(|node| group_by_labels(context, node));
    let severity = fields.required(context, "severity", "write `critical` or `warning`");
    let severity =
        severity.and_then(|node| values::word(context, node, "a severity", &grammar::SEVERITIES));
    let labels = labels(context, &mut fields);
    let summary = text_or_empty(context, &mut fields, "summary");
    let description = text_or_empty(context, &mut fields, "description");
    let procedure = fields.optional("procedure");
    let procedure = procedure.and_then(|node| values::reference(context, Kind::Procedure, node));
    let escalation_node = fields.optional("escalation");
    let escalation =
        escalation_node.and_then(|node| values::reference(context, Kind::EscalationPolicy, node));
    let no_traffic = fields.optional("no_traffic");
    let no_traffic = no_traffic.and_then(|node| {
        values::word(
            context,
            node,
            "an answer to no traffic",
            &grammar::NO_TRAFFIC,
        )
    });
    let origin = fields.origin();
    let at = at(context, &fields);
    if severity == Some(Severity::Critical) && escalation_node.is_none() {
        let span = name_node.map_or(fields.span(), |node| &node.span).clone();
        nobody_paged(context, &span);
    }
    let service = service(context, &fields);
    fields.finish(context);
    let name = name?;
    Some(AlertRule {
        expr: expr?,
        hold: hold.unwrap_or(Duration::ZERO),
        keep_firing: keep_firing.unwrap_or(Duration::ZERO),
        group_by,
        severity: severity?,
        labels,
        summary: if summary.is_empty() {
            name.clone()
        } else {
            summary
        },
        name,
        description,
        procedure,
        escalation,
        no_traffic: no_traffic.unwrap_or_default(),
        // Filled by `check::sources`, when all metrics are known.
        sources: Vec::new(),
        service,
        origin,
        at,
    })
}

fn nobody_paged(context: &mut Context<'_>, at: &std::ops::Range<usize>) {
    let message = "a critical alert without an escalation policy pages nobody";
    let help = "write `escalation:` with the name of a policy";
    context.error(Code::NobodyPaged, at, message, "", help);
}

fn labels(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let Some(node) = fields.optional("labels") else {
        return Vec::new();
    };
    let Some(entries) = fields::entries(context, node, "a set of labels") else {
        return Vec::new();
    };
    let mut labels = Vec::new();
    for (key, value) in entries {
        let text = values::text(context, value);
        if !model::is_label_name(&key.text) || LABELS_RESERVED.contains(&key.text.as_str()) {
            let message = format!("{} cannot be a label of an alert", quote(&key.text));
            let help = "use A-Z, a-z, 0-9 and `_`; `alertname` and `severity` are set by Belfry";
            context.error(Code::InvalidName, &key.span, message, "", help);
        }
        labels.extend(text.map(|text| (key.text.clone(), text.to_owned())));
    }
    labels
}
