//! Whose turn it is. A rota's shifts take over again and again; whichever did last is on, so exactly one person is on call
//! at every instant, there is nothing to close a gap with and no overlap to settle.
//!
//! Nothing is stored: each turn is computed from the rota and `at` alone, so that a restart, a changed file or a look at
//! next month need no state. The rejected alternative, a table of generated turns, goes stale with every change.

use model::Timestamp;
use plan::{Rota, RotaOverride, Shift};

use crate::recurring::{self, LAST, Occurrence, Recurring, days_after, timestamp};

/// The most turns that [`next_turns`] lists: a quarter of a daily rota, more than anybody reads.
pub const NEXT_TURNS_MAX: usize = 100;

/// Before this nobody hands over. Later than the first instant that recurring times are computed for, by a month: who is on
/// depends on take-overs of up to eight days ago.
const FIRST: Timestamp = Timestamp::from_millis(recurring::FIRST.as_millis() + 30 * 24 * 3_600_000);

/// The time in which one person is on call without a hand-over.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Who.
    pub person: &'a str,
    /// The hand-over with which it begins. [`Timestamp::MIN`] when it began before the calendar does.
    pub from: Timestamp,
    /// The hand-over with which it ends, exclusive. [`Timestamp::MAX`] when it outlasts the calendar.
    pub until: Timestamp,
    /// The name of the shift; empty for an override, which may span several.
    pub shift: &'a str,
    /// Whether an override put this person here.
    pub is_override: bool,
}

/// Who is on call at an instant; `None` only for a rota without shifts or people.
///
/// `extra` are the overrides made at run time. They win over the rota's own, and among either the last that covers the
/// instant wins. A shift takes over on each of its days, but that is a hand-over only if another shift was on or the next
/// of its people is due: a rota of weekly turns without `days` hands over once a week.
pub fn on_call<'a>(rota: &'a Rota, extra: &'a [RotaOverride], at: Timestamp) -> Option<Turn<'a>> {
    let scheduled = scheduled(rota, at)?;
    Some(overridden(scheduled, &rota.overrides, extra, at))
}

/// The turns that come after the one at `at`, in order: as many as asked for, but no more than [`NEXT_TURNS_MAX`].
pub fn next_turns<'a>(
    rota: &'a Rota,
    extra: &'a [RotaOverride],
    at: Timestamp,
    count: usize,
) -> Vec<Turn<'a>> {
    let after = |turn: &Turn<'a>| {
        let is_last = turn.until == Timestamp::MAX;
        (!is_last).then(|| on_call(rota, extra, turn.until))?
    };
    std::iter::successors(on_call(rota, extra, at), after)
        .skip(1)
        .take(count.min(NEXT_TURNS_MAX))
        .collect()
}

/// A shift's newest take-over.
struct TakeOver<'a> {
    /// The shift's place in the list, which decides between two at one instant.
    place: usize,
    shift: &'a Shift,
    newest: Occurrence,
}

/// The turn without overrides.
fn scheduled(rota: &Rota, at: Timestamp) -> Option<Turn<'_>> {
    let now = at.clamp(FIRST, LAST);
    let take_overs = newest_take_overs(rota, now);
    let on = take_overs
        .iter()
        .max_by_key(|take_over| (take_over.newest.at, take_over.place))?;
    let turn = turn_number(on.shift, on.newest);
    let mut from = turn_start(on.shift, turn).unwrap_or(Timestamp::MIN);
    let mut until = turn_start(on.shift, turn + 1).unwrap_or(Timestamp::MAX);
    let others = take_overs.iter().filter(|other| other.place != on.place);
    for other in others {
        from = from.max(took_over_from(on, other));
        until = until.min(recurring(other.shift).next_after(now));
    }
    Some(Turn {
        person: person(on.shift, turn)?,
        from: if from <= FIRST { Timestamp::MIN } else { from },
        until: if until > LAST { Timestamp::MAX } else { until },
        shift: &on.shift.name,
        is_override: false,
    })
}

/// What the overrides make of a turn. From the last to the first, so that the first one found to cover `at` is in force;
/// those passed on the way win over it, and therefore bound it.
fn overridden<'a>(
    scheduled: Turn<'a>,
    declared: &'a [RotaOverride],
    extra: &'a [RotaOverride],
    at: Timestamp,
) -> Turn<'a> {
    let mut from = Timestamp::MIN;
    let mut until = Timestamp::MAX;
    for exception in declared.iter().chain(extra).rev() {
        let begins = timestamp(exception.from);
        let ends = timestamp(exception.until);
        if begins >= ends {
            continue;
        }
        if at < begins {
            until = until.min(begins);
        } else if at >= ends {
            from = from.max(ends);
        } else {
            return Turn {
                person: &exception.person,
                from: from.max(begins),
                until: until.min(ends),
                shift: "",
                is_override: true,
            };
        }
    }
    Turn {
        from: from.max(scheduled.from),
        until: until.min(scheduled.until),
        ..scheduled
    }
}

/// Of each shift; one without people never takes over.
fn newest_take_overs(rota: &Rota, now: Timestamp) -> Vec<TakeOver<'_>> {
    let newest = |(place, shift)| {
        let newest = recurring(shift).newest(now)?;
        Some(TakeOver {
            place,
            shift,
            newest,
        })
    };
    let manned = rota.shifts.iter().filter(|shift| !shift.people.is_empty());
    manned.enumerate().filter_map(newest).collect()
}

/// When the shift that is on took over after another one last did; at the same instant the later in the list is on.
fn took_over_from(on: &TakeOver, other: &TakeOver) -> Timestamp {
    let since = if on.place > other.place {
        Timestamp::from_millis(other.newest.at.as_millis().saturating_sub(1))
    } else {
        other.newest.at
    };
    recurring(on.shift).next_after(since)
}

/// The number of the turn that a take-over belongs to: 0 from the day of `since`, negative before.
fn turn_number(shift: &Shift, take_over: Occurrence) -> i64 {
    let days = shift.since.duration_until(take_over.date).as_hours() / 24;
    days.div_euclid(turn_days(shift))
}

/// The first take-over of a turn, or of the first turn after it that has one; `None` where the calendar ends.
fn turn_start(shift: &Shift, turn: i64) -> Option<Timestamp> {
    let date = days_after(shift.since, turn.checked_mul(turn_days(shift))?)?;
    let first = recurring(shift).first_from(date)?;
    Some(first.at)
}

fn person(shift: &Shift, turn: i64) -> Option<&str> {
    let people = i64::try_from(shift.people.len()).ok()?;
    let index = usize::try_from(turn.checked_rem_euclid(people)?).ok()?;
    shift.people.get(index).map(String::as_str)
}

/// At least one: a plan that says 0 is refused elsewhere, but nothing here may divide by it.
fn turn_days(shift: &Shift) -> i64 {
    i64::from(shift.turn_days.max(1))
}

fn recurring(shift: &Shift) -> Recurring<'_> {
    Recurring {
        zone: &shift.zone,
        time: shift.hand_over,
        days: &shift.days,
    }
}
