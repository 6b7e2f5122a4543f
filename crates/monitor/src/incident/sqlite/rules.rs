//! Rule instances, so that `for` and firing survive a restart, and the history of what became of them.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::{Instance, Phase, RuleState, TransitionKind};
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::columns::*;
use crate::incident::{HistoryEntry, HistoryFilter, RuleChange};

/// How far back firings tell that an alert flaps.
const FIRINGS_WITHIN: Duration = Duration::from_secs(60 * 60);

pub(super) fn read(
    connection: &Connection,
    now: Timestamp,
) -> rusqlite::Result<BTreeMap<String, RuleState>> {
    let alive: Option<i64> = connection
        .query_row("SELECT at FROM alive", [], |row| row.get(0))
        .optional()?;
    let evaluated_at = alive.map(Timestamp::from_millis);
    let mut rules: BTreeMap<String, RuleState> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT * FROM instances")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let state = rules.entry(row.get("rule")?).or_default();
        state.evaluated_at = evaluated_at;
        let labels = labels(row, row.as_ref().column_index("labels")?)?;
        state.instances.insert(labels, instance(row)?);
    }
    let mut statement = connection
        .prepare("SELECT rule, labels, at FROM history WHERE kind = ?1 AND at > ?2 ORDER BY id")?;
    let mut rows = statement.query(params![
        TransitionKind::Fired.as_str(),
        (now - FIRINGS_WITHIN).as_millis()
    ])?;
    while let Some(row) = rows.next()? {
        let state = rules.entry(row.get("rule")?).or_default();
        let fired = state.fired.entry(labels(row, 1)?).or_default();
        fired.push(time(row, "at")?);
    }
    Ok(rules)
}

pub(super) fn write(transaction: &Transaction<'_>, change: &RuleChange) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM instances WHERE rule = ?1", [&change.name])?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO instances (rule, labels, fired_at, since, value, no_data_since, no_value_since, calm_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (labels, instance) in &change.state.instances {
        let fired_at = match instance.phase {
            Phase::Pending => None,
            Phase::Firing { fired_at } => Some(fired_at.as_millis()),
        };
        statement.execute(params![
            change.name,
            labels_text(labels),
            fired_at,
            instance.since.as_millis(),
            instance.value,
            instance.no_data_since.map(Timestamp::as_millis),
            instance.no_value_since.map(Timestamp::as_millis),
            instance.calm_since.map(Timestamp::as_millis),
        ])?;
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO history (rule, labels, at, kind, value, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for entry in &change.history {
        statement.execute(params![
            entry.rule,
            labels_text(&entry.labels),
            entry.at.as_millis(),
            entry.kind,
            entry.value,
            entry.why,
        ])?;
    }
    Ok(())
}

pub(super) fn history(
    connection: &Connection,
    filter: &HistoryFilter,
) -> rusqlite::Result<Vec<HistoryEntry>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM history WHERE (?1 IS NULL OR rule = ?1) AND at >= ?2 AND at <= ?3 ORDER BY id DESC LIMIT ?4",
    )?;
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(
        params![
            filter.rule,
            filter.from.as_millis(),
            filter.until.as_millis(),
            limit
        ],
        |row| {
            Ok(HistoryEntry {
                rule: row.get("rule")?,
                labels: labels(row, row.as_ref().column_index("labels")?)?,
                at: time(row, "at")?,
                kind: row.get("kind")?,
                value: value(row)?,
                why: row.get("why")?,
            })
        },
    )?;
    rows.collect()
}

fn instance(row: &Row<'_>) -> rusqlite::Result<Instance> {
    let phase = match time_or_none(row, "fired_at")? {
        Some(fired_at) => Phase::Firing { fired_at },
        None => Phase::Pending,
    };
    Ok(Instance {
        phase,
        since: time(row, "since")?,
        value: value(row)?,
        no_data_since: time_or_none(row, "no_data_since")?,
        no_value_since: time_or_none(row, "no_value_since")?,
        calm_since: time_or_none(row, "calm_since")?,
    })
}
