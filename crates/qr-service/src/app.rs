//! The composition root: the only file that names every subsystem.
//!
//! `App::build` wires, [`App::start`] opens the database and begins the loops, [`App::serve`] answers on a socket until
//! it is told to end, and [`App::stop`] ends what was begun. Tests and simulation use the same steps, or [`app()`] alone.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use telemetry::log::{Level, Logger, Sink};
use telemetry::{Registry, allocator, memory, process};
use tokio::net::TcpListener;
use world::inbound::{Drained, ServeOptions};
use world::{Ticker, World};

use crate::active_users::ActiveUsers;
use crate::cache::ImageCache;
use crate::config::Config;
use crate::database::{Database, DatabaseError};
use crate::faults::Faults;
use crate::generations::Generations;
use crate::metrics::Metrics;
use crate::passwords::Passwords;
use crate::rate_limit::Limiter;
use crate::ship::Shipper;
use crate::suspicion::Suspicion;
use crate::tasks::Tasks;
use crate::{deployments, http, sessions};

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) const REVISION: &str = env!("BUILD_REVISION");

const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Fault drills evict in steps this long.
const EVICT_EVERY: Duration = Duration::from_millis(100);
/// How long loops may take to end.
const STOP_BOUND: Duration = Duration::from_secs(8);

/// A service, built and ready to answer as a `tower::Service`, without a socket.
///
/// # Errors
/// When the database cannot be opened.
pub async fn app(
    world: World,
    config: Config,
    sinks: Vec<Sink>,
) -> Result<(App, Router), DatabaseError> {
    let app = App::build(world, config, Level::Debug, sinks);
    app.start().await?;
    let router = app.router();
    Ok((app, router))
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// Where the service stands between its start and its end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    Starting,
    Ready,
    Draining,
}

/// Everything that a request may need.
pub struct Parts {
    pub(crate) config: Config,
    pub(crate) world: World,
    pub(crate) registry: Registry,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) logger: Logger,
    pub(crate) cache: Arc<ImageCache>,
    pub(crate) database: Database,
    pub(crate) faults: Arc<Faults>,
    pub(crate) passwords: Passwords,
    pub(crate) limit_address: Limiter<std::net::IpAddr>,
    pub(crate) limit_session: Limiter<String>,
    pub(crate) limit_sign_in: Limiter<std::net::IpAddr>,
    pub(crate) suspicion: Suspicion,
    pub(crate) active_users: Arc<ActiveUsers>,
    pub(crate) generations: Arc<Generations>,
    pub(crate) shipper: Option<Shipper>,
    pub(crate) started_at: SystemTime,
    started: Duration,
    phase: AtomicU8,
    tasks: Tasks,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("App").field(&self.phase()).finish()
    }
}

impl App {
    /// Wires the parts. Log lines of `level` and above go to `sinks` and, where configured, to a monitor.
    pub fn build(world: World, config: Config, level: Level, mut sinks: Vec<Sink>) -> App {
        let registry = Registry::new();
        let metrics = Arc::new(Metrics::declare(&registry));
        let shipper = config
            .ship_logs
            .as_deref()
            .map(|url| Shipper::new(url, &registry));
        sinks.extend(shipper.as_ref().map(|shipper| shipper.queue().sink()));
        let clock = world.clock.clone();
        let logger = Logger::new("qr-service", level, move || clock.now(), sinks, &registry);
        let faults = Arc::new(Faults::new(config.faults));
        let cache = Arc::new(ImageCache::new(
            config.cache_bytes,
            metrics.clone(),
            world.clock.clone(),
        ));
        let database = Database::new(
            config.data_dir.clone(),
            world.clone(),
            metrics.clone(),
            faults.clone(),
        );
        let active_users = Arc::new(ActiveUsers::default());
        let generations = Generations::new(config.generation_workers);
        collect_at_scrape(&registry, &world, &config, &cache, &active_users);
        collect_generations(&registry, &generations);
        App(Arc::new(Parts {
            passwords: Passwords::new(world.clone()),
            limit_address: Limiter::new(config.rate_address),
            limit_session: Limiter::new(config.rate_session),
            limit_sign_in: Limiter::new(config.rate_sign_in),
            suspicion: Suspicion::default(),
            generations,
            started_at: world.clock.now(),
            started: world.clock.monotonic(),
            phase: AtomicU8::new(Phase::Starting as u8),
            tasks: Tasks::new(),
            config,
            world,
            registry,
            metrics,
            logger,
            cache,
            database,
            faults,
            active_users,
            shipper,
        }))
    }

    /// Opens the database and begins the loops; from then on `/ready` says yes.
    ///
    /// # Errors
    /// When the database cannot be opened: stop.
    pub async fn start(&self) -> Result<(), DatabaseError> {
        if let Some(shipper) = &self.shipper {
            let work = shipper
                .clone()
                .run(self.world.clone(), self.tasks.stop_signal());
            self.tasks.spawn("ship_logs", work);
        }
        self.database.probe().await?;
        self.record_start().await;
        self.tasks
            .spawn("session_sweep", sweep_sessions(self.clone()));
        if self.faults.is_there() {
            self.tasks
                .spawn("fault_evictions", evict_for_drills(self.clone()));
            self.logger
                .warn("started with the fault switch: anyone on this machine may break the service")
                .emit();
        }
        // A signal may have come first: draining is never taken back.
        let _ = self.phase.compare_exchange(
            Phase::Starting as u8,
            Phase::Ready as u8,
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        self.logger
            .info("ready")
            .field("version", VERSION)
            .field("revision", REVISION)
            .emit();
        Ok(())
    }

    /// The service as a `tower::Service`.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Answers on a socket until `shutdown` resolves: then `/ready` says no for a while, new connections are refused,
    /// running requests end, and [`App::stop`] follows.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Drained {
        let drain = async {
            shutdown.await;
            self.begin_drain();
            self.world.clock.sleep(self.config.drain_grace).await;
        };
        let options = ServeOptions::default();
        let drained = world::inbound::serve(listener, self.router(), options, drain).await;
        self.stop().await;
        drained
    }

    /// Makes `/ready` say no. Requests are still answered.
    pub fn begin_drain(&self) {
        self.phase.store(Phase::Draining as u8, Ordering::SeqCst);
        self.logger.info("draining").emit();
    }

    /// Ends the loops, sends the last log lines, closes the database.
    pub async fn stop(&self) {
        self.logger.info("stopped").emit();
        let late = self.tasks.stop_and_join(STOP_BOUND).await;
        for task in late {
            self.logger
                .warn("a task did not end in time")
                .field("task", task)
                .emit();
        }
        self.database.close().await;
    }

    /// A service that cannot write this down can do its work all the same.
    async fn record_start(&self) {
        let recording =
            deployments::record(&self.database, VERSION, REVISION, unix_ms(self.started_at));
        if let Err(error) = recording.await {
            self.logger
                .error("cannot record this start")
                .field("cause", error.whole())
                .emit();
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }
}

impl Parts {
    /// The wall clock in milliseconds, as the database keeps times.
    pub(crate) fn now_ms(&self) -> i64 {
        unix_ms(self.world.clock.now())
    }

    /// How long this process has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.world.clock.monotonic().saturating_sub(self.started)
    }

    pub(crate) fn session_length_ms(&self) -> i64 {
        self.config.session_length.as_millis() as i64
    }
}

/// What lives elsewhere and is asked at every scrape.
fn collect_at_scrape(
    registry: &Registry,
    world: &World,
    config: &Config,
    cache: &Arc<ImageCache>,
    active_users: &Arc<ActiveUsers>,
) {
    registry.collector(process::collect);
    registry.collector(allocator::collect);
    let configured = config.memory_limit;
    registry.collector(move |collected| {
        let whole = |bytes: Option<u64>| bytes.map_or(f64::NAN, |bytes| bytes as f64);
        collected.gauge(
            "memory_usage_bytes",
            "Memory in use: the process's resident set.",
            whole(process::resident_bytes()),
        );
        collected.gauge(
            "memory_limit_bytes",
            "Memory allowed: the smallest of cgroup (v2, v1), configured and physical.",
            whole(memory::memory_limit(configured).map(|limit| limit.bytes)),
        );
        collected.counter(
            "gc_collections_total",
            "Rust has no garbage collector: purge passes of the allocator (jemalloc, dirty and muzzy), which give memory back.",
            allocator::stats().map_or(0, |stats| stats.purge_passes),
        );
    });
    let (cache, users, clock) = (cache.clone(), active_users.clone(), world.clock.clone());
    registry.collector(move |collected| {
        collected.gauge(
            "cache_hit_rate",
            "Share of image look-ups of the last 5 minutes that hit; NaN when there were none.",
            cache.hit_rate(),
        );
        collected.gauge(
            "cache_size_bytes",
            "Bytes of the images in the cache, with their overhead.",
            cache.size_bytes() as f64,
        );
        collected.gauge(
            "cache_entries_count",
            "Images in the cache.",
            cache.entries() as f64,
        );
        collected.gauge(
            "cache_capacity_bytes",
            "Bytes that the cache may hold.",
            cache.capacity_bytes() as f64,
        );
        collected.gauge(
            "active_users_total",
            "Distinct signed-in users of the last 5 minutes.",
            users.count(clock.monotonic()) as f64,
        );
    });
}

/// How busy drawing is: whether another worker would help.
fn collect_generations(registry: &Registry, generations: &Arc<Generations>) {
    let generations = generations.clone();
    registry.collector(move |collected| {
        let load = generations.load();
        collected.gauge(
            "qr_generation_workers",
            "Codes that may be drawn at once.",
            load.limit as f64,
        );
        collected.gauge(
            "qr_generations_running",
            "Codes being drawn.",
            load.running as f64,
        );
        collected.gauge(
            "qr_generations_waiting",
            "Requests that wait for their turn to draw.",
            load.waiting as f64,
        );
    });
}

async fn sweep_sessions(app: App) {
    let metrics = app.metrics.of_loop("session_sweep");
    let mut stop = app.tasks.stop_signal();
    let mut ticker = Ticker::new(app.world.clock.clone(), SWEEP_EVERY, Duration::ZERO);
    loop {
        let tick = tokio::select! {
            // The end first: a sweep can wait for the next start.
            biased;
            () = stop.wait() => return,
            tick = ticker.tick() => tick,
        };
        metrics.iterations.inc();
        metrics.missed.add(tick.missed);
        let start = app.world.clock.monotonic();
        match sessions::sweep(&app.database, app.now_ms()).await {
            Ok(lengths_ms) => {
                for length_ms in &lengths_ms {
                    app.metrics
                        .session_seconds
                        .observe(*length_ms as f64 / 1000.0);
                }
                metrics
                    .last_success
                    .set(unix_seconds(app.world.clock.now()));
                app.logger
                    .debug("expired sessions ended")
                    .field("sessions", lengths_ms.len())
                    .emit();
            }
            Err(error) => {
                metrics.failures.inc();
                app.logger
                    .error("cannot end expired sessions")
                    .field("cause", error.whole())
                    .emit();
            }
        }
        let length = app.world.clock.monotonic().saturating_sub(start);
        metrics.last_seconds.set(length.as_secs_f64());
    }
}

async fn evict_for_drills(app: App) {
    let mut stop = app.tasks.stop_signal();
    let mut ticker = Ticker::new(app.world.clock.clone(), EVICT_EVERY, Duration::ZERO);
    let mut due = 0.0;
    loop {
        let tick = tokio::select! {
            // The end first: a drill is never worth waiting for.
            biased;
            () = stop.wait() => return,
            tick = ticker.tick() => tick,
        };
        let rounds = (tick.missed + 1) as f64;
        due += app.faults.get().cache_evict_per_second * EVICT_EVERY.as_secs_f64() * rounds;
        // Fractions wait for the next step, so that slow rates are right too.
        let now = due as usize;
        due -= now as f64;
        if now > 0 {
            app.cache.evict_for_drill(now);
        }
    }
}

fn unix_ms(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

fn unix_seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
