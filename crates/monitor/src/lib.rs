//! Belfry: it runs a monitoring plan.
//!
//! The only crate of the monitor that waits, connects and listens. `app` wires everything; each directory below is one
//! subsystem with its seam.
//!
//! Reading order: [`app`], then along a sample's way: [`scrape`] and [`probe`], [`metrics`], [`rules`], [`incident`],
//! [`procedures`], [`notify`]; beside it [`logs`], and `coverage`, which compares all of it
//! with the plan; at the end [`http`], where people come in. [`progress`] watches every loop.

pub mod app;
pub mod backtest;
mod budgets;
pub mod cli;
mod coverage;
mod deployments;
pub mod drill;
mod fnv;
mod hand_clock;
mod heartbeats;
mod host;
pub mod http;
pub mod incident;
pub mod init;
pub mod logs;
pub mod metrics;
pub mod notify;
mod objectives;
mod opening;
mod plan_files;
pub mod plan_test;
mod presence;
pub mod probe;
pub mod procedures;
pub mod progress;
pub mod rehearsal;
mod report;
pub mod rules;
pub mod scrape;
pub mod self_metrics;
pub mod setup;
mod stage;
mod switch;
mod tasks;
mod time_text;
mod upkeep;
