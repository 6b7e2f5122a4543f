//! Runs of procedure steps.

use alerting::{IncidentId, TimelineKind};
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::columns::*;
use super::incidents::write_timeline;
use crate::incident::{NewRun, RunId, RunOutcome, RunState, StepRun};

/// Settles what a crash cut off: a step that changes nothing runs again; of another one nobody knows whether it took
/// effect, and running it again is for a person to decide.
pub(super) fn settle(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let mut statement =
        transaction.prepare("SELECT * FROM runs WHERE state = 'running' AND changes")?;
    let cut_off: Vec<StepRun> = statement
        .query_map([], run)?
        .collect::<rusqlite::Result<_>>()?;
    for run in cut_off {
        let text = format!(
            "step {} was cut off by a restart; look whether it took effect: {}",
            run.step + 1,
            run.title
        );
        write_timeline(transaction, run.incident, now, TimelineKind::Step, &text)?;
    }
    transaction.execute(
        "UPDATE runs SET state = 'interrupted', finished_at = ?1, summary = 'cut off by a restart'
         WHERE state = 'running' AND changes",
        [now.as_millis()],
    )?;
    transaction.execute(
        "UPDATE runs SET state = 'queued' WHERE state = 'running'",
        [],
    )?;
    Ok(())
}

pub(super) fn write(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    run: &NewRun,
    now: Timestamp,
) -> rusqlite::Result<RunId> {
    let (state, finished_at) = if run.ticked {
        (RunState::Ticked, Some(now.as_millis()))
    } else {
        (RunState::Queued, None)
    };
    let mut statement = transaction.prepare_cached(
        "INSERT INTO runs (incident, step, title, kind, changes, state, by, queued_at, finished_at, summary, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', '')",
    )?;
    statement.execute(params![
        incident.0,
        run.step as i64,
        run.title,
        run.kind,
        run.changes,
        state.as_str(),
        run.by,
        now.as_millis(),
        finished_at,
    ])?;
    let id = RunId(transaction.last_insert_rowid());
    let number = run.step + 1;
    let text = match (run.ticked, run.by.is_empty()) {
        (true, _) => format!("step {number} done by {}: {}", run.by, run.title),
        (false, false) => format!("step {number} started by {}: {}", run.by, run.title),
        (false, true) => return Ok(id),
    };
    write_timeline(transaction, incident, now, TimelineKind::Step, &text)?;
    Ok(id)
}

/// Whether a step may be queued: it does not wait or run already, and if it changes something it has not run yet.
pub(super) fn may_queue(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    run: &NewRun,
) -> rusqlite::Result<bool> {
    let hindered = if run.changes && !run.ticked {
        "state IN ('queued', 'running', 'done')"
    } else {
        "state IN ('queued', 'running')"
    };
    let found: Option<i64> = transaction
        .query_row(
            &format!(
                "SELECT id FROM runs WHERE incident = ?1 AND step = ?2 AND {hindered} LIMIT 1"
            ),
            params![incident.0, run.step as i64],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found.is_none())
}

pub(super) fn queued(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<StepRun>> {
    let mut statement = connection
        .prepare_cached("SELECT * FROM runs WHERE state = 'queued' ORDER BY id LIMIT ?1")?;
    let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], run)?;
    rows.collect()
}

pub(super) fn start(connection: &Connection, id: RunId, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE runs SET state = 'running', started_at = ?2 WHERE id = ?1",
        params![id.0, now.as_millis()],
    )?;
    Ok(())
}

pub(super) fn finish(
    transaction: &Transaction<'_>,
    id: RunId,
    outcome: &RunOutcome,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE runs SET state = ?2, finished_at = ?3, summary = ?4, detail = ?5 WHERE id = ?1",
        params![
            id.0,
            outcome.state.as_str(),
            now.as_millis(),
            outcome.summary,
            outcome.detail
        ],
    )?;
    if let Some((kind, text)) = &outcome.timeline {
        let incident: i64 =
            transaction.query_row("SELECT incident FROM runs WHERE id = ?1", [id.0], |row| {
                row.get(0)
            })?;
        write_timeline(transaction, IncidentId(incident), now, *kind, text)?;
    }
    Ok(())
}

pub(super) fn of_incident(
    connection: &Connection,
    incident: IncidentId,
) -> rusqlite::Result<Vec<StepRun>> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM runs WHERE incident = ?1 ORDER BY id")?;
    let rows = statement.query_map([incident.0], run)?;
    rows.collect()
}

fn run(row: &Row<'_>) -> rusqlite::Result<StepRun> {
    Ok(StepRun {
        id: RunId(row.get("id")?),
        incident: incident_id(row)?,
        step: number(row, "step")?,
        title: row.get("title")?,
        kind: row.get("kind")?,
        changes: row.get("changes")?,
        state: word(row, "state", &RunState::ALL, RunState::as_str)?,
        by: row.get("by")?,
        queued_at: time(row, "queued_at")?,
        started_at: time_or_none(row, "started_at")?,
        finished_at: time_or_none(row, "finished_at")?,
        summary: row.get("summary")?,
        detail: row.get("detail")?,
    })
}
