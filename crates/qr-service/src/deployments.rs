//! The starts of this service, kept in the database: what changed shortly before things went wrong.
//!
//! A start with another version or revision than the one before is a change. Changes and repeats are bounded apart, so
//! that a program that crashes all night does not push out the change that made it crash.

use rusqlite::{OptionalExtension, Row};

use crate::database::{Database, DatabaseError};

/// Starts of each kind that are kept: months of changes, and enough repeats to see a crash loop.
const KEPT_OF_A_KIND: i64 = 50;

/// One start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployment {
    pub(crate) version: String,
    pub(crate) revision: String,
    pub(crate) started_ms: i64,
    /// Whether the version or the revision is another than at the start before.
    pub(crate) is_change: bool,
}

/// Writes a start down and forgets the oldest ones.
pub(crate) async fn record(
    database: &Database,
    version: &'static str,
    revision: &'static str,
    started_ms: i64,
) -> Result<(), DatabaseError> {
    database
        .run(move |connection| {
            let transaction = connection.transaction()?;
            let before = transaction
                .query_row(
                    "SELECT version, revision FROM deployments ORDER BY id DESC LIMIT 1",
                    (),
                    |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
                )
                .optional()?;
            let is_change = before.is_none_or(|(old_version, old_revision)| {
                (old_version.as_str(), old_revision.as_str()) != (version, revision)
            });
            transaction.execute(
                "INSERT INTO deployments (version, revision, started_ms, is_change)
                 VALUES (?1, ?2, ?3, ?4)",
                (version, revision, started_ms, is_change),
            )?;
            transaction.execute(
                "DELETE FROM deployments WHERE is_change = ?1 AND id NOT IN
                 (SELECT id FROM deployments WHERE is_change = ?1 ORDER BY id DESC LIMIT ?2)",
                (is_change, KEPT_OF_A_KIND),
            )?;
            transaction.commit()
        })
        .await
}

/// The starts, the newest first.
pub(crate) async fn recent(database: &Database) -> Result<Vec<Deployment>, DatabaseError> {
    database
        .run(|connection| {
            let mut statement = connection.prepare(
                "SELECT version, revision, started_ms, is_change FROM deployments ORDER BY id DESC",
            )?;
            statement.query_map((), deployment)?.collect()
        })
        .await
}

fn deployment(row: &Row<'_>) -> rusqlite::Result<Deployment> {
    Ok(Deployment {
        version: row.get(0)?,
        revision: row.get(1)?,
        started_ms: row.get(2)?,
        is_change: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use telemetry::Registry;
    use world::World;

    use super::*;
    use crate::faults::Faults;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn changes_outlive_a_crash_loop_and_both_are_bounded() {
        let metrics = Arc::new(Metrics::declare(&Registry::new()));
        let faults = Arc::new(Faults::new(false));
        let database = Database::new(None, World::real().unwrap(), metrics, faults);
        let start = async |revision: &'static str, at: i64| {
            record(&database, "1.0.0", revision, at).await.unwrap();
        };
        start("aaa", 1).await;
        start("aaa", 2).await;
        for at in 100..200 {
            start("bbb", at).await;
        }
        let kept = recent(&database).await.unwrap();
        assert_eq!(kept.len(), 50 + 2);
        assert_eq!((kept[0].started_ms, kept[0].is_change), (199, false));
        let changes: Vec<(&str, i64)> = kept
            .iter()
            .filter(|start| start.is_change)
            .map(|start| (start.revision.as_str(), start.started_ms))
            .collect();
        assert_eq!(changes, [("bbb", 100), ("aaa", 1)]);
        for at in 200..300 {
            let revision = if at % 2 == 0 { "ccc" } else { "ddd" };
            start(revision, at).await;
        }
        let kept = recent(&database).await.unwrap();
        assert_eq!(kept.iter().filter(|start| start.is_change).count(), 50);
        assert_eq!(kept.len(), 100);
    }
}
