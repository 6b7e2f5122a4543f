//! Tests of plans and of Prometheus' rule files: data in, alerts, samples and pages out, compared with what the test says.
//!
//! A plan is tested with the parts that run it: the same evaluation, the same instances, the same desk on a clock of its own
//! (`stage`). Rule files are tested as promtool tests them, since they are written for Prometheus.
//!
//! `data` feeds the series, `plan_rules` and `file_rules` evaluate, `play` runs one test, `verdict` compares.

mod annotation;
mod data;
mod file_rules;
mod plan_rules;
mod play;
mod verdict;

use std::fmt;

use plan::{Contacts, Location, Rules, TestCase, TestFile};

pub use verdict::{Failure, Line};

/// One test and how it went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it is called.
    pub name: String,
    /// Where it begins.
    pub place: Location,
    /// What differs; empty when it passed.
    pub failures: Vec<Failure>,
}

/// Why a test cannot be run at all.
#[derive(Debug)]
pub struct TestError(pub String);

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TestError {}

impl From<crate::incident::IncidentStoreError> for TestError {
    fn from(error: crate::incident::IncidentStoreError) -> TestError {
        TestError(error.to_string())
    }
}

/// Runs one test of a file over its rules. `contacts` are those that the test names.
pub async fn run(
    file: &TestFile,
    case: &TestCase,
    rules: &[Rules],
    contacts: Option<&Contacts>,
) -> Outcome {
    let failures = match play::play(file, case, rules, contacts).await {
        Ok(failures) => failures,
        Err(error) => vec![Failure::broken(case.place, error.0)],
    };
    Outcome {
        name: title(case),
        place: case.place,
        failures,
    }
}

/// What a test is called: its name, or where it stands.
pub fn title(case: &TestCase) -> String {
    if case.name.is_empty() {
        format!("the test on line {}", case.place.line)
    } else {
        case.name.clone()
    }
}
