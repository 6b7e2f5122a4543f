//! A file of tests: what promtool's files hold (series in, alerts and samples expected), and with further keys what a plan
//! promises about people: these pages at these minutes.
//!
//! Declarations only; who runs a test is the caller's business.

use std::time::Duration;

use model::{Labels, Level, Timestamp};

use crate::{Expression, Location};

/// A file of tests.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// The plans and Prometheus rule files that are tested, with where they are named. Paths count from the test file's folder.
    pub rule_files: Vec<(String, Location)>,
    /// How often rules are evaluated.
    pub evaluation_interval: Duration,
    /// Groups in the order of their evaluation; others come after them.
    pub group_order: Vec<String>,
    /// Whether values of samples may differ in their last bit.
    pub is_fuzzy: bool,
    /// The tests.
    pub tests: Vec<TestCase>,
}

/// One test: data, and what follows from it.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// What it is called; empty for none.
    pub name: String,
    /// Where it begins.
    pub place: Location,
    /// How far the points of series lie apart.
    pub interval: Duration,
    /// The time of the first points; all other times count from it.
    pub starts_at: Timestamp,
    /// The data.
    pub series: Vec<TestSeries>,
    /// Log lines that come in.
    pub log_lines: Vec<TestLogLines>,
    /// Labels that templates of rule files may name.
    pub external_labels: Vec<(String, String)>,
    /// The address that templates of rule files may name.
    pub external_url: String,
    /// What fires when.
    pub alerts: Vec<AlertCheck>,
    /// What expressions give when.
    pub expressions: Vec<ExpressionCheck>,
    /// Who has the incident, from when on.
    pub acknowledgements: Vec<TestAcknowledgement>,
    /// A contacts file; `None`: each role is filled by somebody of its name.
    pub contacts: Option<String>,
    /// Every page until the end; `None`: pages are not looked at.
    pub pages: Option<Vec<ExpectedPage>>,
    /// How long the test takes.
    pub length: Duration,
}

/// A series of a test.
#[derive(Clone, Debug)]
pub struct TestSeries {
    /// Its name and labels.
    pub labels: Labels,
    /// Its points; `None` where no sample comes.
    pub points: Vec<Option<f64>>,
}

/// Like log lines of a test.
#[derive(Clone, Debug)]
pub struct TestLogLines {
    /// Who writes them; `None`: the plan's service.
    pub service: Option<String>,
    /// Their level.
    pub level: Level,
    /// Their category.
    pub category: Option<String>,
    /// When the first comes.
    pub at: Duration,
    /// How long after one the next comes.
    pub every: Duration,
    /// How many.
    pub count: u32,
}

/// Which alerts of a name fire at a time: these and no others.
#[derive(Clone, Debug)]
pub struct AlertCheck {
    /// The alert's name.
    pub alert: String,
    /// When.
    pub at: Duration,
    /// What fires.
    pub expected: Vec<ExpectedAlert>,
    /// Where it stands.
    pub place: Location,
}

/// One alert that fires.
#[derive(Clone, Debug)]
pub struct ExpectedAlert {
    /// Its labels, without its name.
    pub labels: Vec<(String, String)>,
    /// Its annotations; `None` where the test does not say.
    pub annotations: Option<Vec<(String, String)>>,
}

/// What an expression gives at a time: these samples and no others.
#[derive(Clone, Debug)]
pub struct ExpressionCheck {
    /// The expression.
    pub expr: Expression,
    /// When.
    pub at: Duration,
    /// The samples.
    pub expected: Vec<(Labels, f64)>,
    /// Where it stands.
    pub place: Location,
}

/// Somebody acknowledges.
#[derive(Clone, Debug)]
pub struct TestAcknowledgement {
    /// When.
    pub at: Duration,
    /// The incidents of which alert; `None`: all that are open.
    pub alert: Option<String>,
    /// Who.
    pub by: String,
    /// Where it stands.
    pub place: Location,
}

/// One page.
#[derive(Clone, Debug)]
pub struct ExpectedPage {
    /// About which alert.
    pub alert: String,
    /// When it is decided.
    pub at: Duration,
    /// Who is told, each by a page.
    pub to: Vec<String>,
    /// The level that is told, counted from 1; `None` where the test does not say.
    pub level: Option<usize>,
    /// Whether it says that it is over.
    pub is_end: bool,
    /// Where it stands.
    pub place: Location,
}
