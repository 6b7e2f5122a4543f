//! What a drill looks at, put together the same way whether minutes pass or are waited for.

use model::Timestamp;

use crate::incident::{DrillOutcome, DrillStep};

/// Steps of one drill; times count from its beginning.
pub(super) struct Steps {
    began: Timestamp,
    pub(super) found: Vec<DrillStep>,
}

impl Steps {
    pub(super) fn since(began: Timestamp) -> Steps {
        Steps {
            began,
            found: Vec::new(),
        }
    }

    /// Something that has no time of its own.
    pub(super) fn note(&mut self, what: &str, outcome: DrillOutcome, text: impl Into<String>) {
        self.found.push(DrillStep {
            what: what.to_owned(),
            promised_ms: None,
            observed_ms: None,
            outcome,
            text: text.into(),
        });
    }

    /// Something that was promised for a time, and was seen or was not. Whether it was in time.
    pub(super) fn timed(
        &mut self,
        what: &str,
        promised: Timestamp,
        observed: Option<Timestamp>,
        text: impl Into<String>,
    ) -> bool {
        let in_time = observed.is_some_and(|at| at <= promised);
        let text = text.into();
        let text = match observed {
            Some(_) => text,
            None if text.is_empty() => "not seen".to_owned(),
            None => format!("not seen: {text}"),
        };
        self.found.push(DrillStep {
            what: what.to_owned(),
            promised_ms: Some(self.after(promised)),
            observed_ms: observed.map(|at| self.after(at)),
            outcome: if in_time {
                DrillOutcome::Passed
            } else {
                DrillOutcome::Failed
            },
            text,
        });
        in_time
    }

    fn after(&self, at: Timestamp) -> i64 {
        at.as_millis() - self.began.as_millis()
    }
}

/// How a drill with these steps came out, and why.
pub(super) fn verdict(steps: &[DrillStep]) -> (DrillOutcome, String) {
    let failed = steps
        .iter()
        .find(|step| step.outcome == DrillOutcome::Failed);
    match failed {
        Some(step) if step.text.is_empty() => {
            (DrillOutcome::Failed, format!("{} came too late", step.what))
        }
        Some(step) => {
            let why = match (step.observed_ms, step.promised_ms) {
                (Some(_), Some(_)) => format!("{} came too late: {}", step.what, step.text),
                _ => format!("{}: {}", step.what, step.text),
            };
            (DrillOutcome::Failed, why)
        }
        None => (
            DrillOutcome::Passed,
            "everything came as promised".to_owned(),
        ),
    }
}
