//! How much of the plan is true: the last report, whole.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use plan::coverage::{
    CategoryReport, Hole, MetricAtTarget, MetricReport, MetricState, PathAlert, PathReport, Report,
    RetentionReport, Share,
};
use plan::{Location, Origin};
use serde_json::{Value, json};

use crate::app::App;
use crate::time_text::rfc3339;

pub(super) async fn coverage(State(app): State<Arc<App>>) -> Json<Value> {
    let report = app.coverage.report().await;
    let setup = app.setup.get();
    Json(json!({
        "service": setup.plan.service,
        "title": setup.plan.title,
        "at": rfc3339(report.at),
        "kept": report.kept(),
        "shares": list(&report.shares, share),
        "holes": list(&report.holes, hole),
        "metrics": list(&report.metrics, metric),
        "undeclared": undeclared(&report),
        "critical_paths": list(&report.paths, path),
        "log_categories": list(&report.categories, category),
        "retention": list(&report.retention, retention),
    }))
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Value) -> Value {
    items.iter().map(one).collect()
}

fn share(share: &Share) -> Value {
    json!({
        "group": share.group,
        "aspect": share.aspect,
        "covered": share.covered,
        "known": share.known,
        "unknown": share.unknown,
        "ratio": share.ratio(),
        "target": share.target,
        "kept": share.kept(),
    })
}

fn hole(hole: &Hole) -> Value {
    json!({
        "kind": hole.kind.as_str(),
        "about": hole.about,
        "place": hole.place,
        "what": hole.what,
        "to_do": hole.to_do,
        "since": hole.since.map(|since| rfc3339(since.at)),
        "or_earlier": hole.since.is_some_and(|since| since.or_earlier),
        "at": hole.at.map(location),
    })
}

fn metric(metric: &MetricReport) -> Value {
    json!({
        "name": metric.name,
        "type": metric.metric_type.as_str(),
        "group": metric.group.as_str(),
        "required": metric.required,
        "added": metric.origin == Origin::Added,
        "at": location(metric.at),
        "states": list(&metric.states, state),
        "shown_on": metric.shown_on,
        "guarded_by": metric.guarded_by,
        "shown_waiver": metric.shown_waiver,
        "guarded_waiver": metric.guarded_waiver,
    })
}

fn state(own: &MetricAtTarget) -> Value {
    let mut value = json!({
        "job": own.job,
        "instance": own.instance,
        "state": own.state.as_str(),
    });
    match &own.state {
        MetricState::WrongType { found } | MetricState::WrongUnit { found } => {
            value["found"] = json!(found);
        }
        MetricState::LabelDrift {
            not_seen,
            not_declared,
        } => {
            value["not_seen"] = json!(not_seen);
            value["not_declared"] = json!(not_declared);
        }
        MetricState::Present
        | MetricState::NotYet
        | MetricState::Missing
        | MetricState::Unknown => {}
    }
    value
}

fn undeclared(report: &Report) -> Value {
    let one = |(job, name): &(String, String)| json!({"job": job, "name": name});
    json!({
        "metrics": list(&report.undeclared, one),
        "left_out": report.undeclared_left_out,
    })
}

fn path(path: &PathReport) -> Value {
    json!({
        "name": path.name,
        "at": location(path.at),
        "covered": path.covered,
        "alerts": list(&path.alerts, path_alert),
    })
}

fn path_alert(alert: &PathAlert) -> Value {
    json!({
        "name": alert.name,
        "has_procedure": alert.has_procedure,
        "has_escalation": alert.has_escalation,
        "drill": alert.drill.as_str(),
        "drilled_at": time(alert.drill.at()),
    })
}

fn category(category: &CategoryReport) -> Value {
    json!({
        "name": category.name,
        "class": category.class,
        "at": location(category.at),
        "state": category.state.as_str(),
        "every_seconds": category.every.map(|every| every.as_secs_f64()),
        "last_line": time(category.last_line),
        "lines_last_day": category.lines_last_day,
    })
}

fn retention(own: &RetentionReport) -> Value {
    json!({
        "class": own.class,
        "at": own.at.map(location),
        "state": own.state.as_str(),
        "promised_seconds": own.promised.map(|promised| promised.as_secs()),
        "oldest": time(own.oldest),
        "next_deletion": time(own.next_deletion),
        "lines": own.lines,
        "bytes": own.bytes,
    })
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(rfc3339)
}

fn location(at: Location) -> Value {
    json!({"line": at.line, "column": at.column})
}
