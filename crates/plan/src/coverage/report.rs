//! What coverage says: shares with their targets, the state of each item, and the holes.

use std::fmt;
use std::time::Duration;

use model::Timestamp;

use crate::{Location, MetricGroup, MetricType, Origin};

/// How much of the plan is true at one time.
#[derive(Clone, Debug)]
pub struct Report {
    /// When.
    pub at: Timestamp,
    /// Shares, in reading order.
    pub shares: Vec<Share>,
    /// Declared metrics, in the plan's order.
    pub metrics: Vec<MetricReport>,
    /// Metrics that are scraped and not declared, by job and name.
    pub undeclared: Vec<(String, String)>,
    /// How many more there are than are listed.
    pub undeclared_left_out: usize,
    /// Critical paths, in the plan's order.
    pub paths: Vec<PathReport>,
    /// Log categories, in the plan's order.
    pub categories: Vec<CategoryReport>,
    /// Retention classes, in the plan's order, then those that left the plan.
    pub retention: Vec<RetentionReport>,
    /// What is wrong, in the order of the parts.
    pub holes: Vec<Hole>,
}

/// Covered items of one group under one aspect.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Of what: `application`, `infrastructure`, `business`, `alerts`, `dependencies`, `logs`.
    pub group: &'static str,
    /// In what respect: `arriving`, `shown`, `guarded`, …
    pub aspect: &'static str,
    /// Items that are covered.
    pub covered: usize,
    /// Items that are known to be covered or not.
    pub known: usize,
    /// Items of which nothing is known.
    pub unknown: usize,
    /// The share that the plan promises, where it promises one.
    pub target: Option<f64>,
}

/// Whether one item is covered; `None`: nothing is known.
pub(super) type Covered = Option<bool>;

impl Share {
    pub(super) fn of(
        group: &'static str,
        aspect: &'static str,
        target: Option<f64>,
        items: impl Iterator<Item = Covered>,
    ) -> Share {
        let mut share = Share {
            group,
            aspect,
            covered: 0,
            known: 0,
            unknown: 0,
            target,
        };
        for item in items {
            match item {
                Some(covered) => {
                    share.known += 1;
                    share.covered += usize::from(covered);
                }
                None => share.unknown += 1,
            }
        }
        share
    }

    /// Covered of known, 0..=1; `None` when nothing is known.
    pub fn ratio(&self) -> Option<f64> {
        (self.known > 0).then(|| self.covered as f64 / self.known as f64)
    }

    /// Whether the target is kept. `None`: there is none, or what is not known could decide it either way.
    pub fn kept(&self) -> Option<bool> {
        let target = self.target?;
        let all = self.known + self.unknown;
        if all == 0 {
            return Some(true);
        }
        let at_worst = self.covered as f64 / all as f64;
        let at_best = (self.covered + self.unknown) as f64 / all as f64;
        match (at_worst >= target, at_best >= target) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        }
    }
}

impl Report {
    pub(super) fn new(at: Timestamp) -> Report {
        Report {
            at,
            shares: Vec::new(),
            metrics: Vec::new(),
            undeclared: Vec::new(),
            undeclared_left_out: 0,
            paths: Vec::new(),
            categories: Vec::new(),
            retention: Vec::new(),
            holes: Vec::new(),
        }
    }

    /// Whether every target is kept: `Some(false)` when one is known not to be, `None` when one is not known.
    pub fn kept(&self) -> Option<bool> {
        let targets = self.shares.iter().filter(|share| share.target.is_some());
        let kept: Vec<Option<bool>> = targets.map(Share::kept).collect();
        match (kept.contains(&Some(false)), kept.contains(&None)) {
            (true, _) => Some(false),
            (false, true) => None,
            (false, false) => Some(true),
        }
    }
}

/// How a declared metric stands at one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricState {
    /// It arrives as declared.
    Present,
    /// It has labels and its `TYPE` line is there, but no series: nothing has happened that it counts.
    NotYet,
    /// It is in no scrape.
    Missing,
    /// It arrives with another type.
    WrongType {
        /// What the exposition says.
        found: String,
    },
    /// It arrives in another unit.
    WrongUnit {
        /// What the exposition or the name's ending says.
        found: String,
    },
    /// It arrives with other labels.
    LabelDrift {
        /// Declared, and on none of its series.
        not_seen: Vec<String>,
        /// On its series, and not declared.
        not_declared: Vec<String>,
    },
    /// The target does not answer, or was not asked yet.
    Unknown,
}

impl MetricState {
    /// The words of all states, as the `state` label of series has them.
    pub const WORDS: [&'static str; 7] = [
        "present",
        "not_yet",
        "missing",
        "wrong_type",
        "wrong_unit",
        "label_drift",
        "unknown",
    ];

    /// The word of the state.
    pub fn as_str(&self) -> &'static str {
        let [
            present,
            not_yet,
            missing,
            wrong_type,
            wrong_unit,
            label_drift,
            unknown,
        ] = MetricState::WORDS;
        match self {
            MetricState::Present => present,
            MetricState::NotYet => not_yet,
            MetricState::Missing => missing,
            MetricState::WrongType { .. } => wrong_type,
            MetricState::WrongUnit { .. } => wrong_unit,
            MetricState::LabelDrift { .. } => label_drift,
            MetricState::Unknown => unknown,
        }
    }

    /// Whether it arrives as declared; `None` when that cannot be known (yet).
    pub(super) fn covered(&self) -> Covered {
        match self {
            MetricState::Present => Some(true),
            MetricState::NotYet | MetricState::Unknown => None,
            MetricState::Missing
            | MetricState::WrongType { .. }
            | MetricState::WrongUnit { .. }
            | MetricState::LabelDrift { .. } => Some(false),
        }
    }
}

/// A declared metric.
#[derive(Clone, Debug)]
pub struct MetricReport {
    /// Its name.
    pub name: String,
    /// Its type, as declared.
    pub metric_type: MetricType,
    /// Its group.
    pub group: MetricGroup,
    /// Whether it counts towards the group's share.
    pub required: bool,
    /// Document or added.
    pub origin: Origin,
    /// Where it is declared.
    pub at: Location,
    /// How it stands, by target.
    pub states: Vec<MetricAtTarget>,
    /// The dashboards that show it.
    pub shown_on: Vec<String>,
    /// The alerts and objectives that read it.
    pub guarded_by: Vec<String>,
    /// Why it need not be shown, where the plan waives that.
    pub shown_waiver: Option<String>,
    /// Why it need not be guarded, where the plan waives that.
    pub guarded_waiver: Option<String>,
}

/// A declared metric at one target.
#[derive(Clone, Debug)]
pub struct MetricAtTarget {
    /// The target's job; empty for what Belfry writes itself.
    pub job: String,
    /// Its instance; empty likewise.
    pub instance: String,
    /// How it stands.
    pub state: MetricState,
}

/// A critical path.
#[derive(Clone, Debug)]
pub struct PathReport {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub at: Location,
    /// Whether at least one of its alerts is whole: procedure, escalation, and a young drill that passed.
    pub covered: bool,
    /// Its alerts.
    pub alerts: Vec<PathAlert>,
}

/// An alert of a critical path.
#[derive(Clone, Debug)]
pub struct PathAlert {
    /// Its name.
    pub name: String,
    /// Whether it names a procedure.
    pub has_procedure: bool,
    /// Whether it names an escalation policy.
    pub has_escalation: bool,
    /// Its last drill.
    pub drill: DrillState,
}

/// How an alert's last drill stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DrillState {
    /// It was never drilled.
    Never,
    /// The last drill did not keep every promise.
    Failed(Timestamp),
    /// The last drill is too long ago.
    Old(Timestamp),
    /// It was drilled lately, and all went as promised.
    Proven(Timestamp),
}

impl DrillState {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            DrillState::Never => "never",
            DrillState::Failed(_) => "failed",
            DrillState::Old(_) => "old",
            DrillState::Proven(_) => "proven",
        }
    }

    /// When it was.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            DrillState::Never => None,
            DrillState::Failed(at) | DrillState::Old(at) | DrillState::Proven(at) => Some(at),
        }
    }
}

/// How a log category stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CategoryState {
    /// Lines came within the last day (and within its `every`).
    Arriving,
    /// Lines came, but none within the last day. The plan does not say how often they must.
    Quiet,
    /// Its lines must come more often than they do.
    Silent,
    /// Its lines arrive, but are kept under another class than the plan says.
    WrongClass,
    /// No line of it is known to have come.
    Never,
    /// It could not be known yet.
    Unknown,
}

impl CategoryState {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            CategoryState::Arriving => "arriving",
            CategoryState::Quiet => "quiet",
            CategoryState::Silent => "silent",
            CategoryState::WrongClass => "wrong_class",
            CategoryState::Never => "never",
            CategoryState::Unknown => "unknown",
        }
    }
}

/// A log category.
#[derive(Clone, Debug)]
pub struct CategoryReport {
    /// Its name.
    pub name: String,
    /// The class that the plan gives it.
    pub class: String,
    /// Where it is declared.
    pub at: Location,
    /// How it stands.
    pub state: CategoryState,
    /// How often its lines must come, where the plan says so.
    pub every: Option<Duration>,
    /// The time of its newest line.
    pub last_line: Option<Timestamp>,
    /// Its lines of the last 24 hours.
    pub lines_last_day: u64,
}

/// How the proof of retention stands for a class.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RetentionState {
    /// It holds no line.
    Empty,
    /// Its oldest line is younger than promised, because nothing was kept for that long yet.
    TooEarly,
    /// Its oldest line is younger than promised, and older lines could be there; none came, or none is left.
    Younger,
    /// Its oldest line is as old as promised and not older.
    Kept,
    /// Its oldest line should be gone.
    Overdue,
    /// The plan does not name the class (any more).
    NotPlanned,
}

impl RetentionState {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            RetentionState::Empty => "empty",
            RetentionState::TooEarly => "too_early",
            RetentionState::Younger => "younger",
            RetentionState::Kept => "kept",
            RetentionState::Overdue => "overdue",
            RetentionState::NotPlanned => "not_planned",
        }
    }
}

/// The proof of retention of one class.
#[derive(Clone, Debug)]
pub struct RetentionReport {
    /// Its name.
    pub class: String,
    /// Where it is declared.
    pub at: Option<Location>,
    /// How it stands.
    pub state: RetentionState,
    /// How long its lines are promised to be kept.
    pub promised: Option<Duration>,
    /// The oldest line.
    pub oldest: Option<Timestamp>,
    /// When the next file goes.
    pub next_deletion: Option<Timestamp>,
    /// Its lines.
    pub lines: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// Since when a hole is known.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The time.
    pub at: Timestamp,
    /// Whether it was there at the first look: then it began at that time or before.
    pub or_earlier: bool,
}

/// Declares the kinds of holes once: variant, word, and what it is.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// What kind of hole.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HoleKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl HoleKind {
            /// The word of the API and of the `kind` label.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(HoleKind::$name => $word,)+
                }
            }

            /// The kind that a word names.
            pub fn from_text(text: &str) -> Option<HoleKind> {
                match text {
                    $($word => Some(HoleKind::$name),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A target does not answer scrapes; nothing is known about its metrics.
    TargetDown = "target_down",
    /// A required metric is in no scrape.
    MetricMissing = "metric_missing",
    /// A metric arrives with another type than declared.
    MetricType = "metric_type",
    /// A metric arrives in another unit than declared.
    MetricUnit = "metric_unit",
    /// A metric arrives with other labels than declared.
    MetricLabels = "metric_labels",
    /// A required metric is on no dashboard.
    MetricNotShown = "metric_not_shown",
    /// No alert and no objective reads a required metric.
    MetricUnguarded = "metric_unguarded",
    /// No alert of a critical path is whole.
    PathUncovered = "path_uncovered",
    /// An alert reads a series that nothing emits.
    AlertOnNothing = "alert_on_nothing",
    /// Nobody can fill a role of an escalation level.
    RoleReachesNobody = "role_reaches_nobody",
    /// The last page to a person failed by every channel that was tried.
    PagesNotReceived = "pages_not_received",
    /// A probe gets no answer; nothing is known about its dependencies.
    ProbeUnanswered = "probe_unanswered",
    /// A health answer names a dependency that the plan does not.
    DependencyUndeclared = "dependency_undeclared",
    /// The plan names a dependency that the health answer does not.
    DependencyUnanswered = "dependency_unanswered",
    /// A log category has come no more for longer than the plan allows.
    CategorySilent = "category_silent",
    /// No line of a log category is known to have come.
    CategoryNever = "category_never",
    /// Lines of a category are kept under another class than the plan says.
    CategoryClass = "category_class",
    /// Lines are on the disk for longer than promised.
    RetentionOverdue = "retention_overdue",
}

impl fmt::Display for HoleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that the plan says and that is not so.
#[derive(Clone, Debug)]
pub struct Hole {
    /// What kind.
    pub kind: HoleKind,
    /// What it is about: a metric, an alert, a category, …
    pub about: String,
    /// Which of several places: a target's instance, a policy's level; often empty.
    pub place: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do.
    pub to_do: String,
    /// Since when.
    pub since: Option<Since>,
    /// Where the item stands in the plan.
    pub at: Option<Location>,
}
