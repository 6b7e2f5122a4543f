//! A rule file of Prometheus, for tests: groups of alerts and of recorded expressions.

use std::time::Duration;

use crate::{Expression, Location, Plan};

/// What a test names as its rules.
#[derive(Clone, Debug)]
pub enum Rules {
    /// A plan.
    Plan(Box<Plan>),
    /// A rule file of Prometheus.
    File(RuleFile),
}

/// A rule file of Prometheus.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Its groups, in order.
    pub groups: Vec<RuleFileGroup>,
}

/// Rules that are evaluated one after another.
#[derive(Clone, Debug)]
pub struct RuleFileGroup {
    /// The group's name.
    pub name: String,
    /// The most alerts or series of one of its rules; 0 for no bound.
    pub limit: usize,
    /// Its rules, in order.
    pub rules: Vec<FileRule>,
}

/// A rule of a file.
#[derive(Clone, Debug)]
pub struct FileRule {
    /// The alert's name, or that of the series which it records.
    pub name: String,
    /// What it evaluates.
    pub expr: Expression,
    /// Labels of the alert or the series. Those of alerts are templates.
    pub labels: Vec<(String, String)>,
    /// What is an alert's alone; `None` for a rule that records.
    pub alert: Option<FileAlert>,
    /// Where it is declared.
    pub at: Location,
}

/// What is an alert's alone.
#[derive(Clone, Debug)]
pub struct FileAlert {
    /// How long it must hold before it fires.
    pub hold: Duration,
    /// How long it goes on firing after the condition ended.
    pub keep_firing: Duration,
    /// Texts, as templates.
    pub annotations: Vec<(String, String)>,
}
