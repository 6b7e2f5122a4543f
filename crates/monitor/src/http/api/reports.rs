//! The review of an incident and the escalation report: the store is asked here, `report` decides what they say.

use std::sync::Arc;

use alerting::IncidentId;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use serde_json::{Value, json};

use super::parameters::Parameters;
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::{IncidentDetail, IncidentFilter};
use crate::report::{
    Conformance, Kept, LevelConformance, conformance, conformance_markdown, month, month_of,
    review_markdown,
};
use crate::time_text::rfc3339;

/// The most attempts to deliver that a review lists.
const ATTEMPTS_MAX: usize = 1_000;
/// The most incidents of one report: a hundred a day, which nobody has and reads.
const INCIDENTS_MAX: usize = 3_000;
/// How many incidents are read while the store is held: pages wait as long.
const READ_AT_ONCE: usize = 50;

/// What happened, as Markdown.
pub(super) async fn review(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let id = IncidentId(id);
    let found = app
        .desk
        .with_store(move |store| {
            let attempts = store.attempts(Some(id), ATTEMPTS_MAX)?;
            Ok((store.detail(id)?, attempts))
        })
        .await?;
    let (Some(detail), mut attempts) = found else {
        return Err(Problem::not_found(format!("there is no incident {id}")));
    };
    attempts.reverse();
    Ok(markdown(review_markdown(&detail, &attempts, app.now())))
}

/// Whether the promises of escalation were kept, in a month or for one incident.
pub(super) async fn escalation(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref())?;
    let now = app.now();
    let asked = match parameters.number("incident")? {
        Some(id) => Asked::Incident(id),
        None => Asked::Month(Month::read(parameters.get("month"), now)?),
    };
    let details = asked.incidents(&app).await?;
    let with_pages = details
        .iter()
        .map(|detail| (&detail.incident, detail.pages.as_slice()));
    let report = conformance(with_pages, now);
    match parameters.get("format") {
        None | Some("json") => Ok(Json(report_json(&asked, &report)).into_response()),
        Some("markdown") => Ok(markdown(conformance_markdown(&asked.title(), &report))),
        Some(other) => Err(Problem::bad_request(format!(
            "format `{other}` is not one of json, markdown"
        ))),
    }
}

/// What is reported on.
enum Asked {
    Incident(i64),
    Month(Month),
}

/// A month in UTC: from its beginning, inclusive, to its end, exclusive.
pub(super) struct Month {
    pub(super) name: String,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Month {
    /// The month of a name such as `2026-11`; the present one without a name.
    pub(super) fn read(name: Option<&str>, now: Timestamp) -> Result<Month, Problem> {
        let name = name.map_or_else(|| month_of(now), str::to_owned);
        let (from, until) = month(&name).ok_or_else(|| {
            Problem::bad_request(format!("month `{name}` is not written as in 2026-11"))
        })?;
        Ok(Month { name, from, until })
    }

    /// The incidents that opened in it, the oldest first, without those of drills: a drill keeps its own account.
    pub(super) async fn incidents(&self, app: &App) -> Result<Vec<IncidentDetail>, Problem> {
        let filter = IncidentFilter::OpenedWithin(self.from, self.until);
        let found = app
            .desk
            .with_store(move |store| store.incidents(filter, INCIDENTS_MAX))
            .await?;
        let real = found.iter().rev().filter(|own| own.drill.is_none());
        let ids = real.map(|incident| incident.id()).collect();
        details(app, ids).await
    }
}

impl Asked {
    fn title(&self) -> String {
        match self {
            Asked::Incident(id) => format!("incident {id}"),
            Asked::Month(month) => month.name.clone(),
        }
    }

    async fn incidents(&self, app: &App) -> Result<Vec<IncidentDetail>, Problem> {
        match self {
            Asked::Incident(id) => {
                let found = details(app, vec![IncidentId(*id)]).await?;
                if found.is_empty() {
                    return Err(Problem::not_found(format!("there is no incident {id}")));
                }
                Ok(found)
            }
            Asked::Month(month) => month.incidents(app).await,
        }
    }
}

/// Incidents with everything about them, read in parts: pages wait while the store is held.
async fn details(app: &App, ids: Vec<IncidentId>) -> Result<Vec<IncidentDetail>, Problem> {
    let mut details = Vec::with_capacity(ids.len());
    for some in ids.chunks(READ_AT_ONCE) {
        let some = some.to_vec();
        let read = app
            .desk
            .with_store(move |store| {
                some.into_iter()
                    .filter_map(|id| store.detail(id).transpose())
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        details.extend(read);
    }
    Ok(details)
}

fn report_json(asked: &Asked, report: &Conformance) -> Value {
    let (month, from, until) = match asked {
        Asked::Incident(_) => (None, None, None),
        Asked::Month(month) => (
            Some(&month.name),
            Some(rfc3339(month.from)),
            Some(rfc3339(month.until)),
        ),
    };
    let incidents = report.incidents.iter().map(|incident| {
        json!({
            "id": incident.id.0,
            "title": incident.title,
            "severity": incident.severity.as_str(),
            "opened_at": rfc3339(incident.opened_at),
            "acknowledged_at": incident.acknowledged_at.map(rfc3339),
            "resolved_at": incident.resolved_at.map(rfc3339),
            "acknowledged_in_time": incident.acknowledged_in_time,
            "levels": incident.levels.iter().map(level_json).collect::<Vec<_>>(),
        })
    });
    json!({
        "month": month,
        "from": from,
        "until": until,
        "totals": {
            "incidents": report.incidents.len(),
            "told": kept_json(report.told),
            "accepted": kept_json(report.accepted),
            "acknowledged": kept_json(report.acknowledged),
            "latest_seconds": report.latest.map(|latest| latest.as_secs_f64()),
        },
        "incidents": incidents.collect::<Vec<_>>(),
        "truncated": report.incidents.len() >= INCIDENTS_MAX,
    })
}

fn kept_json(kept: Kept) -> Value {
    json!({"of": kept.of, "in_time": kept.in_time, "ratio": kept.ratio()})
}

fn level_json(level: &LevelConformance) -> Value {
    json!({
        "level": level.level,
        "roles": level.roles,
        "state": level.state.as_str(),
        "people": level.people,
        "promised_at": level.promised_at.map(rfc3339),
        "told_at": level.told_at.map(rfc3339),
        "accepted_at": level.accepted_at.map(rfc3339),
        "late_seconds": level.late_by().map(|late| late.as_secs_f64()),
        "accepted_after_seconds": level.accepted_after().map(|after| after.as_secs_f64()),
        "told_in_time": level.told_in_time,
        "accepted_in_time": level.accepted_in_time,
        "acknowledged_before_next": level.acknowledged_before_next,
    })
}

fn markdown(text: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    (kind, text).into_response()
}
