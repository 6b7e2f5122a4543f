//! What rules find and what other programs send becomes alerts, and alerts become incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alerting::{
    DrillPages, Evaluation, ForeignAlert, Incident, IncidentHead, IncidentId, IncidentInput,
    Instance, Phase, ResolveReason, RuleState, Transition, TransitionKind,
};
use model::{Labels, Timestamp};
use plan::{AlertRule, Plan, Severity};

use super::draft::Draft;
use super::state::{DeskState, with_service};
use super::{ActionError, Desk};
use crate::incident::{HistoryEntry, IncidentStoreError, RuleChange};
use crate::rules::{fill_template, with_labels_of};

/// How long the word of another program counts when it does not say: Alertmanager's `resolve_timeout`.
const WORD_COUNTS_FOR: Duration = Duration::from_secs(5 * 60);

/// The most incidents that are open before alerts of other programs are refused. Those of the plan's own rules are bounded by
/// the rules.
const OPEN_MAX: usize = 20_000;

/// An alert as another program sent it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedAlert {
    /// Its labels; at least one.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Until when it fires, if its sender says: in the past for one that is over.
    pub ends_at: Option<Timestamp>,
    /// Where its sender explains it.
    pub generator_url: String,
}

impl Desk {
    /// Takes one evaluation of a rule in. `why` says in a sentence what was found.
    ///
    /// # Errors
    /// When the store failed; the same evaluation of the next round makes up for it.
    pub async fn evaluate(
        &self,
        rule: &AlertRule,
        evaluation: &Evaluation,
        why: &str,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        let mut state = self.lock().await?;
        let now = self.corrected(now);
        let mut stepped = state.rules.get(&rule.name).cloned().unwrap_or_default();
        let transitions = stepped.step(rule, evaluation, now);
        let before = state.rules.get(&rule.name);
        if transitions.is_empty() && before.is_none_or(|before| is_like(before, &stepped)) {
            state.rules.insert(rule.name.clone(), stepped);
            return Ok(());
        }
        let setup = self.setup.get();
        let mut draft = Draft::new(&setup, &state, now);
        let drill = state.drilled.get(&rule.name).copied();
        let fired = transitions
            .iter()
            .filter(|transition| transition.kind == TransitionKind::Fired)
            .map(|transition| new_alert(rule, &setup.plan, drill, transition))
            .collect();
        // What fires comes before what resolves: an incident must not end and begin within one evaluation.
        fire(&mut draft, &state, &setup.plan, fired, now);
        for transition in &transitions {
            let labels = alert_labels(rule, &transition.labels);
            let Some(id) = state.of_alert(&labels).map(Incident::id) else {
                continue;
            };
            if let Some(input) = other_input(transition, &labels) {
                draft.step(&state, id, [labels], input);
            }
        }
        draft.rule(RuleChange {
            name: rule.name.clone(),
            state: stepped,
            history: transitions
                .iter()
                .map(|transition| history_entry(rule, transition, why, now))
                .collect(),
        });
        let calmed = transitions
            .into_iter()
            .filter(|transition| transition.kind == TransitionKind::Calmed)
            .map(|transition| transition.labels);
        let calmed: Vec<Labels> = calmed.collect();
        let Err(error) = self.record(state, draft, now).await else {
            return Ok(());
        };
        self.forget_calmed(&rule.name, &calmed).await;
        Err(error)
    }

    /// Forgets pending instances whose condition ended though the store could not take it: they must not seem to have held all
    /// the time when it holds again. Firing ones stay; the next evaluation finds them calm again.
    async fn forget_calmed(&self, rule: &str, calmed: &[Labels]) {
        let mut state = self.state.lock().await;
        if let Some(own) = state.rules.get_mut(rule) {
            own.instances.retain(|labels, instance| {
                instance.phase != Phase::Pending || !calmed.contains(labels)
            });
        }
    }

    /// Takes alerts of another program in.
    ///
    /// # Errors
    /// [`ActionError::Full`] when too many incidents are open; [`ActionError::Store`] when the store failed. Nothing was
    /// taken; the sender tries again.
    pub async fn receive(
        &self,
        alerts: &[ReceivedAlert],
        now: Timestamp,
    ) -> Result<(), ActionError> {
        let state = self.lock().await?;
        if state.open.len() >= OPEN_MAX {
            return Err(ActionError::Full(format!(
                "{OPEN_MAX} incidents are open; resolve some before sending more alerts"
            )));
        }
        let setup = self.setup.get();
        let mut draft = Draft::new(&setup, &state, now);
        take_received(&mut draft, &state, &setup.plan, alerts, now);
        self.record(state, draft, now).await?;
        Ok(())
    }
}

/// Whether two states differ in nothing that a restart must know: values are seen anew with the next evaluation.
fn is_like(one: &RuleState, other: &RuleState) -> bool {
    let times = |state: &RuleState| {
        state
            .instances
            .values()
            .map(|own| {
                (
                    own.phase,
                    own.since,
                    own.no_data_since,
                    own.no_value_since,
                    own.calm_since,
                )
            })
            .collect::<Vec<_>>()
    };
    one.instances.keys().eq(other.instances.keys()) && times(one) == times(other)
}

/// The identity of an alert of a rule: its series' labels, the rule's own, its service, its name and severity.
pub(crate) fn alert_labels(rule: &AlertRule, series: &Labels) -> Labels {
    with_labels_of(rule, series)
        .set("alertname", &rule.name)
        .set("severity", rule.severity.as_str())
        .build()
}

/// An alert that begins to fire.
struct NewAlert<'a> {
    labels: Labels,
    value: f64,
    summary: String,
    foreign: Option<ForeignAlert>,
    title: &'a str,
    severity: Severity,
    policy: Option<&'a str>,
    group_by: &'a [String],
    procedure: Option<&'a str>,
    drill: Option<DrillPages>,
}

impl NewAlert<'_> {
    /// What alerts of one incident have in common. Severity and policy always separate.
    fn group_key(&self) -> String {
        let values: Vec<String> = self
            .group_by
            .iter()
            .map(|name| format!("{name}={:?}", self.labels.get(name).unwrap_or("")))
            .collect();
        // A drill never joins what is real.
        let drill = if self.drill.is_some() { "|drill" } else { "" };
        format!(
            "{}|{}|{{{}}}{drill}",
            self.severity.as_str(),
            self.policy.unwrap_or(""),
            values.join(", ")
        )
    }

    fn head(&self, plan: &Plan, id: IncidentId, group: String, now: Timestamp) -> IncidentHead {
        let policy = self.policy.and_then(|name| plan.escalation_policy(name));
        IncidentHead {
            id,
            title: self.title.to_owned(),
            group,
            severity: self.severity,
            opened_at: now,
            levels: policy.map_or(Vec::new(), |policy| policy.levels.clone()),
            acknowledgement_expires: policy.and_then(|policy| policy.acknowledgement_expires),
            page_interval: plan.incidents.page_interval,
            procedure: self.procedure.map(str::to_owned),
        }
    }
}

fn new_alert<'a>(
    rule: &'a AlertRule,
    plan: &'a Plan,
    drill: Option<DrillPages>,
    transition: &Transition,
) -> NewAlert<'a> {
    NewAlert {
        labels: alert_labels(rule, &transition.labels),
        value: transition.value,
        summary: fill_template(&rule.summary, &transition.labels, transition.value),
        foreign: None,
        title: &rule.name,
        severity: rule.severity,
        policy: rule.escalation.as_deref(),
        group_by: rule.group_by.as_ref().unwrap_or(&plan.incidents.group_by),
        procedure: rule.procedure.as_deref(),
        drill,
    }
}

/// Opens or widens the incidents of alerts that begin to fire. What holds pages back is looked at first: nobody is told of
/// what is silenced already.
fn fire(
    draft: &mut Draft<'_>,
    state: &DeskState,
    plan: &Plan,
    alerts: Vec<NewAlert<'_>>,
    now: Timestamp,
) {
    let labels: Vec<Labels> = alerts
        .iter()
        .filter(|alert| alert.drill.is_none())
        .map(|alert| alert.labels.clone())
        .collect();
    let mut by_incident: BTreeMap<IncidentId, Vec<NewAlert<'_>>> = BTreeMap::new();
    for alert in alerts {
        let group = alert.group_key();
        // The same alert from elsewhere: one alert is in one incident.
        let known = state.of_alert(&alert.labels).map(Incident::id);
        let known = known.filter(|id| draft.is_open(*id));
        let id = known.or_else(|| draft.of_group(state, &group));
        let id = id.unwrap_or_else(|| {
            let head = alert.head(plan, draft.next_id(), group, now);
            let mut incident = Incident::new(head);
            incident.drill = alert.drill;
            draft.open(incident)
        });
        by_incident.entry(id).or_default().push(alert);
    }
    let holds = state.with_holds(plan, &labels, now, |holds| {
        let of_incident = |(id, new): (&IncidentId, &Vec<NewAlert<'_>>)| {
            let old = state.open.get(id).into_iter().flat_map(Incident::firing);
            let labels: Vec<Labels> = old
                .map(|(labels, _)| labels)
                .chain(new.iter().map(|alert| &alert.labels))
                .map(|labels| with_service(plan, labels))
                .collect();
            (*id, holds.of_all(labels.iter()))
        };
        by_incident.iter().map(of_incident).collect::<Vec<_>>()
    });
    for (id, hold) in holds {
        draft.step(state, id, [], IncidentInput::Hold(hold));
    }
    for (id, alerts) in by_incident {
        for alert in alerts {
            let input = IncidentInput::AlertFired {
                labels: alert.labels.clone(),
                value: alert.value,
                summary: alert.summary,
                foreign: alert.foreign,
            };
            draft.step(state, id, [alert.labels], input);
        }
    }
}

/// What a transition other than firing is to an incident.
fn other_input(transition: &Transition, labels: &Labels) -> Option<IncidentInput> {
    let labels = labels.clone();
    match transition.kind {
        TransitionKind::BecamePending | TransitionKind::Calmed | TransitionKind::Fired => None,
        TransitionKind::LostData => Some(IncidentInput::AlertLostData { labels }),
        TransitionKind::DataCameBack => Some(IncidentInput::AlertDataCameBack { labels }),
        TransitionKind::Resolved(reason) => Some(IncidentInput::AlertResolved { labels, reason }),
    }
}

fn history_entry(
    rule: &AlertRule,
    transition: &Transition,
    why: &str,
    now: Timestamp,
) -> HistoryEntry {
    let why = match transition.kind {
        TransitionKind::Resolved(reason) => format!("{}; {why}", reason.in_words()),
        TransitionKind::BecamePending
        | TransitionKind::Fired
        | TransitionKind::Calmed
        | TransitionKind::LostData
        | TransitionKind::DataCameBack => why.to_owned(),
    };
    HistoryEntry {
        rule: rule.name.clone(),
        labels: transition.labels.clone(),
        at: now,
        kind: transition.kind.as_str().to_owned(),
        value: transition.value,
        why,
    }
}

/// Alerts of other programs: new ones, ones that go on, ones that ended. One that ended and that nobody knows is nothing new.
fn take_received(
    draft: &mut Draft<'_>,
    state: &DeskState,
    plan: &Plan,
    received: &[ReceivedAlert],
    now: Timestamp,
) {
    let mut new = BTreeMap::new();
    for alert in received {
        let is_over = alert.ends_at.is_some_and(|at| at <= now);
        let known = state.of_alert(&alert.labels);
        if known.is_some_and(|incident| is_own(incident, &alert.labels)) {
            continue;
        }
        match (known.map(Incident::id), is_over) {
            (None, true) => {
                new.remove(&alert.labels);
            }
            (None, false) => {
                new.insert(alert.labels.clone(), alert);
            }
            (Some(id), true) => {
                let input = IncidentInput::AlertResolved {
                    labels: alert.labels.clone(),
                    reason: ResolveReason::SaidBySender,
                };
                draft.step(state, id, [alert.labels.clone()], input);
            }
            (Some(id), false) => go_on(draft, state, id, alert, now),
        }
    }
    let alerts = new
        .into_values()
        .map(|alert| foreign_alert(plan, alert, now))
        .collect();
    fire(draft, state, plan, alerts, now);
}

/// Whether an alert is one of the plan's own rules: about those nobody else has a say, whatever labels they send.
fn is_own(incident: &Incident, labels: &Labels) -> bool {
    incident
        .members
        .get(labels)
        .is_some_and(|member| member.foreign.is_none())
}

/// The sender spoke again: its word counts anew.
fn go_on(
    draft: &mut Draft<'_>,
    state: &DeskState,
    id: IncidentId,
    alert: &ReceivedAlert,
    now: Timestamp,
) {
    let labels = &alert.labels;
    let came_back = IncidentInput::AlertDataCameBack {
        labels: labels.clone(),
    };
    draft.step(state, id, [labels.clone()], came_back);
    draft.change_alert(id, labels, |member| {
        member.foreign = Some(foreign(alert, now));
    });
}

fn foreign(alert: &ReceivedAlert, now: Timestamp) -> ForeignAlert {
    ForeignAlert {
        expires_at: alert.ends_at.unwrap_or(now + WORD_COUNTS_FOR),
        annotations: alert.annotations.clone(),
        generator_url: alert.generator_url.clone(),
    }
}

fn foreign_alert<'a>(plan: &'a Plan, alert: &'a ReceivedAlert, now: Timestamp) -> NewAlert<'a> {
    let label = |name: &str| alert.labels.get(name);
    let incoming = plan.incoming_alerts.as_ref();
    let severity = match label("severity") {
        Some("critical") => Severity::Critical,
        Some("warning") => Severity::Warning,
        Some(_) | None => incoming.map_or(Severity::Warning, |own| own.severity),
    };
    let named = label("escalation").and_then(|name| plan.escalation_policy(name));
    let usual = incoming.map(|own| own.escalation.as_str());
    let first = plan.escalation_policies.first();
    let policy = named.map(|policy| policy.name.as_str()).or(usual);
    let summary = ["summary", "description", "message"]
        .into_iter()
        .find_map(|name| alert.annotations.get(name));
    NewAlert {
        labels: alert.labels.clone(),
        value: f64::NAN,
        summary: summary.cloned().unwrap_or_default(),
        foreign: Some(foreign(alert, now)),
        title: label("alertname").unwrap_or("an alert without a name"),
        severity,
        policy: policy.or(first.map(|policy| policy.name.as_str())),
        group_by: &plan.incidents.group_by,
        procedure: label("procedure").filter(|id| plan.procedure(id).is_some()),
        drill: None,
    }
}

/// Alerts whose sender should have spoken again: nothing is known about them any more. They end when their sender says so,
/// or by hand, never by silence.
pub(super) fn lose_silent_senders(draft: &mut Draft<'_>, state: &DeskState, now: Timestamp) {
    for incident in state.open.values() {
        let silent = incident.firing().filter(|(_, member)| {
            let expired = |foreign: &ForeignAlert| foreign.expires_at <= now;
            !member.no_data && member.foreign.as_ref().is_some_and(expired)
        });
        let silent: Vec<Labels> = silent.map(|(labels, _)| labels.clone()).collect();
        for labels in silent {
            let input = IncidentInput::AlertLostData {
                labels: labels.clone(),
            };
            draft.step(state, incident.id(), [labels], input);
        }
    }
}

/// Ends the alerts of rules that are no longer in the plan (after a reload or a start with another plan). Part of every
/// tick, so that a store that fails only delays it.
pub(super) fn forget_removed_rules(
    draft: &mut Draft<'_>,
    state: &DeskState,
    plan: &Plan,
    now: Timestamp,
) {
    for (name, rule_state) in &state.rules {
        let is_there = plan.rules().any(|(_, rule)| rule.name == *name);
        if is_there || rule_state.instances.is_empty() {
            continue;
        }
        let mut removed = rule_state.clone();
        removed.remove();
        // The rule is gone and with it the labels that it added; its name tells its alerts.
        for incident in state.open.values() {
            let of_rule: Vec<Labels> = incident
                .firing()
                .filter(|(labels, member)| {
                    member.foreign.is_none() && labels.get("alertname") == Some(name)
                })
                .map(|(labels, _)| labels.clone())
                .collect();
            for labels in of_rule {
                let input = IncidentInput::AlertResolved {
                    labels: labels.clone(),
                    reason: ResolveReason::RuleRemoved,
                };
                draft.step(state, incident.id(), [labels], input);
            }
        }
        let ended = rule_state
            .instances
            .iter()
            .map(|(labels, instance)| HistoryEntry {
                rule: name.clone(),
                labels: labels.clone(),
                at: now,
                kind: TransitionKind::Resolved(ResolveReason::RuleRemoved)
                    .as_str()
                    .to_owned(),
                value: instance.value,
                why: ResolveReason::RuleRemoved.in_words().to_owned(),
            });
        let history = ended.collect();
        draft.rule(RuleChange {
            name: name.clone(),
            state: removed,
            history,
        });
    }
}

/// Brings alerts and rules together again after the plan was changed: with a rule's severity or labels its alerts are others. Those
/// of before end; what fires without an incident is forgotten, so that it fires anew as what it is now.
pub(super) fn settle_changed_rules(
    draft: &mut Draft<'_>,
    state: &DeskState,
    plan: &Plan,
    now: Timestamp,
) {
    for (_, rule) in plan.rules() {
        let own = state.rules.get(&rule.name);
        let is_firing = |instance: &Instance| matches!(instance.phase, Phase::Firing { .. });
        let firing: BTreeSet<Labels> = own
            .into_iter()
            .flat_map(|own| &own.instances)
            .filter(|(_, instance)| is_firing(instance))
            .map(|(labels, _)| alert_labels(rule, labels))
            .collect();
        for incident in state.open.values() {
            let of_before = incident.firing().filter(|(labels, member)| {
                let is_of_rule = labels.get("alertname") == Some(&rule.name);
                is_of_rule && member.foreign.is_none() && !firing.contains(labels)
            });
            let of_before: Vec<Labels> = of_before.map(|(labels, _)| labels.clone()).collect();
            for labels in of_before {
                let input = IncidentInput::AlertResolved {
                    labels: labels.clone(),
                    reason: ResolveReason::RuleRemoved,
                };
                draft.step(state, incident.id(), [labels], input);
            }
        }
        let has_incident = |labels: &Labels| state.of_alert(&alert_labels(rule, labels)).is_some();
        let Some(mut settled) = own.cloned() else {
            continue;
        };
        let before = settled.instances.len();
        settled
            .instances
            .retain(|labels, instance| !is_firing(instance) || has_incident(labels));
        if settled.instances.len() < before {
            draft.rule(RuleChange {
                name: rule.name.clone(),
                state: settled,
                history: vec![HistoryEntry {
                    rule: rule.name.clone(),
                    labels: Labels::empty(),
                    at: now,
                    kind: TransitionKind::Resolved(ResolveReason::RuleRemoved)
                        .as_str()
                        .to_owned(),
                    value: f64::NAN,
                    why: "the rule's severity or labels were changed".to_owned(),
                }],
            });
        }
    }
}

/// The rules without the instances of these alerts: ended by hand, an alert fires anew if its condition still holds.
pub(super) fn without_alerts(
    state: &DeskState,
    plan: &Plan,
    incident: &Incident,
) -> Vec<RuleChange> {
    let is_ended = |rule: &AlertRule, labels: &Labels| {
        incident.members.contains_key(&alert_labels(rule, labels))
    };
    let changed = plan.rules().filter_map(|(_, rule)| {
        let mut own: RuleState = state.rules.get(&rule.name)?.clone();
        let before = own.instances.len();
        own.instances.retain(|labels, _| !is_ended(rule, labels));
        (own.instances.len() < before).then(|| RuleChange {
            name: rule.name.clone(),
            state: own,
            history: Vec::new(),
        })
    });
    changed.collect()
}
