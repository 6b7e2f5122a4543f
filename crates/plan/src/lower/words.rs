//! The arithmetic in words: what a page about a budget says, so that nobody has to compute at night.

use model::format_duration;

use super::arithmetic::rounded;
use crate::{Budget, BudgetOrigin, BurnWindow, Objective};

/// A share as people write it: `0.1%`.
pub fn percent(share: f64) -> String {
    format!("{}%", rounded(share * 100.0, 4))
}

impl Objective {
    /// The target as the plan writes it: `< 0.1%`, `> 99.9%`, `< 0.5 seconds`.
    pub fn target_in_words(&self) -> String {
        let side = if self.below { '<' } else { '>' };
        match self.unit.as_str() {
            "ratio" => format!("{side} {}", percent(self.target)),
            unit => format!("{side} {} {unit}", self.target),
        }
    }

    /// Where the budget comes from, in words; `None` for an objective without one.
    pub fn budget_in_words(&self) -> Option<String> {
        let budget = self.budget?;
        let target = self.target_in_words();
        let share = percent(budget.share);
        Some(match budget.origin {
            BudgetOrigin::Target if self.below => format!("{share}: the target is {target}"),
            BudgetOrigin::Target => {
                format!(
                    "{share} = 100% - {}: the target is {target}",
                    percent(self.target)
                )
            }
            BudgetOrigin::Quantile(quantile) => format!(
                "{share} = 100% - {}: that quantile must be {target}",
                percent(quantile)
            ),
            BudgetOrigin::Given => format!("{share}, as the plan says; the target is {target}"),
        })
    }
}

pub(super) fn summary(objective: &Objective) -> String {
    format!(
        "{}: the error budget burns {{{{ $value }}}} times as fast as it may",
        objective.title
    )
}

pub(super) fn description(
    objective: &Objective,
    budget: Budget,
    window: &BurnWindow,
    minimum: f64,
) -> String {
    let (long, short) = (format_duration(window.long), format_duration(window.short));
    let whole = format_duration(objective.window);
    format!(
        "Of the events of {whole} {} may be bad. {} times as many, {}, were bad in the last {long} and in the last {short}. \
         At that pace {long} spends {} of the budget, and all of it is gone in {}. Fewer than {minimum} events in {long} \
         keep this alert quiet.",
        percent(budget.share),
        window.factor,
        percent(window.threshold(budget)),
        percent(window.spends(objective.window)),
        format_duration(window.lasts(objective.window)),
    )
}
