//! Gathers what was observed from the boards and stores.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{LogTime, Timestamp};
use plan::Plan;
use plan::coverage::{
    LastDelivery, LastDrill, Observed, ObservedClass, ObservedProbe, ObservedTarget, OwnSeries,
    TargetState,
};

use super::Coverage;
use crate::incident::{DeliveryAttempt, DrillOutcome};
use crate::probe::{Dependency, ProbeState, ProbeStatus, Verdict};
use crate::scrape::{TargetHealth, TargetStatus};

/// How many attempts to deliver are looked at: the last of each person is among them unless one incident pages a crowd.
const ATTEMPTS_MAX: usize = 500;

/// After how long without a sample a series of Belfry's own is no longer written: two turns of its slowest loop and some.
const OWN_SILENCE_MAX: Duration = Duration::from_secs(150);

/// How many drills are looked through: every alert of a large plan, drilled some times.
const DRILLS_MAX: usize = 2_000;

impl Coverage {
    pub(super) async fn observe(&self, plan: &Plan, now: Timestamp) -> Observed {
        let sources = &self.sources;
        let classes = classes(sources.logs.figures());
        let oldest_line = classes.values().filter_map(|class| class.oldest).min();
        let oldest_sample = sources.metrics_backend.figures().oldest;
        let kept_since = [Some(self.started_at), oldest_line, oldest_sample];
        Observed {
            now,
            started_at: self.started_at,
            kept_since: kept_since.into_iter().flatten().min(),
            targets: targets(plan, sources.scrapes.targets(), now),
            own: own_series(plan, sources.recorder.written(), now),
            probes: probes(plan, sources.probes.probes(), now),
            categories: sources.intake.categories.observed(now),
            classes,
            deliveries: self.deliveries().await,
            drills: self.drills().await,
        }
    }

    /// The last drill of every alert that ended. One that was called off says nothing.
    async fn drills(&self) -> BTreeMap<String, LastDrill> {
        let drills = self
            .sources
            .desk
            .with_store(|store| store.drills(None, DRILLS_MAX))
            .await;
        let mut last = BTreeMap::new();
        for drill in drills.unwrap_or_default() {
            let (Some(at), Some(outcome)) = (drill.ended_at, drill.outcome) else {
                continue;
            };
            if outcome == DrillOutcome::Skipped {
                continue;
            }
            let passed = outcome == DrillOutcome::Passed;
            last.entry(drill.alert).or_insert(LastDrill { at, passed });
        }
        last
    }

    async fn deliveries(&self) -> Vec<LastDelivery> {
        let attempts = self
            .sources
            .desk
            .with_store(|store| store.attempts(None, ATTEMPTS_MAX))
            .await;
        // What the store cannot say is not known, and nobody is called out of reach for it.
        last_deliveries(&attempts.unwrap_or_default())
    }
}

fn targets(plan: &Plan, seen: Vec<TargetStatus>, now: Timestamp) -> Vec<ObservedTarget> {
    let observed = |target: &plan::Target| {
        let own = |own: &&TargetStatus| own.job == target.job && own.instance == target.instance;
        let status = seen.iter().find(own);
        ObservedTarget {
            job: target.job.clone(),
            instance: target.instance.clone(),
            state: status.map_or(TargetState::Unknown, |status| target_state(status, now)),
            exposed: status.map(|own| own.exposed.clone()).unwrap_or_default(),
        }
    };
    plan.targets.iter().map(observed).collect()
}

fn target_state(status: &TargetStatus, now: Timestamp) -> TargetState {
    match status.health {
        TargetHealth::Up if status.is_complete(now) => TargetState::Up,
        TargetHealth::Down => TargetState::Down(status.last_error.clone().unwrap_or_default()),
        TargetHealth::Up | TargetHealth::Unknown => TargetState::Unknown,
    }
}

/// Those series of Belfry's own that are still written.
fn own_series(
    plan: &Plan,
    written: BTreeMap<String, OwnSeries>,
    now: Timestamp,
) -> BTreeMap<String, OwnSeries> {
    let host = plan.host.as_ref().map(|host| host.interval);
    let probes = plan.probes.iter().map(|probe| probe.interval).max();
    let silence_max = |name: &str| {
        let interval = match name.split('_').next() {
            Some("host") => host,
            Some("probe") => probes,
            _ => None,
        };
        interval.map_or(OWN_SILENCE_MAX, |interval| 2 * interval + interval / 2)
    };
    let is_fresh = |name: &str, own: &OwnSeries| now.since(own.last_at) <= silence_max(name);
    let mut own = written;
    own.retain(|name, own| is_fresh(name, own));
    own
}

fn probes(plan: &Plan, seen: Vec<ProbeStatus>, now: Timestamp) -> BTreeMap<String, ObservedProbe> {
    let is_declared = |name: &String| {
        let mut declared = plan.probes.iter().flat_map(|probe| &probe.dependencies);
        declared.any(|own| own == name)
    };
    let is_meant = |dependency: &Dependency| !dependency.is_system || is_declared(&dependency.name);
    let observed = |status: ProbeStatus| {
        let is_fresh = status.state(now) != ProbeState::Unknown;
        // A proxy's "503" in front of the service says nothing about dependencies.
        let is_silent = status.verdict == Verdict::Fail && status.dependencies.is_empty();
        let probe = ObservedProbe {
            asked: status.last_at.is_some(),
            answered: is_fresh && status.http_status.is_some() && !is_silent,
            output: status.output,
            dependencies: status
                .dependencies
                .into_iter()
                .filter(&is_meant)
                .map(|dependency| dependency.name)
                .collect(),
        };
        (status.name, probe)
    };
    seen.into_iter().map(observed).collect()
}

fn classes(figures: Vec<crate::logs::ClassFigures>) -> BTreeMap<String, ObservedClass> {
    let observed = |class: crate::logs::ClassFigures| {
        let figures = ObservedClass {
            lines: class.lines,
            bytes: class.bytes,
            oldest: class.oldest.map(LogTime::to_timestamp),
            next_deletion: class.next_deletion,
        };
        (class.class, figures)
    };
    figures.into_iter().map(observed).collect()
}

/// The last attempt by each person and channel. `attempts` come the newest first.
fn last_deliveries(attempts: &[DeliveryAttempt]) -> Vec<LastDelivery> {
    let mut last: BTreeMap<(&str, &str), LastDelivery> = BTreeMap::new();
    // Those whose failures in a row have been counted to their beginning.
    let mut settled: Vec<(&str, &str)> = Vec::new();
    for attempt in attempts {
        let key = (attempt.page.person.as_str(), attempt.page.channel.as_str());
        let failed = attempt.error.is_some();
        let known = last.entry(key).or_insert_with(|| LastDelivery {
            person: attempt.page.person.clone(),
            channel: attempt.page.channel.clone(),
            at: attempt.at,
            error: attempt.error.clone(),
            failing_since: None,
        });
        if !failed && !settled.contains(&key) {
            settled.push(key);
        }
        if failed && !settled.contains(&key) {
            known.failing_since = Some(attempt.at);
        }
    }
    last.into_values().collect()
}
