//! People and how they are reached.

use crate::context::{Context, Kind};
use crate::fields::Fields;
use crate::node::Node;
use crate::{Channel, Code, Contacts, Person, SecretSource, values};

/// What a channel is, before its details.
#[derive(Copy, Clone)]
enum ChannelType {
    Webhook,
    Log,
}

const CHANNELS: [(&str, ChannelType); 2] =
    [("webhook", ChannelType::Webhook), ("log", ChannelType::Log)];

/// The whole contacts file.
pub(crate) fn contacts(context: &mut Context<'_>, root: &Node) -> Option<Contacts> {
    let mut fields = Fields::open(context, root, "a contacts file")?;
    super::format(context, &mut fields);
    let people = super::section(context, &mut fields, "people", person);
    fields.finish(context);
    Some(Contacts {
        people,
        rotas: Vec::new(),
        mail_server: None,
        dead_mans_switch: None,
    })
}

fn person(context: &mut Context<'_>, node: &Node) -> Option<Person> {
    let mut fields = Fields::open(context, node, "a person")?;
    let name = fields.required(context, "name", "write their name");
    let name = name.and_then(|node| values::new_title(context, Kind::Person, node));
    let roles = fields.required(context, "roles", "list the roles that they fill");
    let roles = roles.map(|node| {
        super::some_items(
            context,
            node,
            "a person needs at least one role",
            values::name,
        )
    });
    let channels = fields.required(context, "channels", "list how they are reached");
    let channels = channels.map(|node| {
        super::some_items(
            context,
            node,
            "a person needs at least one channel",
            channel,
        )
    });
    fields.finish(context);
    Some(Person {
        name: name?,
        roles: roles?,
        channels: channels?,
    })
}

fn channel(context: &mut Context<'_>, node: &Node) -> Option<Channel> {
    let mut fields = Fields::open(context, node, "a channel")?;
    let kind = fields.required(context, "type", "write `webhook` or `log`");
    let kind = kind.and_then(|node| values::word(context, node, "a type of channel", &CHANNELS));
    let channel = match kind {
        Some(ChannelType::Webhook) => webhook(context, &mut fields),
        Some(ChannelType::Log) => Some(Channel::Log),
        // What the other keys mean depends on the type, so nothing more can be said about them.
        None => return None,
    };
    fields.finish(context);
    channel
}

fn webhook(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Channel> {
    let url = fields.required(context, "url", "write the address to post to");
    let url = url.and_then(|node| values::url(context, node));
    let file = fields.optional("token_file");
    let environment = fields.optional("token_environment");
    if let (Some(_), Some(node)) = (file, environment) {
        let message = "the token comes from a file and from the environment";
        context.error(Code::OneOf, &node.span, message, "", "keep one of the two");
    }
    if let Some(node) = fields.optional("token") {
        let message = "a secret must not stand in this file";
        let help = "write `token_file:` or `token_environment:` and keep the secret there";
        context.error(Code::SecretInText, &node.span, message, "", help);
    }
    let file = file.and_then(|node| values::text(context, node));
    let environment = environment.and_then(|node| values::text(context, node));
    let token = file.map(|path| SecretSource::File(path.to_owned()));
    let token = token.or(environment.map(|name| SecretSource::Environment(name.to_owned())));
    Some(Channel::Webhook {
        url: url?,
        token,
        signing_key: None,
    })
}
