//! Who watches a run: writes down what is seen from outside, in one order, and says when the process dies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use world::Clock;

use super::faulty_store::{Placed, StoreFault};
use super::record::{
    ActionSeen, AttemptSeen, EvaluationSeen, Record, Sequence, Shown, StateSeen, Verdict,
};
use super::scenario::{Action, Crash, CrashPoint, Scenario};

/// Shared by the receivers, the store's wrapper and the loops of a run; outlives the process under test.
pub(super) struct Watch {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    death: Notify,
}

struct State {
    record: Record,
    sequence: Sequence,
    /// How long the dead process stays away; `None` while it lives.
    dead: Option<Duration>,
    crashes: Vec<Crash>,
    passed: BTreeMap<Placed, u32>,
    store_faults: Vec<StoreFault>,
    store_calls: u64,
    shown: BTreeMap<i64, Shown>,
    has_news: bool,
    clock_noticed: bool,
    events_done: BTreeSet<usize>,
}

impl Watch {
    pub(super) fn new(scenario: &Scenario, clock: Arc<dyn Clock>) -> Watch {
        let state = State {
            record: Record::default(),
            sequence: 0,
            dead: None,
            crashes: scenario.crashes.clone(),
            passed: BTreeMap::new(),
            store_faults: scenario.store_faults.clone(),
            store_calls: 0,
            shown: BTreeMap::new(),
            has_news: false,
            clock_noticed: true,
            events_done: BTreeSet::new(),
        };
        Watch {
            clock,
            state: Mutex::new(state),
            death: Notify::new(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Waits until the process dies at a placed step; how long it stays away.
    pub(super) async fn died(&self) -> Duration {
        loop {
            if let Some(pause) = self.lock().dead {
                return pause;
            }
            self.death.notified().await;
        }
    }

    /// The next death at a time.
    pub(super) fn next_crash(&self) -> Option<Duration> {
        let at = |crash: &Crash| match crash.point {
            CrashPoint::At(at) => Some(at),
            CrashPoint::Placed(..) => None,
        };
        self.lock().crashes.iter().filter_map(at).min()
    }

    /// The process dies at its time.
    pub(super) fn dies_on_time(&self) {
        let now = self.now();
        let is_due = |crash: &Crash| matches!(crash.point, CrashPoint::At(at) if at <= now);
        self.die_if(is_due);
    }

    /// The process passes a step; whether it dies there.
    pub(super) fn dies(&self, step: Placed) -> bool {
        if self.is_dead() {
            return true;
        }
        let count = {
            let mut state = self.lock();
            let count = state.passed.entry(step).or_default();
            *count += 1;
            *count
        };
        self.die_if(|crash| crash.point == CrashPoint::Placed(step, count))
    }

    fn die_if(&self, is_due: impl Fn(&Crash) -> bool) -> bool {
        let mut state = self.lock();
        let Some(index) = state.crashes.iter().position(is_due) else {
            return false;
        };
        let crash = state.crashes.remove(index);
        state.dead = Some(crash.pause);
        drop(state);
        self.death.notify_one();
        true
    }

    pub(super) fn is_dead(&self) -> bool {
        self.lock().dead.is_some()
    }

    /// The process starts again. Deaths whose time passed while it was away do not happen.
    pub(super) fn is_back(&self, since: Duration) {
        let now = self.now();
        let mut state = self.lock();
        state.dead = None;
        state.has_news = true;
        state.record.away.push((since, now));
        state
            .crashes
            .retain(|crash| !matches!(crash.point, CrashPoint::At(at) if at <= now));
    }

    /// Whether this call to the store fails.
    pub(super) fn store_fails(&self) -> bool {
        let now = self.now();
        let mut state = self.lock();
        if state.dead.is_some() {
            return true;
        }
        state.store_calls += 1;
        let call = state.store_calls;
        let fails = state.store_faults.iter().any(|fault| match *fault {
            StoreFault::Calls(from, count) => (from..from + count).contains(&call),
            StoreFault::During(from, until) => from <= now && now < until,
        });
        if fails {
            state.record.store_failures.push(now);
        }
        fails
    }

    /// Nothing fails any more.
    pub(super) fn heal(&self) {
        let mut state = self.lock();
        state.crashes.clear();
        state.store_faults.clear();
    }

    /// Whether an event is still to come; it counts as done from now on.
    pub(super) fn takes_event(&self, index: usize) -> bool {
        self.lock().events_done.insert(index)
    }

    pub(super) fn attempted(&self, mut seen: AttemptSeen) -> usize {
        let mut state = self.lock();
        seen.sequence = state.next();
        state.record.attempts.push(seen);
        state.record.attempts.len() - 1
    }

    pub(super) fn accepted(&self, attempt: usize, at: Duration) {
        let mut state = self.lock();
        let sequence = state.next();
        state.record.attempts[attempt].accepted = Some((sequence, at));
    }

    pub(super) fn answered(&self, attempt: usize) {
        self.lock().record.attempts[attempt].answered = true;
    }

    pub(super) fn evaluated(&self, rule: usize, verdicts: Vec<Verdict>, taken: bool) {
        let at = self.now();
        let mut state = self.lock();
        let sequence = state.next();
        state.record.evaluations.push(EvaluationSeen {
            sequence,
            at,
            rule,
            verdicts,
            taken,
        });
    }

    pub(super) fn acted(&self, action: Action, incident: Option<i64>, done: bool) {
        let at = self.now();
        let mut state = self.lock();
        let sequence = state.next();
        if let Action::Jump(by_ms) = action {
            state.record.jumps.push((at, by_ms));
            state.clock_noticed = false;
        }
        state.record.actions.push(ActionSeen {
            sequence,
            at,
            action,
            incident,
            done,
        });
    }

    /// That the clock was set is in the store.
    pub(super) fn noticed_clock(&self) {
        self.lock().clock_noticed = true;
    }

    /// The process dies. If the clock was set and that could not be written down before, nobody will ever know of it.
    pub(super) fn note_unnoticed(&self) {
        let now = self.now();
        let mut state = self.lock();
        if !state.clock_noticed {
            state.record.unnoticed.push(now);
            state.clock_noticed = true;
        }
    }

    /// Something was recorded, so the list of open incidents may show something else.
    pub(super) fn recorded(&self) {
        self.lock().has_news = true;
    }

    /// Whether something was recorded since this was asked last.
    pub(super) fn has_news(&self) -> bool {
        std::mem::take(&mut self.lock().has_news)
    }

    /// Whether any incident is open.
    pub(super) fn shows_any(&self) -> bool {
        !self.lock().shown.is_empty()
    }

    /// What the list of open incidents shows.
    pub(super) fn shows(&self, open: &BTreeMap<i64, Shown>) {
        let at = self.now();
        let mut state = self.lock();
        if state.dead.is_some() || state.shown == *open {
            return;
        }
        let gone = |id: &&i64| !open.contains_key(id);
        let mut changed: BTreeMap<i64, Shown> = state
            .shown
            .keys()
            .filter(gone)
            .map(|id| (*id, Shown::Resolved))
            .collect();
        let is_new = |(id, shown): &(&i64, &Shown)| state.shown.get(id) != Some(shown);
        changed.extend(open.iter().filter(is_new).map(|(id, shown)| (*id, *shown)));
        for (incident, shown) in changed {
            let sequence = state.next();
            state.record.states.push(StateSeen {
                sequence,
                at,
                incident,
                shown,
            });
        }
        state.shown = open.clone();
    }

    pub(super) fn take_record(&self) -> Record {
        std::mem::take(&mut self.lock().record)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl State {
    fn next(&mut self) -> Sequence {
        self.sequence += 1;
        self.sequence
    }
}
