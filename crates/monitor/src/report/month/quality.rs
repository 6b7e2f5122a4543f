//! Alert quality: which rules fired, whether that led to anything, which only make noise, and which nobody has ever seen fire.

use std::collections::{BTreeMap, BTreeSet};

use alerting::{FLAPPING_FIRINGS, FLAPPING_WINDOW, TransitionKind};
use model::{Labels, Timestamp};
use plan::Severity;

use super::facts::MonthFacts;
use crate::incident::IncidentDetail;

/// What is to be said of a rule.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It fired and people did something about it.
    Useful,
    /// It fired, and nobody did anything.
    NotActedOn,
    /// It fired again and again within an hour.
    Flapping,
    /// It did not fire, but a drill has shown that it can.
    Proven,
    /// It did not fire, and no drill has shown that it can.
    Unproven,
}

impl Standing {
    /// What the report says.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Standing::Useful => "acted on",
            Standing::NotActedOn => "nobody acted",
            Standing::Flapping => "flaps",
            Standing::Proven => "proven by a drill",
            Standing::Unproven => "unproven",
        }
    }
}

/// One rule over the month.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleQuality {
    /// The alert's name.
    pub(crate) name: String,
    /// How urgent.
    pub(crate) severity: Severity,
    /// How often an alert of it fired.
    pub(crate) fired: usize,
    /// Firings that were the third or a later one within an hour.
    pub(crate) flapped: usize,
    /// Incidents that it opened or joined.
    pub(crate) incidents: usize,
    /// Those that somebody took.
    pub(crate) acknowledged: usize,
    /// Those about which somebody did something: ran or ticked a step, or wrote a note.
    pub(crate) acted_on: usize,
    /// When it last passed a drill.
    pub(crate) drilled: Option<Timestamp>,
    /// What is to be said of it.
    pub(crate) standing: Standing,
}

/// Every rule of the plan, in its order.
pub(crate) fn quality(facts: &MonthFacts) -> Vec<RuleQuality> {
    let firings = firings(facts);
    let by_alert = incidents_by_alert(&facts.incidents);
    let none = Vec::new();
    facts
        .rules
        .iter()
        .map(|rule| {
            let times = firings.get(rule.name.as_str());
            let fired = times.map_or(0, |series| series.values().map(Vec::len).sum());
            let flapped = times.map_or(0, |series| {
                series.values().map(|times| flapping(times)).sum()
            });
            let incidents = by_alert.get(rule.name.as_str()).unwrap_or(&none);
            let count = |counts: fn(&IncidentDetail) -> bool| {
                incidents.iter().filter(|detail| counts(detail)).count()
            };
            let drilled = facts.drilled.get(&rule.name).copied();
            let mut own = RuleQuality {
                name: rule.name.clone(),
                severity: rule.severity,
                fired,
                flapped,
                incidents: incidents.len(),
                acknowledged: count(|detail| detail.incident.first_acknowledged_at.is_some()),
                acted_on: count(acted_on),
                drilled,
                standing: Standing::Unproven,
            };
            own.standing = standing(&own);
            own
        })
        .collect()
}

fn standing(rule: &RuleQuality) -> Standing {
    match rule {
        RuleQuality { flapped: 1.., .. } => Standing::Flapping,
        RuleQuality { acted_on: 1.., .. } => Standing::Useful,
        RuleQuality { fired: 1.., .. } => Standing::NotActedOn,
        RuleQuality {
            drilled: Some(_), ..
        } => Standing::Proven,
        _ => Standing::Unproven,
    }
}

/// When each alert fired, by rule and labels.
fn firings(facts: &MonthFacts) -> BTreeMap<&str, BTreeMap<&Labels, Vec<Timestamp>>> {
    let mut firings: BTreeMap<&str, BTreeMap<&Labels, Vec<Timestamp>>> = BTreeMap::new();
    for entry in &facts.history {
        if entry.kind == TransitionKind::Fired.as_str() {
            let of_rule = firings.entry(entry.rule.as_str()).or_default();
            of_rule.entry(&entry.labels).or_default().push(entry.at);
        }
    }
    firings
}

/// Firings at which the engine took the alert for one that flaps.
fn flapping(times: &[Timestamp]) -> usize {
    let many = times.windows(FLAPPING_FIRINGS);
    many.filter(|some| some[FLAPPING_FIRINGS - 1].since(some[0]) < FLAPPING_WINDOW)
        .count()
}

fn incidents_by_alert(details: &[IncidentDetail]) -> BTreeMap<&str, Vec<&IncidentDetail>> {
    let mut found: BTreeMap<&str, Vec<&IncidentDetail>> = BTreeMap::new();
    for detail in details {
        let names: BTreeSet<&str> = detail
            .incident
            .members
            .keys()
            .filter_map(|labels| labels.get("alertname"))
            .collect();
        for name in names {
            found.entry(name).or_default().push(detail);
        }
    }
    found
}

/// Whether a person did something beyond saying that they have it.
fn acted_on(detail: &IncidentDetail) -> bool {
    let ran = detail.runs.iter().any(|run| !run.by.is_empty());
    ran || detail
        .timeline
        .iter()
        .any(|entry| entry.kind == alerting::TimelineKind::Note.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flapping_is_a_third_firing_within_an_hour() {
        let check = |minutes: &[i64], expect: usize| {
            let times: Vec<Timestamp> = minutes
                .iter()
                .map(|minute| Timestamp::from_millis(minute * 60_000))
                .collect();
            assert_eq!(flapping(&times), expect, "{minutes:?}");
        };
        check(&[], 0);
        check(&[0, 10], 0);
        check(&[0, 30, 59], 1);
        check(&[0, 30, 60], 0);
        check(&[0, 10, 20, 30], 2);
    }
}
