//! Whether an empty answer means something: what a rule needs for that, and whether it was there, from the samples that
//! Belfry writes about scrapes and probes. The live rules ask the boards; tests and backtests have only samples.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Labels, Timestamp, is_stale};
use plan::{AlertRule, COVERAGE_RATIO, PLAN_METRIC_PRESENT, Plan};

use crate::probe::{DEPENDENCY_UP, HTTP_STATUS_CODE, counts_still};
use crate::scrape::{UP, is_fresh};

/// What must be whole for an empty answer of a rule to count.
pub(crate) struct Needs<'r> {
    /// Every target of these jobs.
    pub(crate) jobs: &'r [String],
    /// Every target at all.
    pub(crate) all_targets: bool,
    /// An answer of every probe.
    pub(crate) all_probes: bool,
}

impl<'r> Needs<'r> {
    /// What a rule needs. Some series of Belfry's own come only from what targets said: without an answer of a target they
    /// say nothing either, and their absence is not recovery.
    pub(crate) fn of(rule: &'r AlertRule) -> Needs<'r> {
        let selectors = rule.expr.parsed.selectors();
        let reads = |name: &str| selectors.iter().any(|own| own.name == Some(name));
        Needs {
            jobs: &rule.sources,
            all_targets: reads(PLAN_METRIC_PRESENT) || reads(COVERAGE_RATIO),
            all_probes: reads(DEPENDENCY_UP),
        }
    }
}

/// What was last heard of every target and probe.
#[derive(Clone, Debug)]
pub(crate) struct SeenSources {
    /// By job and instance.
    targets: BTreeMap<(String, String), Seen>,
    /// By name.
    probes: BTreeMap<String, Seen>,
}

/// How often something is asked, and its last answer: when, and whether it was whole.
#[derive(Clone, Debug)]
struct Seen {
    interval: Duration,
    last: Option<(Timestamp, bool)>,
}

impl SeenSources {
    /// The targets and probes of a plan, as far as anything is recorded about them: `recorded` are series, of which those of
    /// `up` and of the probes' status codes count. Of a job or of probes without any record nothing can be known, and all is
    /// taken as whole. Where another program scraped a job, its instances stand for the plan's.
    pub(crate) fn new<'l>(plan: &Plan, recorded: impl Iterator<Item = &'l Labels>) -> SeenSources {
        let mut instances: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut has_probes = false;
        for labels in recorded {
            has_probes |= labels.metric_name() == HTTP_STATUS_CODE;
            if labels.metric_name() == UP {
                let job = labels.get("job").unwrap_or("");
                let instance = labels.get("instance").unwrap_or("");
                instances.entry(job).or_default().push(instance);
            }
        }
        let mut targets = BTreeMap::new();
        for target in &plan.targets {
            let Some(seen) = instances.get(target.job.as_str()) else {
                continue;
            };
            let of_job = plan.targets.iter().filter(|own| own.job == target.job);
            let is_own = of_job.into_iter().any(|own| seen.contains(&&*own.instance));
            let own = [target.instance.as_str()];
            let named = if is_own { own.as_slice() } else { seen };
            for instance in named {
                let key = (target.job.clone(), (*instance).to_owned());
                targets.insert(key, Seen::every(target.interval));
            }
        }
        let probes = plan.probes.iter().filter(|_| has_probes);
        SeenSources {
            targets,
            probes: probes
                .map(|probe| (probe.name.clone(), Seen::every(probe.interval)))
                .collect(),
        }
    }

    /// Takes a sample in; those that say nothing about a source are passed over.
    pub(crate) fn take(&mut self, labels: &Labels, at: Timestamp, value: f64) {
        if is_stale(value) {
            return;
        }
        let label = |name: &str| labels.get(name).unwrap_or("").to_owned();
        let (seen, is_whole) = match labels.metric_name() {
            UP => (
                self.targets.get_mut(&(label("job"), label("instance"))),
                value == 1.0,
            ),
            // Belfry writes 0 where no answer came.
            HTTP_STATUS_CODE => (self.probes.get_mut(&label("probe")), value != 0.0),
            _ => return,
        };
        if let Some(seen) = seen {
            seen.last = Some((at, is_whole));
        }
    }

    /// Whether an empty answer of a rule counts.
    pub(crate) fn is_complete(&self, rule: &AlertRule, now: Timestamp) -> bool {
        let needs = Needs::of(rule);
        let fresh = |seen: &Seen, counts: fn(Timestamp, Duration, Timestamp) -> bool| {
            seen.last
                .is_some_and(|(last, is_whole)| is_whole && counts(last, seen.interval, now))
        };
        let wanted = |job: &String| needs.all_targets || needs.jobs.contains(job);
        let mut targets = self.targets.iter().filter(|((job, _), _)| wanted(job));
        targets.all(|(_, seen)| fresh(seen, is_fresh))
            && (!needs.all_probes || self.probes.values().all(|seen| fresh(seen, counts_still)))
    }
}

impl Seen {
    fn every(interval: Duration) -> Seen {
        Seen {
            interval,
            last: None,
        }
    }
}
