//! Alertmanager's configuration: routes by escalation policy and severity, receivers from contacts, inhibitions, and mute
//! times from maintenance windows.
//!
//! It works on the labels that the exported rules carry. Alertmanager mutes by route and not by alert, so alerts are sorted
//! into routes by which windows select them; what a window says of labels that only a series decides becomes a route below.

use std::time::Duration;

use model::{Labels, LabelsBuilder, MatchOp, Matcher, format_duration};

use super::yaml::{Map, document, plain};
use super::{Export, alertmanager_receivers as receivers, listed, mute_times};
use crate::{
    AlertRule, AlertSelector, Contacts, EscalationPolicy, Inhibition, MaintenanceWindow, Plan,
    Severity,
};

/// How long alerts are gathered before the first page: as short as Alertmanager can tell them in one.
const GROUP_WAIT: Duration = Duration::from_secs(5);
/// When a critical page is repeated where the policy has no second level: Alertmanager's default.
const REPEAT_DEFAULT: Duration = Duration::from_secs(4 * 3600);
/// A warning is told once: as long as Alertmanager remembers what it told.
const WARNING_REPEAT: Duration = Duration::from_secs(5 * 24 * 3600);
/// Who is told where the plan has no policy.
const NOBODY: &str = "nobody";

pub(super) fn export(plan: &Plan, contacts: &Contacts) -> Export {
    let mut export = Export::default();
    let mut map = Map::new();
    let global = receivers::global(contacts, &mut export);
    if !global.is_empty() {
        map.put("global", global);
    }
    map.put("route", route(plan, &mut export));
    map.put("receivers", all_receivers(plan, contacts, &mut export));
    let inhibitions: Vec<Map> = plan.inhibitions.iter().flat_map(inhibit_rules).collect();
    if !inhibitions.is_empty() {
        map.put("inhibit_rules", inhibitions);
    }
    if !plan.maintenance_windows.is_empty() {
        let intervals = plan.maintenance_windows.iter().map(mute_times::interval);
        map.put("time_intervals", intervals.collect::<Vec<Map>>());
    }
    let head = format!(
        "Alertmanager's configuration for {}, written by `belfry export alertmanager` for the rules of\n\
         `belfry export prometheus`. Check it with `amtool check-config`.",
        plan.title
    );
    export.file("alertmanager.yml", document(&head, map));
    notes(plan, &mut export);
    export
}

fn route(plan: &Plan, export: &mut Export) -> Map {
    let mut group_by = plan.incidents.group_by.clone();
    for label in ["escalation", "severity"] {
        if !group_by.iter().any(|own| own == label) {
            group_by.push(label.to_owned());
        }
    }
    let mut routes = Vec::new();
    for policy in &plan.escalation_policies {
        for severity in [Severity::Critical, Severity::Warning] {
            routes.push(policy_route(plan, policy, severity, export));
        }
    }
    let mut map = Map::new();
    map.comment("Alerts that name no policy go here.")
        .put("receiver", default_receiver(plan))
        .put("group_by", group_by)
        .put("group_wait", plain(format_duration(GROUP_WAIT)))
        .put(
            "group_interval",
            plain(format_duration(plan.incidents.page_interval)),
        )
        .put("repeat_interval", plain(format_duration(REPEAT_DEFAULT)))
        .put("routes", routes);
    map
}

fn default_receiver(plan: &Plan) -> &str {
    let incoming = plan
        .incoming_alerts
        .as_ref()
        .map(|own| own.escalation.as_str());
    let first = plan
        .escalation_policies
        .first()
        .map(|own| own.name.as_str());
    incoming.or(first).unwrap_or(NOBODY)
}

/// The alerts of one policy and severity, sorted into routes by how they group and when they are muted.
fn policy_route(
    plan: &Plan,
    policy: &EscalationPolicy,
    severity: Severity,
    export: &mut Export,
) -> Map {
    let mut map = Map::new();
    let next = policy.levels.get(1).map(|level| level.after);
    let repeat = match severity {
        Severity::Warning => {
            map.comment("Warnings are told once.");
            WARNING_REPEAT
        }
        Severity::Critical => {
            if let Some(next) = next {
                map.comment(&format!(
                    "Alertmanager cannot escalate. After {}, when Belfry tells the next level, it tells the first one again.",
                    format_duration(next)
                ));
            }
            next.unwrap_or(REPEAT_DEFAULT)
        }
    };
    let own = [
        Matcher::equal("escalation", &policy.name),
        Matcher::equal("severity", severity.as_str()),
    ];
    map.put("matchers", texts(&own))
        .put("receiver", policy.name.as_str())
        .put("repeat_interval", plain(format_duration(repeat)));
    let rules: Vec<&AlertRule> = plan
        .rules()
        .map(|(_, rule)| rule)
        .filter(|rule| rule.severity == severity && rule.escalation.as_ref() == Some(&policy.name))
        .collect();
    let routes = classes(plan, &rules)
        .into_iter()
        .filter_map(|class| class.route(export));
    let mut routes: Vec<Map> = routes.collect();
    // Alerts of other programs may be muted as well.
    let fixed = Labels::from_pairs(own.iter().map(|label| (label.name(), label.value())));
    for window in &plan.maintenance_windows {
        let selected = window.alerts.iter();
        routes.extend(selected.filter_map(|selector| foreign_route(selector, window, &fixed)));
    }
    if !routes.is_empty() {
        map.put("routes", routes);
    }
    map
}

/// Alerts that group alike and that the same windows select.
struct Class<'p> {
    names: Vec<&'p str>,
    group_by: Option<&'p [String]>,
    /// Windows that select them whatever their series.
    muted: Vec<&'p str>,
    /// Windows that select some of their series, with what the labels of a series must satisfy.
    muted_in_part: Vec<(&'p str, Vec<Matcher>)>,
}

fn classes<'p>(plan: &'p Plan, rules: &[&'p AlertRule]) -> Vec<Class<'p>> {
    let mut classes: Vec<Class<'p>> = Vec::new();
    for rule in rules {
        let labels = fixed_labels(plan, rule);
        let (mut muted, mut muted_in_part) = (Vec::new(), Vec::new());
        for window in &plan.maintenance_windows {
            let selected = window
                .alerts
                .iter()
                .filter_map(|own| what_is_left(own, &labels));
            let selected: Vec<Vec<Matcher>> = selected.collect();
            if selected.iter().any(Vec::is_empty) {
                muted.push(window.name.as_str());
            } else {
                muted_in_part.extend(
                    selected
                        .into_iter()
                        .map(|left| (window.name.as_str(), left)),
                );
            }
        }
        let group_by = rule.group_by.as_deref();
        let alike = |own: &&mut Class<'p>| {
            own.group_by == group_by && own.muted == muted && own.muted_in_part == muted_in_part
        };
        match classes.iter_mut().find(alike) {
            Some(class) => class.names.push(&rule.name),
            None => classes.push(Class {
                names: vec![&rule.name],
                group_by,
                muted,
                muted_in_part,
            }),
        }
    }
    classes
}

/// The labels of a rule's alerts that no series decides.
fn fixed_labels(plan: &Plan, rule: &AlertRule) -> Labels {
    let mut labels = LabelsBuilder::from(&Labels::empty());
    labels.set("service", &plan.service);
    if let Some(policy) = &rule.escalation {
        labels.set("escalation", policy);
    }
    for (name, value) in &rule.labels {
        labels.set(name, value);
    }
    labels
        .set("alertname", &rule.name)
        .set("severity", rule.severity.as_str());
    labels.build()
}

/// What a selector still asks of the series' own labels; `None` where the fixed ones do not satisfy it.
fn what_is_left(selector: &AlertSelector, fixed: &Labels) -> Option<Vec<Matcher>> {
    let mut left = Vec::new();
    for matcher in &selector.matchers {
        match fixed.get(matcher.name()) {
            Some(value) if !matcher.matches(value) => return None,
            Some(_) => {}
            None => left.push(matcher.clone()),
        }
    }
    Some(left)
}

impl Class<'_> {
    /// The route of these alerts; `None` where they need none of their own.
    fn route(self, export: &mut Export) -> Option<Map> {
        if self.group_by.is_none() && self.muted.is_empty() && self.muted_in_part.is_empty() {
            return None;
        }
        let mut map = Map::new();
        map.put("matchers", vec![any_of(&self.names)]);
        match self.group_by {
            // Alertmanager reads an empty list as "as the route above".
            Some([]) => {
                map.put("group_by", vec!["severity"]);
            }
            Some(labels) => {
                map.put("group_by", labels.to_vec());
            }
            None => {}
        }
        if !self.muted.is_empty() {
            map.put("mute_time_intervals", self.muted.clone());
        }
        if self.muted_in_part.len() > 1 {
            export.note(format!(
                "several maintenance windows select some series of {}; where two cover one series only the first mutes it",
                self.names.join(", ")
            ));
        }
        let below = self.muted_in_part.iter().map(|(window, left)| {
            let windows = self.muted.iter().copied().chain([*window]);
            Map::new()
                .with("matchers", texts(left))
                .with("mute_time_intervals", windows.collect::<Vec<&str>>())
        });
        let below: Vec<Map> = below.collect();
        if !below.is_empty() {
            map.put("routes", below);
        }
        Some(map)
    }
}

/// A route for what a window selects among alerts that are not the plan's; a plain name is one of the plan's.
fn foreign_route(
    selector: &AlertSelector,
    window: &MaintenanceWindow,
    fixed: &Labels,
) -> Option<Map> {
    if name_of(selector).is_some() {
        return None;
    }
    what_is_left(selector, fixed)?;
    let route = Map::new()
        .with("matchers", texts(&selector.matchers))
        .with("mute_time_intervals", vec![window.name.as_str()]);
    Some(route)
}

fn all_receivers(plan: &Plan, contacts: &Contacts, export: &mut Export) -> Vec<Map> {
    let policies = plan.escalation_policies.iter();
    let mut all: Vec<Map> = policies
        .map(|own| receivers::receiver(own, contacts, export))
        .collect();
    if all.is_empty() {
        export.note("the plan has no escalation policies, so nobody is told");
        all.push(Map::new().with("name", NOBODY));
    }
    all
}

/// One rule for each pair: a list in the plan means "any of these", matchers in a rule mean "all of these".
fn inhibit_rules(inhibition: &Inhibition) -> Vec<Map> {
    let (sources, targets) = (
        sides(&inhibition.while_firing),
        sides(&inhibition.hold_back),
    );
    let mut rules = Vec::new();
    for source in &sources {
        for target in &targets {
            let mut map = Map::new();
            map.comment(&inhibition.name)
                .put("source_matchers", source.clone())
                .put("target_matchers", target.clone());
            if !inhibition.equal.is_empty() {
                map.put("equal", inhibition.equal.clone());
            }
            rules.push(map);
        }
    }
    rules
}

/// Matchers for each alternative of a list. Plain names are one.
fn sides(selectors: &[AlertSelector]) -> Vec<Vec<String>> {
    let names: Vec<&str> = selectors.iter().filter_map(name_of).collect();
    let mut sides = Vec::new();
    if !names.is_empty() {
        sides.push(vec![any_of(&names)]);
    }
    let others = selectors.iter().filter(|own| name_of(own).is_none());
    sides.extend(others.map(|own| texts(&own.matchers)));
    sides
}

/// The alert that a selector names, where it does nothing else.
fn name_of(selector: &AlertSelector) -> Option<&str> {
    match selector.matchers.as_slice() {
        [only] if only.name() == "alertname" && only.op() == MatchOp::Equal => Some(only.value()),
        _ => None,
    }
}

fn any_of(names: &[&str]) -> String {
    match names {
        [only] => format!("alertname=\"{only}\""),
        several => format!("alertname=~\"{}\"", several.join("|")),
    }
}

/// Matchers as Alertmanager writes them.
fn texts(matchers: &[Matcher]) -> Vec<String> {
    let quoted = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let text = |own: &Matcher| {
        format!(
            "{}{}\"{}\"",
            own.name(),
            own.op().as_str(),
            quoted(own.value())
        )
    };
    matchers.iter().map(text).collect()
}

fn notes(plan: &Plan, export: &mut Export) {
    for policy in plan
        .escalation_policies
        .iter()
        .filter(|own| own.levels.len() > 1)
    {
        let later = policy.levels[1..].iter().map(|level| {
            format!(
                "{} after {}",
                listed(&level.roles),
                format_duration(level.after)
            )
        });
        export.note(format!(
            "{}: Alertmanager cannot escalate; it never tells {}",
            policy.name,
            listed(&later.collect::<Vec<String>>())
        ));
    }
    export.note("Alertmanager knows no acknowledgement: whoever takes an alert silences it");
    if plan.messages.subject.is_some() || plan.messages.body.is_some() {
        export.note("the plan's message templates are in another language than Alertmanager's and are left out");
    }
    if !plan.maintenance_windows.is_empty() {
        export.note("a mute time follows the clocks; where they are set during a window Belfry's lasts an hour more or less by them");
    }
    if plan.incidents.group_by.is_empty() {
        export.note("all alerts of one severity and policy are one incident (`group_by: []`)");
    }
}
