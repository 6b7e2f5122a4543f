//! Where requests of procedures may go: to what the plan watches anyway, and to what it lists.
//!
//! Belfry stands where many services can be reached. A plan that may name any address would make it a way around the
//! walls between them, so a reviewer finds every address in one place.

use crate::Code;
use crate::context::Context;
use crate::diagnostics::quote;

pub(super) fn check(context: &mut Context<'_>) {
    for reach in std::mem::take(&mut context.reached) {
        if context.reachable.contains(&reach.address) {
            continue;
        }
        let address = quote(&reach.address);
        let message = format!("{address} is the address of no target and no probe of this plan");
        let help = "correct it, or list it under `procedures_may_reach` if procedures may ask it";
        context.error(Code::ForbiddenAddress, &reach.span, message, "", help);
    }
}
