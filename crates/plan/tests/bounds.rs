//! Every list that has a bound takes as many items as the bound says, and refuses one more.

use plan::{Code, Diagnostic};

/// What comes before the items, one item (`#` is its number), what comes after, and the bound.
const PLANS: &[(&str, &str, &str, usize)] = &[
    ("incidents: {group_by: [", "l#", "]}", 16),
    ("heartbeats: [", "{name: h#, every: 1d}", "]", 1_000),
    ("procedures_may_reach: [", "'h:#'", "]", 100),
    (
        "inhibitions: [",
        "{name: i#, while: [A], hold_back: [B]}",
        "]",
        100,
    ),
    (
        "inhibitions: [{name: i, while: [",
        "'{a=\"#\"}'",
        "], hold_back: [B]}]",
        30,
    ),
    (
        "inhibitions: [{name: i, while: [A], hold_back: [",
        "'{a=\"#\"}'",
        "]}]",
        30,
    ),
    (
        "inhibitions: [{name: i, while: [A], hold_back: [B], equal: [",
        "l#",
        "]}]",
        16,
    ),
    (
        "maintenance_windows: [",
        "{name: w#, reason: r, alerts: [A], from: '03:00', for: 1h, zone: UTC}",
        "]",
        200,
    ),
    (
        "procedures: [{id: p, title: P, steps: [",
        "{do: it}",
        "]}]",
        50,
    ),
    (
        "procedures: [{id: p, title: P, steps: [{do: it, command: [",
        "w#",
        "]}]}]",
        64,
    ),
    ("deployments: {metric: build, labels: [", "l#", "]}", 8),
    (
        "objectives: [{id: o, title: O, expr: up, unit: ratio, target: '> 99%', window: 30d, events: {gauge: up}, burn_alerts: {escalation: standard, severity: warning, windows: [",
        "{long: #h, short: 5m, factor: 2}",
        "]}}]",
        8,
    ),
];

const CONTACTS: &[(&str, &str, &str, usize)] = &[
    (
        "people: [{name: Kim, channels: [{type: log}]}, ",
        "{name: P#, channels: [{type: log}]}",
        "]",
        999,
    ),
    ("people: [{name: Kim, channels: [", "{type: log}", "]}]", 10),
    (
        "people: [{name: Kim, channels: [{type: log}], roles: [",
        "r#",
        "]}]",
        50,
    ),
    (
        "people: [{name: Kim, channels: [{type: command, command: [",
        "w#",
        "]}]}]",
        64,
    ),
    (
        "people: [{name: Kim, channels: [{type: log}]}]\nrotas: [",
        "{role: r#, zone: UTC, hand_over: '09:00', every: day, since: 2026-01-05, people: [Kim]}",
        "]",
        200,
    ),
    (
        "people: [{name: Kim, channels: [{type: log}]}]\nrotas: [{role: r, shifts: [",
        "{zone: UTC, from: '09:00', every: day, since: 2026-01-05, people: [Kim]}",
        "]}]",
        12,
    ),
    (
        "people: [{name: Kim, channels: [{type: log}]}]\nrotas: [{role: r, zone: UTC, hand_over: '09:00', every: day, since: 2026-01-05, people: [",
        "Kim",
        "]}]",
        100,
    ),
    (
        "people: [{name: Kim, channels: [{type: log}]}]\nrotas: [{role: r, zone: UTC, hand_over: '09:00', every: day, since: 2026-01-05, people: [Kim], overrides: [",
        "{person: Kim, from: 2026-12-24 09:00, until: 2026-12-25 09:00}",
        "]}]",
        1_000,
    ),
];

/// What the items of plans refer to.
const PLAN: &str = r#"
format: 1
service: shop
targets: [{job: shop, url: "http://shop/metrics"}]
escalation_policies: [{name: standard, levels: [{after: 0, roles: [on-call]}]}]
metrics: [{name: build, type: gauge, meaning: m, group: application, labels: [l1, l2, l3, l4, l5, l6, l7, l8, l9]}]
rule_groups:
  - name: g
    rules:
      - {alert: A, expr: belfry_heartbeat_age_seconds > 0, severity: warning}
      - {alert: B, expr: up == 0, severity: warning}
"#;

#[test]
fn every_list_of_a_plan() {
    for case in PLANS {
        check(case, |text| {
            plan::parse("plan.yaml", &format!("{PLAN}{text}\n")).1
        });
    }
}

#[test]
fn every_list_of_contacts() {
    for case in CONTACTS {
        check(case, |text| {
            plan::parse_contacts("contacts.yaml", &format!("format: 1\n{text}\n")).1
        });
    }
}

fn check(case: &(&str, &str, &str, usize), parse: impl Fn(&str) -> Vec<Diagnostic>) {
    let (before, item, after, bound) = case;
    let text = |count: usize| {
        let items: Vec<String> = (1..=count)
            .map(|number| item.replace('#', &number.to_string()))
            .collect();
        format!("{before}{}{after}", items.join(", "))
    };
    assert_eq!(parse(&text(*bound)), [], "{before}");
    let codes: Vec<Code> = parse(&text(bound + 1))
        .iter()
        .map(|found| found.code)
        .collect();
    assert_eq!(codes, [Code::TooMany], "{before}");
}
