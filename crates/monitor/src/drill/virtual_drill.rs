//! The virtual drill of an alert: series are found that make its condition hold, and everything that follows is played twice: once
//! nobody acknowledges, once somebody does. Each step is held against the time that the plan promises.

use std::time::Duration;

use alerting::{Incident, PageReason};
use model::Timestamp;
use plan::{AlertRule, Contacts, Plan, RuleGroup, Severity};

use super::stage::{Stage, StageError};
use super::steps::Steps;
use super::witness::{Witness, witness};
use crate::incident::{DrillOutcome, DrillStep, HistoryEntry, IncidentDetail, Page};
use crate::report::TOLD_WITHIN;

/// How long the condition goes on after the last level was told.
const TAIL: Duration = Duration::from_secs(90);
/// How long after the incident opened somebody acknowledges.
const ACKNOWLEDGED_AFTER: Duration = Duration::from_secs(60);
/// How much more than promised is played, so that what comes late is seen, and not only that it did not come in time.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// What a virtual drill found.
pub(super) struct Played {
    pub(super) steps: Vec<DrillStep>,
    /// The incident of the first play, for a page that is really sent.
    pub(super) incident: Option<IncidentDetail>,
}

/// A rule alone in its group, with the series that make it fire.
pub(super) struct Prepared {
    group: RuleGroup,
    witness: Witness,
}

/// The group of an alert, with this rule alone; `None` when the plan has no such alert.
pub(super) fn group_of(plan: &Plan, alert: &str) -> Option<RuleGroup> {
    let (group, rule) = plan.rules().find(|(_, rule)| rule.name == alert)?;
    Some(RuleGroup {
        rules: vec![rule.clone()],
        ..group.clone()
    })
}

/// Finds series for the rule. Takes a while: not for the threads that serve requests.
///
/// # Errors
/// Why there are none, in a sentence.
pub(super) fn prepare(plan: &Plan, group: RuleGroup, at: Timestamp) -> Result<Prepared, String> {
    let rule = &group.rules[0];
    let stays = ladder(plan, rule) + TAIL + PATIENCE + 2 * group.interval;
    let witness = witness(plan, rule, at, stays).map_err(|error| error.to_string())?;
    Ok(Prepared { group, witness })
}

/// Plays the drill.
pub(super) async fn play(
    plan: &Plan,
    contacts: &Contacts,
    prepared: &Prepared,
    at: Timestamp,
) -> Played {
    let mut steps = Steps::since(at);
    let text = format!("virtual series: {}", prepared.witness.in_words());
    steps.note("condition", DrillOutcome::Passed, text);
    let acts = Acts {
        plan,
        contacts,
        prepared,
        at,
    };
    let incident = match acts.nobody_acknowledges(&mut steps).await {
        Ok(incident) => incident,
        Err(error) => {
            steps.note("stage", DrillOutcome::Failed, error);
            None
        }
    };
    if let Some(detail) = &incident
        && detail.incident.head.levels.len() > 1
        && let Err(error) = acts.somebody_acknowledges(&mut steps).await
    {
        steps.note("acknowledged", DrillOutcome::Failed, error);
    }
    Played {
        steps: steps.found,
        incident,
    }
}

/// How long the whole ladder of a rule takes.
fn ladder(plan: &Plan, rule: &AlertRule) -> Duration {
    let policy = rule.escalation.as_deref();
    let policy = policy.and_then(|name| plan.escalation_policy(name));
    let last = policy.and_then(|policy| policy.levels.last());
    match rule.severity {
        Severity::Critical => last.map_or(Duration::ZERO, |level| level.after),
        Severity::Warning => Duration::ZERO,
    }
}

struct Acts<'a> {
    plan: &'a Plan,
    contacts: &'a Contacts,
    prepared: &'a Prepared,
    /// When the condition begins.
    at: Timestamp,
}

impl Acts<'_> {
    fn rule(&self) -> &AlertRule {
        &self.prepared.group.rules[0]
    }

    fn interval(&self) -> Duration {
        self.prepared.group.interval
    }

    /// When the condition holds, as its expression says.
    fn holds_at(&self) -> Timestamp {
        self.at + self.prepared.witness.holds_after
    }

    /// When the condition ends.
    fn end(&self) -> Timestamp {
        let fires = self.holds_at() + self.rule().hold + 2 * self.interval();
        fires + ladder(self.plan, self.rule()) + TAIL
    }

    /// When the alert has ended at the latest.
    fn resolved_by(&self) -> Timestamp {
        let witness = &self.prepared.witness;
        let without_value = if witness.has_value {
            Duration::ZERO
        } else {
            self.rule().hold
        };
        let calm = self.end() + witness.calm_after + witness.interval();
        calm + self.rule().keep_firing + without_value + 2 * self.interval()
    }

    async fn set_up(&self) -> Result<Stage, StageError> {
        let times = (self.at, self.end());
        let Prepared { group, witness } = self.prepared;
        Stage::set_up(self.plan, self.contacts, group, witness, times).await
    }

    async fn nobody_acknowledges(
        &self,
        steps: &mut Steps,
    ) -> Result<Option<IncidentDetail>, StageError> {
        let mut stage = self.set_up().await?;
        let until = self.resolved_by() + PATIENCE;
        stage.play(self.at - self.interval(), until, None).await?;
        let history = stage.history().await?;
        let found = stage.incident().await?;
        if !self.fires(steps, &history, &stage.why()) {
            return Ok(found);
        }
        let Some(detail) = found else {
            steps.note("incident", DrillOutcome::Failed, "no incident opened");
            return Ok(None);
        };
        let fired = first(&history, "firing").unwrap_or(self.at);
        let opened = detail.incident.head.opened_at;
        let text = format!(
            "incident opened as {}",
            detail.incident.head.severity.as_str()
        );
        steps.timed("incident", fired + TOLD_WITHIN, Some(opened), text);
        levels(steps, &detail);
        let resolved = detail.incident.resolved.as_ref().map(|own| own.at);
        let why = match &detail.incident.resolved {
            Some(own) => own.reason.in_words().to_owned(),
            None => stage.why(),
        };
        steps.timed("resolved", self.resolved_by(), resolved, why);
        if let Some(resolved) = resolved {
            told_of_end(steps, &detail, resolved);
        }
        Ok(Some(detail))
    }

    /// Pending and firing; whether it fired.
    fn fires(&self, steps: &mut Steps, history: &[HistoryEntry], why: &str) -> bool {
        let (pending, firing) = (first(history, "pending"), first(history, "firing"));
        let hold = self.rule().hold;
        let seen_by = self.holds_at() + self.prepared.witness.interval() + self.interval();
        if hold > Duration::ZERO {
            let text = if pending.is_some() { "" } else { why };
            steps.timed("pending", seen_by, pending, text);
        }
        let held_by = pending.unwrap_or(seen_by) + hold;
        let promised = if hold > Duration::ZERO {
            held_by + self.interval()
        } else {
            seen_by
        };
        let is_early = pending.is_some_and(|_| firing.is_some_and(|at| at < held_by));
        if is_early {
            let text = "it fired before its `for` had passed";
            steps.note("firing", DrillOutcome::Failed, text);
        } else {
            let value = history.iter().find(|own| own.kind == "firing");
            let text = value.map_or(why, |own| own.why.as_str());
            steps.timed("firing", promised, firing, text);
        }
        firing.is_some()
    }

    async fn somebody_acknowledges(&self, steps: &mut Steps) -> Result<(), StageError> {
        let mut stage = self.set_up().await?;
        let from = self.at - self.interval();
        stage
            .play(from, self.end(), Some(ACKNOWLEDGED_AFTER))
            .await?;
        let Some(detail) = stage.incident().await? else {
            steps.note("acknowledged", DrillOutcome::Failed, "no incident opened");
            return Ok(());
        };
        let acknowledged = detail.incident.first_acknowledged_at;
        let opened = detail.incident.head.opened_at;
        let promised = opened + ACKNOWLEDGED_AFTER + TOLD_WITHIN;
        let Some(at) = acknowledged else {
            steps.timed("acknowledged", promised, None, "");
            return Ok(());
        };
        // An acknowledgement that expires lets the ladder go on: until then it must rest.
        let expires = detail.incident.head.acknowledgement_expires;
        let rests_until = expires.map_or(Timestamp::MAX, |length| at + length);
        let later = detail.pages.iter().find(|page| {
            page.reason == PageReason::Escalation
                && page.queued_at > at
                && page.queued_at < rests_until
        });
        match later {
            None => steps.timed("acknowledged", promised, Some(at), "the ladder rests"),
            Some(page) => {
                let text = format!("level {} was told all the same", page.level);
                steps.note("acknowledged", DrillOutcome::Failed, text);
                false
            }
        };
        Ok(())
    }
}

/// When something first happened to an alert.
fn first(history: &[HistoryEntry], kind: &str) -> Option<Timestamp> {
    history
        .iter()
        .find(|entry| entry.kind == kind)
        .map(|entry| entry.at)
}

/// Each level, against its minute.
fn levels(steps: &mut Steps, detail: &IncidentDetail) {
    let incident = &detail.incident;
    if incident.head.levels.is_empty() {
        let text = "the rule names no escalation policy: nobody is told";
        steps.note("level 1", DrillOutcome::Skipped, text);
    }
    for index in 0..incident.head.levels.len() {
        level(steps, incident, index, &detail.pages, Duration::ZERO);
    }
}

/// One level: everybody whom it tells must have been told by then, and by `evidence` later where pages wait for what a procedure
/// finds.
pub(super) fn level(
    steps: &mut Steps,
    incident: &Incident,
    index: usize,
    pages: &[Page],
    evidence: Duration,
) {
    let own = &incident.head.levels[index];
    let what = format!("level {}", index + 1);
    let promised = incident.due_at(own) + TOLD_WITHIN + evidence;
    let told: Vec<&Page> = pages
        .iter()
        .filter(|page| page.level == index + 1 && page.reason == PageReason::Escalation)
        .collect();
    if told.is_empty() {
        let text = match &incident.held {
            Some(hold) => format!("pages are held back: {hold}"),
            None => format!("nobody fills {}", own.roles.join(", ")),
        };
        steps.timed(&what, promised, None, text);
        return;
    }
    let accepted: Option<Timestamp> = told
        .iter()
        .map(|page| page.delivered_at)
        .collect::<Option<Vec<Timestamp>>>()
        .and_then(|times| times.into_iter().max());
    steps.timed(&what, promised, accepted, said(&told));
}

/// Everybody who was told that it fires must be told that it is over.
pub(super) fn told_of_end(steps: &mut Steps, detail: &IncidentDetail, resolved: Timestamp) {
    let ends: Vec<&Page> = detail
        .pages
        .iter()
        .filter(|page| page.reason == PageReason::Resolved)
        .collect();
    let untold: Vec<&str> = detail
        .incident
        .told
        .keys()
        .filter(|person| !ends.iter().any(|page| page.person == **person))
        .map(String::as_str)
        .collect();
    if ends.is_empty() && untold.is_empty() {
        return;
    }
    let accepted = ends
        .iter()
        .map(|page| page.delivered_at)
        .collect::<Option<Vec<Timestamp>>>()
        .and_then(|times| times.into_iter().max())
        .filter(|_| untold.is_empty());
    let text = if untold.is_empty() {
        said(&ends)
    } else {
        format!("not told: {}", untold.join(", "))
    };
    steps.timed("told of the end", resolved + TOLD_WITHIN, accepted, text);
}

/// Who was told by which channel, and what receivers said.
fn said(pages: &[&Page]) -> String {
    let told: Vec<String> = pages
        .iter()
        .map(|page| {
            let answer = page.receipt.as_deref().or(page.last_error.as_deref());
            let answer = answer.unwrap_or("no answer yet");
            format!("{} by {}: {answer}", page.person, page.channel)
        })
        .collect();
    told.join("; ")
}
