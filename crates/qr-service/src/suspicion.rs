//! Notices bursts of refused sign-ins: one address trying many passwords, or many addresses trying one account.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Refusals within the window that make a burst; people mistype two or three times.
const BURST: u32 = 5;
const WINDOW: Duration = Duration::from_secs(300);
/// Things watched at once; beyond it old ones are forgotten first.
const WATCHED_MAX: usize = 10_000;

/// What the refusals have in common.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pattern {
    /// They come from one network.
    Address(IpAddr),
    /// They name one account; unknown names do not count, since they may be mistyped passwords.
    Account(i64),
}

impl Pattern {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Pattern::Address(_) => "failed_sign_ins_from_address",
            Pattern::Account(_) => "failed_sign_ins_for_account",
        }
    }
}

/// Refusals of the last minutes.
#[derive(Default)]
pub(crate) struct Suspicion(Mutex<HashMap<Pattern, Count>>);

#[derive(Copy, Clone)]
struct Count {
    since: Duration,
    refusals: u32,
}

impl Suspicion {
    /// Notes a refusal; the number of refusals whenever another burst is complete. `now` never goes back.
    pub(crate) fn note_refusal(&self, pattern: Pattern, now: Duration) -> Option<u32> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= WATCHED_MAX && !counts.contains_key(&pattern) {
            counts.retain(|_, count| now.saturating_sub(count.since) < WINDOW);
            if counts.len() >= WATCHED_MAX {
                return None;
            }
        }
        let count = counts.entry(pattern).or_insert(Count {
            since: now,
            refusals: 0,
        });
        if now.saturating_sub(count.since) >= WINDOW {
            *count = Count {
                since: now,
                refusals: 0,
            };
        }
        count.refusals += 1;
        count
            .refusals
            .is_multiple_of(BURST)
            .then_some(count.refusals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_told_once_for_each_five() {
        let suspicion = Suspicion::default();
        let told =
            |at_s: u64| suspicion.note_refusal(Pattern::Account(1), Duration::from_secs(at_s));
        let all: Vec<Option<u32>> = (0..10).map(told).collect();
        assert_eq!(all.iter().flatten().copied().collect::<Vec<_>>(), [5, 10]);
        assert!(
            (400..404).map(told).all(|burst| burst.is_none()),
            "the window is over"
        );
    }

    #[test]
    fn the_table_is_bounded() {
        let suspicion = Suspicion::default();
        for account in 0..20_000 {
            suspicion.note_refusal(Pattern::Account(account), Duration::ZERO);
        }
        assert_eq!(suspicion.0.lock().unwrap().len(), WATCHED_MAX);
        suspicion.note_refusal(Pattern::Account(-1), WINDOW);
        assert_eq!(suspicion.0.lock().unwrap().len(), 1);
    }
}
