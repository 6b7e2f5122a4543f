//! The SQLite database: one connection, used from blocking work only.
//!
//! SQLite is the one part that does not go through `world::Disk`: it has its own, proven way to the file. One connection
//! is enough: statements take microseconds and passwords dominate. A pool would add pool time-outs in simulation.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use world::World;

use crate::faults::Faults;
use crate::metrics::Metrics;
use crate::schema;
use crate::standing::Standing;

/// How long a statement waits for another process that holds the file, for example a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const FILE_NAME: &str = "qr-service.sqlite3";

/// Why the database did not do what it was asked.
#[derive(Debug)]
pub enum DatabaseError {
    /// It cannot be reached. Try again later.
    Gone(String),
    /// A later version of the program wrote it. Stop, and start that version.
    TooNew {
        /// The schema version found.
        found: i64,
    },
    /// SQLite failed. Try again; look at the disk.
    Sql(rusqlite::Error),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseError::Gone(why) => write!(f, "the database is gone: {why}"),
            DatabaseError::TooNew { found } => write!(
                f,
                "the database has schema version {found}, this program knows {}: start the newer program",
                schema::VERSION
            ),
            DatabaseError::Sql(_) => f.write_str("the database failed"),
        }
    }
}

impl std::error::Error for DatabaseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DatabaseError::Gone(_) | DatabaseError::TooNew { .. } => None,
            DatabaseError::Sql(error) => Some(error),
        }
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> DatabaseError {
        DatabaseError::Sql(error)
    }
}

impl DatabaseError {
    /// The error with its cause, for the log.
    pub(crate) fn whole(&self) -> String {
        match self {
            DatabaseError::Gone(_) | DatabaseError::TooNew { .. } => self.to_string(),
            DatabaseError::Sql(error) => format!("{self}: {error}"),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Database {
    world: World,
    metrics: Arc<Metrics>,
    faults: Arc<Faults>,
    shared: Arc<Shared>,
}

struct Shared {
    /// `None`: in memory.
    folder: Option<PathBuf>,
    state: Mutex<State>,
    /// Apart from the connection, so that it can be asked while an operation hangs.
    standing: Mutex<Standing>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// Once it was there, a missing file is a loss to report, never a reason to begin an empty one.
    was_open: bool,
}

/// What the database says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) journal_mode: String,
    pub(crate) schema_version: i64,
}

/// Where the database lies; nothing of it when it is kept in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) path: Option<PathBuf>,
    pub(crate) bytes: Option<u64>,
    /// Of the write-ahead log: what was written since the last time that all was folded into the file.
    pub(crate) wal_bytes: Option<u64>,
}

impl Database {
    pub(crate) fn new(
        folder: Option<PathBuf>,
        world: World,
        metrics: Arc<Metrics>,
        faults: Arc<Faults>,
    ) -> Database {
        let standing = Mutex::new(Standing::new(world.clock.now()));
        Database {
            world,
            metrics,
            faults,
            shared: Arc::new(Shared {
                folder,
                state: Mutex::default(),
                standing,
            }),
        }
    }

    /// Runs work on the connection, opening it first where needed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let start = self.world.clock.monotonic();
        let database = self.clone();
        let result = self
            .world
            .run_blocking(move || database.run_here(work))
            .await;
        let length = self.world.clock.monotonic().saturating_sub(start);
        self.metrics.database_seconds.observe_duration(length);
        if result.is_err() {
            self.metrics.database_errors.inc();
        }
        self.note(result.as_ref().err().map(DatabaseError::whole));
        result
    }

    /// Reads a row: whether the database answers.
    pub(crate) async fn probe(&self) -> Result<(), DatabaseError> {
        self.run(|connection| read_row(connection)).await
    }

    /// Reads a row and the settings: a round trip.
    pub(crate) async fn settings(&self) -> Result<Settings, DatabaseError> {
        self.run(|connection| {
            read_row(connection)?;
            Ok(Settings {
                journal_mode: connection
                    .pragma_query_value(None, "journal_mode", |row| row.get(0))?,
                schema_version: connection
                    .pragma_query_value(None, "user_version", |row| row.get(0))?,
            })
        })
        .await
    }

    /// The files as they lie on the disk now.
    pub(crate) async fn files(&self) -> Files {
        let Some(folder) = &self.shared.folder else {
            return Files::default();
        };
        let (path, wal) = (
            folder.join(FILE_NAME),
            folder.join(format!("{FILE_NAME}-wal")),
        );
        let disk = self.world.disk.clone();
        self.world
            .run_blocking(move || Files {
                bytes: disk.len(&path).ok(),
                wal_bytes: disk.len(&wal).ok(),
                path: Some(path),
            })
            .await
    }

    /// How the last operations went.
    pub(crate) fn standing(&self) -> Standing {
        let standing = self.shared.standing.lock();
        standing.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a failure that only the caller saw: no answer in time.
    pub(crate) fn note_failure(&self, error: String) {
        self.note(Some(error));
    }

    fn note(&self, error: Option<String>) {
        let standing = self.shared.standing.lock();
        let mut standing = standing.unwrap_or_else(PoisonError::into_inner);
        standing.step(error, self.world.clock.now());
    }

    /// Closes the connection, which folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        let shared = self.shared.clone();
        self.world
            .run_blocking(move || {
                let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.connection = None;
            })
            .await;
    }

    fn run_here<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        if self.faults.is_database_down() {
            return Err(DatabaseError::Gone("the fault switch took it".to_owned()));
        }
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.check_file(&mut state)?;
        if state.connection.is_none() {
            state.connection = Some(self.open()?);
            state.was_open = true;
        }
        let connection = state
            .connection
            .as_mut()
            .expect("it was opened above if it was not there");
        work(connection).map_err(DatabaseError::Sql)
    }

    /// An open file handle outlives its file: without this look a deleted database would seem well until the restart.
    fn check_file(&self, state: &mut State) -> Result<(), DatabaseError> {
        let Some(folder) = &self.shared.folder else {
            return Ok(());
        };
        let path = folder.join(FILE_NAME);
        if state.was_open && self.world.disk.len(&path).is_err() {
            state.connection = None;
            return Err(DatabaseError::Gone(format!(
                "{} is missing",
                path.display()
            )));
        }
        Ok(())
    }

    fn open(&self) -> Result<Connection, DatabaseError> {
        let mut connection = match &self.shared.folder {
            None => Connection::open_in_memory()?,
            Some(folder) => {
                self.world.disk.create_dir_all(folder).map_err(|error| {
                    DatabaseError::Gone(format!("cannot make {}: {error}", folder.display()))
                })?;
                open_private(&folder.join(FILE_NAME))?
            }
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        schema::prepare(&mut connection)?;
        Ok(connection)
    }
}

fn read_row(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row(
        "SELECT count(*) FROM session WHERE expires_ms < 0",
        (),
        |_| Ok(()),
    )
}

/// Opens a file that only the service's own user may read: password hashes lie in it. SQLite gives the files beside it
/// the same mode.
fn open_private(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = Connection::open(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(|error| {
        DatabaseError::Gone(format!("cannot protect {}: {error}", path.display()))
    })?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use telemetry::Registry;

    fn database(folder: Option<PathBuf>) -> Database {
        let metrics = Arc::new(Metrics::declare(&Registry::new()));
        let world = World::real().unwrap();
        Database::new(folder, world, metrics, Arc::new(Faults::new(true)))
    }

    #[tokio::test]
    async fn a_lost_file_is_reported_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(Some(folder.path().to_owned()));
        database.probe().await.unwrap();
        let (path, aside) = (folder.path().join(FILE_NAME), folder.path().join("aside"));
        database.world.disk.rename(&path, &aside).unwrap();
        assert!(matches!(
            database.probe().await,
            Err(DatabaseError::Gone(_))
        ));
        assert!(
            database.world.disk.len(&path).is_err(),
            "no empty file takes its place"
        );
        database.world.disk.rename(&aside, &path).unwrap();
        database.probe().await.unwrap();
    }

    #[tokio::test]
    async fn the_fault_switch_takes_it_away() {
        let database = database(None);
        database.probe().await.unwrap();
        database.faults.set(crate::FaultSet {
            database_down: true,
            ..crate::FaultSet::default()
        });
        assert!(database.probe().await.is_err());
        database.faults.set(crate::FaultSet::default());
        database.probe().await.unwrap();
        assert_eq!(database.metrics.database_errors.get(), 1);
    }
}
