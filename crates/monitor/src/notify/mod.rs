//! Notification: from the outbox to receivers, at least once.
//!
//! A page is delivered first and marked delivered after, so a crash in between sends it twice with the same idempotency key
//! and never zero times. Each attempt has its own time bound and runs beside the others: one hanging receiver delays nobody.

mod outbox;
mod payload;
mod trial;
mod webhook;

pub use outbox::Outbox;
pub use payload::payload;
pub(crate) use payload::{all_labels, annotations, fingerprint};
pub use trial::{Trial, try_contact};

use alerting::Incident;
use plan::Channel;
use world::World;

use crate::incident::{IncidentDetail, Page};
use crate::setup::{Environment, Setup};

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
        Channel::Webhook { url, token, .. } => {
            webhook::send(world, environment, url, token.as_ref(), context).await
        }
        Channel::Log => Ok("written to the log".to_owned()),
        other => Err(format!("{} cannot be sent yet", other.kind())),
    }
}
