//! The incident desk: takes evaluations, alerts of other programs, clicks and the passing of time in, steps the pure
//! machines, and records what follows in one transaction before anybody can see it.
//!
//! If the store refuses, the state in memory stays as it was, so that the next evaluation or tick derives the same change
//! again: nothing is half done. Store and memory change in one piece of blocking work, which holds the lock on the state
//! to its end: a caller that goes away in between (a broken connection, a reload) cannot leave the two apart.
//!
//! `state` is what the desk holds, `draft` what a change is made with, `alerts` what rules and other programs say, `people`
//! what people do, `drills` which alerts fire on purpose; here is what they share, and the passing of time.

mod alerts;
mod draft;
mod drills;
mod people;
mod state;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use alerting::{Holds, Incident, IncidentId, IncidentInput, RuleState, Silence};
use model::{Labels, Timestamp};
use plan::RotaOverride;
use tokio::sync::{Notify, OwnedMutexGuard};
use world::World;

pub use alerts::ReceivedAlert;
pub(crate) use alerts::alert_labels;
pub use people::ManualIncident;

use super::store::*;
use crate::self_metrics::SelfMetrics;
use crate::setup::CurrentSetup;
use draft::Draft;
use state::{DeskState, with_service};

/// How often the store is told that Belfry is alive.
const TOUCH_MS: i64 = 60_000;

/// By how much the time of an evaluation or a tick may differ from the clock. What takes longer was looked up before the
/// clock was set, and an incident must not seem to have opened then.
const STALE_MAX_MS: u32 = 60_000;

/// Takes inputs in and records what follows.
pub struct Desk {
    world: World,
    store: Arc<Mutex<dyn IncidentStore>>,
    setup: Arc<CurrentSetup>,
    metrics: Arc<SelfMetrics>,
    state: Arc<tokio::sync::Mutex<DeskState>>,
    queued: Arc<Notify>,
    runs_queued: Arc<Notify>,
    /// Whether the last write to the store failed.
    refused: Arc<AtomicBool>,
}

/// Why an action of a person did not happen.
#[derive(Debug)]
pub enum ActionError {
    /// No incident has this number.
    NotFound,
    /// The incident is resolved; nothing is left to do.
    Resolved,
    /// It cannot be done like that: what, and what to do instead.
    Refused(String),
    /// Too much is there already; try again when there is less.
    Full(String),
    /// The store failed; try again.
    Store(IncidentStoreError),
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionError::NotFound => f.write_str("there is no incident with this number"),
            ActionError::Resolved => f.write_str("the incident is resolved already"),
            ActionError::Refused(why) | ActionError::Full(why) => f.write_str(why),
            ActionError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ActionError {}

impl From<IncidentStoreError> for ActionError {
    fn from(error: IncidentStoreError) -> ActionError {
        ActionError::Store(error)
    }
}

type Locked = OwnedMutexGuard<DeskState>;

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
        let now = Timestamp::from(world.clock.now());
        let mut state = DeskState::new(store.load(now)?, now);
        // From here on, not from the first look on: the clock may be set in between.
        state.saw_clock(&*world.clock);
        metrics.incidents_open.set(state.open.len() as f64);
        Ok(Desk {
            world,
            store: Arc::new(Mutex::new(store)),
            setup,
            metrics,
            state: Arc::new(tokio::sync::Mutex::new(state)),
            queued: Arc::default(),
            runs_queued: Arc::default(),
            refused: Arc::default(),
        })
    }

    /// Is notified whenever pages were queued.
    pub fn queued(&self) -> Arc<Notify> {
        self.queued.clone()
    }

    /// Is notified whenever steps of procedures were queued.
    pub fn runs_queued(&self) -> Arc<Notify> {
        self.runs_queued.clone()
    }

    /// Lets time pass: escalation deadlines, acknowledgements and silences that end, summaries, and alerts whose rule is gone.
    ///
    /// # Errors
    /// When the store failed; the next tick makes up for it.
    pub async fn tick(&self, now: Timestamp) -> Result<(), IncidentStoreError> {
        let mut state = self.lock().await?;
        let now = self.corrected(now);
        let setup = self.setup.get();
        let mut draft = Draft::new(&setup, &state, now);
        let holds = state.with_holds(&setup.plan, &[], now, |holds| {
            let changed = state.open.values().filter_map(|incident| {
                let hold = hold_of(holds, &setup.plan, incident);
                (hold != incident.held).then_some((incident.id(), hold))
            });
            changed.collect::<Vec<_>>()
        });
        for (id, hold) in holds {
            draft.step(&state, id, [], IncidentInput::Hold(hold));
        }
        for incident in state.open.values() {
            if incident.next_change().is_some_and(|at| at <= now) {
                draft.step(&state, incident.id(), [], IncidentInput::Tick);
            }
        }
        alerts::lose_silent_senders(&mut draft, &state, now);
        alerts::forget_removed_rules(&mut draft, &state, &setup.plan, now);
        if state.settled_for != Some(setup.loaded_at) {
            alerts::settle_changed_rules(&mut draft, &state, &setup.plan, now);
        }
        draft.summarise();
        state = self.record(state, draft, now).await?;
        state.settled_for = Some(setup.loaded_at);
        let gone = |name: &String| setup.plan.rules().all(|(_, rule)| rule.name != *name);
        state
            .rules
            .retain(|name, rule| !rule.instances.is_empty() || !gone(name));
        state.silences.retain(|silence| silence.ends_at > now);
        state
            .overrides
            .retain(|stored| stored.turn.until.as_millisecond() > now.as_millis());
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

    /// Silences that hold or will.
    pub async fn silences(&self) -> Vec<Silence> {
        self.state.lock().await.silences.clone()
    }

    /// Exceptions to rotas that were made at run time and have not passed.
    pub async fn overrides(&self) -> Vec<StoredOverride> {
        self.state.lock().await.overrides.clone()
    }

    /// The same, by the rota's name.
    pub async fn rota_overrides(&self) -> BTreeMap<String, Vec<RotaOverride>> {
        self.state.lock().await.rota_overrides()
    }

    /// Every alert that fires, with all its labels and what holds its pages back.
    pub async fn firing_alerts(&self, now: Timestamp) -> Vec<ShownAlert> {
        let state = self.state.lock().await;
        let setup = self.setup.get();
        let plan = &setup.plan;
        state.with_holds(plan, &[], now, |holds| {
            let shown = state.open.values().flat_map(|incident| {
                let roles = roles(incident);
                incident.firing().map(move |(identity, member)| {
                    let labels = with_service(plan, identity);
                    ShownAlert {
                        hold: holds.of(&labels),
                        labels,
                        identity: identity.clone(),
                        member: member.clone(),
                        incident: incident.id(),
                        roles: roles.clone(),
                    }
                })
            });
            shown.collect()
        })
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

    /// The time, once every stored time has been moved by what the machine's clock was set by: what is compared with stored
    /// times, or becomes one, must be of the same clock.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn settled_now(&self) -> Result<Timestamp, IncidentStoreError> {
        let _state = self.lock().await?;
        Ok(Timestamp::from(self.world.clock.now()))
    }

    /// The time that a loop says it is, unless the machine's clock was set since it looked.
    fn corrected(&self, said: Timestamp) -> Timestamp {
        let found = Timestamp::from(self.world.clock.now());
        let off = found.as_millis().abs_diff(said.as_millis());
        if off > u64::from(STALE_MAX_MS) {
            found
        } else {
            said
        }
    }

    /// Takes the state, and first moves every deadline if the machine's clock was set: an incident must not escalate early
    /// because a clock was put forward, nor stand still because it was put back.
    async fn lock(&self) -> Result<Locked, IncidentStoreError> {
        let mut state = self.state.clone().lock_owned().await;
        let Some(by_ms) = state.clock_set_by(&*self.world.clock) else {
            state.saw_clock(&*self.world.clock);
            return Ok(state);
        };
        let now = Timestamp::from(self.world.clock.now());
        let setup = self.setup.get();
        let mut draft = Draft::new(&setup, &state, now);
        draft.clock_was_set(by_ms);
        for (name, rule) in &state.rules {
            let mut rule = rule.clone();
            rule.clock_was_set(by_ms);
            draft.rule(RuleChange {
                name: name.clone(),
                state: rule,
                history: Vec::new(),
            });
        }
        for incident in state.open.values() {
            let mut incident = incident.clone();
            incident.clock_was_set(by_ms);
            let foreign = incident
                .members
                .iter()
                .filter(|(_, member)| member.foreign.is_some())
                .map(|(labels, _)| labels.clone())
                .collect();
            draft.put(incident, foreign);
        }
        let mut state = self.record(state, draft, now).await?;
        state.saw_clock(&*self.world.clock);
        self.queued.notify_one();
        Ok(state)
    }

    /// Records a change in the store and then in memory. The lock goes in and comes back, so that it is held until both are
    /// done even when this is dropped while it waits.
    async fn record(
        &self,
        mut state: Locked,
        draft: Draft<'_>,
        now: Timestamp,
    ) -> Result<Locked, IncidentStoreError> {
        if draft.is_empty() {
            return Ok(state);
        }
        self.metrics.pages_unroutable.add(draft.unroutable);
        let (change, storm) = draft.finish();
        let (metrics, queued, refused) = (
            self.metrics.clone(),
            self.queued.clone(),
            self.refused.clone(),
        );
        let runs_queued = self.runs_queued.clone();
        self.with_store(move |store| {
            let recorded = store.record(&change, now);
            refused.store(recorded.is_err(), Ordering::Relaxed);
            recorded?;
            state.storm = storm;
            let (pages, runs) = state.take(change);
            if pages {
                queued.notify_one();
            }
            if runs {
                runs_queued.notify_one();
            }
            metrics.incidents_open.set(state.open.len() as f64);
            Ok(state)
        })
        .await
    }
}

/// An alert that fires, as other programs see it.
#[derive(Clone, Debug)]
pub struct ShownAlert {
    /// All its labels, the service among them.
    pub labels: Labels,
    /// The labels that name it in its incident: the service is among them only where it was said.
    pub identity: Labels,
    /// What is known of it.
    pub member: alerting::Member,
    /// What holds its pages back.
    pub hold: Option<alerting::Hold>,
    /// Its incident.
    pub incident: IncidentId,
    /// Every role that its incident's levels tell, the first level's first.
    pub roles: Arc<[String]>,
}

fn roles(incident: &Incident) -> Arc<[String]> {
    let mut roles: Vec<String> = Vec::new();
    for role in incident.head.levels.iter().flat_map(|level| &level.roles) {
        if !roles.contains(role) {
            roles.push(role.clone());
        }
    }
    roles.into()
}

/// What holds an incident back: every alert of it must be held back. A manual incident has none and is never held.
fn hold_of(holds: &Holds<'_>, plan: &plan::Plan, incident: &Incident) -> Option<alerting::Hold> {
    if holds.is_empty() {
        return None;
    }
    let labels: Vec<Labels> = incident
        .firing()
        .map(|(labels, _)| with_service(plan, labels))
        .collect();
    holds.of_all(labels.iter())
}
