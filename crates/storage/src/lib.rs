//! The embedded stores: [`tsdb`] for samples, [`logs`] for log lines.
//!
//! Promise: every byte goes through [`world::Disk`]; nothing here waits, spawns or reads a clock (`now` is an argument);
//! a crash at any point leaves a store that opens and holds everything that was acknowledged.

pub mod logs;
pub mod tsdb;
