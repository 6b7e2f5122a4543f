//! What is known about each target: shown on pages, and asked by rules ("was the last scrape complete?").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::Timestamp;
use plan::coverage::Exposed;
use tokio::sync::watch;

/// Whether a target answers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TargetHealth {
    /// The last scrape was whole.
    Up,
    /// The last scrape failed.
    Down,
    /// Not scraped yet.
    Unknown,
}

impl TargetHealth {
    /// The word of the API, the same as Prometheus'.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetHealth::Up => "up",
            TargetHealth::Down => "down",
            TargetHealth::Unknown => "unknown",
        }
    }
}

/// The state of one target.
#[derive(Clone, Debug)]
pub struct TargetStatus {
    /// The `job` label.
    pub job: String,
    /// The `instance` label.
    pub instance: String,
    /// The address.
    pub url: String,
    /// How often it is scraped.
    pub interval: Duration,
    /// Whether it answers.
    pub health: TargetHealth,
    /// When it was scraped last.
    pub last_scrape: Option<Timestamp>,
    /// Why the last scrape failed.
    pub last_error: Option<String>,
    /// How long the last scrape took.
    pub duration: Duration,
    /// How many samples it brought.
    pub samples: usize,
    /// Names of the metrics that it brought.
    pub names: BTreeSet<String>,
    /// Metric families that it brought, with types, units and labels.
    pub exposed: Arc<Exposed>,
}

/// The state of all targets.
#[derive(Default)]
pub struct ScrapeBoard {
    targets: Mutex<BTreeMap<(String, String), TargetStatus>>,
    /// Tells whoever waits for a job's scrapes the time of the last one.
    finished: Mutex<BTreeMap<String, watch::Sender<Timestamp>>>,
}

impl ScrapeBoard {
    /// All targets, by job and instance.
    pub fn targets(&self) -> Vec<TargetStatus> {
        self.lock().values().cloned().collect()
    }

    /// Whether the last scrape of every target of these jobs was whole and is not older than two intervals.
    /// Also true when there are no jobs: then the series are Belfry's own.
    pub fn complete(&self, jobs: &[String], now: Timestamp) -> bool {
        let targets = self.lock();
        jobs.iter().all(|job| {
            let mut of_job = targets
                .values()
                .filter(|target| target.job == *job)
                .peekable();
            of_job.peek().is_some() && of_job.all(|target| target.is_complete(now))
        })
    }

    /// Whether the last scrape of every target was whole and is not older than two intervals.
    pub fn all_complete(&self, now: Timestamp) -> bool {
        self.lock().values().all(|target| target.is_complete(now))
    }

    /// Changes to the time of each scrape of a job as soon as it is stored, whole or failed.
    pub fn finished(&self, job: &str) -> watch::Receiver<Timestamp> {
        let mut finished = self
            .finished
            .lock()
            .expect("no code panics while it holds this lock");
        finished.entry(job.to_owned()).or_default().subscribe()
    }

    /// Writes a target's state down and wakes who waits for it.
    pub(crate) fn update(&self, status: TargetStatus) {
        let (job, last) = (status.job.clone(), status.last_scrape);
        self.lock()
            .insert((status.job.clone(), status.instance.clone()), status);
        if let Some(at) = last {
            let mut finished = self
                .finished
                .lock()
                .expect("no code panics while it holds this lock");
            finished.entry(job).or_default().send_replace(at);
        }
    }

    /// Forgets targets that are not among these (after a reload).
    pub fn retain(&self, keep: impl Fn(&str, &str) -> bool) {
        self.lock().retain(|(job, instance), _| keep(job, instance));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), TargetStatus>> {
        self.targets
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl TargetStatus {
    /// Whether the last scrape was whole and is not older than two intervals.
    pub(crate) fn is_complete(&self, now: Timestamp) -> bool {
        let fresh = self
            .last_scrape
            .is_some_and(|last| is_fresh(last, self.interval, now));
        self.health == TargetHealth::Up && fresh
    }
}

/// Whether a scrape at `last` still counts: it is not older than two intervals, and a little.
pub(crate) fn is_fresh(last: Timestamp, interval: Duration, now: Timestamp) -> bool {
    last <= now + interval && now.since(last) <= 2 * interval + interval / 2
}
