//! Between columns and our own types.

use std::collections::BTreeMap;

use alerting::IncidentId;
use model::{Labels, MatchOp, Matcher, Timestamp};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(super) fn time_or_none(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(Timestamp::from_millis))
}

pub(super) fn incident_id(row: &Row<'_>) -> rusqlite::Result<IncidentId> {
    row.get("incident").map(IncidentId)
}

pub(super) fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<usize> {
    row.get::<_, i64>(column)
        .map(|number| usize::try_from(number).unwrap_or(0))
}

/// SQLite has no NaN: it stores none.
pub(super) fn value(row: &Row<'_>) -> rusqlite::Result<f64> {
    Ok(row.get::<_, Option<f64>>("value")?.unwrap_or(f64::NAN))
}

/// One of several words; a word that a newer Belfry wrote is an error, not a guess.
pub(super) fn word<T: Copy>(
    row: &Row<'_>,
    column: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let written: String = row.get(column)?;
    all.iter()
        .copied()
        .find(|known| as_str(*known) == written)
        .ok_or_else(|| {
            let index = row.as_ref().column_index(column).unwrap_or(0);
            unreadable(index, format!("`{written}` is no {column}").into())
        })
}

pub(super) fn labels(row: &Row<'_>, column: usize) -> rusqlite::Result<Labels> {
    let text: String = row.get(column)?;
    let pairs: BTreeMap<String, String> = from_json(&text, column)?;
    Ok(Labels::from_pairs(pairs))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let index = row.as_ref().column_index(column)?;
    let text: String = row.get(index)?;
    from_json(&text, index)
}

pub(super) fn labels_text(labels: &Labels) -> String {
    let pairs: BTreeMap<&str, &str> = labels.iter().collect();
    json_text(&pairs)
}

pub(super) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers, lists and maps of texts are JSON")
}

pub(super) fn matchers_text(matchers: &[Matcher]) -> String {
    let rows: Vec<(&str, &str, &str)> = matchers
        .iter()
        .map(|matcher| (matcher.name(), matcher.op().as_str(), matcher.value()))
        .collect();
    json_text(&rows)
}

pub(super) fn matchers(row: &Row<'_>) -> rusqlite::Result<Vec<Matcher>> {
    let rows: Vec<(String, String, String)> = json(row, "matchers")?;
    let index = row.as_ref().column_index("matchers")?;
    rows.into_iter()
        .map(|(name, op, value)| {
            let op = MatchOp::from_symbol(&op)
                .ok_or_else(|| unreadable(index, "an unknown operator".into()))?;
            Matcher::new(&name, op, &value).map_err(|error| unreadable(index, error.into()))
        })
        .collect()
}

fn from_json<T: DeserializeOwned>(text: &str, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(column, error.into()))
}

fn unreadable(column: usize, error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
}
