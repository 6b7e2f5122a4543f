//! The arithmetic of budgets and burn rates, and the standard windows.

use std::time::Duration;

use crate::{Budget, BurnAlerts, BurnWindow, Severity};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The window for which the workbook gives its numbers.
const WORKBOOK_WINDOW: Duration = Duration::from_secs(30 * 24 * 3600);

/// The workbook's alerts: the share of the budget that is spent when one fires, and its windows.
const WORKBOOK: [(f64, Duration, Duration, Severity); 4] = [
    (0.02, HOUR, Duration::from_secs(5 * 60), Severity::Critical),
    (
        0.05,
        Duration::from_secs(6 * 3600),
        Duration::from_secs(30 * 60),
        Severity::Critical,
    ),
    (0.10, DAY, Duration::from_secs(2 * 3600), Severity::Warning),
    (
        0.10,
        Duration::from_secs(3 * 24 * 3600),
        Duration::from_secs(6 * 3600),
        Severity::Warning,
    ),
];

/// The shortest of the short windows: some scrapes must fall into it.
const SHORT_MIN: Duration = Duration::from_secs(5 * 60);

/// The shortest window of an objective that the standard alerts fit. Scaled further, the long windows would reach the short
/// ones.
pub(crate) const STANDARD_WINDOW_MIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// The workbook's alerts for an objective's window: windows scale with it, and each factor is such that the long window spends
/// the same share of the budget. Over 30 days: 14.4 in 1 h, 6 in 6 h, 3 in 1 d, 1 in 3 d.
pub(crate) fn standard_windows(objective: Duration) -> Vec<BurnWindow> {
    let scale = objective.as_secs_f64() / WORKBOOK_WINDOW.as_secs_f64();
    let scaled = |length: Duration| {
        let minutes = (length.as_secs_f64() * scale / MINUTE.as_secs_f64()).round();
        Duration::from_secs_f64(minutes.max(1.0) * MINUTE.as_secs_f64())
    };
    WORKBOOK
        .into_iter()
        .map(|(spent, long, short, severity)| {
            let long = scaled(long);
            BurnWindow {
                long,
                short: scaled(short).max(SHORT_MIN),
                factor: rounded(spent * objective.as_secs_f64() / long.as_secs_f64(), 4),
                severity,
            }
        })
        .collect()
}

impl BurnWindow {
    /// The share of bad events past which it burns: budget times factor.
    pub fn threshold(&self, budget: Budget) -> f64 {
        rounded(budget.share * self.factor, 12)
    }

    /// Whether any share of bad events can pass the threshold.
    pub fn is_reachable(&self, budget: Budget) -> bool {
        self.threshold(budget) < 1.0
    }

    /// The share of the budget that the long window spends at this pace.
    pub fn spends(&self, objective: Duration) -> f64 {
        rounded(
            self.factor * self.long.as_secs_f64() / objective.as_secs_f64(),
            6,
        )
    }

    /// How long the whole budget lasts at this pace.
    pub fn lasts(&self, objective: Duration) -> Duration {
        Duration::from_secs_f64((objective.as_secs_f64() / self.factor).round())
    }
}

impl BurnAlerts {
    /// The events in the long window below which its alert stays quiet. Where the plan names no number, so many that a
    /// single bad one among them is not past the threshold.
    pub fn minimum_traffic_of(&self, window: &BurnWindow, budget: Budget) -> f64 {
        self.minimum_traffic
            .unwrap_or_else(|| rounded(1.0 / window.threshold(budget), 6).ceil())
    }
}

/// A number without the noise of binary fractions: 1 - 0.999 is not 0.001.
pub(crate) fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}
