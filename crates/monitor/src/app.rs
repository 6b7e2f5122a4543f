//! The composition root: the only file that names every subsystem. `build`, `start`, `reload` and `drain` serve the binary,
//! the tests and the simulation alike.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use model::Timestamp;
use telemetry::log::Logger;
use tokio::sync::Semaphore;
use world::World;

use crate::coverage::{Coverage, Sources};
use crate::deployments::DeploymentWatch;
use crate::drill::{self, Asked, DrillRefused, DrillRequest, DrillRunner};
use crate::heartbeats;
use crate::host::HostCollector;
use crate::http::AllowedHosts;
use crate::incident::{Desk, Drill, IncidentStore, SqliteIncidents};
use crate::logs::{Follower, Intake, LogsBackend};
use crate::metrics::{MetricsBackend, Recorder};
use crate::notify::Outbox;
use crate::objectives::Objectives;
use crate::opening::{announce, lock_data, open_stores, read_setup};
use crate::presence;
use crate::probe::{ProbeBoard, Prober};
use crate::procedures::Runner;
use crate::progress::{Progress, TURN_MAX};
use crate::rules::{RuleBoard, RuleGroupLoop};
use crate::scrape::{ScrapeBoard, Scraper, run_own};
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Environment, Setup};
use crate::switch;
use crate::tasks::{Tasks, run_to_end};
use crate::upkeep::Upkeep;

/// How long loops may take to end; each is dropped at its next wait, so this is passed only by a hanging disk.
const DRAIN_BOUND: Duration = Duration::from_secs(10);

/// Each log request may be 16 MiB and as much again while it is decoded.
const INGESTS_AT_ONCE: usize = 8;

/// Requests with alerts that may be in memory at once: 8 MiB each. Counted apart from logs, which must not keep alerts out.
const ALERT_REQUESTS_AT_ONCE: usize = 4;

/// After so long without an evaluation Belfry is not ready, though it runs.
const EVALUATION_SILENCE_MAX: Duration = Duration::from_secs(60);

/// Sealing and compaction are long turns; what they delay is neither an alert nor a page.
const MAINTENANCE_TURN_MAX: Duration = Duration::from_secs(10 * 60);

/// What a start needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The plan's file.
    pub plan_path: PathBuf,
    /// The contacts' file.
    pub contacts_path: Option<PathBuf>,
    /// The data folder.
    pub data: PathBuf,
    /// The address that people use.
    pub listen: SocketAddr,
}

/// Why Belfry did not start. Show it and stop.
#[derive(Debug)]
pub enum StartError {
    /// The plan or the contacts are broken; the text names every error.
    Plan(String),
    /// A file or store cannot be opened.
    Open(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Plan(text) | StartError::Open(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for StartError {}

/// A Belfry, built but for its loops.
pub struct App {
    pub(crate) world: World,
    config: Config,
    pub(crate) environment: Environment,
    pub(crate) log: Logger,
    pub(crate) started_at: Timestamp,
    pub(crate) setup: Arc<CurrentSetup>,
    pub(crate) metrics: Arc<SelfMetrics>,
    pub(crate) metrics_backend: Arc<dyn MetricsBackend>,
    pub(crate) logs: Arc<dyn LogsBackend>,
    pub(crate) intake: Arc<Intake>,
    /// Log requests that may be in memory at once.
    pub(crate) ingest_turns: Semaphore,
    /// Requests with alerts that may be in memory at once.
    pub(crate) alert_turns: Semaphore,
    pub(crate) desk: Arc<Desk>,
    pub(crate) scrapes: Arc<ScrapeBoard>,
    pub(crate) probes: Arc<ProbeBoard>,
    pub(crate) rule_board: Arc<RuleBoard>,
    pub(crate) objectives: Arc<Objectives>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) coverage: Arc<Coverage>,
    /// Wakes the loop that drills.
    drill_asked: Asked,
    /// Whether every loop turns.
    progress: Arc<Progress>,
    /// Loops that live as long as the program.
    tasks: Tasks,
    /// Loops that belong to the plan in force.
    plan_tasks: Mutex<Arc<Tasks>>,
    reloading: tokio::sync::Mutex<()>,
    reload_error: Mutex<Option<String>>,
    /// Keeps a second Belfry out of the data folder.
    _data_lock: Box<dyn Send + Sync>,
}

impl App {
    /// Opens everything in the data folder. Nothing runs yet.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn build(
        world: World,
        config: Config,
        environment: Environment,
        log: Logger,
        metrics: SelfMetrics,
    ) -> Result<Arc<App>, StartError> {
        let opening_world = world.clone();
        let path = config.data.join("incidents.sqlite");
        let incidents = world
            .run_blocking(move || {
                let parent = path.parent().unwrap_or(Path::new(".")).to_owned();
                opening_world
                    .disk
                    .create_dir_all(&parent)
                    .map_err(|error| error.to_string())?;
                SqliteIncidents::open(&path).map_err(|error| error.to_string())
            })
            .await
            .map_err(|error| StartError::Open(format!("{}: {error}", config.data.display())))?;
        App::build_with(world, config, environment, log, metrics, incidents).await
    }

    /// The same with another incident store, for simulation.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn build_with(
        world: World,
        config: Config,
        environment: Environment,
        log: Logger,
        metrics: SelfMetrics,
        incidents: impl IncidentStore + 'static,
    ) -> Result<Arc<App>, StartError> {
        let now = Timestamp::from(world.clock.now());
        let setup = read_setup(&world, &environment, &config)
            .await
            .map_err(StartError::Plan)?;
        announce(&log, &setup);
        let data_lock = lock_data(&world, &config.data).await?;
        let (metrics_backend, logs) = open_stores(&world, &config, &setup, &log).await?;
        let setup = Arc::new(CurrentSetup::new(setup));
        let metrics = Arc::new(metrics);
        let desk = Desk::open(world.clone(), incidents, setup.clone(), metrics.clone())
            .map_err(|error| StartError::Open(error.to_string()))?;
        let recorder = Arc::new(Recorder::new(metrics_backend.clone()));
        let progress = Arc::new(Progress::default());
        let watched = |name: &str| progress.watch(&world, name, TURN_MAX);
        let intake = Intake::new(
            watched("log counts"),
            logs.clone(),
            setup.clone(),
            metrics.clone(),
        );
        let objectives = Objectives::new(
            progress.watch(&world, "objectives", MAINTENANCE_TURN_MAX),
            setup.clone(),
            metrics_backend.clone(),
            recorder.clone(),
            metrics.clone(),
        );
        let (desk, intake) = (Arc::new(desk), Arc::new(intake));
        let (scrapes, probes): (Arc<ScrapeBoard>, Arc<ProbeBoard>) = Default::default();
        let sources = Sources {
            setup: setup.clone(),
            scrapes: scrapes.clone(),
            probes: probes.clone(),
            recorder: recorder.clone(),
            intake: intake.clone(),
            logs: logs.clone(),
            desk: desk.clone(),
            metrics_backend: metrics_backend.clone(),
            metrics: metrics.clone(),
        };
        let coverage = Coverage::new(watched("coverage"), sources, now);
        Ok(Arc::new(App {
            world,
            config,
            environment,
            log,
            started_at: now,
            setup,
            metrics,
            metrics_backend,
            logs,
            intake,
            ingest_turns: Semaphore::new(INGESTS_AT_ONCE),
            alert_turns: Semaphore::new(ALERT_REQUESTS_AT_ONCE),
            desk,
            scrapes,
            probes,
            rule_board: Arc::default(),
            objectives: Arc::new(objectives),
            recorder,
            coverage: Arc::new(coverage),
            drill_asked: Asked::default(),
            progress,
            tasks: Tasks::default(),
            plan_tasks: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            reload_error: Mutex::default(),
            _data_lock: data_lock,
        }))
    }

    /// All addresses, as a service that runs without a socket too.
    pub fn router(self: &Arc<App>) -> Router {
        crate::http::router(self.clone(), AllowedHosts::of(self.config.listen))
    }

    /// Starts every loop.
    pub async fn start(self: &Arc<App>) {
        self.spawn("sync", self.upkeep("sync", TURN_MAX).run_sync());
        let maintenance = self.upkeep("maintenance", MAINTENANCE_TURN_MAX);
        self.spawn("maintenance", maintenance.run_maintain());
        let escalation = self.upkeep("escalation", TURN_MAX);
        self.spawn("escalation", escalation.run_escalation());
        self.spawn("outbox", self.outbox().run());
        self.spawn("procedures", self.runner().run());
        self.spawn("objectives", self.objectives.clone().run());
        let counts = self.intake.clone().run_counts(self.recorder.clone());
        self.spawn("log counts", counts);
        let own = run_own(
            self.watched("own metrics"),
            self.config.listen.to_string(),
            self.metrics.clone(),
            self.recorder.clone(),
        );
        self.spawn("own metrics", own);
        let presence = presence::run(
            self.watched("metric presence"),
            self.setup.clone(),
            self.scrapes.clone(),
            self.recorder.clone(),
            self.metrics.clone(),
        );
        self.spawn("metric presence", presence);
        self.spawn("coverage", self.coverage.clone().run());
        let heartbeats = heartbeats::run(
            self.watched("heartbeats"),
            self.desk.clone(),
            self.setup.clone(),
            self.recorder.clone(),
            self.metrics.clone(),
        );
        self.spawn("heartbeats", heartbeats);
        let deployments = DeploymentWatch {
            world: self.watched("deployments"),
            backend: self.metrics_backend.clone(),
            desk: self.desk.clone(),
            setup: self.setup.clone(),
            log: self.log.clone(),
        };
        self.spawn("deployments", deployments.run());
        self.spawn("drills", self.drill_runner().run());
        let switch = switch::run(Arc::downgrade(self), self.world.clone(), self.log.clone());
        self.spawn("dead man's switch", switch);
        self.start_plan();
    }

    /// Ends every loop and syncs the stores. Nothing that was acknowledged is lost without it; with it, nothing at all.
    pub async fn drain(&self) {
        let plan_tasks = self.plan_tasks();
        let mut late = plan_tasks.shut_down(DRAIN_BOUND).await;
        late.extend(self.tasks.shut_down(DRAIN_BOUND).await);
        if !late.is_empty() {
            self.log
                .warn("tasks did not end in time")
                .field("tasks", late.join(", ").as_str())
                .emit();
        }
        drill::end_faults(&self.world, &self.desk, &self.environment, &self.log).await;
        self.upkeep("last sync", TURN_MAX).sync().await;
    }

    /// Ends every loop at once, without a sync, as a kill would: for crash tests.
    pub async fn abort(&self) {
        self.plan_tasks().shut_down(Duration::ZERO).await;
        self.tasks.shut_down(Duration::ZERO).await;
    }

    /// Reads the plan, with all that it includes, and the contacts anew. A broken plan changes nothing but what [`App::reload_error`] says. Runs to its
    /// end even when the caller goes away: a half-done reload would leave no loops at all.
    ///
    /// # Errors
    /// All errors of the plan, as text.
    pub async fn reload(self: &Arc<App>) -> Result<(), String> {
        let app = self.clone();
        run_to_end(async move { app.reload_now().await }).await
    }

    async fn reload_now(self: &Arc<App>) -> Result<(), String> {
        let _one_at_a_time = self.reloading.lock().await;
        let read = read_setup(&self.world, &self.environment, &self.config).await;
        let setup = match read.and_then(|setup| self.fits_running(setup)) {
            Ok(setup) => setup,
            Err(text) => {
                self.metrics.reload_failures.inc();
                self.log
                    .error("the reload was refused; the old plan stays in force")
                    .field("errors", text.as_str())
                    .emit();
                *lock(&self.reload_error) = Some(text.clone());
                return Err(text);
            }
        };
        announce(&self.log, &setup);
        self.plan_tasks().shut_down(DRAIN_BOUND).await;
        self.setup.replace(setup);
        *lock(&self.reload_error) = None;
        self.start_plan();
        Ok(())
    }

    /// Stores are opened with the plan's retention; another one needs a restart, and says so instead of half holding.
    fn fits_running(&self, setup: Setup) -> Result<Setup, String> {
        let running = self.setup.get();
        let classes = |plan: &plan::Plan| {
            plan.logs
                .classes
                .iter()
                .map(|class| (class.name.clone(), class.keep))
                .collect::<Vec<_>>()
        };
        if classes(&running.plan) != classes(&setup.plan)
            || running.plan.metrics_retention != setup.plan.metrics_retention
        {
            return Err("the plan changes how long logs or samples are kept; restart Belfry to put that in force".to_owned());
        }
        Ok(setup)
    }

    /// Why the last reload was refused, if it was.
    pub fn reload_error(&self) -> Option<String> {
        lock(&self.reload_error).clone()
    }

    /// The address that people use.
    pub(crate) fn external_url(&self) -> String {
        format!("http://{}", self.config.listen)
    }

    /// The plan's file.
    pub fn plan_path(&self) -> &str {
        self.config.plan_path.to_str().unwrap_or("")
    }

    /// What is broken beyond repair: loops that ended.
    pub(crate) fn broken(&self) -> Option<String> {
        let ended = self.ended();
        (!ended.is_empty()).then(|| format!("loops ended: {}", ended.join(", ")))
    }

    /// Loops that ended or do not come back.
    pub(crate) fn trouble(&self) -> Vec<String> {
        let mut trouble = self.ended();
        trouble.extend(self.progress.stalled(self.world.clock.monotonic()));
        trouble
    }

    fn ended(&self) -> Vec<String> {
        let mut ended = self.tasks.ended_early();
        ended.extend(self.plan_tasks().ended_early());
        ended
    }

    /// Why Belfry does not do its work at present.
    pub(crate) fn not_ready(&self) -> Option<String> {
        if let Some(broken) = self.broken() {
            return Some(broken);
        }
        let stalled = self.progress.stalled(self.world.clock.monotonic());
        if !stalled.is_empty() {
            return Some(format!("loops do not come back: {}", stalled.join(", ")));
        }
        if self.desk.is_refused() {
            return Some(
                "the incident store refuses to write: alerts cannot open incidents".to_owned(),
            );
        }
        let silence = self.rule_board.silence(self.world.clock.monotonic());
        let rules = self.setup.get().plan.rules().count();
        (rules > 0 && silence > EVALUATION_SILENCE_MAX)
            .then(|| format!("no rule was evaluated for {} s", silence.as_secs()))
    }

    /// Begins a drill.
    ///
    /// # Errors
    /// [`DrillRefused`]; each variant says what to do.
    pub async fn drill(&self, request: DrillRequest) -> Result<Drill, DrillRefused> {
        let setup = self.setup.get();
        let now = Timestamp::from(self.world.clock.now());
        drill::ask(&self.desk, &setup.plan, &self.drill_asked, request, now).await
    }

    fn plan_tasks(&self) -> Arc<Tasks> {
        lock(&self.plan_tasks).clone()
    }

    /// Starts the loops of the plan in force.
    fn start_plan(self: &Arc<App>) {
        let tasks = Arc::new(Tasks::default());
        let setup = self.setup.get();
        let plan = &setup.plan;
        self.scrapes.retain(|job, instance| {
            plan.targets
                .iter()
                .any(|t| t.job == job && t.instance == instance)
        });
        self.probes
            .retain(|name| plan.probes.iter().any(|probe| probe.name == name));
        let scrapers: Vec<Scraper> = plan
            .targets
            .iter()
            .map(|target| {
                Scraper::new(
                    target.clone(),
                    self.watched(&format!("scrape {}", target.url)),
                    self.metrics_backend.clone(),
                    self.scrapes.clone(),
                    self.metrics.clone(),
                )
            })
            .collect();
        for probe in &plan.probes {
            let prober = Prober {
                probe: probe.clone(),
                world: self.watched(&format!("probe {}", probe.name)),
                recorder: self.recorder.clone(),
                board: self.probes.clone(),
                metrics: self.metrics.clone(),
            };
            tasks.spawn_until_stop(&format!("probe {}", probe.name), prober.run());
        }
        for group in &plan.rule_groups {
            let group_loop = RuleGroupLoop {
                group: group.clone(),
                world: self.watched(&format!("rules {}", group.name)),
                backend: self.metrics_backend.clone(),
                scrapes: self.scrapes.clone(),
                probes: self.probes.clone(),
                board: self.rule_board.clone(),
                desk: self.desk.clone(),
                metrics: self.metrics.clone(),
                log: self.log.clone(),
                recorder: self.recorder.clone(),
                shown: Mutex::default(),
            };
            tasks.spawn_until_stop(&format!("rules {}", group.name), group_loop.run());
        }
        // After the rules, which wait for scrapes: those that follow one must hear of the first.
        for (target, scraper) in plan.targets.iter().zip(scrapers) {
            tasks.spawn_until_stop(&format!("scrape {}", target.url), scraper.run());
        }
        if let Some(host) = &plan.host {
            let collector = HostCollector {
                world: self.watched("host"),
                recorder: self.recorder.clone(),
                metrics: self.metrics.clone(),
                interval: host.interval,
            };
            tasks.spawn_until_stop("host", collector.run());
        }
        for file in &plan.logs.follow {
            let dir = self.config.data.join("follow");
            let world = self.watched(&format!("follow {}", file.path));
            let follower = Follower::new(file.clone(), world, self.intake.clone(), &dir);
            tasks.spawn(
                &format!("follow {}", file.path),
                follower.run(tasks.stop_token()),
            );
        }
        *lock(&self.plan_tasks) = tasks;
    }

    fn spawn(&self, name: &str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_until_stop(name, work);
    }

    /// The world for one loop, whose turns are watched.
    fn watched(&self, name: &str) -> World {
        self.progress.watch(&self.world, name, TURN_MAX)
    }

    fn upkeep(&self, name: &str, turn_max: Duration) -> Upkeep {
        Upkeep {
            world: self.progress.watch(&self.world, name, turn_max),
            metrics_backend: self.metrics_backend.clone(),
            logs_backend: self.logs.clone(),
            desk: self.desk.clone(),
            metrics: self.metrics.clone(),
            log: self.log.clone(),
        }
    }

    fn outbox(&self) -> Outbox {
        Outbox {
            world: self.watched("outbox"),
            desk: self.desk.clone(),
            setup: self.setup.clone(),
            environment: self.environment.clone(),
            metrics: self.metrics.clone(),
            log: self.log.clone(),
            external_url: self.external_url(),
        }
    }

    fn drill_runner(&self) -> DrillRunner {
        DrillRunner {
            // A virtual drill plays hours in one turn.
            world: self
                .progress
                .watch(&self.world, "drills", MAINTENANCE_TURN_MAX),
            desk: self.desk.clone(),
            setup: self.setup.clone(),
            environment: self.environment.clone(),
            board: self.rule_board.clone(),
            recorder: self.recorder.clone(),
            metrics: self.metrics.clone(),
            log: self.log.clone(),
            external_url: self.external_url(),
            asked: self.drill_asked.clone(),
        }
    }

    fn runner(&self) -> Runner {
        Runner {
            world: self.watched("procedures"),
            desk: self.desk.clone(),
            setup: self.setup.clone(),
            environment: self.environment.clone(),
            metrics_backend: self.metrics_backend.clone(),
            logs: self.logs.clone(),
            metrics: self.metrics.clone(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code panics while it holds this lock")
}
