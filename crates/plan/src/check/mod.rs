//! What only the whole plan can tell: names that clash, references into nothing, series that nobody exposes,
//! inhibitions in a circle, requests to foreign addresses, heartbeats that nobody hears, drills that cannot pass, and which scrapes a rule depends on.

mod drills;
mod heartbeats;
mod inhibitions;
mod reach;
mod references;
mod series_read;
mod sources;

pub(crate) use references::names;
pub(crate) use series_read::metric_of;
pub(crate) use sources::of as sources_of;

use crate::context::Context;
use crate::{Plan, lower};

/// Looks across sections; fills what follows from several of them.
pub(crate) fn all(context: &mut Context<'_>, plan: Option<Plan>) -> Option<Plan> {
    names(context);
    series_read::check(context);
    inhibitions::check(context);
    reach::check(context);
    if let Some(plan) = &plan {
        heartbeats::check(context, plan);
        drills::check(context, plan);
    }
    plan.map(lower::fill).map(sources::fill)
}
