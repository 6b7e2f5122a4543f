//! A test page to one person: by each of their channels, now, without an incident. So that a wrong address is found on a
//! quiet afternoon and not at night.

use std::time::Duration;

use alerting::{Incident, IncidentHead, IncidentId, Member, PageReason, Resolution, ResolveReason};
use model::{Labels, Timestamp};
use plan::{Person, Severity};
use world::World;

use super::{PageContext, send};
use crate::incident::{IncidentDetail, Page, PageId, PageState};
use crate::setup::{Environment, Setup};

/// What became of a test page by one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The channel.
    pub channel: String,
    /// What the receiver said, or why it failed.
    pub outcome: Result<String, String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Sends a test page to a person by one channel, or by each.
pub async fn try_contact(
    world: &World,
    environment: &Environment,
    setup: &Setup,
    external_url: &str,
    person: &Person,
    only: Option<&str>,
) -> Vec<Trial> {
    let now = Timestamp::from(world.clock.now());
    let detail = test_incident(person, now);
    let mut trials = Vec::new();
    for (name, channel) in person.channel_names().into_iter().zip(&person.channels) {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let page = test_page(person, &name, now);
        let context = PageContext {
            setup,
            detail: &detail,
            page: &page,
            external_url,
            summary_of: &[],
        };
        let started = world.clock.monotonic();
        let outcome = send(world, environment, channel, &context).await;
        let took = world.clock.monotonic().saturating_sub(started);
        trials.push(Trial {
            channel: name,
            outcome,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        });
    }
    trials
}

/// An incident that is none: number 0, a warning, and over, so that a receiver that keeps state is left with nothing open.
fn test_incident(person: &Person, now: Timestamp) -> IncidentDetail {
    let mut incident = Incident::new(IncidentHead {
        id: IncidentId(0),
        title: "BelfryTestPage".to_owned(),
        group: "test".to_owned(),
        severity: Severity::Warning,
        opened_at: now,
        levels: Vec::new(),
        acknowledgement_expires: None,
        page_interval: Duration::ZERO,
        procedure: None,
    });
    let labels = Labels::from_pairs([("alertname", "BelfryTestPage"), ("severity", "warning")]);
    let member = Member {
        value: f64::NAN,
        started_at: now,
        resolved_at: Some(now),
        no_data: false,
        summary: format!(
            "A test: {} can be reached this way. Nothing is wrong.",
            person.name
        ),
        foreign: None,
    };
    incident.members.insert(labels, member);
    incident.resolved = Some(Resolution {
        at: now,
        reason: ResolveReason::ByHand,
    });
    IncidentDetail {
        incident,
        timeline: Vec::new(),
        pages: Vec::new(),
        runs: Vec::new(),
    }
}

fn test_page(person: &Person, channel: &str, now: Timestamp) -> Page {
    Page {
        id: PageId(now.as_millis()),
        root: PageId(now.as_millis()),
        incident: IncidentId(0),
        level: 1,
        reason: PageReason::Resolved,
        person: person.name.clone(),
        channel: channel.to_owned(),
        state: PageState::Queued,
        attempts: 0,
        due_at: now,
        queued_at: now,
        next_attempt_at: now,
        delivered_at: None,
        last_error: None,
        receipt: None,
    }
}
