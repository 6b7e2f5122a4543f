//! The log: one JSON object a line.
//!
//! An own writer rather than `tracing`: lines need a category that decides how long they are kept, a field order that a
//! person can read, and a guarantee about secrets and line breaks; spans and subscribers are not needed for that.
//!
//! Reading order: [`Logger`] and [`Event`], [`Sink`], then [`ShipQueue`], which holds lines for another machine.

mod event;
mod line;
mod queue;
mod sink;

pub use event::{Event, Logger};
pub use line::{Level, Value, rfc3339_micros};
pub use queue::ShipQueue;
pub use sink::Sink;
