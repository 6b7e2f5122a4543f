//! What holds pages back: silences that people set, maintenance windows of the plan, and inhibition by other alerts.
//!
//! An alert that is held back fires all the same and its incident is open; only nobody is told. An incident is held back
//! when every alert of it is, so that a new problem in an old incident is never silenced by accident.

use std::collections::BTreeMap;
use std::fmt;

use model::{Labels, Matcher, Timestamp};
use plan::{Inhibition, MaintenanceWindow};

use crate::{IncidentId, window_at};

/// A person's decision not to be told about some alerts for a while.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Which alerts: those that satisfy every matcher.
    pub matchers: Vec<Matcher>,
    /// From when …
    pub starts_at: Timestamp,
    /// … until when, exclusive.
    pub ends_at: Timestamp,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Silence {
    /// Whether it holds at a time.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }

    /// Whether it is about an alert with these labels.
    pub fn selects(&self, labels: &Labels) -> bool {
        self.matchers
            .iter()
            .all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or("")))
    }
}

/// Which of the three it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HoldKind {
    /// A person decided so.
    Silence,
    /// The plan does, at certain hours.
    Window,
    /// Another alert says it already.
    Inhibition,
}

impl HoldKind {
    /// The word that the API and the store use.
    pub fn as_str(self) -> &'static str {
        match self {
            HoldKind::Silence => "silence",
            HoldKind::Window => "maintenance_window",
            HoldKind::Inhibition => "inhibition",
        }
    }

    /// The kind of a word; `None` for a word that is none.
    pub fn from_word(word: &str) -> Option<HoldKind> {
        [HoldKind::Silence, HoldKind::Window, HoldKind::Inhibition]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// What holds an incident's pages back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// What it is.
    pub kind: HoldKind,
    /// Which one: a silence's id, a window's or an inhibition's name.
    pub id: String,
    /// In words: who and why.
    pub why: String,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            HoldKind::Silence => write!(f, "a silence by {}", self.why),
            HoldKind::Window => write!(f, "the maintenance window {}", self.why),
            HoldKind::Inhibition => f.write_str(&self.why),
        }
    }
}

/// An alert that fires, for deciding what holds what back.
#[derive(Copy, Clone, Debug)]
pub struct FiringAlert<'a> {
    /// Its incident.
    pub incident: IncidentId,
    /// All its labels.
    pub labels: &'a Labels,
    /// Since when.
    pub started_at: Timestamp,
}

/// Everything that can hold pages back at one time.
#[derive(Debug)]
pub struct Holds<'a> {
    silences: Vec<&'a Silence>,
    windows: Vec<&'a MaintenanceWindow>,
    /// For each alert that is held back by another one: why.
    inhibited: BTreeMap<&'a Labels, Hold>,
}

impl<'a> Holds<'a> {
    /// What holds back what at `now`, given all alerts that fire.
    pub fn at(
        silences: &'a [Silence],
        windows: &'a [MaintenanceWindow],
        inhibitions: &'a [Inhibition],
        firing: &[FiringAlert<'a>],
        now: Timestamp,
    ) -> Holds<'a> {
        Holds {
            silences: silences
                .iter()
                .filter(|silence| silence.is_active(now))
                .collect(),
            windows: windows
                .iter()
                .filter(|window| window_at(window, now).is_some())
                .collect(),
            inhibited: inhibited(inhibitions, firing),
        }
    }

    /// Whether nothing holds anything back.
    pub fn is_empty(&self) -> bool {
        self.silences.is_empty() && self.windows.is_empty() && self.inhibited.is_empty()
    }

    /// What holds an alert back.
    pub fn of(&self, labels: &Labels) -> Option<Hold> {
        if let Some(silence) = self.silences.iter().find(|silence| silence.selects(labels)) {
            return Some(Hold {
                kind: HoldKind::Silence,
                id: silence.id.clone(),
                why: format!("{}: {}", silence.author, silence.reason),
            });
        }
        let covers =
            |window: &&&MaintenanceWindow| window.alerts.iter().any(|own| own.selects(labels));
        if let Some(window) = self.windows.iter().find(covers) {
            return Some(Hold {
                kind: HoldKind::Window,
                id: window.name.clone(),
                why: format!("{}: {}", window.name, window.reason),
            });
        }
        self.inhibited.get(labels).cloned()
    }

    /// What holds an incident back: that of its first alert, if every alert that fires is held back.
    pub fn of_all<'b>(&self, mut alerts: impl Iterator<Item = &'b Labels>) -> Option<Hold> {
        let first = self.of(alerts.next()?)?;
        alerts
            .all(|labels| self.of(labels).is_some())
            .then_some(first)
    }
}

/// The alerts that others hold back. Where alerts hold back each other in a circle, the oldest of them is told: a circle
/// must not silence all of its alerts.
fn inhibited<'a>(
    inhibitions: &[Inhibition],
    firing: &[FiringAlert<'a>],
) -> BTreeMap<&'a Labels, Hold> {
    let mut held: BTreeMap<&Labels, (&FiringAlert<'a>, &FiringAlert<'a>, &Inhibition)> =
        BTreeMap::new();
    for inhibition in inhibitions {
        let selected = |selectors: &[plan::AlertSelector], labels| {
            selectors.iter().any(|own| own.selects(labels))
        };
        let sources: Vec<&FiringAlert<'a>> = firing
            .iter()
            .filter(|alert| selected(&inhibition.while_firing, alert.labels))
            .collect();
        if sources.is_empty() {
            continue;
        }
        for target in firing {
            // What is on both sides of one inhibition holds others back and is told itself.
            let is_target = selected(&inhibition.hold_back, target.labels)
                && !selected(&inhibition.while_firing, target.labels);
            if !is_target || held.contains_key(target.labels) {
                continue;
            }
            let equal = |source: &&&FiringAlert<'a>| {
                inhibition
                    .equal
                    .iter()
                    .all(|name| source.labels.get(name) == target.labels.get(name))
            };
            if let Some(source) = sources.iter().find(equal) {
                held.insert(target.labels, (target, source, inhibition));
            }
        }
    }
    let released: Vec<&Labels> = held
        .keys()
        .copied()
        .filter(|labels| is_oldest_of_circle(labels, &held))
        .collect();
    for labels in released {
        held.remove(labels);
    }
    held.into_iter()
        .map(|(labels, (_, source, inhibition))| {
            let name = source.labels.get("alertname").unwrap_or("another alert");
            let hold = Hold {
                kind: HoldKind::Inhibition,
                id: inhibition.name.clone(),
                why: format!("{name} (incident {}) explains it", source.incident),
            };
            (labels, hold)
        })
        .collect()
}

fn is_oldest_of_circle(
    start: &Labels,
    held: &BTreeMap<&Labels, (&FiringAlert<'_>, &FiringAlert<'_>, &Inhibition)>,
) -> bool {
    let age = |alert: &FiringAlert<'_>| alert.started_at;
    let Some((own, mut source, _)) = held.get(start).copied() else {
        return false;
    };
    let mut oldest = (age(own), start);
    // Bounded: each step goes to another held alert, and a circle that does not come back to the start is not its own.
    for _ in 0..held.len() {
        if source.labels == start {
            return oldest == (age(own), start);
        }
        oldest = oldest.min((age(source), source.labels));
        match held.get(source.labels) {
            Some((_, next, _)) => source = next,
            None => return false,
        }
    }
    false
}
