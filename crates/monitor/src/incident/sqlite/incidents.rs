//! Incidents, their alerts and their timelines.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alerting::{
    Acknowledgement, DrillPages, ForeignAlert, Hold, HoldKind, Incident, IncidentHead, IncidentId,
    Member, Resolution, ResolveReason, TimelineKind,
};
use model::{Labels, Timestamp};
use plan::{EscalationLevel, Severity};
use rusqlite::{Connection, Row, Transaction, params};

use super::columns::*;
use crate::incident::{DRILL_SINK, IncidentChange, IncidentFilter, TimelineEntry};

pub(super) fn write(
    transaction: &Transaction<'_>,
    change: &IncidentChange,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let incident = &change.incident;
    write_row(transaction, incident)?;
    for labels in &change.touched {
        if let Some(member) = incident.members.get(labels) {
            write_member(transaction, incident.id(), labels, member)?;
        }
    }
    for (kind, text) in &change.timeline {
        write_timeline(transaction, incident.id(), now, *kind, text)?;
    }
    Ok(())
}

fn write_row(transaction: &Transaction<'_>, incident: &Incident) -> rusqlite::Result<()> {
    let head = &incident.head;
    let acknowledged = incident.acknowledged.as_ref();
    let resolved = incident.resolved.as_ref();
    let held = incident.held.as_ref();
    let mut statement = transaction.prepare_cached(
        "INSERT INTO incidents (id, alert, severity, opened_at, levels, group_key, procedure, acknowledgement_expires_ms,
           page_interval_ms, acknowledged_at, acknowledged_by, acknowledged_until, first_acknowledged_at, resolved_at,
           resolve_reason, held_kind, held_id, held_why, left_out, levels_told, shift_ms, resting_since, paged_at, joined,
           merged_groups, drill)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
           ?24, ?25, ?26)
         ON CONFLICT (id) DO UPDATE SET acknowledged_at = ?10, acknowledged_by = ?11, acknowledged_until = ?12,
           first_acknowledged_at = ?13, resolved_at = ?14, resolve_reason = ?15, held_kind = ?16, held_id = ?17,
           held_why = ?18, left_out = ?19, levels_told = ?20, shift_ms = ?21, resting_since = ?22, paged_at = ?23,
           joined = ?24, merged_groups = ?25, drill = ?26",
    )?;
    statement.execute(params![
        head.id.0,
        head.title,
        head.severity.as_str(),
        head.opened_at.as_millis(),
        levels_text(&head.levels),
        head.group,
        head.procedure,
        head.acknowledgement_expires.map(millis),
        millis(head.page_interval),
        acknowledged.map(|own| own.at.as_millis()),
        acknowledged.map(|own| own.by.as_str()),
        acknowledged.and_then(|own| own.until.map(Timestamp::as_millis)),
        incident.first_acknowledged_at.map(Timestamp::as_millis),
        resolved.map(|own| own.at.as_millis()),
        resolved.map(|own| own.reason.as_str()),
        held.map(|own| own.kind.as_str()),
        held.map(|own| own.id.as_str()),
        held.map(|own| own.why.as_str()),
        incident.left_out as i64,
        incident.levels_told as i64,
        incident.shift_ms,
        incident.resting_since.map(Timestamp::as_millis),
        incident.paged_at.map(Timestamp::as_millis),
        incident.joined,
        json_text(&incident.merged_groups),
        incident.drill.map(DrillPages::as_str),
    ])?;
    Ok(())
}

fn write_member(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    labels: &Labels,
    member: &Member,
) -> rusqlite::Result<()> {
    let foreign = member.foreign.as_ref();
    let mut statement = transaction.prepare_cached(
        "INSERT INTO members (incident, labels, value, started_at, resolved_at, no_data, summary, expires_at, annotations,
           generator_url)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (incident, labels) DO UPDATE SET value = ?3, started_at = ?4, resolved_at = ?5, no_data = ?6,
           summary = ?7, expires_at = ?8, annotations = ?9, generator_url = ?10",
    )?;
    statement.execute(params![
        incident.0,
        labels_text(labels),
        member.value,
        member.started_at.as_millis(),
        member.resolved_at.map(Timestamp::as_millis),
        member.no_data,
        member.summary,
        foreign.map(|own| own.expires_at.as_millis()),
        foreign.map(|own| json_text(&own.annotations)),
        foreign.map(|own| own.generator_url.as_str()),
    ])?;
    Ok(())
}

pub(super) fn write_timeline(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    at: Timestamp,
    kind: TimelineKind,
    text: &str,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO timeline (incident, at, kind, text) VALUES (?1, ?2, ?3, ?4)",
    )?;
    statement.execute(params![incident.0, at.as_millis(), kind.as_str(), text])?;
    Ok(())
}

/// Incidents, the newest first.
pub(super) fn read(
    connection: &Connection,
    filter: IncidentFilter,
    limit: usize,
) -> rusqlite::Result<Vec<Incident>> {
    let (from, until) = match filter {
        IncidentFilter::OpenedWithin(from, until) => (from, until),
        IncidentFilter::Open | IncidentFilter::Resolved | IncidentFilter::All => {
            (Timestamp::MIN, Timestamp::MAX)
        }
    };
    let condition = match filter {
        IncidentFilter::Open => "resolved_at IS NULL",
        IncidentFilter::Resolved => "resolved_at IS NOT NULL",
        IncidentFilter::All | IncidentFilter::OpenedWithin(..) => "TRUE",
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT * FROM incidents WHERE {condition} AND opened_at >= ?2 AND opened_at < ?3 ORDER BY id DESC LIMIT ?1"
    ))?;
    let rows = statement.query_map(
        params![limit, from.as_millis(), until.as_millis()],
        incident,
    )?;
    let mut incidents = rows.collect::<rusqlite::Result<Vec<Incident>>>()?;
    for incident in &mut incidents {
        complete(connection, incident)?;
    }
    Ok(incidents)
}

/// One incident.
pub(super) fn read_one(
    connection: &Connection,
    id: IncidentId,
) -> rusqlite::Result<Option<Incident>> {
    let mut statement = connection.prepare_cached("SELECT * FROM incidents WHERE id = ?1")?;
    let mut rows = statement.query_map([id.0], incident)?;
    let Some(found) = rows.next() else {
        return Ok(None);
    };
    let mut incident = found?;
    complete(connection, &mut incident)?;
    Ok(Some(incident))
}

pub(super) fn timeline(
    connection: &Connection,
    id: IncidentId,
) -> rusqlite::Result<Vec<TimelineEntry>> {
    let mut statement = connection
        .prepare_cached("SELECT at, kind, text FROM timeline WHERE incident = ?1 ORDER BY id")?;
    let rows = statement.query_map([id.0], |row| {
        Ok(TimelineEntry {
            at: time(row, "at")?,
            kind: row.get("kind")?,
            text: row.get("text")?,
        })
    })?;
    rows.collect()
}

/// What stands in other tables: its alerts, and who was told.
fn complete(connection: &Connection, incident: &mut Incident) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT person, min(level) FROM pages WHERE incident = ?1 AND reason <> 'resolved' AND reason <> 'summary'
         AND (channel <> ?2 OR ?3) GROUP BY person",
    )?;
    // What a sink took as a drill told nobody of what the drill became.
    let asked = params![incident.id().0, DRILL_SINK, incident.drill.is_some()];
    let told = statement.query_map(asked, |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as usize))
    })?;
    incident.told = told.collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare_cached("SELECT * FROM members WHERE incident = ?1")?;
    let members = statement.query_map([incident.id().0], member)?;
    incident.members = members.collect::<rusqlite::Result<_>>()?;
    Ok(())
}

fn incident(row: &Row<'_>) -> rusqlite::Result<Incident> {
    let head = IncidentHead {
        id: IncidentId(row.get("id")?),
        title: row.get("alert")?,
        group: row.get("group_key")?,
        severity: word(
            row,
            "severity",
            &[Severity::Warning, Severity::Critical],
            Severity::as_str,
        )?,
        opened_at: time(row, "opened_at")?,
        levels: levels(row)?,
        acknowledgement_expires: length_or_none(row, "acknowledgement_expires_ms")?,
        page_interval: length_or_none(row, "page_interval_ms")?.unwrap_or_default(),
        procedure: row.get("procedure")?,
    };
    let mut incident = Incident::new(head);
    let by: Option<String> = row.get("acknowledged_by")?;
    let until = time_or_none(row, "acknowledged_until")?;
    incident.acknowledged = time_or_none(row, "acknowledged_at")?.map(|at| Acknowledgement {
        at,
        by: by.unwrap_or_default(),
        until,
    });
    incident.first_acknowledged_at = time_or_none(row, "first_acknowledged_at")?;
    incident.resolved = match time_or_none(row, "resolved_at")? {
        None => None,
        Some(at) => Some(Resolution {
            at,
            reason: word(
                row,
                "resolve_reason",
                &ResolveReason::ALL,
                ResolveReason::as_str,
            )?,
        }),
    };
    let held: Option<String> = row.get("held_kind")?;
    incident.held = match held.as_deref().and_then(HoldKind::from_word) {
        None => None,
        Some(kind) => Some(Hold {
            kind,
            id: row.get("held_id")?,
            why: row.get("held_why")?,
        }),
    };
    incident.left_out = row.get::<_, i64>("left_out")?.max(0) as u64;
    incident.levels_told = number(row, "levels_told")?;
    incident.shift_ms = row.get("shift_ms")?;
    incident.resting_since = time_or_none(row, "resting_since")?;
    incident.paged_at = time_or_none(row, "paged_at")?;
    incident.joined = row.get("joined")?;
    incident.merged_groups = json::<BTreeSet<String>>(row, "merged_groups")?;
    let drill: Option<String> = row.get("drill")?;
    if drill.is_some() {
        let pages = word(row, "drill", &DrillPages::ALL, DrillPages::as_str)?;
        incident.drill = Some(pages);
    }
    Ok(incident)
}

fn member(row: &Row<'_>) -> rusqlite::Result<(Labels, Member)> {
    let foreign = match time_or_none(row, "expires_at")? {
        None => None,
        Some(expires_at) => Some(ForeignAlert {
            expires_at,
            annotations: json::<BTreeMap<String, String>>(row, "annotations")?,
            generator_url: row.get("generator_url")?,
        }),
    };
    let member = Member {
        value: value(row)?,
        started_at: time(row, "started_at")?,
        resolved_at: time_or_none(row, "resolved_at")?,
        no_data: row.get("no_data")?,
        summary: row.get("summary")?,
        foreign,
    };
    Ok((labels(row, row.as_ref().column_index("labels")?)?, member))
}

fn levels_text(levels: &[EscalationLevel]) -> String {
    let rows: Vec<(i64, &[String])> = levels
        .iter()
        .map(|level| (millis(level.after), level.roles.as_slice()))
        .collect();
    json_text(&rows)
}

fn levels(row: &Row<'_>) -> rusqlite::Result<Vec<EscalationLevel>> {
    let rows: Vec<(u64, Vec<String>)> = json(row, "levels")?;
    let level = |(after, roles)| EscalationLevel {
        after: Duration::from_millis(after),
        roles,
    };
    Ok(rows.into_iter().map(level).collect())
}

fn length_or_none(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Duration>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(|millis| Duration::from_millis(millis.max(0) as u64)))
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
