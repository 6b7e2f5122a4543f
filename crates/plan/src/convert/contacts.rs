//! People, and what pages to them need.

use super::channels::channel;
use super::{mail, rotas, secrets};
use crate::context::{Context, Kind};
use crate::fields::Fields;
use crate::limits::{
    CHANNELS_MAX, INTERVAL_MIN, PEOPLE_MAX, ROLES_MAX, ROTAS_MAX, SWITCH_INTERVAL_DEFAULT,
    SWITCH_INTERVAL_MAX,
};
use crate::node::Node;
use crate::{Code, Contacts, DeadMansSwitch, Person, SwitchAddress, grammar, values};

/// The whole contacts file.
pub(crate) fn contacts(context: &mut Context<'_>, root: &Node) -> Option<Contacts> {
    let mut fields = Fields::open(context, root, &grammar::CONTACTS)?;
    super::format(context, &mut fields);
    let limit = (PEOPLE_MAX, "people");
    let people = super::section_up_to(context, &mut fields, "people", limit, person);
    let limit = (ROTAS_MAX, "rotas");
    let rotas = super::section_up_to(context, &mut fields, "rotas", limit, rotas::rota);
    let server_node = fields.optional("mail_server");
    let mail_server = server_node.and_then(|node| mail::server(context, node));
    if server_node.is_none() {
        no_mail_server(context);
    }
    let switch = fields.optional("dead_mans_switch");
    let dead_mans_switch = switch.and_then(|node| dead_mans_switch(context, node));
    fields.finish(context);
    Some(Contacts {
        people,
        rotas,
        mail_server,
        dead_mans_switch,
    })
}

fn person(context: &mut Context<'_>, node: &Node) -> Option<Person> {
    let mut fields = Fields::open(context, node, &grammar::PERSON)?;
    let name = fields.required(context, "name", "write their name");
    let name = name.and_then(|node| values::new_title(context, Kind::Person, node));
    // Whoever stands in a rota fills its role in turn and may have none besides.
    let limit = (ROLES_MAX, "roles");
    let roles = super::section_up_to(context, &mut fields, "roles", limit, values::name);
    let channels = fields.required(context, "channels", "list how they are reached");
    let channels = channels.map(|node| {
        super::needs_one(context, node, "a person needs at least one channel");
        super::items_up_to(context, node, (CHANNELS_MAX, "channels"), channel)
    });
    fields.finish(context);
    Some(Person {
        name: name?,
        roles,
        channels: channels?,
    })
}

/// Reports every mail channel of a file without a mail server.
fn no_mail_server(context: &mut Context<'_>) {
    for span in std::mem::take(&mut context.mail_channels) {
        let message = "this channel sends mail, but the file has no mail server";
        let help = "write `mail_server:` with `host` and `from`";
        context.error(Code::NoMailServer, &span, message, "", help);
    }
}

fn dead_mans_switch(context: &mut Context<'_>, node: &Node) -> Option<DeadMansSwitch> {
    let mut fields = Fields::open(context, node, &grammar::DEAD_MANS_SWITCH)?;
    let url = fields.optional("url");
    let file = fields.optional("url_file");
    let environment = fields.optional("url_environment");
    if url.is_some() == (file.is_some() || environment.is_some()) {
        let message = "the dead-man's switch needs one address";
        let help = "write one of `url:`, `url_file:` and `url_environment:`";
        context.error(Code::OneOf, &fields.span().clone(), message, "", help);
    }
    let plain = url.and_then(|node| values::url(context, node));
    let secret = secrets::source(context, "the address", file, environment);
    let interval = fields.optional("interval");
    let interval = interval.and_then(|node| {
        let why = "a stall must show within a minute";
        values::duration_between(context, node, INTERVAL_MIN..=SWITCH_INTERVAL_MAX, why)
    });
    fields.finish(context);
    let url = plain
        .map(SwitchAddress::Plain)
        .or(secret.map(SwitchAddress::Secret))?;
    Some(DeadMansSwitch {
        url,
        interval: interval.unwrap_or(SWITCH_INTERVAL_DEFAULT),
    })
}
