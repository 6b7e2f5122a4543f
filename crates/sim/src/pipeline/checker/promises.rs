//! What must never happen, whatever breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alerting::{PageReason, ResolveReason};
use monitor::incident::PageState;

use super::facts::{Case, Facts};
use super::{Invariant, Violations};
use crate::pipeline::record::{AttemptSeen, Shown, Verdict};
use crate::pipeline::scenario::{Action, LEVELS, Span};

/// What the look at the list, once a second, cannot see.
const LOOK: Duration = Duration::from_millis(1_100);
/// How far an evaluation may be from its place on the grid after the clock was set.
const GRID_MOVED: Duration = Duration::from_secs(17);

pub(super) fn check(facts: &Facts<'_>, found: &mut Violations) {
    for case in facts.incidents() {
        no_level_early(facts, &case, found);
        no_level_skipped(&case, found);
        pages_arrive(facts, &case, found);
        one_final_resolve(facts, &case, found);
        acknowledgement_stops(facts, &case, found);
        silence_holds(facts, &case, found);
        no_false_resolve(facts, &case, found);
        never_before_for(facts, &case, found);
    }
    duplicates(facts, found);
}

fn no_level_early(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let Some((_, opened)) = case.opened() else {
        return;
    };
    for attempt in &facts.record.attempts {
        let is_own = attempt.incident == case.id && attempt.reason == "escalation";
        if !is_own || attempt.level == 0 || facts.is_confused(opened, attempt.at) {
            continue;
        }
        let after = LEVELS[attempt.level - 1];
        let (ran, rests) = case.ran_at_most(attempt.at, &facts.record.away);
        if ran + LOOK * (rests + 1) < after {
            let text = format!(
                "level {} of incident {} came to {} after {ran:?} of its ladder",
                attempt.level, case.id, attempt.person
            );
            found.add(Invariant::NoLevelEarly, attempt.at, text);
        }
    }
}

fn no_level_skipped(case: &Case<'_>, found: &mut Violations) {
    let told: Vec<usize> = case
        .detail
        .pages
        .iter()
        .filter(|page| page.reason == PageReason::Escalation && page.id == page.root)
        .map(|page| page.level)
        .collect();
    let at = case.opened().map_or(Duration::ZERO, |(_, at)| at);
    if !told.is_sorted() {
        let text = format!("incident {} told its levels as {told:?}", case.id);
        found.add(Invariant::NoLevelSkipped, at, text);
    }
    let highest = told.iter().copied().max().unwrap_or(0);
    for level in 1..highest {
        if !told.contains(&level) {
            let text = format!(
                "incident {} told level {highest} but never {level}",
                case.id
            );
            found.add(Invariant::NoLevelSkipped, at, text);
        }
    }
}

/// Every page of the store ended well, and what it says is true.
fn pages_arrive(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let dead = |person: &str| {
        let mut people = facts.scenario.people.iter();
        people.any(|own| own.name == person && own.is_dead)
    };
    let end = facts.scenario.end();
    for page in &case.detail.pages {
        if dead(&page.person) {
            continue;
        }
        let key = page.idempotency_key();
        let mut attempts = facts.record.attempts.iter();
        let arrived = attempts.any(|attempt| attempt.key == key && attempt.accepted.is_some());
        let in_summary = || {
            let lists = |attempt: &AttemptSeen| {
                attempt.person == page.person
                    && attempt.accepted.is_some()
                    && attempt.summary_of.iter().any(|(id, _)| *id == case.id)
            };
            facts.record.attempts.iter().any(lists)
        };
        let superseded = || {
            case.detail.pages.iter().any(|later| {
                later.id > page.id && later.person == page.person && later.level == page.level
            })
        };
        let is_well = match page.state {
            PageState::Delivered => arrived || in_summary(),
            PageState::Replaced => arrived || superseded(),
            PageState::Queued | PageState::InSummary | PageState::GivenUp => false,
        };
        if !is_well {
            let text = format!(
                "page {key} ({} for {}, level {}) is {} and {}; last error: {:?}",
                page.reason.as_str(),
                page.person,
                page.level,
                page.state.as_str(),
                if arrived { "arrived" } else { "never arrived" },
                page.last_error,
            );
            found.add(Invariant::NothingLost, end, text);
        }
    }
}

/// Each key comes once by each channel, but for answers that were lost and deaths in between; and one matter has one key.
fn duplicates(facts: &Facts<'_>, found: &mut Violations) {
    let deaths = facts.record.away.len();
    let mut by_key: BTreeMap<(&str, &str, usize), Vec<&AttemptSeen>> = BTreeMap::new();
    let mut keys: BTreeMap<(&str, i64, usize), BTreeSet<&str>> = BTreeMap::new();
    for attempt in &facts.record.attempts {
        if attempt.accepted.is_none() {
            continue;
        }
        let key = (
            attempt.key.as_str(),
            attempt.person.as_str(),
            attempt.channel,
        );
        by_key.entry(key).or_default().push(attempt);
        if attempt.reason == "escalation" {
            let matter = (attempt.person.as_str(), attempt.incident, attempt.level);
            keys.entry(matter).or_default().insert(&attempt.key);
        }
    }
    for ((key, person, channel), attempts) in by_key {
        let unanswered = attempts.iter().filter(|attempt| !attempt.answered).count();
        if attempts.len() - 1 > unanswered + deaths {
            let text = format!(
                "{person} got {key} {} times by channel {channel}; {unanswered} answers were lost, {deaths} deaths",
                attempts.len()
            );
            found.add(Invariant::Duplicates, attempts[1].at, text);
        }
    }
    for ((person, incident, level), keys) in keys {
        if keys.len() > 1 {
            let text =
                format!("{person} was told level {level} of incident {incident} as {keys:?}");
            found.add(Invariant::Duplicates, facts.scenario.end(), text);
        }
    }
}

fn one_final_resolve(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let end = facts.scenario.end();
    if case.detail.incident.resolved.is_none() {
        let text = format!(
            "incident {} is open though nothing is wrong any more",
            case.id
        );
        found.add(Invariant::OneFinalResolve, end, text);
        return;
    }
    for person in facts
        .scenario
        .people
        .iter()
        .filter(|person| !person.is_dead)
    {
        let Some(first) = facts.told(&person.name, case.id).next() else {
            continue;
        };
        let is_end = |attempt: &&AttemptSeen| {
            let listed = |(id, state): &(i64, String)| *id == case.id && state == "resolved";
            let says_so = attempt.status == "resolved" && attempt.incident == case.id;
            attempt.person == person.name
                && attempt.accepted.is_some()
                && (says_so || attempt.summary_of.iter().any(listed))
        };
        let ends: Vec<&AttemptSeen> = facts.record.attempts.iter().filter(is_end).collect();
        let keys: BTreeSet<&str> = ends.iter().map(|attempt| attempt.key.as_str()).collect();
        if keys.len() != 1 {
            let text = format!(
                "{} was told of incident {} at {:?} and of its end {} times: {keys:?}",
                person.name,
                case.id,
                first.at,
                keys.len()
            );
            found.add(Invariant::OneFinalResolve, end, text);
            continue;
        }
        let (ended, at) = ends[0].accepted.expect("only accepted ones are listed");
        for late in facts.told(&person.name, case.id) {
            if late.sequence > ended {
                let text = format!(
                    "{} was sent {} of incident {} after its end at {at:?}",
                    person.name, late.key, case.id
                );
                found.add(Invariant::OneFinalResolve, late.at, text);
            }
        }
    }
}

/// Whether an incident was over when an attempt began, or may have been: what ended just before a death is seen after it.
fn may_be_over(facts: &Facts<'_>, case: &Case<'_>, attempt: &AttemptSeen) -> bool {
    let Some((sequence, at)) = case.closed() else {
        return false;
    };
    let unseen = |(from, back): &&Span| *back <= at && at - *back <= LOOK && *from <= attempt.at;
    sequence < attempt.sequence || facts.record.away.iter().any(|away| unseen(&away))
}

fn acknowledgement_stops(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let taken = facts
        .done_to(case.id)
        .filter(|(_, _, action)| matches!(action, Action::Acknowledge(_)));
    let mut covered = Duration::ZERO;
    for (sequence, at, _) in taken {
        // Who takes what somebody has already changes nothing.
        if at < covered || case.closed().is_some_and(|(closed, _)| closed < sequence) {
            continue;
        }
        let expires = facts.scenario.acknowledgement_expires;
        let until = expires.map_or(facts.scenario.end(), |length| at + length);
        covered = until;
        for attempt in &facts.record.attempts {
            let is_page = attempt.incident == case.id
                && attempt.status == "firing"
                && attempt.summary_of.is_empty();
            let is_within = attempt.sequence > sequence
                && attempt.at < until
                && !may_be_over(facts, case, attempt);
            if is_page && is_within && !facts.is_confused(at, attempt.at) {
                let text = format!(
                    "{} was sent {} ({}, level {}) while the acknowledgement of {at:?} held",
                    attempt.person, attempt.key, attempt.reason, attempt.level
                );
                found.add(Invariant::AcknowledgementStops, attempt.at, text);
            }
        }
    }
}

fn silence_holds(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let merged = !case.detail.incident.merged_groups.is_empty();
    let title = &case.detail.incident.head.title;
    let rules = &facts.scenario.rules;
    let Some(rule) = rules.iter().position(|rule| rule.name == *title) else {
        return;
    };
    if merged || !facts.record.jumps.is_empty() {
        return;
    }
    let set =
        facts.record.actions.iter().filter(|seen| {
            seen.done && matches!(seen.action, Action::Silence(own, _) if own == rule)
        });
    for silence in set {
        let until = facts.silences[rule]
            .iter()
            .find(|(from, _)| *from == silence.at)
            .map_or(silence.at, |(_, until)| *until);
        for attempt in &facts.record.attempts {
            let is_page = attempt.incident == case.id
                && attempt.status == "firing"
                && attempt.summary_of.is_empty();
            let is_within = attempt.sequence > silence.sequence
                && attempt.at < until
                && !may_be_over(facts, case, attempt);
            if is_page && is_within {
                let text = format!(
                    "{} was sent {} ({}) within the silence of {:?}",
                    attempt.person, attempt.key, attempt.reason, silence.at
                );
                found.add(Invariant::SilenceHolds, attempt.at, text);
            }
        }
    }
}

/// An incident that ended by itself ended with an evaluation that said so of every alert of its rule.
fn no_false_resolve(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let Some(resolution) = &case.detail.incident.resolved else {
        return;
    };
    let by_itself = matches!(
        resolution.reason,
        ResolveReason::Recovered | ResolveReason::NoTraffic
    );
    let Some((sequence, at)) = case.closed().filter(|_| by_itself) else {
        return;
    };
    let before = |seen: &&crate::pipeline::record::EvaluationSeen| seen.sequence < sequence;
    let Some(last) = facts.record.evaluations.iter().rfind(before) else {
        return;
    };
    // Seen only after a restart: which evaluation it was, nobody saw.
    if facts
        .back_within((last.at.saturating_sub(LOOK), at + LOOK))
        .is_some()
        || at - last.at > LOOK
    {
        return;
    }
    for (instance, verdict) in last.verdicts.iter().enumerate() {
        let labels = facts.alert(last.rule, instance);
        let Some(member) = case.detail.incident.members.get(&labels) else {
            continue;
        };
        let ended_now = member.resolved_at == Some(resolution.at);
        if ended_now && matches!(verdict, Verdict::Holds | Verdict::Unknown) {
            let text = format!("incident {} ended though {labels} {verdict:?}", case.id);
            found.add(Invariant::NoFalseResolve, at, text);
        }
    }
}

/// The alert that opened an incident had held for its `for`.
fn never_before_for(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let Some((sequence, at)) = case.opened() else {
        return;
    };
    let before = |seen: &&crate::pipeline::record::EvaluationSeen| seen.sequence < sequence;
    let Some(last) = facts.record.evaluations.iter().rfind(before) else {
        return;
    };
    if at > last.at || facts.is_confused(at, at) || case.states[0].shown == Shown::Resolved {
        return;
    }
    let script = &facts.scenario.rules[last.rule];
    if case.detail.incident.head.title != script.name {
        return;
    }
    // What opened just before a death was seen after it: at which evaluation it opened, nobody saw.
    let just_back = |(_, back): &Span| *back <= at && at - *back <= LOOK;
    if facts.record.away.iter().any(just_back) {
        return;
    }
    // A calm that could not be written down before a death is forgotten with it.
    let hour = (at.saturating_sub(Duration::from_secs(3600)), at);
    if facts.store_failed_within(hour) && facts.back_within(hour).is_some() {
        return;
    }
    let mut longest = Duration::ZERO;
    for instance in 0..script.instances.len() {
        let mut since = None;
        let earlier = facts.record.evaluations.iter().rev();
        for seen in earlier.filter(|seen| seen.rule == last.rule && seen.sequence <= last.sequence)
        {
            match seen.verdicts[instance] {
                Verdict::Holds => since = Some(seen.at),
                Verdict::Unknown => {}
                Verdict::DoesNotHold | Verdict::NoValue => break,
            }
        }
        longest = longest.max(since.map_or(Duration::ZERO, |since| last.at - since));
    }
    let jumped = facts.jumped_within((last.at.saturating_sub(script.hold * 2 + GRID_MOVED), at));
    let slack = if jumped { GRID_MOVED } else { LOOK };
    if longest + slack < script.hold {
        let text = format!(
            "incident {} opened after {longest:?} of {} (for: {:?})",
            case.id, script.name, script.hold
        );
        found.add(Invariant::NeverBeforeFor, at, text);
    }
}
