//! A plan under test: its rules evaluated as the live loops do, into a desk on the test's clock.

use std::collections::BTreeMap;

use alerting::{Evaluation, Phase};
use model::{Labels, Timestamp};
use plan::{AlertRule, Contacts, Plan, TestAcknowledgement, TestCase};
use promql::testing::MemorySource;

use super::TestError;
use super::play::ask;
use super::verdict::FiringAlert;
use crate::incident::{ActionError, SqliteIncidents, alert_labels};
use crate::rules::{AlertSeries, Found, SeenSources, fill_template, nameless, subject_of};
use crate::stage::{Stage, a_person_for_each_role};

/// A plan with everything that its rules lead to.
pub(super) struct PlanRules<'p> {
    pub(super) plan: &'p Plan,
    pub(super) stage: Stage,
    pub(super) seen: SeenSources,
    shown: BTreeMap<String, AlertSeries>,
}

impl<'p> PlanRules<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        case: &TestCase,
        contacts: Option<&Contacts>,
    ) -> Result<PlanRules<'p>, TestError> {
        let contacts = contacts
            .cloned()
            .unwrap_or_else(|| a_person_for_each_role(plan));
        let store = SqliteIncidents::in_memory()?;
        let recorded = case.series.iter().map(|series| &series.labels);
        Ok(PlanRules {
            plan,
            stage: Stage::new(plan.clone(), contacts, case.starts_at, store)?,
            seen: SeenSources::new(plan, recorded),
            shown: BTreeMap::new(),
        })
    }

    /// Evaluates one group, whose rules see what the ones before them wrote.
    pub(super) async fn evaluate(
        &mut self,
        group: usize,
        source: &mut MemorySource,
        now: Timestamp,
    ) -> Result<(), TestError> {
        for rule in &self.plan.rule_groups[group].rules {
            let found = found(rule, source, self.seen.is_complete(rule, now), now)?;
            let (evaluation, why): (Evaluation, String) = (found.evaluation, found.why);
            let desk = &self.stage.desk;
            desk.evaluate(rule, &evaluation, &why, now).await?;
            let state = desk.rule_state(&rule.name).await;
            let shown = self.shown.entry(rule.name.clone()).or_default();
            for (labels, value) in shown.samples(rule, &state) {
                source.insert(&labels, now, value);
            }
        }
        Ok(())
    }

    /// The alerts of a name that fire; `None` when the plan has no such alert.
    pub(super) async fn firing(&self, alert: &str) -> Option<Vec<FiringAlert>> {
        let mut rules = self.plan.rules().map(|(_, rule)| rule);
        let rule = rules.find(|rule| rule.name == alert)?;
        let state = self.stage.desk.rule_state(alert).await;
        let firing = state
            .instances
            .iter()
            .filter(|(_, instance)| matches!(instance.phase, Phase::Firing { .. }))
            .map(|(labels, instance)| FiringAlert {
                labels: alert_labels(rule, labels),
                annotations: annotations(rule, labels, instance.value),
            });
        Some(firing.collect())
    }

    /// Somebody acknowledges what is open.
    pub(super) async fn acknowledge(
        &self,
        own: &TestAcknowledgement,
        now: Timestamp,
    ) -> Result<(), TestError> {
        let open = self.stage.desk.open_incidents().await;
        let of_alert = |title: &str| own.alert.as_deref().is_none_or(|alert| alert == title);
        let ids: Vec<_> = open
            .iter()
            .filter(|incident| of_alert(&incident.head.title))
            .map(alerting::Incident::id)
            .collect();
        if ids.is_empty() {
            let what = own.alert.as_deref().unwrap_or("anything");
            let line = own.place.line;
            return Err(TestError(format!(
                "line {line}: no incident of {what} is open that could be acknowledged"
            )));
        }
        for id in ids {
            let acknowledged = self.stage.desk.acknowledge(id, &own.by, "", now).await;
            acknowledged.map_err(|error: ActionError| TestError(error.to_string()))?;
        }
        Ok(())
    }
}

/// What a test's `exp_annotations` name: the texts that a page carries.
fn annotations(rule: &AlertRule, labels: &Labels, value: f64) -> BTreeMap<String, String> {
    [
        ("summary", &rule.summary),
        ("description", &rule.description),
    ]
    .into_iter()
    .filter(|(_, template)| !template.is_empty())
    .map(|(key, template)| (key.to_owned(), fill_template(template, labels, value)))
    .collect()
}

fn found(
    rule: &AlertRule,
    source: &MemorySource,
    complete: bool,
    now: Timestamp,
) -> Result<Found, TestError> {
    let vector = |expr: &promql::Expr| match ask(source, expr, now) {
        Ok(samples) => Ok(nameless(samples)),
        Err(why) => Err(TestError(format!("{}: {why}", rule.name))),
    };
    let active = vector(&rule.expr.parsed)?;
    let subject = subject_of(&rule.expr.parsed).map(vector).transpose()?;
    Ok(Found::new(active, subject, complete))
}
