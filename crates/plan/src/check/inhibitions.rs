//! Inhibitions that close a circle: each alert would hold back the next, and when all fire nobody is told of any.

use std::collections::BTreeSet;

use crate::Code;
use crate::context::{Context, Hold};
use crate::diagnostics::quote;

pub(super) fn check(context: &mut Context<'_>) {
    let holds = std::mem::take(&mut context.holds);
    for hold in &holds {
        if !reaches(&holds, &hold.held, &hold.holder) {
            continue;
        }
        let (holder, held) = (quote(&hold.holder), quote(&hold.held));
        let message = format!("{holder} holds back {held}, which holds back {holder} in turn");
        let help = "let one of them page: when both fire nobody would be told";
        context.error(Code::HoldsItselfBack, &hold.span, message, "", help);
    }
}

/// Whether `from` holds back `to`, by itself or through others.
fn reaches(holds: &[Hold], from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(holder) = open.pop() {
        if holder == to {
            return true;
        }
        if seen.insert(holder) {
            let held = holds.iter().filter(|hold| hold.holder == holder);
            open.extend(held.map(|hold| hold.held.as_str()));
        }
    }
    false
}
