//! What only the whole plan can tell: names that clash, references into nothing, series that nobody exposes, and which
//! scrapes a rule depends on.

mod references;
mod series_read;
mod sources;

pub(crate) use references::names;

use crate::Plan;
use crate::context::Context;

/// Looks across sections; fills what follows from several of them.
pub(crate) fn all(context: &mut Context<'_>, plan: Option<Plan>) -> Option<Plan> {
    names(context);
    series_read::check(context);
    plan.map(sources::fill)
}
