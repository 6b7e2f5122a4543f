//! What coverage is computed from: what targets, probes, logs and pages were last seen to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;

/// Everything that was observed, at one time.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The time of the observation.
    pub now: Timestamp,
    /// When the observer started: what takes a while to arrive is not missing before it could.
    pub started_at: Timestamp,
    /// Since when anything was kept at all, by this start or one before.
    pub kept_since: Option<Timestamp>,
    /// Targets of the plan.
    pub targets: Vec<ObservedTarget>,
    /// Series that Belfry itself wrote, by name.
    pub own: BTreeMap<String, OwnSeries>,
    /// Probes, by name.
    pub probes: BTreeMap<String, ObservedProbe>,
    /// Lines of the plan's log categories, by name.
    pub categories: BTreeMap<String, ObservedCategory>,
    /// Retention classes as they are on the disk, by name.
    pub classes: BTreeMap<String, ObservedClass>,
    /// How the last attempts to page people ended.
    pub deliveries: Vec<LastDelivery>,
    /// The last drill of each alert, by the alert's name.
    pub drills: BTreeMap<String, LastDrill>,
}

impl Observed {
    /// How long after a start what Belfry writes itself may be absent: every loop has had two turns by then.
    pub(super) const EARLY: Duration = Duration::from_secs(150);

    /// Whether the observer has run for too short a time to call something absent.
    pub(super) fn is_early(&self) -> bool {
        self.now.since(self.started_at) <= Observed::EARLY
    }
}

/// Whether a target answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Its last scrape was whole and is fresh.
    Up,
    /// Its last scrape failed, for this reason.
    Down(String),
    /// Not scraped yet, or not for a while.
    Unknown,
}

/// A target as it was last scraped.
#[derive(Clone, Debug)]
pub struct ObservedTarget {
    /// Its job.
    pub job: String,
    /// Its instance.
    pub instance: String,
    /// Whether it answers.
    pub state: TargetState,
    /// What it exposes.
    pub exposed: Arc<Exposed>,
}

/// What a target exposed in its last whole scrape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposed {
    /// Metric families by name.
    pub families: BTreeMap<String, ExposedFamily>,
    /// How many more there were than are kept.
    pub left_out: usize,
    /// Families that it exposed before and no longer does, and when they were last there.
    pub gone: BTreeMap<String, Timestamp>,
}

/// One metric family as a target exposes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExposedFamily {
    /// The word of its `TYPE` line; empty without one.
    pub kind: String,
    /// The word of its `UNIT` line; empty without one.
    pub unit: String,
    /// Names of the labels that its series carry.
    pub labels: BTreeSet<String>,
    /// How many series it has. None, with a `TYPE` line: nothing has happened yet.
    pub series: usize,
}

/// A series of Belfry's own making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSeries {
    /// When a sample was last written.
    pub last_at: Timestamp,
    /// Names of its labels.
    pub labels: BTreeSet<String>,
}

/// A probe's last answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedProbe {
    /// Whether it got an answer, good or bad, that is fresh.
    pub answered: bool,
    /// Whether it was asked at all yet.
    pub asked: bool,
    /// What was said instead of an answer.
    pub output: String,
    /// The dependencies that the answer names.
    pub dependencies: Vec<String>,
}

/// Lines of one log category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedCategory {
    /// The time of the newest line.
    pub last_line: Option<Timestamp>,
    /// Lines of the last 24 hours.
    pub lines_last_day: u64,
    /// The class under which the newest line is kept, where this start saw it.
    pub class: Option<String>,
}

/// A retention class on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedClass {
    /// Its lines.
    pub lines: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The oldest line.
    pub oldest: Option<Timestamp>,
    /// When the next file goes.
    pub next_deletion: Option<Timestamp>,
}

/// How the last attempt to reach a person by a channel ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastDelivery {
    /// Whom.
    pub person: String,
    /// By which channel.
    pub channel: String,
    /// When.
    pub at: Timestamp,
    /// Why it failed; `None` when it was accepted.
    pub error: Option<String>,
    /// The first of the failures in a row that end with this one.
    pub failing_since: Option<Timestamp>,
}

/// The last drill of an alert.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct LastDrill {
    /// When it ended.
    pub at: Timestamp,
    /// Whether every promise was kept.
    pub passed: bool,
}
