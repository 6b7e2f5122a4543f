//! The cache's hit rate over the last five minutes.
//!
//! A gauge of its own beside the counters because the plan's rule reads it: a rate over the whole life of the process
//! would hardly move after a day, and one that is absent without look-ups could not be told from a lost metric.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const WINDOW_SECONDS: u64 = 300;
const SLOT_SECONDS: u64 = 10;
/// One more than the window holds, so that the slot being filled never stands for one that is still wanted.
const SLOTS: usize = (WINDOW_SECONDS / SLOT_SECONDS) as usize + 1;

/// Look-ups of the last minutes, in slots of ten seconds.
#[derive(Default)]
pub(crate) struct HitRate(Mutex<[Slot; SLOTS]>);

#[derive(Copy, Clone, Default)]
struct Slot {
    number: u64,
    hits: u64,
    lookups: u64,
}

impl HitRate {
    /// Counts a look-up. `now` is any time that never goes back.
    pub(crate) fn count(&self, now: Duration, is_hit: bool) {
        let number = now.as_secs() / SLOT_SECONDS;
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut slots[number as usize % SLOTS];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        slot.lookups += 1;
        slot.hits += u64::from(is_hit);
    }

    /// The share of hits; NaN without look-ups.
    pub(crate) fn rate(&self, now: Duration) -> f64 {
        let number = now.as_secs() / SLOT_SECONDS;
        let oldest = number.saturating_sub(SLOTS as u64 - 2);
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (hits, lookups) = slots
            .iter()
            .filter(|slot| (oldest..=number).contains(&slot.number))
            .fold((0, 0), |(hits, lookups), slot| {
                (hits + slot.hits, lookups + slot.lookups)
            });
        hits as f64 / lookups as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_look_ups_are_forgotten() {
        let rate = HitRate::default();
        let at = Duration::from_secs;
        assert!(rate.rate(at(0)).is_nan());
        rate.count(at(1), false);
        rate.count(at(2), true);
        assert_eq!(rate.rate(at(5)), 0.5);
        rate.count(at(200), true);
        rate.count(at(200), true);
        assert_eq!(rate.rate(at(290)), 0.75);
        assert_eq!(
            rate.rate(at(310)),
            1.0,
            "the first two are older than 5 min"
        );
        assert!(rate.rate(at(600)).is_nan());
        rate.count(at(611), false);
        assert_eq!(rate.rate(at(611)), 0.0);
    }
}
