//! One line that says how far a long command is, on standard error, and only where a person looks at it.

use std::io::{IsTerminal, Write};

/// How wide the bar is, in characters.
const WIDTH: usize = 30;

/// A line that is written over and over.
pub(super) struct ProgressLine {
    what: &'static str,
    is_shown: bool,
    percent: Option<u32>,
}

impl ProgressLine {
    /// A line about something; silent where standard error is no terminal.
    pub(super) fn new(what: &'static str) -> ProgressLine {
        ProgressLine {
            what,
            is_shown: std::io::stderr().is_terminal(),
            percent: None,
        }
    }

    /// Shows the share that is done, 0..=1.
    pub(super) fn show(&mut self, share: f64) {
        let percent = (share.clamp(0.0, 1.0) * 100.0) as u32;
        if !self.is_shown || self.percent == Some(percent) {
            return;
        }
        self.percent = Some(percent);
        let full = WIDTH * percent as usize / 100;
        let (full, rest) = ("#".repeat(full), ".".repeat(WIDTH - full));
        // A terminal that went away must not end the work.
        let _ = write!(
            std::io::stderr(),
            "\r{} [{full}{rest}] {percent:>3} %",
            self.what
        );
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.percent.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
