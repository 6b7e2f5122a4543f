//! Who was here in the last five minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(300);
/// Users remembered at most: 24 bytes each. Beyond it the figure stands still, which is better than growing for ever.
const USERS_MAX: usize = 200_000;

/// The last request of each user, by id. Anonymous requests do not count: an address is not a person.
#[derive(Default)]
pub(crate) struct ActiveUsers(Mutex<HashMap<i64, Duration>>);

impl ActiveUsers {
    /// Notes a request of a user. `now` is any time that never goes back.
    pub(crate) fn note(&self, user: i64, now: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < USERS_MAX || seen.contains_key(&user) {
            seen.insert(user, now);
        }
    }

    /// How many users there were in the last five minutes; forgets the others.
    pub(crate) fn count(&self, now: Duration) -> usize {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, last| now.saturating_sub(*last) < WINDOW);
        seen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_count_once_and_for_five_minutes() {
        let users = ActiveUsers::default();
        users.note(1, Duration::from_secs(0));
        users.note(2, Duration::from_secs(100));
        users.note(1, Duration::from_secs(200));
        assert_eq!(users.count(Duration::from_secs(200)), 2);
        assert_eq!(users.count(Duration::from_secs(450)), 1);
        assert_eq!(users.count(Duration::from_secs(500)), 0);
    }
}
