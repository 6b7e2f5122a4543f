//! Who the roles are, for people to see. Names and kinds of channels only: addresses and secrets are nobody's business who
//! reads a page.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use plan::{Contacts, Person};
use serde_json::{Value, json};

use crate::app::App;

pub(super) async fn contacts(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    let contacts = &setup.contacts;
    let people = contacts.people.iter().map(|own| person(contacts, own));
    Json(json!({
        "people": people.collect::<Vec<_>>(),
        "notice": setup.unpageable(),
    }))
}

fn person(contacts: &Contacts, person: &Person) -> Value {
    let channels = person
        .channel_names()
        .into_iter()
        .zip(&person.channels)
        .map(|(name, channel)| json!({"name": name, "kind": channel.kind()}));
    let takes_turns = |rota: &&plan::Rota| {
        rota.shifts
            .iter()
            .any(|shift| shift.people.contains(&person.name))
    };
    let rotas = contacts.rotas.iter().filter(takes_turns);
    json!({
        "name": person.name,
        "roles": person.roles,
        "rotas": rotas.map(|rota| rota.name.as_str()).collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(),
    })
}
