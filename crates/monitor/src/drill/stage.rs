//! The stage of a virtual drill: the very rule loop, desk, store and outbox that run when it is real, over a metrics store of
//! their own and a clock that is moved by hand. A second that passes here takes microseconds.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerting::{DrillPages, IncidentId};
use model::Timestamp;
use plan::{AlertRule, Contacts, Plan, RuleGroup};
use telemetry::log::Logger;

use super::sink::{sink_contacts, sink_environment, sink_world};
use super::witness::{Signals, Witness};
use crate::hand_clock::HandClock;
use crate::incident::{Desk, HistoryEntry, HistoryFilter, IncidentDetail, SqliteIncidents};
use crate::metrics::{EmbeddedMetrics, Recorder};
use crate::notify::Outbox;
use crate::rules::RuleGroupLoop;
use crate::scrape::{ScrapeBoard, TargetHealth, TargetStatus};
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Setup};

/// The only incident on a stage.
const FIRST: IncidentId = IncidentId(1);
/// After so many steps of time the others of this process have a turn.
const STEPS_BETWEEN_TURNS: u32 = 60;
/// The most entries of history that one play leaves.
const HISTORY_MAX: usize = 100;
/// More than any series of a drill lives.
const RETENTION: Duration = Duration::from_secs(400 * 24 * 3600);

/// Why a stage could not be set up or played on.
pub(super) type StageError = String;

/// Everything of one rule, set up to be played.
pub(super) struct Stage {
    rule: AlertRule,
    plan: Plan,
    clock: Arc<HandClock>,
    desk: Arc<Desk>,
    outbox: Outbox,
    rules: RuleGroupLoop,
    recorder: Arc<Recorder>,
    scrapes: Arc<ScrapeBoard>,
    signals: Signals,
    /// Until when the store has samples.
    fed_until: Timestamp,
    evaluated_at: Timestamp,
}

impl Stage {
    /// Sets everything up at a time, with series that begin to make the condition hold at `onset` and end it at `end`.
    pub(super) async fn set_up(
        plan: &Plan,
        contacts: &Contacts,
        group: &RuleGroup,
        witness: &Witness,
        (onset, end): (Timestamp, Timestamp),
    ) -> Result<Stage, StageError> {
        let rule = &group.rules[0];
        let at = onset - group.interval;
        let clock = Arc::new(HandClock::starting_at(at));
        let world = sink_world(clock.clone(), at);
        let setup = Arc::new(CurrentSetup::new(Setup {
            contacts: sink_contacts(contacts, &plan.escalation_policies),
            plan: alone(plan, group),
            files: Vec::new(),
            loaded_at: at,
        }));
        let metrics = Arc::new(SelfMetrics::new());
        let store = SqliteIncidents::in_memory().map_err(|error| error.to_string())?;
        let desk = Desk::open(world.clone(), store, setup.clone(), metrics.clone())
            .map_err(|error| error.to_string())?;
        desk.begin_drill(&rule.name, DrillPages::People)
            .await
            .map_err(|error| error.to_string())?;
        let desk = Arc::new(desk);
        let (backend, _) = EmbeddedMetrics::open(&world, Path::new("/drill"), RETENTION)
            .map_err(|error| error.to_string())?;
        let backend = Arc::new(backend);
        let recorder = Arc::new(Recorder::new(backend.clone()));
        let scrapes = Arc::new(ScrapeBoard::default());
        let mut signals = witness.signals(onset);
        witness.end(&mut signals, end);
        let rules = RuleGroupLoop {
            group: group.clone(),
            world: world.clone(),
            backend,
            scrapes: scrapes.clone(),
            probes: Arc::default(),
            board: Arc::default(),
            desk: desk.clone(),
            metrics: metrics.clone(),
            log: Logger::silent(),
            recorder: recorder.clone(),
            shown: Mutex::default(),
        };
        let outbox = Outbox {
            world,
            desk: desk.clone(),
            setup: setup.clone(),
            environment: sink_environment(),
            metrics,
            log: Logger::silent(),
            external_url: "http://drill.invalid".to_owned(),
        };
        let past = onset - witness.lead();
        let mut stage = Stage {
            rule: rule.clone(),
            plan: plan.clone(),
            clock,
            desk,
            outbox,
            rules,
            recorder,
            scrapes,
            signals,
            fed_until: past - Duration::from_millis(1),
            evaluated_at: at - group.interval,
        };
        stage.feed(at).await?;
        Ok(stage)
    }

    /// Lets time pass until a time, or until `is_over` says so; `is_over` is asked after each step with the time then. Steps are
    /// seconds while an incident is open, as the real loops take them, and evaluations otherwise.
    pub(super) async fn play(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        acknowledge_at: Option<Duration>,
    ) -> Result<(), StageError> {
        let interval = self.rules.group.interval;
        let mut now = from;
        let mut steps: u32 = 0;
        let mut was_open = false;
        while now <= until {
            self.step(now).await?;
            let open = self.desk.open_incidents().await;
            if let (Some(after), Some(incident)) = (acknowledge_at, open.first())
                && incident.acknowledged.is_none()
                && now.since(incident.head.opened_at) >= after
            {
                self.desk
                    .acknowledge(FIRST, "the drill", "", now)
                    .await
                    .map_err(|error| error.to_string())?;
            }
            if was_open && open.is_empty() {
                return Ok(());
            }
            was_open |= !open.is_empty();
            let next = self.evaluated_at + interval;
            now = if open.is_empty() {
                next
            } else {
                next.min(now + Duration::from_secs(1))
            };
            steps += 1;
            if steps.is_multiple_of(STEPS_BETWEEN_TURNS) {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn step(&mut self, now: Timestamp) -> Result<(), StageError> {
        self.clock.set(now);
        self.feed(now).await?;
        if now >= self.evaluated_at + self.rules.group.interval {
            self.evaluated_at = now;
            self.rules.evaluate_once(now).await;
        }
        let ticked = self.desk.tick(now).await;
        ticked.map_err(|error| error.to_string())?;
        self.outbox.send_due().await;
        Ok(())
    }

    /// Writes the samples that have come since the last time, as scrapes would.
    async fn feed(&mut self, now: Timestamp) -> Result<(), StageError> {
        let from = self.fed_until + Duration::from_millis(1);
        for at in self.signals.times(from, now) {
            let samples = self.signals.samples(at);
            let recorded = self.recorder.record(at, samples).await;
            recorded.map_err(|error| error.to_string())?;
        }
        self.fed_until = now;
        for target in &self.plan.targets {
            self.scrapes.update(TargetStatus {
                job: target.job.clone(),
                instance: target.instance.clone(),
                url: target.url.clone(),
                interval: target.interval,
                health: TargetHealth::Up,
                last_scrape: Some(now),
                last_error: None,
                duration: Duration::ZERO,
                samples: 0,
                names: std::collections::BTreeSet::new(),
                exposed: Arc::default(),
            });
        }
        Ok(())
    }

    /// The incident with everything that was written down about it, if it opened.
    pub(super) async fn incident(&self) -> Result<Option<IncidentDetail>, StageError> {
        let found = self.desk.with_store(|store| store.detail(FIRST)).await;
        found.map_err(|error| error.to_string())
    }

    /// What happened to the rule's alerts, the oldest first.
    pub(super) async fn history(&self) -> Result<Vec<HistoryEntry>, StageError> {
        let filter = HistoryFilter {
            rule: Some(self.rule.name.clone()),
            from: Timestamp::MIN,
            until: Timestamp::MAX,
            limit: HISTORY_MAX,
        };
        let found = self
            .desk
            .with_store(move |store| store.history(&filter))
            .await;
        let mut entries = found.map_err(|error| error.to_string())?;
        entries.reverse();
        Ok(entries)
    }

    /// What the rule's last evaluation found, in a sentence.
    pub(super) fn why(&self) -> String {
        let report = self.rules.board.report(&self.rule.name);
        report.error.unwrap_or(report.why)
    }
}

/// The plan with one rule, and without what would keep its pages back or gather evidence from what is not on the stage.
fn alone(plan: &Plan, group: &RuleGroup) -> Plan {
    Plan {
        rule_groups: vec![group.clone()],
        inhibitions: Vec::new(),
        maintenance_windows: Vec::new(),
        procedures: Vec::new(),
        ..plan.clone()
    }
}
