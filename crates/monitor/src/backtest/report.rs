//! What a replay found, rule by rule.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Labels, Timestamp};

use super::replay::{Span, Variant};
use crate::incident::HistoryEntry;
use crate::stage::DecidedPage;

/// An alert that fires again within this time after it ended has flapped; the live rules count the same hour.
const FLAPPED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// What a plan would have done.
#[derive(Clone, Debug)]
pub struct BacktestReport {
    /// The variant's name.
    pub name: String,
    /// The span that it is about.
    pub span: Span,
    /// By rule, in the plan's order.
    pub rules: Vec<RuleFirings>,
    /// Pages, by the alert and who is told.
    pub pages: BTreeMap<(String, String), usize>,
    /// Evaluations made, those before the span among them.
    pub evaluations: u64,
    /// Evaluations without an answer.
    pub failed: u64,
    /// Jobs of which no scrape is recorded: whatever is absent is taken for gone.
    pub jobs_without_scrapes: Vec<String>,
    /// Everything that happened to alerts, the oldest first, before the span too.
    pub history: Vec<HistoryEntry>,
}

/// What one rule would have done.
#[derive(Clone, Debug)]
pub struct RuleFirings {
    /// The alert's name.
    pub rule: String,
    /// When it fired, in order.
    pub firings: Vec<Firing>,
    /// How often the condition held, but not for the length of `for`.
    pub calmed: usize,
    /// How often it fired again within an hour.
    pub flapped: usize,
}

/// One alert that fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    /// The labels of its series.
    pub labels: Labels,
    /// When it fired, which may be before the span.
    pub from: Timestamp,
    /// When it ended; `None`: it fires still.
    pub until: Option<Timestamp>,
    /// The value when it fired.
    pub value: f64,
}

impl Firing {
    /// How long it fired within a span.
    pub fn length(&self, span: Span) -> Duration {
        let until = self.until.unwrap_or(span.until).min(span.until);
        until.since(self.from.max(span.from))
    }
}

impl RuleFirings {
    /// How long something of it fired, alerts side by side counted apart.
    pub fn length(&self, span: Span) -> Duration {
        self.firings.iter().map(|firing| firing.length(span)).sum()
    }
}

impl BacktestReport {
    /// How often anything fired.
    pub fn firings(&self) -> usize {
        self.rules.iter().map(|rule| rule.firings.len()).sum()
    }

    /// How many pages would have been sent.
    pub fn pages(&self) -> usize {
        self.pages.values().sum()
    }
}

/// What a stage remembers of a replay.
pub(super) struct Recorded {
    /// The oldest first.
    pub(super) history: Vec<HistoryEntry>,
    pub(super) pages: Vec<DecidedPage>,
    pub(super) evaluations: u64,
    pub(super) failed: u64,
    pub(super) jobs_without_scrapes: Vec<String>,
}

/// Sums a replay up, over the span that was asked for.
pub(super) fn summarise(variant: &Variant, span: Span, recorded: Recorded) -> BacktestReport {
    let rules = variant.rules().map(|rule| {
        let of_rule = recorded.history.iter().filter(|own| own.rule == rule.name);
        firings(&rule.name, of_rule, span)
    });
    let mut pages: BTreeMap<(String, String), usize> = BTreeMap::new();
    for decided in &recorded.pages {
        if decided.page.queued_at >= span.from && !decided.is_end() {
            let key = (decided.alert.clone(), decided.page.person.clone());
            *pages.entry(key).or_default() += 1;
        }
    }
    BacktestReport {
        name: variant.name.clone(),
        span,
        rules: rules.collect(),
        pages,
        evaluations: recorded.evaluations,
        failed: recorded.failed,
        jobs_without_scrapes: recorded.jobs_without_scrapes,
        history: recorded.history,
    }
}

fn firings<'h>(
    rule: &str,
    history: impl Iterator<Item = &'h HistoryEntry>,
    span: Span,
) -> RuleFirings {
    let mut all: Vec<Firing> = Vec::new();
    let mut calmed = 0;
    for entry in history {
        match entry.kind.as_str() {
            "firing" => all.push(Firing {
                labels: entry.labels.clone(),
                from: entry.at,
                until: None,
                value: entry.value,
            }),
            "resolved" => {
                let mut open = all.iter_mut().rev();
                let open = open.find(|own| own.until.is_none() && own.labels == entry.labels);
                if let Some(firing) = open {
                    firing.until = Some(entry.at);
                }
            }
            "calmed" if entry.at >= span.from => calmed += 1,
            _ => {}
        }
    }
    let again = |later: &Firing| {
        all.iter().any(|earlier| {
            let ended = earlier.until.filter(|ended| *ended <= later.from);
            earlier.labels == later.labels
                && ended.is_some_and(|ended| later.from.since(ended) < FLAPPED_WITHIN)
        })
    };
    let flapped = all.iter().filter(|own| own.from >= span.from && again(own));
    let flapped = flapped.count();
    let within = |own: &Firing| own.until.is_none_or(|until| until >= span.from);
    all.retain(within);
    RuleFirings {
        rule: rule.to_owned(),
        firings: all,
        calmed,
        flapped,
    }
}
