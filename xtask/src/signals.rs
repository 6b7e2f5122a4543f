//! Noticing that we shall stop, and telling a child to.
//!
//! Children stand in process groups of their own: Ctrl-C then reaches xtask alone, which drains them one after the other
//! in the order that loses nothing. Were they in the terminal's group, all would be told at once.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How often we were asked to stop.
#[derive(Clone, Default)]
pub(crate) struct StopRequests {
    count: Arc<AtomicUsize>,
}

impl StopRequests {
    /// From now on SIGINT, SIGTERM and SIGHUP are counted instead of ending the process.
    pub(crate) fn listen() -> Result<StopRequests> {
        let mut signals =
            Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signals cannot be handled")?;
        let requests = StopRequests::default();
        let count = Arc::clone(&requests.count);
        thread::spawn(move || {
            for _ in signals.forever() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Ok(requests)
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn asked(&self) -> bool {
        self.count() > 0
    }
}

/// Asks a child to drain and end. A child that has ended since is no error.
pub(crate) fn terminate(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // The only failure of a signal to one's own child is that it has gone, which is what was wanted.
        let _ = kill_process(pid, Signal::TERM);
    }
}
