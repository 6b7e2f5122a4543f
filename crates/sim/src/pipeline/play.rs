//! Plays a scenario: lives of the process one after the other over one store, with everything around them scripted.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use alerting::{Evaluation, IncidentId, IncidentState, Silence};
use model::{Labels, Matcher, Timestamp};
use monitor::incident::{Desk, IncidentFilter, SqliteIncidents};
use monitor::notify::Outbox;
use monitor::self_metrics::SelfMetrics;
use monitor::setup::{CurrentSetup, Setup};
use plan::{Channel, Contacts, Person, Plan};
use telemetry::log::Logger;
use world::sim::SimWorld;
use world::{Ticker, World};

use super::faulty_store::FaultyStore;
use super::mutants::{Mutant, Tampering};
use super::receivers;
use super::record::{Record, Shown, Verdict};
use super::scenario::{Action, EVALUATION_INTERVAL, LEVELS, Missing, RuleScript, Scenario};
use super::watch::Watch;

/// Monday, 2026-11-23 09:00:00 UTC.
const EPOCH_SECONDS: u64 = 1_795_424_400;
/// How often escalation deadlines are looked at, as in the product.
const TICK: Duration = Duration::from_secs(1);
/// For how long the calm is watched at least, and how often it is asked whether anything is still open.
const CALM_MIN: Duration = Duration::from_secs(60);
const CALM_STEP: Duration = Duration::from_secs(75);
/// An event whose time passed longer ago while the process was away does not happen.
const EVENT_LATE_MAX: Duration = Duration::from_millis(500);

/// A plan with one rule, of which the rules of scenarios are made.
const PLAN: &str = "
format: 1
service: campaign
targets:
  - {job: app, url: 'http://127.0.0.1:1/metrics', interval: 15s, timeout: 5s}
metrics:
  - {name: badness, type: gauge, meaning: How bad it is., group: application}
rule_groups:
  - name: all
    interval: 15s
    rules:
      - {alert: Rule, expr: 'badness > 1', severity: critical, escalation: ladder, summary: It is bad.}
logs:
  classes:
    - {name: DEBUG, level: DEBUG, keep: 7d}
    - {name: INFO, level: INFO, keep: 30d}
    - {name: WARN, level: WARN, keep: 90d}
    - {name: ERROR, level: ERROR, keep: 1y}
escalation_policies:
  - name: ladder
    levels:
      - {after: 0, roles: [level-1]}
      - {after: 15m, roles: [level-2]}
      - {after: 30m, roles: [level-3]}
";

static BASE: LazyLock<Plan> = LazyLock::new(|| {
    let (plan, diagnostics) = plan::parse("campaign", PLAN);
    plan.unwrap_or_else(|| panic!("the campaign's plan is valid: {diagnostics:?}"))
});

/// Plays a scenario to its end, with a planted defect if one is given. Call in a runtime with one thread and a paused
/// clock.
pub async fn run(scenario: &Scenario, mutant: Option<Mutant>) -> Record {
    run_with(scenario, mutant, |_| {}).await
}

/// The same with a plan that a test changed further.
pub async fn run_with(
    scenario: &Scenario,
    mutant: Option<Mutant>,
    change: impl FnOnce(&mut Setup),
) -> Record {
    let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH_SECONDS);
    let sim = SimWorld::new(scenario.seed, epoch);
    let clock: Arc<dyn world::Clock> = sim.clock.clone();
    let watch = Arc::new(Watch::new(scenario, clock.clone()));
    receivers::plug_in(scenario, &sim.net, &clock, &watch);
    let path = PathBuf::from(format!(
        "file:pipeline-{:p}?mode=memory&cache=shared",
        Arc::as_ptr(&sim.clock)
    ));
    // SQLite forgets a shared database in memory with its last connection; this one outlives the process's lives.
    let _keeper = SqliteIncidents::open(&path).expect("SQLite has memory");
    let mut setup = setup_of(scenario, Timestamp::from(epoch));
    change(&mut setup);
    let machine = Machine {
        scenario,
        // One world for all lives: a new one would draw the same random numbers, and ids would come again.
        world: sim.world(),
        sim,
        watch,
        path,
        setup: Arc::new(CurrentSetup::new(setup)),
        tampering: Tampering::by(mutant),
    };
    machine.play().await
}

fn setup_of(scenario: &Scenario, loaded_at: Timestamp) -> Setup {
    let mut plan = BASE.clone();
    let template = plan.rule_groups[0].rules[0].clone();
    let rule = |script: &RuleScript| plan::AlertRule {
        name: script.name.clone(),
        severity: script.severity,
        hold: script.hold,
        ..template.clone()
    };
    plan.rule_groups[0].rules = scenario.rules.iter().map(rule).collect();
    let policy = &mut plan.escalation_policies[0];
    policy.acknowledgement_expires = scenario.acknowledgement_expires;
    assert!(
        policy.levels.iter().map(|level| level.after).eq(LEVELS),
        "the plan's levels are those that are judged"
    );
    let channel = |name: &str, index| Channel::Webhook {
        url: format!("http://{}/", receivers::authority(name, index)),
        token: None,
        signing_key: None,
    };
    let people = scenario.people.iter().map(|script| Person {
        name: script.name.clone(),
        roles: vec![format!("level-{}", script.level)],
        channels: (0..script.channels.len())
            .map(|index| channel(&script.name, index))
            .collect(),
    });
    Setup {
        plan,
        files: Vec::new(),
        contacts: Contacts {
            people: people.collect(),
            ..Contacts::default()
        },
        loaded_at,
    }
}

/// The labels that the rule's expression gives for an instance.
fn series(instance: usize) -> Labels {
    Labels::from_pairs([("instance", instance.to_string().as_str())])
}

/// All labels of an alert, as the desk knows it.
pub(super) fn alert(rule: &RuleScript, instance: usize) -> Labels {
    series(instance)
        .with("alertname", &rule.name)
        .with("severity", rule.severity.as_str())
}

struct Machine<'a> {
    scenario: &'a Scenario,
    world: World,
    sim: SimWorld,
    watch: Arc<Watch>,
    path: PathBuf,
    setup: Arc<CurrentSetup>,
    tampering: Tampering,
}

impl Machine<'_> {
    async fn play(&self) -> Record {
        loop {
            let (desk, outbox) = self.start();
            let ended = self.live(&desk, outbox).await;
            drop(desk);
            if ended {
                break;
            }
        }
        let (desk, _) = self.start();
        let list = |store: &mut dyn monitor::incident::IncidentStore| {
            let mut ids: Vec<IncidentId> = store
                .incidents(IncidentFilter::All, usize::MAX)?
                .iter()
                .map(alerting::Incident::id)
                .collect();
            ids.sort_unstable();
            let details = ids
                .into_iter()
                .filter_map(|id| store.detail(id).transpose());
            details.collect::<Result<Vec<_>, _>>()
        };
        let incidents = desk.with_store(list).await.expect("the store is healed");
        let mut record = self.watch.take_record();
        record.incidents = incidents;
        record
    }

    fn start(&self) -> (Arc<Desk>, Outbox) {
        let world = self.world.clone();
        let store = FaultyStore {
            inner: SqliteIncidents::open(&self.path).expect("SQLite has memory"),
            watch: self.watch.clone(),
            tampering: self.tampering.clone(),
        };
        let metrics = Arc::new(SelfMetrics::new());
        let desk = Desk::open(world.clone(), store, self.setup.clone(), metrics.clone())
            .expect("the desk opens over whatever a crash left");
        let desk = Arc::new(desk);
        let outbox = Outbox {
            world,
            desk: desk.clone(),
            setup: self.setup.clone(),
            environment: Arc::new(|_| None),
            metrics,
            log: Logger::silent(),
            external_url: "http://belfry.test".to_owned(),
        };
        (desk, outbox)
    }

    /// One life of the process; whether the run ended with it. At the end of a life everything is dropped where it stands,
    /// as a kill would.
    async fn live(&self, desk: &Desk, outbox: Outbox) -> bool {
        let pause = tokio::select! {
            // A dead process does nothing more. Then: what people do just before the loops of the same instant, the loops,
            // and what people do just after them.
            biased;
            pause = self.watch.died() => pause,
            () = self.crash_on_time() => self.watch.died().await,
            () = self.end() => return true,
            () = self.events(desk, true) => unreachable!("people stay"),
            () = self.others(desk) => unreachable!("other programs stay"),
            () = self.evaluations(desk) => unreachable!("rules are evaluated for ever"),
            () = self.ticks(desk) => unreachable!("escalation ticks for ever"),
            () = self.events(desk, false) => unreachable!("people stay"),
            () = outbox.run() => unreachable!("the outbox runs for ever"),
        };
        let since = self.watch.now();
        self.watch.note_unnoticed();
        // When the script ends, nothing is broken any more.
        let rest = self.scenario.length.saturating_sub(since);
        self.world.clock.sleep(pause.min(rest)).await;
        self.watch.is_back(since);
        false
    }

    async fn end(&self) {
        self.sleep_until(self.scenario.length).await;
        self.watch.heal();
        self.sleep_until(self.scenario.calm_from() + CALM_MIN).await;
        while self.watch.shows_any() && self.watch.now() < self.scenario.end() {
            self.world.clock.sleep(CALM_STEP).await;
        }
        // The last pages leave.
        self.world.clock.sleep(CALM_STEP).await;
    }

    async fn crash_on_time(&self) {
        match self.watch.next_crash() {
            Some(at) => self.sleep_until(at).await,
            None => std::future::pending().await,
        }
        self.watch.dies_on_time();
    }

    async fn sleep_until(&self, at: Duration) {
        let rest = at.saturating_sub(self.watch.now());
        self.world.clock.sleep(rest).await;
    }

    async fn ticks(&self, desk: &Desk) {
        let mut ticker = Ticker::new(self.world.clock.clone(), TICK, Duration::ZERO);
        loop {
            let now = Timestamp::from(ticker.tick().await.at);
            // A store that fails is made up for by the next tick.
            let _ = desk.tick(now).await;
            self.look(desk).await;
        }
    }

    async fn evaluations(&self, desk: &Desk) {
        let mut ticker = Ticker::new(
            self.world.clock.clone(),
            EVALUATION_INTERVAL,
            Duration::ZERO,
        );
        let setup = self.setup.get();
        loop {
            let now = Timestamp::from(ticker.tick().await.at);
            for (index, script) in self.scenario.rules.iter().enumerate() {
                let (evaluation, verdicts) = evaluate(script, self.watch.now());
                let evaluation = self.tampering.evaluation(evaluation);
                let rule = &setup.plan.rule_groups[0].rules[index];
                let taken = desk.evaluate(rule, &evaluation, "scripted", now).await;
                if self.watch.is_dead() {
                    return std::future::pending().await;
                }
                self.watch.evaluated(index, verdicts, taken.is_ok());
                self.look(desk).await;
            }
        }
    }

    /// Looks at the list of open incidents, if anything was recorded since the last look.
    async fn look(&self, desk: &Desk) {
        if !self.watch.has_news() {
            return;
        }
        let open = desk.open_incidents().await;
        let shown = open.iter().map(|incident| {
            let rests = incident.state() == IncidentState::Acknowledged || incident.held.is_some();
            let shown = if rests { Shown::Resting } else { Shown::Open };
            (incident.id().0, shown)
        });
        self.watch.shows(&shown.collect::<BTreeMap<_, _>>());
    }

    async fn events(&self, desk: &Desk, first: bool) {
        for (index, event) in self.scenario.events.iter().enumerate() {
            if event.first != first {
                continue;
            }
            self.sleep_until(event.at).await;
            let is_late = self.watch.now() > event.at + EVENT_LATE_MAX;
            if self.watch.takes_event(index) && !is_late {
                self.act(desk, event.action).await;
                self.look(desk).await;
            }
        }
        std::future::pending().await
    }

    /// Other programs send their alerts; not again if they are refused.
    async fn others(&self, desk: &Desk) {
        for (at, alerts) in &self.scenario.received {
            if *at < self.watch.now() {
                continue;
            }
            self.sleep_until(*at).await;
            let now = Timestamp::from(self.world.clock.now());
            let _ = desk.receive(alerts, now).await;
        }
        std::future::pending().await
    }

    async fn act(&self, desk: &Desk, action: Action) {
        let now = Timestamp::from(self.world.clock.now());
        let open = desk.open_incidents().await;
        let of_rule = |rule: usize| {
            let name = self.scenario.rules[rule].name.as_str();
            let fires = |incident: &&alerting::Incident| {
                let mut firing = incident.firing();
                firing.any(|(labels, _)| labels.get("alertname") == Some(name))
            };
            open.iter().find(fires).map(alerting::Incident::id)
        };
        let (incident, done) = match action {
            Action::Acknowledge(rule) => match of_rule(rule) {
                Some(id) if self.tampering.ignores_acknowledgements() => {
                    (Some(id), desk.note(id, "ada", "looking", now).await.is_ok())
                }
                Some(id) => {
                    let done = desk.acknowledge(id, "ada", "looking", now).await;
                    (Some(id), done.is_ok())
                }
                None => (None, false),
            },
            Action::Resolve(rule) => match of_rule(rule) {
                Some(id) => (Some(id), desk.resolve(id, "ada", "", now).await.is_ok()),
                None => (None, false),
            },
            Action::Merge(from, into) => match (of_rule(from), of_rule(into)) {
                (Some(from), Some(into)) if from != into => {
                    (Some(from), desk.merge(from, into, "ada", now).await.is_ok())
                }
                _ => (None, false),
            },
            Action::Silence(rule, length) => (None, self.silence(desk, rule, length, now).await),
            Action::EndSilence(rule) => (None, self.end_silence(desk, rule, now).await),
            Action::Jump(by_ms) => {
                self.sim.clock.jump(by_ms);
                (None, true)
            }
        };
        // Whoever acts in the moment of a death does not learn whether it was done.
        let done = done && !self.watch.is_dead();
        self.watch.acted(action, incident.map(|id| id.0), done);
    }

    async fn silence(&self, desk: &Desk, rule: usize, length: Duration, now: Timestamp) -> bool {
        let silence = Silence {
            id: String::new(),
            matchers: vec![Matcher::equal("alertname", &self.scenario.rules[rule].name)],
            starts_at: now,
            ends_at: now + length,
            author: "ada".to_owned(),
            reason: "work".to_owned(),
            updated_at: now,
        };
        desk.put_silence(silence, now).await.is_ok()
    }

    /// Ends every silence of a rule; whether there was one that held.
    async fn end_silence(&self, desk: &Desk, rule: usize, now: Timestamp) -> bool {
        let name = &self.scenario.rules[rule].name;
        let mut was_there = false;
        for silence in desk.silences().await {
            if silence.is_active(now) && silence.matchers[0].value() == name {
                was_there |= matches!(desk.end_silence(&silence.id, now).await, Ok(true));
            }
        }
        was_there
    }
}

/// What an evaluation of a rule says at a time, as the desk and as the checker read it.
fn evaluate(script: &RuleScript, at: Duration) -> (Evaluation, Vec<Verdict>) {
    let covers = |(from, until): &(Duration, Duration)| *from <= at && at < *until;
    let missing = script.missing.iter().find(|(span, _)| covers(span));
    let count = script.instances.len();
    match missing.map(|(_, how)| *how) {
        Some(Missing::Failed) => (Evaluation::Failed, vec![Verdict::Unknown; count]),
        Some(how @ (Missing::Incomplete | Missing::NoValue)) => {
            let complete = how == Missing::NoValue;
            let verdict = if complete {
                Verdict::NoValue
            } else {
                Verdict::Unknown
            };
            let evaluation = Evaluation::Done {
                active: Vec::new(),
                subject: Some(Vec::new()),
                complete,
            };
            (evaluation, vec![verdict; count])
        }
        None => {
            let verdicts: Vec<Verdict> = script
                .instances
                .iter()
                .map(|spans| {
                    if spans.iter().any(covers) {
                        Verdict::Holds
                    } else {
                        Verdict::DoesNotHold
                    }
                })
                .collect();
            let value = |verdict: &Verdict| if *verdict == Verdict::Holds { 2.0 } else { 0.5 };
            let subject: Vec<(Labels, f64)> = verdicts
                .iter()
                .enumerate()
                .map(|(index, verdict)| (series(index), value(verdict)))
                .collect();
            let active = subject.iter().filter(|(_, value)| *value > 1.0).cloned();
            let evaluation = Evaluation::Done {
                active: active.collect(),
                subject: Some(subject),
                complete: true,
            };
            (evaluation, verdicts)
        }
    }
}
