//! Error budgets: the arithmetic against numbers computed by hand, and burn-rate alerts over simulated events.

use std::time::Duration;

use model::{Labels, Timestamp};
use plan::{AlertRule, Objective, Plan, percent};
use promql::testing::MemorySource;
use promql::{Limits, Value};

const PLAN: &str = r#"
format: 1
service: shop
targets: [{job: shop, url: "http://127.0.0.1:8765/metrics"}]
metrics:
  - {name: orders_total, type: counter, meaning: Orders., group: application, labels: [status]}
  - {name: orders_failed_total, type: counter, meaning: Failed orders., group: application}
  - {name: latency_seconds, type: histogram, meaning: Latency., group: application}
probes: [{name: ready, kind: readiness, url: "https://shop.example.org/ready"}]
escalation_policies: [{name: standard, levels: [{after: 0, roles: [on-call]}]}]
objectives:
"#;

const ERRORS: &str = "{id: error-rate, title: Errors, expr: up, unit: ratio, target: '< 0.1%', window: 30d, \
     events: {bad: orders_failed_total, total: orders_total}, burn_alerts: {escalation: standard}}";

fn plan_of(objective: &str) -> Plan {
    let text = format!("{PLAN}  - {objective}\n");
    let (plan, found) = plan::parse("plan.yaml", &text);
    assert_eq!(found, [], "{objective}");
    plan.expect("nothing was found, so there is a plan")
}

fn objective_of(objective: &str) -> Objective {
    plan_of(objective).objectives.remove(0)
}

/// An objective with these unit, target, expression and events.
fn objective(unit: &str, target: &str, expr: &str, events: &str) -> Objective {
    objective_of(&format!(
        "{{id: o, title: O, expr: '{expr}', unit: {unit}, target: '{target}', window: 30d, events: {events}}}"
    ))
}

#[test]
fn budgets() {
    let counters = "{bad: orders_failed_total, total: orders_total}";
    let check = |unit: &str, target: &str, expr: &str, events: &str, expect: &str| {
        let found = objective(unit, target, expr, events);
        assert_eq!(found.budget_in_words().as_deref(), Some(expect));
    };
    check(
        "ratio",
        "< 0.1%",
        "up",
        counters,
        "0.1%: the target is < 0.1%",
    );
    check(
        "ratio",
        "> 99.9%",
        "up",
        counters,
        "0.1% = 100% - 99.9%: the target is > 99.9%",
    );
    check(
        "ratio",
        "> 99.95%",
        "up",
        counters,
        "0.05% = 100% - 99.95%: the target is > 99.95%",
    );
    check(
        "ratio",
        "> 80%",
        "up",
        counters,
        "20% = 100% - 80%: the target is > 80%",
    );
    check(
        "seconds",
        "< 500ms",
        "histogram_quantile(0.95, rate(latency_seconds_bucket[30d]))",
        "{histogram: latency_seconds}",
        "5% = 100% - 95%: that quantile must be < 0.5 seconds",
    );
    let given = "{bad: orders_failed_total, total: orders_total}, budget: 2%";
    check(
        "orders",
        "< 5",
        "up",
        given,
        "2%, as the plan says; the target is < 5 orders",
    );
}

/// The PromQL of the share of bad events and of their number, over ten minutes.
#[test]
fn events_as_promql() {
    let check = |events: &str, share: &str, count: &str| {
        let found = objective("ratio", "> 99%", "up", events)
            .events
            .expect("events");
        let window = Duration::from_secs(600);
        assert_eq!(
            (&*found.bad_share(window), &*found.count(window)),
            (share, count)
        );
    };
    check(
        "{bad: orders_failed_total, total: orders_total}",
        "sum(rate(orders_failed_total[10m])) / sum(rate(orders_total[10m]))",
        "sum(increase(orders_total[10m]))",
    );
    // A status that never came has no series, and that is none and not unknown.
    check(
        r#"{bad: 'orders_total{status=~"5.."}', total: orders_total}"#,
        r#"(sum(rate(orders_total{status=~"5.."}[10m])) or 0 * sum(rate(orders_total[10m]))) / sum(rate(orders_total[10m]))"#,
        "sum(increase(orders_total[10m]))",
    );
    check(
        r#"{good: 'orders_total{status="200"}', total: 'orders_total{status!="400"}'}"#,
        r#"(1 - (sum(rate(orders_total{status="200"}[10m])) or 0 * sum(rate(orders_total{status!="400"}[10m]))) / sum(rate(orders_total{status!="400"}[10m])))"#,
        r#"sum(increase(orders_total{status!="400"}[10m]))"#,
    );
    check(
        "{good: orders_total, bad: orders_failed_total}",
        "sum(rate(orders_failed_total[10m])) / (sum(rate(orders_total[10m])) + sum(rate(orders_failed_total[10m])))",
        "(sum(increase(orders_total[10m])) + sum(increase(orders_failed_total[10m])))",
    );
    check(
        "{histogram: latency_seconds, above: 500ms}",
        r#"(1 - sum(rate(latency_seconds_bucket{le="0.5"}[10m])) / sum(rate(latency_seconds_count[10m])))"#,
        "sum(increase(latency_seconds_count[10m]))",
    );
    check(
        r#"{histogram: 'latency_seconds{route="/"}', above: 2s}"#,
        r#"(1 - sum(rate(latency_seconds_bucket{route="/", le=~"2|2\\.0"}[10m])) / sum(rate(latency_seconds_count{route="/"}[10m])))"#,
        r#"sum(increase(latency_seconds_count{route="/"}[10m]))"#,
    );
    check(
        "{histogram: latency_seconds, above: 1000000}",
        r#"(1 - sum(rate(latency_seconds_bucket{le=~"1000000|1000000\\.0|1e\\+06"}[10m])) / sum(rate(latency_seconds_count[10m])))"#,
        "sum(increase(latency_seconds_count[10m]))",
    );
    check(
        r#"{gauge: 'probe_success{probe="ready"}'}"#,
        r#"(1 - sum(sum_over_time(probe_success{probe="ready"}[10m])) / sum(count_over_time(probe_success{probe="ready"}[10m])))"#,
        r#"sum(count_over_time(probe_success{probe="ready"}[10m]))"#,
    );
    // A comment in a selector must not swallow what is added to it.
    check(
        "{histogram: \"latency_seconds{route='/' # the first\\n}\", above: 500ms}",
        r#"(1 - sum(rate(latency_seconds_bucket{route="/", le="0.5"}[10m])) / sum(rate(latency_seconds_count{route="/"}[10m])))"#,
        r#"sum(increase(latency_seconds_count{route="/"}[10m]))"#,
    );
}

/// One line a window: severity, windows, factor, share of bad events, what it spends, how long the budget lasts, events that
/// it waits for.
#[test]
fn arithmetic_of_burn_rates() {
    let check = |target: &str, window: &str, more: &str, expect: &str| {
        let own = objective_of(&format!(
            "{{id: o, title: O, expr: up, unit: ratio, target: '{target}', window: {window}, \
             events: {{bad: orders_failed_total, total: orders_total}}, burn_alerts: {{escalation: standard{more}}}}}"
        ));
        let (budget, alerts) = (
            own.budget.expect("a budget"),
            own.burn_alerts.expect("alerts"),
        );
        let duration = |length| model::format_duration(length);
        let line = |burn: &plan::BurnWindow| {
            format!(
                "{} {}/{} {}x past {} spends {}, lasts {}, waits for {}",
                burn.severity.as_str(),
                duration(burn.long),
                duration(burn.short),
                burn.factor,
                percent(burn.threshold(budget)),
                percent(burn.spends(own.window)),
                duration(burn.lasts(own.window)),
                alerts.minimum_traffic_of(burn, budget),
            )
        };
        let mut lines: Vec<String> = alerts.windows.iter().map(line).collect();
        lines.extend(
            alerts
                .unreachable
                .iter()
                .map(|burn| format!("not {}x", burn.factor)),
        );
        let expect: Vec<&str> = expect
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(lines, expect, "{target} {window} {more}");
    };
    // 30 d / 14.4 = 50 h; 0.1 % x 14.4 = 1.44 %; one bad of 70 is 1.43 %.
    check(
        "> 99.9%",
        "30d",
        "",
        "critical 1h/5m 14.4x past 1.44% spends 2%, lasts 2d2h, waits for 70
         critical 6h/30m 6x past 0.6% spends 5%, lasts 5d, waits for 167
         warning 1d/2h 3x past 0.3% spends 10%, lasts 10d, waits for 334
         warning 3d/6h 1x past 0.1% spends 10%, lasts 30d, waits for 1000",
    );
    // Four weeks: every window is 28/30 of it, to the minute.
    check(
        "< 1%",
        "28d",
        ", minimum_traffic: 500, severity: warning",
        "warning 56m/5m 14.4x past 14.4% spends 2%, lasts 1d22h40m, waits for 500
         warning 5h36m/28m 6x past 6% spends 5%, lasts 4d16h, waits for 500
         warning 22h24m/1h52m 3x past 3% spends 10%, lasts 9d8h, waits for 500
         warning 2d19h12m/5h36m 1x past 1% spends 10%, lasts 4w, waits for 500",
    );
    // A week: the short windows end at five minutes.
    check(
        "> 99.9%",
        "7d",
        "",
        "critical 14m/5m 14.4x past 1.44% spends 2%, lasts 11h40m, waits for 70
         critical 1h24m/7m 6x past 0.6% spends 5%, lasts 1d4h, waits for 167
         warning 5h36m/28m 3x past 0.3% spends 10%, lasts 2d8h, waits for 334
         warning 16h48m/1h24m 1x past 0.1% spends 10%, lasts 1w, waits for 1000",
    );
    // A fifth may be bad: five times as much is everything, so two of the four could never fire.
    check(
        "> 80%",
        "30d",
        "",
        "warning 1d/2h 3x past 60% spends 10%, lasts 10d, waits for 2
         warning 3d/6h 1x past 20% spends 10%, lasts 30d, waits for 5
         not 14.4x
         not 6x",
    );
    check(
        "> 99%",
        "1d",
        ", windows: [{long: 30m, short: 5m, factor: 4, severity: critical}]",
        "critical 30m/5m 4x past 4% spends 8.3333%, lasts 6h, waits for 25",
    );
}

#[test]
fn objectives_become_rules() {
    let plan = plan_of(ERRORS);
    let group = plan.rule_groups.last().expect("a group");
    assert_eq!(group.name, "error-rate-budget");
    let rule = &group.rules[0];
    let expect = "sum(rate(orders_failed_total[1h])) / sum(rate(orders_total[1h])) / 0.001
  * (sum(rate(orders_failed_total[5m])) / sum(rate(orders_total[5m])) / 0.001 > bool 14.4)
  * (sum(increase(orders_total[1h])) >= bool 70)
  > 14.4";
    assert_eq!(rule.expr.text, expect);
    assert_eq!(rule.sources, ["shop"]);
    assert_eq!(
        rule.summary,
        "Errors: the error budget burns {{ $value }} times as fast as it may"
    );
    assert_eq!(
        rule.description,
        "Of the events of 30d 0.1% may be bad. 14.4 times as many, 1.44%, were bad in the last 1h and in the last 5m. \
         At that pace 1h spends 2% of the budget, and all of it is gone in 2d2h. Fewer than 70 events in 1h keep this alert quiet."
    );
    let names: Vec<&str> = group.rules.iter().map(|rule| &*rule.name).collect();
    assert_eq!(
        names,
        [
            "ErrorRateBudgetBurn1h",
            "ErrorRateBudgetBurn6h",
            "ErrorRateBudgetBurn1d",
            "ErrorRateBudgetBurn3d"
        ]
    );
    // They can be named like any other alert, and a probe's success comes from no scrape.
    let uptime = "{id: 99th, title: U, expr: up, unit: ratio, target: '> 99%', window: 30d, \
         events: {gauge: 'probe_success{probe=\"ready\"}'}, burn_alerts: {escalation: standard}}
critical_paths: [{name: p, alerts: [Objective99thBudgetBurn1h]}]";
    let plan = plan_of(uptime);
    assert!(plan.rules().all(|(_, rule)| rule.sources.is_empty()));
}

const MINUTES_BEFORE: i64 = 4 * 24 * 60;

/// Orders of three clean days, then of an hour of which a share fails, then of a clean day; one scrape a minute.
struct History {
    source: MemorySource,
}

impl History {
    fn new(orders_a_minute: f64, failed_share: f64) -> History {
        let mut source = MemorySource::default();
        let (mut orders, mut failed) = (0.0, 0.0);
        for minute in -MINUTES_BEFORE..=60 + 24 * 60 {
            let share = if (1..=60).contains(&minute) {
                failed_share
            } else {
                0.0
            };
            orders += orders_a_minute;
            failed += orders_a_minute * share;
            source.insert(&labels("orders_total"), at(minute), orders);
            source.insert(&labels("orders_failed_total"), at(minute), failed);
        }
        History { source }
    }

    /// The first and the last minute in which the rule's condition holds.
    fn fires(&self, rule: &AlertRule) -> Option<(i64, i64)> {
        let holds = |minute: &i64| {
            let answer = promql::instant(
                &self.source,
                &rule.expr.parsed,
                at(*minute),
                &Limits::default(),
            );
            match answer.expect("the rule evaluates").value {
                Value::Vector(samples) => !samples.is_empty(),
                other => panic!("{other:?}"),
            }
        };
        let minutes: Vec<i64> = (-60..60 + 8 * 60).filter(holds).collect();
        let (first, last) = (minutes.first()?, minutes.last()?);
        let length = i64::try_from(minutes.len()).expect("minutes of a day");
        assert_eq!(length, last - first + 1, "{} comes and goes", rule.name);
        Some((*first, *last))
    }
}

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("job", "shop")])
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis((minute + MINUTES_BEFORE) * 60_000)
}

fn check_burns(plan: &str, history: &History, expect: &[Option<(i64, i64)>]) {
    let plan = plan_of(plan);
    let found: Vec<Option<(i64, i64)>> =
        plan.rules().map(|(_, rule)| history.fires(rule)).collect();
    assert_eq!(found, expect);
}

/// A tenth of the orders of an hour fail, a hundred times the budget. The long window of 1 h is past 14.4 times after
/// 60 min x 14.4 / 100 = 8.64 min, that of 6 h after 21.6 min, those of 1 d and 3 d after 43.2 min.
///
/// Each ends with its short window. Over n minutes that holds n - 1 steps between scrapes, of which 60 + n - 1 - t are bad in
/// minute t. They are more than factor x 0.001 x (n - 1) / 0.1 of them (0.58, 1.7, 3.6, 3.6) until minute 63, 87, 175 and 415.
#[test]
fn burn_rate_alerts_fire_when_they_should() {
    let history = History::new(600.0, 0.1);
    let expect = [
        Some((9, 63)),
        Some((22, 87)),
        Some((44, 175)),
        Some((44, 415)),
    ];
    check_burns(ERRORS, &history, &expect);
}

/// A thousandth is the budget exactly, and a hundredth ten times it: too slow for the fastest alert. An hour of it is
/// 10 x 1 h / 6 h = 1.7 times over six hours, 0.4 over a day, 0.1 over three: nobody is told.
#[test]
fn a_slow_hour_tells_nobody() {
    check_burns(ERRORS, &History::new(600.0, 0.001), &[None; 4]);
    check_burns(ERRORS, &History::new(600.0, 0.01), &[None; 4]);
}

/// Everything fails, but one order a minute is 59 an hour (and 359 in six): fewer than 70 tell nothing.
#[test]
fn little_traffic_is_quiet() {
    let history = History::new(1.0, 1.0);
    let found = |minimum: &str| {
        let alerts = format!("burn_alerts: {{escalation: standard{minimum}}}");
        let plan = plan_of(&ERRORS.replace("burn_alerts: {escalation: standard}", &alerts));
        let fires = plan.rules().map(|(_, rule)| history.fires(rule).is_some());
        fires.collect::<Vec<bool>>()
    };
    assert_eq!(found(""), [false, true, true, true]);
    assert_eq!(found(", minimum_traffic: 50"), [true; 4]);
    assert_eq!(found(", minimum_traffic: 400"), [false, false, true, true]);
    assert_eq!(found(", minimum_traffic: 5000"), [false; 4]);
    // No traffic at all is no division that fires.
    check_burns(ERRORS, &History::new(0.0, 0.0), &[None; 4]);
}
