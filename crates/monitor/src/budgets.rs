//! Error budgets as they stand: how many events there were, how many of them were bad, how fast the budget is spent and how
//! long it lasts.
//!
//! Every number is ordinary PromQL over the objective's events (`plan::Events`), the same text that its burn-rate alerts read.

use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Timestamp, format_duration};
use plan::{Budget, Events, Objective, percent};
use promql::Value;

use crate::metrics::{MetricsBackend, series};
use crate::rules::readable;

/// Over how long burn rates are shown: the long windows of the standard alerts.
const BURN_WINDOWS: [Duration; 4] = [
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(24 * 3600),
    Duration::from_secs(3 * 24 * 3600),
];

/// The longest time that is told until a budget is spent, in seconds: ten years, as long as any length of time of a plan.
const LASTS_MAX_SECONDS: f64 = 10.0 * 365.0 * 24.0 * 3600.0;

/// One budget at one time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BudgetState {
    budget: Budget,
    in_words: String,
    window: Duration,
    /// What is known of the whole window.
    pub(crate) standing: Standing,
    /// How many times as fast as it may the budget was spent; `None` where there were no events.
    pub(crate) burn_rates: Vec<(Duration, Option<f64>)>,
}

/// What is known of the objective's window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// Events came.
    Known {
        /// How many.
        events: f64,
        /// The share of them that was bad.
        bad_share: f64,
    },
    /// Their series are there, but no event came.
    NoTraffic,
    /// Nothing is known, and why.
    NoData(String),
}

/// A budget of which something is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    /// Events of the window.
    pub(crate) events: f64,
    /// The bad ones.
    pub(crate) bad: f64,
    /// How many may be bad.
    pub(crate) allowed: f64,
    /// The share of the budget that is spent; more than 1 when it is overspent.
    pub(crate) used: f64,
    /// The share that is left; below 0 when it is overspent.
    pub(crate) left: f64,
}

/// Computes the budget of an objective that has one.
pub(crate) async fn compute(
    objective: &Objective,
    backend: &dyn MetricsBackend,
    now: Timestamp,
) -> Option<BudgetState> {
    let (events, budget) = (objective.events.as_ref()?, objective.budget?);
    let standing = standing(events, objective.window, backend, now).await;
    let mut burn_rates = Vec::with_capacity(BURN_WINDOWS.len());
    for window in BURN_WINDOWS {
        let share = number(&events.bad_share(window), backend, now).await;
        let rate = share.ok().flatten().filter(|share| !share.is_nan());
        burn_rates.push((window, rate.map(|share| share / budget.share)));
    }
    Some(BudgetState {
        budget,
        in_words: objective.budget_in_words()?,
        window: objective.window,
        standing,
        burn_rates,
    })
}

async fn standing(
    events: &Events,
    window: Duration,
    backend: &dyn MetricsBackend,
    now: Timestamp,
) -> Standing {
    let count = number(&events.count(window), backend, now).await;
    let share = number(&events.bad_share(window), backend, now).await;
    let counted = events.in_words();
    match (count, share) {
        (Err(why), _) | (_, Err(why)) => Standing::NoData(why),
        (Ok(None), _) => Standing::NoData(format!(
            "no sample of the last {} counts events ({counted})",
            format_duration(window)
        )),
        (Ok(Some(events)), _) if events == 0.0 || events.is_nan() => Standing::NoTraffic,
        (Ok(Some(_)), Ok(None)) => Standing::NoData(match events {
            Events::Histogram { bounds, .. } => format!(
                "there were observations, but no bucket ends at {}: choose a bound that the histogram has ({counted})",
                bounds.first().map_or("", String::as_str)
            ),
            Events::BadOfTotal { .. }
            | Events::GoodOfTotal { .. }
            | Events::GoodAndBad { .. }
            | Events::Gauge { .. } => {
                format!("there were events, but nothing tells good from bad ({counted})")
            }
        }),
        (Ok(Some(_)), Ok(Some(share))) if share.is_nan() => Standing::NoTraffic,
        (Ok(Some(events)), Ok(Some(bad_share))) => Standing::Known { events, bad_share },
    }
}

/// The one number that a query gives; the error is a sentence.
async fn number(
    query: &str,
    backend: &dyn MetricsBackend,
    now: Timestamp,
) -> Result<Option<f64>, String> {
    let failed = |why: String| format!("the query could not be answered: {why}");
    let expr = promql::parse(query).map_err(|error| failed(error.message))?;
    let answer = backend.query(Arc::new(expr), now).await;
    match answer.map_err(|error| failed(error.to_string()))?.value {
        Value::Scalar(value) => Ok(Some(value)),
        Value::Vector(samples) => Ok(samples.first().map(|sample| sample.value)),
        Value::String(_) | Value::Matrix(_) => Ok(None),
    }
}

impl BudgetState {
    /// The numbers, where there are any.
    pub(crate) fn known(&self) -> Option<Known> {
        let Standing::Known { events, bad_share } = self.standing else {
            return None;
        };
        let used = bad_share / self.budget.share;
        Some(Known {
            events,
            bad: bad_share * events,
            allowed: self.budget.share * events,
            used,
            left: 1.0 - used,
        })
    }

    /// How long what is left lasts at the pace of the last hour; `None` where that is not known, or for ever.
    pub(crate) fn exhausted_in(&self) -> Option<Duration> {
        let left = self.known()?.left;
        if left <= 0.0 {
            return Some(Duration::ZERO);
        }
        let (_, rate) = self.burn_rates.first()?;
        let seconds = left * self.window.as_secs_f64() / (*rate)?;
        (seconds < LASTS_MAX_SECONDS).then(|| Duration::from_secs(seconds as u64))
    }

    /// What is left and how fast it goes, as samples for rules and dashboards.
    pub(crate) fn samples(&self, id: &str) -> Vec<(Labels, f64)> {
        let mut samples = Vec::new();
        if let Some(known) = self.known() {
            let labels = [("objective", id)];
            samples.push((
                series("belfry_objective_budget_left_ratio", &labels),
                known.left,
            ));
        }
        for (window, rate) in &self.burn_rates {
            let window = format_duration(*window);
            let labels = [("objective", id), ("window", &window)];
            let rate = rate.map(|rate| (series("belfry_objective_burn_rate", &labels), rate));
            samples.extend(rate);
        }
        samples
    }

    /// How each number follows from the others, a line each.
    pub(crate) fn arithmetic(&self) -> Vec<String> {
        let window = format_duration(self.window);
        let share = percent(self.budget.share);
        let mut lines = vec![format!("budget: {}", self.in_words)];
        match &self.standing {
            Standing::NoData(why) => lines.push(format!("used: not known: {why}")),
            Standing::NoTraffic => {
                lines.push(format!("used: nothing, there were no events in {window}"))
            }
            Standing::Known { bad_share, .. } => {
                if let Some(known) = self.known() {
                    let (events, allowed) = (readable(known.events), readable(known.allowed));
                    lines.push(format!(
                        "allowed: {share} of {events} events in {window} = {allowed}"
                    ));
                    lines.push(format!(
                        "used: {} bad, {} of all = {} of the budget; left: {}",
                        readable(known.bad),
                        percent(*bad_share),
                        percent(known.used),
                        percent(known.left),
                    ));
                }
            }
        }
        for (window, rate) in &self.burn_rates {
            let window = format_duration(*window);
            lines.push(match rate {
                Some(rate) => format!(
                    "burn rate over {window}: {} bad / {share} = {}",
                    percent(rate * self.budget.share),
                    readable(*rate)
                ),
                None => format!("burn rate over {window}: not known, no events came"),
            });
        }
        lines.extend(self.lasts());
        lines
    }

    fn lasts(&self) -> Option<String> {
        let left = self.known()?.left;
        let (over, rate) = self.burn_rates.first()?;
        let over = format_duration(*over);
        Some(match self.exhausted_in() {
            Some(Duration::ZERO) => "lasts: the budget is spent".to_owned(),
            Some(time) => format!(
                "lasts: {} of {} at {} times the pace, that of the last {over} = {}",
                percent(left),
                format_duration(self.window),
                readable((*rate)?),
                format_duration(Duration::from_secs(time.as_secs() / 60 * 60)),
            ),
            None => format!("lasts: for ever at the pace of the last {over}"),
        })
    }
}
