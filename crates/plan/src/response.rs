//! How alerts reach people, as the plan declares it: what groups, what holds pages back, what is sent, what the
//! responder does. A file of its own because `plan.rs` is about what is watched, this about what follows.

use std::fmt;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use model::{Labels, Matcher};

use crate::{Expression, Location, Origin, SecretSource, Severity};

/// How alerts become incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentOptions {
    /// Labels by which alerts group into one incident, unless a rule says otherwise. Severity and escalation policy always
    /// separate, so that a critical alert never hides in a warning's incident.
    pub group_by: Vec<String>,
    /// The shortest time between two pages of one level about one incident, when further alerts join it.
    pub page_interval: Duration,
}

/// Which alerts are meant: all whose labels satisfy every matcher.
#[derive(Clone, Debug)]
pub struct AlertSelector {
    /// As written: an alert's name, or matchers between braces.
    pub text: String,
    /// Parsed; at least one.
    pub matchers: Vec<Matcher>,
}

impl AlertSelector {
    /// The alerts of one name.
    pub fn of_alert(name: &str) -> AlertSelector {
        AlertSelector {
            text: name.to_owned(),
            matchers: vec![Matcher::equal("alertname", name)],
        }
    }

    /// Whether an alert with these labels is meant.
    pub fn selects(&self, labels: &Labels) -> bool {
        self.matchers
            .iter()
            .all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or("")))
    }
}

impl fmt::Display for AlertSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// While one alert fires, the pages of others say nothing new and are held back.
#[derive(Clone, Debug)]
pub struct Inhibition {
    /// Its name in timelines.
    pub name: String,
    /// While any of these fires …
    pub while_firing: Vec<AlertSelector>,
    /// … these are held back, …
    pub hold_back: Vec<AlertSelector>,
    /// … if both have the same values for these labels.
    pub equal: Vec<String>,
    /// Where it is declared.
    pub at: Location,
}

/// A recurring time in which pages about some alerts are held back.
#[derive(Clone, Debug)]
pub struct MaintenanceWindow {
    /// Its name in timelines.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Which alerts.
    pub alerts: Vec<AlertSelector>,
    /// The days on which it begins; empty for every day.
    pub days: Vec<Weekday>,
    /// When it begins, on the clocks of `zone`.
    pub from: Time,
    /// How long it lasts, in elapsed time: a change of offset makes it neither longer nor shorter. At most a week.
    pub length: Duration,
    /// Whose clocks.
    pub zone: TimeZone,
    /// Where it is declared.
    pub at: Location,
}

/// Templates of what is sent; where one is absent Belfry's own is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// One line: the subject of a mail, the title of a chat message.
    pub subject: Option<String>,
    /// The text below it.
    pub body: Option<String>,
}

/// A job that must report from time to time.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Its name in addresses and in the `heartbeat` label.
    pub name: String,
    /// How often it reports.
    pub every: Duration,
    /// How late it may be.
    pub grace: Duration,
    /// Where it is declared.
    pub at: Location,
}

/// What happens to alerts that other programs send (Prometheus, `amtool`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingAlerts {
    /// Their escalation policy, unless their label `escalation` names one.
    pub escalation: String,
    /// Their severity, unless their label `severity` says `critical` or `warning`.
    pub severity: Severity,
}

/// How Belfry sees that something new was deployed, beside being told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentTracking {
    /// The metric whose labels name the build that runs.
    pub metric: String,
    /// The labels that change with a deployment.
    pub labels: Vec<String>,
}

/// Who is told, minute by minute, until somebody acknowledges.
#[derive(Clone, Debug)]
pub struct EscalationPolicy {
    /// Its name.
    pub name: String,
    /// Its levels, in order, with rising times.
    pub levels: Vec<EscalationLevel>,
    /// How long an acknowledgement holds; then escalation goes on. `None`: until the end.
    pub acknowledgement_expires: Option<Duration>,
}

/// One level of an escalation policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationLevel {
    /// How long after the incident opened.
    pub after: Duration,
    /// The roles that are told.
    pub roles: Vec<String>,
}

/// What a responder does, step by step.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// Its name in references.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Document or added.
    pub origin: Origin,
    /// Where it is declared.
    pub at: Location,
}

/// One step of a procedure.
#[derive(Clone, Debug)]
pub struct Step {
    /// What to do.
    pub title: String,
    /// How Belfry helps with it.
    pub kind: StepKind,
    /// Whether it changes something. Such a step waits for a person, unless `automatic`.
    pub changes: bool,
    /// Whether it runs by itself when the incident opens.
    pub automatic: bool,
    /// How long it may take.
    pub timeout: Duration,
}

/// How Belfry helps with a step.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A person does it and ticks it.
    Manual,
    /// A metrics query: its value now, and a chart.
    Query(Expression),
    /// A log search in the words of the log page's search bar, over the time before the incident.
    Logs(String),
    /// A probe, by name, asked at once.
    Check(String),
    /// What was deployed in this length of time before the incident.
    Deployments(Duration),
    /// A metrics query now against the same one a while before.
    Compare {
        /// The query.
        expr: Expression,
        /// How long before.
        before: Duration,
    },
    /// An HTTP call, such as one of the service's administration addresses.
    Request(RequestStep),
    /// A local program.
    Command(CommandStep),
}

impl StepKind {
    /// The word of the plan and the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            StepKind::Manual => "manual",
            StepKind::Query(_) => "query",
            StepKind::Logs(_) => "logs",
            StepKind::Check(_) => "check",
            StepKind::Deployments(_) => "deployments",
            StepKind::Compare { .. } => "compare",
            StepKind::Request(_) => "request",
            StepKind::Command(_) => "command",
        }
    }
}

/// An HTTP call of a procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestStep {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The address. Its host and port are those of a target or probe, or listed under `procedures_may_reach`.
    pub url: String,
    /// A JSON body, as text; empty for none.
    pub body: String,
    /// Where the bearer token comes from, if one is sent.
    pub token: Option<SecretSource>,
}

/// A local program of a procedure. No shell: the first word is the program, the rest are its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandStep {
    /// Program and arguments; at least one.
    pub argv: Vec<String>,
}
