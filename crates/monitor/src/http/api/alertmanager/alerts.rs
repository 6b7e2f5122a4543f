//! `GET /alerts` and `GET /alerts/groups`: everything that fires, the plan's own alerts and those of other programs alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alerting::{HoldKind, IncidentId};
use axum::Json;
use axum::extract::{RawQuery, State};
use model::{MatchOp, Matcher, Timestamp};
use plan::Plan;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::app::App;
use crate::http::api::matchers::{MATCHERS_MAX, matcher, parse_matcher};
use crate::http::api::parameters::Parameters;
use crate::incident::ShownAlert;
use crate::notify::{all_labels, annotations, fingerprint};
use crate::time_text::rfc3339;

/// The end that is shown of an alert whose end nobody has said: past it, Alertmanager's clients count an alert as over.
const FIRES_ON_FOR: Duration = Duration::from_secs(5 * 60);

pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let filter = Filter::read(query.as_deref())?;
    let (setup, now) = (app.setup.get(), app.now());
    let shown = app.desk.firing_alerts(now).await;
    let mut alerts: Vec<(String, Value)> = shown
        .iter()
        .filter(|alert| filter.wants(alert))
        .map(|alert| {
            let shown = alert_json(&setup.plan, &app.external_url(), alert, now);
            (fingerprint(&alert.identity), shown)
        })
        .collect();
    alerts.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(Json(alerts.into_iter().map(|(_, alert)| alert).collect()))
}

pub(super) async fn groups(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let filter = Filter::read(query.as_deref())?;
    let (setup, now) = (app.setup.get(), app.now());
    let shown = app.desk.firing_alerts(now).await;
    let mut groups: BTreeMap<IncidentId, Vec<&ShownAlert>> = BTreeMap::new();
    for alert in shown.iter().filter(|alert| filter.wants(alert)) {
        groups.entry(alert.incident).or_default().push(alert);
    }
    let url = app.external_url();
    let groups = groups.values().map(|alerts| {
        let receiver = alerts[0].roles.first().map_or("", String::as_str);
        let shown = alerts
            .iter()
            .map(|alert| alert_json(&setup.plan, &url, alert, now));
        json!({
            "labels": group_labels(&setup.plan, alerts),
            "receiver": {"name": receiver},
            "alerts": shown.collect::<Vec<_>>(),
        })
    });
    Ok(Json(groups.collect()))
}

/// Which alerts are wanted.
struct Filter {
    matchers: Vec<Matcher>,
    receiver: Option<Matcher>,
    active: bool,
    silenced: bool,
    inhibited: bool,
    muted: bool,
}

impl Filter {
    fn read(query: Option<&str>) -> Result<Filter, Refusal> {
        let parameters = Parameters::read(query)?;
        // Belfry has no alerts that it has not looked at yet, so this selects nothing.
        parameters.switch("unprocessed", true)?;
        let receiver = parameters
            .get("receiver")
            .map(|pattern| matcher("receiver", MatchOp::Regex, pattern))
            .transpose()
            .map_err(Refusal::bad_request)?;
        Ok(Filter {
            matchers: matchers(&parameters)?,
            receiver,
            active: parameters.switch("active", true)?,
            silenced: parameters.switch("silenced", true)?,
            inhibited: parameters.switch("inhibited", true)?,
            muted: parameters.switch("muted", true)?,
        })
    }

    fn wants(&self, alert: &ShownAlert) -> bool {
        let shows = match alert.hold.as_ref().map(|hold| hold.kind) {
            None => self.active,
            Some(HoldKind::Silence) => self.silenced,
            Some(HoldKind::Inhibition) => self.inhibited,
            Some(HoldKind::Window) => self.muted,
        };
        let received = |pattern: &Matcher| alert.roles.iter().any(|role| pattern.matches(role));
        let selects =
            |matcher: &Matcher| matcher.matches(alert.labels.get(matcher.name()).unwrap_or(""));
        shows && self.receiver.as_ref().is_none_or(received) && self.matchers.iter().all(selects)
    }
}

/// The matchers of every `filter` parameter.
pub(super) fn matchers(parameters: &Parameters) -> Result<Vec<Matcher>, Refusal> {
    let matchers: Vec<Matcher> = parameters
        .all("filter")
        .take(MATCHERS_MAX + 1)
        .map(parse_matcher)
        .collect::<Result<_, _>>()
        .map_err(Refusal::bad_request)?;
    if matchers.len() > MATCHERS_MAX {
        return Err(Refusal::bad_request(format!(
            "at most {MATCHERS_MAX} filters are taken"
        )));
    }
    Ok(matchers)
}

fn alert_json(plan: &Plan, url: &str, alert: &ShownAlert, now: Timestamp) -> Value {
    let foreign = alert.member.foreign.as_ref();
    let said_end = foreign.map(|foreign| foreign.expires_at);
    let ends_at = said_end
        .filter(|at| *at > now)
        .unwrap_or(now + FIRES_ON_FOR);
    let own_url = format!("{url}/alerts");
    let generator = foreign.map_or(own_url.as_str(), |foreign| &foreign.generator_url);
    let held_by = |kind: HoldKind| {
        let hold = alert.hold.as_ref().filter(|hold| hold.kind == kind);
        hold.map(|hold| hold.id.as_str())
            .into_iter()
            .collect::<Vec<_>>()
    };
    let mut annotations = annotations(plan, &alert.identity, &alert.member);
    annotations.retain(|_, text| !text.is_empty());
    let receivers = alert.roles.iter().map(|role| json!({"name": role}));
    json!({
        "labels": all_labels(plan, &alert.labels),
        "annotations": annotations,
        "receivers": receivers.collect::<Vec<_>>(),
        "fingerprint": fingerprint(&alert.identity),
        "startsAt": rfc3339(alert.member.started_at),
        "updatedAt": rfc3339(alert.member.started_at),
        "endsAt": rfc3339(ends_at),
        "generatorURL": generator,
        "status": {
            "state": if alert.hold.is_some() { "suppressed" } else { "active" },
            "silencedBy": held_by(HoldKind::Silence),
            "inhibitedBy": held_by(HoldKind::Inhibition),
            "mutedBy": held_by(HoldKind::Window),
        },
    })
}

/// Of the labels by which the plan groups, and the severity, those that all alerts of the incident share.
fn group_labels(plan: &Plan, alerts: &[&ShownAlert]) -> BTreeMap<String, String> {
    let names = plan.incidents.group_by.iter().map(String::as_str);
    let shared = names.chain(["severity"]).filter_map(|name| {
        let value = alerts[0].labels.get(name)?;
        let is_shared = alerts
            .iter()
            .all(|alert| alert.labels.get(name) == Some(value));
        is_shared.then(|| (name.to_owned(), value.to_owned()))
    });
    shared.collect()
}
