//! Who is on call: for every role that an escalation policy names who fills it now and why, for every rota whose turn it is
//! and who comes next, and the exceptions.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::{Turn, next_turns, on_call as turn_at, recipients};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp as Instant;
use model::Timestamp;
use plan::{Contacts, Person, Plan, Rota, RotaOverride};
use serde::Deserialize;
use serde_json::{Value, json};

use super::acting::{name, text};
use super::timed::{GivenTime, given};
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::StoredOverride;
use crate::time_text::rfc3339;

/// How many turns are shown after the present one.
const NEXT_TURNS: usize = 10;

#[derive(Deserialize)]
pub(super) struct OverrideBody {
    by: String,
    rota: String,
    person: String,
    from: Option<GivenTime>,
    until: GivenTime,
    #[serde(default)]
    reason: String,
}

pub(super) async fn on_call(State(app): State<Arc<App>>) -> Json<Value> {
    let stored = app.desk.overrides().await;
    let setup = app.setup.get();
    Json(on_call_json(
        &setup.plan,
        &setup.contacts,
        &stored,
        app.now(),
    ))
}

/// Puts somebody on call for a while.
pub(super) async fn add_override(
    State(app): State<Arc<App>>,
    Json(body): Json<OverrideBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = app.now();
    let from = match &body.from {
        Some(at) => given("from", at)?,
        None => now,
    };
    let turn = RotaOverride {
        person: body.person,
        from: instant("from", from)?,
        until: instant("until", given("until", &body.until)?)?,
    };
    let added = StoredOverride {
        id: 0,
        rota: body.rota,
        turn,
        by: name(&body.by)?.to_owned(),
        reason: text(&body.reason)?.to_owned(),
    };
    let id = app.desk.add_override(added.clone(), now).await?;
    let made = StoredOverride { id, ..added };
    Ok((StatusCode::CREATED, Json(stored_override(&made))))
}

/// Ends an exception now.
pub(super) async fn end_override(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    if app.desk.end_override(id, app.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(format!(
            "there is no exception {id} that holds or will"
        )))
    }
}

/// A time, or `null` where the calendar ends.
pub(super) fn calendar(at: Timestamp) -> Option<String> {
    (at != Timestamp::MIN && at != Timestamp::MAX).then(|| rfc3339(at))
}

fn instant(name: &str, at: Timestamp) -> Result<Instant, Problem> {
    Instant::from_millisecond(at.as_millis())
        .map_err(|_| Problem::bad_request(format!("`{name}` lies outside of the calendar")))
}

fn on_call_json(
    plan: &Plan,
    contacts: &Contacts,
    stored: &[StoredOverride],
    now: Timestamp,
) -> Value {
    let mut extra: BTreeMap<String, Vec<RotaOverride>> = BTreeMap::new();
    for own in stored {
        let turns = extra.entry(own.rota.clone()).or_default();
        turns.push(own.turn.clone());
    }
    let roles = policies_by_role(plan)
        .into_iter()
        .map(|(role, policies)| role_json(contacts, &extra, role, &policies, now));
    let rotas = contacts.rotas.iter().map(|rota| {
        let extra = extra.get(&rota.name).map_or(&[][..], Vec::as_slice);
        json!({
            "name": rota.name,
            "role": rota.role,
            "turn": turn_at(rota, extra, now).as_ref().map(turn),
            "next": next_turns(rota, extra, now, NEXT_TURNS).iter().map(turn).collect::<Vec<_>>(),
            "overrides": overrides(rota, stored, now),
        })
    });
    json!({
        "now": rfc3339(now),
        "roles": roles.collect::<Vec<_>>(),
        "rotas": rotas.collect::<Vec<_>>(),
    })
}

/// Every role that a level names, in the plan's order, with the policies that do.
fn policies_by_role(plan: &Plan) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for policy in &plan.escalation_policies {
        for role in policy.levels.iter().flat_map(|level| &level.roles) {
            let known = found.iter().position(|(own, _)| own == role);
            let at = known.unwrap_or_else(|| {
                found.push((role, Vec::new()));
                found.len() - 1
            });
            if !found[at].1.contains(&policy.name.as_str()) {
                found[at].1.push(&policy.name);
            }
        }
    }
    found
}

fn role_json(
    contacts: &Contacts,
    extra: &BTreeMap<String, Vec<RotaOverride>>,
    role: &str,
    policies: &[&str],
    now: Timestamp,
) -> Value {
    let told = recipients(contacts, extra, &[role.to_owned()], now);
    let people: Vec<Value> = told
        .iter()
        .map(|own| filler(contacts, extra, role, own.person, now))
        .collect();
    let notice = people
        .is_empty()
        .then(|| format!("nobody fills {role} now: a level that names only it reaches nobody"));
    json!({"role": role, "policies": policies, "people": people, "notice": notice})
}

/// Somebody who fills a role: listed for it, or by turn in a rota, or both.
fn filler(
    contacts: &Contacts,
    extra: &BTreeMap<String, Vec<RotaOverride>>,
    role: &str,
    person: &Person,
    now: Timestamp,
) -> Value {
    let has_turn = |rota: &&Rota| {
        let extra = extra.get(&rota.name).map_or(&[][..], Vec::as_slice);
        rota.role == role && turn_at(rota, extra, now).is_some_and(|own| own.person == person.name)
    };
    let rota = contacts.rotas.iter().find(has_turn);
    json!({
        "person": person.name,
        "why": if rota.is_some() { "rota" } else { "listed" },
        "rota": rota.map(|rota| rota.name.as_str()),
        "channels": person.channel_names(),
    })
}

fn turn(turn: &Turn<'_>) -> Value {
    json!({
        "person": turn.person,
        "from": calendar(turn.from),
        "until": calendar(turn.until),
        "shift": turn.shift,
        "is_override": turn.is_override,
    })
}

/// Exceptions that hold or will: those of the file, and those made since.
fn overrides(rota: &Rota, stored: &[StoredOverride], now: Timestamp) -> Value {
    let is_ahead = |turn: &RotaOverride| {
        turn.from < turn.until && turn.until.as_millisecond() > now.as_millis()
    };
    let declared = rota
        .overrides
        .iter()
        .filter(|turn| is_ahead(turn))
        .map(|turn| {
            json!({
                "id": null,
                "source": "contacts",
                "person": turn.person,
                "from": turn.from.to_string(),
                "until": turn.until.to_string(),
                "by": null,
                "reason": "",
            })
        });
    let stored = stored
        .iter()
        .filter(|own| own.rota == rota.name && is_ahead(&own.turn))
        .map(stored_override);
    declared.chain(stored).collect()
}

fn stored_override(own: &StoredOverride) -> Value {
    json!({
        "id": own.id,
        "source": "added",
        "rota": own.rota,
        "person": own.turn.person,
        "from": own.turn.from.to_string(),
        "until": own.turn.until.to_string(),
        "by": own.by,
        "reason": own.reason,
    })
}
