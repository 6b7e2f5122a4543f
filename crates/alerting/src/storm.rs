//! What keeps a storm from burying a person: past so many pages in five minutes the rest become one summary.
//!
//! A person who gets a hundred pages reads none of them. Nothing is dropped: what does not go out on its own is listed in
//! the summary. Warnings have half of the room, so that they never crowd out what is critical.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use model::Timestamp;
use plan::Severity;

/// The span in which pages are counted.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// The most pages of one person in that span: what can be read while walking to a keyboard.
const PAGES_MAX: usize = 20;
/// The most of them that warnings may take.
const WARNINGS_MAX: usize = 10;
/// How long a critical page waits at most for the next summary, whatever was sent before: told late is better than told
/// often, but not five minutes.
const CRITICAL_WAITS_MAX: Duration = Duration::from_secs(45);
/// How long the first summary gathers: a storm's alerts come within seconds of each other.
const FIRST_SUMMARY_AFTER: Duration = Duration::from_secs(10);

/// How a page goes out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// On its own.
    Alone,
    /// As a line of the person's next summary.
    InSummary,
}

/// Who was paged how often lately.
#[derive(Clone, Debug, Default)]
pub struct StormGate {
    people: BTreeMap<String, Lately>,
}

#[derive(Clone, Debug, Default)]
struct Lately {
    pages: VecDeque<(Timestamp, Severity)>,
    /// When pages wait for a summary: from when on it may be sent.
    summary_due: Option<Timestamp>,
    summary_sent: Option<Timestamp>,
}

impl StormGate {
    /// Counts a page to a person and says how it goes out.
    pub fn admit(&mut self, person: &str, severity: Severity, now: Timestamp) -> Admission {
        let lately = self.people.entry(person.to_owned()).or_default();
        lately.pages.retain(|(at, _)| now.since(*at) < WINDOW);
        let warnings = lately
            .pages
            .iter()
            .filter(|(_, own)| *own == Severity::Warning)
            .count();
        let has_room = lately.pages.len() < PAGES_MAX
            && (severity == Severity::Critical || warnings < WARNINGS_MAX);
        if has_room {
            lately.pages.push_back((now, severity));
            return Admission::Alone;
        }
        let apart = match severity {
            Severity::Critical => CRITICAL_WAITS_MAX,
            Severity::Warning => WINDOW,
        };
        let gathered = now + FIRST_SUMMARY_AFTER;
        let earliest = lately
            .summary_sent
            .map_or(gathered, |sent| gathered.max(sent + apart));
        let due = lately.summary_due.get_or_insert(earliest);
        *due = earliest.min(*due);
        Admission::InSummary
    }

    /// The machine's clock was set: moves everything that counts elapsed time. What waits for a summary still does.
    pub fn clock_was_set(&mut self, by_ms: i64) {
        let shift = |at: &mut Timestamp| {
            *at = Timestamp::from_millis(at.as_millis().saturating_add(by_ms));
        };
        for lately in self.people.values_mut() {
            lately.pages.iter_mut().for_each(|(at, _)| shift(at));
            lately.summary_due.iter_mut().for_each(shift);
            lately.summary_sent.iter_mut().for_each(shift);
        }
    }

    /// Pages of this person wait for a summary since before a restart: it is due at once.
    pub fn restore(&mut self, person: &str, now: Timestamp) {
        let lately = self.people.entry(person.to_owned()).or_default();
        lately.summary_due = Some(now);
    }

    /// The people whose summary is due.
    pub fn due(&self, now: Timestamp) -> Vec<String> {
        let is_due = |lately: &Lately| lately.summary_due.is_some_and(|due| due <= now);
        self.people
            .iter()
            .filter(|(_, lately)| is_due(lately))
            .map(|(person, _)| person.clone())
            .collect()
    }

    /// A summary was queued.
    pub fn summarised(&mut self, person: &str, now: Timestamp) {
        if let Some(lately) = self.people.get_mut(person) {
            lately.summary_due = None;
            lately.summary_sent = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_storm_is_twenty_pages_and_a_summary() {
        let mut gate = StormGate::default();
        let alone = (0..10_000)
            .filter(|n| gate.admit("ada", Severity::Critical, at(n / 200)) == Admission::Alone)
            .count();
        assert_eq!(alone, PAGES_MAX);
        assert!(gate.due(at(5)).is_empty());
        assert_eq!(gate.due(at(11)), ["ada"]);
        gate.summarised("ada", at(11));
        assert!(gate.due(at(400)).is_empty(), "nothing waits");
        assert_eq!(
            gate.admit("bob", Severity::Critical, at(11)),
            Admission::Alone,
            "others are not concerned"
        );
        assert_eq!(
            gate.admit("ada", Severity::Critical, at(351)),
            Admission::Alone,
            "after five minutes there is room again"
        );
    }

    #[test]
    fn summaries_are_apart_but_what_is_critical_does_not_wait_for_minutes() {
        for (severity, apart) in [(Severity::Warning, 300), (Severity::Critical, 45)] {
            let mut gate = StormGate::default();
            for _ in 0..30 {
                gate.admit("ada", severity, at(0));
            }
            gate.summarised("ada", at(10));
            for n in 0..30 {
                gate.admit("ada", Severity::Warning, at(20 + n / 10));
            }
            gate.admit("ada", severity, at(23));
            assert!(gate.due(at(9 + apart)).is_empty(), "{severity:?}");
            assert_eq!(gate.due(at(10 + apart)), ["ada"], "{severity:?}");
        }
    }

    #[test]
    fn a_clock_that_is_set_forgets_no_summary() {
        for by_ms in [-21_600_000, 2_592_000_000] {
            let mut gate = StormGate::default();
            for _ in 0..30 {
                gate.admit("ada", Severity::Critical, at(0));
            }
            gate.clock_was_set(by_ms);
            let later = |seconds: i64| Timestamp::from_millis(seconds * 1000 + by_ms);
            assert!(gate.due(later(5)).is_empty(), "{by_ms}");
            assert_eq!(gate.due(later(10)), ["ada"], "{by_ms}");
            assert_eq!(
                gate.admit("ada", Severity::Critical, later(20)),
                Admission::InSummary,
                "{by_ms}: the room is as full as before"
            );
        }
    }

    #[test]
    fn warnings_leave_room() {
        let mut gate = StormGate::default();
        let alone = (0..100)
            .filter(|_| gate.admit("ada", Severity::Warning, at(0)) == Admission::Alone)
            .count();
        assert_eq!(alone, WARNINGS_MAX);
        assert_eq!(
            gate.admit("ada", Severity::Critical, at(1)),
            Admission::Alone
        );
    }
}
