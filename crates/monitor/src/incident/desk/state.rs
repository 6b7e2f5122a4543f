//! What the desk holds in memory: the same as the store, indexed for the questions that every evaluation asks.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::{
    DrillPages, FiringAlert, Holds, Incident, IncidentId, RuleState, Silence, StormGate,
};
use model::{Labels, Timestamp};
use plan::{Plan, RotaOverride};
use world::Clock;

use crate::incident::{Change, DrillMode, DrillState, Loaded, StoredOverride};

/// By how much the wall clock must leave elapsed time for it to count as set. Corrections below that are drift.
const SET_BY_MIN_MS: i64 = 5_000;

/// Everything that decisions are made from.
pub(super) struct DeskState {
    pub(super) rules: BTreeMap<String, RuleState>,
    /// Incidents that are not resolved.
    pub(super) open: BTreeMap<IncidentId, Incident>,
    /// The open incident of each group, merged ones included.
    groups: BTreeMap<String, IncidentId>,
    /// The open incident of each alert that fires.
    alerts: BTreeMap<Labels, IncidentId>,
    pub(super) next_id: i64,
    pub(super) touched_at: Option<Timestamp>,
    /// When the plan was loaded that alerts and rules were last brought together for.
    pub(super) settled_for: Option<Timestamp>,
    pub(super) silences: Vec<Silence>,
    pub(super) overrides: Vec<StoredOverride>,
    pub(super) storm: StormGate,
    /// Alerts of the plan's rules that open drills now instead of incidents.
    pub(super) drilled: BTreeMap<String, DrillPages>,
    /// Wall and monotonic time when they were last compared.
    clock: Option<(Timestamp, Duration)>,
}

impl DeskState {
    pub(super) fn new(loaded: Loaded, now: Timestamp) -> DeskState {
        let mut storm = StormGate::default();
        for person in &loaded.waiting_for_summary {
            storm.restore(person, now);
        }
        // A drill that a restart cut off goes on until it is wound up: what fires meanwhile is still its doing.
        let drilled = loaded
            .drills
            .into_iter()
            .filter(|drill| drill.mode == DrillMode::Real && drill.state == DrillState::Running)
            .map(|drill| (drill.alert, drill.pages));
        let mut state = DeskState {
            rules: loaded.rules,
            open: BTreeMap::new(),
            groups: BTreeMap::new(),
            alerts: BTreeMap::new(),
            next_id: loaded.next_id,
            touched_at: None,
            settled_for: None,
            silences: loaded.silences,
            overrides: loaded.overrides,
            storm,
            drilled: drilled.collect(),
            clock: None,
        };
        for incident in loaded.open {
            state.put(incident);
        }
        state
    }

    /// The open incident of a group.
    pub(super) fn of_group(&self, group: &str) -> Option<&Incident> {
        self.open.get(self.groups.get(group)?)
    }

    /// The open incident in which an alert fires.
    pub(super) fn of_alert(&self, labels: &Labels) -> Option<&Incident> {
        self.open.get(self.alerts.get(labels)?)
    }

    /// Exceptions to rotas by the rota's name.
    pub(super) fn rota_overrides(&self) -> BTreeMap<String, Vec<RotaOverride>> {
        let mut by_rota: BTreeMap<String, Vec<RotaOverride>> = BTreeMap::new();
        for stored in &self.overrides {
            let turns = by_rota.entry(stored.rota.clone()).or_default();
            turns.push(stored.turn.clone());
        }
        by_rota
    }

    /// Asks what holds what back now, with some alerts that are about to fire. Nothing is looked at where nothing could hold.
    pub(super) fn with_holds<T>(
        &self,
        plan: &Plan,
        about_to_fire: &[Labels],
        now: Timestamp,
        ask: impl FnOnce(&Holds<'_>) -> T,
    ) -> T {
        let can_inhibit = !plan.inhibitions.is_empty();
        let firing: Vec<(IncidentId, Labels, Timestamp)> = if can_inhibit {
            let new = about_to_fire
                .iter()
                .map(|labels| (IncidentId(self.next_id), with_service(plan, labels), now));
            // A drill holds nothing back: it must not hide what is real.
            let real = self.open.values().filter(|own| own.drill.is_none());
            let old = real.flat_map(|incident| {
                incident.firing().map(|(labels, member)| {
                    (incident.id(), with_service(plan, labels), member.started_at)
                })
            });
            old.chain(new).collect()
        } else {
            Vec::new()
        };
        let firing: Vec<FiringAlert<'_>> = firing
            .iter()
            .map(|(incident, labels, started_at)| FiringAlert {
                incident: *incident,
                labels,
                started_at: *started_at,
            })
            .collect();
        let holds = Holds::at(
            &self.silences,
            &plan.maintenance_windows,
            &plan.inhibitions,
            &firing,
            now,
        );
        ask(&holds)
    }

    /// By how much the wall clock was set since the last look, if it was. The look counts only after [`Self::saw_clock`].
    pub(super) fn clock_set_by(&self, clock: &dyn Clock) -> Option<i64> {
        let (wall, monotonic) = self.clock?;
        let expected = wall + clock.monotonic().saturating_sub(monotonic);
        let found = Timestamp::from(clock.now());
        let by = found.as_millis().saturating_sub(expected.as_millis());
        (by.saturating_abs() >= SET_BY_MIN_MS).then_some(by)
    }

    /// Remembers what the clocks read now.
    pub(super) fn saw_clock(&mut self, clock: &dyn Clock) {
        self.clock = Some((Timestamp::from(clock.now()), clock.monotonic()));
    }

    /// Takes in what the store has recorded; whether pages and whether runs were queued.
    pub(super) fn take(&mut self, change: Change) -> (bool, bool) {
        for rule in change.rules {
            self.rules.insert(rule.name, rule.state);
        }
        let (mut pages, mut runs) = (!change.summaries.is_empty(), false);
        for changed in change.incidents {
            pages |= !changed.pages.is_empty();
            runs |= !changed.runs.is_empty();
            self.next_id = self.next_id.max(changed.incident.id().0 + 1);
            self.forget(changed.incident.id());
            if changed.incident.resolved.is_none() {
                self.put(changed.incident);
            }
        }
        (pages, runs)
    }

    fn put(&mut self, incident: Incident) {
        let id = incident.id();
        self.groups.insert(incident.head.group.clone(), id);
        for group in &incident.merged_groups {
            self.groups.insert(group.clone(), id);
        }
        for (labels, _) in incident.firing() {
            self.alerts.insert(labels.clone(), id);
        }
        self.open.insert(id, incident);
    }

    fn forget(&mut self, id: IncidentId) {
        let Some(old) = self.open.remove(&id) else {
            return;
        };
        let groups = old.merged_groups.iter().chain([&old.head.group]);
        for group in groups {
            if self.groups.get(group) == Some(&id) {
                self.groups.remove(group);
            }
        }
        for labels in old.members.keys() {
            if self.alerts.get(labels) == Some(&id) {
                self.alerts.remove(labels);
            }
        }
    }
}

/// The labels of an alert as silences, windows and inhibitions see them: with the service.
pub(super) fn with_service(plan: &Plan, labels: &Labels) -> Labels {
    if labels.get("service").is_some() {
        labels.clone()
    } else {
        labels.with("service", &plan.service)
    }
}
