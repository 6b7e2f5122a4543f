//! Alert, incident, escalation and notification decisions as pure state machines.
//!
//! Promise: `now` is an argument, identical inputs give identical effects. Nothing here waits, stores or sends; the
//! monitor performs the effects and records them. That is what lets a simulation run a month of escalations in seconds.
//!
//! Reading order: [`RuleState::step`] (one rule's alert instances), [`Incident::step`] (what people see and are told),
//! [`Holds`] (what holds pages back, with [`window_at`]), [`recipients`] (who fills the roles of a level), [`on_call`] (whose
//! turn it is), `recurring.rs` (when a time of day comes, on clocks that jump), [`StormGate`] (what keeps a storm from burying
//! a person), [`after_attempt`] (what becomes of a page whose delivery was tried).

mod delivery;
mod effect;
mod hold;
mod incident;
mod input;
mod instance;
mod recurring;
mod rota;
mod routing;
mod storm;
mod timeline;
mod window;

pub use delivery::{Attempt, NextStep, after_attempt, falls_back};
pub use effect::{Effect, PageReason};
pub use hold::{FiringAlert, Hold, HoldKind, Holds, Silence};
pub use incident::{
    Acknowledgement, DrillPages, ForeignAlert, Incident, IncidentHead, IncidentState, MEMBERS_MAX,
    Member, Resolution,
};
pub use input::IncidentInput;
pub use instance::{
    Evaluation, FLAPPING_FIRINGS, FLAPPING_WINDOW, Instance, Phase, ResolveReason, RuleState,
    Transition, TransitionKind,
};
pub use rota::{NEXT_TURNS_MAX, Turn, next_turns, on_call};
pub use routing::{Recipient, recipients};
pub use storm::{Admission, StormGate};
pub use timeline::{IncidentId, TimelineKind};
pub use window::{next_window, window_at};
