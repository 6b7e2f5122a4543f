//! Judges a run by what was seen from outside and by the script, never by the desk's reasons. Each invariant has a name, by
//! which failures, mutants and the track record speak of it.
//!
//! All times are elapsed times, which no setting of a clock moves; only silences are a matter of the wall clock, because
//! whoever sets one says until what time.

mod deadlines;
mod facts;
mod promises;

use std::fmt;
use std::time::Duration;

use super::record::Record;
use super::scenario::{Mode, Scenario};
use facts::Facts;

/// What is promised.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// I1: the first page comes in time.
    FirstPage,
    /// I2: levels 2 and 3 are not late.
    EscalateOnTime,
    /// I2: nor early.
    NoLevelEarly,
    /// I3: none is skipped, and they come in order.
    NoLevelSkipped,
    /// I4: what was decided arrives.
    NothingLost,
    /// I5: a page comes twice only when something broke while it was sent, and under its own key.
    Duplicates,
    /// I6: whoever was paged learns once that it is over, and nothing after it.
    OneFinalResolve,
    /// I7: an acknowledgement stops pages.
    AcknowledgementStops,
    /// I8: missing data resolves nothing.
    NoFalseResolve,
    /// An alert does not fire before its `for`.
    NeverBeforeFor,
    /// I10: what is silenced does not page.
    SilenceHolds,
    /// I10: when the silence ends while it fires, people are told.
    SilenceEnds,
    /// I12: a receiver that fails delays nobody else.
    Isolation,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Invariant::FirstPage => "first-page",
            Invariant::EscalateOnTime => "escalate-on-time",
            Invariant::NoLevelEarly => "no-level-early",
            Invariant::NoLevelSkipped => "no-level-skipped",
            Invariant::NothingLost => "nothing-lost",
            Invariant::Duplicates => "duplicates",
            Invariant::OneFinalResolve => "one-final-resolve",
            Invariant::AcknowledgementStops => "acknowledgement-stops",
            Invariant::NoFalseResolve => "no-false-resolve",
            Invariant::NeverBeforeFor => "never-before-for",
            Invariant::SilenceHolds => "silence-holds",
            Invariant::SilenceEnds => "silence-ends",
            Invariant::Isolation => "isolation",
        })
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, since the run began.
    pub at: Duration,
    /// What was seen and what was promised.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}: {}", self.invariant, self.at, self.what)
    }
}

/// All broken promises of a run, by time.
pub fn check(scenario: &Scenario, record: &Record) -> Vec<Violation> {
    let facts = Facts::new(scenario, record);
    let mut violations = Violations::default();
    promises::check(&facts, &mut violations);
    if scenario.mode == Mode::Liveness {
        deadlines::check(&facts, &mut violations);
    }
    deadlines::check_healed(&facts, &mut violations);
    violations.0.sort_by_key(|violation| violation.at);
    violations.0
}

#[derive(Default)]
struct Violations(Vec<Violation>);

impl Violations {
    fn add(&mut self, invariant: Invariant, at: Duration, what: String) {
        self.0.push(Violation {
            invariant,
            at,
            what,
        });
    }
}
