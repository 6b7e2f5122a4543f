//! What is said of one metric, probe, category or alert by itself: a table a part, over one small plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;

use super::*;
use crate::Contacts;

const PLAN: &str = r#"
format: 1
service: shop
targets:
  - {job: shop, url: 'http://shop.test/metrics'}
metrics:
  - {name: orders_total, type: counter, meaning: Orders., group: business, labels: [kind]}
  - {name: stock, type: gauge, unit: boxes, meaning: Boxes., group: application}
  - {name: wait_seconds, type: histogram, unit: seconds, meaning: Waiting., group: application}
rule_groups:
  - name: shop
    rules:
      - {alert: Slow, expr: 'histogram_quantile(0.9, rate(wait_seconds_bucket[5m])) > 1', severity: critical, escalation: standard, procedure: look}
      - {alert: NoOrders, expr: 'rate(orders_total{kind="box"}[5m]) == 0', severity: warning}
      - {alert: Gone, expr: 'probe_success == 0', severity: warning}
dashboards:
  - id: stock
    title: Stock
    panels: [{title: Stock, kind: line, unit: boxes, queries: [{expr: stock, legend: stock}]}]
procedures: [{id: look, title: Look, steps: [{do: Look.}]}]
escalation_policies:
  - {name: standard, levels: [{after: 0, roles: [on-call]}, {after: 15m, roles: [boss]}]}
probes:
  - {name: health, kind: health, url: 'http://shop.test/health', interval: 5s, timeout: 4s, dependencies: [database]}
logs:
  classes:
    - {name: DEBUG, level: DEBUG, keep: 7d}
    - {name: INFO, level: INFO, keep: 30d}
    - {name: WARN, level: WARN, keep: 90d}
    - {name: ERROR, level: ERROR, keep: 1y}
  categories:
    - {name: sales, class: INFO, lines: 'level:INFO sold', every: 5m}
    - {name: failures, class: ERROR}
coverage: {application: 100%, business: 50%}
critical_paths: [{name: Selling, alerts: [Slow, NoOrders]}]
"#;

const CONTACTS: &str = "
format: 1
people: [{name: ada, roles: [on-call], channels: [{type: log}]}]
";

/// Long after the start.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn family(kind: &str, unit: &str, labels: &[&str], series: usize) -> ExposedFamily {
    ExposedFamily {
        kind: kind.to_owned(),
        unit: unit.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        series,
    }
}

/// Everything as the plan says, but for drills.
fn all_well() -> Observed {
    let families = [
        ("orders_total", family("counter", "", &["kind"], 2)),
        ("stock", family("gauge", "", &[], 1)),
        ("wait_seconds", family("histogram", "", &["le"], 5)),
    ];
    let families = families.map(|(name, family)| (name.to_owned(), family));
    let own = ["probe_success"].map(|name| {
        let labels = BTreeSet::from(["probe".to_owned(), "kind".to_owned()]);
        (
            name.to_owned(),
            OwnSeries {
                last_at: NOW,
                labels,
            },
        )
    });
    let line = ObservedCategory {
        last_line: Some(NOW),
        lines_last_day: 1,
        class: None,
    };
    Observed {
        now: NOW,
        started_at: NOW - Duration::from_secs(3600),
        kept_since: None,
        targets: vec![ObservedTarget {
            job: "shop".to_owned(),
            instance: "shop.test:80".to_owned(),
            state: TargetState::Up,
            exposed: Arc::new(Exposed {
                families: families.into(),
                ..Exposed::default()
            }),
        }],
        own: own.into(),
        probes: BTreeMap::from([(
            "health".to_owned(),
            ObservedProbe {
                answered: true,
                asked: true,
                output: String::new(),
                dependencies: vec!["database".to_owned()],
            },
        )]),
        categories: BTreeMap::from([
            ("sales".to_owned(), line.clone()),
            ("failures".to_owned(), line),
        ]),
        ..Observed::default()
    }
}

fn report_of(observed: &Observed) -> Report {
    let (plan, diagnostics) = crate::parse("plan", PLAN);
    let plan = plan.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let (contacts, _) = crate::parse_contacts("contacts", CONTACTS);
    report(&plan, &contacts.unwrap_or_default(), observed)
}

fn holes(report: &Report) -> Vec<String> {
    let text = |hole: &Hole| format!("{} {} {}", hole.kind, hole.about, hole.place);
    report
        .holes
        .iter()
        .map(|hole| text(hole).trim().to_owned())
        .collect()
}

/// Holes that the small plan has with everything well.
const ALWAYS: [&str; 5] = [
    "metric_not_shown orders_total",
    "metric_unguarded stock",
    "metric_not_shown wait_seconds",
    "path_uncovered Selling",
    "role_reaches_nobody boss standard level 2",
];

/// What a change adds to the holes that are always there.
#[track_caller]
fn check(change: impl FnOnce(&mut Observed), expect: &[&str]) -> Report {
    let mut observed = all_well();
    change(&mut observed);
    let report = report_of(&observed);
    let new: Vec<String> = holes(&report)
        .into_iter()
        .filter(|hole| !ALWAYS.contains(&hole.as_str()))
        .collect();
    assert_eq!(new, expect);
    report
}

fn families(observed: &mut Observed) -> &mut BTreeMap<String, ExposedFamily> {
    &mut Arc::make_mut(&mut observed.targets[0].exposed).families
}

#[test]
fn nothing_is_wrong_when_all_is_as_declared() {
    let report = check(|_| {}, &[]);
    assert_eq!(holes(&report), ALWAYS);
    let ratio = |group: &str, aspect: &str| {
        let share = report
            .shares
            .iter()
            .find(|own| (own.group, own.aspect) == (group, aspect));
        share.and_then(Share::ratio)
    };
    assert_eq!(ratio("application", "arriving"), Some(1.0));
    assert_eq!(ratio("application", "shown"), Some(0.5));
    assert_eq!(ratio("application", "guarded"), Some(0.5));
    assert_eq!(ratio("business", "guarded"), Some(1.0));
    assert_eq!(ratio("infrastructure", "arriving"), None);
    assert_eq!(ratio("alerts", "reaching"), Some(0.5));
    assert_eq!(report.kept(), Some(false), "the path is not drilled");
}

#[test]
fn metrics() {
    let wrong = |kind: &str| format!("{kind} stock shop.test:80");
    let set = |name: &'static str, own: ExposedFamily| {
        move |observed: &mut Observed| drop(families(observed).insert(name.to_owned(), own))
    };
    check(
        |observed| drop(families(observed).remove("stock")),
        &[&wrong("metric_missing")],
    );
    check(
        set("stock", family("counter", "", &[], 1)),
        &[&wrong("metric_type")],
    );
    check(
        set("stock", family("", "", &[], 1)),
        &[&wrong("metric_type")],
    );
    check(
        set("stock", family("gauge", "pallets", &[], 1)),
        &[&wrong("metric_unit")],
    );
    check(set("stock", family("gauge", "boxes", &[], 1)), &[]);
    check(
        set("stock", family("gauge", "", &["colour"], 1)),
        &[&wrong("metric_labels")],
    );
    // Only its TYPE line: it has no labels that something would have to happen for.
    check(
        set("stock", family("gauge", "", &[], 0)),
        &[&wrong("metric_missing")],
    );
    let not_yet = check(set("orders_total", family("counter", "", &[], 0)), &[]);
    assert_eq!(not_yet.metrics[0].states[0].state, MetricState::NotYet);
    // A dropped label takes an alert with it that asks for it.
    check(
        set("orders_total", family("counter", "", &[], 1)),
        &[
            "metric_labels orders_total shop.test:80",
            "alert_on_nothing NoOrders",
        ],
    );
    // Without the TYPE line a histogram is only its buckets.
    check(
        |observed| {
            families(observed).remove("wait_seconds");
            families(observed).insert("wait_seconds_bucket".to_owned(), family("", "", &["le"], 5));
        },
        &["metric_type wait_seconds shop.test:80"],
    );
    // OpenMetrics leaves `_total` out of the family's name.
    check(
        |observed| {
            let own = families(observed).remove("orders_total");
            families(observed).extend(own.map(|own| ("orders".to_owned(), own)));
        },
        &[],
    );
    let more = check(set("extra", family("gauge", "", &[], 1)), &[]);
    assert_eq!(more.undeclared, [("shop".to_owned(), "extra".to_owned())]);
}

#[test]
fn a_name_that_contradicts_its_unit_is_found() {
    let (plan, _) = crate::parse("plan", &PLAN.replace("unit: seconds", "unit: milliseconds"));
    let report = report(
        &plan.unwrap_or_else(|| panic!()),
        &Contacts::default(),
        &all_well(),
    );
    assert!(holes(&report).contains(&"metric_unit wait_seconds shop.test:80".to_owned()));
}

#[test]
fn of_a_target_that_is_down_nothing_is_known() {
    let down = |observed: &mut Observed| {
        observed.targets[0].state = TargetState::Down("refused".to_owned());
        observed.targets[0].exposed = Arc::default();
    };
    let report = check(down, &["target_down shop shop.test:80"]);
    let arriving = report.shares.iter().find(|own| own.aspect == "arriving");
    let arriving = arriving.map(|own| (own.covered, own.known, own.unknown, own.kept()));
    assert_eq!(arriving, Some((0, 0, 2, None)));
    // Not asked yet is no fault at all.
    check(
        |observed| observed.targets[0].state = TargetState::Unknown,
        &[],
    );
}

#[test]
fn one_target_of_two_decides() {
    let second = |observed: &mut Observed| {
        let mut second = observed.targets[0].clone();
        second.instance = "shop2.test:80".to_owned();
        Arc::make_mut(&mut second.exposed).families.remove("stock");
        observed.targets.push(second);
    };
    let report = check(second, &["metric_missing stock shop2.test:80"]);
    let arriving = report.shares.iter().find(|own| own.aspect == "arriving");
    assert_eq!(arriving.and_then(Share::ratio), Some(0.5));
    assert_eq!(arriving.and_then(Share::kept), Some(false));
}

#[test]
fn drills_and_paths() {
    let days = |days: u64| NOW - Duration::from_secs(days * 24 * 3600);
    let drill = |at: Timestamp, passed: bool| {
        move |observed: &mut Observed| {
            let last = LastDrill { at, passed };
            observed.drills.insert("Slow".to_owned(), last);
        }
    };
    let covered = |change: &dyn Fn(&mut Observed)| {
        let mut observed = all_well();
        change(&mut observed);
        let report = report_of(&observed);
        (
            report.paths[0].covered,
            report.paths[0].alerts[0].drill.as_str(),
        )
    };
    assert_eq!(covered(&|_| {}), (false, "never"));
    assert_eq!(covered(&drill(days(3), true)), (true, "proven"));
    assert_eq!(covered(&drill(days(3), false)), (false, "failed"));
    assert_eq!(covered(&drill(days(31), true)), (false, "old"));
    let report = check(drill(days(3), true), &[]);
    assert_eq!(report.kept(), Some(true));
}

#[test]
fn dependencies_in_both_directions() {
    let named = |names: &'static [&'static str]| {
        move |observed: &mut Observed| {
            let probe = observed
                .probes
                .get_mut("health")
                .unwrap_or_else(|| panic!());
            probe.dependencies = names.iter().map(|name| (*name).to_owned()).collect();
        }
    };
    check(
        named(&["database", "queue"]),
        &["dependency_undeclared queue health"],
    );
    check(named(&[]), &["dependency_unanswered database health"]);
    check(
        |observed| {
            let probe = observed
                .probes
                .get_mut("health")
                .unwrap_or_else(|| panic!());
            probe.answered = false;
        },
        &["probe_unanswered health"],
    );
    check(|observed| observed.probes.clear(), &[]);
}

#[test]
fn alerts_on_nothing() {
    check(|observed| observed.own.clear(), &["alert_on_nothing Gone"]);
    // Too early to say.
    check(
        |observed| {
            observed.own.clear();
            observed.started_at = NOW - Duration::from_secs(20);
        },
        &[],
    );
    check(
        |observed| drop(families(observed).remove("wait_seconds")),
        &[
            "metric_missing wait_seconds shop.test:80",
            "alert_on_nothing Slow",
        ],
    );
}

#[test]
fn pages_that_nobody_receives() {
    let last = |channel: &str, error: Option<&str>| LastDelivery {
        person: "ada".to_owned(),
        channel: channel.to_owned(),
        at: NOW,
        error: error.map(str::to_owned),
        failing_since: error.map(|_| NOW - Duration::from_secs(60)),
    };
    let failed = last("webhook", Some("refused"));
    let report = check(
        |observed| observed.deliveries = vec![failed.clone()],
        &["pages_not_received ada"],
    );
    let hole = report
        .holes
        .iter()
        .find(|hole| hole.kind == HoleKind::PagesNotReceived);
    let since = hole.and_then(|hole| hole.since).map(|since| since.at);
    assert_eq!(since, Some(NOW - Duration::from_secs(60)));
    check(
        |observed| observed.deliveries = vec![failed.clone(), last("email", None)],
        &[],
    );
    let stranger = LastDelivery {
        person: "nobody".to_owned(),
        ..failed
    };
    check(|observed| observed.deliveries = vec![stranger], &[]);
}

#[test]
fn log_categories() {
    let state = |name: &str, last: Option<u64>, class: Option<&str>| {
        let mut observed = all_well();
        let seen = ObservedCategory {
            last_line: last.map(|ago| NOW - Duration::from_secs(ago)),
            lines_last_day: 0,
            class: class.map(str::to_owned),
        };
        observed.categories.insert(name.to_owned(), seen);
        let report = report_of(&observed);
        let own = report.categories.iter().find(|own| own.name == name);
        own.map(|own| own.state.as_str()).unwrap_or("")
    };
    assert_eq!(state("sales", Some(300), None), "arriving");
    assert_eq!(state("sales", Some(301), None), "silent");
    assert_eq!(state("sales", Some(1), Some("WARN")), "wrong_class");
    assert_eq!(state("sales", None, None), "never");
    assert_eq!(state("failures", Some(3 * 24 * 3600), None), "quiet");
    assert_eq!(state("failures", None, None), "never");
}

#[test]
fn retention_is_proved() {
    let days = |days: f64| NOW - Duration::from_secs_f64(days * 24.0 * 3600.0);
    let state = |kept_since: f64, oldest: Option<f64>| {
        let mut observed = all_well();
        observed.kept_since = Some(days(kept_since));
        let seen = ObservedClass {
            oldest: oldest.map(days),
            ..ObservedClass::default()
        };
        observed.classes.insert("DEBUG".to_owned(), seen);
        report_of(&observed).retention[0].state.as_str()
    };
    assert_eq!(state(3.0, None), "empty");
    assert_eq!(state(3.0, Some(3.0)), "too_early");
    assert_eq!(state(60.0, Some(3.0)), "younger");
    assert_eq!(state(60.0, Some(6.5)), "kept");
    assert_eq!(state(60.0, Some(7.9)), "kept", "a file holds a day");
    assert_eq!(state(60.0, Some(8.1)), "overdue");
}

#[test]
fn a_hole_remembers_since_when_it_is_known() {
    let minute = |minute: u64| NOW + Duration::from_secs(60 * minute);
    let mut holes = report_of(&all_well()).holes;
    let key = HoleKey {
        kind: HoleKind::MetricUnguarded,
        about: "stock".to_owned(),
        place: String::new(),
    };
    let before = Since {
        at: minute(0) - Duration::from_secs(7200),
        or_earlier: false,
    };
    let mut memory = HoleMemory::new(minute(0), BTreeMap::from([(key.clone(), before)]));
    memory.step(&mut holes, minute(1));
    let since = |holes: &[Hole], about: &str| {
        let hole = holes.iter().find(|hole| hole.about == about);
        hole.and_then(|hole| hole.since)
    };
    assert_eq!(
        since(&holes, "stock"),
        Some(before),
        "known from the last run"
    );
    let first = since(&holes, "Selling");
    assert_eq!(
        first.map(|own| own.or_earlier),
        Some(true),
        "there at the first look"
    );
    let mut later = holes.clone();
    later.retain(|hole| hole.about != "stock");
    memory.step(&mut later, minute(5));
    assert_eq!(since(&later, "Selling").map(|own| own.at), Some(minute(1)));
    assert!(
        memory.told().any(|told| told == (&key, None)),
        "told as closed"
    );
    memory.step(&mut holes, minute(6));
    assert_eq!(since(&holes, "Selling").map(|own| own.at), Some(minute(1)));
}
