//! Backtests: when rules would have fired over what a store remembers, how long, how often, and who would have been paged.
//!
//! The decisions are the live ones (`rules`, `alerting`, the desk on a clock of its own), at the instants at which the live
//! loops evaluate, with what the samples say about scrapes; only the answers come from the past. So a backtest of the plan in
//! force gives what its own history holds.
//!
//! `past` is the seam to whatever remembers, `http_past` its adapter; `instants` says when a group is evaluated, `answers`
//! fetches what its expressions gave then, `replay` steps, `report` sums up.

mod answers;
mod http_past;
mod instants;
mod past;
mod replay;
mod report;

pub use http_past::HttpPast;
pub use past::{Past, PastError};
pub use replay::{Span, Variant, run};
pub use report::{BacktestReport, Firing, RuleFirings};
