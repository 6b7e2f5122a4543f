//! A step as the API and the command line show it.

use serde_json::{Value, json};

use crate::incident::DrillStep;

/// What was looked at, with times in seconds since the drill began.
pub(crate) fn step_json(step: &DrillStep) -> Value {
    let seconds = |ms: Option<i64>| ms.map(|ms| ms as f64 / 1_000.0);
    json!({
        "what": step.what,
        "promised_after_seconds": seconds(step.promised_ms),
        "observed_after_seconds": seconds(step.observed_ms),
        "outcome": step.outcome.as_str(),
        "text": step.text,
    })
}
