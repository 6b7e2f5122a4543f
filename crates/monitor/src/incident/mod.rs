//! Incidents: the store that remembers them and the desk that steps them.

mod desk;
mod drills;
mod pages;
mod runs;
mod sqlite;
mod store;

pub(crate) use desk::alert_labels;
pub use desk::{ActionError, Desk, ManualIncident, ReceivedAlert, ShownAlert};
pub use drills::*;
pub use pages::*;
pub use runs::*;
pub use sqlite::SqliteIncidents;
pub use store::*;
