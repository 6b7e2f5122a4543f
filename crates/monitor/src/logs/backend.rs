//! The logs backend: where lines go and searches are answered.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Level, LogEntry, LogQuery, LogTime, StoredEntry, Timestamp};
use storage::logs::{LogStore, LogStoreError, Options, Recovery, Retention};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use world::{BoxFuture, World};

/// Searches that run at once; others wait their turn.
const SEARCHES_AT_ONCE: usize = 2;

/// The most matching lines that one search may return.
pub(super) const SEARCH_LINES_MAX: usize = 5_000;

/// What became of a batch of one class.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Stored; survives kill -9.
    pub stored: u64,
    /// Older than its class is kept.
    pub too_old: u64,
    /// Longer than a line may be.
    pub too_long: u64,
    /// From the future.
    pub future: u64,
}

/// Why the backend could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogsError {
    /// Fix the request.
    BadRequest(String),
    /// No room now: try again later.
    Full(String),
    /// The store failed: log it, try again.
    Unavailable(String),
}

impl fmt::Display for LogsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (LogsError::BadRequest(text) | LogsError::Full(text) | LogsError::Unavailable(text)) =
            self;
        f.write_str(text)
    }
}

impl std::error::Error for LogsError {}

/// How many lines of a level a step of time has.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct LevelCount {
    /// When the step begins.
    pub at: LogTime,
    /// The level.
    pub level: Level,
    /// How many.
    pub lines: u64,
}

/// One retention class as it is on the disk: the proof of retention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// How long it is kept; `None` for a class that left the plan.
    pub keep: Option<Duration>,
    /// Its files.
    pub files: u64,
    /// Its lines.
    pub lines: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The oldest line.
    pub oldest: Option<LogTime>,
    /// The newest line.
    pub newest: Option<LogTime>,
    /// When the next file goes.
    pub next_deletion: Option<Timestamp>,
}

/// Where lines go and searches are answered.
pub trait LogsBackend: Send + Sync {
    /// Stores lines of one class. On success those counted as stored survive kill -9.
    fn append(
        &self,
        class: String,
        entries: Arc<Vec<LogEntry>>,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Stored, LogsError>>;

    /// Matching lines, the newest first, at most `limit`; and whether there are more.
    fn search(
        &self,
        query: LogQuery,
        limit: usize,
    ) -> BoxFuture<'_, Result<(Vec<StoredEntry>, bool), LogsError>>;

    /// Matching lines by level in steps of time.
    fn count_by_level(
        &self,
        query: LogQuery,
        step: Duration,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<LevelCount>, LogsError>>;

    /// Makes what was appended survive power loss. Called once a second.
    fn sync(&self) -> BoxFuture<'_, Result<(), LogsError>>;

    /// Seals, and forgets what is past its time.
    fn maintain(&self, now: Timestamp) -> BoxFuture<'_, Result<(), LogsError>>;

    /// Every class.
    fn figures(&self) -> Vec<ClassFigures>;
}

/// The own store.
pub struct EmbeddedLogs {
    store: Arc<LogStore>,
    world: World,
    turns: Arc<Semaphore>,
}

impl EmbeddedLogs {
    /// Opens (or makes) the store in a directory with the plan's classes.
    ///
    /// # Errors
    /// The store's: stop and show it to the operator.
    pub fn open(
        world: &World,
        dir: &Path,
        classes: &[plan::LogClass],
    ) -> Result<(EmbeddedLogs, Recovery), LogStoreError> {
        let classes = classes
            .iter()
            .map(|class| Retention {
                class: class.name.clone(),
                keep: class.keep,
            })
            .collect();
        let now = Timestamp::from(world.clock.now());
        let (store, recovery) =
            LogStore::open(world.disk.clone(), dir, Options::new(classes), now)?;
        let backend = EmbeddedLogs {
            store: Arc::new(store),
            world: world.clone(),
            turns: Arc::new(Semaphore::new(SEARCHES_AT_ONCE)),
        };
        Ok((backend, recovery))
    }

    /// Waits for a turn to search. It goes into the work, so that it ends with it and not with whoever waits for it.
    async fn turn(&self) -> OwnedSemaphorePermit {
        self.turns
            .clone()
            .acquire_owned()
            .await
            .expect("this semaphore is never closed")
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LogStore) -> Result<T, LogStoreError> + Send + 'static,
    ) -> Result<T, LogsError> {
        let store = self.store.clone();
        self.world
            .run_blocking(move || work(&store))
            .await
            .map_err(|error| logs_error(&error))
    }
}

impl LogsBackend for EmbeddedLogs {
    fn append(
        &self,
        class: String,
        entries: Arc<Vec<LogEntry>>,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Stored, LogsError>> {
        Box::pin(async move {
            let accepted = self
                .run(move |store| store.append(&class, &entries, now))
                .await?;
            Ok(Stored {
                stored: accepted.stored,
                too_old: accepted.rejected_too_old,
                too_long: accepted.rejected_too_long,
                future: accepted.rejected_in_future,
            })
        })
    }

    fn search(
        &self,
        query: LogQuery,
        limit: usize,
    ) -> BoxFuture<'_, Result<(Vec<StoredEntry>, bool), LogsError>> {
        let limit = limit.min(SEARCH_LINES_MAX);
        Box::pin(async move {
            let turn = self.turn().await;
            let now = Timestamp::from(self.world.clock.now());
            self.run(move |store| {
                let _turn = turn;
                let mut found = Vec::new();
                let mut more = false;
                store.scan_at(&query, now, &mut |entry| {
                    more = found.len() == limit;
                    if more {
                        return ControlFlow::Break(());
                    }
                    found.push(entry);
                    ControlFlow::Continue(())
                })?;
                Ok((found, more))
            })
            .await
        })
    }

    fn count_by_level(
        &self,
        query: LogQuery,
        step: Duration,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<LevelCount>, LogsError>> {
        Box::pin(async move {
            let turn = self.turn().await;
            let counts = self
                .run(move |store| {
                    let _turn = turn;
                    store.count_by(&query, step, now)
                })
                .await?;
            Ok(counts
                .into_iter()
                .map(|(at, level, lines)| LevelCount { at, level, lines })
                .collect())
        })
    }

    fn sync(&self) -> BoxFuture<'_, Result<(), LogsError>> {
        Box::pin(self.run(LogStore::sync))
    }

    fn maintain(&self, now: Timestamp) -> BoxFuture<'_, Result<(), LogsError>> {
        Box::pin(self.run(move |store| store.maintain(now).map(|_| ())))
    }

    fn figures(&self) -> Vec<ClassFigures> {
        let figures = |stats: storage::logs::ClassStats| ClassFigures {
            class: stats.class,
            keep: stats.keep,
            files: stats.files,
            lines: stats.lines,
            bytes: stats.bytes,
            oldest: stats.oldest,
            newest: stats.newest,
            next_deletion: stats.next_deletion,
        };
        self.store.stats().into_iter().map(figures).collect()
    }
}

fn logs_error(error: &LogStoreError) -> LogsError {
    match error {
        LogStoreError::UnknownClass(_) | LogStoreError::InvalidQuery(_) => {
            LogsError::BadRequest(error.to_string())
        }
        LogStoreError::OverBudget(_) | LogStoreError::StorageFull { .. } => {
            LogsError::Full(error.to_string())
        }
        LogStoreError::InvalidOptions(_) | LogStoreError::Io { .. } => {
            LogsError::Unavailable(error.to_string())
        }
    }
}
