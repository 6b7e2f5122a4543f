//! The server that mails go through.

use super::secrets::{self, SecretKeys};
use crate::context::Context;
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::node::Node;
use crate::{Code, MailSecurity, MailServer, SecretSource, grammar, values};

const PASSWORD: SecretKeys = SecretKeys {
    what: "the password",
    plain: "password",
    file: "password_file",
    environment: "password_environment",
};

pub(super) fn server(context: &mut Context<'_>, node: &Node) -> Option<MailServer> {
    let mut fields = Fields::open(context, node, &grammar::MAIL_SERVER)?;
    let host = fields.required(context, "host", "write its host name");
    let host = host.and_then(|node| values::host(context, node));
    let security_node = fields.optional("security");
    let security = match security_node {
        Some(node) => values::word(
            context,
            node,
            "a way to secure mail",
            &grammar::MAIL_SECURITY,
        ),
        None => Some(MailSecurity::StartTls),
    };
    if let (Some(node), Some(host), Some(MailSecurity::None)) = (security_node, &host, security)
        && !is_loopback(host)
    {
        let message = format!("mail to {} would cross the network in plain", quote(host));
        let help = "write `starttls` or `tls`; `none` is for a server on this machine";
        context.error(Code::PlainMail, &node.span, message, "", help);
    }
    let port = fields.optional("port");
    let port = port.and_then(|node| values::count(context, node, 1..=usize::from(u16::MAX)));
    let port = port.and_then(|port| u16::try_from(port).ok());
    let ca_file = fields.optional("ca_file");
    let ca_file = ca_file.and_then(|node| values::text(context, node));
    let from = fields.required(context, "from", "write the sender's address");
    let from = from.and_then(|node| values::mail_address(context, node));
    let login = login(context, &mut fields);
    fields.finish(context);
    let security = security?;
    Some(MailServer {
        host: host?,
        port: port.unwrap_or(usual_port(security)),
        security,
        ca_file: ca_file.map(str::to_owned),
        from: from?,
        login,
    })
}

fn usual_port(security: MailSecurity) -> u16 {
    match security {
        MailSecurity::StartTls => 587,
        MailSecurity::Tls => 465,
        MailSecurity::None => 25,
    }
}

/// User name and password: both or neither.
fn login(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<(String, SecretSource)> {
    let name_node = fields.optional("username");
    let name = name_node.and_then(|node| values::text(context, node));
    if name_node.is_some() {
        let password = secrets::required(context, fields, &PASSWORD)?;
        return Some((name?.to_owned(), password));
    }
    if secrets::optional(context, fields, &PASSWORD).is_some() {
        let message = "a password without a user name";
        let span = fields.span().clone();
        let help = "write `username:`, or leave the password out";
        context.error(Code::MissingKey, &span, message, "", help);
    }
    None
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    address.map_or(bare.eq_ignore_ascii_case("localhost"), |address| {
        address.is_loopback()
    })
}
