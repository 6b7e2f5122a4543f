//! The sender: takes due pages from the store, tries them, records how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use alerting::{
    Attempt, Incident, IncidentId, NextStep, PageReason, TimelineKind, after_attempt, falls_back,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::Timestamp;
use telemetry::log::Logger;
use world::World;

use super::PageContext;
use crate::incident::{
    DRILL_SINK, Desk, IncidentDetail, IncidentStoreError, Page, PageId, PageOutcome, PageQueue,
    PageState,
};
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Environment};

/// Attempts that run at once.
const ATTEMPTS_AT_ONCE: usize = 64;
/// Attempts to one person by one channel that run at once: a receiver that hangs must not take the others' places.
const ATTEMPTS_AT_ONCE_EACH: usize = 4;
/// How many due pages are looked at: enough to find one that may go among those whose receivers are busy.
const LOOKED_AT_MAX: usize = 1_024;

/// The first failed attempts are written to the timeline one by one …
const TOLD_ATTEMPTS: u32 = 3;
/// … and then about one an hour.
const TOLD_EVERY: u32 = 60;

/// The wait after the store refused to record how an attempt ended.
const RECORD_RETRY: Duration = Duration::from_secs(5);

/// The longest wait between two looks at the store, in case a wake-up was missed.
const POLL: Duration = Duration::from_secs(5);
/// The shortest, so that pages whose receivers are all busy do not make the loop spin: what ends an attempt or queues a page
/// wakes it anyway.
const POLL_MIN: Duration = Duration::from_secs(1);

/// The most incidents that are read for one summary.
const SUMMARY_MAX: usize = 1_000;

/// A person and one of their channels.
type Receiver = (String, String);

/// What an attempt changes, before it is dated.
struct Judged {
    state: PageState,
    retry_after: Duration,
    error: Option<String>,
    receipt: Option<String>,
    timeline: Option<(TimelineKind, String)>,
    fall_back_to: Option<String>,
}

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
        let mut in_flight: BTreeMap<PageId, Receiver> = BTreeMap::new();
        loop {
            // Interest before the look: a page queued between the two still wakes this loop.
            let woken = queued.notified();
            let mut ended = Vec::new();
            let (due, wait) = {
                let mut look = pin!(self.look());
                loop {
                    tokio::select! {
                        // Attempts go on while the look waits: one of them may be next in line for the lock that it waits
                        // for, and an attempt that nobody polls would hold everything up for ever.
                        biased;
                        found = &mut look => break found,
                        Some(id) = running.next(), if !running.is_empty() => ended.push(id),
                    }
                }
            };
            for (page, age) in due {
                let receiver = (page.person.clone(), page.channel.clone());
                let busy = in_flight.values().filter(|own| **own == receiver).count();
                let may_go = running.len() < ATTEMPTS_AT_ONCE
                    && busy < ATTEMPTS_AT_ONCE_EACH
                    && !in_flight.contains_key(&page.id);
                if may_go {
                    in_flight.insert(page.id, receiver);
                    running.push(self.attempt(page, age));
                }
            }
            // Only now: what ended during the look may still stand in what it found.
            let has_room = !ended.is_empty();
            for id in ended {
                in_flight.remove(&id);
            }
            if has_room {
                continue;
            }
            tokio::select! {
                // Results first: they free slots and may release a "resolved" page.
                biased;
                Some(id) = running.next(), if !running.is_empty() => {
                    in_flight.remove(&id);
                }
                () = woken => {}
                () = self.world.clock.sleep(wait) => {}
            }
        }
    }

    /// Tries everything that is due now, and what becomes due by that, without waiting. For a clock that is moved by hand.
    pub(crate) async fn send_due(&self) {
        loop {
            let (due, _) = self.look().await;
            if due.is_empty() {
                return;
            }
            for (page, age) in due {
                self.attempt(page, age).await;
            }
        }
    }

    /// Pages that are due, each with its age, and how long until the next look.
    async fn look(&self) -> (Vec<(Page, Duration)>, Duration) {
        // A failing store is counted by the desk; the next look tries again.
        let Ok(now) = self.desk.settled_now().await else {
            return (Vec::new(), POLL);
        };
        let due = self
            .desk
            .with_store(move |store| store.due_pages(now, LOOKED_AT_MAX))
            .await
            .unwrap_or_default();
        let aged = due.into_iter().map(|page| {
            let age = now.since(page.queued_at);
            (page, age)
        });
        (aged.collect(), self.show_queue(now).await)
    }

    /// Tries a page that is `age` old. The age is counted on from there in elapsed time: while a receiver takes its time
    /// somebody may set the machine's clock.
    async fn attempt(&self, page: Page, age: Duration) -> PageId {
        let id = page.id;
        let started = self.world.clock.monotonic();
        let outcome = self.deliver(&page).await;
        let took = self.world.clock.monotonic().saturating_sub(started);
        let judged = self.judge(&page, outcome, age + took);
        // Until this is recorded the page stays queued; only a crash in between sends it again. Sending again because the
        // store refuses (a full disk) would page a person as fast as their receiver answers.
        loop {
            if self.record(id, &judged, took).await.is_ok() {
                return id;
            }
            self.world.clock.sleep(RECORD_RETRY).await;
        }
    }

    async fn record(
        &self,
        id: PageId,
        judged: &Judged,
        took: Duration,
    ) -> Result<(), IncidentStoreError> {
        let now = self.desk.settled_now().await?;
        let outcome = PageOutcome {
            state: judged.state,
            next_attempt_at: now + judged.retry_after,
            error: judged.error.clone(),
            receipt: judged.receipt.clone(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            timeline: judged.timeline.clone(),
            fall_back_to: judged.fall_back_to.clone(),
        };
        self.desk
            .with_store(move |store| store.record_attempt(id, &outcome, now))
            .await
    }

    /// Tries once; what the receiver said.
    async fn deliver(&self, page: &Page) -> Result<String, String> {
        let (incident, id) = (page.incident, page.root);
        let is_summary = page.reason == PageReason::Summary;
        let (detail, summary_of) = self
            .desk
            .with_store(move |store| {
                let detail = store.detail(incident)?;
                let mut carried: Vec<Incident> = Vec::new();
                if is_summary {
                    let pages = store.pages_in_summary(id)?;
                    // Two pages about one incident are one line.
                    let incidents: BTreeSet<IncidentId> =
                        pages.iter().map(|page| page.incident).collect();
                    for incident in incidents.into_iter().take(SUMMARY_MAX) {
                        carried.extend(store.detail(incident)?.map(|own| own.incident));
                    }
                }
                Ok((detail, carried))
            })
            .await
            .map_err(|error| error.to_string())?;
        let detail = detail.ok_or("the incident of this page is not in the store")?;
        self.write_log_line(page, &detail);
        if page.channel == DRILL_SINK {
            return Ok("taken by the drill; nobody was told".to_owned());
        }
        let setup = self.setup.get();
        let person = setup
            .contacts
            .person(&page.person)
            .ok_or_else(|| format!("{} is no longer among the contacts", page.person))?;
        let channel = person
            .channel(&page.channel)
            .ok_or_else(|| format!("{} no longer has a {} channel", page.person, page.channel))?;
        let context = PageContext {
            setup: &setup,
            detail: &detail,
            page,
            external_url: &self.external_url,
            summary_of: &summary_of,
        };
        super::send(&self.world, &self.environment, channel, &context).await
    }

    /// The person's channel after the one that failed.
    fn next_channel(&self, page: &Page) -> Option<String> {
        let setup = self.setup.get();
        let names = setup.contacts.person(&page.person)?.channel_names();
        // A channel that left the contacts: whatever is the first one now.
        let next = names
            .iter()
            .position(|name| *name == page.channel)
            .map_or(0, |position| position + 1);
        names.into_iter().nth(next)
    }

    fn write_log_line(&self, page: &Page, detail: &IncidentDetail) {
        let summary = detail
            .incident
            .members
            .values()
            .next()
            .map_or("", |member| member.summary.as_str());
        self.log
            .warn(if page.channel == DRILL_SINK {
                "page of a drill, told to nobody"
            } else {
                "page"
            })
            .field("person", page.person.as_str())
            .field("escalation_level", page.level as u64)
            .field("kind", page.kind().as_str())
            .field("incident", page.incident.0)
            .field("alert", detail.incident.head.title.as_str())
            .field("summary", summary)
            .emit();
    }

    /// What follows from an attempt at a page that was `age` old at its end.
    fn judge(&self, page: &Page, outcome: Result<String, String>, age: Duration) -> Judged {
        let attempts = page.attempts + 1;
        let whom = format!(
            "{} by {} ({}, level {})",
            page.person,
            page.channel,
            page.kind().as_str(),
            page.level
        );
        let (attempt, receipt, error) = match outcome {
            Ok(receipt) => (Attempt::Accepted, Some(receipt), None),
            Err(error) => (Attempt::Failed, None, Some(error)),
        };
        let why = error.clone().unwrap_or_default();
        let next = after_attempt(attempt, attempts, age);
        let (state, retry_after, timeline) = match next {
            NextStep::Delivered => {
                self.metrics.pages_delivered.inc();
                let text = format!("page accepted: {whom}");
                (
                    PageState::Delivered,
                    Duration::ZERO,
                    Some((TimelineKind::Delivered, text)),
                )
            }
            NextStep::RetryAfter(wait) => {
                self.metrics.page_failures.inc();
                // A receiver that is away for a day is tried 1,440 times; the timeline stays readable.
                let is_told = attempts <= TOLD_ATTEMPTS || attempts.is_multiple_of(TOLD_EVERY);
                let text = format!("attempt {attempts} failed: {whom}: {why}");
                let timeline = is_told.then_some((TimelineKind::DeliveryFailed, text));
                (PageState::Queued, wait, timeline)
            }
            NextStep::GiveUp => {
                self.metrics.pages_given_up.inc();
                let text = format!("given up after {attempts} attempts: {whom}: {why}");
                self.log
                    .error("a page was given up")
                    .field("person", page.person.as_str())
                    .field("incident", page.incident.0)
                    .field("error", why.as_str())
                    .emit();
                let timeline = Some((TimelineKind::GivenUp, text));
                (PageState::GivenUp, Duration::ZERO, timeline)
            }
        };
        let fall_back = next != NextStep::Delivered && falls_back(attempts, age);
        Judged {
            state,
            retry_after,
            error,
            receipt,
            timeline,
            fall_back_to: fall_back.then(|| self.next_channel(page)).flatten(),
        }
    }

    /// Shows what waits, and says how long until the next page is due.
    async fn show_queue(&self, now: Timestamp) -> Duration {
        let queue = self.desk.with_store(|store| store.queue()).await;
        let PageQueue {
            waiting,
            oldest,
            next_at,
        } = queue.unwrap_or_default();
        self.metrics.pages_queued.set(waiting as f64);
        self.metrics
            .pages_oldest_age
            .set(oldest.map_or(0.0, |since| now.since(since).as_secs_f64()));
        next_at.map_or(POLL, |at| at.since(now).clamp(POLL_MIN, POLL))
    }
}
