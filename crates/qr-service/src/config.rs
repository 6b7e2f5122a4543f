//! What the service is told at its start. `main.rs` fills it from flags, tests by hand.

use std::path::PathBuf;
use std::time::Duration;

use crate::admin_token::AdminToken;

/// A token bucket's size and speed.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second in the long run; 0 for no limit.
    pub per_second: f64,
    /// Requests at once.
    pub burst: u32,
}

/// The settings of one service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database lies; `None` keeps it in memory, for tests and simulation.
    pub data_dir: Option<PathBuf>,
    /// The bound of the image cache.
    pub cache_bytes: u64,
    /// Images drawn at once: each may take a few megabytes meanwhile.
    pub generation_workers: usize,
    /// The memory that the service may use, where that is less than what the machine or a cgroup allows.
    pub memory_limit: Option<u64>,
    /// Where log lines are posted; `None` for nowhere.
    pub ship_logs: Option<String>,
    /// Whether the fault switch exists.
    pub faults: bool,
    /// What opens the admin endpoints; without it they are for this machine alone.
    pub admin_token: Option<AdminToken>,
    /// How long a session lasts without a request.
    pub session_length: Duration,
    /// Whether cookies are sent over TLS only. Off by default, because a local service speaks plain HTTP.
    pub secure_cookies: bool,
    /// For requests without a session, by address.
    pub rate_address: Rate,
    /// For requests with a session, by session.
    pub rate_session: Rate,
    /// For registrations and sign-ins, by address: each costs 19 MiB and tens of milliseconds.
    pub rate_sign_in: Rate,
    /// How long `/ready` says "draining" before connections are refused, so that a load balancer sees it first.
    pub drain_grace: Duration,
    /// The bound of one request.
    pub request_timeout: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data_dir: None,
            cache_bytes: 64 * 1024 * 1024,
            generation_workers: 8,
            memory_limit: None,
            ship_logs: None,
            faults: false,
            admin_token: None,
            session_length: Duration::from_secs(60 * 60),
            secure_cookies: false,
            rate_address: Rate {
                per_second: 50.0,
                burst: 100,
            },
            rate_session: Rate {
                per_second: 100.0,
                burst: 200,
            },
            rate_sign_in: Rate {
                per_second: 0.5,
                burst: 20,
            },
            drain_grace: Duration::from_secs(1),
            request_timeout: Duration::from_secs(10),
        }
    }
}
