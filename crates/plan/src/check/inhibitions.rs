//! Inhibitions that close a circle: each alert would hold back the next, and when all fire nobody is told of any.
//!
//! One walk in depth over all of them: a hold that leads back to an alert on the way is one that closes a circle. So a
//! circle is reported once, and hostile plans cost no more than they are long.

use std::collections::{BTreeMap, BTreeSet};

use crate::Code;
use crate::context::{Context, Hold};
use crate::diagnostics::quote;

pub(super) fn check(context: &mut Context<'_>) {
    let holds = std::mem::take(&mut context.holds);
    for hold in closing(&holds) {
        let (holder, held) = (quote(&hold.holder), quote(&hold.held));
        let message = format!(
            "{held} holds back {holder}, by itself or through others, and is held back by it here"
        );
        let help = "let one of them page: when both fire nobody would be told";
        context.error(Code::HoldsItselfBack, &hold.span, message, "", help);
    }
}

/// The holds that lead back to an alert from which the walk came.
fn closing(holds: &[Hold]) -> Vec<&Hold> {
    let mut of_holder: BTreeMap<&str, Vec<&Hold>> = BTreeMap::new();
    for hold in holds {
        of_holder.entry(&hold.holder).or_default().push(hold);
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for start in of_holder.keys() {
        let mut way = vec![(*start, 0)];
        let mut on_way = BTreeSet::from([*start]);
        if !seen.insert(*start) {
            continue;
        }
        while let Some((holder, next)) = way.last_mut() {
            let hold = of_holder.get(holder).and_then(|holds| holds.get(*next));
            *next += 1;
            let Some(hold) = hold else {
                on_way.remove(holder);
                way.pop();
                continue;
            };
            if on_way.contains(hold.held.as_str()) {
                found.push(*hold);
            } else if seen.insert(&hold.held) {
                on_way.insert(&hold.held);
                way.push((&hold.held, 0));
            }
        }
    }
    found
}
