//! A rule file under test, as Prometheus evaluates it: an alert ends as soon as its expression gives nothing, and nothing
//! flaps.

use std::collections::{BTreeMap, BTreeSet};

use alerting::{Evaluation, Phase, RuleState};
use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp, stale_marker};
use plan::{AlertRule, FileAlert, FileRule, NoTraffic, Origin, RuleFile, Severity, TestCase};
use promql::testing::MemorySource;

use super::TestError;
use super::annotation::{Facts, fill};
use super::play::ask;
use super::verdict::FiringAlert;

/// A rule file with what its rules found last.
pub(super) struct FileRules<'p> {
    pub(super) file: &'p RuleFile,
    external_labels: &'p [(String, String)],
    external_url: &'p str,
    /// By group and rule.
    states: BTreeMap<(usize, usize), FileState>,
}

#[derive(Default)]
struct FileState {
    /// An alert's instances.
    instances: RuleState,
    /// The texts of each instance, with the values of the last evaluation for which it held.
    annotations: BTreeMap<Labels, BTreeMap<String, String>>,
    /// The series that the rule wrote last, to end those that it no longer writes.
    written: BTreeSet<Labels>,
}

impl<'p> FileRules<'p> {
    pub(super) fn new(file: &'p RuleFile, case: &'p TestCase) -> FileRules<'p> {
        FileRules {
            file,
            external_labels: &case.external_labels,
            external_url: &case.external_url,
            states: BTreeMap::new(),
        }
    }

    /// Evaluates one group, whose rules see what the ones before them wrote.
    pub(super) fn evaluate(
        &mut self,
        group: usize,
        source: &mut MemorySource,
        now: Timestamp,
    ) -> Result<(), TestError> {
        let own = &self.file.groups[group];
        for (index, rule) in own.rules.iter().enumerate() {
            let broken = |why: String| TestError(format!("{}: {why}", rule.name));
            let found = ask(source, &rule.expr.parsed, now).map_err(broken)?;
            let state = self.states.entry((group, index)).or_default();
            let facts = (self.external_labels, self.external_url);
            let samples = match &rule.alert {
                Some(alert) => state.alert(rule, alert, found, facts, own.limit, now),
                None => recorded(rule, found, own.limit),
            };
            state.write(samples.map_err(broken)?, source, now);
        }
        Ok(())
    }

    /// The alerts of a name that fire; `None` when the file has no such alert.
    pub(super) fn firing(&self, alert: &str) -> Option<Vec<FiringAlert>> {
        let mut firing = None;
        for (group, own) in self.file.groups.iter().enumerate() {
            for (index, rule) in own.rules.iter().enumerate() {
                if rule.alert.is_none() || rule.name != alert {
                    continue;
                }
                let state = self.states.get(&(group, index));
                let found = state.map(FileState::firing).unwrap_or_default();
                firing.get_or_insert_with(Vec::new).extend(found);
            }
        }
        firing
    }
}

impl FileState {
    /// Steps an alert's instances; the samples that show them.
    fn alert(
        &mut self,
        rule: &FileRule,
        alert: &FileAlert,
        found: Vec<(Labels, f64)>,
        (external_labels, external_url): (&[(String, String)], &str),
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<(Labels, f64)>, String> {
        let mut active: BTreeMap<Labels, f64> = BTreeMap::new();
        for (series, value) in found {
            let facts = Facts {
                labels: &series,
                value,
                external_labels,
                external_url,
            };
            let mut labels = LabelsBuilder::from(&series.without(METRIC_NAME));
            for (name, template) in &rule.labels {
                labels.set(name, &fill(template, &facts)?);
            }
            let labels = labels.set("alertname", &rule.name).build();
            let annotations = alert.annotations.iter();
            let annotations = annotations
                .map(|(key, template)| Ok((key.clone(), fill(template, &facts)?)))
                .collect::<Result<_, String>>()?;
            self.annotations.insert(labels.clone(), annotations);
            if active.insert(labels, value).is_some() {
                return Err("two alerts have the same labels".to_owned());
            }
        }
        within(active.len(), limit)?;
        let evaluation = Evaluation::Done {
            active: active.into_iter().collect(),
            subject: None,
            complete: true,
        };
        self.instances.step(&as_own(rule, alert), &evaluation, now);
        // Prometheus knows neither flapping nor outages of its own within a test.
        self.instances.fired.clear();
        self.instances.evaluated_at = None;
        let instances = &self.instances.instances;
        self.annotations
            .retain(|labels, _| instances.contains_key(labels));
        Ok(self.shown())
    }

    fn shown(&self) -> Vec<(Labels, f64)> {
        let instances = self.instances.instances.iter();
        let shown = instances.flat_map(|(labels, instance)| {
            let state = match instance.phase {
                Phase::Pending => "pending",
                Phase::Firing { .. } => "firing",
            };
            let alerts = LabelsBuilder::from(labels)
                .set(METRIC_NAME, "ALERTS")
                .set("alertstate", state)
                .build();
            let since = labels.with(METRIC_NAME, "ALERTS_FOR_STATE");
            [(alerts, 1.0), (since, instance.since.as_secs_f64())]
        });
        shown.collect()
    }

    fn firing(&self) -> Vec<FiringAlert> {
        let instances = self.instances.instances.iter();
        let firing = instances.filter(|(_, own)| matches!(own.phase, Phase::Firing { .. }));
        let alert = |(labels, _): (&Labels, _)| FiringAlert {
            labels: labels.clone(),
            annotations: self.annotations.get(labels).cloned().unwrap_or_default(),
        };
        firing.map(alert).collect()
    }

    /// Writes samples, and ends what the rule wrote before and does not write now.
    fn write(&mut self, samples: Vec<(Labels, f64)>, source: &mut MemorySource, now: Timestamp) {
        let written: BTreeSet<Labels> = samples.iter().map(|(labels, _)| labels.clone()).collect();
        for ended in self.written.difference(&written) {
            source.insert(ended, now, stale_marker());
        }
        for (labels, value) in samples {
            source.insert(&labels, now, value);
        }
        self.written = written;
    }
}

fn recorded(
    rule: &FileRule,
    found: Vec<(Labels, f64)>,
    limit: usize,
) -> Result<Vec<(Labels, f64)>, String> {
    let mut samples: BTreeMap<Labels, f64> = BTreeMap::new();
    for (series, value) in found {
        let mut labels = LabelsBuilder::from(&series);
        labels.set(METRIC_NAME, &rule.name);
        for (name, value) in &rule.labels {
            labels.set(name, value);
        }
        if samples.insert(labels.build(), value).is_some() {
            return Err("two series have the same labels".to_owned());
        }
    }
    within(samples.len(), limit)?;
    Ok(samples.into_iter().collect())
}

fn within(count: usize, limit: usize) -> Result<(), String> {
    if limit > 0 && count > limit {
        return Err(format!(
            "{count} are more than the group's limit of {limit}"
        ));
    }
    Ok(())
}

/// The rule as the instances' machine reads it.
fn as_own(rule: &FileRule, alert: &FileAlert) -> AlertRule {
    AlertRule {
        name: rule.name.clone(),
        service: None,
        expr: rule.expr.clone(),
        hold: alert.hold,
        keep_firing: alert.keep_firing,
        group_by: None,
        severity: Severity::Warning,
        labels: Vec::new(),
        summary: String::new(),
        description: String::new(),
        procedure: None,
        escalation: None,
        no_traffic: NoTraffic::Resolve,
        sources: Vec::new(),
        origin: Origin::Document,
        at: rule.at,
    }
}
