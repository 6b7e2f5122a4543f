//! Pages: queued with what they follow from, handed out when due, settled with what an attempt said.

use std::time::Duration;

use alerting::{IncidentId, PageReason};
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::columns::*;
use super::incidents::write_timeline;
use crate::incident::{
    DeliveryAttempt, NewPage, NewSummary, Page, PageId, PageOutcome, PageQueue, PageState,
};

/// No pause between attempts is longer.
const PAUSE_MAX: Duration = Duration::from_secs(60);

pub(super) fn write(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    is_urgent: bool,
    page: &NewPage,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let state = if page.in_summary {
        PageState::InSummary
    } else {
        PageState::Queued
    };
    let mut statement = transaction.prepare_cached(
        "INSERT INTO pages (incident, level, reason, person, channel, state, attempts, due_at, queued_at, next_attempt_at,
           urgent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10)",
    )?;
    statement.execute(params![
        incident.0,
        page.level as i64,
        page.reason.as_str(),
        page.person,
        page.channel,
        state.as_str(),
        page.due_at.as_millis(),
        now.as_millis(),
        page.send_at.as_millis(),
        is_urgent,
    ])?;
    let id = transaction.last_insert_rowid();
    transaction.execute("UPDATE pages SET root = id WHERE id = ?1", [id])?;
    if matches!(
        page.reason,
        PageReason::AcknowledgementExpired | PageReason::HoldEnded
    ) {
        // What waited in the meantime says the same.
        transaction.execute(
            "UPDATE pages SET state = 'replaced' WHERE incident = ?1 AND person = ?2 AND level = ?3 AND id <> ?4
               AND state = 'queued' AND reason NOT IN ('resolved', 'summary')",
            params![incident.0, page.person, page.level as i64, id],
        )?;
    }
    Ok(())
}

/// Queues a summary of everything that waits for one to this person; nothing when nothing does.
pub(super) fn write_summary(
    transaction: &Transaction<'_>,
    summary: &NewSummary,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let waiting = "person = ?1 AND state = 'in_summary' AND summary IS NULL";
    let first: Option<(i64, i64)> = transaction.query_row(
        &format!("SELECT incident, urgent FROM pages WHERE {waiting} ORDER BY urgent DESC, id LIMIT 1"),
        [&summary.person],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .optional()?;
    let Some((incident, urgent)) = first else {
        return Ok(());
    };
    transaction.execute(
        "INSERT INTO pages (incident, level, reason, person, channel, state, attempts, due_at, queued_at, next_attempt_at,
           urgent)
         VALUES (?1, 0, 'summary', ?2, ?3, 'queued', 0, ?4, ?4, ?4, ?5)",
        params![
            incident,
            summary.person,
            summary.channel,
            now.as_millis(),
            urgent
        ],
    )?;
    let id = transaction.last_insert_rowid();
    transaction.execute("UPDATE pages SET root = id WHERE id = ?1", [id])?;
    transaction.execute(
        &format!("UPDATE pages SET summary = ?2 WHERE {waiting}"),
        params![summary.person, id],
    )?;
    Ok(())
}

/// The machine's clock was set: waiting pages wait as long as before, and jobs are silent for as long as they were.
pub(super) fn clock_was_set(transaction: &Transaction<'_>, by_ms: i64) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE pages SET next_attempt_at = next_attempt_at + ?1, queued_at = queued_at + ?1
         WHERE state IN ('queued', 'in_summary')",
        [by_ms],
    )?;
    transaction.execute(
        "UPDATE heartbeats SET expected_since = expected_since + ?1, last_at = last_at + ?1",
        [by_ms],
    )?;
    Ok(())
}

/// After a start: a page that would wait for longer than any pause between attempts was dated by a clock that was set back
/// in the meantime, and would wait for as long as it was.
pub(super) fn wake(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let latest = now + PAUSE_MAX;
    transaction.execute(
        "UPDATE pages SET next_attempt_at = ?1, queued_at = min(queued_at, ?1)
         WHERE state = 'queued' AND next_attempt_at > ?2",
        params![now.as_millis(), latest.as_millis()],
    )?;
    Ok(())
}

/// Pages that wait for nothing but their time: not one that says "firing" while somebody has the incident or its pages are
/// held back, nor one that says "resolved" before all that say "firing" are settled.
const MAY_GO: &str = "state = 'queued'
   AND NOT (reason NOT IN ('resolved', 'summary') AND EXISTS (
     SELECT 1 FROM incidents WHERE incidents.id = page.incident AND resolved_at IS NULL
       AND (acknowledged_at IS NOT NULL OR held_kind IS NOT NULL)))
   AND NOT (reason = 'resolved' AND EXISTS (
     SELECT 1 FROM pages AS earlier WHERE earlier.incident = page.incident AND earlier.person = page.person
       AND earlier.id < page.id AND earlier.reason <> 'resolved' AND earlier.state IN ('queued', 'in_summary')))";

pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Page>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT * FROM pages AS page WHERE next_attempt_at <= ?1 AND {MAY_GO}
         ORDER BY urgent DESC, next_attempt_at, id LIMIT ?2"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let pages = statement.query_map(params![now.as_millis(), limit], page)?;
    pages.collect()
}

pub(super) fn queue(connection: &Connection) -> rusqlite::Result<PageQueue> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT count(*), min(queued_at), min(next_attempt_at) FROM pages AS page WHERE {MAY_GO}"
    ))?;
    statement.query_row([], |row| {
        let (count, oldest, next): (i64, Option<i64>, Option<i64>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(PageQueue {
            waiting: count.max(0) as u64,
            oldest: oldest.map(Timestamp::from_millis),
            next_at: next.map(Timestamp::from_millis),
        })
    })
}

pub(super) fn record_attempt(
    transaction: &Transaction<'_>,
    id: PageId,
    outcome: &PageOutcome,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let delivered_at = (outcome.state == PageState::Delivered).then_some(now.as_millis());
    // A page that another channel replaced while this attempt ran, and that was not delivered all the same, stays replaced.
    transaction.execute(
        "UPDATE pages SET state = CASE WHEN state = 'queued' OR ?2 = 'delivered' THEN ?2 ELSE state END,
           attempts = attempts + 1, next_attempt_at = ?3, delivered_at = coalesce(?4, delivered_at), last_error = ?5,
           receipt = coalesce(?6, receipt)
         WHERE id = ?1",
        params![
            id.0,
            outcome.state.as_str(),
            outcome.next_attempt_at.as_millis(),
            delivered_at,
            outcome.error,
            outcome.receipt
        ],
    )?;
    transaction.execute(
        "INSERT INTO attempts (page, at, took_ms, error, receipt) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            id.0,
            now.as_millis(),
            i64::try_from(outcome.took_ms).unwrap_or(i64::MAX),
            outcome.error,
            outcome.receipt
        ],
    )?;
    let tried = transaction.query_row("SELECT * FROM pages WHERE id = ?1", [id.0], page)?;
    if let Some((kind, text)) = &outcome.timeline {
        write_timeline(transaction, tried.incident, now, *kind, text)?;
    }
    if let Some(channel) = &outcome.fall_back_to
        && tried.state != PageState::Replaced
    {
        fall_back(transaction, &tried, channel, now)?;
    }
    match tried.state {
        PageState::Delivered => settle_others(transaction, &tried, now),
        PageState::GivenUp if tried.reason == PageReason::Summary => {
            carry(transaction, &tried, now)
        }
        PageState::Queued | PageState::InSummary | PageState::Replaced | PageState::GivenUp => {
            Ok(())
        }
    }
}

/// Queues the same page by another channel, unless it is there already.
fn fall_back(
    transaction: &Transaction<'_>,
    tried: &Page,
    channel: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO pages (incident, level, reason, person, channel, state, attempts, due_at, queued_at, next_attempt_at,
           urgent, root)
         SELECT incident, level, reason, person, ?2, 'queued', 0, due_at, queued_at, ?3, urgent, root FROM pages
         WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM pages WHERE root = ?4 AND channel = ?2)",
        params![tried.id.0, channel, now.as_millis(), tried.root.0],
    )?;
    Ok(())
}

/// The page arrived: its other channels need not, and what it carried arrived with it.
fn settle_others(
    transaction: &Transaction<'_>,
    arrived: &Page,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE pages SET state = 'replaced' WHERE root = ?1 AND id <> ?2 AND state = 'queued'",
        params![arrived.root.0, arrived.id.0],
    )?;
    if arrived.reason == PageReason::Summary {
        carry(transaction, arrived, now)?;
    }
    Ok(())
}

/// What happened to a summary happened to the pages that it carries.
fn carry(transaction: &Transaction<'_>, summary: &Page, now: Timestamp) -> rusqlite::Result<()> {
    let delivered_at = (summary.state == PageState::Delivered).then_some(now.as_millis());
    transaction.execute(
        "UPDATE pages SET state = ?2, delivered_at = ?3, receipt = ?4 WHERE summary = ?1 AND state = 'in_summary'",
        params![
            summary.root.0,
            summary.state.as_str(),
            delivered_at,
            summary.receipt
        ],
    )?;
    Ok(())
}

pub(super) fn release(
    connection: &Connection,
    incident: IncidentId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE pages SET next_attempt_at = ?2 WHERE incident = ?1 AND state = 'queued' AND attempts = 0
           AND next_attempt_at > ?2",
        params![incident.0, now.as_millis()],
    )?;
    Ok(())
}

pub(super) fn of_incident(
    connection: &Connection,
    incident: IncidentId,
) -> rusqlite::Result<Vec<Page>> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM pages WHERE incident = ?1 ORDER BY id")?;
    let pages = statement.query_map([incident.0], page)?;
    pages.collect()
}

pub(super) fn in_summary(connection: &Connection, summary: PageId) -> rusqlite::Result<Vec<Page>> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM pages WHERE summary = ?1 ORDER BY id")?;
    let pages = statement.query_map([summary.0], page)?;
    pages.collect()
}

pub(super) fn waiting_for_summary(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT DISTINCT person FROM pages WHERE state = 'in_summary' AND summary IS NULL ORDER BY person",
    )?;
    let people = statement.query_map([], |row| row.get(0))?;
    people.collect()
}

pub(super) fn attempts(
    connection: &Connection,
    incident: Option<IncidentId>,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryAttempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT pages.*, attempts.at AS at, attempts.took_ms AS took_ms, attempts.error AS error,
           attempts.receipt AS said
         FROM attempts JOIN pages ON pages.id = attempts.page
         WHERE ?1 IS NULL OR pages.incident = ?1 ORDER BY attempts.id DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![incident.map(|id| id.0), limit], |row| {
        Ok(DeliveryAttempt {
            page: page(row)?,
            at: time(row, "at")?,
            took_ms: row.get::<_, i64>("took_ms")?.max(0) as u64,
            error: row.get("error")?,
            receipt: row.get("said")?,
        })
    })?;
    rows.collect()
}

fn page(row: &Row<'_>) -> rusqlite::Result<Page> {
    Ok(Page {
        id: PageId(row.get("id")?),
        root: PageId(row.get("root")?),
        incident: incident_id(row)?,
        level: number(row, "level")?,
        reason: word(row, "reason", &PageReason::ALL, PageReason::as_str)?,
        person: row.get("person")?,
        channel: row.get("channel")?,
        state: word(row, "state", &PageState::ALL, PageState::as_str)?,
        attempts: row.get("attempts")?,
        due_at: time(row, "due_at")?,
        queued_at: time(row, "queued_at")?,
        next_attempt_at: time(row, "next_attempt_at")?,
        delivered_at: time_or_none(row, "delivered_at")?,
        last_error: row.get("last_error")?,
        receipt: row.get("receipt")?,
    })
}
