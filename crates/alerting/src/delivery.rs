//! What becomes of a page after a delivery was tried: delivered, tried again, or given up after a day.

use std::time::Duration;

use model::Timestamp;

/// The first wait after a failure; it doubles with every further one …
const BACK_OFF_FIRST: Duration = Duration::from_secs(5);
/// … up to this, so that a receiver that comes back is used within a minute.
const BACK_OFF_MAX: Duration = Duration::from_secs(60);
/// A page that could not be delivered for so long is given up, with a visible alarm.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How an attempt to deliver ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver took it.
    Accepted,
    /// It did not: refused, unreachable, too slow.
    Failed,
}

/// What happens to the page now.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Nothing: it arrived.
    Delivered,
    /// Another attempt.
    RetryAt(Timestamp),
    /// No further attempt.
    GiveUp,
}

/// Decides after an attempt. `attempts` counts this one; `queued_at` is when the page was decided.
pub fn after_attempt(
    attempt: Attempt,
    attempts: u32,
    queued_at: Timestamp,
    now: Timestamp,
) -> NextStep {
    match attempt {
        Attempt::Accepted => NextStep::Delivered,
        Attempt::Failed if now.since(queued_at) >= GIVE_UP_AFTER => NextStep::GiveUp,
        Attempt::Failed => {
            let doublings = attempts.saturating_sub(1).min(16);
            NextStep::RetryAt(
                now + BACK_OFF_FIRST
                    .saturating_mul(1 << doublings)
                    .min(BACK_OFF_MAX),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_with_a_bounded_back_off_and_gives_up_after_a_day() {
        let check = |attempts: u32, age_s: i64, expect: Option<i64>| {
            let now = Timestamp::from_millis(age_s * 1000);
            let step = after_attempt(Attempt::Failed, attempts, Timestamp::from_millis(0), now);
            let expect = match expect {
                Some(wait_s) => NextStep::RetryAt(Timestamp::from_millis((age_s + wait_s) * 1000)),
                None => NextStep::GiveUp,
            };
            assert_eq!(step, expect, "attempt {attempts} after {age_s} s");
        };
        check(1, 0, Some(5));
        check(2, 5, Some(10));
        check(4, 40, Some(40));
        check(5, 100, Some(60));
        check(4_000_000, 100, Some(60));
        check(1500, 24 * 3600 - 1, Some(60));
        check(1500, 24 * 3600, None);
    }
}
