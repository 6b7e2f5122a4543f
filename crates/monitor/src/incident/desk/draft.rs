//! From effects to what the store must record: roles become people, people channels, and a storm becomes a summary. Nothing is
//! changed here; a draft that the store refuses is thrown away.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use alerting::{
    Admission, DrillPages, Effect, Incident, IncidentId, IncidentInput, Member, PageReason,
    StormGate, TimelineKind, recipients,
};
use model::{Labels, Timestamp};
use plan::{EscalationLevel, Plan, RotaOverride, StepKind};

use super::state::DeskState;
use crate::incident::{
    Change, DRILL_SINK, IncidentChange, NewPage, NewRun, NewSummary, RuleChange,
};
use crate::setup::Setup;

/// How long a page waits for what the steps of its procedure find. Queries take milliseconds; a page must not wait for a
/// service that hangs.
const EVIDENCE_PATIENCE: Duration = Duration::from_secs(3);

/// How many incidents may be open for a new one to gather evidence by itself: in a storm the thousandth look at the same graph
/// helps nobody, and keeps the first ones waiting.
const EVIDENCE_INCIDENTS_MAX: usize = 50;

/// The most entries about single alerts that one change writes into a timeline: people read the first few of a thousand.
const ALERT_ENTRIES_MAX: usize = 50;

/// A change that is being put together.
pub(super) struct Draft<'a> {
    setup: &'a Setup,
    overrides: BTreeMap<String, Vec<RotaOverride>>,
    now: Timestamp,
    storm: StormGate,
    clock_set_by_ms: i64,
    rules: Vec<RuleChange>,
    incidents: BTreeMap<IncidentId, IncidentChange>,
    summaries: Vec<NewSummary>,
    next_id: i64,
    /// Incidents that are open, those of this draft among them.
    open_count: usize,
    /// Groups of incidents that this draft opens.
    new_groups: BTreeMap<String, IncidentId>,
    /// Levels that reached nobody.
    pub(super) unroutable: u64,
}

impl<'a> Draft<'a> {
    pub(super) fn new(setup: &'a Setup, state: &DeskState, now: Timestamp) -> Draft<'a> {
        Draft {
            setup,
            overrides: state.rota_overrides(),
            now,
            storm: state.storm.clone(),
            clock_set_by_ms: 0,
            rules: Vec::new(),
            incidents: BTreeMap::new(),
            summaries: Vec::new(),
            next_id: state.next_id,
            open_count: state.open.len(),
            new_groups: BTreeMap::new(),
            unroutable: 0,
        }
    }

    /// What must be recorded, and what the storm gate becomes with it.
    pub(super) fn finish(self) -> (Change, StormGate) {
        let mut incidents: Vec<IncidentChange> = self.incidents.into_values().collect();
        incidents
            .iter_mut()
            .for_each(|change| shorten(&mut change.timeline));
        let change = Change {
            clock_set_by_ms: self.clock_set_by_ms,
            rules: self.rules,
            incidents,
            summaries: self.summaries,
        };
        (change, self.storm)
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
            && self.incidents.is_empty()
            && self.summaries.is_empty()
            && self.clock_set_by_ms == 0
    }

    /// The machine's clock was set: waiting pages and the storm gate move. Rules and incidents are put in by the caller.
    pub(super) fn clock_was_set(&mut self, by_ms: i64) {
        self.clock_set_by_ms = by_ms;
        self.storm.clock_was_set(by_ms);
    }

    pub(super) fn rule(&mut self, change: RuleChange) {
        self.rules.push(change);
    }

    /// The number of the next incident that this draft opens.
    pub(super) fn next_id(&self) -> IncidentId {
        IncidentId(self.next_id)
    }

    /// The incident that an alert of this group belongs to: one that this draft opened, or one that is open.
    pub(super) fn of_group(&self, state: &DeskState, group: &str) -> Option<IncidentId> {
        let new = self.new_groups.get(group).copied();
        new.or_else(|| state.of_group(group).map(Incident::id))
            .filter(|id| self.is_open(*id))
    }

    /// Whether an open incident of the desk is not ended by this draft.
    pub(super) fn is_open(&self, id: IncidentId) -> bool {
        let drafted = self.incidents.get(&id);
        drafted.is_none_or(|change| change.incident.resolved.is_none())
    }

    /// Opens an incident; its steps that run by themselves are queued.
    pub(super) fn open(&mut self, incident: Incident) -> IncidentId {
        let id = incident.id();
        self.next_id = self.next_id.max(id.0 + 1);
        self.new_groups.insert(incident.head.group.clone(), id);
        self.open_count += 1;
        let mut change = IncidentChange::new(incident);
        if let Some(pages) = change.incident.drill {
            change
                .timeline
                .push((TimelineKind::Drill, drill_text(pages)));
        }
        if self.open_count <= EVIDENCE_INCIDENTS_MAX {
            let procedure = change.incident.head.procedure.as_deref();
            change.runs = automatic_runs(&self.setup.plan, procedure);
        }
        self.incidents.insert(id, change);
        id
    }

    /// Steps an incident of the draft or of the desk; `touched` are its alerts that this is about.
    pub(super) fn step(
        &mut self,
        state: &DeskState,
        id: IncidentId,
        touched: impl IntoIterator<Item = Labels>,
        input: IncidentInput,
    ) {
        let drafted = self.incidents.remove(&id);
        let is_drafted = drafted.is_some();
        let mut change = match drafted {
            Some(change) => change,
            None => match state.open.get(&id) {
                Some(incident) => IncidentChange::new(incident.clone()),
                None => return,
            },
        };
        let effects = change.incident.step(input, self.now);
        change.touched.extend(touched);
        if change.incident.resolved.is_some() {
            // With the incident every alert of it ended.
            change.touched = change.incident.members.keys().cloned().collect();
        }
        if is_drafted || !effects.is_empty() || !change.touched.is_empty() {
            self.perform(&mut change, effects);
            self.incidents.insert(id, change);
        }
    }

    /// Records an incident as it is, for changes that have no input (the clock was set, an alert's sender spoke again).
    pub(super) fn put(&mut self, incident: Incident, touched: Vec<Labels>) {
        let mut change = IncidentChange::new(incident);
        change.touched = touched;
        self.incidents.insert(change.incident.id(), change);
    }

    /// Changes what is kept of an alert of an incident that the draft has.
    pub(super) fn change_alert(
        &mut self,
        id: IncidentId,
        labels: &Labels,
        change: impl FnOnce(&mut Member),
    ) {
        let drafted = self.incidents.get_mut(&id);
        if let Some(member) = drafted.and_then(|own| own.incident.members.get_mut(labels)) {
            change(member);
        }
    }

    /// Queues the summaries whose time has come.
    pub(super) fn summarise(&mut self) {
        for person in self.storm.due(self.now) {
            let channel = self
                .setup
                .contacts
                .person(&person)
                .and_then(|found| found.channel_names().into_iter().next());
            self.storm.summarised(&person, self.now);
            // Whoever left the contacts has nobody to read a summary; their pages say so when they are looked at.
            let channel = channel.unwrap_or_default();
            self.summaries.push(NewSummary { person, channel });
        }
    }

    fn perform(&mut self, change: &mut IncidentChange, effects: Vec<Effect>) {
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            match effect {
                Effect::Timeline(kind, text) => change.timeline.push((kind, text)),
                Effect::PageResolved => self.page_resolved(change),
                Effect::Page {
                    level,
                    roles,
                    reason,
                    due,
                } => {
                    let reached = self.page(change, level, &roles, reason, due);
                    let goes_on = reason == PageReason::Escalation
                        && !reached
                        && self.has_reachable_successor(&change.incident, level);
                    if goes_on {
                        waiting.extend(change.incident.tell_next_level(self.now));
                    }
                }
            }
        }
    }

    /// Queues the pages of a level; whether it reaches anybody.
    fn page(
        &mut self,
        change: &mut IncidentChange,
        level: usize,
        roles: &[String],
        reason: PageReason,
        due: Timestamp,
    ) -> bool {
        let people: Vec<String> =
            recipients(&self.setup.contacts, &self.overrides, roles, self.now)
                .into_iter()
                .map(|recipient| recipient.person.name.clone())
                .collect();
        if people.is_empty() {
            self.unroutable += 1;
            let text = format!(
                "nobody fills {}: level {level} reached nobody",
                roles.join(", ")
            );
            change.timeline.push((TimelineKind::GivenUp, text));
            return false;
        }
        for person in people {
            // Whoever fills roles of two levels is told of one event once.
            let is_told = |page: &NewPage| page.person == person && page.reason == reason;
            if reason != PageReason::Escalation && change.pages.iter().any(is_told) {
                continue;
            }
            // Told at two levels, a person is told that it is over once.
            change.incident.told.entry(person.clone()).or_insert(level);
            self.queue(change, level, person, reason, due);
        }
        true
    }

    fn page_resolved(&mut self, change: &mut IncidentChange) {
        let told: Vec<(String, usize)> = change
            .incident
            .told
            .iter()
            .map(|(person, level)| (person.clone(), *level))
            .collect();
        for (person, level) in told {
            self.queue(change, level, person, PageReason::Resolved, self.now);
        }
    }

    fn queue(
        &mut self,
        change: &mut IncidentChange,
        level: usize,
        person: String,
        reason: PageReason,
        due: Timestamp,
    ) {
        let is_sunk = change.incident.drill == Some(DrillPages::Sink);
        let channel = self
            .setup
            .contacts
            .person(&person)
            .and_then(|found| found.channel_names().into_iter().next())
            .map(|own| if is_sunk { DRILL_SINK.to_owned() } else { own });
        let Some(channel) = channel else {
            let text = format!("{person} is no longer among the contacts and is not told");
            change.timeline.push((TimelineKind::GivenUp, text));
            return;
        };
        // What keeps incidents of its own must be told of the end of each, and rings nobody for it.
        let closes_another = reason == PageReason::Resolved && keeps_incidents(&channel);
        // A drill that rings nobody must not count towards the storm that turns real pages into summaries.
        let admission = if closes_another || is_sunk {
            Admission::Alone
        } else {
            self.storm
                .admit(&person, change.incident.head.severity, self.now)
        };
        let gathers_evidence = !change.runs.is_empty() && reason == PageReason::Escalation;
        let send_at = if gathers_evidence {
            self.now + EVIDENCE_PATIENCE
        } else {
            self.now
        };
        change.pages.push(NewPage {
            level,
            person,
            channel,
            reason,
            due_at: due,
            send_at,
            in_summary: admission == Admission::InSummary,
        });
    }

    /// Whether the level that was told last reached nobody while a later one would reach somebody. Where no later one would
    /// either, the ladder keeps its times: contacts may be put in force before they come.
    fn has_reachable_successor(&self, incident: &Incident, level: usize) -> bool {
        let reaches = |later: &EscalationLevel| {
            !recipients(
                &self.setup.contacts,
                &self.overrides,
                &later.roles,
                self.now,
            )
            .is_empty()
        };
        incident.levels_told == level && incident.head.levels[level..].iter().any(reaches)
    }
}

/// What the timeline of a drill begins with.
fn drill_text(pages: DrillPages) -> String {
    let whom = match pages {
        DrillPages::Sink => "its pages go to nobody",
        DrillPages::People => "its pages go to people and say so",
    };
    format!("this is a drill: {whom}")
}

/// Whether a channel, by its name, leads to a program that keeps each incident open until it is told of its end.
fn keeps_incidents(channel: &str) -> bool {
    ["pagerduty", "alertmanager"]
        .iter()
        .any(|kind| channel.starts_with(kind))
}

/// The steps of a procedure that run when an incident opens.
fn automatic_runs(plan: &Plan, procedure: Option<&str>) -> Vec<NewRun> {
    let Some(procedure) = procedure.and_then(|id| plan.procedure(id)) else {
        return Vec::new();
    };
    let automatic = procedure
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.automatic && !matches!(step.kind, StepKind::Manual));
    automatic
        .map(|(index, step)| NewRun {
            step: index,
            title: step.title.clone(),
            kind: step.kind.as_str().to_owned(),
            changes: step.changes,
            by: String::new(),
            ticked: false,
        })
        .collect()
}

/// Leaves out all but the first entries about single alerts, and says how many.
fn shorten(timeline: &mut Vec<(TimelineKind, String)>) {
    let mut count = 0;
    timeline.retain(|(kind, _)| {
        count += usize::from(*kind == TimelineKind::Changed);
        *kind != TimelineKind::Changed || count <= ALERT_ENTRIES_MAX
    });
    if count > ALERT_ENTRIES_MAX {
        let text = format!("and {} further alerts", count - ALERT_ENTRIES_MAX);
        timeline.push((TimelineKind::Changed, text));
    }
}
