//! What a month's report is made of, as it was read from the stores: nothing here asks anybody anything.

use std::collections::BTreeMap;

use model::Timestamp;
use plan::Severity;

use crate::incident::{HistoryEntry, IncidentDetail};
use crate::logs::ClassFigures;

/// A value over the month: times and values, in order.
pub(crate) type Course = Vec<(Timestamp, f64)>;

/// Everything about one month.
pub(crate) struct MonthFacts {
    /// What people call the plan.
    pub(crate) title: String,
    /// The month, as in `2026-11`.
    pub(crate) month: String,
    /// Its beginning …
    pub(crate) from: Timestamp,
    /// … and its end, exclusive.
    pub(crate) until: Timestamp,
    /// When the report is made.
    pub(crate) now: Timestamp,
    /// What was promised.
    pub(crate) promises: Vec<Promise>,
    /// Incidents that opened in the month, the oldest first.
    pub(crate) incidents: Vec<IncidentDetail>,
    /// The rules of the plan in force.
    pub(crate) rules: Vec<RuleFacts>,
    /// When and why their alerts fired in the month, the oldest first.
    pub(crate) history: Vec<HistoryEntry>,
    /// Whether there was more history than is read.
    pub(crate) history_cut: bool,
    /// When each alert last passed a drill.
    pub(crate) drilled: BTreeMap<String, Timestamp>,
    /// How much of each group of metrics arrived.
    pub(crate) coverage: Vec<GroupCoverage>,
    /// The log classes as they are on the disk.
    pub(crate) retention: Vec<ClassFigures>,
}

/// A promised target and its course.
pub(crate) struct Promise {
    /// What people call it.
    pub(crate) title: String,
    /// The unit of its values.
    pub(crate) unit: String,
    /// Whether good is below the target.
    pub(crate) below: bool,
    /// The target.
    pub(crate) target: f64,
    /// The value over the month.
    pub(crate) course: Course,
}

impl Promise {
    /// The value at the end of the month, or the last that is known.
    pub(crate) fn value(&self) -> Option<f64> {
        let known = self.course.iter().rev().map(|(_, value)| *value);
        known.into_iter().find(|value| !value.is_nan())
    }

    /// Whether it was kept; `None` when nothing could be measured.
    pub(crate) fn kept(&self) -> Option<bool> {
        let value = self.value()?;
        Some(if self.below {
            value < self.target
        } else {
            value > self.target
        })
    }
}

/// A rule.
pub(crate) struct RuleFacts {
    /// The alert's name.
    pub(crate) name: String,
    /// How urgent.
    pub(crate) severity: Severity,
}

/// How much of a group of metrics arrived.
pub(crate) struct GroupCoverage {
    /// The group.
    pub(crate) group: String,
    /// What must arrive, 0 to 1.
    pub(crate) target: f64,
    /// The share over the month.
    pub(crate) course: Course,
}
