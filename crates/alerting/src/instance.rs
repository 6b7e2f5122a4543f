//! One rule's alert instances: inactive -> pending -> firing -> resolved.
//!
//! The machine differs from Prometheus' in one way, on purpose: **missing data is a state of its own**. Prometheus
//! resolves an alert as soon as its expression yields nothing, so a dead target "recovers" whatever fired on it. Here a
//! firing instance resolves only on evidence: its value is there and the condition is false, or complete scrapes have
//! brought no value for as long as `for`.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Labels, Timestamp};
use plan::{AlertRule, NoTraffic};

/// After a longer outage of Belfry a pending instance starts anew: what held an hour ago says little about now.
/// (Prometheus' `for-outage-tolerance` has the same length.)
const OUTAGE_TOLERANCE: Duration = Duration::from_secs(60 * 60);

/// The most instances one rule may have; more are left out and reported. A rule without aggregation over a label that
/// exploded must not take the pager with it.
const INSTANCES_MAX: usize = 1_000;

/// An instance that fired so often …
pub const FLAPPING_FIRINGS: usize = 3;
/// … within so long flaps …
pub const FLAPPING_WINDOW: Duration = Duration::from_secs(60 * 60);
/// … and then resolves only after it has been calm for so long: one incident that stays open says more than ten that come and go.
const FLAPPING_CALM: Duration = Duration::from_secs(10 * 60);

/// What evaluating a rule's expression at one time gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluation {
    /// The expression was evaluated.
    Done {
        /// Labels and values for which the condition holds.
        active: Vec<(Labels, f64)>,
        /// Labels and values of what the condition compares, where the expression is a comparison. It tells "false"
        /// from "no value".
        subject: Option<Vec<(Labels, f64)>>,
        /// Whether the last scrape of every source of the rule was complete.
        complete: bool,
    },
    /// The expression could not be evaluated; nothing is known.
    Failed,
}

/// Where an instance is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The condition holds, not yet for the length of `for`.
    Pending,
    /// The alert is on.
    Firing {
        /// Since when.
        fired_at: Timestamp,
    },
}

/// One alert instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Where it is.
    pub phase: Phase,
    /// When the condition began to hold.
    pub since: Timestamp,
    /// The last value seen.
    pub value: f64,
    /// Since when nothing is known about it (failed scrapes, failed evaluation).
    pub no_data_since: Option<Timestamp>,
    /// Since when complete scrapes bring no value for it.
    pub no_value_since: Option<Timestamp>,
    /// Since when it fires though its condition no longer holds (`keep_firing_for`, or because it flaps).
    pub calm_since: Option<Timestamp>,
}

/// Why an instance stopped firing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ResolveReason {
    /// The value is there and the condition is false.
    Recovered,
    /// Complete scrapes brought no value for the length of `for`.
    NoTraffic,
    /// The rule is no longer in the plan.
    RuleRemoved,
    /// Whoever sent the alert said so.
    SaidBySender,
    /// A person ended it.
    ByHand,
    /// Its incident became part of another one.
    Merged,
}

impl ResolveReason {
    /// All reasons.
    pub const ALL: [ResolveReason; 6] = [
        ResolveReason::Recovered,
        ResolveReason::NoTraffic,
        ResolveReason::RuleRemoved,
        ResolveReason::SaidBySender,
        ResolveReason::ByHand,
        ResolveReason::Merged,
    ];

    /// The word that APIs and stores use.
    pub fn as_str(self) -> &'static str {
        match self {
            ResolveReason::Recovered => "recovered",
            ResolveReason::NoTraffic => "no_traffic",
            ResolveReason::RuleRemoved => "rule_removed",
            ResolveReason::SaidBySender => "said_by_sender",
            ResolveReason::ByHand => "by_hand",
            ResolveReason::Merged => "merged",
        }
    }

    /// In words, for timelines.
    pub fn in_words(self) -> &'static str {
        match self {
            ResolveReason::Recovered => "the condition no longer holds",
            ResolveReason::NoTraffic => "complete scrapes bring no value (no traffic)",
            ResolveReason::RuleRemoved => "the rule left the plan",
            ResolveReason::SaidBySender => "its sender says that it is over",
            ResolveReason::ByHand => "ended by hand",
            ResolveReason::Merged => "merged into another incident",
        }
    }

    /// The reason of a word; `None` for a word that is none.
    pub fn from_word(word: &str) -> Option<ResolveReason> {
        ResolveReason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}

/// What changed about an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Which instance.
    pub labels: Labels,
    /// Its last value.
    pub value: f64,
    /// What happened.
    pub kind: TransitionKind,
}

/// What can happen to an instance.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TransitionKind {
    /// The condition began to hold; `for` is running.
    BecamePending,
    /// It held for the length of `for`.
    Fired,
    /// It stopped holding before that.
    Calmed,
    /// It fires and nothing is known about it any more.
    LostData,
    /// Data came back; it still fires.
    DataCameBack,
    /// It stopped firing.
    Resolved(ResolveReason),
}

impl TransitionKind {
    /// The word that the history uses.
    pub fn as_str(self) -> &'static str {
        match self {
            TransitionKind::BecamePending => "pending",
            TransitionKind::Fired => "firing",
            TransitionKind::Calmed => "calmed",
            TransitionKind::LostData => "no_data",
            TransitionKind::DataCameBack => "data_back",
            TransitionKind::Resolved(_) => "resolved",
        }
    }
}

/// All instances of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleState {
    /// By the labels that the expression gave.
    pub instances: BTreeMap<Labels, Instance>,
    /// The last evaluation that was stepped.
    pub evaluated_at: Option<Timestamp>,
    /// Instances that did not fit in the last step.
    pub left_out: usize,
    /// When instances fired within the last hour, the oldest first: what tells that one flaps.
    pub fired: BTreeMap<Labels, Vec<Timestamp>>,
}

/// What one evaluation says about one instance.
enum Evidence {
    Holds(f64),
    DoesNotHold,
    NoValue,
    Unknown,
}

impl RuleState {
    /// Takes one evaluation in and says what changed, in the order of the labels.
    pub fn step(
        &mut self,
        rule: &AlertRule,
        evaluation: &Evaluation,
        now: Timestamp,
    ) -> Vec<Transition> {
        self.forget_pending_after_outage(now);
        self.forget_old_firings(now);
        self.evaluated_at = Some(now);
        let mut transitions = Vec::new();
        let known: Vec<Labels> = self.instances.keys().cloned().collect();
        for labels in known {
            let evidence = evaluation.about(&labels);
            if let Some(transition) = self.step_known(rule, &labels, evidence, now) {
                transitions.push(transition);
            }
        }
        self.add_new(rule, evaluation, now, &mut transitions);
        for transition in &transitions {
            if transition.kind == TransitionKind::Fired {
                let fired = self.fired.entry(transition.labels.clone()).or_default();
                fired.push(now);
            }
        }
        transitions
    }

    /// The machine's clock was set: moves everything that counts elapsed time.
    pub fn clock_was_set(&mut self, by_ms: i64) {
        let shift = |at: &mut Timestamp| {
            *at = Timestamp::from_millis(at.as_millis().saturating_add(by_ms));
        };
        self.evaluated_at.iter_mut().for_each(shift);
        self.fired.values_mut().flatten().for_each(shift);
        for instance in self.instances.values_mut() {
            shift(&mut instance.since);
            instance.no_data_since.iter_mut().for_each(shift);
            instance.no_value_since.iter_mut().for_each(shift);
            instance.calm_since.iter_mut().for_each(shift);
        }
    }

    /// Whether an instance comes and goes too often to be believed when it goes.
    pub fn is_flapping(&self, labels: &Labels) -> bool {
        self.fired
            .get(labels)
            .is_some_and(|fired| fired.len() >= FLAPPING_FIRINGS)
    }

    fn forget_old_firings(&mut self, now: Timestamp) {
        self.fired.retain(|_, fired| {
            fired.retain(|at| now.since(*at) < FLAPPING_WINDOW);
            !fired.is_empty()
        });
    }

    /// Ends every instance, for a rule that left the plan.
    pub fn remove(&mut self) -> Vec<Transition> {
        let resolved = |(labels, instance): (Labels, Instance)| match instance.phase {
            Phase::Pending => None,
            Phase::Firing { .. } => {
                let kind = TransitionKind::Resolved(ResolveReason::RuleRemoved);
                Some(Transition {
                    labels,
                    value: instance.value,
                    kind,
                })
            }
        };
        std::mem::take(&mut self.instances)
            .into_iter()
            .filter_map(resolved)
            .collect()
    }

    fn forget_pending_after_outage(&mut self, now: Timestamp) {
        let outage = self
            .evaluated_at
            .is_some_and(|last| now.since(last) > OUTAGE_TOLERANCE);
        if outage {
            self.instances
                .retain(|_, instance| instance.phase != Phase::Pending);
        }
    }

    fn step_known(
        &mut self,
        rule: &AlertRule,
        labels: &Labels,
        evidence: Evidence,
        now: Timestamp,
    ) -> Option<Transition> {
        let calm = if self.is_flapping(labels) {
            rule.keep_firing.max(FLAPPING_CALM)
        } else {
            rule.keep_firing
        };
        let instance = self.instances.get_mut(labels)?;
        let kind = match instance.phase {
            Phase::Pending => instance.step_pending(rule, evidence, now),
            Phase::Firing { .. } => instance.step_firing(rule, evidence, calm, now),
        }?;
        let value = instance.value;
        if matches!(kind, TransitionKind::Calmed | TransitionKind::Resolved(_)) {
            self.instances.remove(labels);
        }
        Some(Transition {
            labels: labels.clone(),
            value,
            kind,
        })
    }

    fn add_new(
        &mut self,
        rule: &AlertRule,
        evaluation: &Evaluation,
        now: Timestamp,
        transitions: &mut Vec<Transition>,
    ) {
        self.left_out = 0;
        let Evaluation::Done { active, .. } = evaluation else {
            return;
        };
        let just_ended: Vec<Labels> = transitions
            .iter()
            .map(|transition| transition.labels.clone())
            .collect();
        for (labels, value) in active {
            if self.instances.contains_key(labels) || just_ended.contains(labels) {
                continue;
            }
            if self.instances.len() >= INSTANCES_MAX {
                self.left_out += 1;
                continue;
            }
            let (phase, kind) = if rule.hold.is_zero() {
                (Phase::Firing { fired_at: now }, TransitionKind::Fired)
            } else {
                (Phase::Pending, TransitionKind::BecamePending)
            };
            let instance = Instance {
                phase,
                since: now,
                value: *value,
                no_data_since: None,
                no_value_since: None,
                calm_since: None,
            };
            self.instances.insert(labels.clone(), instance);
            transitions.push(Transition {
                labels: labels.clone(),
                value: *value,
                kind,
            });
        }
    }
}

impl Instance {
    fn step_pending(
        &mut self,
        rule: &AlertRule,
        evidence: Evidence,
        now: Timestamp,
    ) -> Option<TransitionKind> {
        match evidence {
            Evidence::Holds(value) => {
                self.value = value;
                // A gap longer than `for` itself says nothing about whether the condition held all the time.
                let gap = self.no_data_since.take().map(|lost| now.since(lost));
                if gap.is_some_and(|gap| gap > rule.hold) {
                    self.since = now;
                }
                if now.since(self.since) < rule.hold {
                    return None;
                }
                self.phase = Phase::Firing { fired_at: now };
                Some(TransitionKind::Fired)
            }
            Evidence::DoesNotHold | Evidence::NoValue => Some(TransitionKind::Calmed),
            // A failed scrape neither resets `for` nor lets it run out: firing needs evidence too.
            Evidence::Unknown => {
                self.no_data_since.get_or_insert(now);
                None
            }
        }
    }

    /// `calm` is how long the condition must have been false before the instance resolves.
    fn step_firing(
        &mut self,
        rule: &AlertRule,
        evidence: Evidence,
        calm: Duration,
        now: Timestamp,
    ) -> Option<TransitionKind> {
        match evidence {
            Evidence::Holds(value) => {
                self.value = value;
                self.no_value_since = None;
                self.calm_since = None;
                self.data_came_back()
            }
            Evidence::DoesNotHold => {
                self.no_value_since = None;
                let since = *self.calm_since.get_or_insert(now);
                if now.since(since) >= calm {
                    return Some(TransitionKind::Resolved(ResolveReason::Recovered));
                }
                self.data_came_back()
            }
            Evidence::NoValue if rule.no_traffic == NoTraffic::Page => self.data_came_back(),
            Evidence::NoValue => {
                let since = *self.no_value_since.get_or_insert(now);
                if now.since(since) >= rule.hold.max(calm) {
                    return Some(TransitionKind::Resolved(ResolveReason::NoTraffic));
                }
                self.data_came_back()
            }
            Evidence::Unknown => {
                // The time of calm, or without a value, must be one of complete scrapes, without a gap.
                self.no_value_since = None;
                self.calm_since = None;
                let was_known = self.no_data_since.is_none();
                self.no_data_since.get_or_insert(now);
                was_known.then_some(TransitionKind::LostData)
            }
        }
    }

    fn data_came_back(&mut self) -> Option<TransitionKind> {
        self.no_data_since
            .take()
            .map(|_| TransitionKind::DataCameBack)
    }
}

impl Evaluation {
    fn about(&self, labels: &Labels) -> Evidence {
        let Evaluation::Done {
            active,
            subject,
            complete,
        } = self
        else {
            return Evidence::Unknown;
        };
        let find = |list: &[(Labels, f64)]| {
            list.iter()
                .find(|(own, _)| own == labels)
                .map(|(_, value)| *value)
        };
        if let Some(value) = find(active) {
            return Evidence::Holds(value);
        }
        match subject {
            // A rate over five minutes still has a value minutes after its target died, and falls: no evidence.
            _ if !*complete => Evidence::Unknown,
            Some(subject) => match find(subject) {
                Some(value) if !value.is_nan() => Evidence::DoesNotHold,
                _ => Evidence::NoValue,
            },
            // Not a comparison (`absent(x)`, `a unless b`): an empty answer is the condition being false.
            None => Evidence::DoesNotHold,
        }
    }
}
