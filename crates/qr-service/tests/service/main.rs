//! Tests of the whole service without a socket, in one program: linking it once saves a minute.
#![expect(clippy::unwrap_used, reason = "test helpers: a panic is the failure")]

mod admin;
mod api;
mod drills;
mod harness;
mod plan_metrics;
