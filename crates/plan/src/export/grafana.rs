//! Grafana's dashboards in the classic JSON that every Grafana imports, one file each.

use serde_json::{Value, json};

use super::{Export, listed, written_by_belfry_only};
use crate::{Dashboard, Panel, PanelKind, PanelQuery, Plan};

/// The version of the classic model that these are written in; newer Grafanas migrate it.
const SCHEMA_VERSION: u32 = 39;

/// Grafana's grid has 24 columns.
const PANEL_WIDTH: usize = 12;
const PANEL_HEIGHT: usize = 8;
const PANELS_IN_ROW: usize = 2;

/// The longest id of a dashboard.
const UID_CHARS_MAX: usize = 40;

/// What the import asks for: which Prometheus to read.
const SOURCE: &str = "DS_PROMETHEUS";

pub(super) fn export(plan: &Plan) -> Export {
    let mut export = Export::default();
    for own in &plan.dashboards {
        let mut text = format!("{:#}", dashboard(plan, own));
        text.push('\n');
        export.file(format!("{}.json", own.id), text);
        for panel in &own.panels {
            for query in &panel.queries {
                let foreign = written_by_belfry_only(plan, &query.expr);
                if !foreign.is_empty() {
                    export.note(format!(
                        "{} reads {}, which only Belfry writes: point the data source at Belfry, which answers Prometheus' API",
                        own.title,
                        listed(&foreign)
                    ));
                }
            }
        }
    }
    if plan.dashboards.is_empty() {
        export.note("the plan has no dashboards");
    }
    export
}

fn dashboard(plan: &Plan, dashboard: &Dashboard) -> Value {
    let panels = dashboard.panels.iter().enumerate();
    let panels = panels.map(|(index, own)| panel(index, own));
    json!({
        "__inputs": [{
            "name": SOURCE, "label": "Prometheus", "description": "", "type": "datasource",
            "pluginId": "prometheus", "pluginName": "Prometheus",
        }],
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "9.0.0"},
            {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
        ],
        "id": null,
        "uid": uid(&format!("{}-{}", plan.service, dashboard.id)),
        "title": format!("{} / {}", plan.title, dashboard.title),
        "tags": ["belfry", plan.service],
        "timezone": "browser",
        "editable": true,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {},
        "templating": {"list": []},
        "annotations": {"list": []},
        "links": [],
        "panels": panels.collect::<Vec<_>>(),
    })
}

fn uid(name: &str) -> String {
    name.chars().take(UID_CHARS_MAX).collect()
}

fn panel(index: usize, panel: &Panel) -> Value {
    let (row, column) = (index / PANELS_IN_ROW, index % PANELS_IN_ROW);
    let targets = panel.queries.iter().enumerate();
    let targets = targets.map(|(number, own)| target(number, own, panel.kind));
    json!({
        "id": index + 1,
        "type": panel_type(panel.kind),
        "title": panel.title,
        "description": description(panel),
        "datasource": source(),
        "gridPos": {"h": PANEL_HEIGHT, "w": PANEL_WIDTH, "x": column * PANEL_WIDTH, "y": row * PANEL_HEIGHT},
        "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {"defaults": defaults(panel), "overrides": []},
        "options": options(panel.kind),
    })
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": format!("${{{SOURCE}}}")})
}

fn panel_type(kind: PanelKind) -> &'static str {
    match kind {
        PanelKind::Line | PanelKind::Stacked => "timeseries",
        PanelKind::Stat => "stat",
        PanelKind::Bars => "bargauge",
    }
}

/// Grafana draws lines across a panel but cannot name them, so the description does.
fn description(panel: &Panel) -> String {
    let lines = panel.thresholds.iter();
    let lines: Vec<String> = lines
        .map(|own| format!("{} is {}", own.value, own.label))
        .collect();
    if lines.is_empty() {
        return panel.description.clone();
    }
    format!("{} Lines: {}.", panel.description, lines.join(", "))
        .trim()
        .to_owned()
}

fn target(number: usize, query: &PanelQuery, kind: PanelKind) -> Value {
    let is_instant = matches!(kind, PanelKind::Stat | PanelKind::Bars);
    json!({
        "refId": reference(number),
        "datasource": source(),
        "expr": query.expr.text.trim_end(),
        "legendFormat": query.legend,
        "instant": is_instant,
        "range": !is_instant,
    })
}

/// `A` to `Z`, then `A1`, …
fn reference(number: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    match number / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

fn defaults(panel: &Panel) -> Value {
    let mut steps = vec![json!({"color": "green", "value": null})];
    let mut values: Vec<f64> = panel.thresholds.iter().map(|own| own.value).collect();
    values.sort_by(f64::total_cmp);
    steps.extend(
        values
            .iter()
            .map(|value| json!({"color": "red", "value": value})),
    );
    let mut defaults = json!({
        "unit": unit(&panel.unit),
        "thresholds": {"mode": "absolute", "steps": steps},
    });
    if matches!(panel.kind, PanelKind::Line | PanelKind::Stacked) {
        let is_stacked = panel.kind == PanelKind::Stacked;
        defaults["custom"] = json!({
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": if is_stacked { 40 } else { 0 },
            "showPoints": "never",
            "spanNulls": false,
            "stacking": {"mode": if is_stacked { "normal" } else { "none" }, "group": "A"},
            "thresholdsStyle": {"mode": if values.is_empty() { "off" } else { "line" }},
        });
    }
    // A share is shown from nothing on, so that its lines keep their place.
    if panel.unit == "ratio" {
        defaults["min"] = json!(0);
    }
    defaults
}

/// Grafana's id of a unit. What it does not know is written behind the number.
fn unit(unit: &str) -> String {
    let known = match unit {
        "seconds" => "s",
        "bytes" => "bytes",
        "ratio" => "percentunit",
        "per_second" => "cps",
        "per_minute" => "cpm",
        "bytes_per_second" => "Bps",
        "count" | "" => "short",
        other => return format!("suffix: {other}"),
    };
    known.to_owned()
}

fn options(kind: PanelKind) -> Value {
    let reduce = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    match kind {
        PanelKind::Line | PanelKind::Stacked => json!({
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        PanelKind::Stat => json!({
            "reduceOptions": reduce, "colorMode": "value", "graphMode": "none",
            "textMode": "auto", "orientation": "auto", "justifyMode": "auto",
        }),
        PanelKind::Bars => json!({
            "reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true,
        }),
    }
}
