//! Declared metrics: does each really arrive, with its type, unit and labels; is it shown; is it guarded.

use std::collections::BTreeSet;

use super::observed::{Exposed, ExposedFamily, Observed, ObservedTarget, TargetState};
use super::reads::Declared;
use super::report::{
    Hole, HoleKind, MetricAtTarget, MetricReport, MetricState, Report, Share, Since,
};
use crate::{Code, Expression, Location, Metric, MetricGroup, MetricType, Plan};

/// The most undeclared metrics that a report lists; it says how many more there are.
const UNDECLARED_MAX: usize = 200;

/// Labels that come with every target or every histogram and are not declared.
const UNDECLARED_LABELS: [&str; 4] = ["job", "instance", "le", "quantile"];

/// Units that a name may end in. A name that ends in another word says nothing about its unit.
const UNITS: [&str; 22] = [
    "seconds",
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "days",
    "bytes",
    "kilobytes",
    "megabytes",
    "gigabytes",
    "bits",
    "ratio",
    "percent",
    "celsius",
    "meters",
    "grams",
    "joules",
    "volts",
    "amperes",
    "watts",
    "hertz",
];

pub(super) fn add(plan: &Plan, observed: &Observed, report: &mut Report) {
    let declared = Declared::of(plan);
    for target in &observed.targets {
        add_target(plan, target, report);
    }
    for metric in &plan.metrics {
        let reported = metric_report(plan, &declared, observed, metric);
        add_holes(metric, &reported, observed, report);
        report.metrics.push(reported);
    }
    for group in MetricGroup::ALL {
        add_shares(plan, group, report);
    }
    add_undeclared(&declared, observed, report);
}

fn metric_report(
    plan: &Plan,
    declared: &Declared<'_>,
    observed: &Observed,
    metric: &Metric,
) -> MetricReport {
    let reads =
        |expression: &Expression| declared.read_by(expression).contains(&metric.name.as_str());
    let shows = |dashboard: &&crate::Dashboard| {
        let mut queries = dashboard.panels.iter().flat_map(|panel| &panel.queries);
        queries.any(|query| reads(&query.expr))
    };
    let shown_on = plan.dashboards.iter().filter(shows);
    let alerts = plan.rules().filter(|(_, rule)| reads(&rule.expr));
    let objectives = plan.objectives.iter().filter(|own| reads(&own.expr));
    MetricReport {
        name: metric.name.clone(),
        metric_type: metric.metric_type,
        group: metric.group,
        required: metric.required,
        origin: metric.origin,
        at: metric.at,
        states: states(observed, metric),
        shown_on: shown_on.map(|dashboard| dashboard.id.clone()).collect(),
        guarded_by: alerts
            .map(|(_, rule)| rule.name.clone())
            .chain(objectives.map(|objective| objective.id.clone()))
            .collect(),
        shown_waiver: waiver(plan, "BF0141", &metric.name),
        guarded_waiver: waiver(plan, "BF0140", &metric.name),
    }
}

/// Why the plan accepts a finding about a metric. The codes are those of lint, which finds the same without running.
fn waiver(plan: &Plan, code: &str, name: &str) -> Option<String> {
    let waiver = plan.waiver(Code::from_text(code)?, name)?;
    Some(waiver.reason.clone())
}

fn states(observed: &Observed, metric: &Metric) -> Vec<MetricAtTarget> {
    let Some(source) = &metric.source else {
        return vec![MetricAtTarget {
            job: String::new(),
            instance: String::new(),
            state: own_state(observed, metric),
        }];
    };
    let of_source = observed.targets.iter().filter(|own| own.job == *source);
    of_source
        .map(|target| MetricAtTarget {
            job: target.job.clone(),
            instance: target.instance.clone(),
            state: state_at(metric, target),
        })
        .collect()
}

fn state_at(metric: &Metric, target: &ObservedTarget) -> MetricState {
    if target.state != TargetState::Up {
        return MetricState::Unknown;
    }
    let Some(family) = family_of(metric, &target.exposed) else {
        return match target.exposed.left_out {
            0 => MetricState::Missing,
            _ => MetricState::Unknown,
        };
    };
    if !is_type(metric.metric_type, &family.kind) {
        let found = match family.kind.as_str() {
            "" => "untyped".to_owned(),
            kind => kind.to_owned(),
        };
        return MetricState::WrongType { found };
    }
    if family.series == 0 {
        return match metric.labels.is_empty() {
            true => MetricState::Missing,
            false => MetricState::NotYet,
        };
    }
    if let Some(found) = other_unit(metric, family) {
        return MetricState::WrongUnit { found };
    }
    drift(metric, &family.labels).unwrap_or(MetricState::Present)
}

/// What Belfry writes itself has the right type and unit; what can be wrong is that it is not written, or its labels.
fn own_state(observed: &Observed, metric: &Metric) -> MetricState {
    match observed.own.get(&metric.name) {
        Some(own) => drift(metric, &own.labels).unwrap_or(MetricState::Present),
        None if observed.is_early() => MetricState::Unknown,
        None => MetricState::Missing,
    }
}

fn drift(metric: &Metric, seen: &BTreeSet<String>) -> Option<MetricState> {
    let not_seen: Vec<String> = metric
        .labels
        .iter()
        .filter(|label| !seen.contains(*label))
        .cloned()
        .collect();
    let is_declared = |label: &str| {
        UNDECLARED_LABELS.contains(&label) || metric.labels.iter().any(|own| own == label)
    };
    let not_declared: Vec<String> = seen
        .iter()
        .filter(|label| !is_declared(label))
        .cloned()
        .collect();
    let is_drift = !not_seen.is_empty() || !not_declared.is_empty();
    is_drift.then_some(MetricState::LabelDrift {
        not_seen,
        not_declared,
    })
}

/// The family under which a metric arrives. OpenMetrics leaves `_total` and `_info` out of a family's name; without a `TYPE`
/// line a histogram shows as its buckets.
fn family_of<'e>(metric: &Metric, exposed: &'e Exposed) -> Option<&'e ExposedFamily> {
    let name = metric.name.as_str();
    let other = match metric.metric_type {
        MetricType::Counter => name.strip_suffix("_total").map(str::to_owned),
        MetricType::Gauge => name.strip_suffix("_info").map(str::to_owned),
        MetricType::Histogram => Some(format!("{name}_bucket")),
        MetricType::Summary => Some(format!("{name}_sum")),
    };
    let found = exposed.families.get(name);
    found.or_else(|| exposed.families.get(&other?))
}

fn is_type(declared: MetricType, kind: &str) -> bool {
    kind == declared.as_str() || (declared == MetricType::Gauge && kind == "info")
}

/// The unit that is found where it is not the declared one.
fn other_unit(metric: &Metric, family: &ExposedFamily) -> Option<String> {
    let found = match family.unit.as_str() {
        "" if metric.unit.is_empty() => return None,
        "" => unit_of_name(&metric.name)?,
        unit => unit,
    };
    (found != metric.unit).then(|| found.to_owned())
}

fn unit_of_name(name: &str) -> Option<&str> {
    let stem = name.strip_suffix("_total").unwrap_or(name);
    let last = stem.rsplit('_').next()?;
    UNITS.contains(&last).then_some(last)
}

fn add_target(plan: &Plan, target: &ObservedTarget, report: &mut Report) {
    let TargetState::Down(error) = &target.state else {
        return;
    };
    let declared = plan.targets.iter().find(|own| own.job == target.job);
    let metrics = plan
        .metrics
        .iter()
        .filter(|metric| metric.source.as_ref() == Some(&target.job))
        .count();
    report.holes.push(Hole {
        kind: HoleKind::TargetDown,
        about: target.job.clone(),
        place: target.instance.clone(),
        what: format!(
            "{} does not answer scrapes ({error}); nothing is known about its {metrics} metrics",
            target.instance
        ),
        to_do: "start it, or correct its address in the plan".to_owned(),
        since: None,
        at: declared.map(|own| own.at),
    });
}

fn add_holes(metric: &Metric, reported: &MetricReport, observed: &Observed, report: &mut Report) {
    for own in &reported.states {
        let Some((kind, what, to_do)) = fault(metric, &own.state) else {
            continue;
        };
        let mut hole = Hole {
            place: own.instance.clone(),
            ..hole_of(metric, kind, what, to_do)
        };
        if kind == HoleKind::MetricMissing {
            hole.since = gone_since(metric, own, observed);
        }
        report.holes.push(hole);
    }
    if metric.required && reported.shown_on.is_empty() && reported.shown_waiver.is_none() {
        let what = format!("no dashboard shows {}", metric.name);
        let to_do = "add a panel that draws it, or waive it with a reason";
        let hole = hole_of(metric, HoleKind::MetricNotShown, what, to_do.to_owned());
        report.holes.push(hole);
    }
    if metric.required && reported.guarded_by.is_empty() && reported.guarded_waiver.is_none() {
        let what = format!("no alert and no objective reads {}", metric.name);
        let to_do = "guard it with a rule, or waive it with a reason";
        let hole = hole_of(metric, HoleKind::MetricUnguarded, what, to_do.to_owned());
        report.holes.push(hole);
    }
}

/// What is wrong with a metric in a state, and what to do. That a metric that is not required is missing is no fault.
fn fault(metric: &Metric, state: &MetricState) -> Option<(HoleKind, String, String)> {
    let name = &metric.name;
    let declared = metric.metric_type.as_str();
    let (kind, what, to_do) = match state {
        MetricState::Present | MetricState::NotYet | MetricState::Unknown => return None,
        MetricState::Missing if !metric.required => return None,
        MetricState::Missing => (
            HoleKind::MetricMissing,
            format!("{name} is in no scrape"),
            "expose it again; if it was renamed or is gone for good, correct the plan".to_owned(),
        ),
        MetricState::WrongType { found } => (
            HoleKind::MetricType,
            format!("{name} is declared as a {declared} and exposed as {found}"),
            format!("expose it with `# TYPE {name} {declared}`, or correct `type` in the plan"),
        ),
        MetricState::WrongUnit { found } => (
            HoleKind::MetricUnit,
            format!(
                "{name} is declared in {} and exposed in {found}",
                unit_or_none(&metric.unit)
            ),
            "convert it where it is exposed, or correct `unit` and every threshold that reads it"
                .to_owned(),
        ),
        MetricState::LabelDrift {
            not_seen,
            not_declared,
        } => (
            HoleKind::MetricLabels,
            format!("{name} {}", said_drift(not_seen, not_declared)),
            "correct the labels where it is exposed, or `labels` in the plan and what reads them"
                .to_owned(),
        ),
    };
    Some((kind, what, to_do))
}

fn said_drift(not_seen: &[String], not_declared: &[String]) -> String {
    let list = |labels: &[String]| labels.join(", ");
    match (not_seen, not_declared) {
        ([], added) => format!("carries labels that are not declared: {}", list(added)),
        (lost, []) => format!("lacks declared labels: {}", list(lost)),
        (lost, added) => format!(
            "lacks declared labels ({}) and carries others ({})",
            list(lost),
            list(added)
        ),
    }
}

fn unit_or_none(unit: &str) -> &str {
    if unit.is_empty() { "no unit" } else { unit }
}

fn hole_of(metric: &Metric, kind: HoleKind, what: String, to_do: String) -> Hole {
    let at: Location = metric.at;
    Hole {
        kind,
        about: metric.name.clone(),
        place: String::new(),
        what,
        to_do,
        since: None,
        at: Some(at),
    }
}

/// When a metric that is missing was last in a scrape, where this run has seen it.
fn gone_since(metric: &Metric, own: &MetricAtTarget, observed: &Observed) -> Option<Since> {
    let mut targets = observed.targets.iter();
    let target = targets.find(|target| target.job == own.job && target.instance == own.instance)?;
    let gone = &target.exposed.gone;
    let last = gone.get(&metric.name);
    let last = last.or_else(|| gone.get(metric.name.strip_suffix("_total")?))?;
    Some(Since {
        at: *last,
        or_earlier: false,
    })
}

fn add_shares(plan: &Plan, group: MetricGroup, report: &mut Report) {
    let of_group = |own: &&MetricReport| own.group == group && own.required;
    let required: Vec<&MetricReport> = report.metrics.iter().filter(of_group).collect();
    let arriving = required.iter().filter(|own| !own.is_not_yet());
    let shares = [
        Share::of(
            group.as_str(),
            "arriving",
            Some(plan.coverage.of(group)),
            arriving.map(|own| own.arrives()),
        ),
        Share::of(
            group.as_str(),
            "shown",
            None,
            required
                .iter()
                .map(|own| Some(!own.shown_on.is_empty() || own.shown_waiver.is_some())),
        ),
        Share::of(
            group.as_str(),
            "guarded",
            None,
            required
                .iter()
                .map(|own| Some(!own.guarded_by.is_empty() || own.guarded_waiver.is_some())),
        ),
    ];
    report.shares.extend(shares);
}

impl MetricReport {
    /// Whether it arrives as declared at every target; a fault at one decides, then what is not known.
    fn arrives(&self) -> Option<bool> {
        let mut all = self.states.iter().map(|own| own.state.covered());
        if self
            .states
            .iter()
            .any(|own| own.state.covered() == Some(false))
        {
            return Some(false);
        }
        if self.states.is_empty() || all.any(|covered| covered.is_none()) {
            return None;
        }
        Some(true)
    }

    /// Whether it waits for its first series somewhere, and nothing else is wrong or unknown. Such a metric counts
    /// neither way: its declaration is kept as far as anybody can see.
    fn is_not_yet(&self) -> bool {
        let waits = |own: &MetricAtTarget| own.state == MetricState::NotYet;
        let fine = |own: &MetricAtTarget| own.state == MetricState::Present || waits(own);
        self.states.iter().any(waits) && self.states.iter().all(fine)
    }
}

fn add_undeclared(declared: &Declared<'_>, observed: &Observed, report: &mut Report) {
    let mut found = BTreeSet::new();
    for target in &observed.targets {
        for (name, family) in &target.exposed.families {
            let names = [
                name.clone(),
                format!("{name}_total"),
                format!("{name}_info"),
            ];
            let known = names.iter().any(|name| declared.metric(name).is_some());
            if !known && family.series > 0 {
                found.insert((target.job.clone(), name.clone()));
            }
        }
    }
    report.undeclared_left_out = found.len().saturating_sub(UNDECLARED_MAX);
    report.undeclared = found.into_iter().take(UNDECLARED_MAX).collect();
}
