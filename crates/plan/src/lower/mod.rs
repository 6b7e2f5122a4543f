//! Objectives with burn-rate alerts become ordinary rule groups: the same text, the same engine and the same page as a rule
//! that somebody wrote.
//!
//! Method and windows: "Alerting on SLOs" in Google's Site Reliability Workbook, multi-window multi-burn-rate alerts.

mod arithmetic;
mod shares;
mod words;

pub(crate) use arithmetic::{STANDARD_WINDOW_MIN, rounded, standard_windows};
pub(crate) use shares::bounds_as_written;
pub use words::percent;

use std::time::Duration;

use crate::{
    AlertRule, Budget, BurnAlerts, BurnWindow, Events, Expression, NoTraffic, Objective, Origin,
    Plan, RuleGroup,
};

/// How often lowered rules are evaluated: several times within the shortest window, and no more, since the longest reads days.
const INTERVAL: Duration = Duration::from_secs(30);

/// Adds one rule group for each objective with burn-rate alerts, after the plan's own.
pub(crate) fn fill(mut plan: Plan) -> Plan {
    let lowered: Vec<RuleGroup> = plan.objectives.iter().filter_map(group).collect();
    plan.rule_groups.extend(lowered);
    plan
}

/// The name of the group that an objective lowers to.
pub(crate) fn group_name(id: &str) -> String {
    format!("{id}-budget")
}

/// The name of one burn-rate alert: `error-rate` over an hour gives `ErrorRateBudgetBurn1h`.
pub(crate) fn alert_name(id: &str, long: Duration) -> String {
    let mut name = String::new();
    for word in id.split(['-', '_', '.']) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    // An alert's name may not start with a digit.
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name.insert_str(0, "Objective");
    }
    format!("{name}BudgetBurn{}", model::format_duration(long))
}

impl Plan {
    /// The rule that a window of an objective's burn-rate alerts became.
    pub fn burn_rule(&self, objective: &Objective, window: &BurnWindow) -> Option<&AlertRule> {
        let name = alert_name(&objective.id, window.long);
        self.rules()
            .map(|(_, rule)| rule)
            .find(|rule| rule.origin == Origin::Lowered && rule.name == name)
    }
}

fn group(objective: &Objective) -> Option<RuleGroup> {
    let parts = (&objective.events, objective.budget, &objective.burn_alerts);
    let (Some(events), Some(budget), Some(alerts)) = parts else {
        return None;
    };
    let rules = alerts
        .windows
        .iter()
        .map(|window| rule(objective, events, budget, alerts, window));
    Some(RuleGroup {
        name: group_name(&objective.id),
        interval: INTERVAL,
        rules: rules.collect(),
    })
}

fn rule(
    objective: &Objective,
    events: &Events,
    budget: Budget,
    alerts: &BurnAlerts,
    window: &BurnWindow,
) -> AlertRule {
    let minimum = alerts.minimum_traffic_of(window, budget);
    let text = condition(events, budget, window, minimum);
    let parsed = promql::parse(&text)
        .expect("selectors were parsed and printed, and the rest is written here");
    AlertRule {
        name: alert_name(&objective.id, window.long),
        service: objective.service.clone(),
        expr: Expression {
            text,
            parsed,
            span: 0..0,
        },
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        // All of one objective are one incident (of each severity), and not four.
        group_by: Some(vec!["objective".to_owned()]),
        severity: window.severity,
        labels: vec![("objective".to_owned(), objective.id.clone())],
        summary: words::summary(objective),
        description: words::description(objective, budget, window, minimum),
        procedure: alerts.procedure.clone(),
        escalation: Some(alerts.escalation.clone()),
        no_traffic: NoTraffic::Resolve,
        sources: Vec::new(),
        origin: Origin::Lowered,
        at: objective.at,
    }
}

/// The burn rate of the long window where the short one burns as fast and there is enough traffic, else 0; compared with the
/// factor.
///
/// Products with 0 or 1 rather than `and`: so the whole is one comparison, whose left side is there whenever the events are.
/// "The budget no longer burns" and "there is no value" stay two answers (`docs/adr/0001`).
fn condition(events: &Events, budget: Budget, window: &BurnWindow, minimum: f64) -> String {
    let (share, factor) = (budget.share, window.factor);
    let long = events.bad_share(window.long);
    let short = events.bad_share(window.short);
    let count = events.count(window.long);
    format!(
        "{long} / {share}\n  * ({short} / {share} > bool {factor})\n  * ({count} >= bool {minimum})\n  > {factor}"
    )
}
