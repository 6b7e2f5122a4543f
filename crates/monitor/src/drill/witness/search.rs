//! The search: shapes for every family, tried in order of likelihood, until the expression holds throughout `for`; others until
//! it does not; and both played after one another, as the drill will.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use model::{Labels, Timestamp};
use plan::{AlertRule, Plan};
use promql::{Expr, Limits, Value};

use super::families::{Family, families, numbers, window};
use super::shape::{Shape, candidates};
use super::signals::Signals;
use crate::rules::subject_of;

/// The most families of series that one expression is searched over: with more, nothing is found within the bounds anyway.
const FAMILIES_MAX: usize = 6;
/// The most combinations of shapes that are tried for each of the two halves. A ratio of two metrics has a thousand.
const TRIES_MAX: usize = 4_000;
/// How many combinations of each half are kept, in case some do not follow one another well.
const KEPT_MAX: usize = 5;
/// The most samples that all tries of one half may read, so that long windows end the search sooner.
const SAMPLES_MAX: usize = 40_000_000;
/// The most times at which one span of the proof is evaluated.
const POINTS_MAX: u32 = 2_000;
/// How often series are seen that no scrape of the plan brings: Belfry's own interval.
const INTERVAL_USUAL: Duration = Duration::from_secs(15);
/// The longest pause between two samples: twice that, and an instant selector may find none.
const INTERVAL_MAX: Duration = Duration::from_secs(120);
/// Samples of a window. More would say nothing new.
const SAMPLES_OF_WINDOW: u32 = 240;
/// How long a value stands for the present (the evaluator's own).
const LOOKBACK: Duration = Duration::from_secs(300);

/// Series that make a rule fire and calm it again.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    families: Vec<Family>,
    firing: Vec<Shape>,
    calm: Vec<Shape>,
    interval: Duration,
    lead: Duration,
    /// How long after the change the condition holds, to stay.
    pub(crate) holds_after: Duration,
    /// How long after the end it holds no more, to stay.
    pub(crate) calm_after: Duration,
    /// Whether there is a value then. Without one, an alert ends only after the length of `for`.
    pub(crate) has_value: bool,
}

/// Why there is no witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoWitness {
    /// The expression is about more kinds of series than are searched.
    TooWide(usize),
    /// No series that was tried makes it hold.
    NeverHolds(usize),
    /// It always holds.
    NeverCalm(usize),
    /// It can hold and not hold, but not one after the other and for as long as needed.
    NoChange,
}

impl fmt::Display for NoWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoWitness::TooWide(families) => write!(
                f,
                "the expression is about {families} kinds of series; at most {FAMILIES_MAX} are searched"
            ),
            NoWitness::NeverHolds(tries) => write!(
                f,
                "cannot be made to fire by any tried series: {tries} combinations were tried, and the condition held with none"
            ),
            NoWitness::NeverCalm(tries) => write!(
                f,
                "cannot be calmed by any tried series: {tries} combinations were tried, and the condition held with each"
            ),
            NoWitness::NoChange => f.write_str(
                "cannot be made to fire and to end by any tried series: the condition does not stay for as long as `for`, or does not go again",
            ),
        }
    }
}

/// Finds series for a rule. `at` is when the drill begins: what an expression says may depend on the time of day. `stays` is how
/// long it must go on firing.
///
/// # Errors
/// [`NoWitness`]: itself a finding about the rule.
pub(crate) fn witness(
    plan: &Plan,
    rule: &AlertRule,
    at: Timestamp,
    stays: Duration,
) -> Result<Witness, NoWitness> {
    let families = families(plan, rule);
    if families.len() > FAMILIES_MAX {
        return Err(NoWitness::TooWide(families.len()));
    }
    let window = window(&rule.expr.parsed);
    let search = Search {
        rule,
        at,
        stays: rule.hold + stays,
        interval: interval(plan, rule, window),
        lead: 2 * window + LOOKBACK,
        families,
    };
    let numbers = numbers(&rule.expr.parsed);
    let choices: Vec<Vec<Shape>> = search
        .families
        .iter()
        .map(|family| candidates(family, &numbers))
        .collect();
    let (firing, tries) = search.find(&choices, Wanted::Holds);
    if firing.is_empty() {
        return Err(NoWitness::NeverHolds(tries));
    }
    let (calm, tries) = search.find(&choices, Wanted::Calm);
    if calm.is_empty() {
        return Err(NoWitness::NeverCalm(tries));
    }
    let pairs = firing
        .iter()
        .flat_map(|firing| calm.iter().map(move |calm| (firing, calm)));
    let mut proven = pairs.filter_map(|(firing, calm)| search.prove(firing, calm));
    proven.next().ok_or(NoWitness::NoChange)
}

/// How often the series are seen: as often as their source is scraped, less often where a window is long.
fn interval(plan: &Plan, rule: &AlertRule, window: Duration) -> Duration {
    let of_sources = plan
        .targets
        .iter()
        .filter(|target| rule.sources.contains(&target.job))
        .map(|target| target.interval);
    let scraped = of_sources.max().unwrap_or(INTERVAL_USUAL);
    let of_window = Duration::from_secs((window / SAMPLES_OF_WINDOW).as_secs());
    scraped.max(of_window.min(INTERVAL_MAX))
}

impl Witness {
    /// The series of a drill in which the condition begins at `onset`, with a past before it.
    pub(crate) fn signals(&self, onset: Timestamp) -> Signals {
        let mut signals = self.calm_signals(onset);
        signals.change(onset, &self.firing);
        signals
    }

    fn calm_signals(&self, onset: Timestamp) -> Signals {
        Signals::new(&self.families, self.interval, onset - self.lead, &self.calm)
    }

    /// Ends the condition.
    pub(crate) fn end(&self, signals: &mut Signals, at: Timestamp) {
        signals.change(at, &self.calm);
    }

    /// How long a past the series have.
    pub(crate) fn lead(&self) -> Duration {
        self.lead
    }

    /// How often the series are seen.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// What the series do, in a sentence.
    pub(crate) fn in_words(&self) -> String {
        let told = self.families.iter().zip(&self.firing);
        let told: Vec<String> = told
            .map(|(family, shape)| format!("{} {}", family.name, shape.in_words()))
            .collect();
        match told.len() {
            0 => "the expression reads no series".to_owned(),
            _ => told.join(", "),
        }
    }
}

#[derive(Copy, Clone, PartialEq)]
enum Wanted {
    Holds,
    Calm,
}

struct Search<'a> {
    rule: &'a AlertRule,
    at: Timestamp,
    stays: Duration,
    interval: Duration,
    lead: Duration,
    families: Vec<Family>,
}

impl Search<'_> {
    /// Combinations of shapes for one half, and how many were tried.
    fn find(&self, choices: &[Vec<Shape>], wanted: Wanted) -> (Vec<Vec<Shape>>, usize) {
        let mut found = Vec::new();
        let mut tries = 0;
        let samples = (self.lead.as_millis() / self.interval.as_millis().max(1)) as usize;
        let tries_max = TRIES_MAX.min(SAMPLES_MAX / (samples * self.families.len()).max(1));
        let _ = by_likelihood(choices, &mut |shapes| {
            tries += 1;
            if self.is_wanted(shapes, wanted) {
                found.push(shapes.to_vec());
            }
            if tries >= tries_max || found.len() >= KEPT_MAX {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        (found, tries)
    }

    /// Whether the condition holds (or does not) with series that have always done this: at the beginning, in the middle and at
    /// the end of `for`.
    fn is_wanted(&self, shapes: &[Shape], wanted: Wanted) -> bool {
        let begin = self.at - self.lead;
        let signals = Signals::new(&self.families, self.interval, begin, shapes);
        let hold = self.rule.hold;
        [Duration::ZERO, hold / 2, hold].iter().all(|after| {
            let found = self.answer(&signals, &self.rule.expr.parsed, self.at + *after);
            match wanted {
                Wanted::Holds => found.is_some_and(|labels| !labels.is_empty()),
                Wanted::Calm => found.is_some_and(|labels| labels.is_empty()),
            }
        })
    }

    /// Plays calm, firing and calm again; the witness, if the condition begins, stays and goes.
    fn prove(&self, firing: &[Shape], calm: &[Shape]) -> Option<Witness> {
        let mut witness = Witness {
            families: self.families.clone(),
            firing: firing.to_vec(),
            calm: calm.to_vec(),
            interval: self.interval,
            lead: self.lead,
            holds_after: Duration::ZERO,
            calm_after: Duration::ZERO,
            has_value: false,
        };
        let mut signals = witness.signals(self.at);
        let settling = self.lead + self.interval;
        let end = self.at + settling + self.stays;
        let held = self.when(&signals, self.at, end)?;
        let last = held.last()?.1.first()?.clone();
        let holds_at = held
            .iter()
            .rev()
            .take_while(|(_, labels)| labels.contains(&last))
            .last()?
            .0;
        witness.holds_after = holds_at.since(self.at);
        let begins_calm = self.answer(&signals, &self.rule.expr.parsed, self.at - self.interval);
        if witness.holds_after > settling || !begins_calm?.is_empty() {
            return None;
        }
        let end = holds_at + self.stays;
        witness.end(&mut signals, end);
        let until = end + settling;
        let after = self.when(&signals, end, until)?;
        let calm_at = after
            .iter()
            .rev()
            .take_while(|(_, labels)| labels.is_empty())
            .last()?
            .0;
        witness.calm_after = calm_at.since(end);
        witness.has_value = match subject_of(&self.rule.expr.parsed) {
            Some(subject) => !self.answer(&signals, subject, until)?.is_empty(),
            None => false,
        };
        Some(witness)
    }

    /// For each time of a span, which series the condition holds for.
    fn when(
        &self,
        signals: &Signals,
        from: Timestamp,
        until: Timestamp,
    ) -> Option<Vec<(Timestamp, Vec<Labels>)>> {
        let step = self.interval.max(until.since(from) / POINTS_MAX);
        let expr = &self.rule.expr.parsed;
        let answer = promql::range(signals, expr, from, until, step, &limits()).ok()?;
        let Value::Matrix(series) = answer.value else {
            return None;
        };
        let count = until.since(from).as_millis() / step.as_millis().max(1);
        let mut times: Vec<(Timestamp, Vec<Labels>)> = (0..=count)
            .map(|index| {
                let after = step * u32::try_from(index).unwrap_or(u32::MAX);
                (from + after, Vec::new())
            })
            .collect();
        for one in series {
            for (at, _) in one.points {
                let index = at.since(from).as_millis() / step.as_millis().max(1);
                if let Some(time) = times.get_mut(index as usize) {
                    time.1.push(one.labels.clone());
                }
            }
        }
        Some(times)
    }

    /// The series of an answer at one time; `None` where there is no answer.
    fn answer(&self, signals: &Signals, expr: &Expr, at: Timestamp) -> Option<Vec<Labels>> {
        match promql::instant(signals, expr, at, &limits()).ok()?.value {
            Value::Vector(samples) => {
                Some(samples.into_iter().map(|sample| sample.labels).collect())
            }
            Value::Scalar(_) => Some(vec![Labels::empty()]),
            Value::String(_) | Value::Matrix(_) => None,
        }
    }
}

fn limits() -> Limits {
    Limits {
        samples_max: 5_000_000,
        visits_max: 100_000_000,
        ..Limits::default()
    }
}

/// Calls `visit` with every combination of choices, one of each list, the likeliest first: those whose places in their lists
/// have the least sum.
fn by_likelihood(
    choices: &[Vec<Shape>],
    visit: &mut dyn FnMut(&[Shape]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let last: usize = choices
        .iter()
        .map(|list| list.len().saturating_sub(1))
        .sum();
    for sum in 0..=last {
        with_sum(choices, sum, &mut Vec::new(), visit)?;
    }
    ControlFlow::Continue(())
}

fn with_sum(
    choices: &[Vec<Shape>],
    sum: usize,
    chosen: &mut Vec<Shape>,
    visit: &mut dyn FnMut(&[Shape]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Some(list) = choices.get(chosen.len()) else {
        return if sum == 0 {
            visit(chosen)
        } else {
            ControlFlow::Continue(())
        };
    };
    for (place, shape) in list.iter().enumerate().take(sum + 1) {
        chosen.push(*shape);
        let outcome = with_sum(choices, sum - place, chosen, visit);
        chosen.pop();
        outcome?;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests;
