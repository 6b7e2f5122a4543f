//! The loop that drills: takes what was asked for from the ledger, drills it, and writes down how it came out. Also shows as samples
//! when each alert last passed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alerting::DrillPages;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::{Labels, Timestamp};
use plan::DRILL_LAST_PASSED;
use telemetry::log::Logger;
use tokio::sync::Notify;
use world::World;

use super::page::page_people;
use super::real_drill::RealDrill;
use super::steps::{Steps, verdict};
use super::virtual_drill::{Played, group_of, play, prepare};
use crate::incident::{
    Desk, Drill, DrillId, DrillMode, DrillOutcome, DrillState, IncidentStoreError,
};
use crate::metrics::{Recorder, series};
use crate::procedures::call_for_drill;
use crate::rules::RuleBoard;
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Environment};

/// Drills that go on at once. Each real one looks once a second; a virtual one takes a processor for a moment.
const DRILLS_AT_ONCE: usize = 16;
/// How often the last passes are written as samples: the plan's interval for metrics collection.
const SHOW_EVERY: Duration = Duration::from_secs(15);
/// The pause after the store refused.
const RETRY: Duration = Duration::from_secs(5);

/// Drills for ever.
pub(crate) struct DrillRunner {
    /// Time and network.
    pub(crate) world: World,
    /// Where the ledger is, and what real drills follow.
    pub(crate) desk: Arc<Desk>,
    /// What is drilled.
    pub(crate) setup: Arc<CurrentSetup>,
    /// Secrets.
    pub(crate) environment: Environment,
    /// What rules found last.
    pub(crate) board: Arc<RuleBoard>,
    /// Where samples go.
    pub(crate) recorder: Arc<Recorder>,
    /// Counters.
    pub(crate) metrics: Arc<SelfMetrics>,
    /// Belfry's own log.
    pub(crate) log: Logger,
    /// Belfry's own address, for links in pages.
    pub(crate) external_url: String,
    /// Is notified when a drill was asked for.
    pub(crate) asked: Arc<Notify>,
}

impl DrillRunner {
    /// Drills until dropped. What is cut off is wound up by the next run.
    pub(crate) async fn run(self) {
        let mut running = FuturesUnordered::new();
        let mut in_flight: BTreeSet<DrillId> = BTreeSet::new();
        let mut shown_at: Option<Timestamp> = None;
        loop {
            // Interest before the look: a drill asked for between the two still wakes this loop.
            let woken = self.asked.notified();
            for drill in self.open().await {
                if running.len() < DRILLS_AT_ONCE && in_flight.insert(drill.id) {
                    running.push(self.drill(drill));
                }
            }
            let now = self.now();
            if shown_at.is_none_or(|last| now.since(last) >= SHOW_EVERY) {
                self.show_passed(now).await;
                shown_at = Some(now);
            }
            tokio::select! {
                // Results first: they free places.
                biased;
                Some(id) = running.next(), if !running.is_empty() => {
                    in_flight.remove(&id);
                }
                () = woken => {}
                () = self.world.clock.sleep(SHOW_EVERY) => {}
            }
        }
    }

    async fn open(&self) -> Vec<Drill> {
        // A failing store is counted by the desk; the next look tries again.
        let open = self.desk.with_store(|store| store.open_drills()).await;
        open.unwrap_or_default()
    }

    async fn drill(&self, drill: Drill) -> DrillId {
        let id = drill.id;
        match drill.mode {
            DrillMode::Virtual => self.drill_virtually(drill).await,
            DrillMode::Real => RealDrill::new(self, drill).run().await,
        }
        id
    }

    async fn drill_virtually(&self, mut drill: Drill) {
        let setup = self.setup.get();
        let at = drill.asked_at;
        let Some(group) = group_of(&setup.plan, &drill.alert) else {
            let mut steps = Steps::since(at);
            let text = "the plan was changed and no longer has this alert";
            steps.note("drill", DrillOutcome::Failed, text);
            drill.steps = steps.found;
            return self.finish(drill).await;
        };
        let searched = setup.clone();
        let prepared = self
            .world
            .run_blocking(move || prepare(&searched.plan, group, at))
            .await;
        drill.steps = match prepared {
            Ok(prepared) => {
                let Played {
                    mut steps,
                    incident,
                } = play(&setup.plan, &setup.contacts, &prepared, at).await;
                if let (DrillPages::People, Some(incident)) = (drill.pages, incident) {
                    steps.extend(page_people(self, &setup, &incident).await);
                }
                steps
            }
            Err(why) => {
                let mut steps = Steps::since(at);
                steps.note("condition", DrillOutcome::Failed, why);
                steps.found
            }
        };
        self.finish(drill).await;
    }

    /// Writes down that a drill ended.
    pub(super) async fn finish(&self, mut drill: Drill) {
        let (outcome, reason) = verdict(&drill.steps);
        drill.state = DrillState::Done;
        drill.outcome = Some(outcome);
        drill.reason = reason;
        drill.ended_at = Some(self.now());
        self.log
            .info("a drill ended")
            .field("alert", drill.alert.as_str())
            .field("mode", drill.mode.as_str())
            .field("outcome", outcome.as_str())
            .field("reason", drill.reason.as_str())
            .emit();
        while self.save(&drill).await.is_err() {
            self.world.clock.sleep(RETRY).await;
        }
        self.show_passed(self.now()).await;
    }

    /// Writes down how a drill stands.
    pub(super) async fn save(&self, drill: &Drill) -> Result<(), IncidentStoreError> {
        let drill = drill.clone();
        self.desk
            .with_store(move |store| store.put_drill(&drill))
            .await
    }

    /// What a rule's last evaluation found, in a sentence.
    pub(super) fn why(&self, rule: &str) -> String {
        let report = self.board.report(rule);
        report.error.unwrap_or(report.why)
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from(self.world.clock.now())
    }

    /// Writes when each alert last passed; 0 for one that never did, so that a rule sees it.
    async fn show_passed(&self, now: Timestamp) {
        let Ok(passed) = self.desk.with_store(|store| store.drills_passed()).await else {
            return;
        };
        let samples = passed_samples(&self.setup, &passed);
        if self.recorder.record(now, samples).await.is_err() {
            self.metrics.own_samples_lost.inc();
        }
    }
}

fn passed_samples(
    setup: &CurrentSetup,
    passed: &BTreeMap<String, Timestamp>,
) -> Vec<(Labels, f64)> {
    let setup = setup.get();
    let rules = setup.plan.rules();
    rules
        .map(|(_, rule)| {
            let at = passed.get(&rule.name);
            let labels = series(DRILL_LAST_PASSED, &[("alert", &rule.name)]);
            (labels, at.map_or(0.0, |at| at.as_secs_f64()))
        })
        .collect()
}

/// Ends the faults of real drills that are under way, once and without waiting for more: for a stop, after which it may be long until
/// somebody starts Belfry again. The drills stay open, and the next start ends their faults once more and winds them up.
pub(crate) async fn end_faults(
    world: &World,
    desk: &Desk,
    environment: &Environment,
    log: &Logger,
) {
    let open = desk.with_store(|store| store.open_drills()).await;
    let broken = open
        .unwrap_or_default()
        .into_iter()
        .filter(|drill| drill.state == DrillState::Running);
    for drill in broken {
        let Some(request) = &drill.end else { continue };
        if let Err(why) = call_for_drill(world, environment, request, drill.id).await {
            log.error("the fault of a drill could not be ended; the next start tries again")
                .field("alert", drill.alert.as_str())
                .field("error", why.as_str())
                .emit();
        }
    }
}
