//! The ledger of drills.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::{DrillPages, IncidentId};
use model::Timestamp;
use plan::{RequestStep, SecretSource};
use rusqlite::{Connection, Row, params};

use super::columns::*;
use crate::incident::{Drill, DrillId, DrillMode, DrillOutcome, DrillState, DrillStep};

/// A step as it is stored: what, promised, observed, outcome, text.
type StepRow = (String, Option<i64>, Option<i64>, String, String);

/// A request as it is stored: method, address, body, and the file or variable of its token.
type RequestRow = (String, String, String, (Option<String>, Option<String>));

pub(super) fn add(connection: &Connection, drill: &Drill) -> rusqlite::Result<DrillId> {
    write(connection, None, drill)?;
    Ok(DrillId(connection.last_insert_rowid()))
}

pub(super) fn put(connection: &Connection, drill: &Drill) -> rusqlite::Result<()> {
    write(connection, Some(drill.id.0), drill)
}

fn write(connection: &Connection, id: Option<i64>, drill: &Drill) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO drills (id, alert, mode, pages, by, asked_at, state, ended_at, outcome, reason, incident,
           end_request, calm_within_ms, steps)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    statement.execute(params![
        id,
        drill.alert,
        drill.mode.as_str(),
        drill.pages.as_str(),
        drill.by,
        drill.asked_at.as_millis(),
        drill.state.as_str(),
        drill.ended_at.map(Timestamp::as_millis),
        drill.outcome.map(DrillOutcome::as_str),
        drill.reason,
        drill.incident.map(|id| id.0),
        drill.end.as_ref().map(request_text),
        i64::try_from(drill.calm_within.as_millis()).unwrap_or(i64::MAX),
        steps_text(&drill.steps),
    ])?;
    Ok(())
}

pub(super) fn read_one(connection: &Connection, id: DrillId) -> rusqlite::Result<Option<Drill>> {
    let mut statement = connection.prepare_cached("SELECT * FROM drills WHERE id = ?1")?;
    let mut rows = statement.query_map([id.0], drill)?;
    rows.next().transpose()
}

pub(super) fn read(
    connection: &Connection,
    alert: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<Drill>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM drills WHERE ?1 IS NULL OR alert = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![alert, limit], drill)?;
    rows.collect()
}

pub(super) fn open(connection: &Connection) -> rusqlite::Result<Vec<Drill>> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM drills WHERE state <> 'done' ORDER BY id")?;
    let rows = statement.query_map([], drill)?;
    rows.collect()
}

pub(super) fn passed(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Timestamp>> {
    let mut statement = connection.prepare_cached(
        "SELECT alert, max(ended_at) FROM drills WHERE outcome = 'passed' GROUP BY alert",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?)))
    })?;
    rows.collect()
}

fn drill(row: &Row<'_>) -> rusqlite::Result<Drill> {
    let has_outcome = row.get::<_, Option<String>>("outcome")?.is_some();
    let outcome = has_outcome
        .then(|| word(row, "outcome", &DrillOutcome::ALL, DrillOutcome::as_str))
        .transpose()?;
    Ok(Drill {
        id: DrillId(row.get("id")?),
        alert: row.get("alert")?,
        mode: word(row, "mode", &DrillMode::ALL, DrillMode::as_str)?,
        pages: word(row, "pages", &DrillPages::ALL, DrillPages::as_str)?,
        by: row.get("by")?,
        asked_at: time(row, "asked_at")?,
        state: word(row, "state", &DrillState::ALL, DrillState::as_str)?,
        ended_at: time_or_none(row, "ended_at")?,
        outcome,
        reason: row.get("reason")?,
        incident: row.get::<_, Option<i64>>("incident")?.map(IncidentId),
        end: request(row)?,
        calm_within: Duration::from_millis(row.get::<_, i64>("calm_within_ms")?.unsigned_abs()),
        steps: steps(row)?,
    })
}

fn request_text(request: &RequestStep) -> String {
    let token = match &request.token {
        None => (None, None),
        Some(SecretSource::File(path)) => (Some(path), None),
        Some(SecretSource::Environment(name)) => (None, Some(name)),
    };
    json_text(&(&request.method, &request.url, &request.body, token))
}

fn request(row: &Row<'_>) -> rusqlite::Result<Option<RequestStep>> {
    if row.get::<_, Option<String>>("end_request")?.is_none() {
        return Ok(None);
    }
    let (method, url, body, (file, variable)): RequestRow = json(row, "end_request")?;
    let variable = variable.map(SecretSource::Environment);
    Ok(Some(RequestStep {
        method,
        url,
        body,
        token: file.map(SecretSource::File).or(variable),
    }))
}

fn steps_text(steps: &[DrillStep]) -> String {
    let rows: Vec<StepRow> = steps
        .iter()
        .map(|step| {
            (
                step.what.clone(),
                step.promised_ms,
                step.observed_ms,
                step.outcome.as_str().to_owned(),
                step.text.clone(),
            )
        })
        .collect();
    json_text(&rows)
}

fn steps(row: &Row<'_>) -> rusqlite::Result<Vec<DrillStep>> {
    let rows: Vec<StepRow> = json(row, "steps")?;
    let known = |written: &str| {
        let mut outcomes = DrillOutcome::ALL.into_iter();
        let found = outcomes.find(|outcome| outcome.as_str() == written);
        // A word that a newer Belfry wrote: what was not understood did not pass.
        found.unwrap_or(DrillOutcome::Failed)
    };
    let step = |(what, promised_ms, observed_ms, outcome, text): StepRow| DrillStep {
        what,
        promised_ms,
        observed_ms,
        outcome: known(&outcome),
        text,
    };
    Ok(rows.into_iter().map(step).collect())
}
