//! What is promised: objectives, coverage, critical paths.

use super::{at, burn_alerts, events, service};
use crate::context::{Context, Kind};
use crate::diagnostics::quote;
use crate::expression::{self, Allowed};
use crate::fields::Fields;
use crate::node::Node;
use crate::{Code, CoverageTargets, CriticalPath, Objective, grammar, values};

/// A plan that says nothing about coverage wants all of it.
pub(super) const COVERAGE_DEFAULT: CoverageTargets = CoverageTargets {
    application: 1.0,
    infrastructure: 1.0,
    business: 1.0,
};

pub(super) fn objective(context: &mut Context<'_>, node: &Node) -> Option<Objective> {
    let mut fields = Fields::open(context, node, &grammar::OBJECTIVE)?;
    let id = fields.required(context, "id", "name it for references");
    let id = id.and_then(|node| values::new_name(context, Kind::Objective, node));
    let title = fields.required(context, "title", "write what people call it");
    let title = title.and_then(|node| values::text(context, node));
    let expr = fields.required(context, "expr", "write the PromQL of its present value");
    let expr = expr
        .and_then(|node| expression::read(context, node, "an objective", Allowed::VectorOrScalar));
    let unit = fields.required(context, "unit", "write `seconds`, `ratio` or another unit");
    let unit = unit.and_then(|node| values::name(context, node));
    let target = fields.required(context, "target", "write it as `< 500ms` or `> 99.9%`");
    let promise = target.and_then(|node| promise(context, node, unit.as_deref()));
    let window = fields.required(
        context,
        "window",
        "write the time over which it is promised",
    );
    let window = window.and_then(|node| values::duration(context, node));
    let events_node = fields.optional("events");
    let events = events_node.and_then(|node| events::events(context, node, promise.as_ref()));
    let budget_node = fields.optional("budget");
    let budget = match (&promise, &expr, &events, events_node) {
        (Some(promise), Some(expr), Some(events), Some(node)) => {
            events::budget(context, budget_node, promise, expr, events, node)
        }
        _ => None,
    };
    let alerts_node = fields.optional("burn_alerts");
    let burn_alerts = alerts_node
        .and_then(|node| burn_alerts::burn_alerts(context, node, id.as_deref(), window, budget));
    if events_node.is_none() {
        needs_events(context, budget_node.or(alerts_node));
    }
    let at = at(context, &fields);
    let service = service(context, &fields);
    fields.finish(context);
    let Promise {
        below,
        target,
        unit,
    } = promise?;
    Some(Objective {
        id: id?,
        title: title?.to_owned(),
        expr: expr?,
        below,
        target,
        unit,
        window: window?,
        service,
        events,
        budget,
        burn_alerts,
        at,
    })
}

/// Reports a budget, or alerts on one, where no events are counted.
fn needs_events(context: &mut Context<'_>, node: Option<&Node>) {
    let Some(node) = node else { return };
    let message = "an objective without events has no budget";
    let help = "write `events:` with how they are counted";
    context.error(Code::BudgetWithoutEvents, &node.span, message, "", help);
}

/// What an objective promises.
pub(super) struct Promise {
    pub(super) below: bool,
    pub(super) target: f64,
    pub(super) unit: String,
}

/// A target as people say it: `< 500ms`, `> 99.9%`, `< 100`. The answer is in the objective's unit.
fn promise(context: &mut Context<'_>, node: &Node, unit: Option<&str>) -> Option<Promise> {
    let written = values::text(context, node)?;
    let (below, value) = match (written.strip_prefix('<'), written.strip_prefix('>')) {
        (Some(value), _) => (true, value.trim()),
        (None, Some(value)) => (false, value.trim()),
        (None, None) => {
            let message = format!(
                "{} does not say on which side of it is good",
                quote(written)
            );
            let help = "start it with `<` (good below) or `>` (good above)";
            context.error(Code::InvalidTarget, &node.span, message, "", help);
            return None;
        }
    };
    let number = match unit? {
        "seconds" => {
            let length = model::parse_duration(value).ok().filter(|_| value != "0");
            length.map(|length| length.as_secs_f64())
        }
        "ratio" => value
            .strip_suffix('%')
            .and_then(|number| values::percent(number.trim()))
            .filter(|ratio| (0.0..=1.0).contains(ratio)),
        _ => values::finite(value),
    };
    if number.is_none() {
        let help = match unit? {
            "seconds" => "write a length of time, such as `< 500ms`",
            "ratio" => "write a percentage from 0% to 100%, such as `> 99.9%`",
            _ => "write a number, such as `< 100`",
        };
        let message = format!(
            "{} is not a target in this objective's unit",
            quote(written)
        );
        context.error(Code::InvalidTarget, &node.span, message, "", help);
    }
    Some(Promise {
        below,
        target: number?,
        unit: unit?.to_owned(),
    })
}

pub(super) fn coverage(context: &mut Context<'_>, node: &Node) -> CoverageTargets {
    let mut targets = COVERAGE_DEFAULT;
    let Some(mut fields) = Fields::open(context, node, &grammar::COVERAGE) else {
        return targets;
    };
    let groups = [
        ("application", &mut targets.application),
        ("infrastructure", &mut targets.infrastructure),
        ("business", &mut targets.business),
    ];
    for (key, target) in groups {
        let share = fields
            .optional(key)
            .and_then(|node| values::share(context, node));
        *target = share.unwrap_or(*target);
    }
    fields.finish(context);
    targets
}

pub(super) fn critical_path(context: &mut Context<'_>, node: &Node) -> Option<CriticalPath> {
    let mut fields = Fields::open(context, node, &grammar::CRITICAL_PATH)?;
    let name = fields.required(context, "name", "say what the path is");
    let name = name.and_then(|node| values::new_title(context, Kind::CriticalPath, node));
    let alerts = fields.required(context, "alerts", "list the alerts that guard it");
    let alerts = alerts.map(|node| {
        let what = "a critical path needs at least one alert";
        super::some_items(context, node, what, |context, node| {
            values::reference(context, Kind::Alert, node)
        })
    });
    let at = at(context, &fields);
    let service = service(context, &fields);
    fields.finish(context);
    Some(CriticalPath {
        name: name?,
        alerts: alerts?,
        service,
        at,
    })
}
