//! What holds pages back: inhibitions and maintenance windows.

use std::time::Duration;

use jiff::civil::Weekday;

use super::selectors::selectors;
use super::{at, label_names};
use crate::context::{Context, Hold, Kind};
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::limits::{GROUP_LABELS_MAX, WINDOW_LENGTH_MAX, WINDOW_LENGTH_MIN};
use crate::node::Node;
use crate::{AlertSelector, Code, Inhibition, MaintenanceWindow, civil, grammar, values};

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn inhibition(context: &mut Context<'_>, node: &Node) -> Option<Inhibition> {
    let mut fields = Fields::open(context, node, &grammar::INHIBITION)?;
    let name = fields.required(context, "name", "name it for timelines");
    let name = name.and_then(|node| values::new_title(context, Kind::Inhibition, node));
    let help = "list the alerts that hold others back while they fire";
    let holders = fields.required(context, "while", help);
    let holders = holders.map(|node| {
        let what = "an inhibition needs at least one alert that holds others back";
        selectors(context, node, what)
    });
    let held = fields.required(context, "hold_back", "list the alerts that are held back");
    let held = held.map(|node| {
        let what = "an inhibition needs at least one alert that is held back";
        selectors(context, node, what)
    });
    let equal = fields.optional("equal");
    let equal = equal.map(|node| label_names(context, node, GROUP_LABELS_MAX, "alerts compare"));
    let at = at(context, &fields);
    fields.finish(context);
    let (holders, held) = (holders?, held?);
    for (held, node) in &held {
        for (holder, _) in &holders {
            note_hold(context, holder, held, node);
        }
    }
    Some(Inhibition {
        name: name?,
        while_firing: holders.into_iter().map(|(selector, _)| selector).collect(),
        hold_back: held.into_iter().map(|(selector, _)| selector).collect(),
        equal: equal.unwrap_or_default(),
        at,
    })
}

/// Reports an alert that holds back itself; what holds back others is noted, since circles close across inhibitions.
fn note_hold(context: &mut Context<'_>, holder: &AlertSelector, held: &AlertSelector, node: &Node) {
    let itself = holder.text == held.text
        || name(holder).is_some_and(|name| covers(held, name))
        || name(held).is_some_and(|name| covers(holder, name));
    if itself {
        let message = format!("{} would hold back itself", quote(&held.text));
        let help = "take it out of one of the two lists: nobody would ever be told of it";
        context.error(Code::HoldsItselfBack, &node.span, message, "", help);
    } else if let (Some(holder), Some(held)) = (name(holder), name(held)) {
        context.holds.push(Hold {
            holder: holder.to_owned(),
            held: held.to_owned(),
            span: node.span.clone(),
        });
    }
}

/// The alert's name, where the selector is one.
fn name(selector: &AlertSelector) -> Option<&str> {
    (!selector.text.starts_with('{')).then_some(&*selector.text)
}

/// Whether every alert of this name is meant, whatever its other labels are.
fn covers(selector: &AlertSelector, name: &str) -> bool {
    selector
        .matchers
        .iter()
        .all(|matcher| matcher.name() == "alertname" && matcher.matches(name))
}

pub(super) fn window(context: &mut Context<'_>, node: &Node) -> Option<MaintenanceWindow> {
    let mut fields = Fields::open(context, node, &grammar::MAINTENANCE_WINDOW)?;
    let name = fields.required(context, "name", "name it for timelines");
    let name = name.and_then(|node| values::new_title(context, Kind::MaintenanceWindow, node));
    let reason = fields.required(context, "reason", "say why nobody need be told");
    let reason = reason.and_then(|node| values::text(context, node));
    let alerts = fields.required(context, "alerts", "list the alerts that it holds back");
    let alerts = alerts.map(|node| {
        let what = "a maintenance window needs at least one alert that it holds back";
        selectors(context, node, what)
    });
    let days = super::days(context, &mut fields);
    let from = fields.required(
        context,
        "from",
        "write when it begins, as in `from: \"03:00\"`",
    );
    let from = from.and_then(|node| civil::time(context, node));
    let length_node = fields.required(context, "for", "write how long it lasts, as in `for: 1h`");
    let length = length_node.and_then(|node| {
        let bounds = WINDOW_LENGTH_MIN..=WINDOW_LENGTH_MAX;
        let why = "what takes longer is a silence, which somebody sets and ends";
        values::duration_between(context, node, bounds, why)
    });
    if let (Some(node), Some(length), Some(days)) = (length_node, length, &days) {
        check_end(context, node, length, days);
    }
    let zone = fields.required(
        context,
        "zone",
        "say whose clocks show it, as in `zone: Europe/Berlin`",
    );
    let zone = zone.and_then(|node| civil::zone(context, node));
    let at = at(context, &fields);
    fields.finish(context);
    Some(MaintenanceWindow {
        name: name?,
        reason: reason?.to_owned(),
        alerts: alerts?.into_iter().map(|(selector, _)| selector).collect(),
        days: days?,
        from: from?,
        length: length?,
        zone: zone?,
        at,
    })
}

/// Reports a window that begins again before it is over: it would hold pages back for ever.
fn check_end(context: &mut Context<'_>, node: &Node, length: Duration, days: &[Weekday]) {
    let apart = longest_gap(days);
    if length < DAY * apart {
        return;
    }
    let message = format!(
        "a window of {} that begins again after {} never ends",
        model::format_duration(length),
        model::format_duration(DAY * apart)
    );
    let help = "make it shorter, or take the alerts out of the plan";
    context.error(Code::InvalidDuration, &node.span, message, "", help);
}

/// The most days from one beginning to the next; no days mean every day.
fn longest_gap(days: &[Weekday]) -> u32 {
    let after = |from: Weekday| {
        let gaps = days.iter().map(|to| match to.since(from) {
            0 => 7,
            days => days.unsigned_abs().into(),
        });
        gaps.min().unwrap_or(1)
    };
    days.iter().map(|day| after(*day)).max().unwrap_or(1)
}
