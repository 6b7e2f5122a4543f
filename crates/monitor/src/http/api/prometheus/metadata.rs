//! `series`, `labels`, `label/…/values`, `metadata`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use model::{Labels, Matcher};
use promql::ExprKind;
use serde_json::{Map, Value, json};

use super::envelope::{Answer, Parameters};
use crate::app::App;
use crate::http::api::labels_json;

/// What these look at when they name no time.
const DEFAULT_RANGE: Duration = Duration::from_secs(12 * 3600);
/// The most series that one answer is made of.
const SERIES_MAX: usize = 100_000;

pub(super) async fn series(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    let answer = async {
        let parameters = Parameters::read(query, &body)?;
        if parameters.all("match[]").next().is_none() {
            return Err(Answer::bad_data("the parameter `match[]` is missing"));
        }
        let found = select(&app, &parameters).await?;
        Ok(Answer::data(found.iter().map(labels_json).collect()))
    };
    answer.await.unwrap_or_else(|refusal| refusal)
}

pub(super) async fn labels(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    let answer = async {
        let parameters = Parameters::read(query, &body)?;
        let found = select(&app, &parameters).await?;
        let names: BTreeSet<&str> = found
            .iter()
            .flat_map(|labels| labels.iter().map(|(name, _)| name))
            .collect();
        Ok(Answer::data(names.into_iter().map(Value::from).collect()))
    };
    answer.await.unwrap_or_else(|refusal: Answer| refusal)
}

pub(super) async fn label_values(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let answer = async {
        if !model::is_label_name(&name) {
            return Err(Answer::bad_data(format!("`{name}` is not a label name")));
        }
        let parameters = Parameters::read(query, &Bytes::new())?;
        let found = select(&app, &parameters).await?;
        let values: BTreeSet<&str> = found
            .iter()
            .filter_map(|labels| labels.get(&name))
            .collect();
        Ok(Answer::data(values.into_iter().map(Value::from).collect()))
    };
    answer.await.unwrap_or_else(|refusal| refusal)
}

/// Types, units and meanings as the plan declares them.
pub(super) async fn metadata(State(app): State<Arc<App>>) -> Answer {
    let setup = app.setup.get();
    let declared = setup.plan.metrics.iter().map(|metric| {
        let about = json!([{"type": metric.metric_type.as_str(), "help": metric.meaning, "unit": metric.unit}]);
        (metric.name.clone(), about)
    });
    Answer::data(Value::Object(declared.collect::<Map<String, Value>>()))
}

async fn select(app: &App, parameters: &Parameters) -> Result<BTreeSet<Labels>, Answer> {
    let to = parameters.time("end")?.unwrap_or_else(|| app.now());
    let from = parameters.time("start")?.unwrap_or(to - DEFAULT_RANGE);
    let mut selections = parameters
        .all("match[]")
        .map(matchers)
        .collect::<Result<Vec<_>, _>>()?;
    if selections.is_empty() {
        selections.push(Vec::new());
    }
    let mut found = BTreeSet::new();
    for matchers in selections {
        found.extend(app.metrics_backend.series(matchers, from, to).await?);
        if found.len() > SERIES_MAX {
            return Err(Answer::bad_data(format!(
                "more than {SERIES_MAX} series; narrow `match[]`"
            )));
        }
    }
    Ok(found)
}

fn matchers(text: &str) -> Result<Vec<Matcher>, Answer> {
    let expr = promql::parse(text)
        .map_err(|error| Answer::bad_data(format!("invalid parameter \"match[]\": {error}")))?;
    match expr.kind() {
        ExprKind::Selector(selector) => Ok(selector.matchers.clone()),
        _ => Err(Answer::bad_data(
            "`match[]` must be a series selector, such as `up{job=\"x\"}`",
        )),
    }
}
