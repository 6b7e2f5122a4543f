//! Defects that are planted at the seams, to see that the campaign finds them: what it does not catch here it would not
//! catch in the product either.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerting::{Evaluation, IncidentState};
use model::Timestamp;
use monitor::incident::{
    IncidentStore, IncidentStoreError, Loaded, Page, PageId, PageOutcome, PageState,
};

/// The first wait of [`Mutant::UnboundedBackOff`].
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// When [`Mutant::DuplicateAfterRetry`] sends again.
const AGAIN_AFTER: Duration = Duration::from_secs(4);

/// A planted defect.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A page is marked as delivered before it is sent.
    CommitBeforeSend,
    /// The wait between attempts doubles without end.
    UnboundedBackOff,
    /// No data counts as recovery.
    ResolveOnMissingData,
    /// Levels whose time came while the process was away are taken as told.
    LevelSkippedAfterDowntime,
    /// An acknowledgement is answered, but changes nothing.
    AcknowledgeDoesNotStop,
    /// A page that took more than one attempt is sent once more.
    DuplicateAfterRetry,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 6] = [
        Mutant::CommitBeforeSend,
        Mutant::UnboundedBackOff,
        Mutant::ResolveOnMissingData,
        Mutant::LevelSkippedAfterDowntime,
        Mutant::AcknowledgeDoesNotStop,
        Mutant::DuplicateAfterRetry,
    ];
}

/// What a mutant does at the seams; nothing when there is none. Clones share what it remembers over restarts.
#[derive(Clone, Default)]
pub(super) struct Tampering {
    pub(super) mutant: Option<Mutant>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    failures: BTreeMap<PageId, u32>,
    sent_again: BTreeSet<PageId>,
}

impl Tampering {
    pub(super) fn by(mutant: Option<Mutant>) -> Tampering {
        Tampering {
            mutant,
            memory: Arc::default(),
        }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(super) fn evaluation(&self, evaluation: Evaluation) -> Evaluation {
        let knows_nothing = match &evaluation {
            Evaluation::Done { complete, .. } => !complete,
            Evaluation::Failed => true,
        };
        if self.is(Mutant::ResolveOnMissingData) && knows_nothing {
            return Evaluation::Done {
                active: Vec::new(),
                subject: None,
                complete: true,
            };
        }
        evaluation
    }

    /// Whether acknowledgements are only answered.
    pub(super) fn ignores_acknowledgements(&self) -> bool {
        self.is(Mutant::AcknowledgeDoesNotStop)
    }

    pub(super) fn loaded(&self, loaded: &mut Loaded, now: Timestamp) {
        if !self.is(Mutant::LevelSkippedAfterDowntime) {
            return;
        }
        for incident in &mut loaded.open {
            if incident.state() == IncidentState::Open && incident.held.is_none() {
                let levels = &incident.head.levels;
                let past = levels.iter().filter(|level| incident.due_at(level) <= now);
                incident.levels_told = incident.levels_told.max(past.count());
            }
        }
    }

    pub(super) fn due(
        &self,
        store: &mut dyn IncidentStore,
        pages: &[Page],
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        if !self.is(Mutant::CommitBeforeSend) {
            return Ok(());
        }
        let delivered = PageOutcome {
            state: PageState::Delivered,
            next_attempt_at: now,
            error: None,
            receipt: None,
            took_ms: 0,
            timeline: None,
            fall_back_to: None,
        };
        pages
            .iter()
            .try_for_each(|page| store.record_attempt(page.id, &delivered, now))
    }

    pub(super) fn outcome(
        &self,
        page: PageId,
        outcome: &PageOutcome,
        now: Timestamp,
    ) -> PageOutcome {
        let mut outcome = outcome.clone();
        let mut memory = self
            .memory
            .lock()
            .expect("no code panics while it holds this lock");
        let failures = memory.failures.entry(page).or_default();
        if outcome.state == PageState::Queued {
            *failures += 1;
            if self.is(Mutant::UnboundedBackOff) {
                let wait = FIRST_WAIT * 2_u32.pow(failures.saturating_sub(1).min(20));
                outcome.next_attempt_at = now + wait;
            }
            return outcome;
        }
        let was_retried = *failures > 0;
        let is_due = self.is(Mutant::DuplicateAfterRetry)
            && outcome.state == PageState::Delivered
            && was_retried;
        if is_due && memory.sent_again.insert(page) {
            outcome.state = PageState::Queued;
            outcome.next_attempt_at = now + AGAIN_AFTER;
        }
        outcome
    }
}
