//! Dashboards and their panels.

use super::{at, service, text_or_empty};
use crate::context::{Context, Kind};
use crate::expression::{self, Allowed};
use crate::fields::Fields;
use crate::node::Node;
use crate::{Dashboard, Panel, PanelKind, PanelQuery, Threshold, grammar, values};

pub(super) fn dashboard(context: &mut Context<'_>, node: &Node) -> Option<Dashboard> {
    let mut fields = Fields::open(context, node, &grammar::DASHBOARD)?;
    let id = fields.required(context, "id", "name it as it shall stand in addresses");
    let id = id.and_then(|node| values::new_name(context, Kind::Dashboard, node));
    let title = fields.required(context, "title", "write what people call it");
    let title = title.and_then(|node| values::text(context, node));
    let panels = fields.required(context, "panels", "list its panels");
    let panels = panels.map(|node| {
        super::some_items(context, node, "a dashboard needs at least one panel", panel)
    });
    let service = service(context, &fields);
    fields.finish(context);
    Some(Dashboard {
        id: id?,
        title: title?.to_owned(),
        panels: panels?,
        service,
    })
}

fn panel(context: &mut Context<'_>, node: &Node) -> Option<Panel> {
    let mut fields = Fields::open(context, node, &grammar::PANEL)?;
    let title = fields.required(context, "title", "write what people call it");
    let title = title.and_then(|node| values::text(context, node));
    let description = text_or_empty(context, &mut fields, "description");
    let kind = fields.optional("kind");
    let kind =
        kind.and_then(|node| values::word(context, node, "a way to draw", &grammar::PANEL_KINDS));
    let unit = text_or_empty(context, &mut fields, "unit");
    let queries = fields.required(context, "queries", "list what it draws");
    let queries = queries
        .map(|node| super::some_items(context, node, "a panel needs at least one query", query));
    let thresholds = super::section(context, &mut fields, "thresholds", threshold);
    let at = at(context, &fields);
    fields.finish(context);
    Some(Panel {
        title: title?.to_owned(),
        description,
        kind: kind.unwrap_or(PanelKind::Line),
        unit,
        queries: queries?,
        thresholds,
        at,
    })
}

fn query(context: &mut Context<'_>, node: &Node) -> Option<PanelQuery> {
    let mut fields = Fields::open(context, node, &grammar::QUERY)?;
    let expr = fields.required(context, "expr", "write the PromQL that it draws");
    let expr =
        expr.and_then(|node| expression::read(context, node, "a panel", Allowed::VectorOrScalar));
    let legend = text_or_empty(context, &mut fields, "legend");
    fields.finish(context);
    Some(PanelQuery {
        expr: expr?,
        legend,
    })
}

fn threshold(context: &mut Context<'_>, node: &Node) -> Option<Threshold> {
    let mut fields = Fields::open(context, node, &grammar::THRESHOLD)?;
    let value = fields.required(context, "value", "write the value in the panel's unit");
    let value = value.and_then(|node| values::number(context, node));
    let label = fields.required(context, "label", "say what it is");
    let label = label.and_then(|node| values::text(context, node));
    fields.finish(context);
    Some(Threshold {
        value: value?,
        label: label?.to_owned(),
    })
}
