//! The sender: takes due pages from the store, tries them, records how it ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alerting::{Attempt, NextStep, TimelineKind, after_attempt};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::Timestamp;
use plan::Channel;
use telemetry::log::Logger;
use world::World;

use super::webhook::{self, WebhookContext};
use crate::incident::{Desk, IncidentDetail, Page, PageId, PageOutcome, PageState};
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Environment};

/// Attempts that run at once.
const ATTEMPTS_AT_ONCE: usize = 64;

/// The first failed attempts are written to the timeline one by one …
const TOLD_ATTEMPTS: u32 = 3;
/// … and then about one an hour.
const TOLD_EVERY: u32 = 60;

/// The wait after the store refused to record how an attempt ended.
const RECORD_RETRY: Duration = Duration::from_secs(5);

/// The longest wait between two looks at the store, in case a wake-up was missed.
const POLL: Duration = Duration::from_secs(1);

/// Sends pages for ever.
pub struct Outbox {
    /// Time and network.
    pub world: World,
    /// Where pages are.
    pub desk: Arc<Desk>,
    /// Who people are.
    pub setup: Arc<CurrentSetup>,
    /// Secrets.
    pub environment: Environment,
    /// Counters.
    pub metrics: Arc<SelfMetrics>,
    /// The log, which every page is written to as well.
    pub log: Logger,
    /// Belfry's own address, for links in pages.
    pub external_url: String,
}

impl Outbox {
    /// Sends until dropped. Dropping in mid-attempt is safe: the page is still queued.
    pub async fn run(self) {
        let queued = self.desk.queued();
        let mut running = FuturesUnordered::new();
        let mut in_flight: BTreeSet<PageId> = BTreeSet::new();
        loop {
            // Interest before the look: a page queued between the two still wakes this loop.
            let woken = queued.notified();
            let now = Timestamp::from(self.world.clock.now());
            for page in self.due(now).await {
                if running.len() < ATTEMPTS_AT_ONCE && in_flight.insert(page.id) {
                    running.push(self.attempt(page));
                }
            }
            tokio::select! {
                // Results first: they free slots and may release a "resolved" page.
                biased;
                Some(id) = running.next(), if !running.is_empty() => {
                    in_flight.remove(&id);
                }
                () = woken => {}
                () = self.world.clock.sleep(POLL) => {}
            }
            self.show_queue().await;
        }
    }

    async fn due(&self, now: Timestamp) -> Vec<Page> {
        // A failing store is counted by the desk; the next look tries again.
        self.desk
            .with_store(move |store| store.due_pages(now, 2 * ATTEMPTS_AT_ONCE))
            .await
            .unwrap_or_default()
    }

    async fn attempt(&self, page: Page) -> PageId {
        let id = page.id;
        let outcome = self.deliver(&page).await;
        let now = Timestamp::from(self.world.clock.now());
        let recorded = self.judge(&page, outcome, now);
        // Until this is recorded the page stays queued; only a crash in between sends it again. Sending again because the
        // store refuses (a full disk) would page a person as fast as their receiver answers.
        loop {
            let recorded = recorded.clone();
            let outcome = self
                .desk
                .with_store(move |store| store.record_attempt(id, &recorded, now))
                .await;
            if outcome.is_ok() {
                return id;
            }
            self.world.clock.sleep(RECORD_RETRY).await;
        }
    }

    async fn deliver(&self, page: &Page) -> Result<(), String> {
        let incident = page.incident;
        let detail = self
            .desk
            .with_store(move |store| store.detail(incident))
            .await
            .map_err(|error| error.to_string())?
            .ok_or("the incident of this page is not in the store")?;
        self.write_log_line(page, &detail);
        let setup = self.setup.get();
        let person = setup
            .contacts
            .people
            .iter()
            .find(|person| person.name == page.person);
        let person =
            person.ok_or_else(|| format!("{} is no longer among the contacts", page.person))?;
        let channel = person
            .channels
            .iter()
            .find(|channel| channel.kind() == page.channel);
        match channel {
            None => Err(format!(
                "{} no longer has a {} channel",
                page.person, page.channel
            )),
            Some(Channel::Log) => Ok(()),
            Some(Channel::Webhook { url, token, .. }) => {
                let context = WebhookContext {
                    setup: &setup,
                    detail: &detail,
                    page,
                    external_url: &self.external_url,
                };
                webhook::send(
                    &self.world,
                    &self.environment,
                    url,
                    token.as_ref(),
                    &context,
                )
                .await
            }
            Some(other) => Err(format!("{} cannot be sent yet", other.kind())),
        }
    }

    fn write_log_line(&self, page: &Page, detail: &IncidentDetail) {
        let summary = detail
            .incident
            .members
            .values()
            .next()
            .map_or("", |member| member.summary.as_str());
        self.log
            .warn("page")
            .field("person", page.person.as_str())
            .field("escalation_level", page.level as u64)
            .field("kind", page.kind.as_str())
            .field("incident", detail.incident.id.0)
            .field("alert", detail.incident.alert.as_str())
            .field("summary", summary)
            .emit();
    }

    fn judge(&self, page: &Page, outcome: Result<(), String>, now: Timestamp) -> PageOutcome {
        let attempts = page.attempts + 1;
        let whom = format!(
            "{} by {} ({}, level {})",
            page.person,
            page.channel,
            page.kind.as_str(),
            page.level
        );
        let attempt = if outcome.is_ok() {
            Attempt::Accepted
        } else {
            Attempt::Failed
        };
        let error = outcome.err();
        let why = error.clone().unwrap_or_default();
        match after_attempt(attempt, attempts, page.queued_at, now) {
            NextStep::Delivered => {
                self.metrics.pages_delivered.inc();
                let timeline = Some((TimelineKind::Delivered, format!("page accepted: {whom}")));
                PageOutcome {
                    state: PageState::Delivered,
                    next_attempt_at: now,
                    error,
                    timeline,
                }
            }
            NextStep::RetryAt(at) => {
                self.metrics.page_failures.inc();
                // A receiver that is away for a day is tried 1,440 times; the timeline stays readable.
                let is_told = attempts <= TOLD_ATTEMPTS || attempts.is_multiple_of(TOLD_EVERY);
                let timeline = is_told.then(|| {
                    (
                        TimelineKind::DeliveryFailed,
                        format!("attempt {attempts} failed: {whom}: {why}"),
                    )
                });
                PageOutcome {
                    state: PageState::Queued,
                    next_attempt_at: at,
                    error,
                    timeline,
                }
            }
            NextStep::GiveUp => {
                self.metrics.pages_given_up.inc();
                let text = format!("given up after {attempts} attempts: {whom}: {why}");
                let timeline = Some((TimelineKind::GivenUp, text));
                PageOutcome {
                    state: PageState::GivenUp,
                    next_attempt_at: now,
                    error,
                    timeline,
                }
            }
        }
    }

    async fn show_queue(&self) {
        if let Ok((waiting, oldest)) = self.desk.with_store(|store| store.queue()).await {
            let now = Timestamp::from(self.world.clock.now());
            self.metrics.pages_queued.set(waiting as f64);
            self.metrics
                .pages_oldest_age
                .set(oldest.map_or(0.0, |since| now.since(since).as_secs_f64()));
        }
    }
}
