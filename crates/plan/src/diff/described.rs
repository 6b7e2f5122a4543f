//! Every part of a plan as properties with texts that people read and that differ only where the meaning does.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use super::Part;
use crate::{
    AlertRule, AlertSelector, Dashboard, EscalationPolicy, LogClass, MaintenanceWindow, Metric,
    NoTraffic, Objective, Plan, Probe, Procedure, RuleGroup, Severity, Step, StepKind, Target,
};

/// The properties whose lengths say how long something is kept.
const KEPT: &str = "kept";
const SAMPLES_KEPT: &str = "samples are kept";

/// What an alert's policy comes to.
pub(super) const PAGED: &str = "who is paged";

/// One part of a plan.
pub(super) struct Described {
    pub(super) part: Part,
    pub(super) name: String,
    /// Those that say something; what is absent or as by default has none.
    pub(super) properties: Vec<(&'static str, String)>,
    /// How long things are kept, by property.
    pub(super) lengths: BTreeMap<&'static str, Duration>,
}

impl Described {
    fn new(part: Part, name: &str, properties: Vec<(&'static str, String)>) -> Described {
        let said = properties.into_iter().filter(|(_, text)| !text.is_empty());
        Described {
            part,
            name: name.to_owned(),
            properties: said.collect(),
            lengths: BTreeMap::new(),
        }
    }

    fn keeping(mut self, property: &'static str, length: Duration) -> Described {
        self.lengths.insert(property, length);
        self
    }
}

/// Every part of a plan.
pub(super) fn described(plan: &Plan) -> Vec<Described> {
    let mut all = vec![whole(plan)];
    all.extend(plan.rules().map(|(group, rule)| alert(plan, group, rule)));
    all.extend(plan.metrics.iter().map(metric));
    all.extend(plan.targets.iter().map(target));
    all.extend(plan.probes.iter().map(probe));
    all.extend(plan.logs.classes.iter().map(log_class));
    all.extend(plan.logs.categories.iter().map(|own| {
        let properties = vec![
            ("class", own.class.clone()),
            ("meaning", own.meaning.clone()),
        ];
        Described::new(Part::LogCategory, &own.name, properties)
    }));
    all.extend(plan.escalation_policies.iter().map(policy));
    all.extend(plan.inhibitions.iter().map(|own| {
        let properties = vec![
            ("while", selectors(&own.while_firing)),
            ("holds back", selectors(&own.hold_back)),
            ("equal", list(&own.equal)),
        ];
        Described::new(Part::Inhibition, &own.name, properties)
    }));
    all.extend(plan.maintenance_windows.iter().map(window));
    all.extend(plan.heartbeats.iter().map(|own| {
        let properties = vec![("every", length(own.every)), ("grace", length(own.grace))];
        Described::new(Part::Heartbeat, &own.name, properties)
    }));
    all.extend(plan.procedures.iter().map(procedure));
    all.extend(plan.objectives.iter().map(objective));
    all.extend(plan.critical_paths.iter().map(|own| {
        let properties = vec![("alerts", list(&sorted(&own.alerts)))];
        Described::new(Part::CriticalPath, &own.name, properties)
    }));
    all.extend(plan.dashboards.iter().map(dashboard));
    all
}

fn whole(plan: &Plan) -> Described {
    let followed = plan.logs.follow.iter();
    let followed = followed.map(|own| format!("{} ({})", own.path, own.service));
    let incoming = plan.incoming_alerts.as_ref();
    let deployments = plan.deployments.as_ref();
    let waivers = plan.waivers.iter();
    let waivers = waivers.map(|own| format!("{} {}", own.code, list(&own.about)));
    let properties = vec![
        ("service", plan.service.clone()),
        ("title", plan.title.clone()),
        (SAMPLES_KEPT, length(plan.metrics_retention)),
        (
            "machine's figures every",
            plan.host
                .as_ref()
                .map_or(String::new(), |own| length(own.interval)),
        ),
        ("followed log files", list(&followed.collect::<Vec<_>>())),
        ("alerts group by", list(&plan.incidents.group_by)),
        (
            "pages about joining alerts every",
            length(plan.incidents.page_interval),
        ),
        (
            "incoming alerts",
            incoming.map_or(String::new(), |own| {
                format!("{}, {}", own.severity.as_str(), own.escalation)
            }),
        ),
        (
            "deployments seen by",
            deployments.map_or(String::new(), |own| {
                format!("{} of {}", list(&own.labels), own.metric)
            }),
        ),
        (
            "procedures may reach",
            list(&sorted(&plan.procedures_may_reach)),
        ),
        (
            "subject of messages",
            plan.messages.subject.clone().unwrap_or_default(),
        ),
        (
            "body of messages",
            plan.messages.body.clone().unwrap_or_default(),
        ),
        (
            "application metrics that must arrive",
            percent(plan.coverage.application),
        ),
        (
            "infrastructure metrics that must arrive",
            percent(plan.coverage.infrastructure),
        ),
        (
            "business metrics that must arrive",
            percent(plan.coverage.business),
        ),
        ("waived", list(&sorted(&waivers.collect::<Vec<_>>()))),
    ];
    Described::new(Part::Plan, "", properties).keeping(SAMPLES_KEPT, plan.metrics_retention)
}

fn alert(plan: &Plan, group: &RuleGroup, rule: &AlertRule) -> Described {
    let group_by = rule.group_by.as_ref();
    let labels = rule.labels.iter();
    let mut labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    labels.sort();
    let no_traffic = match rule.no_traffic {
        NoTraffic::Resolve => "",
        NoTraffic::Page => "goes on firing",
    };
    let properties = vec![
        ("expression", rule.expr.parsed.to_string()),
        ("for", length_or_nothing(rule.hold)),
        ("keeps firing for", length_or_nothing(rule.keep_firing)),
        ("severity", rule.severity.as_str().to_owned()),
        (PAGED, paged(plan, rule)),
        ("procedure", rule.procedure.clone().unwrap_or_default()),
        ("evaluated every", length(group.interval)),
        ("groups by", group_by.map_or(String::new(), |own| list(own))),
        ("labels", list(&labels)),
        ("without a value", no_traffic.to_owned()),
        ("summary", rule.summary.clone()),
        ("description", rule.description.clone()),
    ];
    Described::new(Part::Alert, &rule.name, properties)
}

/// Who is told of an alert and when; a warning tells the first level alone.
fn paged(plan: &Plan, rule: &AlertRule) -> String {
    let policy = rule.escalation.as_deref();
    let Some(policy) = policy.and_then(|name| plan.escalation_policy(name)) else {
        return "nobody".to_owned();
    };
    match rule.severity {
        Severity::Critical => ladder(policy),
        Severity::Warning => policy.levels.first().map_or("nobody".to_owned(), |level| {
            format!("{}, once", list(&level.roles))
        }),
    }
}

fn ladder(policy: &EscalationPolicy) -> String {
    let levels = policy.levels.iter().map(|level| {
        let when = if level.after.is_zero() {
            "at once".to_owned()
        } else {
            format!("after {}", length(level.after))
        };
        format!("{} {when}", level.roles.join(" and "))
    });
    list(&levels.collect::<Vec<_>>())
}

fn metric(own: &Metric) -> Described {
    let properties = vec![
        ("type", own.metric_type.as_str().to_owned()),
        ("unit", own.unit.clone()),
        ("group", own.group.as_str().to_owned()),
        ("required", yes_or_no(own.required)),
        ("labels", list(&sorted(&own.labels))),
        ("source", own.source.clone().unwrap_or("belfry".to_owned())),
        ("meaning", own.meaning.clone()),
    ];
    Described::new(Part::Metric, &own.name, properties)
}

fn target(own: &Target) -> Described {
    let properties = vec![
        ("address", own.url.clone()),
        ("scraped every", length(own.interval)),
        ("timeout", length(own.timeout)),
        ("samples at most", own.sample_limit.to_string()),
    ];
    Described::new(
        Part::Target,
        &format!("{} {}", own.job, own.instance),
        properties,
    )
}

fn probe(own: &Probe) -> Described {
    let properties = vec![
        ("kind", own.kind.as_str().to_owned()),
        ("address", own.url.clone()),
        ("asked every", length(own.interval)),
        ("timeout", length(own.timeout)),
        ("dependencies", list(&sorted(&own.dependencies))),
    ];
    Described::new(Part::Probe, &own.name, properties)
}

fn log_class(own: &LogClass) -> Described {
    let level = own.level.map(|level| level.as_str().to_owned());
    let properties = vec![
        (KEPT, length(own.keep)),
        ("level", level.unwrap_or_default()),
        ("category", own.category.clone().unwrap_or_default()),
    ];
    Described::new(Part::LogClass, &own.name, properties).keeping(KEPT, own.keep)
}

fn policy(own: &EscalationPolicy) -> Described {
    let expires = own.acknowledgement_expires;
    let properties = vec![
        ("tells", ladder(own)),
        (
            "an acknowledgement holds",
            expires.map_or("to the end".to_owned(), length),
        ),
    ];
    Described::new(Part::EscalationPolicy, &own.name, properties)
}

fn window(own: &MaintenanceWindow) -> Described {
    let days: Vec<String> = own.days.iter().map(|day| format!("{day:?}")).collect();
    let days = if days.is_empty() {
        "every day".to_owned()
    } else {
        list(&days)
    };
    let zone = own.zone.iana_name().unwrap_or("");
    let properties = vec![
        ("when", format!("{days} {} {zone}", own.from)),
        ("for", length(own.length)),
        ("holds back", selectors(&own.alerts)),
        ("reason", own.reason.clone()),
    ];
    Described::new(Part::MaintenanceWindow, &own.name, properties)
}

fn procedure(own: &Procedure) -> Described {
    let steps: Vec<String> = own.steps.iter().map(step).collect();
    let properties = vec![("title", own.title.clone()), ("steps", steps.join("; "))];
    Described::new(Part::Procedure, &own.id, properties)
}

fn step(own: &Step) -> String {
    let help = match &own.kind {
        StepKind::Manual => String::new(),
        StepKind::Query(expr) => format!(" [query {}]", expr.parsed),
        StepKind::Logs(words) => format!(" [logs {words}]"),
        StepKind::Check(probe) => format!(" [check {probe}]"),
        StepKind::Deployments(span) => format!(" [deployments of {}]", length(*span)),
        StepKind::Compare { expr, before } => {
            format!(" [compare {} with {} before]", expr.parsed, length(*before))
        }
        StepKind::Request(request) => {
            format!(" [{} {} {}]", request.method, request.url, request.body)
        }
        StepKind::Command(command) => format!(" [run {}]", command.argv.join(" ")),
    };
    let runs = match (own.changes, own.automatic) {
        (true, true) => ", changes something by itself",
        (true, false) => ", changes something",
        (false, _) => "",
    };
    format!("{}{help}{runs}", own.title)
}

fn objective(own: &Objective) -> Described {
    let sign = if own.below { '<' } else { '>' };
    let properties = vec![
        (
            "target",
            format!("{sign} {} {}", own.target, own.unit)
                .trim_end()
                .to_owned(),
        ),
        ("expression", own.expr.parsed.to_string()),
        ("over", length(own.window)),
        ("title", own.title.clone()),
    ];
    Described::new(Part::Objective, &own.id, properties)
}

fn dashboard(own: &Dashboard) -> Described {
    let panels = own.panels.iter().map(|panel| {
        let queries = panel.queries.iter();
        let queries: Vec<String> = queries
            .map(|query| format!("{} as {}", query.expr.parsed, query.legend))
            .collect();
        let thresholds = panel.thresholds.iter();
        let thresholds: Vec<String> = thresholds
            .map(|line| format!(", line at {} ({})", line.value, line.label))
            .collect();
        format!(
            "{} ({}, {}): {}{}",
            panel.title,
            panel.kind.as_str(),
            panel.unit,
            queries.join(", "),
            thresholds.concat()
        )
    });
    let properties = vec![
        ("title", own.title.clone()),
        ("panels", panels.collect::<Vec<_>>().join("; ")),
    ];
    Described::new(Part::Dashboard, &own.id, properties)
}

fn selectors(all: &[AlertSelector]) -> String {
    let texts: Vec<String> = all.iter().map(|own| own.text.clone()).collect();
    list(&sorted(&texts))
}

fn sorted(texts: &[String]) -> Vec<String> {
    let mut texts = texts.to_vec();
    texts.sort();
    texts
}

fn list<T: Display>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn length(of: Duration) -> String {
    model::format_duration(of)
}

fn length_or_nothing(of: Duration) -> String {
    if of.is_zero() {
        String::new()
    } else {
        length(of)
    }
}

fn percent(share: f64) -> String {
    // Shares are written with few digits; the tenth decimal is arithmetic.
    let percent = (share * 100.0 * 1e9).round() / 1e9;
    format!("{percent} %")
}

fn yes_or_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
