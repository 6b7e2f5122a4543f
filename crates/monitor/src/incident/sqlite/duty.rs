//! What people decided and what other programs said: silences, exceptions to rotas, deployments, heartbeats.

use alerting::Silence;
use jiff::Timestamp as Instant;
use model::Timestamp;
use plan::RotaOverride;
use rusqlite::{Connection, Row, Transaction, params};

use super::columns::*;
use crate::incident::{Deployment, StoredHeartbeat, StoredOverride};

pub(super) fn silences(
    connection: &Connection,
    ended_after: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Silence>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM silences WHERE ends_at >= ?1 ORDER BY updated_at DESC, id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![ended_after.as_millis(), limit], |row| {
        Ok(Silence {
            id: row.get("id")?,
            matchers: matchers(row)?,
            starts_at: time(row, "starts_at")?,
            ends_at: time(row, "ends_at")?,
            author: row.get("author")?,
            reason: row.get("reason")?,
            updated_at: time(row, "updated_at")?,
        })
    })?;
    rows.collect()
}

pub(super) fn put_silence(connection: &Connection, silence: &Silence) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO silences (id, matchers, starts_at, ends_at, author, reason, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            silence.id,
            matchers_text(&silence.matchers),
            silence.starts_at.as_millis(),
            silence.ends_at.as_millis(),
            silence.author,
            silence.reason,
            silence.updated_at.as_millis(),
        ],
    )?;
    Ok(())
}

pub(super) fn overrides(
    connection: &Connection,
    now: Timestamp,
) -> rusqlite::Result<Vec<StoredOverride>> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM overrides WHERE until_at > ?1 ORDER BY id")?;
    let rows = statement.query_map([now.as_millis()], |row| {
        Ok(StoredOverride {
            id: row.get("id")?,
            rota: row.get("rota")?,
            turn: RotaOverride {
                person: row.get("person")?,
                from: instant(row, "from_at")?,
                until: instant(row, "until_at")?,
            },
            by: row.get("by")?,
            reason: row.get("reason")?,
        })
    })?;
    rows.collect()
}

pub(super) fn put_override(
    connection: &Connection,
    added: &StoredOverride,
) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO overrides (rota, person, from_at, until_at, by, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            added.rota,
            added.turn.person,
            added.turn.from.as_millisecond(),
            added.turn.until.as_millisecond(),
            added.by,
            added.reason,
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn end_override(
    connection: &Connection,
    id: i64,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let changed = connection.execute(
        "UPDATE overrides SET until_at = max(from_at, ?2) WHERE id = ?1 AND until_at > ?2",
        params![id, at.as_millis()],
    )?;
    Ok(changed > 0)
}

pub(super) fn put_deployment(
    connection: &Connection,
    deployment: &Deployment,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO deployments (at, service, instance, version, by, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            deployment.at.as_millis(),
            deployment.service,
            deployment.instance,
            deployment.version,
            deployment.by,
            deployment.note,
        ],
    )?;
    Ok(())
}

pub(super) fn deployments(
    connection: &Connection,
    from: Timestamp,
    until: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Deployment>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM deployments WHERE at >= ?1 AND at <= ?2 ORDER BY at DESC, id DESC LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![from.as_millis(), until.as_millis(), limit], |row| {
        Ok(Deployment {
            at: time(row, "at")?,
            service: row.get("service")?,
            instance: row.get("instance")?,
            version: row.get("version")?,
            by: row.get("by")?,
            note: row.get("note")?,
        })
    })?;
    rows.collect()
}

pub(super) fn expect_heartbeats(
    transaction: &Transaction<'_>,
    names: &[String],
    now: Timestamp,
) -> rusqlite::Result<Vec<StoredHeartbeat>> {
    transaction.execute(
        "DELETE FROM heartbeats WHERE name NOT IN (SELECT value FROM json_each(?1))",
        [json_text(&names)],
    )?;
    for name in names {
        transaction.execute(
            "INSERT OR IGNORE INTO heartbeats (name, expected_since) VALUES (?1, ?2)",
            params![name, now.as_millis()],
        )?;
    }
    let mut statement = transaction.prepare("SELECT * FROM heartbeats ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        Ok(StoredHeartbeat {
            name: row.get("name")?,
            expected_since: time(row, "expected_since")?,
            last_at: time_or_none(row, "last_at")?,
        })
    })?;
    rows.collect()
}

pub(super) fn beat(connection: &Connection, name: &str, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE heartbeats SET last_at = ?2 WHERE name = ?1",
        params![name, now.as_millis()],
    )?;
    Ok(())
}

/// Times outside of the calendar become its ends.
fn instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Instant> {
    let millis: i64 = row.get(column)?;
    let end = if millis < 0 {
        Instant::MIN
    } else {
        Instant::MAX
    };
    Ok(Instant::from_millisecond(millis).unwrap_or(end))
}
