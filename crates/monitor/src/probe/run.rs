//! The loop of one probe.

use std::sync::Arc;

use model::{Labels, Timestamp};
use plan::Probe;
use world::{HttpRequest, Ticker, World};

use super::answer::{self, Verdict};
use super::{ProbeBoard, ProbeStatus};
use crate::metrics::{Recorder, series};
use crate::scrape::spread;
use crate::self_metrics::SelfMetrics;

/// The series that tells how a dependency is, as a health answer names it.
pub(crate) const DEPENDENCY_UP: &str = "probe_dependency_up";

/// The series that tells the status code of the last answer; 0 where none came.
pub(crate) const HTTP_STATUS_CODE: &str = "probe_http_status_code";

/// The most of a health answer that is read.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Asks one health endpoint for ever.
pub struct Prober {
    /// What to ask.
    pub probe: Probe,
    /// Time and network.
    pub world: World,
    /// Where samples go.
    pub recorder: Arc<Recorder>,
    /// Where the last answer is shown.
    pub board: Arc<ProbeBoard>,
    /// Counters.
    pub metrics: Arc<SelfMetrics>,
}

impl Prober {
    /// Probes at once and then on the grid until dropped.
    pub async fn run(self) {
        self.board.update(ProbeStatus::new(&self.probe));
        let mut ticker = Ticker::new(
            self.world.clock.clone(),
            self.probe.interval,
            spread(&self.probe.name, self.probe.interval),
        );
        self.probe_once(Timestamp::from(self.world.clock.now()))
            .await;
        loop {
            let tick = ticker.tick().await;
            self.metrics.probes_missed.add(tick.missed);
            self.probe_once(Timestamp::from(tick.at)).await;
        }
    }

    /// Probes once; samples carry `at`.
    pub async fn probe_once(&self, at: Timestamp) {
        let started = self.world.clock.monotonic();
        let request = HttpRequest::get(&self.probe.url, self.probe.timeout, ANSWER_BYTES_MAX);
        let outcome = self.world.net.http(request).await;
        let latency = self.world.clock.monotonic() - started;
        let mut status = ProbeStatus {
            last_at: Some(at),
            latency,
            ..ProbeStatus::new(&self.probe)
        };
        match outcome {
            Ok(response) => {
                let answer = answer::read(response.status.as_u16(), &response.body);
                status.http_status = Some(response.status.as_u16());
                status.verdict = answer.verdict;
                status.output = answer.output;
                status.dependencies = answer.dependencies;
            }
            Err(error) => status.output = error.to_string(),
        }
        self.metrics.probes.inc();
        if self
            .recorder
            .record(at, self.samples(&status))
            .await
            .is_err()
        {
            self.metrics.own_samples_lost.inc();
        }
        self.board.update(status);
    }

    fn samples(&self, status: &ProbeStatus) -> Vec<(Labels, f64)> {
        let labels = [
            ("probe", self.probe.name.as_str()),
            ("kind", self.probe.kind.as_str()),
        ];
        let up = |verdict: Verdict| if verdict == Verdict::Fail { 0.0 } else { 1.0 };
        let mut samples = vec![
            (series("probe_success", &labels), up(status.verdict)),
            (
                series("probe_duration_seconds", &labels),
                status.latency.as_secs_f64(),
            ),
            (
                series(HTTP_STATUS_CODE, &labels),
                f64::from(status.http_status.unwrap_or(0)),
            ),
        ];
        for dependency in &status.dependencies {
            let labels = [
                ("probe", self.probe.name.as_str()),
                ("dependency", dependency.name.as_str()),
            ];
            samples.push((series(DEPENDENCY_UP, &labels), up(dependency.verdict)));
        }
        samples
    }
}
