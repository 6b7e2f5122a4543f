//! What must happen in time, when faults are bounded; and what must have happened when they are over.

use std::time::Duration;

use plan::Severity;

use super::facts::{Case, Facts};
use super::{Invariant, Violations};
use crate::pipeline::record::{ActionSeen, AttemptSeen};
use crate::pipeline::scenario::{Action, EVALUATION_INTERVAL, LEVELS, Span};

const SECOND: Duration = Duration::from_secs(1);
/// A first page with healthy receivers: a scrape's interval, an evaluation's, and five seconds.
const FIRST_PAGE: Duration = Duration::from_secs(35);
/// After at most five failures in a row.
const WITH_FAILURES: Duration = Duration::from_secs(120);
/// Whatever happens.
const FIRST_PAGE_MAX: Duration = Duration::from_secs(300);
/// Levels 2 and 3 with healthy receivers.
const LEVEL: Duration = Duration::from_secs(5);
/// Levels 2 and 3 whose time came while the process was away: after it is back.
const LEVEL_AFTER_RESTART: Duration = Duration::from_secs(10);
/// A clock that was set: evaluation and escalation are back after two intervals.
const AFTER_JUMP: Duration = Duration::from_secs(30);
/// A receiver that answers has a page so soon after it was decided, whatever others do.
const ISOLATION: Duration = Duration::from_secs(2);

pub(super) fn check(facts: &Facts<'_>, found: &mut Violations) {
    for (rule, script) in facts.scenario.rules.iter().enumerate() {
        for (instance, spans) in script.instances.iter().enumerate() {
            for span in spans {
                first_page(facts, (rule, instance), *span, found);
            }
        }
        silence_ends(facts, rule, found);
    }
    for case in facts.incidents() {
        levels_on_time(facts, &case, found);
        isolation(facts, &case, found);
    }
}

/// When nothing fails any more, whoever must know of what still goes on does.
pub(super) fn check_healed(facts: &Facts<'_>, found: &mut Violations) {
    let healed = facts.scenario.length;
    let by = facts.scenario.calm_from();
    for (rule, script) in facts.scenario.rules.iter().enumerate() {
        for (instance, spans) in script.instances.iter().enumerate() {
            let goes_on = spans
                .iter()
                .any(|(from, until)| *from <= healed && *until >= by);
            if !goes_on || facts.is_silenced(rule, (healed, by)) || !facts.record.jumps.is_empty() {
                continue;
            }
            let known = facts.incidents().any(|case| {
                let was_taken = facts
                    .done_to(case.id)
                    .any(|(_, _, action)| matches!(action, Action::Acknowledge(_)));
                holds(facts, &case, rule, instance)
                    && case.closed().is_none_or(|(_, at)| at >= by)
                    && (was_taken || all_told(facts, &case, &|_| by))
            });
            if !known {
                let text = format!(
                    "nobody knows of {}, which goes on",
                    facts.alert(rule, instance)
                );
                found.add(Invariant::NothingLost, by, text);
            }
        }
    }
}

fn holds(facts: &Facts<'_>, case: &Case<'_>, rule: usize, instance: usize) -> bool {
    let labels = facts.alert(rule, instance);
    case.detail.incident.members.contains_key(&labels)
}

/// Whether everybody of level 1 accepted a page about the incident by their deadline.
fn all_told(facts: &Facts<'_>, case: &Case<'_>, deadline: &dyn Fn(&str) -> Duration) -> bool {
    facts.people(1).all(|person| {
        let by = deadline(&person.name);
        let in_time = |attempt: &AttemptSeen| attempt.accepted.is_some_and(|(_, at)| at <= by);
        facts.told(&person.name, case.id).any(in_time)
    })
}

/// A condition that holds and goes on holding, with data and without anybody's hand in it, pages level 1 in time.
fn first_page(facts: &Facts<'_>, alert: (usize, usize), span: Span, found: &mut Violations) {
    let (rule, instance) = alert;
    let hold = facts.scenario.rules[rule].hold;
    let (from, until) = span;
    let healthy = from + hold + FIRST_PAGE;
    let base = base_deadline(facts, (from, healthy), hold);
    let latest = (base + WITH_FAILURES - FIRST_PAGE).max(from + hold + FIRST_PAGE_MAX);
    let window = (from.saturating_sub(SECOND), latest);
    let of_rule = |action: Action| match action {
        Action::Acknowledge(own) | Action::Resolve(own) | Action::Silence(own, _) => own == rule,
        Action::Merge(one, other) => one == rule || other == rule,
        Action::EndSilence(_) | Action::Jump(_) => false,
    };
    let meddled = facts
        .record
        .actions
        .iter()
        .any(|seen| window.0 <= seen.at && seen.at <= latest && of_rule(seen.action));
    let owes_nothing = until < latest
        || meddled
        || facts.is_missing(rule, window)
        || facts.is_silenced(rule, window)
        || facts.is_confused(from, latest)
        || latest > facts.scenario.calm_from();
    if owes_nothing {
        return;
    }
    let deadline = |person: &str| {
        let failed = facts.receiver_failed_within(person, (from, base))
            || facts.store_failed_within((from, base));
        let late = if failed {
            base + WITH_FAILURES - FIRST_PAGE
        } else {
            base
        };
        late.min(base.max(from + hold + FIRST_PAGE_MAX))
    };
    let fires_at = from + hold;
    let told = facts.incidents().any(|case| {
        let lives = case.closed().is_none_or(|(_, at)| at > fires_at)
            && case.opened().is_some_and(|(_, at)| at <= latest);
        // Whoever took it before, or what joined it then, needs no page.
        let was_taken = facts
            .done_to(case.id)
            .any(|(_, at, action)| at < from && matches!(action, Action::Acknowledge(_)));
        lives
            && holds(facts, &case, rule, instance)
            && (was_taken || all_told(facts, &case, &deadline))
    });
    if !told {
        let text = format!(
            "{} holds since {from:?} (for: {hold:?}); level 1 was to know by {:?}",
            facts.alert(rule, instance),
            facts.people(1).map(|person| deadline(&person.name)).max()
        );
        found.add(Invariant::FirstPage, latest, text);
    }
}

/// The deadline of a span that would end it if nothing but restarts and clocks stood in the way.
fn base_deadline(facts: &Facts<'_>, (from, healthy): Span, hold: Duration) -> Duration {
    let mut base = healthy;
    // What nobody evaluated before the death begins after it.
    let mut seen = from + EVALUATION_INTERVAL + SECOND;
    seen = facts.moved_by_deaths((from, seen), EVALUATION_INTERVAL + SECOND);
    base = base.max(seen + hold + FIRST_PAGE - EVALUATION_INTERVAL - SECOND);
    base = facts.moved_by_deaths((from, base), FIRST_PAGE);
    if facts.jumped_within((from, base)) {
        base += AFTER_JUMP;
    }
    base
}

fn levels_on_time(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    if case.detail.incident.head.severity != Severity::Critical {
        return;
    }
    let Some((_, opened)) = case.opened() else {
        return;
    };
    for (index, after) in LEVELS.iter().enumerate().skip(1) {
        let Some(due) = case.ran_for(*after) else {
            return;
        };
        for person in facts.people(index + 1) {
            let mut by = due + LEVEL;
            let around = (due.saturating_sub(SECOND), by);
            by = facts.moved_by_deaths(around, LEVEL_AFTER_RESTART);
            let (_, rests) = case.ran_until(due);
            by += SECOND * rests;
            let troubled = facts.receiver_failed_within(&person.name, (due, by))
                || facts.store_failed_within((due, by));
            if troubled {
                by += WITH_FAILURES;
            }
            let owes_nothing = !case.runs_throughout((due, by))
                || by > facts.scenario.end()
                || facts.is_confused(opened, by);
            let in_time = |attempt: &AttemptSeen| {
                attempt.level == index + 1 && attempt.accepted.is_some_and(|(_, at)| at <= by)
            };
            if !owes_nothing && !facts.told(&person.name, case.id).any(in_time) {
                let text = format!(
                    "level {} of incident {} was due at {due:?}; {} was to know by {by:?}",
                    index + 1,
                    case.id,
                    person.name
                );
                found.add(Invariant::EscalateOnTime, by, text);
            }
        }
    }
}

/// A silence that ends while the alert fires is followed by a page.
fn silence_ends(facts: &Facts<'_>, rule: usize, found: &mut Violations) {
    let hold = facts.scenario.rules[rule].hold;
    for (from, end) in &facts.silences[rule] {
        let by = *end + FIRST_PAGE;
        let window = (*end - SECOND.min(*end), by + WITH_FAILURES);
        let still = facts.silences[rule]
            .iter()
            .any(|(own, until)| (own, until) != (from, end) && *own < window.1 && *until >= *end);
        // A silence that the store refused is none.
        let set = |seen: &ActionSeen| {
            seen.at == *from
                && seen.done
                && matches!(seen.action, Action::Silence(own, _) if own == rule)
        };
        let troubled = still
            || !facts.record.actions.iter().any(set)
            || facts.any_receiver_failed_within(window)
            || facts.store_failed_within(window)
            || facts.back_within((*from, by)).is_some()
            || !facts.record.jumps.is_empty()
            || by > facts.scenario.calm_from();
        if troubled {
            continue;
        }
        for case in facts.incidents() {
            let is_own = case.detail.incident.head.title == facts.scenario.rules[rule].name
                && case.detail.incident.merged_groups.is_empty();
            let opened = case.opened().map_or(by, |(_, at)| at);
            if !is_own || opened >= *end || hold > *end {
                continue;
            }
            // Shown as running from about the end on, and still then.
            if !case.runs_throughout((*end + SECOND * 2, by)) {
                continue;
            }
            for person in facts.people(1) {
                let in_time = |attempt: &AttemptSeen| {
                    let (_, at) = attempt.accepted.unwrap_or_default();
                    *end <= at + SECOND && at <= by
                };
                if !facts.told(&person.name, case.id).any(in_time) {
                    let text = format!(
                        "the silence of incident {} ended at {end:?} and {} was not told by {by:?}",
                        case.id, person.name
                    );
                    found.add(Invariant::SilenceEnds, by, text);
                }
            }
        }
    }
}

/// A person whose receivers answer has the first page two seconds after it was decided.
fn isolation(facts: &Facts<'_>, case: &Case<'_>, found: &mut Violations) {
    let Some((_, opened)) = case.opened() else {
        return;
    };
    let by = opened + ISOLATION;
    let window = (opened, by);
    let quiet = case.runs_throughout(window)
        && facts.back_within(window).is_none()
        && !facts.store_failed_within(window)
        && !facts.jumped_within((opened.saturating_sub(SECOND * 2), by));
    if !quiet {
        return;
    }
    for person in facts.people(1) {
        let in_time = |attempt: &AttemptSeen| attempt.accepted.is_some_and(|(_, at)| at <= by);
        let failed = facts.receiver_failed_within(&person.name, (opened, by));
        if !failed && !facts.told(&person.name, case.id).any(in_time) {
            let text = format!(
                "incident {} opened at {opened:?} and {} was not told by {by:?}",
                case.id, person.name
            );
            found.add(Invariant::Isolation, by, text);
        }
    }
}
