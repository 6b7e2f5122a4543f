//! The rehearsal of an escalation: who would be told what, when and by which channel, if an alert fired at a given time. On a
//! clock of its own, with the very desk and store that decide when it is real, so that it cannot say anything else.
//!
//! Nothing is sent and nothing is kept: the store lives in memory and no outbox runs.

use std::sync::Arc;
use std::time::Duration;

use alerting::{Evaluation, IncidentId, Silence};
use model::{Labels, Timestamp};
use plan::{AlertRule, Contacts, Plan};
use world::World;
use world::sim::{Inline, SeededEntropy};

use crate::hand_clock::HandClock;
use crate::incident::{
    Desk, IncidentDetail, IncidentStore, IncidentStoreError, Page, SqliteIncidents, StoredOverride,
};
use crate::notify::{PageContext, words};
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Setup};

/// How long a rehearsal goes on after the last thing that can happen by itself.
const TAIL: Duration = Duration::from_secs(60);
/// The only incident of a rehearsal.
const FIRST: IncidentId = IncidentId(1);
/// How often an alert is evaluated in a rehearsal, as in most plans.
const EVALUATED_EVERY_S: u64 = 15;

/// What is rehearsed.
#[derive(Clone, Debug)]
pub struct Script {
    /// The alert.
    pub alert: String,
    /// Labels of its series, for grouping and silences.
    pub labels: Labels,
    /// When it fires: its `for` has passed then.
    pub at: Timestamp,
    /// How long after that somebody acknowledges; `None`: nobody does.
    pub acknowledged_after: Option<Duration>,
    /// How long after that the condition ends; `None`: it does not.
    pub ends_after: Option<Duration>,
    /// How much of it is shown.
    pub length: Duration,
    /// Silences in force.
    pub silences: Vec<Silence>,
    /// Exceptions to rotas in force.
    pub overrides: Vec<StoredOverride>,
}

/// One thing that would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What kind: a word of the timeline, or `page`.
    pub kind: String,
    /// What.
    pub text: String,
}

/// Why a rehearsal cannot be held.
#[derive(Debug, PartialEq, Eq)]
pub struct RehearsalError(pub String);

impl std::fmt::Display for RehearsalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RehearsalError {}

impl From<IncidentStoreError> for RehearsalError {
    fn from(error: IncidentStoreError) -> RehearsalError {
        RehearsalError(error.to_string())
    }
}

/// Holds a rehearsal.
///
/// # Errors
/// [`RehearsalError`] when the plan has no such alert.
pub async fn rehearse(
    plan: Plan,
    contacts: Contacts,
    script: &Script,
) -> Result<Vec<Happening>, RehearsalError> {
    let stage = Stage::new(plan, contacts, script)?;
    let mut told = Told::default();
    for second in 0..=script.length.as_secs() {
        let passed = Duration::from_secs(second);
        if let Some(detail) = stage.play(script, passed).await? {
            told.take(&detail, &stage.setup.get(), script.at + passed);
        }
    }
    Ok(told.happenings)
}

/// A desk with a clock that is moved by hand, and the rule that it is told about.
struct Stage {
    rule: AlertRule,
    clock: Arc<HandClock>,
    setup: Arc<CurrentSetup>,
    desk: Desk,
}

impl Stage {
    fn new(plan: Plan, contacts: Contacts, script: &Script) -> Result<Stage, RehearsalError> {
        let rule = fires_at_once(&plan, &script.alert)?;
        let clock = Arc::new(HandClock::starting_at(script.at));
        let setup = Arc::new(CurrentSetup::new(Setup {
            plan,
            text: String::new(),
            contacts,
            loaded_at: script.at,
        }));
        let store = prepared_store(script)?;
        let metrics = Arc::new(SelfMetrics::new());
        let desk = Desk::open(world(clock.clone())?, store, setup.clone(), metrics)?;
        Ok(Stage {
            rule,
            clock,
            setup,
            desk,
        })
    }

    /// Lets the time be `passed` since the alert fired, and all happen that then happens; the incident, if there is one.
    async fn play(
        &self,
        script: &Script,
        passed: Duration,
    ) -> Result<Option<IncidentDetail>, RehearsalError> {
        let now = script.at + passed;
        self.clock.set(now);
        if passed.as_secs().is_multiple_of(EVALUATED_EVERY_S) {
            let holds = script.ends_after.is_none_or(|end| passed < end);
            let evaluation = evaluation(&script.labels, holds);
            self.desk
                .evaluate(&self.rule, &evaluation, "rehearsed", now)
                .await?;
        }
        if script.acknowledged_after == Some(passed) {
            // Resolved before: there is nothing left to acknowledge, and the rehearsal shows that.
            let _ = self
                .desk
                .acknowledge(FIRST, "whoever is told first", "", now)
                .await;
        }
        self.desk.tick(now).await?;
        Ok(self.desk.with_store(|store| store.detail(FIRST)).await?)
    }
}

/// What the first page of a rehearsal would say: subject and text, from the plan's templates or Belfry's own.
///
/// # Errors
/// [`RehearsalError`] when the plan has no such alert, or when nobody would be told within the script's length.
pub async fn first_message(
    plan: Plan,
    contacts: Contacts,
    script: &Script,
    external_url: &str,
) -> Result<(String, String), RehearsalError> {
    let stage = Stage::new(plan, contacts, script)?;
    for second in 0..=script.length.as_secs() {
        let detail = stage.play(script, Duration::from_secs(second)).await?;
        let page = detail.as_ref().and_then(|detail| detail.pages.first());
        if let (Some(detail), Some(page)) = (&detail, page) {
            return Ok(words(&PageContext {
                setup: &stage.setup.get(),
                detail,
                page,
                external_url,
                summary_of: &[],
            }));
        }
    }
    Err(RehearsalError(
        "nobody would be told; see `belfry simulate` for why".to_owned(),
    ))
}

/// How long a rule's whole ladder takes, with a little after it.
pub fn ladder_length(plan: &Plan, alert: &str) -> Duration {
    let rule = plan
        .rules()
        .map(|(_, rule)| rule)
        .find(|rule| rule.name == alert);
    let policy = rule
        .and_then(|rule| rule.escalation.as_deref())
        .and_then(|name| plan.escalation_policy(name));
    let last = policy.and_then(|policy| policy.levels.last());
    last.map_or(Duration::ZERO, |level| level.after) + TAIL
}

fn fires_at_once(plan: &Plan, alert: &str) -> Result<AlertRule, RehearsalError> {
    let names: Vec<&str> = plan.rules().map(|(_, rule)| rule.name.as_str()).collect();
    let rule = plan
        .rules()
        .map(|(_, rule)| rule)
        .find(|rule| rule.name == alert);
    let rule = rule.ok_or_else(|| {
        RehearsalError(format!(
            "the plan has no alert `{alert}`; it has {}",
            names.join(", ")
        ))
    })?;
    Ok(AlertRule {
        hold: Duration::ZERO,
        ..rule.clone()
    })
}

fn prepared_store(script: &Script) -> Result<SqliteIncidents, IncidentStoreError> {
    let mut store = SqliteIncidents::in_memory()?;
    store.put_silences(&script.silences)?;
    for added in &script.overrides {
        store.put_override(added)?;
    }
    Ok(store)
}

fn evaluation(labels: &Labels, holds: bool) -> Evaluation {
    let value = if holds { 1.0 } else { 0.0 };
    let subject = vec![(labels.clone(), value)];
    Evaluation::Done {
        active: if holds { subject.clone() } else { Vec::new() },
        subject: Some(subject),
        complete: true,
    }
}

/// What was shown already.
#[derive(Default)]
struct Told {
    happenings: Vec<Happening>,
    timeline: usize,
    pages: usize,
}

impl Told {
    fn take(&mut self, detail: &IncidentDetail, setup: &Setup, now: Timestamp) {
        for entry in &detail.timeline[self.timeline..] {
            self.happenings.push(Happening {
                at: now,
                kind: entry.kind.clone(),
                text: entry.text.clone(),
            });
        }
        self.timeline = detail.timeline.len();
        for page in &detail.pages[self.pages..] {
            self.happenings.push(Happening {
                at: now,
                kind: "page".to_owned(),
                text: page_text(setup, page),
            });
        }
        self.pages = detail.pages.len();
    }
}

fn page_text(setup: &Setup, page: &Page) -> String {
    let names = setup
        .contacts
        .person(&page.person)
        .map(plan::Person::channel_names)
        .unwrap_or_default();
    let further: Vec<&str> = names
        .iter()
        .filter(|name| **name != page.channel)
        .map(String::as_str)
        .collect();
    let fall_back = if further.is_empty() {
        "no other channel if it fails".to_owned()
    } else {
        format!("if it fails, {}", further.join(", then "))
    };
    format!(
        "{} is told by {} ({}, level {}, {}; {fall_back})",
        page.person,
        page.channel,
        page.kind().as_str(),
        page.level,
        page.reason.as_str().replace('_', " "),
    )
}

fn world(clock: Arc<HandClock>) -> Result<World, RehearsalError> {
    let real = World::real().map_err(|error| RehearsalError(error.to_string()))?;
    Ok(World {
        clock,
        entropy: Arc::new(SeededEntropy::new(1)),
        blocking: Arc::new(Inline),
        ..real
    })
}

/// The names of roles that nobody can fill, with the level that would reach nobody.
pub fn unreachable_levels(plan: &Plan, contacts: &Contacts, alert: &str) -> Vec<String> {
    let rule = plan
        .rules()
        .map(|(_, rule)| rule)
        .find(|rule| rule.name == alert);
    let policy = rule
        .and_then(|rule| rule.escalation.as_deref())
        .and_then(|name| plan.escalation_policy(name));
    let mut found = Vec::new();
    for (index, level) in policy.iter().flat_map(|policy| &policy.levels).enumerate() {
        if !level.roles.iter().any(|role| contacts.can_fill(role)) {
            found.push(format!(
                "level {}: nobody fills {}",
                index + 1,
                level.roles.join(", ")
            ));
        }
    }
    found
}
