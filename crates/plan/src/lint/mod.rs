//! What could run but would not do what the plan means: alerts that never fire or always do, figures that are compared with
//! the wrong number, metrics that nobody watches, objectives that can be missed in silence.
//!
//! Reading has found no error when this begins. Everything here is a warning with a code from `BF0101`, and each can be
//! accepted in the plan with a reason (`waivers`). The measure is the plan itself: what it says of a metric (type, unit,
//! labels) against what its expressions make of it. What the plan does not describe is left alone, since a lint that cries
//! wolf is switched off.
//!
//! Reading order: `infer` tells what is known about every part of an expression; `sites` lists the expressions; the
//! other files each hold the checks of one theme; `finding` weighs what they find against the waivers.

mod finding;
mod infer;
mod sites;

mod alerts;
mod conditions;
mod counters;
mod escalation;
mod matching;
mod metrics;
mod objectives;
mod probes;
mod quantiles;
mod retention;
mod selectors;
mod shares;
mod templates;
mod times;

pub use finding::{LintFinding, Linted};

use finding::Findings;

use crate::context::Context;
use crate::{Contacts, Plan};

/// Everything that lint finds, waived or not, in the order of the text.
pub(crate) fn findings(
    context: &Context<'_>,
    plan: &Plan,
    contacts: Option<&Contacts>,
) -> Vec<LintFinding> {
    let mut findings = Findings::new(context, plan);
    let sites = sites::sites(plan);
    for site in &sites {
        counters::check(&mut findings, site);
        quantiles::check(&mut findings, site);
        shares::check(&mut findings, plan, site);
        conditions::check(&mut findings, site);
        times::check(&mut findings, plan, site);
        selectors::check(&mut findings, plan, site);
        templates::check(&mut findings, site);
        matching::check(&mut findings, site);
        retention::check(&mut findings, plan, site);
    }
    times::check_groups(&mut findings, plan);
    alerts::check(&mut findings, plan, &sites);
    probes::check(&mut findings, plan);
    metrics::check(&mut findings, plan);
    retention::check_logs(&mut findings, plan);
    objectives::check(&mut findings, plan, &sites);
    escalation::check(&mut findings, plan, contacts);
    findings.finish(contacts.is_some())
}
