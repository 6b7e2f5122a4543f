//! The month on a page: everything that it is made of is read here, and `report` says what it means.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use plan::MetricGroup;
use promql::Value;

use super::parameters::Parameters;
use super::reports::Month;
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::HistoryFilter;
use crate::report::{Course, GroupCoverage, MonthFacts, Promise, RuleFacts, month_html};

/// The most entries of the alerts' history that are read: a rule that flaps all month writes some thousands.
const HISTORY_MAX: usize = 50_000;
/// How finely courses are drawn: four points a day are more than a picture of a month can show.
const COURSE_STEP: Duration = Duration::from_secs(6 * 3600);

pub(super) async fn month(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref())?;
    let now = app.now();
    let month = Month::read(parameters.get("month"), now)?;
    let facts = facts(&app, &month, now).await?;
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((kind, month_html(&facts)).into_response())
}

async fn facts(app: &App, month: &Month, now: Timestamp) -> Result<MonthFacts, Problem> {
    let setup = app.setup.get();
    let plan = &setup.plan;
    let filter = HistoryFilter {
        rule: None,
        from: month.from,
        until: month.until,
        limit: HISTORY_MAX,
    };
    let read = app.desk.with_store(move |store| store.history(&filter));
    let mut history = read.await?;
    history.reverse();
    let mut promises = Vec::new();
    for objective in &plan.objectives {
        let query = format!("belfry_objective_value{{objective={:?}}}", objective.id);
        promises.push(Promise {
            title: objective.title.clone(),
            unit: objective.unit.clone(),
            below: objective.below,
            target: objective.target,
            course: course(app, &query, month, now).await?,
        });
    }
    let targets = [
        (MetricGroup::Application, plan.coverage.application),
        (MetricGroup::Infrastructure, plan.coverage.infrastructure),
        (MetricGroup::Business, plan.coverage.business),
    ];
    let mut coverage = Vec::new();
    for (group, target) in targets {
        let group = group.as_str();
        let query = format!("belfry_coverage_ratio{{group=\"{group}\",aspect=\"arriving\"}}");
        coverage.push(GroupCoverage {
            group: group.to_owned(),
            target,
            course: course(app, &query, month, now).await?,
        });
    }
    Ok(MonthFacts {
        title: plan.title.clone(),
        month: month.name.clone(),
        from: month.from,
        until: month.until,
        now,
        promises,
        incidents: month.incidents(app).await?,
        rules: plan
            .rules()
            .map(|(_, rule)| RuleFacts {
                name: rule.name.clone(),
                severity: rule.severity,
            })
            .collect(),
        history_cut: history.len() >= HISTORY_MAX,
        history,
        drilled: app.desk.with_store(|store| store.drills_passed()).await?,
        coverage,
        retention: app.logs.figures(),
    })
}

/// The values of one series over the month, as far as it has come. Where none was written the value is NaN.
async fn course(app: &App, query: &str, month: &Month, now: Timestamp) -> Result<Course, Problem> {
    let (from, end) = (month.from, month.until.min(now));
    if end <= from {
        return Ok(Course::new());
    }
    let parsed = promql::parse(query).map_err(|error| Problem::bad_request(error.to_string()))?;
    let parsed = Arc::new(parsed);
    let answer = app
        .metrics_backend
        .query_range(parsed.clone(), from, end, COURSE_STEP)
        .await?;
    let mut found: BTreeMap<Timestamp, f64> = BTreeMap::new();
    if let Value::Matrix(series) = answer.value {
        let points = series.into_iter().flat_map(|series| series.points);
        found.extend(points);
    }
    // The last value is the month's: the grid ends before it.
    if let Value::Vector(samples) = app.metrics_backend.query(parsed, end).await?.value {
        found.extend(samples.first().map(|sample| (end, sample.value)));
    }
    let mut course = Course::new();
    let mut at = from;
    while at < end {
        course.push((at, found.get(&at).copied().unwrap_or(f64::NAN)));
        at = at + COURSE_STEP;
    }
    course.extend(found.get(&end).map(|value| (end, *value)));
    Ok(course)
}
