//! Heartbeats: jobs that must report from time to time. How long each has been silent becomes samples, and a rule of the plan
//! compares it with what the plan allows.

use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Timestamp};
use plan::{HEARTBEAT_AGE, HEARTBEAT_ALLOWED, Heartbeat};
use world::{Ticker, World};

use crate::incident::{Desk, StoredHeartbeat};
use crate::metrics::{Recorder, series};
use crate::self_metrics::SelfMetrics;
use crate::setup::CurrentSetup;

/// How often silence is measured: the plan's interval for metrics collection.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// Measures until dropped.
pub(crate) async fn run(
    world: World,
    desk: Arc<Desk>,
    setup: Arc<CurrentSetup>,
    recorder: Arc<Recorder>,
    metrics: Arc<SelfMetrics>,
) {
    let mut ticker = Ticker::new(world.clock.clone(), MEASURE_EVERY, Duration::from_secs(3));
    loop {
        let at = Timestamp::from(ticker.tick().await.at);
        let setup = setup.get();
        let declared = &setup.plan.heartbeats;
        let names: Vec<String> = declared.iter().map(|own| own.name.clone()).collect();
        // What the store cannot say is not said: a rule then knows nothing, and nothing resolves.
        let Ok(stored) = desk
            .with_store(move |store| store.expect_heartbeats(&names, at))
            .await
        else {
            continue;
        };
        if recorder
            .record(at, samples(declared, &stored, at))
            .await
            .is_err()
        {
            metrics.own_samples_lost.inc();
        }
    }
}

fn samples(
    declared: &[Heartbeat],
    stored: &[StoredHeartbeat],
    at: Timestamp,
) -> Vec<(Labels, f64)> {
    let mut samples = Vec::new();
    for heartbeat in declared {
        let Some(known) = stored.iter().find(|own| own.name == heartbeat.name) else {
            continue;
        };
        let labels = [("heartbeat", heartbeat.name.as_str())];
        let since = known.last_at.unwrap_or(known.expected_since);
        let allowed = heartbeat.every + heartbeat.grace;
        samples.push((
            series(HEARTBEAT_AGE, &labels),
            at.since(since).as_secs_f64(),
        ));
        samples.push((series(HEARTBEAT_ALLOWED, &labels), allowed.as_secs_f64()));
    }
    samples
}
