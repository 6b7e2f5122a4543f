//! How the database stands: what its last operations said, kept for whoever asks what is wrong.
//!
//! Learned from the work itself rather than from a probe of its own, so that it is as old as the last request.

use std::time::SystemTime;

/// The longest error text that is kept.
const ERROR_CHARS_MAX: usize = 500;

/// Whether the database answers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionState {
    Untried,
    Open,
    Failing,
}

impl ConnectionState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ConnectionState::Untried => "untried",
            ConnectionState::Open => "open",
            ConnectionState::Failing => "failing",
        }
    }
}

/// The state, since when, and the last error, which stays when all is well again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: ConnectionState,
    pub(crate) since: SystemTime,
    pub(crate) last_error: Option<(SystemTime, String)>,
}

impl Standing {
    pub(crate) fn new(now: SystemTime) -> Standing {
        Standing {
            state: ConnectionState::Untried,
            since: now,
            last_error: None,
        }
    }

    /// Takes in how an operation went.
    pub(crate) fn step(&mut self, error: Option<String>, now: SystemTime) {
        let state = match &error {
            None => ConnectionState::Open,
            Some(_) => ConnectionState::Failing,
        };
        if self.state != state {
            (self.state, self.since) = (state, now);
        }
        if let Some(error) = error {
            self.last_error = Some((now, error.chars().take(ERROR_CHARS_MAX).collect()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn it_changes_with_the_outcome_and_keeps_the_last_error() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let mut standing = Standing::new(at(0));
        let mut check = |now, error: Option<&str>, state, since, last: Option<(u64, &str)>| {
            standing.step(error.map(str::to_owned), at(now));
            let expect = Standing {
                state,
                since: at(since),
                last_error: last.map(|(when, text)| (at(when), text.to_owned())),
            };
            assert_eq!(standing, expect);
        };
        check(1, None, ConnectionState::Open, 1, None);
        check(2, None, ConnectionState::Open, 1, None);
        check(3, Some("a"), ConnectionState::Failing, 3, Some((3, "a")));
        check(4, Some("b"), ConnectionState::Failing, 3, Some((4, "b")));
        check(5, None, ConnectionState::Open, 5, Some((4, "b")));
    }
}
