//! The plan's maintenance windows: which are open, and when the others begin.

use std::sync::Arc;

use alerting::{next_window, window_at};
use axum::Json;
use axum::extract::State;
use model::Timestamp;
use plan::MaintenanceWindow;
use serde_json::{Value, json};

use super::on_call::calendar;
use crate::app::App;

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let now = app.now();
    let setup = app.setup.get();
    let windows = setup.plan.maintenance_windows.iter();
    Json(windows.map(|window| window_json(window, now)).collect())
}

fn window_json(window: &MaintenanceWindow, now: Timestamp) -> Value {
    let (from, until) = next_window(window, now);
    let days = window.days.iter().map(|day| day_name(*day));
    let alerts = window.alerts.iter().map(|selector| selector.text.as_str());
    json!({
        "name": window.name,
        "reason": window.reason,
        "alerts": alerts.collect::<Vec<_>>(),
        "days": days.collect::<Vec<_>>(),
        "from": window.from.strftime("%H:%M").to_string(),
        "zone": window.zone.iana_name(),
        "length_seconds": window.length.as_secs_f64(),
        "open_until": window_at(window, now).map(calendar),
        "next": {"from": calendar(from), "until": calendar(until)},
    })
}

/// The plan's word for a day.
fn day_name(day: jiff::civil::Weekday) -> &'static str {
    use jiff::civil::Weekday::*;
    match day {
        Monday => "mon",
        Tuesday => "tue",
        Wednesday => "wed",
        Thursday => "thu",
        Friday => "fri",
        Saturday => "sat",
        Sunday => "sun",
    }
}
