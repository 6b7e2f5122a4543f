//! Whether a maintenance window is open. It begins on the clocks of its zone and lasts an elapsed time, so that "two
//! hours from 01:00" is two hours of work in the night of a change of offset too.

use model::Timestamp;
use plan::MaintenanceWindow;

use crate::recurring::Recurring;

/// When the window ends that `at` lies in: from its beginning, inclusive, for its length; `None` outside of it. Where it
/// begins anew before it ended (a window of thirty hours every day), this is the end of the one that began last.
pub fn window_at(window: &MaintenanceWindow, at: Timestamp) -> Option<Timestamp> {
    // All are of one length, so of those that cover `at` the last to begin is the last to end.
    let start = beginnings(window).newest(at)?.at;
    let end = start + window.length;
    (start <= at && at < end).then_some(end)
}

/// Beginning and end of the first window that begins after `at`, whether or not one is open then; both are
/// [`Timestamp::MAX`] at the end of the calendar.
pub fn next_window(window: &MaintenanceWindow, at: Timestamp) -> (Timestamp, Timestamp) {
    let start = beginnings(window).next_after(at);
    (start, start + window.length)
}

fn beginnings(window: &MaintenanceWindow) -> Recurring<'_> {
    Recurring {
        zone: &window.zone,
        time: window.from,
        days: &window.days,
    }
}
