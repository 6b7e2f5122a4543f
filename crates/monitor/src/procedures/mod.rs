//! Response procedures at work: steps that look run by themselves when an incident opens, so that its page carries what
//! they found; steps that change something wait for a person, run once, and are on the timeline with who wanted them.
//!
//! `runner` takes queued runs from the store and settles them; `look` and `act` do what a step says, the first without
//! changing anything.

mod act;
mod look;
mod runner;

use std::time::Duration;

use alerting::Incident;
use model::Timestamp;
use plan::RequestStep;
use serde_json::Value;
use world::World;

use crate::incident::DrillId;
use crate::setup::Environment;

pub use runner::Runner;

/// The longest line about what a step found, in characters: it stands in a page.
const SUMMARY_CHARS_MAX: usize = 300;

/// How long a fault switch may take to answer: some must first take memory.
const DRILL_TIMEOUT: Duration = Duration::from_secs(30);

/// What a step found or did.
pub(super) struct Finding {
    /// In a line.
    pub(super) summary: String,
    /// In full.
    pub(super) detail: Value,
}

/// A step failed: why, in a line.
pub(super) type Failure = String;

/// Sends the request of a drill, which breaks a service or mends it; what came of it, in a line.
pub(crate) async fn call_for_drill(
    world: &World,
    environment: &Environment,
    request: &RequestStep,
    drill: DrillId,
) -> Result<String, Failure> {
    let about = ("x-belfry-drill", drill.0);
    let found = act::call(world, environment, request, DRILL_TIMEOUT, about).await;
    found.map(|finding| finding.summary)
}

/// What every step is told.
pub(super) struct Moment<'a> {
    /// The incident that it is about.
    pub(super) incident: &'a Incident,
    /// The time now.
    pub(super) now: Timestamp,
}

/// One line of at most [`SUMMARY_CHARS_MAX`] characters.
pub(super) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SUMMARY_CHARS_MAX) {
        None => line,
        Some(_) => {
            let kept = line.chars().take(SUMMARY_CHARS_MAX - 1);
            kept.chain(['…']).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short() {
        let check = |text: &str, expect: &str| assert_eq!(one_line(text), expect);
        check("", "");
        check(" a \n b\t c ", "a b c");
        check(&"x".repeat(400), &format!("{}…", "x".repeat(299)));
        let words = "word ".repeat(100);
        assert!(one_line(&words).chars().count() <= SUMMARY_CHARS_MAX);
    }
}
