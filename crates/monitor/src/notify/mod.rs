//! Notification: from the outbox to receivers, at least once.
//!
//! A page is delivered first and marked delivered after, so a crash in between sends it twice with the same idempotency key
//! and never zero times. Each attempt has its own time bound and runs beside the others: one hanging receiver delays nobody.

mod outbox;
mod webhook;

pub use outbox::Outbox;
pub use webhook::{WebhookContext, payload};
