//! What two plans that differ in one thing are said to differ in: each case changes the text of one plan.

use plan::Plan;
use plan::diff::{Change, ChangeKind, PlanDiff, diff};

const PLAN: &str = "
format: 1
service: shop
targets: [{job: shop, url: 'http://shop.test:80/metrics'}]
metrics:
  - {name: orders_total, type: counter, meaning: orders, group: business}
  - {name: stock, type: gauge, meaning: goods, group: application}
  - {name: wait_seconds, type: histogram, meaning: how long people wait, group: application}
  - {name: heat, type: gauge, meaning: nobody looks, group: infrastructure}
rule_groups:
  - name: shop
    rules:
      - {alert: NoStock, expr: stock < 1, for: 2m, severity: critical, escalation: ladder}
      - {alert: Slow, expr: 'histogram_quantile(0.95, rate(wait_seconds_bucket[5m])) > 2', severity: warning, escalation: ladder}
dashboards:
  - id: shop
    title: Shop
    panels:
      - {title: Stock, kind: line, unit: count, queries: [{expr: stock, legend: goods}]}
logs:
  classes:
    - {name: DEBUG, level: DEBUG, keep: 7d}
    - {name: INFO, level: INFO, keep: 30d}
    - {name: WARN, level: WARN, keep: 90d}
    - {name: ERROR, level: ERROR, keep: 1y}
escalation_policies:
  - name: ladder
    levels:
      - {after: 0, roles: [on-call]}
      - {after: 15m, roles: [team-lead]}
objectives:
  - {id: stock, title: Stock, expr: stock, unit: count, target: '> 10', window: 30d}
critical_paths:
  - {name: Selling, alerts: [NoStock]}
";

fn plan(text: &str) -> Plan {
    let (plan, diagnostics) = plan::parse("plan.yaml", text);
    plan.unwrap_or_else(|| panic!("{diagnostics:?}\n{text}"))
}

fn changed(from: &str, to: &str) -> PlanDiff {
    assert!(PLAN.contains(from), "{from}");
    diff(&plan(PLAN), &plan(&PLAN.replacen(from, to, 1)))
}

/// Every change in one line.
fn lines(diff: &PlanDiff) -> Vec<String> {
    let line = |change: &Change| {
        let what = format!("{} {}", change.part.noun(), change.name);
        match &change.kind {
            ChangeKind::Added(_) => format!("+ {what}"),
            ChangeKind::Removed => format!("- {what}"),
            ChangeKind::Changed(properties) => {
                let properties = properties.iter().map(|own| {
                    let text = format!(
                        "{}: {} -> {} {}",
                        own.property, own.old, own.new, own.consequence
                    );
                    text.trim_end().to_owned()
                });
                format!("~ {what} | {}", properties.collect::<Vec<_>>().join(" | "))
            }
        }
    };
    diff.changes.iter().map(line).collect()
}

fn check(from: &str, to: &str, expect: &[&str]) {
    assert_eq!(lines(&changed(from, to)), expect, "{from} -> {to}");
}

#[test]
fn says_what_a_change_means() {
    check("for: 2m", "for: 5m", &["~ alert NoStock | for: 2m -> 5m"]);
    check(
        "stock < 1,",
        "stock < 2,",
        &["~ alert NoStock | expression: stock < 1 -> stock < 2"],
    );
    check(
        "for: 2m, severity: critical",
        "for: 2m, severity: warning",
        &[
            "~ alert NoStock | severity: critical -> warning | who is paged: on-call at once, team-lead after 15m -> on-call, once",
        ],
    );
    // One line in the policy is another night for somebody: it says for which alerts.
    check(
        "{after: 15m, roles: [team-lead]}",
        "{after: 5m, roles: [boss]}",
        &[
            "~ escalation policy ladder | tells: on-call at once, team-lead after 15m -> on-call at once, boss after 5m for NoStock, Slow",
        ],
    );
    check(
        "level: WARN, keep: 90d",
        "level: WARN, keep: 14d",
        &["~ log class WARN | kept: 90d -> 2w what is between 2w and 90d old is deleted"],
    );
    check(
        "level: DEBUG, keep: 7d",
        "level: DEBUG, keep: 8d",
        &["~ log class DEBUG | kept: 1w -> 8d what was deleted before stays deleted"],
    );
    check(
        "service: shop\n",
        "service: shop\nmetrics_retention: 30d\n",
        &["~ plan  | samples are kept: 395d -> 30d what is between 30d and 395d old is deleted"],
    );
    check(
        "target: '> 10'",
        "target: '> 20'",
        &["~ objective stock | target: > 10 count -> > 20 count"],
    );
    check(
        "{name: heat, type: gauge",
        "{name: warmth, type: gauge",
        &["- metric heat", "+ metric warmth"],
    );
    check(
        "heat, type: gauge",
        "heat, type: counter",
        &["~ metric heat | type: gauge -> counter"],
    );
}

#[test]
fn layout_and_order_mean_nothing() {
    check(
        "expr: stock < 1,",
        "expr: '(stock)   <  1',",
        &["~ alert NoStock | expression: stock < 1 -> (stock) < 1"],
    );
    check("expr: stock < 1,", "expr: 'stock<1',", &[]);
    check("for: 2m", "for: 120s", &[]);
    let metrics = "  - {name: orders_total, type: counter, meaning: orders, group: business}\n";
    let elsewhere = PLAN.replacen(metrics, "", 1).replacen(
        "rule_groups:",
        &format!("{metrics}rule_groups:"),
        1,
    );
    assert!(diff(&plan(PLAN), &plan(&elsewhere)).is_empty());
    assert!(diff(&plan(PLAN), &plan(&format!("# a remark\n{PLAN}"))).is_empty());
}

#[test]
fn says_what_is_no_longer_guarded() {
    let slow = "      - {alert: Slow, expr: 'histogram_quantile(0.95, rate(wait_seconds_bucket[5m])) > 2', severity: warning, escalation: ladder}\n";
    let found = changed(slow, "");
    assert_eq!(lines(&found), ["- alert Slow"]);
    let coverage = &found.coverage;
    assert_eq!(coverage.unguarded().collect::<Vec<_>>(), ["wait_seconds"]);
    assert_eq!(
        (coverage.old.alerted_share(), coverage.new.alerted_share()),
        (0.5, 0.25)
    );
    assert_eq!(coverage.unshown().count(), 0);
    let hidden = changed(
        "queries: [{expr: stock, legend: goods}]",
        "queries: [{expr: orders_total, legend: orders}]",
    );
    assert_eq!(hidden.coverage.unshown().collect::<Vec<_>>(), ["stock"]);
    // What leaves the plan is not left unguarded.
    let without = PLAN.replacen(slow, "", 1).replacen("  - {name: wait_seconds, type: histogram, meaning: how long people wait, group: application}\n", "", 1);
    let found = diff(&plan(PLAN), &plan(&without));
    assert_eq!(found.coverage.unguarded().count(), 0);
}
