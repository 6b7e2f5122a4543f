//! An incident: what a group of alerts is to people. Opens, is told level by level until somebody acknowledges, and
//! resolves when its last alert does.
//!
//! Deadlines are computed from stored times, never from timers in memory, so a restart changes nothing: a deadline that
//! passed during an outage is due at once, and levels go out in order with none skipped.
//!
//! The ladder has a clock of its own that rests while somebody has the incident or its pages are held back: what rests is
//! not lost time. When an acknowledgement expires, a silence or a maintenance window ends, whoever was told is told again
//! and the clock runs on. When an inhibition ends it just runs on: nobody decided to look away.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Labels, Timestamp};
use plan::{EscalationLevel, Severity};

use crate::{
    Effect, Hold, HoldKind, IncidentId, IncidentInput, PageReason, ResolveReason, TimelineKind,
};

/// The most alerts that one incident holds; more are counted and left out. People read the first few, and the incident is
/// open whatever their number.
pub const MEMBERS_MAX: usize = 2_000;

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

/// Whom the pages of a drill go to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DrillPages {
    /// To a sink that accepts them.
    Sink,
    /// To people, marked as a drill.
    People,
}

impl DrillPages {
    /// Both.
    pub const ALL: [DrillPages; 2] = [DrillPages::Sink, DrillPages::People];

    /// The word that the API and the store use.
    pub fn as_str(self) -> &'static str {
        match self {
            DrillPages::Sink => "sink",
            DrillPages::People => "people",
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
    /// Until when it holds; `None`: to the end.
    pub until: Option<Timestamp>,
}

/// How an incident ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: ResolveReason,
}

/// One alert of an incident. Its labels are its identity: those of its series, the rule's own, `alertname` and `severity`.
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
    /// For an alert that another program sent: until when its word counts, and where it came from.
    pub foreign: Option<ForeignAlert>,
}

/// What is kept of an alert that another program sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignAlert {
    /// When its sender must have spoken again; past it nothing is known about the alert.
    pub expires_at: Timestamp,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Where its sender explains it.
    pub generator_url: String,
}

/// What an incident is made for: everything that is settled when it opens.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentHead {
    /// Its number.
    pub id: IncidentId,
    /// What people call it: the alert's name, or what somebody wrote.
    pub title: String,
    /// The group that deduplicates: alerts of one group join one open incident.
    pub group: String,
    /// How urgent.
    pub severity: Severity,
    /// When it opened.
    pub opened_at: Timestamp,
    /// The levels of its escalation policy, as they were when it opened.
    pub levels: Vec<EscalationLevel>,
    /// How long an acknowledgement holds.
    pub acknowledgement_expires: Option<Duration>,
    /// The shortest time between pages about alerts that join.
    pub page_interval: Duration,
    /// The procedure that its responder follows.
    pub procedure: Option<String>,
}

/// An incident with everything that decides what happens next.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// What was settled when it opened.
    pub head: IncidentHead,
    /// Who has it.
    pub acknowledged: Option<Acknowledgement>,
    /// When somebody first took it, for the report: an acknowledgement that expired was one all the same.
    pub first_acknowledged_at: Option<Timestamp>,
    /// How it ended.
    pub resolved: Option<Resolution>,
    /// What holds its pages back.
    pub held: Option<Hold>,
    /// Its alerts.
    pub members: BTreeMap<Labels, Member>,
    /// Alerts that did not fit.
    pub left_out: u64,
    /// How many levels have been told.
    pub levels_told: usize,
    /// Who was told, and at which level first.
    pub told: BTreeMap<String, usize>,
    /// By how much the ladder's clock is behind, in milliseconds: the time that it rested, and what the machine's clock was set by.
    pub shift_ms: i64,
    /// Since when the ladder's clock rests.
    pub resting_since: Option<Timestamp>,
    /// When somebody was last paged about it.
    pub paged_at: Option<Timestamp>,
    /// Whether alerts joined since.
    pub joined: bool,
    /// Groups of incidents that were merged into this one.
    pub merged_groups: BTreeSet<String>,
    /// For a drill, whom its pages go to; `None`: it is real.
    pub drill: Option<DrillPages>,
}

impl Incident {
    /// An incident that has not begun: step it with [`IncidentInput::AlertFired`] or [`IncidentInput::OpenByHand`] to open it.
    ///
    /// A warning notifies the first level and never escalates, whatever its policy says.
    pub fn new(mut head: IncidentHead) -> Incident {
        if head.severity == Severity::Warning {
            head.levels.truncate(1);
        }
        Incident {
            head,
            acknowledged: None,
            first_acknowledged_at: None,
            resolved: None,
            held: None,
            members: BTreeMap::new(),
            left_out: 0,
            levels_told: 0,
            told: BTreeMap::new(),
            shift_ms: 0,
            resting_since: None,
            paged_at: None,
            joined: false,
            merged_groups: BTreeSet::new(),
            drill: None,
        }
    }

    /// Its number.
    pub fn id(&self) -> IncidentId {
        self.head.id
    }

    /// Where it is.
    pub fn state(&self) -> IncidentState {
        match (&self.resolved, &self.acknowledged) {
            (Some(_), _) => IncidentState::Resolved,
            (None, Some(_)) => IncidentState::Acknowledged,
            (None, None) => IncidentState::Open,
        }
    }

    /// Its alerts that have not resolved.
    pub fn firing(&self) -> impl Iterator<Item = (&Labels, &Member)> {
        self.members
            .iter()
            .filter(|(_, member)| member.resolved_at.is_none())
    }

    /// Whether nothing is known about any of its firing alerts.
    pub fn no_data(&self) -> bool {
        let mut firing = self.firing().peekable();
        firing.peek().is_some() && firing.all(|(_, member)| member.no_data)
    }

    /// When a level is due if the ladder's clock does not rest again.
    pub fn due_at(&self, level: &EscalationLevel) -> Timestamp {
        shifted(self.head.opened_at + level.after, self.shift_ms)
    }

    /// When the next level will be told, if nobody acknowledges: its number, counted from 1, and the time.
    pub fn next_level(&self) -> Option<(usize, Timestamp)> {
        if self.state() != IncidentState::Open || self.held.is_some() {
            return None;
        }
        let level = self.head.levels.get(self.levels_told)?;
        Some((self.levels_told + 1, self.due_at(level)))
    }

    /// The next time at which [`IncidentInput::Tick`] would change something.
    pub fn next_change(&self) -> Option<Timestamp> {
        if self.resolved.is_some() {
            return None;
        }
        let expiry = self.acknowledged.as_ref().and_then(|own| own.until);
        let update = self.update_due_at();
        let level = self.next_level().map(|(_, at)| at);
        [expiry, update, level].into_iter().flatten().min()
    }

    /// The machine's clock was set: moves everything that counts elapsed time, so that no level comes early or late.
    pub fn clock_was_set(&mut self, by_ms: i64) {
        self.shift_ms = self.shift_ms.saturating_add(by_ms);
        let shift = |at: &mut Timestamp| *at = shifted(*at, by_ms);
        self.resting_since.iter_mut().for_each(shift);
        self.paged_at.iter_mut().for_each(shift);
        if let Some(acknowledged) = &mut self.acknowledged {
            acknowledged.until.iter_mut().for_each(shift);
        }
        for member in self.members.values_mut() {
            if let Some(foreign) = &mut member.foreign {
                shift(&mut foreign.expires_at);
            }
        }
    }

    /// Takes one input in and says what must be done. Inputs that do not apply any more (acknowledging a resolved
    /// incident) do nothing.
    pub fn step(&mut self, input: IncidentInput, now: Timestamp) -> Vec<Effect> {
        if self.resolved.is_some() && !matches!(input, IncidentInput::Note { .. }) {
            return Vec::new();
        }
        let mut effects = Vec::new();
        self.expire_acknowledgement(now, &mut effects);
        match input {
            IncidentInput::AlertFired {
                labels,
                value,
                summary,
                foreign,
            } => {
                let member = Member {
                    value,
                    started_at: now,
                    resolved_at: None,
                    no_data: false,
                    summary,
                    foreign,
                };
                self.alert_fired(labels, member, &mut effects);
            }
            IncidentInput::AlertResolved { labels, reason } => {
                self.alert_resolved(&labels, reason, now, &mut effects);
            }
            IncidentInput::AlertLostData { labels } => self.mark_data(&labels, true, &mut effects),
            IncidentInput::AlertDataCameBack { labels } => {
                self.mark_data(&labels, false, &mut effects);
            }
            IncidentInput::OpenByHand { by, text } => effects.push(Effect::Timeline(
                TimelineKind::Opened,
                with_words(format!("opened by {by}"), &text),
            )),
            IncidentInput::Acknowledge { by, note } => {
                self.acknowledge(by, &note, now, &mut effects);
            }
            IncidentInput::Resolve { by, note } => {
                let text = with_words(format!("resolved by {by}"), &note);
                self.end(ResolveReason::ByHand, text, now, &mut effects);
            }
            IncidentInput::MergeInto { by, other } => {
                let text = format!("merged into incident {other} by {by}");
                self.end(ResolveReason::Merged, text, now, &mut effects);
            }
            IncidentInput::TakeIn { by, other } => self.take_in(&by, *other, &mut effects),
            IncidentInput::Hold(hold) => self.hold(hold, now, &mut effects),
            IncidentInput::Note { kind, text } => effects.push(Effect::Timeline(kind, text)),
            IncidentInput::TurnReal { why } => self.turn_real(&why, now, &mut effects),
            IncidentInput::Tick => {}
        }
        self.escalate(now, &mut effects);
        self.tell_of_joined(now, &mut effects);
        effects
    }

    fn alert_fired(&mut self, labels: Labels, member: Member, effects: &mut Vec<Effect>) {
        let opens = self.members.is_empty();
        if !self.members.contains_key(&labels) && !self.has_room() {
            self.left_out += 1;
            return;
        }
        let name = labels.get("alertname").unwrap_or(&self.head.title);
        let text = format!("{name} fires: {}", member.summary);
        self.members.insert(labels, member);
        self.joined |= !opens;
        let kind = if opens {
            TimelineKind::Opened
        } else {
            TimelineKind::Changed
        };
        effects.push(Effect::Timeline(kind, text));
    }

    /// Makes room for a further alert, if need be by forgetting one that ended.
    fn has_room(&mut self) -> bool {
        if self.members.len() < MEMBERS_MAX {
            return true;
        }
        let ended = self
            .members
            .iter()
            .find(|(_, member)| member.resolved_at.is_some())
            .map(|(labels, _)| labels.clone());
        ended.is_some_and(|labels| self.members.remove(&labels).is_some())
    }

    fn alert_resolved(
        &mut self,
        labels: &Labels,
        reason: ResolveReason,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(member) = self.members.get_mut(labels) else {
            return;
        };
        if member.resolved_at.is_some() {
            return;
        }
        member.resolved_at = Some(now);
        if self.firing().next().is_some() {
            let text = format!("one alert ended ({labels}): {}", reason.in_words());
            effects.push(Effect::Timeline(TimelineKind::Changed, text));
            return;
        }
        self.end(
            reason,
            format!("resolved: {}", reason.in_words()),
            now,
            effects,
        );
    }

    fn end(
        &mut self,
        reason: ResolveReason,
        text: String,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        for member in self.members.values_mut() {
            member.resolved_at.get_or_insert(now);
        }
        self.resolved = Some(Resolution { at: now, reason });
        effects.push(Effect::Timeline(TimelineKind::Resolved, text));
        if !self.told.is_empty() {
            effects.push(Effect::PageResolved);
        }
    }

    fn mark_data(&mut self, labels: &Labels, missing: bool, effects: &mut Vec<Effect>) {
        let Some(member) = self.members.get_mut(labels) else {
            return;
        };
        if member.no_data == missing {
            return;
        }
        member.no_data = missing;
        effects.push(if missing {
            let text = format!("no data for {labels}; it stays firing");
            Effect::Timeline(TimelineKind::NoData, text)
        } else {
            Effect::Timeline(TimelineKind::DataBack, format!("data is back for {labels}"))
        });
    }

    fn acknowledge(&mut self, by: String, note: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.acknowledged.is_some() {
            return;
        }
        let text = with_words(format!("acknowledged by {by}"), note);
        effects.push(Effect::Timeline(TimelineKind::Acknowledged, text));
        self.first_acknowledged_at.get_or_insert(now);
        let until = self.head.acknowledgement_expires.map(|length| now + length);
        self.acknowledged = Some(Acknowledgement { at: now, by, until });
        self.rest(now);
    }

    fn expire_acknowledgement(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let expired = |own: &&Acknowledgement| own.until.is_some_and(|until| until <= now);
        let Some(old) = self.acknowledged.as_ref().filter(expired) else {
            return;
        };
        let text = format!(
            "the acknowledgement by {} expired; escalation goes on",
            old.by
        );
        effects.push(Effect::Timeline(TimelineKind::AcknowledgementExpired, text));
        self.acknowledged = None;
        self.go_on(now, Some(PageReason::AcknowledgementExpired), effects);
    }

    fn hold(&mut self, hold: Option<Hold>, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.held == hold {
            return;
        }
        let before = std::mem::replace(&mut self.held, hold);
        match (&self.held, before) {
            (Some(hold), _) => {
                let text = format!("pages are held back: {hold}");
                effects.push(Effect::Timeline(TimelineKind::Held, text));
                self.rest(now);
            }
            (None, Some(before)) => {
                let text = format!("pages are no longer held back: {before} ended");
                effects.push(Effect::Timeline(TimelineKind::Released, text));
                let again = (before.kind != HoldKind::Inhibition).then_some(PageReason::HoldEnded);
                self.go_on(now, again, effects);
            }
            (None, None) => {}
        }
    }

    /// Nobody was told of a drill as of something real, so that its ladder begins anew; whoever "had" it was the drill.
    fn turn_real(&mut self, why: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.drill.take().is_none() {
            return;
        }
        self.acknowledged = None;
        self.first_acknowledged_at = None;
        self.resting_since = self.held.is_some().then_some(now);
        self.levels_told = 0;
        self.told.clear();
        self.shift_ms = now.as_millis() - self.head.opened_at.as_millis();
        let text = format!("no longer a drill: {why}; it is told from the beginning");
        effects.push(Effect::Timeline(TimelineKind::Drill, text));
    }

    fn rest(&mut self, now: Timestamp) {
        self.resting_since.get_or_insert(now);
    }

    /// Lets the ladder's clock run again, unless something else keeps it at rest; tells those who were told again if there
    /// is a reason to.
    fn go_on(&mut self, now: Timestamp, again: Option<PageReason>, effects: &mut Vec<Effect>) {
        if self.acknowledged.is_some() || self.held.is_some() {
            return;
        }
        if let Some(since) = self.resting_since.take() {
            let rested = i64::try_from(now.since(since).as_millis()).unwrap_or(i64::MAX);
            self.shift_ms = self.shift_ms.saturating_add(rested);
        }
        if let Some(reason) = again {
            self.tell_again(reason, now, effects);
        }
    }

    fn take_in(&mut self, by: &str, other: Incident, effects: &mut Vec<Effect>) {
        let text = format!("incident {} was merged into this one by {by}", other.id());
        effects.push(Effect::Timeline(TimelineKind::Changed, text));
        self.merged_groups.insert(other.head.group);
        self.merged_groups.extend(other.merged_groups);
        for (labels, member) in other.members {
            if member.resolved_at.is_some() {
                continue;
            }
            if self.has_room() {
                self.members.insert(labels, member);
            } else {
                self.left_out += 1;
            }
        }
    }

    /// Tells the next level now, whatever its time: for a level that reached nobody. Nothing when none is left, or when
    /// escalation rests.
    pub fn tell_next_level(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some((number, due)) = self.next_level() else {
            return Vec::new();
        };
        let roles = self.head.levels[self.levels_told].roles.clone();
        self.levels_told += 1;
        self.paged_at = Some(now);
        let text = format!("level {number}: {} told", roles.join(", "));
        vec![
            Effect::Timeline(TimelineKind::Escalated, text),
            Effect::Page {
                level: number,
                roles,
                reason: PageReason::Escalation,
                // A level that is told early because the one before it reached nobody is not late.
                due: due.min(now),
            },
        ]
    }

    fn escalate(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        // Nobody is told of an incident that has nothing to say yet.
        if effects.is_empty() && self.members.is_empty() && self.levels_told == 0 {
            return;
        }
        while self.next_level().is_some_and(|(_, due)| due <= now) {
            let due = self.next_level().map_or(now, |(_, due)| due);
            let mut told = self.tell_next_level(now);
            for effect in &mut told {
                if let Effect::Page { due: promised, .. } = effect {
                    *promised = due;
                }
            }
            effects.extend(told);
        }
    }

    fn tell_again(&mut self, reason: PageReason, now: Timestamp, effects: &mut Vec<Effect>) {
        for index in 0..self.levels_told {
            effects.push(Effect::Page {
                level: index + 1,
                roles: self.head.levels[index].roles.clone(),
                reason,
                due: now,
            });
        }
        if self.levels_told > 0 {
            self.paged_at = Some(now);
            self.joined = false;
        }
    }

    fn update_due_at(&self) -> Option<Timestamp> {
        let is_due = self.joined && self.state() == IncidentState::Open && self.held.is_none();
        let paged_at = self.paged_at.filter(|_| is_due)?;
        Some(paged_at + self.head.page_interval)
    }

    fn tell_of_joined(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.update_due_at().is_some_and(|due| due <= now) {
            self.tell_again(PageReason::Joined, now, effects);
        }
    }
}

/// A time moved by some milliseconds, either way.
fn shifted(at: Timestamp, by_ms: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(by_ms))
}

/// A sentence and what somebody said with it, if anything.
fn with_words(sentence: String, words: &str) -> String {
    if words.is_empty() {
        sentence
    } else {
        format!("{sentence}: {words}")
    }
}
