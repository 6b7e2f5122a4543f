//! Questions about a run that several invariants ask.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Labels;
use monitor::incident::IncidentDetail;

use crate::pipeline::play::alert;
use crate::pipeline::record::{AttemptSeen, Record, Sequence, Shown, StateSeen};
use crate::pipeline::scenario::{Action, PersonScript, Scenario, Span};

/// After a restart the list was looked at within so long.
const UNSEEN: Duration = Duration::from_millis(1_100);

/// A run, with what follows from it at once.
pub(super) struct Facts<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) record: &'a Record,
    states: BTreeMap<i64, Vec<&'a StateSeen>>,
    /// By rule: from when until when it was silenced, in elapsed time.
    pub(super) silences: Vec<Vec<Span>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(scenario: &'a Scenario, record: &'a Record) -> Facts<'a> {
        let mut states: BTreeMap<i64, Vec<&StateSeen>> = BTreeMap::new();
        for seen in &record.states {
            states.entry(seen.incident).or_default().push(seen);
        }
        let silences = (0..scenario.rules.len())
            .map(|rule| silences(record, rule))
            .collect();
        Facts {
            scenario,
            record,
            states,
            silences,
        }
    }

    /// Incidents with what the desk showed of them, the oldest first.
    pub(super) fn incidents(&self) -> impl Iterator<Item = Case<'_>> {
        self.record.incidents.iter().map(|detail| {
            let id = detail.incident.id().0;
            let states = self.states.get(&id).map_or(&[][..], Vec::as_slice);
            Case { id, detail, states }
        })
    }

    pub(super) fn alert(&self, rule: usize, instance: usize) -> Labels {
        alert(&self.scenario.rules[rule], instance)
    }

    /// Whether a rule's data is missing at any time of a span.
    pub(super) fn is_missing(&self, rule: usize, span: Span) -> bool {
        let missing = &self.scenario.rules[rule].missing;
        missing.iter().any(|(own, _)| overlap(*own, span))
    }

    pub(super) fn is_silenced(&self, rule: usize, span: Span) -> bool {
        self.silences[rule].iter().any(|own| overlap(*own, span))
    }

    /// When the process was back after it was last away in a span.
    pub(super) fn back_within(&self, span: Span) -> Option<Duration> {
        let away = self.record.away.iter().rfind(|own| overlap(**own, span));
        away.map(|(_, back)| *back)
    }

    /// A deadline that each time the process is away in the meantime moves to so long after its return.
    pub(super) fn moved_by_deaths(&self, (from, by): Span, after: Duration) -> Duration {
        self.record.away.iter().fold(by, |by, away| {
            if overlap(*away, (from, by)) {
                by.max(away.1 + after)
            } else {
                by
            }
        })
    }

    pub(super) fn jumped_within(&self, (from, until): Span) -> bool {
        let within = |at: Duration| from <= at && at < until;
        self.record.jumps.iter().any(|(at, _)| within(*at))
    }

    /// Whether the clock was set without anybody noticing while an incident was open, or shortly before it was.
    pub(super) fn is_confused(&self, from: Duration, until: Duration) -> bool {
        let hold = self.scenario.rules.iter().map(|rule| rule.hold).max();
        let from = from.saturating_sub(hold.unwrap_or_default() + Duration::from_secs(60));
        let unnoticed = &self.record.unnoticed;
        unnoticed.iter().any(|at| from <= *at && *at <= until)
    }

    pub(super) fn store_failed_within(&self, (from, until): Span) -> bool {
        let mut failures = self.record.store_failures.iter();
        failures.any(|at| from <= *at && *at < until)
    }

    /// Whether a receiver of a person failed in a span.
    pub(super) fn receiver_failed_within(&self, person: &str, (from, until): Span) -> bool {
        self.record.attempts.iter().any(|attempt| {
            let failed = !attempt.answered || is_slow(attempt);
            let ends = attempt
                .accepted
                .map_or(attempt.at + Duration::from_secs(10), |(_, at)| at);
            failed && attempt.person == person && attempt.at < until && ends >= from
        })
    }

    /// Whether any receiver failed in a span.
    pub(super) fn any_receiver_failed_within(&self, span: Span) -> bool {
        let mut people = self.scenario.people.iter();
        people.any(|person| self.receiver_failed_within(&person.name, span))
    }

    /// When a person accepted a page that says that an incident fires, alone or in a summary: in order.
    pub(super) fn told(
        &self,
        person: &str,
        incident: i64,
    ) -> impl Iterator<Item = &'a AttemptSeen> {
        let person = person.to_owned();
        self.record.attempts.iter().filter(move |attempt| {
            let listed = |(id, state): &(i64, String)| *id == incident && state != "resolved";
            let says_so = attempt.status == "firing"
                && attempt.summary_of.is_empty()
                && attempt.incident == incident;
            attempt.person == person
                && attempt.accepted.is_some()
                && (says_so || attempt.summary_of.iter().any(listed))
        })
    }

    /// The people of a level whose receivers are not dead.
    pub(super) fn people(&self, level: usize) -> impl Iterator<Item = &'a PersonScript> {
        let people = self.scenario.people.iter();
        people.filter(move |person| person.level == level && !person.is_dead)
    }

    /// Times at which somebody did something to an incident.
    pub(super) fn done_to(
        &self,
        incident: i64,
    ) -> impl Iterator<Item = (Sequence, Duration, Action)> {
        self.record
            .actions
            .iter()
            .filter(move |seen| seen.incident == Some(incident) && seen.done)
            .map(|seen| (seen.sequence, seen.at, seen.action))
    }
}

fn is_slow(attempt: &AttemptSeen) -> bool {
    attempt
        .accepted
        .is_some_and(|(_, at)| at - attempt.at > Duration::from_secs(1))
}

/// An incident.
pub(super) struct Case<'a> {
    pub(super) id: i64,
    pub(super) detail: &'a IncidentDetail,
    pub(super) states: &'a [&'a StateSeen],
}

impl Case<'_> {
    /// When it was first shown.
    pub(super) fn opened(&self) -> Option<(Sequence, Duration)> {
        self.states.first().map(|seen| (seen.sequence, seen.at))
    }

    /// When it was shown as over.
    pub(super) fn closed(&self) -> Option<(Sequence, Duration)> {
        let last = self.states.last()?;
        (last.shown == Shown::Resolved).then_some((last.sequence, last.at))
    }

    /// For how long its ladder ran until a time, at the most, and how often it rested. What happened just before a death
    /// was seen only after it: a rest that then was over may have ended before.
    pub(super) fn ran_at_most(&self, until: Duration, away: &[Span]) -> (Duration, u32) {
        let (mut ran, rests) = self.ran_until(until);
        // It may have opened just before a death, too.
        if let Some(first) = self.states.first() {
            let mut away = away.iter();
            let unseen = away.find(|(_, back)| *back <= first.at && first.at - *back < UNSEEN);
            ran += unseen.map_or(Duration::ZERO, |(from, _)| first.at - *from + UNSEEN);
        }
        for pair in self.states.windows(2) {
            let ended = pair[0].shown == Shown::Resting && pair[1].at <= until;
            let unseen = away.iter().find(|(from, back)| {
                pair[0].at <= *from && *back <= pair[1].at && pair[1].at - *back < UNSEEN
            });
            if let Some((from, _)) = unseen.filter(|_| ended) {
                ran += pair[1].at - *from + UNSEEN;
            }
        }
        (ran, rests)
    }

    /// For how long its ladder ran until a time, and how often it rested.
    pub(super) fn ran_until(&self, until: Duration) -> (Duration, u32) {
        let mut ran = Duration::ZERO;
        let mut rests = 0;
        for (index, seen) in self.states.iter().enumerate() {
            let next = self.states.get(index + 1).map_or(until, |next| next.at);
            if seen.at >= until {
                break;
            }
            match seen.shown {
                Shown::Open => ran += next.min(until) - seen.at,
                Shown::Resting => rests += 1,
                Shown::Resolved => {}
            }
        }
        (ran, rests)
    }

    /// When its ladder had run for so long; `None` if it never did.
    pub(super) fn ran_for(&self, length: Duration) -> Option<Duration> {
        let mut left = length;
        for (index, seen) in self.states.iter().enumerate() {
            if seen.shown != Shown::Open {
                continue;
            }
            let next = self.states.get(index + 1).map(|next| next.at);
            match next {
                Some(next) if next - seen.at <= left => left -= next - seen.at,
                _ => return Some(seen.at + left),
            }
        }
        None
    }

    /// Whether it is open, and nothing rests, in the whole of a span.
    pub(super) fn runs_throughout(&self, (from, until): Span) -> bool {
        let before = self.states.iter().rfind(|seen| seen.at <= from);
        let is_open = before.is_some_and(|seen| seen.shown == Shown::Open);
        let mut others = self.states.iter();
        is_open && !others.any(|seen| seen.at > from && seen.at <= until)
    }
}

pub(super) fn overlap(one: Span, other: Span) -> bool {
    one.0 < other.1 && other.0 < one.1
}

/// When a rule was silenced, in elapsed time. Where the clock was set the wall decides, and whoever asks judges nothing.
fn silences(record: &Record, rule: usize) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for seen in &record.actions {
        match seen.action {
            // A store that failed in mid-action may have written the silence all the same: nothing is promised then.
            Action::Silence(own, length) if own == rule => spans.push((seen.at, seen.at + length)),
            Action::EndSilence(own) if own == rule => {
                for span in &mut spans {
                    span.1 = span.1.min(seen.at.max(span.0));
                }
            }
            _ => {}
        }
    }
    spans
}
