//! How much of the plan is true, live: gathers what was observed, lets `plan::coverage` compare it with the plan, and writes the
//! outcome as samples, so that rules and dashboards can read it.
//!
//! `observe` gathers, `samples` writes, `restore` takes over what an earlier run knew; here is the loop.

mod observe;
mod restore;
mod samples;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Timestamp;
use plan::coverage::{HoleMemory, Report};
use world::{Ticker, World};

use crate::incident::Desk;
use crate::logs::{Intake, LogsBackend};
use crate::metrics::{MetricsBackend, Recorder};
use crate::probe::ProbeBoard;
use crate::scrape::ScrapeBoard;
use crate::self_metrics::SelfMetrics;
use crate::setup::CurrentSetup;

/// How often the plan is compared with what arrives: with the scrape before it, a fault shows within two intervals.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What coverage looks at.
pub(crate) struct Sources {
    /// The plan and the contacts.
    pub setup: Arc<CurrentSetup>,
    /// What targets expose.
    pub scrapes: Arc<ScrapeBoard>,
    /// What health endpoints answer.
    pub probes: Arc<ProbeBoard>,
    /// What Belfry itself writes; where coverage writes its own samples.
    pub recorder: Arc<Recorder>,
    /// Lines by category.
    pub intake: Arc<Intake>,
    /// Lines by class.
    pub logs: Arc<dyn LogsBackend>,
    /// Attempts to page people.
    pub desk: Arc<Desk>,
    /// Samples of earlier runs.
    pub metrics_backend: Arc<dyn MetricsBackend>,
    /// Counters.
    pub metrics: Arc<SelfMetrics>,
}

/// Compares and remembers.
pub(crate) struct Coverage {
    world: World,
    sources: Sources,
    started_at: Timestamp,
    memory: Mutex<HoleMemory>,
    /// The last report, and which setup it is about.
    last: Mutex<Option<(Timestamp, Arc<Report>)>>,
}

impl Coverage {
    /// Nothing looked at yet.
    pub(crate) fn new(world: World, sources: Sources, started_at: Timestamp) -> Coverage {
        Coverage {
            world,
            sources,
            started_at,
            memory: Mutex::new(HoleMemory::new(started_at, Default::default())),
            last: Mutex::default(),
        }
    }

    /// Looks on the grid until dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let began = Timestamp::from(self.world.clock.now());
        self.restore_categories(began).await;
        let memory = self.restored_memory(began).await;
        *lock(&self.memory) = memory;
        let mut ticker = Ticker::new(
            self.world.clock.clone(),
            LOOK_EVERY,
            Duration::from_secs(11),
        );
        loop {
            let at = Timestamp::from(ticker.tick().await.at);
            let report = self.look(at).await;
            let samples = samples::of(&report, &lock(&self.memory));
            self.sources.metrics.coverage_looks.inc();
            if self.sources.recorder.record(at, samples).await.is_err() {
                self.sources.metrics.own_samples_lost.inc();
            }
        }
    }

    /// The last report about the plan in force.
    pub(crate) async fn report(&self) -> Arc<Report> {
        let loaded_at = self.sources.setup.get().loaded_at;
        let last = lock(&self.last).clone();
        match last {
            Some((about, report)) if about == loaded_at => report,
            _ => self.look(Timestamp::from(self.world.clock.now())).await,
        }
    }

    async fn look(&self, now: Timestamp) -> Arc<Report> {
        let setup = self.sources.setup.get();
        let observed = self.observe(&setup.plan, now).await;
        let mut report = plan::coverage::report(&setup.plan, &setup.contacts, &observed);
        lock(&self.memory).step(&mut report.holes, now);
        let report = Arc::new(report);
        *lock(&self.last) = Some((setup.loaded_at, report.clone()));
        report
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code panics while it holds this lock")
}
