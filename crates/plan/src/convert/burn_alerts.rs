//! Alerts on how fast an objective's budget is spent.

use std::time::Duration;

use crate::context::{Context, Kind};
use crate::fields::Fields;
use crate::limits::{BURN_WINDOWS_MAX, MINIMUM_TRAFFIC_MAX};
use crate::lower::{self, STANDARD_WINDOW_MIN};
use crate::node::Node;
use crate::{Budget, BurnAlerts, BurnWindow, Code, Severity, grammar, values};

/// `burn_alerts:` of an objective with this window.
pub(super) fn burn_alerts(
    context: &mut Context<'_>,
    node: &Node,
    id: Option<&str>,
    window: Option<Duration>,
    budget: Option<Budget>,
) -> Option<BurnAlerts> {
    let mut fields = Fields::open(context, node, &grammar::BURN_ALERTS)?;
    let procedure = fields.optional("procedure");
    let procedure = procedure.and_then(|node| values::reference(context, Kind::Procedure, node));
    let escalation = fields.required(context, "escalation", "write the name of a policy");
    let escalation =
        escalation.and_then(|node| values::reference(context, Kind::EscalationPolicy, node));
    let minimum = fields.optional("minimum_traffic");
    let minimum = minimum.and_then(|node| values::count(context, node, 1..=MINIMUM_TRAFFIC_MAX));
    let severity = fields.optional("severity");
    let severity =
        severity.and_then(|node| values::word(context, node, "a severity", &grammar::SEVERITIES));
    let written = fields.optional("windows");
    let windows = match (written, window) {
        (Some(node), _) => {
            let what = "burn-rate alerts need at least one pair of windows";
            super::needs_one(context, node, what);
            let limit = (BURN_WINDOWS_MAX, "windows");
            super::items_up_to(context, node, limit, |context, node| {
                burn_window(context, node, severity, window, budget)
            })
        }
        (None, Some(window)) => standard(context, node, severity, window),
        (None, None) => Vec::new(),
    };
    fields.finish(context);
    let (windows, unreachable): (Vec<BurnWindow>, Vec<BurnWindow>) = windows
        .into_iter()
        .partition(|own| budget.is_none_or(|budget| own.is_reachable(budget)));
    for own in &windows {
        if let Some(id) = id {
            context.declare(Kind::Alert, &lower::alert_name(id, own.long), node);
        }
    }
    if let Some(id) = id {
        context.declare(Kind::RuleGroup, &lower::group_name(id), node);
    }
    if windows.is_empty() && !unreachable.is_empty() {
        out_of_reach(context, node, budget?, &unreachable);
    }
    Some(BurnAlerts {
        procedure,
        escalation: escalation?,
        minimum_traffic: minimum.map(|minimum| minimum as f64),
        windows,
        unreachable,
    })
}

fn standard(
    context: &mut Context<'_>,
    node: &Node,
    severity: Option<Severity>,
    window: Duration,
) -> Vec<BurnWindow> {
    if window < STANDARD_WINDOW_MIN {
        let message = format!(
            "the standard windows do not fit an objective over {}",
            model::format_duration(window)
        );
        let help = format!(
            "promise it over {} or more, or write `windows:`, each with `long`, `short` and `factor`",
            model::format_duration(STANDARD_WINDOW_MIN)
        );
        context.error(Code::BurnWindows, &node.span, message, "", help);
        return Vec::new();
    }
    let mut windows = lower::standard_windows(window);
    for own in &mut windows {
        own.severity = severity.unwrap_or(own.severity);
    }
    windows
}

fn burn_window(
    context: &mut Context<'_>,
    node: &Node,
    severity_of_all: Option<Severity>,
    objective: Option<Duration>,
    budget: Option<Budget>,
) -> Option<BurnWindow> {
    let mut fields = Fields::open(context, node, &grammar::BURN_WINDOW)?;
    let long = fields.required(context, "long", "write over how long, as in `1h`");
    let long = long.and_then(|node| values::duration(context, node));
    let short = fields.required(context, "short", "write a twelfth of `long`, as in `5m`");
    let short = short.and_then(|node| values::duration(context, node));
    let factor = fields.required(
        context,
        "factor",
        "write how many times as fast, as in `14.4`",
    );
    let factor = factor.and_then(|node| Some((values::number(context, node)?, node)));
    let severity = fields.optional("severity");
    if severity.is_none() && severity_of_all.is_none() {
        fields.missing(context, "severity", "write `critical` or `warning`");
    }
    let severity = severity
        .and_then(|node| values::word(context, node, "a severity", &grammar::SEVERITIES))
        .or(severity_of_all);
    let span = fields.span().clone();
    fields.finish(context);
    let (factor, factor_node) = factor?;
    let own = BurnWindow {
        long: long?,
        short: short?,
        factor,
        severity: severity?,
    };
    if own.short >= own.long || objective.is_some_and(|objective| own.long > objective) {
        let message = "these windows do not fit";
        let help = "`short` is shorter than `long`, and `long` is at most the objective's window";
        context.error(Code::BurnWindows, &span, message, "", help);
        return None;
    }
    if factor <= 0.0 {
        let help = "write how many times as fast as it may the budget is spent, as in `14.4`";
        context.error(
            Code::InvalidNumber,
            &factor_node.span,
            "a factor is above zero",
            "",
            help,
        );
        return None;
    }
    if let Some(budget) = budget.filter(|budget| !own.is_reachable(*budget)) {
        out_of_reach(context, factor_node, budget, &[own]);
        return None;
    }
    Some(own)
}

/// No share of bad events is past 100 %: such an alert would look healthy for ever.
fn out_of_reach(context: &mut Context<'_>, node: &Node, budget: Budget, windows: &[BurnWindow]) {
    let lowest = windows
        .iter()
        .map(|own| own.factor)
        .fold(f64::INFINITY, f64::min);
    let message = format!(
        "{lowest} times a budget of {} is more than every event: this alert can never fire",
        lower::percent(budget.share)
    );
    let most = lower::rounded(1.0 / budget.share, 4);
    let help = format!("write `windows:` with factors below {most}");
    context.error(Code::BurnOutOfReach, &node.span, message, "", help);
}
