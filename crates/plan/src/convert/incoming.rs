//! What comes in beside scrapes and logs: heartbeats, alerts of other programs, deployments.

use super::at;
use crate::context::{Context, Kind};
use crate::diagnostics::{all, quote};
use crate::fields::Fields;
use crate::limits::{DEPLOYMENT_LABELS_MAX, GRACE_MIN};
use crate::node::Node;
use crate::suggest::did_you_mean;
use crate::{
    Code, DeploymentTracking, Heartbeat, IncomingAlerts, Metric, Severity, grammar, values,
};

/// The part of a heartbeat's interval by which it may be late unless the plan says otherwise.
const GRACE_PART: u32 = 10;

pub(super) fn heartbeat(context: &mut Context<'_>, node: &Node) -> Option<Heartbeat> {
    let mut fields = Fields::open(context, node, &grammar::HEARTBEAT)?;
    let name = fields.required(context, "name", "name the job that must report");
    let name = name.and_then(|node| values::new_name(context, Kind::Heartbeat, node));
    let every = fields.required(
        context,
        "every",
        "write how often it reports, as in `every: 1d`",
    );
    let every = every.and_then(|node| values::interval(context, node));
    let grace = fields.optional("grace");
    let grace = grace.and_then(|node| values::duration_or_zero(context, node));
    let at = at(context, &fields);
    fields.finish(context);
    let every = every?;
    Some(Heartbeat {
        name: name?,
        every,
        grace: grace.unwrap_or((every / GRACE_PART).max(GRACE_MIN)),
        at,
    })
}

pub(super) fn alerts(context: &mut Context<'_>, node: &Node) -> Option<IncomingAlerts> {
    let mut fields = Fields::open(context, node, &grammar::INCOMING_ALERTS)?;
    let help = "name the policy by which they escalate";
    let escalation = fields.required(context, "escalation", help);
    let escalation =
        escalation.and_then(|node| values::reference(context, Kind::EscalationPolicy, node));
    let severity = fields.optional("severity");
    let severity =
        severity.and_then(|node| values::word(context, node, "a severity", &grammar::SEVERITIES));
    fields.finish(context);
    Some(IncomingAlerts {
        escalation: escalation?,
        severity: severity.unwrap_or(Severity::Warning),
    })
}

/// How deployments are seen; `metrics` are those that the plan declares.
pub(super) fn deployments(
    context: &mut Context<'_>,
    node: &Node,
    metrics: &[Metric],
) -> Option<DeploymentTracking> {
    let mut fields = Fields::open(context, node, &grammar::DEPLOYMENTS)?;
    let metric = fields.required(context, "metric", "name the metric that tells the build");
    let metric = metric.and_then(|node| values::reference(context, Kind::Metric, node));
    let declared = metrics
        .iter()
        .find(|own| Some(&own.name) == metric.as_ref());
    let labels = fields.required(
        context,
        "labels",
        "list the labels that change with a build",
    );
    let labels = labels.map(|node| {
        let what = "a deployment is seen by at least one label";
        super::needs_one(context, node, what);
        let limit = (DEPLOYMENT_LABELS_MAX, "labels");
        super::items_up_to(context, node, limit, |context, node| {
            build_label(context, node, declared)
        })
    });
    fields.finish(context);
    Some(DeploymentTracking {
        metric: metric?,
        labels: labels?,
    })
}

fn build_label(context: &mut Context<'_>, node: &Node, metric: Option<&Metric>) -> Option<String> {
    let label = values::label_name(context, node, "tells a build")?;
    let Some(metric) = metric else {
        return Some(label);
    };
    if metric.labels.contains(&label) {
        return Some(label);
    }
    let message = format!("{} has no label {}", quote(&metric.name), quote(&label));
    let meant = did_you_mean(&label, metric.labels.iter().map(String::as_str));
    let help = if !meant.is_empty() {
        meant
    } else if metric.labels.is_empty() {
        "declare it under the metric's `labels`".to_owned()
    } else {
        format!("its labels are {}", all(&metric.labels))
    };
    context.error(Code::UnknownReference, &node.span, message, "", help);
    None
}
