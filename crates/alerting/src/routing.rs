//! Who is told when a level of an escalation policy is: roles become people at the instant of the page, not when the
//! incident opened, so that a page after a hand-over reaches whoever is on call then.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use plan::{Contacts, Person, RotaOverride};

use crate::on_call;

/// Somebody who is told.
#[derive(Copy, Clone, Debug)]
pub struct Recipient<'a> {
    /// Who, and how to reach them.
    pub person: &'a Person,
    /// Whether a rota for one of the roles says that it is their turn; if not, they always fill one.
    pub on_call: bool,
}

/// Who fills any of the roles at `at`: everybody who lists one, and whoever is on call in a rota for one, each once and
/// in the order of the contacts.
///
/// `extra` are the overrides made at run time, by the name of the rota. People without channels are left out, since they
/// cannot be reached, and so is a name that an override gives and the contacts do not know; the result may be empty, and
/// the caller should then tell the next level.
pub fn recipients<'a>(
    contacts: &'a Contacts,
    extra: &BTreeMap<String, Vec<RotaOverride>>,
    roles: &[String],
    at: Timestamp,
) -> Vec<Recipient<'a>> {
    let on_call = people_on_call(contacts, extra, roles, at);
    let recipient = |person: &'a Person| Recipient {
        person,
        on_call: on_call.contains(person.name.as_str()),
    };
    let fills = |recipient: &Recipient| {
        recipient.on_call
            || recipient
                .person
                .roles
                .iter()
                .any(|role| roles.contains(role))
    };
    contacts
        .people
        .iter()
        .filter(|person| !person.channels.is_empty())
        .map(recipient)
        .filter(fills)
        .collect()
}

fn people_on_call<'a>(
    contacts: &'a Contacts,
    extra: &'a BTreeMap<String, Vec<RotaOverride>>,
    roles: &[String],
    at: Timestamp,
) -> BTreeSet<&'a str> {
    contacts
        .rotas
        .iter()
        .filter(|rota| roles.contains(&rota.role))
        .filter_map(|rota| {
            let extra = extra.get(&rota.name).map_or(&[][..], Vec::as_slice);
            on_call(rota, extra, at).map(|turn| turn.person)
        })
        .collect()
}
