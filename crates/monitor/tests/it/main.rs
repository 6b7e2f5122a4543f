//! Tests of Belfry in one program: linking it once saves a minute.
//!
//! Each module drives a whole [`harness::Belfry`] without a socket or one subsystem through its public face, mostly as
//! tables for one `check`. `conformance` holds the suites that every adapter of a seam must pass.
#![expect(clippy::unwrap_used, reason = "test helpers: a panic is the failure")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests prepare files that programs then read"
)]

mod harness;
mod refusing_store;

mod alertmanager_api;
mod backtesting;
mod belfry_api;
mod budgets;
mod conformance;
mod coverage;
mod desk;
mod drafting;
mod drills;
mod duty;
mod duty_api;
mod following;
mod guarding;
mod incidents_api;
mod logs_api;
mod plan_files;
mod probing;
mod procedures;
mod prometheus_api;
mod promptness;
mod promtool;
mod rehearsing;
mod reloading;
mod reports_api;
mod scraping;
mod starting;
