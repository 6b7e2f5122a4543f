//! From the tree to the domain types, one file per section of the plan. Every converter reads all its fields before it
//! gives up, so that each mistake is reported.

mod contacts;
mod dashboards;
mod logs;
mod metrics;
mod objectives;
mod probes;
mod response;
mod rules;
mod targets;

pub(crate) use contacts::contacts;

use crate::context::Context;
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::limits::{METRICS_RETENTION_DEFAULT, PAGE_INTERVAL_DEFAULT};
use crate::node::Node;
use crate::{Code, IncidentOptions, Location, Logs, Messages, Origin, Plan, values};

/// The format of plans and contacts files that this Belfry reads.
const FORMAT: &str = "1";

/// The whole plan.
pub(crate) fn plan(context: &mut Context<'_>, root: &Node) -> Option<Plan> {
    let mut fields = Fields::open(context, root, "a plan")?;
    format(context, &mut fields);
    let service = fields.required(
        context,
        "service",
        "name the service, as in `service: shop`",
    );
    let service = service.and_then(|node| values::name(context, node));
    let title = fields
        .optional("title")
        .and_then(|node| values::text(context, node));
    let retention = fields.optional("metrics_retention");
    let retention = retention.and_then(|node| values::duration(context, node));
    let targets = section(context, &mut fields, "targets", targets::target);
    let host = fields
        .optional("host")
        .and_then(|node| targets::host(context, node));
    let jobs: Vec<String> = context
        .names(crate::context::Kind::Job)
        .map(str::to_owned)
        .collect();
    let metrics = section(context, &mut fields, "metrics", |context, node| {
        metrics::metric(context, node, &jobs)
    });
    let rule_groups = section(context, &mut fields, "rule_groups", rules::group);
    let dashboards = section(context, &mut fields, "dashboards", dashboards::dashboard);
    let logs = fields
        .optional("logs")
        .and_then(|node| logs::logs(context, node));
    let probes = section(context, &mut fields, "probes", probes::probe);
    let policies = section(
        context,
        &mut fields,
        "escalation_policies",
        response::policy,
    );
    let procedures = section(context, &mut fields, "procedures", response::procedure);
    let objectives = section(context, &mut fields, "objectives", objectives::objective);
    let coverage = fields.optional("coverage");
    let coverage = coverage.map(|node| objectives::coverage(context, node));
    let critical_paths = section(
        context,
        &mut fields,
        "critical_paths",
        objectives::critical_path,
    );
    fields.finish(context);
    let service = service?;
    Some(Plan {
        title: title.unwrap_or(&service).to_owned(),
        service,
        targets,
        host,
        metrics,
        rule_groups,
        dashboards,
        logs: logs.unwrap_or(Logs {
            follow: Vec::new(),
            classes: Vec::new(),
            categories: Vec::new(),
        }),
        probes,
        escalation_policies: policies,
        procedures,
        objectives,
        coverage: coverage.unwrap_or(objectives::COVERAGE_DEFAULT),
        critical_paths,
        metrics_retention: retention.unwrap_or(METRICS_RETENTION_DEFAULT),
        incidents: IncidentOptions {
            group_by: vec!["alertname".to_owned()],
            page_interval: PAGE_INTERVAL_DEFAULT,
        },
        inhibitions: Vec::new(),
        maintenance_windows: Vec::new(),
        messages: Messages::default(),
        heartbeats: Vec::new(),
        incoming_alerts: None,
        deployments: None,
        procedures_may_reach: Vec::new(),
    })
}

/// Checks the format version. A file without one is refused: what it means could change under its author.
fn format(context: &mut Context<'_>, fields: &mut Fields<'_>) {
    let node = fields.required(context, "format", "write `format: 1`");
    let Some(node) = node else { return };
    let Some(written) = values::text(context, node) else {
        return;
    };
    if written == FORMAT {
        return;
    }
    let message = format!("this Belfry does not read format {}", quote(written));
    let help = "write `format: 1`, or run the Belfry that the file was written for";
    context.error(Code::UnknownFormat, &node.span, message, "", help);
}

/// A list of items under a key that may be absent.
fn section<T>(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    convert: impl FnMut(&mut Context<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    fields
        .optional(key)
        .map_or(Vec::new(), |node| items(context, node, convert))
}

/// A list of items.
fn items<T>(
    context: &mut Context<'_>,
    node: &Node,
    mut convert: impl FnMut(&mut Context<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    let nodes = values::list(context, node);
    nodes
        .iter()
        .filter_map(|node| convert(context, node))
        .collect()
}

/// A list of items that must hold at least one. `what` is "a panel needs at least one query".
fn some_items<T>(
    context: &mut Context<'_>,
    node: &Node,
    what: &str,
    convert: impl FnMut(&mut Context<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    if matches!(&node.value, crate::node::Value::List(items) if items.is_empty()) {
        context.error(
            Code::Empty,
            &node.span,
            what,
            "empty list",
            "write at least one item",
        );
    }
    items(context, node, convert)
}

/// Text that may be absent.
fn text_or_empty(context: &mut Context<'_>, fields: &mut Fields<'_>, key: &'static str) -> String {
    let text = fields
        .optional(key)
        .and_then(|node| values::text(context, node));
    text.unwrap_or("").to_owned()
}

/// `added: true`.
fn origin(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Origin {
    let added = fields
        .optional("added")
        .and_then(|node| values::boolean(context, node));
    if added == Some(true) {
        Origin::Added
    } else {
        Origin::Document
    }
}

fn at(context: &Context<'_>, fields: &Fields<'_>) -> Location {
    context.report.location(fields.span().start)
}
