//! Everything that a page may speak of, gathered from plan, incident and page: what templates see, and what Belfry's own
//! words are made of. Documented for plan authors in `docs/contacts.md`; a field here is a promise there.

use std::collections::BTreeMap;

use alerting::{Incident, IncidentState, Member, PageReason};
use model::{Labels, Timestamp};
use plan::{AlertRule, Plan};
use promql::ExprKind;
use serde::Serialize;

use super::{PageContext, one_line};
use crate::incident::{RunState, StepRun};
use crate::notify::payload::rule_of;
use crate::notify::{all_labels, annotations, fingerprint, service_of};
use crate::rules::readable;
use crate::time_text::rfc3339;

/// The most alerts in one message; the rest is counted. Nobody reads more on a telephone, and the incident's page has all.
const ALERTS_MAX: usize = 20;
/// The most findings: more than the plan's longest procedure has steps that look for something.
const EVIDENCE_MAX: usize = 20;
/// The most steps of a procedure.
const STEPS_MAX: usize = 20;
/// The most incidents that a summary lists; the rest is counted.
const SUMMARY_MAX: usize = 50;
/// The longest piece of text that comes from outside (summaries, findings, label values), in characters.
const TEXT_CHARS_MAX: usize = 400;

/// What a page may speak of.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct Facts {
    pub(in crate::notify) service: String,
    /// `firing` or `resolved`.
    pub(in crate::notify) kind: &'static str,
    pub(in crate::notify) severity: &'static str,
    pub(in crate::notify) title: String,
    /// What the first alert that fires says.
    pub(in crate::notify) summary: String,
    pub(in crate::notify) person: String,
    pub(in crate::notify) level: usize,
    pub(in crate::notify) levels: usize,
    /// A word of [`PageReason`].
    pub(in crate::notify) reason: &'static str,
    /// The same as a sentence.
    pub(in crate::notify) why: String,
    pub(in crate::notify) incident: IncidentFacts,
    pub(in crate::notify) alerts: Vec<AlertFacts>,
    pub(in crate::notify) alerts_firing: usize,
    pub(in crate::notify) alerts_left_out: u64,
    pub(in crate::notify) evidence: Vec<Finding>,
    pub(in crate::notify) procedure: Option<ProcedureFacts>,
    pub(in crate::notify) summary_of: Vec<Carried>,
    pub(in crate::notify) summary_count: usize,
    pub(in crate::notify) links: Links,
}

/// The incident.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct IncidentFacts {
    pub(in crate::notify) id: i64,
    pub(in crate::notify) state: &'static str,
    pub(in crate::notify) opened_at: String,
    /// How long it had been open when the page was decided, in seconds.
    pub(in crate::notify) open_seconds: u64,
    pub(in crate::notify) acknowledged_by: Option<String>,
    pub(in crate::notify) resolved_at: Option<String>,
    pub(in crate::notify) resolve_reason: Option<&'static str>,
}

/// One alert of it.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct AlertFacts {
    pub(in crate::notify) name: String,
    pub(in crate::notify) labels: BTreeMap<String, String>,
    pub(in crate::notify) annotations: BTreeMap<String, String>,
    pub(in crate::notify) summary: String,
    /// As a person reads it; empty for none.
    pub(in crate::notify) value: String,
    /// What it is compared with, as in `> 0.05`; empty where the rule compares with no constant.
    pub(in crate::notify) threshold: String,
    /// The rule's condition; empty for alerts of other programs.
    pub(in crate::notify) expr: String,
    pub(in crate::notify) firing: bool,
    pub(in crate::notify) no_data: bool,
    pub(in crate::notify) started_at: String,
    pub(in crate::notify) resolved_at: Option<String>,
    /// The same for all pages about this alert.
    pub(in crate::notify) fingerprint: String,
}

/// What a step of the procedure found.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct Finding {
    pub(in crate::notify) step: usize,
    pub(in crate::notify) title: String,
    pub(in crate::notify) state: &'static str,
    pub(in crate::notify) finding: String,
}

/// What the responder does.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct ProcedureFacts {
    pub(in crate::notify) id: String,
    pub(in crate::notify) title: String,
    pub(in crate::notify) steps: Vec<String>,
}

/// One incident of a summary.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct Carried {
    pub(in crate::notify) id: i64,
    pub(in crate::notify) title: String,
    pub(in crate::notify) severity: &'static str,
    pub(in crate::notify) state: &'static str,
    pub(in crate::notify) summary: String,
    pub(in crate::notify) url: String,
}

/// Where to go on.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct Links {
    /// The incident's page, where it is acknowledged.
    pub(in crate::notify) incident: String,
    pub(in crate::notify) belfry: String,
}

impl Facts {
    pub(in crate::notify) fn of(context: &PageContext<'_>) -> Facts {
        let (page, incident, plan) = (context.page, &context.detail.incident, &context.setup.plan);
        let head = &incident.head;
        let firing = incident
            .members
            .values()
            .filter(|own| own.resolved_at.is_none());
        // Those that fire come first: an incident of many alerts is about them.
        let mut members: Vec<(&Labels, &Member)> = incident.members.iter().collect();
        members.sort_by_key(|(_, member)| member.resolved_at.is_some());
        let left_out = members.len().saturating_sub(ALERTS_MAX) as u64 + incident.left_out;
        Facts {
            service: short(service_of(plan, incident)),
            kind: context.kind().as_str(),
            severity: head.severity.as_str(),
            title: short(&head.title),
            summary: short(members.first().map_or("", |(_, member)| &member.summary)),
            person: page.person.clone(),
            level: page.level,
            levels: head.levels.len(),
            reason: page.reason.as_str(),
            why: why(context),
            incident: incident_facts(incident, page.queued_at),
            alerts_firing: firing.count(),
            alerts: members
                .into_iter()
                .take(ALERTS_MAX)
                .map(|(labels, member)| alert(plan, labels, member))
                .collect(),
            alerts_left_out: left_out,
            evidence: evidence(&context.detail.runs),
            procedure: head.procedure.as_deref().and_then(|id| procedure(plan, id)),
            summary_of: context
                .summary_of
                .iter()
                .take(SUMMARY_MAX)
                .map(|carried| line(context.external_url, carried))
                .collect(),
            summary_count: context.summary_of.len(),
            links: Links {
                incident: format!("{}/incidents/{}", context.external_url, head.id),
                belfry: context.external_url.to_owned(),
            },
        }
    }
}

/// Why this person is told now.
fn why(context: &PageContext<'_>) -> String {
    let (page, incident) = (context.page, &context.detail.incident);
    let (level, levels) = (page.level, incident.head.levels.len());
    match page.reason {
        PageReason::Escalation if level > 1 => {
            format!("nobody has acknowledged it; this is level {level} of {levels}")
        }
        PageReason::Escalation => format!("it fires; this is level {level} of {levels}"),
        PageReason::Joined => "further alerts joined it".to_owned(),
        PageReason::AcknowledgementExpired => {
            "the acknowledgement expired and it still fires".to_owned()
        }
        PageReason::HoldEnded => {
            "the silence or maintenance window ended and it still fires".to_owned()
        }
        PageReason::Resolved => incident.resolved.as_ref().map_or_else(
            || "it is over".to_owned(),
            |resolved| format!("it is over: {}", resolved.reason.in_words()),
        ),
        PageReason::Summary => format!(
            "many pages at once; this one carries {} incidents",
            context.summary_of.len()
        ),
    }
}

fn incident_facts(incident: &Incident, at: Timestamp) -> IncidentFacts {
    let resolved = incident.resolved.as_ref();
    let acknowledged = incident.acknowledged.as_ref();
    let is_held = incident.state() == IncidentState::Acknowledged;
    IncidentFacts {
        id: incident.head.id.0,
        state: incident.state().as_str(),
        opened_at: rfc3339(incident.head.opened_at),
        open_seconds: at.since(incident.head.opened_at).as_secs(),
        acknowledged_by: acknowledged.filter(|_| is_held).map(|own| short(&own.by)),
        resolved_at: resolved.map(|own| rfc3339(own.at)),
        resolve_reason: resolved.map(|own| own.reason.as_str()),
    }
}

fn alert(plan: &Plan, labels: &Labels, member: &Member) -> AlertFacts {
    let rule = rule_of(plan, labels).filter(|_| member.foreign.is_none());
    let shortened = |texts: BTreeMap<String, String>| -> BTreeMap<String, String> {
        texts
            .into_iter()
            .map(|(name, text)| (name, short(&text)))
            .collect()
    };
    AlertFacts {
        name: short(labels.get("alertname").unwrap_or("")),
        labels: shortened(all_labels(plan, labels)),
        annotations: shortened(annotations(plan, labels, member)),
        summary: short(&member.summary),
        value: if member.value.is_nan() {
            String::new()
        } else {
            readable(member.value)
        },
        threshold: rule.and_then(threshold).unwrap_or_default(),
        expr: rule.map_or_else(String::new, |rule| short(&rule.expr.text)),
        firing: member.resolved_at.is_none(),
        no_data: member.no_data,
        started_at: rfc3339(member.started_at),
        resolved_at: member.resolved_at.map(rfc3339),
        fingerprint: fingerprint(labels),
    }
}

/// What a rule compares its value with, where that is a number: `> 0.05`.
fn threshold(rule: &AlertRule) -> Option<String> {
    let ExprKind::Binary(binary) = rule.expr.parsed.without_parens().kind() else {
        return None;
    };
    let ExprKind::Number(number) = binary.right.without_parens().kind() else {
        return None;
    };
    let is_shown = binary.op.is_comparison() && !binary.returns_bool;
    is_shown.then(|| format!("{} {}", binary.op.as_str(), readable(number.0)))
}

/// What was found, the oldest first; steps that only began have nothing to say.
fn evidence(runs: &[StepRun]) -> Vec<Finding> {
    let has_said = |run: &&StepRun| matches!(run.state, RunState::Done | RunState::Failed);
    runs.iter()
        .filter(has_said)
        .take(EVIDENCE_MAX)
        .map(|run| Finding {
            step: run.step + 1,
            title: short(&run.title),
            state: run.state.as_str(),
            finding: short(&run.summary),
        })
        .collect()
}

fn procedure(plan: &Plan, id: &str) -> Option<ProcedureFacts> {
    let procedure = plan.procedure(id)?;
    Some(ProcedureFacts {
        id: procedure.id.clone(),
        title: short(&procedure.title),
        steps: procedure
            .steps
            .iter()
            .take(STEPS_MAX)
            .map(|step| short(&step.title))
            .collect(),
    })
}

fn line(external_url: &str, incident: &Incident) -> Carried {
    let first = incident.members.values().next();
    Carried {
        id: incident.head.id.0,
        title: short(&incident.head.title),
        severity: incident.head.severity.as_str(),
        state: incident.state().as_str(),
        summary: short(first.map_or("", |member| member.summary.as_str())),
        url: format!("{external_url}/incidents/{}", incident.head.id),
    }
}

fn short(text: &str) -> String {
    one_line(text, TEXT_CHARS_MAX)
}
