//! Incidents in SQLite: one file, one writer, WAL mode, synced on every commit.
//!
//! The one part of Belfry's data that does not go through `Disk`: SQLite brings its own, well-tested, file handling.
//! Simulation opens the same adapter in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use alerting::{
    Acknowledgement, Incident, IncidentId, Instance, Member, Phase, Resolution, ResolveReason,
    RuleState, TimelineKind,
};
use model::{Labels, Timestamp};
use plan::{EscalationLevel, Severity};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::store::*;

/// The version of the schema in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 1;

/// How long a statement waits for another connection (a backup, a person with the sqlite3 shell).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
CREATE TABLE alive (only INTEGER PRIMARY KEY CHECK (only = 1), at INTEGER NOT NULL);
CREATE TABLE instances (
  rule TEXT NOT NULL, labels TEXT NOT NULL, fired_at INTEGER, since INTEGER NOT NULL, value REAL,
  no_data_since INTEGER, no_value_since INTEGER, PRIMARY KEY (rule, labels)
) WITHOUT ROWID;
CREATE TABLE incidents (
  id INTEGER PRIMARY KEY, alert TEXT NOT NULL, severity TEXT NOT NULL, opened_at INTEGER NOT NULL,
  acknowledged_at INTEGER, acknowledged_by TEXT, resolved_at INTEGER, resolve_reason TEXT,
  levels TEXT NOT NULL, levels_told INTEGER NOT NULL
);
CREATE INDEX incidents_open ON incidents (id) WHERE resolved_at IS NULL;
CREATE TABLE members (
  incident INTEGER NOT NULL REFERENCES incidents (id), labels TEXT NOT NULL, value REAL, started_at INTEGER NOT NULL,
  resolved_at INTEGER, no_data INTEGER NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (incident, labels)
) WITHOUT ROWID;
CREATE TABLE timeline (
  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents (id), at INTEGER NOT NULL,
  kind TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX timeline_incident ON timeline (incident, id);
CREATE TABLE pages (
  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents (id), level INTEGER NOT NULL, kind TEXT NOT NULL,
  person TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, queued_at INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL, delivered_at INTEGER, last_error TEXT
);
CREATE INDEX pages_queued ON pages (next_attempt_at) WHERE state = 'queued';
CREATE INDEX pages_incident ON pages (incident, id);
";

/// Incidents in SQLite.
pub struct SqliteIncidents {
    connection: Connection,
}

impl From<rusqlite::Error> for IncidentStoreError {
    fn from(error: rusqlite::Error) -> IncidentStoreError {
        IncidentStoreError(error.to_string())
    }
}

impl SqliteIncidents {
    /// Opens (or makes) the file.
    ///
    /// # Errors
    /// When SQLite cannot open it, or a newer Belfry wrote it: stop and show it to the operator.
    pub fn open(path: &Path) -> Result<SqliteIncidents, IncidentStoreError> {
        SqliteIncidents::prepare(Connection::open(path)?)
    }

    /// A store that lives in memory, for simulation and tests.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn in_memory() -> Result<SqliteIncidents, IncidentStoreError> {
        SqliteIncidents::prepare(Connection::open_in_memory()?)
    }

    fn prepare(connection: Connection) -> Result<SqliteIncidents, IncidentStoreError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // FULL: a page that was decided survives power loss too. Incidents are rare; the sync costs nothing that matters.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match version {
            0 => connection.execute_batch(&format!(
                "BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            ))?,
            SCHEMA_VERSION => {}
            newer => {
                return Err(IncidentStoreError(format!(
                    "the file has schema version {newer}, this Belfry knows {SCHEMA_VERSION}; use a newer Belfry"
                )));
            }
        }
        Ok(SqliteIncidents { connection })
    }
}

impl IncidentStore for SqliteIncidents {
    fn load(&mut self) -> Result<Loaded, IncidentStoreError> {
        let alive: Option<i64> = self
            .connection
            .query_row("SELECT at FROM alive", [], |row| row.get(0))
            .optional()?;
        let evaluated_at = alive.map(Timestamp::from_millis);
        let mut rules: BTreeMap<String, RuleState> = BTreeMap::new();
        let mut statement = self
            .connection
            .prepare("SELECT rule, labels, fired_at, since, value, no_data_since, no_value_since FROM instances")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, labels(row, 1)?, instance(row)?))
        })?;
        for row in rows {
            let (rule, labels, instance) = row?;
            let state = rules.entry(rule).or_default();
            state.evaluated_at = evaluated_at;
            state.instances.insert(labels, instance);
        }
        drop(statement);
        let open = self.incidents(IncidentFilter::Open, usize::MAX)?;
        let next_id = self.connection.query_row(
            "SELECT coalesce(max(id), 0) + 1 FROM incidents",
            [],
            |row| row.get(0),
        )?;
        Ok(Loaded {
            rules,
            open,
            next_id,
        })
    }

    fn touch(&mut self, now: Timestamp) -> Result<(), IncidentStoreError> {
        self.connection.execute(
            "INSERT INTO alive (only, at) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET at = ?1",
            [now.as_millis()],
        )?;
        Ok(())
    }

    fn record(&mut self, change: &Change, now: Timestamp) -> Result<(), IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        if let Some((rule, state)) = &change.rule {
            write_instances(&transaction, rule, state)?;
        }
        for incident in &change.incidents {
            write_incident(&transaction, &incident.incident)?;
            for (kind, text) in &incident.timeline {
                write_timeline(&transaction, incident.incident.id, now, *kind, text)?;
            }
            for page in &incident.pages {
                write_page(&transaction, incident.incident.id, page, now)?;
            }
            if incident.page_resolved {
                write_resolved_pages(&transaction, incident.incident.id, now)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn due_pages(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Page>, IncidentStoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT * FROM pages AS page WHERE state = 'queued' AND next_attempt_at <= ?1
               AND NOT (kind = 'resolved' AND EXISTS (
                 SELECT 1 FROM pages AS earlier WHERE earlier.incident = page.incident AND earlier.person = page.person
                   AND earlier.id < page.id AND earlier.state = 'queued'))
             ORDER BY next_attempt_at, id LIMIT ?2",
        )?;
        let pages = statement.query_map(params![now.as_millis(), limit as i64], page)?;
        Ok(pages.collect::<rusqlite::Result<_>>()?)
    }

    fn queue(&mut self) -> Result<(u64, Option<Timestamp>), IncidentStoreError> {
        let (count, oldest): (i64, Option<i64>) = self.connection.query_row(
            "SELECT count(*), min(queued_at) FROM pages WHERE state = 'queued'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok((count as u64, oldest.map(Timestamp::from_millis)))
    }

    fn record_attempt(
        &mut self,
        page: PageId,
        outcome: &PageOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        let delivered_at = (outcome.state == PageState::Delivered).then_some(now.as_millis());
        transaction.execute(
            "UPDATE pages SET state = ?2, attempts = attempts + 1, next_attempt_at = ?3, delivered_at = ?4, last_error = ?5
             WHERE id = ?1",
            params![page.0, outcome.state.as_str(), outcome.next_attempt_at.as_millis(), delivered_at, outcome.error],
        )?;
        let incident = transaction.query_row(
            "SELECT incident FROM pages WHERE id = ?1",
            [page.0],
            |row| row.get(0),
        )?;
        if let Some((kind, text)) = &outcome.timeline {
            write_timeline(&transaction, IncidentId(incident), now, *kind, text)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn incidents(
        &mut self,
        filter: IncidentFilter,
        limit: usize,
    ) -> Result<Vec<Incident>, IncidentStoreError> {
        let condition = match filter {
            IncidentFilter::Open => "resolved_at IS NULL",
            IncidentFilter::Resolved => "resolved_at IS NOT NULL",
            IncidentFilter::All => "TRUE",
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT * FROM incidents WHERE {condition} ORDER BY id DESC LIMIT ?1"
        ))?;
        let mut incidents = statement
            .query_map([limit], incident)?
            .collect::<rusqlite::Result<Vec<Incident>>>()?;
        for incident in &mut incidents {
            incident.members = members(&self.connection, incident.id)?;
        }
        Ok(incidents)
    }

    fn detail(&mut self, id: IncidentId) -> Result<Option<IncidentDetail>, IncidentStoreError> {
        let found = self
            .connection
            .query_row("SELECT * FROM incidents WHERE id = ?1", [id.0], incident)
            .optional()?;
        let Some(mut incident) = found else {
            return Ok(None);
        };
        incident.members = members(&self.connection, id)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT at, kind, text FROM timeline WHERE incident = ?1 ORDER BY id",
        )?;
        let timeline = statement
            .query_map([id.0], |row| {
                Ok(TimelineEntry {
                    at: time(row, "at")?,
                    kind: row.get("kind")?,
                    text: row.get("text")?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut statement = self
            .connection
            .prepare_cached("SELECT * FROM pages WHERE incident = ?1 ORDER BY id")?;
        let pages = statement
            .query_map([id.0], page)?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(IncidentDetail {
            incident,
            timeline,
            pages,
        }))
    }
}

fn write_instances(
    transaction: &Transaction<'_>,
    rule: &str,
    state: &RuleState,
) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM instances WHERE rule = ?1", [rule])?;
    let mut statement =
        transaction.prepare_cached("INSERT INTO instances VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for (labels, instance) in &state.instances {
        let fired_at = match instance.phase {
            Phase::Pending => None,
            Phase::Firing { fired_at } => Some(fired_at.as_millis()),
        };
        statement.execute(params![
            rule,
            labels_text(labels),
            fired_at,
            instance.since.as_millis(),
            instance.value,
            instance.no_data_since.map(Timestamp::as_millis),
            instance.no_value_since.map(Timestamp::as_millis),
        ])?;
    }
    Ok(())
}

fn write_incident(transaction: &Transaction<'_>, incident: &Incident) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO incidents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET acknowledged_at = ?5, acknowledged_by = ?6, resolved_at = ?7, resolve_reason = ?8,
           levels_told = ?10",
        params![
            incident.id.0,
            incident.alert,
            incident.severity.as_str(),
            incident.opened_at.as_millis(),
            incident.acknowledged.as_ref().map(|acknowledged| acknowledged.at.as_millis()),
            incident.acknowledged.as_ref().map(|acknowledged| acknowledged.by.as_str()),
            incident.resolved.map(|resolved| resolved.at.as_millis()),
            incident.resolved.map(|resolved| resolved.reason.as_str()),
            levels_text(&incident.levels),
            incident.levels_told as i64,
        ],
    )?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO members VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (incident, labels) DO UPDATE SET value = ?3, started_at = ?4, resolved_at = ?5, no_data = ?6, summary = ?7",
    )?;
    for (labels, member) in &incident.members {
        statement.execute(params![
            incident.id.0,
            labels_text(labels),
            member.value,
            member.started_at.as_millis(),
            member.resolved_at.map(Timestamp::as_millis),
            member.no_data,
            member.summary,
        ])?;
    }
    Ok(())
}

fn write_timeline(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    at: Timestamp,
    kind: TimelineKind,
    text: &str,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO timeline (incident, at, kind, text) VALUES (?1, ?2, ?3, ?4)",
        params![incident.0, at.as_millis(), kind.as_str(), text],
    )?;
    Ok(())
}

fn write_page(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    page: &NewPage,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO pages (incident, level, kind, person, channel, state, attempts, queued_at, next_attempt_at)
         VALUES (?1, ?2, 'firing', ?3, ?4, 'queued', 0, ?5, ?5)",
        params![incident.0, page.level as i64, page.person, page.channel, now.as_millis()],
    )?;
    Ok(())
}

/// One "resolved" page for everybody who has a "firing" one, at the lowest level at which they were told.
fn write_resolved_pages(
    transaction: &Transaction<'_>,
    incident: IncidentId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO pages (incident, level, kind, person, channel, state, attempts, queued_at, next_attempt_at)
         SELECT incident, min(level), 'resolved', person, channel, 'queued', 0, ?2, ?2 FROM pages
         WHERE incident = ?1 AND kind = 'firing' GROUP BY person, channel ORDER BY min(id)",
        params![incident.0, now.as_millis()],
    )?;
    Ok(())
}

fn members(connection: &Connection, id: IncidentId) -> rusqlite::Result<BTreeMap<Labels, Member>> {
    let mut statement = connection.prepare_cached("SELECT * FROM members WHERE incident = ?1")?;
    let rows = statement.query_map([id.0], |row| {
        let member = Member {
            value: row.get::<_, Option<f64>>("value")?.unwrap_or(f64::NAN),
            started_at: time(row, "started_at")?,
            resolved_at: time_or_none(row, "resolved_at")?,
            no_data: row.get("no_data")?,
            summary: row.get("summary")?,
        };
        Ok((labels(row, 1)?, member))
    })?;
    rows.collect()
}

fn incident(row: &Row<'_>) -> rusqlite::Result<Incident> {
    let acknowledged_by: Option<String> = row.get("acknowledged_by")?;
    let reason: Option<String> = row.get("resolve_reason")?;
    let acknowledged = time_or_none(row, "acknowledged_at")?.map(|at| Acknowledgement {
        at,
        by: acknowledged_by.unwrap_or_default(),
    });
    let resolved = time_or_none(row, "resolved_at")?.map(|at| Resolution {
        at,
        reason: reason
            .as_deref()
            .and_then(ResolveReason::from_word)
            .unwrap_or(ResolveReason::Recovered),
    });
    let severity: String = row.get("severity")?;
    Ok(Incident {
        id: IncidentId(row.get("id")?),
        alert: row.get("alert")?,
        severity: if severity == Severity::Warning.as_str() {
            Severity::Warning
        } else {
            Severity::Critical
        },
        opened_at: time(row, "opened_at")?,
        acknowledged,
        resolved,
        members: BTreeMap::new(),
        levels: levels_from(&row.get::<_, String>("levels")?),
        levels_told: row.get::<_, i64>("levels_told")? as usize,
    })
}

fn page(row: &Row<'_>) -> rusqlite::Result<Page> {
    let kind: String = row.get("kind")?;
    let state: String = row.get("state")?;
    Ok(Page {
        id: PageId(row.get("id")?),
        incident: IncidentId(row.get("incident")?),
        level: row.get::<_, i64>("level")? as usize,
        kind: if kind == PageKind::Resolved.as_str() {
            PageKind::Resolved
        } else {
            PageKind::Firing
        },
        person: row.get("person")?,
        channel: row.get("channel")?,
        state: match state.as_str() {
            "delivered" => PageState::Delivered,
            "given_up" => PageState::GivenUp,
            _ => PageState::Queued,
        },
        attempts: row.get("attempts")?,
        queued_at: time(row, "queued_at")?,
        next_attempt_at: time(row, "next_attempt_at")?,
        delivered_at: time_or_none(row, "delivered_at")?,
        last_error: row.get("last_error")?,
    })
}

fn instance(row: &Row<'_>) -> rusqlite::Result<Instance> {
    let phase = match time_or_none(row, "fired_at")? {
        Some(fired_at) => Phase::Firing { fired_at },
        None => Phase::Pending,
    };
    Ok(Instance {
        phase,
        since: time(row, "since")?,
        // SQLite has no NaN: it stores none.
        value: row.get::<_, Option<f64>>("value")?.unwrap_or(f64::NAN),
        no_data_since: time_or_none(row, "no_data_since")?,
        no_value_since: time_or_none(row, "no_value_since")?,
    })
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

fn time_or_none(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(Timestamp::from_millis))
}

fn labels(row: &Row<'_>, column: usize) -> rusqlite::Result<Labels> {
    let text: String = row.get(column)?;
    let pairs: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })?;
    Ok(Labels::from_pairs(pairs))
}

fn labels_text(labels: &Labels) -> String {
    let pairs: BTreeMap<&str, &str> = labels.iter().collect();
    serde_json::to_string(&pairs).expect("a map of texts is JSON")
}

fn levels_text(levels: &[EscalationLevel]) -> String {
    let rows: Vec<(u64, &[String])> = levels
        .iter()
        .map(|level| (level.after.as_millis() as u64, level.roles.as_slice()))
        .collect();
    serde_json::to_string(&rows).expect("numbers and texts are JSON")
}

fn levels_from(text: &str) -> Vec<EscalationLevel> {
    let rows: Vec<(u64, Vec<String>)> = serde_json::from_str(text).unwrap_or_default();
    rows.into_iter()
        .map(|(after, roles)| EscalationLevel {
            after: Duration::from_millis(after),
            roles,
        })
        .collect()
}
