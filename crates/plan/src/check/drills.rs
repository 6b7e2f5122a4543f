//! Faults of drills against the rules that they are for.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::diagnostics::quote;
use crate::{Code, Plan};

/// One fault for each alert, and time enough for it to fire.
pub(super) fn check(context: &mut Context<'_>, plan: &Plan) {
    let mut seen = BTreeSet::new();
    for time in std::mem::take(&mut context.drill_times) {
        if !seen.insert(time.alert.clone()) {
            let message = format!("the alert {} has two faults", quote(&time.alert));
            let help = "keep the one that is surer";
            let at = time.alert_span.clone();
            context.error(Code::DuplicateName, &at, message, "again", help);
        }
        let rule = plan.rules().find(|(_, rule)| rule.name == time.alert);
        let Some((group, rule)) = rule else { continue };
        let least = rule.hold + 2 * group.interval;
        if time.within < least {
            let message = format!(
                "a drill of {} cannot pass: it fires after {} at the earliest, and the drill waits {}",
                quote(&time.alert),
                model::format_duration(least),
                model::format_duration(time.within)
            );
            let help = "give it the length of `for` and the time that the fault takes to show";
            context.error(Code::DrillTooShort, &time.span, message, "", help);
        }
    }
}
