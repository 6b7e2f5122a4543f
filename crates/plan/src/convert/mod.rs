//! From the tree to the domain types, one file per section of the plan. Every converter reads all its fields before it
//! gives up, so that each mistake is reported.

mod burn_alerts;
mod channels;
mod contacts;
mod dashboards;
mod drills;
mod escalation;
mod events;
mod holding_back;
mod incidents;
mod incoming;
mod logs;
mod mail;
mod metrics;
mod objectives;
mod probes;
mod requests;
mod rotas;
mod rule_file;
mod rules;
mod secrets;
mod selectors;
mod steps;
mod targets;
mod test_file;
mod waivers;

pub(crate) use contacts::contacts;
pub(crate) use rule_file::{is_rule_file, rule_file};
pub(crate) use test_file::test_file;

use jiff::civil::Weekday;

use crate::context::Context;
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::inclusion::INCLUDE;
use crate::limits::{
    ARGUMENTS_MAX, HEARTBEATS_MAX, INHIBITIONS_MAX, METRICS_RETENTION_DEFAULT, REACHABLE_MAX,
    WAIVERS_MAX, WINDOWS_MAX,
};
use crate::node::{Node, Value};
use crate::{Code, Location, Logs, Plan, Service, civil, grammar, values};

/// The format of plans and contacts files that this Belfry reads.
const FORMAT: &str = "1";

/// The whole plan.
pub(crate) fn plan(context: &mut Context<'_>, root: &Node) -> Option<Plan> {
    let mut fields = Fields::open(context, root, &grammar::PLAN)?;
    format(context, &mut fields);
    // Files were included before; here the key is only one that a plan may have.
    fields.optional(INCLUDE);
    let service_node = fields.required(
        context,
        "service",
        "name the service, as in `service: shop`",
    );
    let service = service_node.and_then(|node| values::name(context, node));
    let title = fields
        .optional("title")
        .and_then(|node| values::text(context, node));
    let retention = fields.optional("metrics_retention");
    let retention = retention.and_then(|node| values::duration(context, node));
    let targets = section(context, &mut fields, "targets", targets::target);
    let host = fields
        .optional("host")
        .and_then(|node| targets::host(context, node));
    let metrics = section(context, &mut fields, "metrics", |context, node| {
        let jobs = context.jobs_for(node);
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
        escalation::policy,
    );
    let procedures = section(context, &mut fields, "procedures", steps::procedure);
    let objectives = section(context, &mut fields, "objectives", objectives::objective);
    let coverage = fields.optional("coverage");
    let coverage = coverage.map(|node| objectives::coverage(context, node));
    let critical_paths = section(
        context,
        &mut fields,
        "critical_paths",
        objectives::critical_path,
    );
    let incidents = fields.optional("incidents");
    let incidents = incidents.and_then(|node| incidents::options(context, node));
    let limit = (INHIBITIONS_MAX, "inhibitions");
    let convert = holding_back::inhibition;
    let inhibitions = section_up_to(context, &mut fields, "inhibitions", limit, convert);
    let limit = (WINDOWS_MAX, "maintenance windows");
    let convert = holding_back::window;
    let windows = section_up_to(context, &mut fields, "maintenance_windows", limit, convert);
    let messages = fields.optional("messages");
    let messages = messages.and_then(|node| incidents::messages(context, node));
    let limit = (HEARTBEATS_MAX, "heartbeats");
    let convert = incoming::heartbeat;
    let heartbeats = section_up_to(context, &mut fields, "heartbeats", limit, convert);
    let incoming_alerts = fields.optional("incoming_alerts");
    let incoming_alerts = incoming_alerts.and_then(|node| incoming::alerts(context, node));
    let deployments = fields.optional("deployments");
    let deployments = deployments.and_then(|node| incoming::deployments(context, node, &metrics));
    let limit = (REACHABLE_MAX, "addresses");
    let convert = values::authority;
    let reachable = section_up_to(context, &mut fields, "procedures_may_reach", limit, convert);
    let drills = fields.optional("drills");
    let drills = drills.and_then(|node| drills::options(context, node));
    let limit = (WAIVERS_MAX, "waivers");
    let waivers = section_up_to(context, &mut fields, "waivers", limit, waivers::waiver);
    for address in &reachable {
        context.may_reach(address);
    }
    fields.finish(context);
    let service = service?;
    let title = title.unwrap_or(&service).to_owned();
    let at = service_node.map_or(0, |node| node.span.start);
    Some(Plan {
        services: services(context, &service, &title, at),
        files: context.report.files.names(),
        title,
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
        incidents: incidents.unwrap_or(incidents::options_default()),
        inhibitions,
        maintenance_windows: windows,
        messages: messages.unwrap_or_default(),
        heartbeats,
        incoming_alerts,
        deployments,
        procedures_may_reach: reachable,
        drills: drills.unwrap_or(drills::options_default()),
        waivers,
    })
}

/// All services of the plan, its own first.
fn services(context: &Context<'_>, name: &str, title: &str, at: usize) -> Vec<Service> {
    let location = |byte| context.report.files.location(byte);
    let own = Service {
        name: name.to_owned(),
        title: title.to_owned(),
        at: location(at),
    };
    let others = context.services.others.iter().map(|other| {
        let title = other.title.as_ref().map_or(&other.name, |(title, _)| title);
        Service {
            name: other.name.clone(),
            title: title.clone(),
            at: location(other.span.start),
        }
    });
    std::iter::once(own).chain(others).collect()
}

/// Checks the format version. A file without one is refused: what it means could change under its author.
fn format(context: &mut Context<'_>, fields: &mut Fields<'_>) {
    let node = fields.required(context, "format", "write `format: 1`");
    let Some(node) = node else { return };
    check_format(context, node);
}

/// The same for a file that is included, which may leave it out: it is read as a part of a plan that has one.
pub(crate) fn check_format(context: &mut Context<'_>, node: &Node) {
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

/// A list of items under a key that may be absent, with a bound: how many, and of what.
fn section_up_to<T>(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    (max, what): (usize, &str),
    convert: impl FnMut(&mut Context<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    let Some(node) = fields.optional(key) else {
        return Vec::new();
    };
    items_up_to(context, node, (max, what), convert)
}

/// A list of items with a bound. What lies past it is reported once and not read.
fn items_up_to<T>(
    context: &mut Context<'_>,
    node: &Node,
    limit: (usize, &str),
    mut convert: impl FnMut(&mut Context<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    let nodes = nodes_up_to(context, node, limit);
    nodes
        .iter()
        .filter_map(|node| convert(context, node))
        .collect()
}

/// The nodes of a list, as far as its bound goes; `what` is "heartbeats".
pub(crate) fn nodes_up_to<'n>(
    context: &mut Context<'_>,
    node: &'n Node,
    (max, what): (usize, &str),
) -> &'n [Node] {
    let nodes = values::list(context, node);
    let Some(past) = nodes.get(max) else {
        return nodes;
    };
    let message = format!("{} {what} are too many", nodes.len());
    let help = format!("write at most {max}");
    context.error(Code::TooMany, &past.span, message, "", help);
    &nodes[..max]
}

/// A list of items that must hold at least one. `what` is "a panel needs at least one query".
fn some_items<T>(
    context: &mut Context<'_>,
    node: &Node,
    what: &str,
    convert: impl FnMut(&mut Context<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    needs_one(context, node, what);
    items(context, node, convert)
}

/// Reports an empty list.
fn needs_one(context: &mut Context<'_>, node: &Node, what: &str) {
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        let help = "write at least one item";
        context.error(Code::Empty, &node.span, what, "empty list", help);
    }
}

/// Program and arguments, at least the program. Without a shell nothing in them has a meaning of its own.
fn command(context: &mut Context<'_>, node: &Node) -> Vec<String> {
    needs_one(context, node, "a command needs at least a program");
    items_up_to(context, node, (ARGUMENTS_MAX, "words"), |context, node| {
        values::text(context, node).map(str::to_owned)
    })
}

/// Days of the week under `days`, each once; no key means every day, which is no days. `None` when no day is right.
fn days(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Vec<Weekday>> {
    let Some(node) = fields.optional("days") else {
        return Some(Vec::new());
    };
    let mut days = Vec::new();
    let what = "`days` needs at least one day, or is left out for every day";
    let read = some_items(context, node, what, |context, node| {
        let day = civil::day(context, node)?;
        if days.contains(&day) {
            let message = format!("{} stands twice among the days", civil::day_name(day));
            let help = "leave one of them out";
            context.error(Code::DuplicateName, &node.span, message, "again", help);
        } else {
            days.push(day);
        }
        Some(())
    });
    (!read.is_empty()).then_some(days)
}

/// Names of labels, each once; `what` is done with them ("alerts group by").
fn label_names(context: &mut Context<'_>, node: &Node, max: usize, what: &str) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    items_up_to(context, node, (max, "labels"), |context, node| {
        let label = values::label_name(context, node, what)?;
        if labels.contains(&label) {
            let message = format!("the label {} stands twice", quote(&label));
            let help = "leave one of them out";
            context.error(Code::DuplicateName, &node.span, message, "again", help);
        }
        labels.push(label);
        Some(())
    });
    labels
}

/// Text that may be absent.
fn text_or_empty(context: &mut Context<'_>, fields: &mut Fields<'_>, key: &'static str) -> String {
    let text = fields
        .optional(key)
        .and_then(|node| values::text(context, node));
    text.unwrap_or("").to_owned()
}

fn at(context: &Context<'_>, fields: &Fields<'_>) -> Location {
    context.report.files.location(fields.span().start)
}

/// The service that an item belongs to, where it is another than the plan's own.
fn service(context: &Context<'_>, fields: &Fields<'_>) -> Option<String> {
    context.service_at(fields.span().start)
}
