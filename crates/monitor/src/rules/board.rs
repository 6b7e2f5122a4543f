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

    /// Writes a report down.
    pub fn update(&self, rule: &str, report: RuleReport) {
        self.reports
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(rule.to_owned(), report);
    }
}
