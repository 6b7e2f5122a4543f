//! Every channel against a counterpart that the test starts: an HTTP server that enforces what each receiver documents, a
//! real mail server, a real Alertmanager, a real program; and against counterparts that misbehave.

#![expect(
    clippy::disallowed_methods,
    reason = "tests start real servers and programs beside the code that they test"
)]

mod alertmanager;
mod commands;
mod documented;
mod mail;
mod misbehaving;
mod receiver;
#[path = "../../../../world/tests/smtp/mod.rs"]
mod smtp;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::{Incident, IncidentHead, IncidentId, Member, PageReason, Resolution, ResolveReason};
use model::{Labels, Timestamp};
use plan::{Channel, MailServer, SecretSource, Severity};
use world::World;

use super::{PageContext, send};
use crate::incident::{IncidentDetail, Page, PageId, PageState, RunId, RunState, StepRun};
use crate::setup::{Environment, Setup};

/// 2026-11-23T09:00:00Z
const OPENED: i64 = 1_795_424_400_000;

/// Whatever is a secret holds this word; it must be nowhere but where the secret belongs.
const CANARY: &str = "canary";

const PLAN: &str = include_str!("../../../tests/it/plan.yaml");

/// All that a context borrows.
struct Case {
    setup: Setup,
    detail: IncidentDetail,
    page: Page,
    summary_of: Vec<Incident>,
}

impl Case {
    /// A critical alert of the shop, told to level 1.
    fn new() -> Case {
        Case {
            setup: Setup {
                plan: plan::parse("plan.yaml", PLAN).0.unwrap(),
                files: Vec::new(),
                contacts: plan::Contacts::default(),
                loaded_at: Timestamp::from_millis(OPENED),
            },
            detail: IncidentDetail {
                incident: incident(12, Severity::Critical),
                timeline: Vec::new(),
                pages: Vec::new(),
                runs: Vec::new(),
            },
            page: Page {
                id: PageId(31),
                root: PageId(30),
                incident: IncidentId(12),
                level: 1,
                reason: PageReason::Escalation,
                person: "ada".to_owned(),
                channel: "webhook".to_owned(),
                state: PageState::Queued,
                attempts: 0,
                due_at: Timestamp::from_millis(OPENED),
                queued_at: Timestamp::from_millis(OPENED),
                next_attempt_at: Timestamp::from_millis(OPENED),
                delivered_at: None,
                last_error: None,
                receipt: None,
            },
            summary_of: Vec::new(),
        }
    }

    fn context(&self) -> PageContext<'_> {
        PageContext {
            setup: &self.setup,
            detail: &self.detail,
            page: &self.page,
            external_url: "http://belfry.test:9765",
            summary_of: &self.summary_of,
        }
    }

    /// The same incident, over.
    fn resolved(mut self) -> Case {
        let at = Timestamp::from_millis(OPENED + 20 * 60_000);
        for member in self.detail.incident.members.values_mut() {
            member.resolved_at = Some(at);
        }
        self.detail.incident.resolved = Some(Resolution {
            at,
            reason: ResolveReason::Recovered,
        });
        self.page.reason = PageReason::Resolved;
        self
    }

    /// With what two steps found.
    fn with_evidence(mut self) -> Case {
        let run = |step: usize, title: &str, state: RunState, summary: &str| StepRun {
            id: RunId(step as i64),
            incident: IncidentId(12),
            step,
            title: title.to_owned(),
            kind: "query".to_owned(),
            changes: false,
            state,
            by: String::new(),
            queued_at: Timestamp::from_millis(OPENED),
            started_at: None,
            finished_at: None,
            summary: summary.to_owned(),
            detail: String::new(),
        };
        self.detail.runs = vec![
            run(0, "Look at the stock.", RunState::Done, "stock = 0"),
            run(
                1,
                "Read what went wrong.",
                RunState::Failed,
                "the log store did not answer",
            ),
            run(2, "Not begun.", RunState::Queued, ""),
        ];
        self
    }

    /// As one page for three incidents.
    fn summarised(mut self) -> Case {
        self.page.reason = PageReason::Summary;
        self.summary_of = vec![
            incident(12, Severity::Critical),
            incident(13, Severity::Warning),
            incident(14, Severity::Critical),
        ];
        self
    }

    async fn send(&self, channel: &Channel) -> Result<String, String> {
        self.send_in(&World::real().unwrap(), channel).await
    }

    async fn send_in(&self, world: &World, channel: &Channel) -> Result<String, String> {
        send(world, &secrets(BTreeMap::new()), channel, &self.context()).await
    }

    async fn send_with(
        &self,
        channel: &Channel,
        name: &str,
        secret: &str,
    ) -> Result<String, String> {
        let environment = secrets(BTreeMap::from([(name.to_owned(), secret.to_owned())]));
        let world = World::real().unwrap();
        send(&world, &environment, channel, &self.context()).await
    }
}

fn incident(id: i64, severity: Severity) -> Incident {
    let mut incident = Incident::new(IncidentHead {
        id: IncidentId(id),
        title: "NoStock".to_owned(),
        group: "shop".to_owned(),
        severity,
        opened_at: Timestamp::from_millis(OPENED),
        levels: vec![
            plan::EscalationLevel {
                after: std::time::Duration::ZERO,
                roles: vec!["on-call".to_owned()],
            };
            3
        ],
        acknowledgement_expires: None,
        page_interval: std::time::Duration::from_secs(300),
        procedure: Some("restock".to_owned()),
    });
    let (labels, member) = alert("shop:1", 0.0);
    incident.members.insert(labels, member);
    incident
}

fn alert(instance: &str, value: f64) -> (Labels, Member) {
    let labels = Labels::from_pairs([
        ("alertname", "NoStock"),
        ("severity", "critical"),
        ("instance", instance),
    ]);
    let member = Member {
        value,
        started_at: Timestamp::from_millis(OPENED),
        resolved_at: None,
        no_data: false,
        summary: format!("{value} boxes left at {instance}"),
        foreign: None,
    };
    (labels, member)
}

/// Secrets by the variable's name; every other variable holds the canary.
fn secrets(known: BTreeMap<String, String>) -> Environment {
    Arc::new(move |name| {
        let other = || format!("{CANARY}-{name}");
        Some(known.get(name).cloned().unwrap_or_else(other))
    })
}

fn from_environment(name: &str) -> SecretSource {
    SecretSource::Environment(name.to_owned())
}

fn webhook(url: &str) -> Channel {
    Channel::Webhook {
        url: url.to_owned(),
        token: Some(from_environment("TOKEN")),
        signing_key: Some(from_environment("KEY")),
    }
}

fn mail_server(port: u16, security: plan::MailSecurity) -> MailServer {
    MailServer {
        host: "localhost".to_owned(),
        port,
        security,
        ca_file: None,
        from: "belfry@example.org".to_owned(),
        login: None,
    }
}
