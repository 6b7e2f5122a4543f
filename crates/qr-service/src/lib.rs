//! The QR-code service over HTTP. Promise: [`app()`] is a `tower::Service`, so the whole service runs without a socket.
//!
//! The way of a request: `http/` (observed, admitted, answered) → `generate.rs` (what is asked for) → `cache.rs`, or
//! the `qr` crate → the answer. Beside it: `accounts.rs` and `sessions.rs` over `database.rs`, `rate_limit.rs` and
//! `suspicion.rs` at the door, `faults.rs` for drills, `ship.rs` for logs on their way to a monitor. For operators:
//! `http/admin/` over `cache_check.rs`, `generations.rs` (how many codes are drawn at once), `standing.rs` (how the
//! database stands) and `deployments.rs`.
//!
//! Everything that is measured is declared in `metrics.rs`; everything is wired in `app.rs`.

mod admin_token;
mod app;
mod config;
mod faults;
mod http;
mod metrics;
mod routes;
mod tasks;

mod cache;
mod cache_check;
mod generate;
mod generations;
mod hit_rate;

mod accounts;
mod active_users;
mod database;
mod deployments;
mod passwords;
mod schema;
mod sessions;
mod standing;

mod rate_limit;
mod ship;
mod suspicion;

pub use admin_token::{AdminToken, AdminTokenError, TOKEN_BYTES_MAX};
pub use app::{App, app};
pub use config::{Config, Rate};
pub use database::DatabaseError;
pub use faults::FaultSet;
pub use generations::{WORKERS_MAX, WORKERS_MIN};
