//! The loops that keep the stores well: sync once a second, sealing and retention once a minute.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use telemetry::log::Logger;
use world::{Ticker, World};

use crate::incident::{Desk, IncidentStoreError};
use crate::logs::LogsBackend;
use crate::metrics::MetricsBackend;
use crate::self_metrics::SelfMetrics;

/// What power loss may take at most: the documented window.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How often sealing and retention run.
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);
/// How often escalation deadlines are looked at; levels 2 and 3 are late by at most this.
const TICK_EVERY: Duration = Duration::from_secs(1);

/// How long incidents and the history of alerts are kept: a month's report can be compared with that of the year before.
const INCIDENTS_KEPT: Duration = Duration::from_secs(395 * 24 * 3600);

/// Keeps the stores well.
#[derive(Clone)]
pub(crate) struct Upkeep {
    /// Time.
    pub world: World,
    /// Samples.
    pub metrics_backend: Arc<dyn MetricsBackend>,
    /// Lines.
    pub logs_backend: Arc<dyn LogsBackend>,
    /// Incidents.
    pub desk: Arc<Desk>,
    /// Counters.
    pub metrics: Arc<SelfMetrics>,
    /// Belfry's own log.
    pub log: Logger,
}

impl Upkeep {
    /// Syncs until dropped.
    pub(crate) async fn run_sync(self) {
        let mut ticker = Ticker::new(self.world.clock.clone(), SYNC_EVERY, Duration::ZERO);
        loop {
            ticker.tick().await;
            self.sync().await;
        }
    }

    /// Seals and forgets until dropped.
    pub(crate) async fn run_maintain(self) {
        let mut ticker = Ticker::new(
            self.world.clock.clone(),
            MAINTAIN_EVERY,
            Duration::from_secs(30),
        );
        loop {
            let now = Timestamp::from(ticker.tick().await.at);
            self.report(
                "metrics store maintenance",
                self.metrics_backend.maintain(now).await,
            );
            self.report(
                "log store maintenance",
                self.logs_backend.maintain(now).await,
            );
            self.report("incident store maintenance", self.forget(now).await);
        }
    }

    /// Lets escalation deadlines pass until dropped.
    pub(crate) async fn run_escalation(self) {
        let mut ticker = Ticker::new(self.world.clock.clone(), TICK_EVERY, Duration::ZERO);
        loop {
            let now = Timestamp::from(ticker.tick().await.at);
            self.report("escalation", self.desk.tick(now).await);
        }
    }

    /// Forgets incidents and history as old as the oldest samples that could explain them.
    async fn forget(&self, now: Timestamp) -> Result<(), IncidentStoreError> {
        let before = now - INCIDENTS_KEPT;
        self.desk
            .with_store(move |store| store.forget_before(before))
            .await
    }

    /// Makes everything appended survive power loss.
    pub(crate) async fn sync(&self) {
        self.report("metrics store sync", self.metrics_backend.sync().await);
        self.report("log store sync", self.logs_backend.sync().await);
    }

    fn report<E: std::fmt::Display>(&self, what: &str, outcome: Result<(), E>) {
        if let Err(error) = outcome {
            self.metrics.upkeep_failures.inc();
            self.log
                .error("upkeep failed")
                .field("what", what)
                .field("error", error.to_string().as_str())
                .emit();
        }
    }
}
