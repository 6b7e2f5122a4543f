//! The embedded backend: the own store with the own PromQL on top.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use model::{Labels, Matcher, SourceError, Timestamp};
use storage::tsdb::{Options, Recovery, SeriesRef, StoreError, Tsdb};
use tokio::sync::Semaphore;
use world::{BoxFuture, World};

use super::{Appended, BackendError, MetricsBackend, SeriesHandle, StoreFigures};

/// Queries that run at once; others wait their turn. Two cores serve no more, and each may hold samples in memory.
const QUERIES_AT_ONCE: usize = 4;

/// The most samples that one query may load.
const QUERY_SAMPLES_MAX: usize = 20_000_000;

/// How far the clock may be ahead of the newest sample before retention stops believing it.
const AHEAD_OF_SAMPLES_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The own store with the own PromQL.
pub struct EmbeddedMetrics {
    store: Arc<Tsdb>,
    world: World,
    limits: promql::Limits,
    turns: Arc<Semaphore>,
    handles: Arc<RwLock<Handles>>,
}

/// Handles that were given out. The store may drop a series from memory when it has no samples; a handle outlives that.
#[derive(Default)]
struct Handles {
    series: Vec<(Labels, SeriesRef)>,
    by_labels: HashMap<Labels, SeriesHandle>,
}

impl Handles {
    fn resolve(&mut self, labels: &Labels, store: &Tsdb) -> Result<SeriesHandle, StoreError> {
        if let Some(handle) = self.by_labels.get(labels) {
            return Ok(*handle);
        }
        let series = store.series_ref(labels)?;
        let handle = SeriesHandle(self.series.len() as u64);
        self.series.push((labels.clone(), series));
        self.by_labels.insert(labels.clone(), handle);
        Ok(handle)
    }

    /// Asks the store anew for series that it has dropped from memory.
    fn refresh(
        &mut self,
        batch: &[(SeriesHandle, Timestamp, f64)],
        store: &Tsdb,
    ) -> Result<(), StoreError> {
        for (handle, ..) in batch {
            let (labels, series) = &mut self.series[handle.0 as usize];
            *series = store.series_ref(labels)?;
        }
        Ok(())
    }

    fn rows(&self, batch: &[(SeriesHandle, Timestamp, f64)]) -> Vec<(SeriesRef, Timestamp, f64)> {
        batch
            .iter()
            .map(|(handle, at, value)| (self.series[handle.0 as usize].1, *at, *value))
            .collect()
    }
}

impl EmbeddedMetrics {
    /// Opens (or makes) the store in a directory.
    ///
    /// # Errors
    /// The store's: stop and show it to the operator.
    pub fn open(
        world: &World,
        dir: &Path,
        retention: Duration,
    ) -> Result<(EmbeddedMetrics, Recovery), StoreError> {
        let options = Options {
            retention,
            ..Options::default()
        };
        let now = Timestamp::from(world.clock.now());
        let (store, recovery) = Tsdb::open(world.disk.clone(), dir, options, now)?;
        let limits = promql::Limits {
            samples_max: QUERY_SAMPLES_MAX,
            ..promql::Limits::default()
        };
        let backend = EmbeddedMetrics {
            store: Arc::new(store),
            world: world.clone(),
            limits,
            turns: Arc::new(Semaphore::new(QUERIES_AT_ONCE)),
            handles: Arc::default(),
        };
        Ok((backend, recovery))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Tsdb) -> T + Send + 'static) -> T {
        let store = self.store.clone();
        self.world.run_blocking(move || work(&store)).await
    }

    /// Runs a query when it is its turn. The turn ends with the work, not with whoever waits for it: a client that hangs up
    /// and asks again must not have two queries running.
    async fn run_query<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tsdb) -> T + Send + 'static,
    ) -> T {
        let turn = self
            .turns
            .clone()
            .acquire_owned()
            .await
            .expect("this semaphore is never closed");
        self.run(move |store| {
            let _turn = turn;
            work(store)
        })
        .await
    }
}

impl MetricsBackend for EmbeddedMetrics {
    fn resolve(&self, labels: &Labels) -> Result<SeriesHandle, BackendError> {
        let known = self
            .handles
            .read()
            .expect("no code panics while it holds this lock")
            .by_labels
            .get(labels)
            .copied();
        match known {
            Some(handle) => Ok(handle),
            None => {
                let mut handles = self
                    .handles
                    .write()
                    .expect("no code panics while it holds this lock");
                handles.resolve(labels, &self.store).map_err(store_error)
            }
        }
    }

    fn append(
        &self,
        batch: Vec<(SeriesHandle, Timestamp, f64)>,
    ) -> BoxFuture<'_, Result<Appended, BackendError>> {
        Box::pin(async move {
            let handles = self.handles.clone();
            let appended = self
                .run(move |store| append(store, &handles, &batch))
                .await
                .map_err(store_error)?;
            Ok(Appended {
                stored: appended.stored,
                refused: appended.out_of_order + appended.duplicate + appended.too_old,
            })
        })
    }

    fn query(
        &self,
        expr: Arc<promql::Expr>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<promql::Answer, BackendError>> {
        let limits = self.limits.clone();
        Box::pin(async move {
            self.run_query(move |store| promql::instant(store, &expr, at, &limits))
                .await
                .map_err(query_error)
        })
    }

    fn query_range(
        &self,
        expr: Arc<promql::Expr>,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> BoxFuture<'_, Result<promql::Answer, BackendError>> {
        let limits = self.limits.clone();
        Box::pin(async move {
            self.run_query(move |store| promql::range(store, &expr, from, to, step, &limits))
                .await
                .map_err(query_error)
        })
    }

    fn series(
        &self,
        matchers: Vec<Matcher>,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<Labels>, BackendError>> {
        Box::pin(async move {
            Ok(self
                .run_query(move |store| store.series(&matchers, from, to))
                .await)
        })
    }

    fn sync(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(async move { self.run(sync).await.map_err(store_error) })
    }

    fn maintain(&self, now: Timestamp) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(async move {
            self.run(move |store| maintain(store, now))
                .await
                .map_err(store_error)
        })
    }

    fn figures(&self) -> StoreFigures {
        let stats = self.store.stats();
        StoreFigures {
            series: stats.series,
            bytes: stats.bytes_on_disk,
            oldest: stats.oldest,
        }
    }
}

fn append(
    store: &Tsdb,
    handles: &RwLock<Handles>,
    batch: &[(SeriesHandle, Timestamp, f64)],
) -> Result<storage::tsdb::Appended, StoreError> {
    let rows = handles
        .read()
        .expect("no code panics while it holds this lock")
        .rows(batch);
    match store.append(&rows) {
        Err(StoreError::UnknownSeries(_)) => {
            let mut handles = handles
                .write()
                .expect("no code panics while it holds this lock");
            handles.refresh(batch, store)?;
            store.append(&handles.rows(batch))
        }
        outcome => outcome,
    }
}

/// Syncs, and lets a writer that a disk error stopped begin anew: the error is reported all the same.
fn sync(store: &Tsdb) -> Result<(), StoreError> {
    store.sync().inspect_err(|_| {
        // If this fails too, the next second tries again; appends go on being refused and counted.
        let _ = store.recover_writer();
    })
}

/// Maintains. A clock that jumped ahead must not delete the past: without samples of its own, a time is not believed.
fn maintain(store: &Tsdb, now: Timestamp) -> Result<(), StoreError> {
    let believed = store
        .stats()
        .newest
        .map_or(now, |newest| now.min(newest + AHEAD_OF_SAMPLES_MAX));
    store.maintain(believed).map(|_| ())
}

fn store_error(error: StoreError) -> BackendError {
    BackendError::Unavailable(error.to_string())
}

fn query_error(error: promql::EvalError) -> BackendError {
    match &error {
        promql::EvalError::Source(SourceError::Unavailable(_)) => {
            BackendError::Unavailable(error.to_string())
        }
        promql::EvalError::Source(SourceError::TooManySamples { .. })
        | promql::EvalError::TooManySamples { .. }
        | promql::EvalError::TooManyPoints { .. } => BackendError::TooMuch(error.to_string()),
        _ => BackendError::BadQuery(error.to_string()),
    }
}
