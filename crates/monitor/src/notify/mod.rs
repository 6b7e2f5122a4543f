//! Notification: from the outbox to receivers, at least once.
//!
//! A page is delivered first and marked delivered after, so a crash in between sends it twice with the same idempotency key
//! and never zero times. Each attempt has its own time bound and runs beside the others: one hanging receiver delays nobody.
//!
//! Reading order: [`Outbox`]; what a page holds for programs ([`payload`]) and says to people (`message`); then one file for
//! each channel.

mod alertmanager;
mod command;
mod email;
mod message;
mod outbox;
mod pagerduty;
mod payload;
mod post;
mod slack;
mod trial;
mod webhook;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use outbox::Outbox;
pub use payload::payload;
use payload::service_of;
pub(crate) use payload::{all_labels, annotations, fingerprint};
pub use trial::{Trial, try_contact};

use alerting::Incident;
use plan::Channel;
use world::World;

use crate::incident::{IncidentDetail, Page, PageKind};
use crate::setup::{Environment, Setup};

/// What a page says to people: a subject of one line, and a text. From the plan's templates where it has them.
pub fn words(context: &PageContext<'_>) -> (String, String) {
    let message = message::message(context);
    (message.subject, message.body)
}

/// How long one attempt may take. A receiver that hangs is tried again; a longer wait would only delay the retry.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a page is made of.
pub struct PageContext<'a> {
    /// The plan and contacts in force.
    pub setup: &'a Setup,
    /// The incident, with what was found out about it.
    pub detail: &'a IncidentDetail,
    /// The page.
    pub page: &'a Page,
    /// Belfry's own address.
    pub external_url: &'a str,
    /// The incidents that a summary carries; empty for every other page.
    pub summary_of: &'a [Incident],
}

impl PageContext<'_> {
    /// What the page says: a summary of nothing but ends says that it is over.
    fn kind(&self) -> PageKind {
        let is_over = |incident: &Incident| incident.resolved.is_some();
        if !self.summary_of.is_empty() && self.summary_of.iter().all(is_over) {
            PageKind::Resolved
        } else {
            self.page.kind()
        }
    }

    /// What names the incident outside, the same for all its pages. Numbers begin anew with an empty data folder, and
    /// receivers remember: the time makes it another name.
    fn incident_key(&self) -> String {
        let head = &self.detail.incident.head;
        format!("{}-{}", head.id, head.opened_at.as_millis())
    }

    /// Whether everything that it tells of is a drill. Several incidents are one only together: a summary of drills and what
    /// is real is real.
    fn is_drill(&self) -> bool {
        let is_drill = |incident: &Incident| incident.drill.is_some();
        if self.summary_of.is_empty() {
            is_drill(&self.detail.incident)
        } else {
            self.summary_of.iter().all(is_drill)
        }
    }

    /// Whether it carries several incidents.
    fn is_summary(&self) -> bool {
        self.page.reason == alerting::PageReason::Summary
    }
}

/// Sends a page by one channel; what the receiver said when it took it.
///
/// # Errors
/// A sentence that says what happened, without addresses and secrets.
pub(crate) async fn send(
    world: &World,
    environment: &Environment,
    channel: &Channel,
    context: &PageContext<'_>,
) -> Result<String, String> {
    match channel {
        Channel::Webhook {
            url,
            token,
            signing_key,
        } => {
            let secrets = webhook::Secrets {
                token: token.as_ref(),
                signing_key: signing_key.as_ref(),
            };
            webhook::send(world, environment, url, secrets, context).await
        }
        Channel::Email { to } => email::send(world, environment, to, context).await,
        Channel::Slack { url } => slack::send(world, environment, url, context).await,
        Channel::PagerDuty { routing_key, url } => {
            pagerduty::send(world, environment, routing_key, url, context).await
        }
        Channel::Alertmanager { url } => alertmanager::send(world, url, context).await,
        Channel::Command { argv } => command::send(world, argv, context).await,
        Channel::Log => Ok("written to the log".to_owned()),
    }
}
