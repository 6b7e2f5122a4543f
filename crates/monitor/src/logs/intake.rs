//! Where every line passes: class by the plan, stored before it is acknowledged, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::{LogEntry, Timestamp};
use plan::LogClass;
use world::{Ticker, World};

use super::backend::{LogsBackend, LogsError, Stored};
use super::counts::{COUNT_INTERVAL, LineCounts};
use super::tally::CategoryTally;
use crate::metrics::Recorder;
use crate::self_metrics::SelfMetrics;
use crate::setup::CurrentSetup;

/// What became of the lines of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntakeReport {
    /// Stored.
    pub accepted: u64,
    /// Not stored, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
}

/// What became of lines: those that are settled, and those that the sender should bring again.
#[derive(Debug, Default)]
pub struct Taken {
    /// Stored or rejected for good.
    pub report: IntakeReport,
    /// Refused by the store, by class.
    pub refused: Vec<(LogsError, Arc<Vec<LogEntry>>)>,
}

/// Takes lines in.
pub struct Intake {
    world: World,
    backend: Arc<dyn LogsBackend>,
    setup: Arc<CurrentSetup>,
    metrics: Arc<SelfMetrics>,
    counts: Mutex<LineCounts>,
    /// Lines by the plan's categories.
    pub(crate) categories: CategoryTally,
}

impl Intake {
    /// An intake into a backend.
    pub fn new(
        world: World,
        backend: Arc<dyn LogsBackend>,
        setup: Arc<CurrentSetup>,
        metrics: Arc<SelfMetrics>,
    ) -> Intake {
        Intake {
            world,
            backend,
            setup,
            metrics,
            counts: Mutex::default(),
            categories: CategoryTally::default(),
        }
    }

    /// Stores lines, class by class. `malformed` lines of the same request are only counted. A class that the store refuses
    /// does not keep the others out: it comes back in [`Taken::refused`], and its lines are not acknowledged.
    pub async fn take(&self, entries: Vec<LogEntry>, malformed: u64) -> Taken {
        let now = Timestamp::from(self.world.clock.now());
        let mut taken = Taken::default();
        taken.report.reject("malformed", malformed);
        let setup = self.setup.get();
        let mut batches: BTreeMap<&str, Vec<LogEntry>> = BTreeMap::new();
        for entry in entries {
            match class_of(&setup.plan.logs.classes, &entry) {
                Some(class) => batches.entry(&class.name).or_default().push(entry),
                None => taken.report.reject("no_class", 1),
            }
        }
        for (class, entries) in batches {
            let entries = Arc::new(entries);
            match self
                .backend
                .append(class.to_owned(), entries.clone(), now)
                .await
            {
                Ok(stored) => {
                    taken.report.add(stored);
                    self.counts().add(&entries);
                    let categories = &setup.plan.logs.categories;
                    self.categories.add(categories, class, &entries, now);
                }
                Err(error) => {
                    self.metrics
                        .log_lines_dropped("store", entries.len() as u64);
                    taken.refused.push((error, entries));
                }
            }
        }
        self.metrics.log_lines_stored.add(taken.report.accepted);
        for (reason, lines) in &taken.report.rejected {
            self.metrics.log_lines_dropped(reason, *lines);
        }
        taken
    }

    /// Writes the counts as samples until dropped.
    pub async fn run_counts(self: Arc<Self>, recorder: Arc<Recorder>) {
        let mut ticker = Ticker::new(self.world.clock.clone(), COUNT_INTERVAL, Duration::ZERO);
        loop {
            let at = Timestamp::from(ticker.tick().await.at);
            let mut samples = self.counts().samples();
            let setup = self.setup.get();
            samples.extend(self.categories.samples(&setup.plan.logs.categories));
            if recorder.record(at, samples).await.is_err() {
                self.metrics.own_samples_lost.inc();
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, LineCounts> {
        self.counts
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl IntakeReport {
    fn reject(&mut self, reason: &'static str, lines: u64) {
        if lines > 0 {
            *self.rejected.entry(reason).or_default() += lines;
        }
    }

    fn add(&mut self, stored: Stored) {
        self.accepted += stored.stored;
        self.reject("too_old", stored.too_old);
        self.reject("too_long", stored.too_long);
        self.reject("future", stored.future);
    }
}

/// The class of a line: its category's where the plan has one for it, else its level's.
pub(crate) fn class_of<'a>(classes: &'a [LogClass], entry: &LogEntry) -> Option<&'a LogClass> {
    let of_category = |class: &&LogClass| match (&class.category, &entry.category) {
        (Some(wanted), Some(own)) => wanted.eq_ignore_ascii_case(own),
        _ => false,
    };
    classes.iter().find(of_category).or_else(|| {
        classes
            .iter()
            .find(|class| class.level == Some(entry.level))
    })
}
