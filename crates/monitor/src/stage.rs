//! A desk on a clock that is moved by hand: the very desk and store that decide when it is real, for rehearsals, tests of
//! plans and backtests. None of them can say anything else than what would happen.
//!
//! Nothing is sent and nothing is kept: the store lives in memory and no outbox runs.

use std::sync::Arc;

use model::Timestamp;
use plan::{Channel, Contacts, Person, Plan};
use world::sim::{Inline, SeededEntropy};
use world::{Clock, World};

use crate::hand_clock::HandClock;
use crate::incident::{
    Desk, IncidentDetail, IncidentFilter, IncidentStoreError, Page, PageKind, SqliteIncidents,
};
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Setup};

/// Deadlines are looked at on full seconds, as they are when it is real.
const TICK_MS: i64 = 1_000;
/// Windows begin and end on full minutes.
const MINUTE_MS: i64 = 60_000;

/// The most incidents that a stage gives back; past that, the newest are there.
const INCIDENTS_MAX: usize = 100_000;

/// A desk, and the clock that it goes by.
pub(crate) struct Stage {
    pub(crate) desk: Desk,
    pub(crate) setup: Arc<CurrentSetup>,
    clock: Arc<HandClock>,
    /// When deadlines were looked at last.
    ticked_at: Timestamp,
}

/// A page that was decided.
#[derive(Clone, Debug)]
pub(crate) struct DecidedPage {
    /// What its incident is called: the alert that opened it.
    pub(crate) alert: String,
    pub(crate) page: Page,
}

impl Stage {
    pub(crate) fn new(
        plan: Plan,
        contacts: Contacts,
        starts_at: Timestamp,
        store: SqliteIncidents,
    ) -> Result<Stage, IncidentStoreError> {
        let clock = Arc::new(HandClock::starting_at(starts_at));
        let setup = Arc::new(CurrentSetup::new(Setup {
            plan,
            files: Vec::new(),
            contacts,
            loaded_at: starts_at,
        }));
        let metrics = Arc::new(SelfMetrics::new());
        let world = world(clock.clone())?;
        Ok(Stage {
            desk: Desk::open(world, store, setup.clone(), metrics)?,
            setup,
            clock,
            ticked_at: Timestamp::from_millis(starts_at.as_millis() - 1),
        })
    }

    /// Moves the clock, and does nothing else.
    pub(crate) fn set_time(&self, now: Timestamp) {
        self.clock.set(now);
    }

    /// Lets time pass: what is due before `until` happens on the second on which it would, and the clock then stands there.
    pub(crate) async fn pass_until(&mut self, until: Timestamp) -> Result<(), IncidentStoreError> {
        while let Some(next) = self.next_tick().await.filter(|next| *next < until) {
            self.set_time(next);
            self.desk.tick(next).await?;
            self.ticked_at = next;
        }
        self.set_time(until);
        Ok(())
    }

    /// The next time at which deadlines are to be looked at; none while nothing is open.
    async fn next_tick(&self) -> Option<Timestamp> {
        let open = self.desk.open_incidents().await;
        let change = open
            .iter()
            .filter_map(alerting::Incident::next_change)
            .min();
        // Once at each instant, and never back in time: that would be a clock that was set.
        let now = Timestamp::from(self.clock.now()).as_millis();
        let earliest = now.max(self.ticked_at.as_millis() + 1);
        let minute = (!open.is_empty()).then(|| round_up(earliest, MINUTE_MS));
        let change = change.map(|at| round_up(at.as_millis().max(earliest), TICK_MS));
        let next = [minute, change].into_iter().flatten().min()?;
        Some(Timestamp::from_millis(next))
    }

    /// Every incident, the oldest first.
    pub(crate) async fn incidents(&self) -> Result<Vec<IncidentDetail>, IncidentStoreError> {
        self.desk
            .with_store(|store| {
                let mut details = Vec::new();
                let incidents = store.incidents(IncidentFilter::All, INCIDENTS_MAX)?;
                for incident in incidents.into_iter().rev() {
                    details.extend(store.detail(incident.id())?);
                }
                Ok(details)
            })
            .await
    }

    /// Every page that was decided, the oldest first.
    pub(crate) async fn pages(&self) -> Result<Vec<DecidedPage>, IncidentStoreError> {
        let mut pages = Vec::new();
        for detail in self.incidents().await? {
            let alert = detail.incident.head.title.clone();
            pages.extend(detail.pages.into_iter().map(|page| DecidedPage {
                alert: alert.clone(),
                page,
            }));
        }
        pages.sort_by_key(|decided| (decided.page.queued_at, decided.page.id));
        Ok(pages)
    }
}

impl DecidedPage {
    /// Whether it says that it is over.
    pub(crate) fn is_end(&self) -> bool {
        self.page.kind() == PageKind::Resolved
    }
}

/// Contacts that fill each role of a plan with somebody of its name.
pub(crate) fn a_person_for_each_role(plan: &Plan) -> Contacts {
    let levels = plan
        .escalation_policies
        .iter()
        .flat_map(|policy| &policy.levels);
    let mut roles: Vec<&String> = levels.flat_map(|level| &level.roles).collect();
    roles.sort();
    roles.dedup();
    let people = roles.into_iter().map(|role| Person {
        name: role.clone(),
        roles: vec![role.clone()],
        channels: vec![Channel::Log],
    });
    Contacts {
        people: people.collect(),
        ..Contacts::default()
    }
}

fn round_up(millis: i64, to: i64) -> i64 {
    millis + (-millis).rem_euclid(to)
}

fn world(clock: Arc<HandClock>) -> Result<World, IncidentStoreError> {
    let real = World::real().map_err(|error| IncidentStoreError(error.to_string()))?;
    Ok(World {
        clock,
        entropy: Arc::new(SeededEntropy::new(1)),
        blocking: Arc::new(Inline),
        ..real
    })
}
