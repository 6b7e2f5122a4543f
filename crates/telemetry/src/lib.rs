//! Instruments, exposition text, JSON logs and health answers: what an application links, and no monitor code with it.
//!
//! Promise: nothing here spawns, waits or opens a connection, and updating an instrument is one or two atomic operations.
//! An application declares its instruments once in a [`Registry`], keeps the handles, and answers a scrape with
//! [`Registry::render`] in the format that [`negotiate`] chose.
//!
//! Reading order: the instruments ([`Counter`], [`Gauge`], [`Histogram`]), [`Family`] for labels, [`Registry`],
//! [`Format`]; then what is read at scrape time ([`process`], [`memory`], [`allocator`]); then [`log`] and [`health`].
//! Written by hand rather than on the `prometheus` crate: the plan's names must come out exactly as registered, label
//! sets must be closed, and both formats must come from one snapshot.

mod instrument;

mod histogram;

mod family;

mod registry;

mod format;

pub mod allocator;
pub mod health;
mod json;
pub mod log;
pub mod memory;
pub mod process;

pub use family::{Children, Family};
pub use format::{Format, negotiate};
pub use histogram::{Histogram, Timer, exponential_bounds};
pub use instrument::{Counter, FloatCounter, Gauge, Kind};
pub use registry::{Collected, Registry};
