//! The incident desk: takes evaluations, clicks and the passing of time in, steps the pure machines, and records what
//! follows in one transaction before anybody can see it.
//!
//! If the store refuses, the state in memory stays as it was, so that the next evaluation or tick derives the same change
//! again: nothing is half done. Store and memory change in one piece of blocking work, which holds the lock on the state
//! to its end: a caller that goes away in between (a broken connection, a reload) cannot leave the two apart.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use alerting::{
    Effect, Evaluation, Incident, IncidentId, IncidentInput, RuleState, TimelineKind, Transition,
    TransitionKind,
};
use model::{Labels, Timestamp};
use plan::{AlertRule, EscalationLevel};
use tokio::sync::{Notify, OwnedMutexGuard};
use world::World;

use super::store::*;
use crate::rules::fill_template;
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Setup};

/// How often the store is told that Belfry is alive.
const TOUCH_MS: i64 = 60_000;

/// Takes inputs in and records what follows.
pub struct Desk {
    world: World,
    store: Arc<Mutex<dyn IncidentStore>>,
    setup: Arc<CurrentSetup>,
    metrics: Arc<SelfMetrics>,
    state: Arc<tokio::sync::Mutex<DeskState>>,
    queued: Arc<Notify>,
    /// Whether the last write to the store failed.
    refused: Arc<AtomicBool>,
}

struct DeskState {
    rules: BTreeMap<String, RuleState>,
    /// Incidents that are not resolved, by their alert's name: the group that deduplicates.
    open: BTreeMap<String, Incident>,
    next_id: i64,
    touched_at: Option<Timestamp>,
}

/// Why an action of a person did not happen.
#[derive(Debug)]
pub enum ActionError {
    /// No incident has this number.
    NotFound,
    /// The incident is resolved; nothing is left to do.
    Resolved,
    /// The store failed; try again.
    Store(IncidentStoreError),
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionError::NotFound => f.write_str("there is no incident with this number"),
            ActionError::Resolved => f.write_str("the incident is resolved already"),
            ActionError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ActionError {}

impl Desk {
    /// Opens the desk where the last run left it.
    ///
    /// # Errors
    /// When the store cannot be read: stop and show it to the operator.
    pub fn open(
        world: World,
        mut store: impl IncidentStore + 'static,
        setup: Arc<CurrentSetup>,
        metrics: Arc<SelfMetrics>,
    ) -> Result<Desk, IncidentStoreError> {
        let loaded = store.load()?;
        let open: BTreeMap<String, Incident> = loaded
            .open
            .into_iter()
            .map(|incident| (incident.alert.clone(), incident))
            .collect();
        metrics.incidents_open.set(open.len() as f64);
        let state = DeskState {
            rules: loaded.rules,
            open,
            next_id: loaded.next_id,
            touched_at: None,
        };
        Ok(Desk {
            world,
            store: Arc::new(Mutex::new(store)),
            setup,
            metrics,
            state: Arc::new(tokio::sync::Mutex::new(state)),
            queued: Arc::default(),
            refused: Arc::default(),
        })
    }

    /// Is notified whenever pages were queued.
    pub fn queued(&self) -> Arc<Notify> {
        self.queued.clone()
    }

    /// Takes one evaluation of a rule in.
    ///
    /// # Errors
    /// When the store failed; the same evaluation of the next round makes up for it.
    pub async fn evaluate(
        &self,
        rule: &AlertRule,
        evaluation: &Evaluation,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        let mut state = self.state.clone().lock_owned().await;
        let mut stepped = state.rules.get(&rule.name).cloned().unwrap_or_default();
        let transitions = stepped.step(rule, evaluation, now);
        if transitions.is_empty() {
            state.rules.insert(rule.name.clone(), stepped);
            return Ok(());
        }
        let setup = self.setup.get();
        let incident = self.step_incident(&setup, &state, rule, &transitions, now);
        let change = Change {
            rule: Some((rule.name.clone(), stepped)),
            incidents: incident.into_iter().collect(),
        };
        self.record(state, change, now).await.map(drop)
    }

    /// Lets time pass: escalation deadlines, and alerts whose rule is gone.
    ///
    /// # Errors
    /// When the store failed; the next tick makes up for it.
    pub async fn tick(&self, now: Timestamp) -> Result<(), IncidentStoreError> {
        let mut state = self.state.clone().lock_owned().await;
        let due: Vec<Incident> = state
            .open
            .values()
            .filter(|incident| incident.next_level().is_some_and(|(_, at)| at <= now))
            .cloned()
            .collect();
        let setup = self.setup.get();
        for mut incident in due {
            let effects = incident.step(IncidentInput::Tick, now);
            let change = Change {
                rule: None,
                incidents: vec![self.change(&setup, incident, effects)],
            };
            state = self.record(state, change, now).await?;
        }
        let touched_at = state.touched_at;
        drop(state);
        if touched_at.is_none_or(|last| (now.as_millis() - last.as_millis()).abs() >= TOUCH_MS) {
            let refused = self.refused.clone();
            self.with_store(move |store| {
                let touched = store.touch(now);
                refused.store(touched.is_err(), Ordering::Relaxed);
                touched
            })
            .await?;
            self.state.lock().await.touched_at = Some(now);
        }
        self.forget_removed_rules(now).await
    }

    /// Somebody takes an incident.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn acknowledge(
        &self,
        id: IncidentId,
        by: &str,
        note: &str,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        self.act(
            id,
            IncidentInput::Acknowledge {
                by: by.to_owned(),
                note: note.to_owned(),
            },
            now,
        )
        .await
    }

    /// Somebody writes something into an incident's timeline.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn note(
        &self,
        id: IncidentId,
        by: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        self.act(
            id,
            IncidentInput::Note {
                by: by.to_owned(),
                text: text.to_owned(),
            },
            now,
        )
        .await
    }

    /// Ends the alerts of rules that are no longer in the plan (after a reload or a start with another plan). Part of every
    /// tick, so that a store that fails only delays it.
    async fn forget_removed_rules(&self, now: Timestamp) -> Result<(), IncidentStoreError> {
        let mut state = self.state.clone().lock_owned().await;
        let setup = self.setup.get();
        let gone = |name: &String| setup.plan.rules().all(|(_, rule)| rule.name != *name);
        let removed: Vec<String> = state
            .rules
            .keys()
            .filter(|name| gone(name))
            .cloned()
            .collect();
        for name in removed {
            let Some(mut rule_state) = state.rules.get(&name).cloned() else {
                continue;
            };
            let transitions = rule_state.remove();
            let incident = state.open.get(&name).cloned().map(|mut incident| {
                let effects = transitions
                    .iter()
                    .filter_map(|transition| incident_input(transition, ""))
                    .flat_map(|input| incident.step(input, now))
                    .collect();
                self.change(&setup, incident, effects)
            });
            let change = Change {
                rule: Some((name.clone(), rule_state)),
                incidents: incident.into_iter().collect(),
            };
            state = self.record(state, change, now).await?;
            state.rules.remove(&name);
        }
        Ok(())
    }

    /// Whether the last write to the store failed.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// The instances of every rule.
    pub async fn rule_states(&self) -> BTreeMap<String, RuleState> {
        self.state.lock().await.rules.clone()
    }

    /// The instances of one rule; none before its first evaluation.
    pub async fn rule_state(&self, rule: &str) -> RuleState {
        self.state
            .lock()
            .await
            .rules
            .get(rule)
            .cloned()
            .unwrap_or_default()
    }

    /// Incidents that are not resolved, as the desk holds them.
    pub async fn open_incidents(&self) -> Vec<Incident> {
        self.state.lock().await.open.values().cloned().collect()
    }

    /// Runs a store verb off the async threads.
    ///
    /// # Errors
    /// The store's.
    pub async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn IncidentStore) -> Result<T, IncidentStoreError> + Send + 'static,
    ) -> Result<T, IncidentStoreError> {
        let store = self.store.clone();
        let outcome = self
            .world
            .run_blocking(move || {
                work(
                    &mut *store
                        .lock()
                        .expect("no code panics while it holds this lock"),
                )
            })
            .await;
        if outcome.is_err() {
            self.metrics.incident_store_failures.inc();
        }
        outcome
    }

    async fn act(
        &self,
        id: IncidentId,
        input: IncidentInput,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        let state = self.state.clone().lock_owned().await;
        let open = state
            .open
            .values()
            .find(|incident| incident.id == id)
            .cloned();
        let mut incident = match open {
            Some(incident) => incident,
            None => {
                let detail = self
                    .with_store(move |store| store.detail(id))
                    .await
                    .map_err(ActionError::Store)?;
                let incident = detail.ok_or(ActionError::NotFound)?.incident;
                if !matches!(input, IncidentInput::Note { .. }) {
                    return Err(ActionError::Resolved);
                }
                incident
            }
        };
        let effects = incident.step(input, now);
        if effects.is_empty() {
            return Ok(());
        }
        let setup = self.setup.get();
        let change = Change {
            rule: None,
            incidents: vec![self.change(&setup, incident, effects)],
        };
        self.record(state, change, now)
            .await
            .map(drop)
            .map_err(ActionError::Store)
    }

    fn step_incident(
        &self,
        setup: &Setup,
        state: &DeskState,
        rule: &AlertRule,
        transitions: &[Transition],
        now: Timestamp,
    ) -> Option<IncidentChange> {
        let fired = transitions
            .iter()
            .any(|transition| transition.kind == TransitionKind::Fired);
        let mut incident = match state.open.get(&rule.name) {
            Some(incident) => incident.clone(),
            None if fired => {
                let policy = rule
                    .escalation
                    .as_deref()
                    .and_then(|name| setup.plan.escalation_policy(name));
                let levels = policy
                    .map(|policy| policy.levels.as_slice())
                    .unwrap_or_default();
                Incident::new(
                    IncidentId(state.next_id),
                    &rule.name,
                    rule.severity,
                    levels,
                    now,
                )
            }
            None => return None,
        };
        // What fires comes before what resolves: an incident must not end and begin within one evaluation.
        let (first, second): (Vec<&Transition>, Vec<&Transition>) = transitions
            .iter()
            .partition(|transition| transition.kind == TransitionKind::Fired);
        let mut effects = Vec::new();
        for transition in first.into_iter().chain(second) {
            let summary = fill_template(&rule.summary, &transition.labels, transition.value);
            if let Some(input) = incident_input(transition, &summary) {
                effects.extend(incident.step(input, now));
            }
        }
        (!effects.is_empty()).then(|| self.change(setup, incident, effects))
    }

    /// Turns effects into what the store must record: roles become people.
    fn change(&self, setup: &Setup, incident: Incident, effects: Vec<Effect>) -> IncidentChange {
        let mut change = IncidentChange {
            incident,
            timeline: Vec::new(),
            pages: Vec::new(),
            page_resolved: false,
        };
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            match effect {
                Effect::Timeline(kind, text) => change.timeline.push((kind, text)),
                Effect::PageResolved => change.page_resolved = true,
                Effect::Page { level, roles } => {
                    let reached = self.page(setup, &mut change, level, &roles);
                    if !reached && has_reachable_successor(setup, &change.incident, level) {
                        waiting.extend(change.incident.tell_next_level());
                    }
                }
            }
        }
        change
    }

    /// Queues the pages of a level; whether it reaches anybody.
    fn page(
        &self,
        setup: &Setup,
        change: &mut IncidentChange,
        level: usize,
        roles: &[String],
    ) -> bool {
        let pages = setup.people(roles).into_iter().filter_map(|person| {
            let channel = person.channels.first()?.kind().to_owned();
            Some(NewPage {
                level,
                person: person.name.clone(),
                channel,
            })
        });
        let before = change.pages.len();
        change.pages.extend(pages);
        let reached = change.pages.len() > before;
        if !reached {
            self.metrics.pages_unroutable.inc();
            let text = format!(
                "nobody fills {}: level {level} reached nobody",
                roles.join(", ")
            );
            change.timeline.push((TimelineKind::GivenUp, text));
        }
        reached
    }

    /// Records a change in the store and then in memory. The lock goes in and comes back, so that it is held until both are
    /// done even when this is dropped while it waits.
    async fn record(
        &self,
        mut state: OwnedMutexGuard<DeskState>,
        change: Change,
        now: Timestamp,
    ) -> Result<OwnedMutexGuard<DeskState>, IncidentStoreError> {
        let (metrics, queued, refused) = (
            self.metrics.clone(),
            self.queued.clone(),
            self.refused.clone(),
        );
        self.with_store(move |store| {
            let recorded = store.record(&change, now);
            refused.store(recorded.is_err(), Ordering::Relaxed);
            recorded?;
            if state.take(change) {
                queued.notify_one();
            }
            metrics.incidents_open.set(state.open.len() as f64);
            Ok(state)
        })
        .await
    }
}

impl DeskState {
    /// Takes in what the store has recorded; whether pages were queued.
    fn take(&mut self, change: Change) -> bool {
        if let Some((name, rule)) = change.rule {
            self.rules.insert(name, rule);
        }
        let mut pages = false;
        for IncidentChange {
            incident,
            pages: queued,
            page_resolved,
            ..
        } in change.incidents
        {
            pages |= !queued.is_empty() || page_resolved;
            self.next_id = self.next_id.max(incident.id.0 + 1);
            if incident.resolved.is_none() {
                self.open.insert(incident.alert.clone(), incident);
                continue;
            }
            // A note on an old incident must not close the one that is open now.
            let open = self.open.get(&incident.alert);
            if open.is_some_and(|open| open.id == incident.id) {
                self.open.remove(&incident.alert);
            }
        }
        pages
    }
}

/// Whether the level that was told last reached nobody while a later one would reach somebody. Where no later one would
/// either, the ladder keeps its times: contacts may be put in force before they come.
fn has_reachable_successor(setup: &Setup, incident: &Incident, level: usize) -> bool {
    let reaches = |later: &EscalationLevel| {
        setup
            .people(&later.roles)
            .iter()
            .any(|person| !person.channels.is_empty())
    };
    incident.levels_told == level && incident.levels[level..].iter().any(reaches)
}

fn incident_input(transition: &Transition, summary: &str) -> Option<IncidentInput> {
    let labels: Labels = transition.labels.clone();
    match transition.kind {
        TransitionKind::BecamePending | TransitionKind::Calmed => None,
        TransitionKind::Fired => Some(IncidentInput::AlertFired {
            labels,
            value: transition.value,
            summary: summary.to_owned(),
        }),
        TransitionKind::LostData => Some(IncidentInput::AlertLostData { labels }),
        TransitionKind::DataCameBack => Some(IncidentInput::AlertDataCameBack { labels }),
        TransitionKind::Resolved(reason) => Some(IncidentInput::AlertResolved { labels, reason }),
    }
}
