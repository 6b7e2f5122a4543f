//! Incidents: the store that remembers them and the desk that steps them.

mod desk;
mod sqlite;
mod store;

pub use desk::{ActionError, Desk};
pub use sqlite::SqliteIncidents;
pub use store::{
    Change, IncidentChange, IncidentDetail, IncidentFilter, IncidentStore, IncidentStoreError,
    Loaded, NewPage, Page, PageId, PageKind, PageOutcome, PageState, TimelineEntry,
};
