//! Both programs in the simulated world: the only crate that knows both, and nothing depends on it.
//!
//! A [`Scene`] is a machine with the QR service, a Belfry that runs its plan, and receivers that people read their pages
//! on. Time is tokio's paused clock, so half an hour of an unacknowledged incident takes milliseconds, and the
//! same seed gives the same trace.

pub mod pipeline;
mod receiver;
mod scene;
mod traffic;

pub use receiver::{Behaviour, Inbox, PageSeen};
pub use scene::{Scene, SceneOptions};
