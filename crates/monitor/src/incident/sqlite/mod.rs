//! Incidents in SQLite: one file, one writer, WAL mode, synced on every commit.
//!
//! The one part of Belfry's data that does not go through `Disk`: SQLite brings its own, well-tested, file handling.
//! Simulation opens the same adapter in memory.

mod columns;
mod drills;
mod duty;
mod incidents;
mod pages;
mod rules;
mod runs;
mod schema;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use alerting::{IncidentId, Silence};
use model::Timestamp;
use plan::Severity;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};

use super::drills::*;
use super::pages::*;
use super::runs::*;
use super::store::*;

/// How long a statement waits for another connection (a backup, a person with the sqlite3 shell).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements that are kept: as many as there are verbs, with room.
const STATEMENTS_MAX: usize = 64;

/// The most silences that a start takes in; the desk keeps people from making as many.
const SILENCES_MAX: usize = 10_000;

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

    fn prepare(mut connection: Connection) -> Result<SqliteIncidents, IncidentStoreError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // Without this SQLite plans a cached statement anew for every new value of a parameter: most of what a look at the
        // queue costs.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // FULL: a page that was decided survives power loss too. Incidents are rare; the sync costs nothing that matters.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )?;
        schema::migrate(&mut connection)?;
        Ok(SqliteIncidents { connection })
    }
}

impl IncidentStore for SqliteIncidents {
    fn load(&mut self, now: Timestamp) -> Result<Loaded, IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        runs::settle(&transaction, now)?;
        pages::wake(&transaction, now)?;
        transaction.commit()?;
        let next_id = self.connection.query_row(
            "SELECT coalesce(max(id), 0) + 1 FROM incidents",
            [],
            |row| row.get(0),
        )?;
        Ok(Loaded {
            rules: rules::read(&self.connection, now)?,
            open: self.incidents(IncidentFilter::Open, usize::MAX)?,
            next_id,
            silences: self.silences(now, SILENCES_MAX)?,
            overrides: duty::overrides(&self.connection, now)?,
            waiting_for_summary: pages::waiting_for_summary(&self.connection)?,
            drills: drills::open(&self.connection)?,
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
        if change.clock_set_by_ms != 0 {
            pages::clock_was_set(&transaction, change.clock_set_by_ms)?;
        }
        for rule in &change.rules {
            rules::write(&transaction, rule)?;
        }
        for incident in &change.incidents {
            incidents::write(&transaction, incident, now)?;
            let (id, head) = (incident.incident.id(), &incident.incident.head);
            for page in &incident.pages {
                let is_urgent = head.severity == Severity::Critical;
                pages::write(&transaction, id, is_urgent, page, now)?;
            }
            for run in &incident.runs {
                runs::write(&transaction, id, run, now)?;
            }
        }
        for summary in &change.summaries {
            pages::write_summary(&transaction, summary, now)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn due_pages(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Page>, IncidentStoreError> {
        Ok(pages::due(&self.connection, now, limit)?)
    }

    fn queue(&mut self) -> Result<PageQueue, IncidentStoreError> {
        Ok(pages::queue(&self.connection)?)
    }

    fn record_attempt(
        &mut self,
        page: PageId,
        outcome: &PageOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        pages::record_attempt(&transaction, page, outcome, now)?;
        transaction.commit()?;
        Ok(())
    }

    fn release_pages(
        &mut self,
        incident: IncidentId,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        Ok(pages::release(&self.connection, incident, now)?)
    }

    fn pages_in_summary(&mut self, summary: PageId) -> Result<Vec<Page>, IncidentStoreError> {
        Ok(pages::in_summary(&self.connection, summary)?)
    }

    fn attempts(
        &mut self,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<DeliveryAttempt>, IncidentStoreError> {
        Ok(pages::attempts(&self.connection, incident, limit)?)
    }

    fn incidents(
        &mut self,
        filter: IncidentFilter,
        limit: usize,
    ) -> Result<Vec<alerting::Incident>, IncidentStoreError> {
        Ok(incidents::read(&self.connection, filter, limit)?)
    }

    fn detail(&mut self, id: IncidentId) -> Result<Option<IncidentDetail>, IncidentStoreError> {
        let Some(incident) = incidents::read_one(&self.connection, id)? else {
            return Ok(None);
        };
        Ok(Some(IncidentDetail {
            incident,
            timeline: incidents::timeline(&self.connection, id)?,
            pages: pages::of_incident(&self.connection, id)?,
            runs: runs::of_incident(&self.connection, id)?,
        }))
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<HistoryEntry>, IncidentStoreError> {
        Ok(rules::history(&self.connection, filter)?)
    }

    fn queue_run(
        &mut self,
        incident: IncidentId,
        run: &NewRun,
        now: Timestamp,
    ) -> Result<Option<RunId>, IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        if !runs::may_queue(&transaction, incident, run)? {
            return Ok(None);
        }
        let id = runs::write(&transaction, incident, run, now)?;
        transaction.commit()?;
        Ok(Some(id))
    }

    fn queued_runs(&mut self, limit: usize) -> Result<Vec<StepRun>, IncidentStoreError> {
        Ok(runs::queued(&self.connection, limit)?)
    }

    fn start_run(&mut self, run: RunId, now: Timestamp) -> Result<(), IncidentStoreError> {
        Ok(runs::start(&self.connection, run, now)?)
    }

    fn finish_run(
        &mut self,
        run: RunId,
        outcome: &RunOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        runs::finish(&transaction, run, outcome, now)?;
        transaction.commit()?;
        Ok(())
    }

    fn silences(
        &mut self,
        ended_after: Timestamp,
        limit: usize,
    ) -> Result<Vec<Silence>, IncidentStoreError> {
        Ok(duty::silences(&self.connection, ended_after, limit)?)
    }

    fn put_silences(&mut self, silences: &[Silence]) -> Result<(), IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        for silence in silences {
            duty::put_silence(&transaction, silence)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn put_override(&mut self, added: &StoredOverride) -> Result<i64, IncidentStoreError> {
        Ok(duty::put_override(&self.connection, added)?)
    }

    fn end_override(&mut self, id: i64, at: Timestamp) -> Result<bool, IncidentStoreError> {
        Ok(duty::end_override(&self.connection, id, at)?)
    }

    fn put_deployment(&mut self, deployment: &Deployment) -> Result<(), IncidentStoreError> {
        Ok(duty::put_deployment(&self.connection, deployment)?)
    }

    fn deployments(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Deployment>, IncidentStoreError> {
        Ok(duty::deployments(&self.connection, from, until, limit)?)
    }

    fn expect_heartbeats(
        &mut self,
        names: &[String],
        now: Timestamp,
    ) -> Result<Vec<StoredHeartbeat>, IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        let heartbeats = duty::expect_heartbeats(&transaction, names, now)?;
        transaction.commit()?;
        Ok(heartbeats)
    }

    fn beat(&mut self, name: &str, now: Timestamp) -> Result<(), IncidentStoreError> {
        Ok(duty::beat(&self.connection, name, now)?)
    }

    fn add_drill(&mut self, drill: &Drill) -> Result<DrillId, IncidentStoreError> {
        Ok(drills::add(&self.connection, drill)?)
    }

    fn put_drill(&mut self, drill: &Drill) -> Result<(), IncidentStoreError> {
        Ok(drills::put(&self.connection, drill)?)
    }

    fn drill(&mut self, id: DrillId) -> Result<Option<Drill>, IncidentStoreError> {
        Ok(drills::read_one(&self.connection, id)?)
    }

    fn drills(
        &mut self,
        alert: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Drill>, IncidentStoreError> {
        Ok(drills::read(&self.connection, alert, limit)?)
    }

    fn open_drills(&mut self) -> Result<Vec<Drill>, IncidentStoreError> {
        Ok(drills::open(&self.connection)?)
    }

    fn drills_passed(&mut self) -> Result<BTreeMap<String, Timestamp>, IncidentStoreError> {
        Ok(drills::passed(&self.connection)?)
    }

    fn forget_before(&mut self, before: Timestamp) -> Result<(), IncidentStoreError> {
        let transaction = self.connection.transaction()?;
        let old = "SELECT id FROM incidents WHERE resolved_at < ?1";
        let before = before.as_millis();
        for statement in [
            "DELETE FROM history WHERE at < ?1".to_owned(),
            "DELETE FROM deployments WHERE at < ?1".to_owned(),
            "DELETE FROM overrides WHERE until_at < ?1".to_owned(),
            "DELETE FROM silences WHERE ends_at < ?1".to_owned(),
            "DELETE FROM drills WHERE ended_at < ?1".to_owned(),
            format!(
                "DELETE FROM attempts WHERE page IN (SELECT id FROM pages WHERE incident IN ({old}))"
            ),
            format!("DELETE FROM pages WHERE incident IN ({old})"),
            format!("DELETE FROM runs WHERE incident IN ({old})"),
            format!("DELETE FROM timeline WHERE incident IN ({old})"),
            format!("DELETE FROM members WHERE incident IN ({old})"),
            "DELETE FROM incidents WHERE resolved_at < ?1".to_owned(),
        ] {
            transaction.execute(&statement, params![before])?;
        }
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alerting::PageReason;

    use super::*;

    #[test]
    fn a_file_of_version_1_opens() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&schema::version_1()).unwrap();
        connection
            .execute_batch(
                r#"
                INSERT INTO incidents VALUES (3, 'Bad', 'critical', 1000, 2000, 'ada', NULL, NULL, '[[0,["on-call"]]]', 1);
                INSERT INTO members VALUES (3, '{"job":"shop"}', 0.5, 1000, NULL, 0, 'half');
                INSERT INTO pages VALUES (1, 3, 1, 'firing', 'ada', 'webhook', 'queued', 2, 1000, 1500, NULL, 'refused');
                INSERT INTO pages VALUES (2, 3, 1, 'resolved', 'ada', 'webhook', 'queued', 0, 1000, 1500, NULL, NULL);
                INSERT INTO instances VALUES ('Bad', '{"job":"shop"}', 1000, 900, 0.5, NULL, NULL);
                "#,
            )
            .unwrap();
        schema::migrate(&mut connection).unwrap();
        let mut store = SqliteIncidents { connection };
        let now = Timestamp::from_millis(10_000);
        let loaded = store.load(now).unwrap();
        let incident = &loaded.open[0];
        assert_eq!(incident.head.title, "Bad");
        assert_eq!(incident.told.get("ada"), Some(&1));
        assert_eq!(incident.resting_since, Some(Timestamp::from_millis(2000)));
        let labels: Vec<String> = incident.members.keys().map(ToString::to_string).collect();
        assert_eq!(
            labels,
            [r#"{alertname="Bad", job="shop", severity="critical"}"#]
        );
        assert_eq!(loaded.rules["Bad"].instances.len(), 1);
        assert!(
            store.due_pages(now, 10).unwrap().is_empty(),
            "somebody has it"
        );
        let pages = store.detail(incident.id()).unwrap().unwrap().pages;
        assert_eq!(pages[0].idempotency_key(), "belfry-3-1");
        assert_eq!(pages[1].reason, PageReason::Resolved);
    }

    #[test]
    fn a_file_of_version_2_opens() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&schema::version_2()).unwrap();
        connection
            .execute_batch(
                "INSERT INTO incidents (id, alert, severity, opened_at, levels, levels_told)
                 VALUES (3, 'Bad', 'critical', 1000, '[]', 1);",
            )
            .unwrap();
        schema::migrate(&mut connection).unwrap();
        let mut store = SqliteIncidents { connection };
        let loaded = store.load(Timestamp::from_millis(10_000)).unwrap();
        assert_eq!(loaded.open[0].drill, None, "what is old is real");
        assert!(loaded.drills.is_empty());
    }
}
