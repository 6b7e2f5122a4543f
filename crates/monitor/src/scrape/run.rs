//! The scrape loop of one target.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use model::exposition::{ExpositionFormat, parse};
use model::{Timestamp, stale_marker};
use plan::Target;
use world::{HttpRequest, Ticker, World};

use super::cache::{LookupError, ScrapeCache};
use super::{ScrapeBoard, TargetHealth, TargetStatus};
use crate::fnv::fnv1a;
use crate::metrics::{BackendError, MetricsBackend, SeriesHandle, series};
use crate::self_metrics::SelfMetrics;

/// The series that tells whether a target's scrape was whole.
pub(crate) const UP: &str = "up";

/// The largest body that is read from a target.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How far ahead of the scrape a target's own timestamps may lie; Prometheus has the same bound.
const AHEAD_MAX: Duration = Duration::from_secs(10 * 60);

/// The text format first: it keeps every metric's name exactly as the plan writes it, while OpenMetrics makes
/// counters end in `_total`.
const ACCEPT_FORMATS: &str =
    "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.1";

/// Scrapes one target for ever.
pub struct Scraper {
    target: Target,
    world: World,
    backend: Arc<dyn MetricsBackend>,
    board: Arc<ScrapeBoard>,
    metrics: Arc<SelfMetrics>,
    cache: ScrapeCache,
    /// Series that ended and whose staleness markers are not stored yet.
    stale: Vec<SeriesHandle>,
}

/// What one scrape brought.
struct Scraped {
    samples: Vec<(SeriesHandle, Timestamp, f64)>,
}

/// Why a scrape failed: a closed word for the metric, a sentence for people.
struct ScrapeFailure {
    reason: &'static str,
    text: String,
}

impl Scraper {
    /// A scraper of a target.
    pub fn new(
        target: Target,
        world: World,
        backend: Arc<dyn MetricsBackend>,
        board: Arc<ScrapeBoard>,
        metrics: Arc<SelfMetrics>,
    ) -> Scraper {
        let scraper = Scraper {
            target,
            world,
            backend,
            board,
            metrics,
            cache: ScrapeCache::default(),
            stale: Vec::new(),
        };
        scraper.board.update(scraper.status(TargetHealth::Unknown));
        scraper
    }

    /// Scrapes on the grid until dropped.
    pub async fn run(mut self) {
        let offset = spread(
            &format!("{}/{}", self.target.job, self.target.url),
            self.target.interval,
        );
        let mut ticker = Ticker::new(self.world.clock.clone(), self.target.interval, offset);
        // One scrape at once, so that a fresh start shows data within a second and not within an interval.
        self.scrape_once(Timestamp::from(self.world.clock.now()))
            .await;
        loop {
            let tick = ticker.tick().await;
            self.metrics.scrapes_missed.add(tick.missed);
            self.scrape_once(Timestamp::from(tick.at)).await;
        }
    }

    /// Scrapes once and stores what came, with `at` as the samples' time.
    pub async fn scrape_once(&mut self, at: Timestamp) {
        let started = self.world.clock.monotonic();
        let fetched = self.fetch().await;
        let outcome = fetched.and_then(|(body, format)| self.read(&body, format, at));
        let duration = self.world.clock.monotonic() - started;
        let status = match outcome {
            Ok(scraped) => self.store(scraped, at, duration).await,
            Err(failure) => self.store_failure(&failure, at, duration).await,
        };
        self.board.update(status);
    }

    async fn fetch(&self) -> Result<(String, ExpositionFormat), ScrapeFailure> {
        let mut request = HttpRequest::get(&self.target.url, self.target.timeout, BODY_BYTES_MAX);
        request.headers = scrape_headers(self.target.timeout);
        let response = self
            .world
            .net
            .http(request)
            .await
            .map_err(|error| ScrapeFailure {
                reason: error.reason(),
                text: error.to_string(),
            })?;
        if !response.status.is_success() {
            let text = format!("the target answered {}", response.status);
            return Err(ScrapeFailure {
                reason: "status",
                text,
            });
        }
        let content_type = response
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        let format = ExpositionFormat::from_content_type(content_type).ok_or_else(|| ScrapeFailure {
            reason: "content_type",
            text: format!(
                "the Content-Type `{content_type}` is neither text/plain nor application/openmetrics-text"
            ),
        })?;
        let body = String::from_utf8(response.body.to_vec()).map_err(|_| ScrapeFailure {
            reason: "malformed",
            text: "the body is not UTF-8".to_owned(),
        })?;
        Ok((body, format))
    }

    fn read(
        &mut self,
        body: &str,
        format: ExpositionFormat,
        at: Timestamp,
    ) -> Result<Scraped, ScrapeFailure> {
        let malformed = |text: String| ScrapeFailure {
            reason: "malformed",
            text,
        };
        let exposition = parse(body, format).map_err(|error| malformed(error.to_string()))?;
        if exposition.samples.len() > self.target.sample_limit {
            let text = format!(
                "the target exposes {} samples, more than its limit of {}; raise `sample_limit` or drop series",
                exposition.samples.len(),
                self.target.sample_limit
            );
            return Err(ScrapeFailure {
                reason: "sample_limit",
                text,
            });
        }
        self.cache.begin(&exposition.families);
        let target_labels = [
            ("job", self.target.job.as_str()),
            ("instance", self.target.instance.as_str()),
        ];
        let mut samples = Vec::with_capacity(exposition.samples.len() + 8);
        let latest = at + AHEAD_MAX;
        for sample in &exposition.samples {
            let handle = self
                .cache
                .lookup(sample.series, &target_labels, &*self.backend)
                .map_err(|error| match error {
                    LookupError::Malformed(why) => {
                        malformed(format!("line {}: {why}", sample.line))
                    }
                    LookupError::Backend(error) => ScrapeFailure {
                        reason: "store",
                        text: error.to_string(),
                    },
                })?;
            match sample.at {
                // One such sample would lock its series until that time comes.
                Some(own) if own > latest => self.metrics.samples_refused.inc(),
                own => samples.push((handle, own.unwrap_or(at), sample.value)),
            }
        }
        Ok(Scraped { samples })
    }

    async fn store(&mut self, scraped: Scraped, at: Timestamp, duration: Duration) -> TargetStatus {
        let count = scraped.samples.len();
        let vanished = self.cache.take_vanished(at);
        self.stale.extend(vanished);
        if let Err(failure) = self.append(scraped.samples, at, 1.0, duration, count).await {
            return self.failed(&failure, at, duration);
        }
        self.metrics.scrapes.inc();
        TargetStatus {
            last_scrape: Some(at),
            duration,
            samples: count,
            names: self.cache.names().clone(),
            exposed: self.cache.exposed(),
            ..self.status(TargetHealth::Up)
        }
    }

    async fn store_failure(
        &mut self,
        failure: &ScrapeFailure,
        at: Timestamp,
        duration: Duration,
    ) -> TargetStatus {
        let all = self.cache.take_all();
        self.stale.extend(all);
        if let Err(failure) = self.append(Vec::new(), at, 0.0, duration, 0).await {
            return self.failed(&failure, at, duration);
        }
        self.failed(failure, at, duration)
    }

    /// Appends what a scrape brought, the markers of what ended, and what is known about the scrape itself.
    async fn append(
        &mut self,
        mut batch: Vec<(SeriesHandle, Timestamp, f64)>,
        at: Timestamp,
        up: f64,
        duration: Duration,
        count: usize,
    ) -> Result<(), ScrapeFailure> {
        let store = |error: BackendError| ScrapeFailure {
            reason: "store",
            text: error.to_string(),
        };
        batch.extend(
            self.stale
                .iter()
                .map(|handle| (*handle, at, stale_marker())),
        );
        self.add_synthetic(&mut batch, at, up, duration, count)
            .map_err(store)?;
        let appended = self.backend.append(batch).await.map_err(store)?;
        self.metrics.samples_stored.add(appended.stored);
        self.metrics.samples_refused.add(appended.refused);
        if appended.stored == 0 && appended.refused > 0 {
            let text =
                "the store has newer samples of every series; was the clock set back?".to_owned();
            return Err(ScrapeFailure {
                reason: "store",
                text,
            });
        }
        // Kept until the store has them: a failed append must not leave a series alive.
        self.stale.clear();
        Ok(())
    }

    fn failed(&self, failure: &ScrapeFailure, at: Timestamp, duration: Duration) -> TargetStatus {
        self.metrics.scrape_failed(failure.reason);
        TargetStatus {
            last_scrape: Some(at),
            last_error: Some(failure.text.clone()),
            duration,
            ..self.status(TargetHealth::Down)
        }
    }

    fn add_synthetic(
        &self,
        batch: &mut Vec<(SeriesHandle, Timestamp, f64)>,
        at: Timestamp,
        up: f64,
        duration: Duration,
        samples: usize,
    ) -> Result<(), BackendError> {
        let about = [
            (UP, up),
            ("scrape_duration_seconds", duration.as_secs_f64()),
            ("scrape_samples_scraped", samples as f64),
        ];
        for (name, value) in about {
            let labels = series(
                name,
                &[
                    ("job", &self.target.job),
                    ("instance", &self.target.instance),
                ],
            );
            batch.push((self.backend.resolve(&labels)?, at, value));
        }
        Ok(())
    }

    fn status(&self, health: TargetHealth) -> TargetStatus {
        TargetStatus {
            job: self.target.job.clone(),
            instance: self.target.instance.clone(),
            url: self.target.url.clone(),
            interval: self.target.interval,
            health,
            last_scrape: None,
            last_error: None,
            duration: Duration::ZERO,
            samples: 0,
            names: Default::default(),
            exposed: Arc::default(),
        }
    }
}

pub(crate) fn scrape_headers(timeout: Duration) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPT_FORMATS));
    let seconds = format!("{}", timeout.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&seconds) {
        headers.insert(
            HeaderName::from_static("x-prometheus-scrape-timeout-seconds"),
            value,
        );
    }
    headers
}

/// Where in its interval a loop runs: fixed by its name, so that targets do not all answer in the same millisecond and a
/// restart changes nothing.
pub(crate) fn spread(name: &str, interval: Duration) -> Duration {
    Duration::from_millis(fnv1a(name.as_bytes()) % (interval.as_millis() as u64).max(1))
}
