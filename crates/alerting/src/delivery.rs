//! What becomes of a page after a delivery was tried: delivered, tried again, or given up after a day.

use std::time::Duration;

/// The waits after failures, in seconds: short at first, so that five failures in a row, each as long as an attempt may
/// take, cost less than two minutes; then up to one that still uses a receiver within a minute of its return. The last
/// one repeats.
const BACK_OFF_SECONDS: [u64; 8] = [2, 4, 8, 10, 10, 20, 40, 60];
/// After so many failures the person's next channel is tried beside this one …
const FALL_BACK_AFTER_ATTEMPTS: u32 = 2;
/// … or after so long, whichever comes first.
const FALL_BACK_AFTER: Duration = Duration::from_secs(30);
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
    RetryAfter(Duration),
    /// No further attempt.
    GiveUp,
}

/// Decides after an attempt. `attempts` counts this one; `age` is how long ago the page was decided, in elapsed time.
pub fn after_attempt(attempt: Attempt, attempts: u32, age: Duration) -> NextStep {
    match attempt {
        Attempt::Accepted => NextStep::Delivered,
        Attempt::Failed if age >= GIVE_UP_AFTER => NextStep::GiveUp,
        Attempt::Failed => {
            let index = (attempts.saturating_sub(1) as usize).min(BACK_OFF_SECONDS.len() - 1);
            NextStep::RetryAfter(Duration::from_secs(BACK_OFF_SECONDS[index]))
        }
    }
}

/// Whether the person's next channel is tried too, after an attempt that failed. `attempts` counts it; `age` is how long
/// ago the page was decided.
pub fn falls_back(attempts: u32, age: Duration) -> bool {
    attempts >= FALL_BACK_AFTER_ATTEMPTS || age >= FALL_BACK_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_with_a_bounded_back_off_and_gives_up_after_a_day() {
        let check = |attempts: u32, age_s: u64, expect: Option<u64>| {
            let step = after_attempt(Attempt::Failed, attempts, Duration::from_secs(age_s));
            let expect = match expect {
                Some(wait_s) => NextStep::RetryAfter(Duration::from_secs(wait_s)),
                None => NextStep::GiveUp,
            };
            assert_eq!(step, expect, "attempt {attempts} after {age_s} s");
        };
        check(1, 0, Some(2));
        check(2, 5, Some(4));
        check(4, 40, Some(10));
        check(7, 100, Some(40));
        check(8, 100, Some(60));
        check(4_000_000, 100, Some(60));
        check(1500, 24 * 3600 - 1, Some(60));
        check(1500, 24 * 3600, None);
    }

    #[test]
    fn another_channel_is_tried_soon() {
        let check = |attempts: u32, age_s: u64, expect: bool| {
            let found = falls_back(attempts, Duration::from_secs(age_s));
            assert_eq!(found, expect, "attempt {attempts} after {age_s} s");
        };
        check(1, 1, false);
        check(2, 3, true);
        check(1, 30, true);
    }
}
