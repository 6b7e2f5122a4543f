//! What is known about the last evaluation of every rule: for the alerts page and "why is it not firing?".

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use model::Timestamp;

/// The last evaluation of one rule.
#[derive(Clone, Debug, Default)]
pub struct RuleReport {
    /// When.
    pub at: Option<Timestamp>,
    /// How long it took.
    pub duration: Duration,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// What it found, in a sentence.
    pub why: String,
}

/// The last evaluation of every rule, by the rule's name.
#[derive(Default)]
pub struct RuleBoard {
    reports: Mutex<BTreeMap<String, RuleReport>>,
    /// When a rule was last evaluated, on the clock that never goes back.
    evaluated: Mutex<Duration>,
}

impl RuleBoard {
    /// The report of a rule; an empty one before its first evaluation.
    pub fn report(&self, rule: &str) -> RuleReport {
        let reports = self
            .reports
            .lock()
            .expect("no code panics while it holds this lock");
        reports.get(rule).cloned().unwrap_or_default()
    }

    /// Writes a report down. `monotonic` is the time of [`world::Clock::monotonic`].
    pub fn update(&self, rule: &str, report: RuleReport, monotonic: Duration) {
        let mut reports = self
            .reports
            .lock()
            .expect("no code panics while it holds this lock");
        reports.insert(rule.to_owned(), report);
        *self
            .evaluated
            .lock()
            .expect("no code panics while it holds this lock") = monotonic;
    }

    /// How long no rule was evaluated; before the first time, how long the program runs.
    pub fn silence(&self, monotonic: Duration) -> Duration {
        monotonic.saturating_sub(
            *self
                .evaluated
                .lock()
                .expect("no code panics while it holds this lock"),
        )
    }
}
