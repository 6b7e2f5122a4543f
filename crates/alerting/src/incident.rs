//! An incident: what a group of firing alerts is to people. Opens, is told level by level until somebody
//! acknowledges, and resolves when its last alert does.
//!
//! Deadlines are computed from the stored opening time, never from timers in memory, so a restart changes nothing: a
//! deadline that passed during an outage is due at once, and levels go out in order with none skipped.

use std::collections::BTreeMap;
use std::fmt;

use model::{Labels, Timestamp};
use plan::{EscalationLevel, Severity};

use crate::ResolveReason;

/// The number of an incident.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub i64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where an incident is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum IncidentState {
    /// Nobody has it yet; escalation runs.
    Open,
    /// Somebody has it; escalation rests.
    Acknowledged,
    /// Over.
    Resolved,
}

impl IncidentState {
    /// The word that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            IncidentState::Open => "open",
            IncidentState::Acknowledged => "acknowledged",
            IncidentState::Resolved => "resolved",
        }
    }
}

/// Who took an incident, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// How an incident ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// Why its last alert ended.
    pub reason: ResolveReason,
}

/// One alert of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The value when it fired: every level reads of the same event.
    pub value: f64,
    /// When it fired.
    pub started_at: Timestamp,
    /// When it resolved.
    pub resolved_at: Option<Timestamp>,
    /// Whether nothing is known about it at present.
    pub no_data: bool,
    /// The rule's summary with this alert's labels and value filled in.
    pub summary: String,
}

/// An incident with everything that decides what happens next.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// The alert's name; with the service it is the group that deduplicates.
    pub alert: String,
    /// How urgent.
    pub severity: Severity,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Who has it.
    pub acknowledged: Option<Acknowledgement>,
    /// How it ended.
    pub resolved: Option<Resolution>,
    /// Its alerts.
    pub members: BTreeMap<Labels, Member>,
    /// The levels of its escalation policy, as they were when it opened.
    pub levels: Vec<EscalationLevel>,
    /// How many of them have been told.
    pub levels_told: usize,
}

/// What can happen to an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum IncidentInput {
    /// An alert of its group fired (the first one opens it).
    AlertFired {
        /// Which.
        labels: Labels,
        /// Its value.
        value: f64,
        /// The rule's summary, filled in.
        summary: String,
    },
    /// An alert of its group resolved.
    AlertResolved {
        /// Which.
        labels: Labels,
        /// Why.
        reason: ResolveReason,
    },
    /// Nothing is known about an alert any more.
    AlertLostData {
        /// Which.
        labels: Labels,
    },
    /// Data came back.
    AlertDataCameBack {
        /// Which.
        labels: Labels,
    },
    /// Somebody takes it.
    Acknowledge {
        /// Who.
        by: String,
        /// What they said, possibly nothing.
        note: String,
    },
    /// Somebody writes something down.
    Note {
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// Time passed.
    Tick,
}

/// The kind of an entry in the incident's timeline.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TimelineKind {
    /// It opened.
    Opened,
    /// Another alert joined or one of several ended.
    Changed,
    /// A level was told.
    Escalated,
    /// A page was accepted by its receiver.
    Delivered,
    /// A page was refused; it is tried again.
    DeliveryFailed,
    /// A page could not be delivered at all.
    GivenUp,
    /// Somebody took it.
    Acknowledged,
    /// Data is missing.
    NoData,
    /// Data came back.
    DataBack,
    /// It ended.
    Resolved,
    /// Somebody wrote something.
    Note,
}

impl TimelineKind {
    /// All kinds.
    pub const ALL: [TimelineKind; 11] = [
        TimelineKind::Opened,
        TimelineKind::Changed,
        TimelineKind::Escalated,
        TimelineKind::Delivered,
        TimelineKind::DeliveryFailed,
        TimelineKind::GivenUp,
        TimelineKind::Acknowledged,
        TimelineKind::NoData,
        TimelineKind::DataBack,
        TimelineKind::Resolved,
        TimelineKind::Note,
    ];

    /// The word that the API and the store use.
    pub fn as_str(self) -> &'static str {
        match self {
            TimelineKind::Opened => "opened",
            TimelineKind::Changed => "changed",
            TimelineKind::Escalated => "escalated",
            TimelineKind::Delivered => "delivered",
            TimelineKind::DeliveryFailed => "delivery_failed",
            TimelineKind::GivenUp => "given_up",
            TimelineKind::Acknowledged => "acknowledged",
            TimelineKind::NoData => "no_data",
            TimelineKind::DataBack => "data_back",
            TimelineKind::Resolved => "resolved",
            TimelineKind::Note => "note",
        }
    }
}

/// What the shell must do, in this order and in one transaction with the changed incident.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write it down.
    Timeline(TimelineKind, String),
    /// Tell everybody who fills one of these roles that it fires.
    Page {
        /// Which level, counted from 1.
        level: usize,
        /// Whom.
        roles: Vec<String>,
    },
    /// Tell everybody who was told that it fires that it is over.
    PageResolved,
}

impl Incident {
    /// An incident that has not begun: step it with [`IncidentInput::AlertFired`] to open it.
    ///
    /// A warning notifies the first level and never escalates, whatever its policy says.
    pub fn new(
        id: IncidentId,
        alert: &str,
        severity: Severity,
        levels: &[EscalationLevel],
        now: Timestamp,
    ) -> Incident {
        let levels = match severity {
            Severity::Critical => levels.to_vec(),
            Severity::Warning => levels.iter().take(1).cloned().collect(),
        };
        Incident {
            id,
            alert: alert.to_owned(),
            severity,
            opened_at: now,
            acknowledged: None,
            resolved: None,
            members: BTreeMap::new(),
            levels,
            levels_told: 0,
        }
    }

    /// Where it is.
    pub fn state(&self) -> IncidentState {
        match (&self.resolved, &self.acknowledged) {
            (Some(_), _) => IncidentState::Resolved,
            (None, Some(_)) => IncidentState::Acknowledged,
            (None, None) => IncidentState::Open,
        }
    }

    /// Whether nothing is known about any of its firing alerts.
    pub fn no_data(&self) -> bool {
        let mut firing = self
            .members
            .values()
            .filter(|member| member.resolved_at.is_none())
            .peekable();
        firing.peek().is_some() && firing.all(|member| member.no_data)
    }

    /// When the next level will be told, if nobody acknowledges: its number, counted from 1, and the time.
    pub fn next_level(&self) -> Option<(usize, Timestamp)> {
        if self.state() != IncidentState::Open {
            return None;
        }
        let level = self.levels.get(self.levels_told)?;
        Some((self.levels_told + 1, self.opened_at + level.after))
    }

    /// Takes one input in and says what must be done. Inputs that do not apply any more (acknowledging a resolved
    /// incident) do nothing.
    pub fn step(&mut self, input: IncidentInput, now: Timestamp) -> Vec<Effect> {
        if self.resolved.is_some() && !matches!(input, IncidentInput::Note { .. }) {
            return Vec::new();
        }
        let mut effects = match input {
            IncidentInput::AlertFired {
                labels,
                value,
                summary,
            } => self.alert_fired(labels, value, summary, now),
            IncidentInput::AlertResolved { labels, reason } => {
                self.alert_resolved(&labels, reason, now)
            }
            IncidentInput::AlertLostData { labels } => self.mark_data(&labels, true),
            IncidentInput::AlertDataCameBack { labels } => self.mark_data(&labels, false),
            IncidentInput::Acknowledge { by, note } => self.acknowledge(by, &note, now),
            IncidentInput::Note { by, text } => vec![Effect::Timeline(
                TimelineKind::Note,
                format!("{by}: {text}"),
            )],
            IncidentInput::Tick => Vec::new(),
        };
        self.escalate(now, &mut effects);
        effects
    }

    fn alert_fired(
        &mut self,
        labels: Labels,
        value: f64,
        summary: String,
        now: Timestamp,
    ) -> Vec<Effect> {
        let kind = if self.members.is_empty() {
            TimelineKind::Opened
        } else {
            TimelineKind::Changed
        };
        let text = format!("{} fires: {summary}", self.alert);
        self.members.insert(
            labels,
            Member {
                value,
                started_at: now,
                resolved_at: None,
                no_data: false,
                summary,
            },
        );
        vec![Effect::Timeline(kind, text)]
    }

    fn alert_resolved(
        &mut self,
        labels: &Labels,
        reason: ResolveReason,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Some(member) = self.members.get_mut(labels) else {
            return Vec::new();
        };
        member.resolved_at = Some(now);
        let why = match reason {
            ResolveReason::Recovered => "the condition no longer holds",
            ResolveReason::NoTraffic => "complete scrapes bring no value (no traffic)",
            ResolveReason::RuleRemoved => "the rule left the plan",
        };
        if self
            .members
            .values()
            .any(|member| member.resolved_at.is_none())
        {
            return vec![Effect::Timeline(
                TimelineKind::Changed,
                format!("one alert ended ({labels}): {why}"),
            )];
        }
        self.resolved = Some(Resolution { at: now, reason });
        let mut effects = vec![Effect::Timeline(
            TimelineKind::Resolved,
            format!("resolved: {why}"),
        )];
        if self.levels_told > 0 {
            effects.push(Effect::PageResolved);
        }
        effects
    }

    fn mark_data(&mut self, labels: &Labels, missing: bool) -> Vec<Effect> {
        let Some(member) = self.members.get_mut(labels) else {
            return Vec::new();
        };
        if member.no_data == missing {
            return Vec::new();
        }
        member.no_data = missing;
        let entry = if missing {
            Effect::Timeline(
                TimelineKind::NoData,
                format!("no data for {labels}; it stays firing"),
            )
        } else {
            Effect::Timeline(TimelineKind::DataBack, format!("data is back for {labels}"))
        };
        vec![entry]
    }

    fn acknowledge(&mut self, by: String, note: &str, now: Timestamp) -> Vec<Effect> {
        if self.acknowledged.is_some() {
            return Vec::new();
        }
        let text = if note.is_empty() {
            format!("acknowledged by {by}")
        } else {
            format!("acknowledged by {by}: {note}")
        };
        self.acknowledged = Some(Acknowledgement { at: now, by });
        vec![Effect::Timeline(TimelineKind::Acknowledged, text)]
    }

    /// Tells the next level now, whatever its time: for a level that reached nobody. Nothing when none is left, or when
    /// escalation rests.
    pub fn tell_next_level(&mut self) -> Vec<Effect> {
        let Some((level, _)) = self.next_level() else {
            return Vec::new();
        };
        let roles = self.levels[self.levels_told].roles.clone();
        self.levels_told += 1;
        let text = format!("level {level}: {} told", roles.join(", "));
        vec![
            Effect::Timeline(TimelineKind::Escalated, text),
            Effect::Page { level, roles },
        ]
    }

    fn escalate(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while self.next_level().is_some_and(|(_, due)| due <= now) {
            effects.extend(self.tell_next_level());
        }
    }
}
