//! The tables, and how an older file becomes a newer one. Each version is a step that runs once, in a transaction with
//! the mark that it ran.

use std::collections::BTreeMap;

use model::Labels;
use rusqlite::{Connection, Transaction, params};

use super::columns::{labels, labels_text};
use crate::incident::IncidentStoreError;

/// The version of the schema in `PRAGMA user_version`.
const VERSION: i64 = 3;

const VERSION_1: &str = "
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

/// Grouping, holds, the ladder's own clock, reasons and receipts of pages, procedures, history, silences, overrides,
/// deployments, heartbeats. Pages of version 1 have one reason for each kind; a group of version 1 is an alert's name.
const VERSION_2: &str = "
ALTER TABLE instances ADD COLUMN calm_since INTEGER;
ALTER TABLE incidents ADD COLUMN group_key TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN procedure TEXT;
ALTER TABLE incidents ADD COLUMN acknowledgement_expires_ms INTEGER;
ALTER TABLE incidents ADD COLUMN page_interval_ms INTEGER NOT NULL DEFAULT 300000;
ALTER TABLE incidents ADD COLUMN acknowledged_until INTEGER;
ALTER TABLE incidents ADD COLUMN first_acknowledged_at INTEGER;
ALTER TABLE incidents ADD COLUMN held_kind TEXT;
ALTER TABLE incidents ADD COLUMN held_id TEXT;
ALTER TABLE incidents ADD COLUMN held_why TEXT;
ALTER TABLE incidents ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN shift_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN resting_since INTEGER;
ALTER TABLE incidents ADD COLUMN paged_at INTEGER;
ALTER TABLE incidents ADD COLUMN joined INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN merged_groups TEXT NOT NULL DEFAULT '[]';
UPDATE incidents SET group_key = alert, first_acknowledged_at = acknowledged_at,
  resting_since = acknowledged_at WHERE TRUE;
ALTER TABLE members ADD COLUMN expires_at INTEGER;
ALTER TABLE members ADD COLUMN annotations TEXT;
ALTER TABLE members ADD COLUMN generator_url TEXT;
ALTER TABLE pages ADD COLUMN root INTEGER;
ALTER TABLE pages ADD COLUMN reason TEXT NOT NULL DEFAULT 'escalation';
ALTER TABLE pages ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pages ADD COLUMN urgent INTEGER NOT NULL DEFAULT 1;
ALTER TABLE pages ADD COLUMN summary INTEGER;
ALTER TABLE pages ADD COLUMN receipt TEXT;
UPDATE pages SET root = id, due_at = queued_at, reason = CASE kind WHEN 'resolved' THEN 'resolved' ELSE 'escalation' END;
ALTER TABLE pages DROP COLUMN kind;
CREATE INDEX pages_summary ON pages (person, summary) WHERE state = 'in_summary';
CREATE INDEX pages_root ON pages (root);
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY, page INTEGER NOT NULL REFERENCES pages (id), at INTEGER NOT NULL, took_ms INTEGER NOT NULL,
  error TEXT, receipt TEXT
);
CREATE INDEX attempts_page ON attempts (page);
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents (id), step INTEGER NOT NULL, title TEXT NOT NULL,
  kind TEXT NOT NULL, changes INTEGER NOT NULL, state TEXT NOT NULL, by TEXT NOT NULL, queued_at INTEGER NOT NULL,
  started_at INTEGER, finished_at INTEGER, summary TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX runs_queued ON runs (id) WHERE state IN ('queued', 'running');
CREATE INDEX runs_incident ON runs (incident, id);
CREATE TABLE history (
  id INTEGER PRIMARY KEY, rule TEXT NOT NULL, labels TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, value REAL,
  why TEXT NOT NULL
);
CREATE INDEX history_rule ON history (rule, at);
CREATE INDEX history_at ON history (at);
CREATE TABLE silences (
  id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE overrides (
  id INTEGER PRIMARY KEY, rota TEXT NOT NULL, person TEXT NOT NULL, from_at INTEGER NOT NULL, until_at INTEGER NOT NULL,
  by TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE deployments (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, service TEXT NOT NULL, instance TEXT NOT NULL, version TEXT NOT NULL,
  by TEXT NOT NULL, note TEXT NOT NULL
);
CREATE INDEX deployments_at ON deployments (at);
CREATE TABLE heartbeats (
  name TEXT PRIMARY KEY, expected_since INTEGER NOT NULL, last_at INTEGER
) WITHOUT ROWID;
";

/// Drills.
const VERSION_3: &str = "
ALTER TABLE incidents ADD COLUMN drill TEXT;
CREATE TABLE drills (
  id INTEGER PRIMARY KEY, alert TEXT NOT NULL, mode TEXT NOT NULL, pages TEXT NOT NULL, by TEXT NOT NULL,
  asked_at INTEGER NOT NULL, state TEXT NOT NULL, ended_at INTEGER, outcome TEXT, reason TEXT NOT NULL, incident INTEGER,
  end_request TEXT, calm_within_ms INTEGER NOT NULL, steps TEXT NOT NULL
);
CREATE INDEX drills_open ON drills (id) WHERE state <> 'done';
CREATE INDEX drills_alert ON drills (alert, id);
";

/// Brings a file to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), IncidentStoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > VERSION {
        return Err(IncidentStoreError(format!(
            "the file has schema version {found}, this Belfry knows {VERSION}; use a newer Belfry"
        )));
    }
    for version in found + 1..=VERSION {
        let transaction = connection.transaction()?;
        match version {
            1 => transaction.execute_batch(VERSION_1)?,
            2 => {
                transaction.execute_batch(VERSION_2)?;
                name_members(&transaction)?;
            }
            _ => transaction.execute_batch(VERSION_3)?,
        }
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// In version 1 the alerts of an incident were known by the labels of their series alone; from version 2 on the alert's
/// name and severity are among them.
fn name_members(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare(
        "SELECT incident, labels, alert, severity FROM members JOIN incidents ON incidents.id = incident",
    )?;
    let rows: Vec<(i64, Labels, String, String)> = statement
        .query_map([], |row| {
            Ok((row.get(0)?, labels(row, 1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (incident, old, alert, severity) in rows {
        let mut pairs: BTreeMap<&str, &str> = old.iter().collect();
        pairs.insert("alertname", &alert);
        pairs.insert("severity", &severity);
        transaction.execute(
            "UPDATE members SET labels = ?3 WHERE incident = ?1 AND labels = ?2",
            params![
                incident,
                labels_text(&old),
                labels_text(&Labels::from_pairs(pairs))
            ],
        )?;
    }
    Ok(())
}

/// A file as version 1 made it, for the test that such a file opens.
#[cfg(test)]
pub(super) fn version_1() -> String {
    format!("{VERSION_1} PRAGMA user_version = 1;")
}

/// A file as version 2 made it, likewise.
#[cfg(test)]
pub(super) fn version_2() -> String {
    format!("{VERSION_1} {VERSION_2} PRAGMA user_version = 2;")
}
