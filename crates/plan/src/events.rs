//! How an objective's events are counted, which gives it an error budget, and the alerts on how fast the budget is spent.
//!
//! An objective's `expr` is one number over the whole window; a budget needs to know how many events there were and how
//! many of them were bad, over any window. Budgets and burn rates are PromQL over these counts (`lower`), so that no second
//! engine computes them.

use std::time::Duration;

use crate::Severity;

/// How the events of an objective are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Events {
    /// Counters of bad events and of all.
    BadOfTotal {
        /// The bad ones.
        bad: EventSelector,
        /// All of them.
        total: EventSelector,
    },
    /// Counters of good events and of all.
    GoodOfTotal {
        /// The good ones.
        good: EventSelector,
        /// All of them.
        total: EventSelector,
    },
    /// Counters of good events and of bad ones.
    GoodAndBad {
        /// The good ones.
        good: EventSelector,
        /// The bad ones.
        bad: EventSelector,
    },
    /// Observations of a histogram; those above a bound are bad.
    Histogram {
        /// The histogram, under its bare name.
        histogram: EventSelector,
        /// The bound, as the labels `le` of its buckets may write it; the first is the plainest.
        bounds: Vec<String>,
    },
    /// Samples of a gauge that is 1 when good and 0 when bad, such as a probe's success.
    Gauge {
        /// The gauge.
        gauge: EventSelector,
    },
}

/// Which series are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSelector {
    /// The metric's name.
    pub name: String,
    /// The matchers as PromQL writes them between braces; empty for none.
    pub matchers: String,
}

/// The share of events that may be bad, and where it comes from.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Budget {
    /// Above 0 and below 1.
    pub share: f64,
    /// Where it comes from.
    pub origin: BudgetOrigin,
}

/// Where a budget comes from.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum BudgetOrigin {
    /// The target is a share of events: what it leaves over.
    Target,
    /// The target is a bound for this quantile: what lies past the quantile.
    Quantile(f64),
    /// The plan writes it.
    Given,
}

/// Alerts on how fast an objective's budget is spent.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnAlerts {
    /// The procedure that the responder follows.
    pub procedure: Option<String>,
    /// The escalation policy.
    pub escalation: String,
    /// The events in the long window below which an alert stays quiet; `None`: so many that a single bad one is no alert.
    pub minimum_traffic: Option<f64>,
    /// One alert each, the fastest first; at least one.
    pub windows: Vec<BurnWindow>,
    /// The standard windows that are left out because the budget is so large that no share of bad events reaches them.
    pub unreachable: Vec<BurnWindow>,
}

/// One burn-rate alert: the budget is spent this many times as fast as it may, both lately and for a while.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct BurnWindow {
    /// How long it must have been so, on average: what makes it worth telling.
    pub long: Duration,
    /// The time over which it must be so still: what ends the alert soon after the cause ends.
    pub short: Duration,
    /// How many times as fast as it may be spent.
    pub factor: f64,
    /// How urgent.
    pub severity: Severity,
}
