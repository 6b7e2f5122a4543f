//! The real drill of an alert: the service is broken by its own switch, the running rules, desk and outbox do what they always do, and
//! the drill watches, acknowledges, mends the service and waits for the end.
//!
//! The drill is on record as running, with what ends its fault, before the fault is injected: whatever happens from there on (an
//! error, a time that passes, kill -9), the fault is ended, by this run or by the next. When the alert does not end in time after
//! that, it is real, and people are told of it from minute 0.

use std::time::Duration;

use alerting::{Incident, IncidentId, Phase};
use model::Timestamp;
use plan::{AlertRule, Plan};

use super::runner::DrillRunner;
use super::steps::Steps;
use super::virtual_drill::{level, told_of_end};
use super::witness::window;
use crate::incident::{Drill, DrillOutcome, DrillState, IncidentDetail, IncidentStoreError};
use crate::procedures::call_for_drill;
use crate::report::TOLD_WITHIN;

/// How often the drill looks: as often as the desk does.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a page may wait for the evidence of its procedure, besides what a level is given.
const EVIDENCE: Duration = Duration::from_secs(5);
/// How long pages are waited for before they count as not accepted.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(60);
/// The pause before the end of a fault is tried again, and before a store that refuses is.
const RETRY: Duration = Duration::from_secs(5);
/// What is given to the end of an alert besides the window and the `for` of its rule: a service takes its time to recover.
const RECOVERY: Duration = Duration::from_secs(2 * 60);

/// How long after the fault an alert has ended, by its rule: its window must empty, and what it keeps firing for must pass.
pub(super) fn calm_within(plan: &Plan, rule: &AlertRule) -> Duration {
    let scraped = plan.targets.iter().map(|target| target.interval).max();
    let evaluated = plan.rule_groups.iter().map(|group| group.interval).max();
    let rounds = scraped.unwrap_or_default() + evaluated.unwrap_or_default();
    window(&rule.expr.parsed) + rule.hold + rule.keep_firing + 2 * rounds + RECOVERY
}

/// A real drill that is under way.
pub(super) struct RealDrill<'a> {
    runner: &'a DrillRunner,
    drill: Drill,
    steps: Steps,
}

impl<'a> RealDrill<'a> {
    pub(super) fn new(runner: &'a DrillRunner, drill: Drill) -> RealDrill<'a> {
        let mut steps = Steps::since(drill.asked_at);
        steps.found.clone_from(&drill.steps);
        RealDrill {
            runner,
            drill,
            steps,
        }
    }

    /// Drills from the beginning, or winds up what an earlier run of the program began.
    pub(super) async fn run(mut self) {
        if self.drill.state == DrillState::Running {
            let text = "Belfry was started anew during the drill; the fault is ended";
            self.steps.note("drill", DrillOutcome::Failed, text);
        } else {
            if let Err(why) = self.begin().await {
                self.steps.note("drill", DrillOutcome::Failed, why);
                self.finish().await;
                return;
            }
            self.break_and_watch().await;
        }
        self.wind_up().await;
        self.finish().await;
    }

    fn now(&self) -> Timestamp {
        self.runner.now()
    }

    /// Takes the alert, and writes down that its fault must be ended, before anything is broken.
    async fn begin(&mut self) -> Result<(), String> {
        let desk = &self.runner.desk;
        desk.begin_drill(&self.drill.alert, self.drill.pages)
            .await
            .map_err(|error| error.to_string())?;
        self.drill.state = DrillState::Running;
        let written = self.save().await;
        if let Err(error) = written {
            self.release("it could not be written down").await;
            return Err(error.to_string());
        }
        Ok(())
    }

    /// The first half: until somebody has the incident, or something did not come.
    async fn break_and_watch(&mut self) {
        let setup = self.runner.setup.get();
        let fault = setup.plan.drills.fault(&self.drill.alert).cloned();
        let rule = setup
            .plan
            .rules()
            .find(|(_, rule)| rule.name == self.drill.alert)
            .map(|(group, rule)| (group.interval, rule.clone()));
        let (Some(fault), Some((interval, rule))) = (fault, rule) else {
            let text = "the plan was changed and no longer has this fault";
            self.steps.note("fault", DrillOutcome::Failed, text);
            return;
        };
        let runner = self.runner;
        let (world, environment) = (&runner.world, &runner.environment);
        let injected = call_for_drill(world, environment, &fault.inject, self.drill.id).await;
        match injected {
            Ok(said) => self.steps.note("fault", DrillOutcome::Passed, said),
            Err(why) => {
                self.steps.note("fault", DrillOutcome::Failed, why);
                return;
            }
        }
        self.show().await;
        let fires_by = self.now() + fault.within;
        if !self.fires(&rule, interval, fires_by).await {
            return;
        }
        self.show().await;
        self.is_told_and_acknowledged().await;
        self.show().await;
    }

    /// Waits for pending and firing; whether it fired.
    async fn fires(&mut self, rule: &AlertRule, interval: Duration, by: Timestamp) -> bool {
        let mut pending: Option<Timestamp> = None;
        loop {
            let state = self.runner.desk.rule_state(&rule.name).await;
            let first = state.instances.values().min_by_key(|own| own.since);
            if let (None, Some(instance)) = (pending, first) {
                pending = Some(instance.since);
                if rule.hold > Duration::ZERO {
                    self.steps.timed("pending", by, pending, "");
                    self.show().await;
                }
            }
            let fired = state.instances.values().find_map(|own| match own.phase {
                Phase::Firing { fired_at } => Some((own.since, fired_at)),
                Phase::Pending => None,
            });
            if let Some((since, fired_at)) = fired {
                // What held all the time fires one evaluation after its `for` at the latest; the evaluation waits for a scrape.
                let promised = (since + rule.hold + 2 * interval).min(by);
                let why = self.runner.why(&rule.name);
                return self.steps.timed("firing", promised, Some(fired_at), why);
            }
            if self.now() >= by {
                if pending.is_none() {
                    self.steps
                        .timed("pending", by, None, "the condition never held");
                }
                let why = self.runner.why(&rule.name);
                return self.steps.timed("firing", by, None, why);
            }
            self.pause().await;
        }
    }

    /// The incident, the first level's pages, and the acknowledgement.
    async fn is_told_and_acknowledged(&mut self) {
        let Some(incident) = self.open().await else {
            let text = "no incident opened as a drill";
            self.steps.note("incident", DrillOutcome::Failed, text);
            return;
        };
        let (id, opened) = (incident.id(), incident.head.opened_at);
        self.drill.incident = Some(id);
        let text = format!("incident {id}");
        let fired = incident.firing().map(|(_, own)| own.started_at).min();
        let promised = fired.unwrap_or(opened) + TOLD_WITHIN;
        self.steps.timed("incident", promised, Some(opened), text);
        self.first_level(id, opened + EVIDENCE + ACCEPTED_WITHIN)
            .await;
        let at = self.now();
        let desk = &self.runner.desk;
        let taken = desk.acknowledge(id, &self.drill.by, "a drill", at).await;
        let promised = at + TOLD_WITHIN;
        match taken {
            Ok(()) => {
                let rests = self
                    .open()
                    .await
                    .is_some_and(|own| own.next_level().is_none());
                let text = if rests {
                    "the ladder rests"
                } else {
                    "the ladder goes on all the same"
                };
                let seen = rests.then(|| self.now());
                self.steps.timed("acknowledged", promised, seen, text);
            }
            Err(error) => {
                let text = error.to_string();
                self.steps.timed("acknowledged", promised, None, text);
            }
        }
    }

    async fn first_level(&mut self, id: IncidentId, patience_until: Timestamp) {
        loop {
            let detail = self.detail(id).await;
            let Some(detail) = detail else { return };
            if detail.incident.head.levels.is_empty() {
                let text = "the rule names no escalation policy: nobody is told";
                self.steps.note("level 1", DrillOutcome::Skipped, text);
                return;
            }
            let all_taken = detail.pages.iter().all(|page| page.delivered_at.is_some());
            let is_settled = all_taken && !detail.pages.is_empty();
            if is_settled || self.now() >= patience_until {
                level(
                    &mut self.steps,
                    &detail.incident,
                    0,
                    &detail.pages,
                    EVIDENCE,
                );
                return;
            }
            self.pause().await;
        }
    }

    /// The second half: the fault is ended, whatever happened, and what it caused must end too.
    async fn wind_up(&mut self) {
        let ended_at = self.end_fault().await;
        self.show().await;
        let calm_by = ended_at + self.drill.calm_within;
        loop {
            let state = self.runner.desk.rule_state(&self.drill.alert).await;
            let open = self.open().await;
            self.drill.incident = self.drill.incident.or(open.as_ref().map(Incident::id));
            if state.instances.is_empty() && open.is_none() {
                break;
            }
            if self.now() >= calm_by {
                let why = self.runner.why(&self.drill.alert);
                self.steps.timed("resolved", calm_by, None, why);
                self.release("the fault was ended, and the alert did not end in time")
                    .await;
                return;
            }
            self.pause().await;
        }
        let detail = match self.drill.incident {
            Some(id) => self.detail(id).await,
            None => None,
        };
        if let Some(detail) = detail
            && let Some(resolution) = &detail.incident.resolved
        {
            let (at, why) = (resolution.at, resolution.reason.in_words());
            self.steps.timed("resolved", calm_by, Some(at), why);
            self.is_told_of_end(detail.incident.id(), at).await;
        }
        self.release("the drill is over").await;
    }

    async fn is_told_of_end(&mut self, id: IncidentId, resolved: Timestamp) {
        loop {
            let Some(detail) = self.detail(id).await else {
                return;
            };
            let all_taken = detail.pages.iter().all(|page| page.delivered_at.is_some());
            if all_taken || self.now() >= resolved + ACCEPTED_WITHIN {
                told_of_end(&mut self.steps, &detail, resolved);
                return;
            }
            self.pause().await;
        }
    }

    /// Sends what ends the fault until it is taken. When that takes longer than the alert may, the alert turns real meanwhile.
    async fn end_fault(&mut self) -> Timestamp {
        let begun = self.now();
        let Some(request) = self.drill.end.clone() else {
            return begun;
        };
        let runner = self.runner;
        let mut failure: Option<String> = None;
        loop {
            let ended =
                call_for_drill(&runner.world, &runner.environment, &request, self.drill.id).await;
            match (ended, &failure) {
                (Ok(said), None) => self.steps.note("fault ended", DrillOutcome::Passed, said),
                (Ok(said), Some(why)) => {
                    let text = format!("{said}, after it had failed: {why}");
                    let at = self.now();
                    let promised = begun + TOLD_WITHIN;
                    self.steps.timed("fault ended", promised, Some(at), text);
                }
                (Err(why), _) => {
                    runner
                        .log
                        .error("the fault of a drill could not be ended; it is tried again")
                        .field("alert", self.drill.alert.as_str())
                        .field("error", why.as_str())
                        .emit();
                    failure = Some(why);
                    if self.now() >= begun + self.drill.calm_within {
                        self.release("its fault could not be ended").await;
                    }
                    runner.world.clock.sleep(RETRY).await;
                    continue;
                }
            }
            return self.now();
        }
    }

    /// Gives the alert back: from now on it is real, and so is what is still open.
    async fn release(&mut self, why: &str) {
        loop {
            let now = self.now();
            let ended = self
                .runner
                .desk
                .end_drill(&self.drill.alert, why, now)
                .await;
            let Ok(turned) = ended else {
                self.runner.world.clock.sleep(RETRY).await;
                continue;
            };
            for id in turned {
                let text = format!("incident {id} is real from now on: {why}");
                self.runner
                    .log
                    .warn("a drill turned real")
                    .field("alert", self.drill.alert.as_str())
                    .field("incident", id.0)
                    .emit();
                self.steps.note("turned real", DrillOutcome::Failed, text);
            }
            return;
        }
    }

    async fn finish(mut self) {
        self.drill.steps = self.steps.found;
        self.runner.finish(self.drill).await;
    }

    /// The drill's incident, while it is open.
    async fn open(&self) -> Option<Incident> {
        let open = self.runner.desk.open_incidents().await;
        open.into_iter()
            .find(|own| own.drill.is_some() && own.head.title == self.drill.alert)
    }

    async fn detail(&self, id: IncidentId) -> Option<IncidentDetail> {
        let desk = &self.runner.desk;
        let found = desk.with_store(move |store| store.detail(id)).await;
        found.ok().flatten()
    }

    /// Writes down how far it is, for those who watch. What the store refuses is written with the next step.
    async fn show(&mut self) {
        let _ = self.save().await;
    }

    async fn save(&mut self) -> Result<(), IncidentStoreError> {
        self.drill.steps.clone_from(&self.steps.found);
        self.runner.save(&self.drill).await
    }

    async fn pause(&self) {
        self.runner.world.clock.sleep(LOOK_EVERY).await;
    }
}
