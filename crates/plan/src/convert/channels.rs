//! How a person is reached.

use super::secrets::{self, SecretKeys, TOKEN};
use crate::context::Context;
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::grammar::{self, ChannelType, PAGERDUTY_URL};
use crate::node::Node;
use crate::{Channel, Code, values};

const SIGNING_KEY: SecretKeys = SecretKeys {
    what: "the key of the signature",
    plain: "signing_key",
    file: "signing_key_file",
    environment: "signing_key_environment",
};

/// Whoever knows the address may write, so it is a secret.
const SLACK_URL: SecretKeys = SecretKeys {
    what: "the address of the Slack webhook",
    plain: "url",
    file: "url_file",
    environment: "url_environment",
};

const ROUTING_KEY: SecretKeys = SecretKeys {
    what: "the routing key",
    plain: "routing_key",
    file: "routing_key_file",
    environment: "routing_key_environment",
};

pub(super) fn channel(context: &mut Context<'_>, node: &Node) -> Option<Channel> {
    let mut fields = Fields::open(context, node, &grammar::CHANNEL)?;
    let help = "write `webhook`, `email`, `slack`, `pagerduty`, `alertmanager`, `command` or `log`";
    let kind = fields.required(context, "type", help);
    let kind =
        kind.and_then(|node| values::word(context, node, "a type of channel", &grammar::CHANNELS));
    if let Some(kind) = kind {
        fields.narrow(kind.shape());
    }
    let channel = match kind {
        Some(ChannelType::Webhook) => webhook(context, &mut fields),
        Some(ChannelType::Email) => email(context, &mut fields),
        Some(ChannelType::Slack) => {
            secrets::required(context, &mut fields, &SLACK_URL).map(|url| Channel::Slack { url })
        }
        Some(ChannelType::PagerDuty) => pagerduty(context, &mut fields),
        Some(ChannelType::Alertmanager) => alertmanager(context, &mut fields),
        Some(ChannelType::Command) => {
            let argv = fields.required(context, "command", "list the program and its arguments");
            argv.map(|node| Channel::Command {
                argv: super::command(context, node),
            })
        }
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
    let token = secrets::optional(context, fields, &TOKEN);
    let signing_key = secrets::optional(context, fields, &SIGNING_KEY);
    Some(Channel::Webhook {
        url: url?,
        token,
        signing_key,
    })
}

fn email(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Channel> {
    context.mail_channels.push(fields.span().clone());
    let to = fields.required(context, "to", "write their mail address");
    let to = to.and_then(|node| values::mail_address(context, node));
    Some(Channel::Email { to: to? })
}

fn pagerduty(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Channel> {
    let routing_key = secrets::required(context, fields, &ROUTING_KEY);
    let url = fields.optional("url");
    let url = match url {
        Some(node) => values::url(context, node),
        None => Some(PAGERDUTY_URL.to_owned()),
    };
    Some(Channel::PagerDuty {
        routing_key: routing_key?,
        url: url?,
    })
}

fn alertmanager(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Channel> {
    let node = fields.required(context, "url", "write its address, without a path")?;
    let url = values::url(context, node)?;
    // Behind a proxy Alertmanager has a path before its own; what Belfry adds itself must not stand here too.
    if url.contains(['?', '#']) || url.contains("/api/") {
        let message = format!("{} goes past the Alertmanager itself", quote(&url));
        let help = "write its address alone; Belfry adds `/api/v2/alerts`";
        context.error(Code::InvalidUrl, &node.span, message, "", help);
        return None;
    }
    let url = url.trim_end_matches('/').to_owned();
    Some(Channel::Alertmanager { url })
}
