//! Escalation conformance: was each level of each incident told when it was promised, did a receiver take it soon, and did
//! somebody have the incident before the next level was due?
//!
//! A promise is the time that was written down with the page, so that what moved a ladder (an acknowledgement that expired,
//! a silence, a clock that was set) moved its promise too. A level that nobody fills is a promise that was not kept.

use std::time::Duration;

use alerting::{Incident, IncidentId, IncidentState, PageReason};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};
use model::Timestamp;
use plan::Severity;

use crate::incident::Page;

/// A level is told in time when its pages are queued so soon after the promise: the desk looks once a second.
pub(crate) const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// A page is accepted in time when a receiver takes it so soon after the promise: later is a breach by the field's measure.
pub(crate) const ACCEPTED_WITHIN: Duration = Duration::from_secs(5 * 60);

/// What became of a level.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    /// It was told.
    Told,
    /// It was its turn, and nobody filled its roles.
    ReachedNobody,
    /// Its time has not come.
    Pending,
    /// The incident was acknowledged or over, or is held back, before its time came.
    NotNeeded,
}

impl Reported {
    /// The word of the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reported::Told => "told",
            Reported::ReachedNobody => "reached_nobody",
            Reported::Pending => "pending",
            Reported::NotNeeded => "not_needed",
        }
    }
}

/// One level of one incident.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LevelConformance {
    /// Counted from 1.
    pub(crate) level: usize,
    /// Whom it tells.
    pub(crate) roles: Vec<String>,
    /// What became of it.
    pub(crate) state: Reported,
    /// When it was promised.
    pub(crate) promised_at: Option<Timestamp>,
    /// When its pages were queued.
    pub(crate) told_at: Option<Timestamp>,
    /// When the first receiver took one.
    pub(crate) accepted_at: Option<Timestamp>,
    /// Who was told.
    pub(crate) people: Vec<String>,
    /// `None` where nobody can say (yet).
    pub(crate) told_in_time: Option<bool>,
    /// `None` where nobody can say (yet).
    pub(crate) accepted_in_time: Option<bool>,
    /// `None` for the last level, and where the incident ended by itself before.
    pub(crate) acknowledged_before_next: Option<bool>,
}

impl LevelConformance {
    /// How late it was told.
    pub(crate) fn late_by(&self) -> Option<Duration> {
        Some(self.told_at?.since(self.promised_at?))
    }

    /// How long after the promise a receiver took it.
    pub(crate) fn accepted_after(&self) -> Option<Duration> {
        Some(self.accepted_at?.since(self.promised_at?))
    }
}

/// One incident.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IncidentConformance {
    pub(crate) id: IncidentId,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) opened_at: Timestamp,
    pub(crate) acknowledged_at: Option<Timestamp>,
    pub(crate) resolved_at: Option<Timestamp>,
    pub(crate) levels: Vec<LevelConformance>,
    /// Whether somebody had it before the level after the first that was told was due.
    pub(crate) acknowledged_in_time: Option<bool>,
}

/// How many of some promises were kept.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Promises whose time has come.
    pub(crate) of: u64,
    /// Those that were kept.
    pub(crate) in_time: u64,
}

impl Kept {
    fn count(&mut self, kept: Option<bool>) {
        self.of += u64::from(kept.is_some());
        self.in_time += u64::from(kept == Some(true));
    }

    /// The share, 0 to 1; `None` of none.
    pub(crate) fn ratio(self) -> Option<f64> {
        (self.of > 0).then(|| self.in_time as f64 / self.of as f64)
    }
}

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conformance {
    pub(crate) incidents: Vec<IncidentConformance>,
    /// Levels that were told within [`TOLD_WITHIN`].
    pub(crate) told: Kept,
    /// Levels whose page was accepted within [`ACCEPTED_WITHIN`].
    pub(crate) accepted: Kept,
    /// Incidents that somebody had before escalation went on.
    pub(crate) acknowledged: Kept,
    /// The latest that a level was told.
    pub(crate) latest: Option<Duration>,
}

/// Reports on incidents, each with its pages.
pub(crate) fn conformance<'a>(
    incidents: impl IntoIterator<Item = (&'a Incident, &'a [Page])>,
    now: Timestamp,
) -> Conformance {
    let mut report = Conformance::default();
    for (incident, pages) in incidents {
        let one = of_incident(incident, pages, now);
        for level in &one.levels {
            report.told.count(level.told_in_time);
            report.accepted.count(level.accepted_in_time);
            report.latest = report.latest.max(level.late_by());
        }
        report.acknowledged.count(one.acknowledged_in_time);
        report.incidents.push(one);
    }
    report
}

/// Beginning and end of a month such as `2026-11`, in UTC; `None` for a text that is none.
pub(crate) fn month(text: &str) -> Option<(Timestamp, Timestamp)> {
    let is_short = text.len() == "2026-11".len();
    let first: Date = format!("{text}-01").parse().ok().filter(|_| is_short)?;
    let next = first.checked_add(1.month()).ok()?;
    let at = |date: Date| {
        let instant = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(Timestamp::from_millis(instant.as_millisecond()))
    };
    Some((at(first)?, at(next)?))
}

/// The month of a time, as [`month`] reads it.
pub(crate) fn month_of(at: Timestamp) -> String {
    let instant = Instant::from_millisecond(at.as_millis()).unwrap_or_default();
    instant.strftime("%Y-%m").to_string()
}

fn of_incident(incident: &Incident, pages: &[Page], now: Timestamp) -> IncidentConformance {
    let count = incident.head.levels.len();
    let mut levels: Vec<LevelConformance> = (0..count)
        .map(|index| of_level(incident, index, pages, now))
        .collect();
    for index in 0..count.saturating_sub(1) {
        let next = &incident.head.levels[index + 1];
        let next_due = levels[index + 1]
            .promised_at
            .unwrap_or_else(|| incident.due_at(next));
        levels[index].acknowledged_before_next =
            acknowledged_before(incident, &levels[index], next_due, now);
    }
    let first_told = levels.iter().find(|level| level.state == Reported::Told);
    IncidentConformance {
        id: incident.id(),
        title: incident.head.title.clone(),
        severity: incident.head.severity,
        opened_at: incident.head.opened_at,
        acknowledged_at: incident.first_acknowledged_at,
        resolved_at: incident.resolved.as_ref().map(|own| own.at),
        acknowledged_in_time: first_told.and_then(|level| level.acknowledged_before_next),
        levels,
    }
}

fn of_level(incident: &Incident, index: usize, pages: &[Page], now: Timestamp) -> LevelConformance {
    let own = &incident.head.levels[index];
    let of_level = |page: &&Page| page.level == index + 1 && page.reason == PageReason::Escalation;
    let told: Vec<&Page> = pages.iter().filter(of_level).collect();
    let waits = incident.state() == IncidentState::Open && incident.held.is_none();
    let state = if !told.is_empty() {
        Reported::Told
    } else if index < incident.levels_told {
        Reported::ReachedNobody
    } else if waits {
        Reported::Pending
    } else {
        Reported::NotNeeded
    };
    let promised_at = match state {
        Reported::Told => told.iter().map(|page| page.due_at).min(),
        Reported::ReachedNobody | Reported::Pending => Some(incident.due_at(own)),
        Reported::NotNeeded => None,
    };
    let mut people: Vec<String> = told.iter().map(|page| page.person.clone()).collect();
    people.sort_unstable();
    people.dedup();
    let mut level = LevelConformance {
        level: index + 1,
        roles: own.roles.clone(),
        state,
        promised_at,
        told_at: told.iter().map(|page| page.queued_at).min(),
        accepted_at: told.iter().filter_map(|page| page.delivered_at).min(),
        people,
        told_in_time: None,
        accepted_in_time: None,
        acknowledged_before_next: None,
    };
    level.told_in_time = in_time(&level, level.told_at, TOLD_WITHIN, now);
    level.accepted_in_time = in_time(&level, level.accepted_at, ACCEPTED_WITHIN, now);
    level
}

/// Whether something happened soon enough after the promise; `None` while it still may, and where nothing was promised.
fn in_time(
    level: &LevelConformance,
    happened_at: Option<Timestamp>,
    within: Duration,
    now: Timestamp,
) -> Option<bool> {
    let latest = level.promised_at? + within;
    match (happened_at, level.state) {
        (Some(at), _) => Some(at <= latest),
        (None, Reported::ReachedNobody) => Some(false),
        (None, Reported::Told | Reported::Pending | Reported::NotNeeded) => {
            (now > latest).then_some(false)
        }
    }
}

fn acknowledged_before(
    incident: &Incident,
    level: &LevelConformance,
    next_due: Timestamp,
    now: Timestamp,
) -> Option<bool> {
    if level.state != Reported::Told {
        return None;
    }
    if let Some(at) = incident.first_acknowledged_at {
        return Some(at < next_due);
    }
    let ended = incident
        .resolved
        .as_ref()
        .is_some_and(|own| own.at < next_due);
    let is_known = !ended && incident.held.is_none() && now >= next_due;
    is_known.then_some(false)
}

#[cfg(test)]
mod tests {
    use alerting::{Acknowledgement, IncidentHead, Resolution, ResolveReason};
    use plan::EscalationLevel;

    use super::*;
    use crate::incident::{PageId, PageState};

    const OPENED: i64 = 1_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis((OPENED + seconds) * 1000)
    }

    /// An incident with levels at 0 and 15 minutes that told so many of them.
    fn incident(levels_told: usize) -> Incident {
        let level = |after_s: u64, role: &str| EscalationLevel {
            after: Duration::from_secs(after_s),
            roles: vec![role.to_owned()],
        };
        let mut incident = Incident::new(IncidentHead {
            id: IncidentId(1),
            title: "NoStock".to_owned(),
            group: "g".to_owned(),
            severity: Severity::Critical,
            opened_at: at(0),
            levels: vec![level(0, "on-call"), level(900, "team-lead")],
            acknowledgement_expires: None,
            page_interval: Duration::from_secs(300),
            procedure: None,
        });
        incident.levels_told = levels_told;
        incident
    }

    fn page(level: usize, due_s: i64, queued_s: i64, delivered_s: Option<i64>) -> Page {
        Page {
            id: PageId(1),
            root: PageId(1),
            incident: IncidentId(1),
            level,
            reason: PageReason::Escalation,
            person: "ada".to_owned(),
            channel: "webhook".to_owned(),
            state: PageState::Delivered,
            attempts: 1,
            due_at: at(due_s),
            queued_at: at(queued_s),
            next_attempt_at: at(queued_s),
            delivered_at: delivered_s.map(at),
            last_error: None,
            receipt: None,
        }
    }

    fn shown(level: &LevelConformance) -> String {
        let word = |kept: Option<bool>| match kept {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        format!(
            "{} told {} accepted {} acknowledged {}",
            level.state.as_str(),
            word(level.told_in_time),
            word(level.accepted_in_time),
            word(level.acknowledged_before_next)
        )
    }

    #[test]
    fn levels() {
        let check =
            |what: &str, incident: &Incident, pages: &[Page], now_s: i64, expect: [&str; 2]| {
                let report = conformance([(incident, pages)], at(now_s));
                let found: Vec<String> = report.incidents[0].levels.iter().map(shown).collect();
                assert_eq!(found, expect, "{what}");
            };
        let not_needed = "not_needed told - accepted - acknowledged -";
        let pending = "pending told - accepted - acknowledged -";
        let first = [page(1, 0, 1, Some(3))];

        let open = incident(1);
        let told = "told told yes accepted yes acknowledged -";
        check("still open", &open, &first, 60, [told, pending]);
        check(
            "just sent",
            &open,
            &[page(1, 0, 1, None)],
            60,
            ["told told yes accepted - acknowledged -", pending],
        );
        check(
            "not accepted",
            &open,
            &[page(1, 0, 1, None)],
            301,
            ["told told yes accepted no acknowledged -", pending],
        );
        check(
            "late",
            &open,
            &[page(1, 0, 6, Some(400))],
            500,
            ["told told no accepted no acknowledged -", pending],
        );
        check(
            "the second is overdue",
            &open,
            &first,
            906,
            [
                "told told yes accepted yes acknowledged no",
                "pending told no accepted - acknowledged -",
            ],
        );

        let mut taken = incident(1);
        taken.first_acknowledged_at = Some(at(120));
        taken.acknowledged = Some(Acknowledgement {
            at: at(120),
            by: "ada".to_owned(),
            until: None,
        });
        let kept = "told told yes accepted yes acknowledged yes";
        check("acknowledged", &taken, &first, 5000, [kept, not_needed]);

        let mut over = incident(1);
        over.resolved = Some(Resolution {
            at: at(200),
            reason: ResolveReason::Recovered,
        });
        check("over by itself", &over, &first, 5000, [told, not_needed]);

        let both = [page(1, 0, 0, Some(1)), page(2, 900, 903, Some(904))];
        let mut late = incident(2);
        late.first_acknowledged_at = Some(at(1000));
        check(
            "both told",
            &late,
            &both,
            5000,
            [
                "told told yes accepted yes acknowledged no",
                "told told yes accepted yes acknowledged -",
            ],
        );

        let nobody = [page(2, 0, 0, Some(1))];
        check(
            "nobody fills the first",
            &late,
            &nobody,
            5000,
            [
                "reached_nobody told no accepted no acknowledged -",
                "told told yes accepted yes acknowledged -",
            ],
        );
    }

    #[test]
    fn another_channel_that_took_it_counts_and_other_reasons_do_not() {
        let mut other = page(1, 0, 0, Some(40));
        other.channel = "email".to_owned();
        let mut joined = page(1, 300, 300, Some(301));
        joined.reason = PageReason::Joined;
        let pages = [page(1, 0, 0, None), other, joined];
        let report = conformance([(&incident(1), &pages[..])], at(600));
        let level = &report.incidents[0].levels[0];
        assert_eq!(level.accepted_after(), Some(Duration::from_secs(40)));
        assert_eq!(level.people, ["ada"]);
        assert_eq!(
            (level.told_at, level.late_by()),
            (Some(at(0)), Some(Duration::ZERO))
        );
    }

    #[test]
    fn totals() {
        let (good, late) = ([page(1, 0, 0, Some(1))], [page(1, 0, 9, Some(400))]);
        let incident = incident(1);
        let report = conformance([(&incident, &good[..]), (&incident, &late[..])], at(700));
        assert_eq!(report.told, Kept { of: 2, in_time: 1 });
        assert_eq!(report.accepted.ratio(), Some(0.5));
        assert_eq!(report.acknowledged.ratio(), None);
        assert_eq!(report.latest, Some(Duration::from_secs(9)));
        assert_eq!(conformance([], at(0)), Conformance::default());
    }

    #[test]
    fn months() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            let utc = crate::time_text::rfc3339;
            let found = month(text).map(|(from, until)| (utc(from), utc(until)));
            let expect = expect.map(|(from, until)| (from.to_owned(), until.to_owned()));
            assert_eq!(found, expect, "{text}");
        };
        check(
            "2026-11",
            Some(("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")),
        );
        check(
            "2026-12",
            Some(("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")),
        );
        for wrong in ["2026-13", "2026", "2026-11-01", "11-2026", "", "2026-1"] {
            check(wrong, None);
        }
        assert_eq!(month_of(month("2026-11").unwrap().0), "2026-11");
    }
}
