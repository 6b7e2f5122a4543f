//! The witness of a rule: series that would make its condition hold, and then end it. Found by trying shapes of series with the
//! evaluator itself, so that what is found is true, whatever the expression is made of; where nothing is found within bounds,
//! that is a finding about the rule.
//!
//! An inverse of PromQL was the alternative. It would have to know every function, and would be believed where it errs.
//!
//! `families` reads from an expression which series it is about, `shape` is what they can do, `signals` plays shapes one
//! after another as a source of series, `search` tries.

mod example;
mod families;
mod search;
mod shape;
mod signals;

pub(super) use families::window;
pub(super) use search::{Witness, witness};
pub(super) use signals::Signals;
