//! The e-mail channel: plain text, one thread for each incident.
//!
//! Every mail of an incident refers to one message that was never sent, the incident's root; mail programs put the mails
//! that refer to the same one together. A mail's own id stays the same when it is sent again, so that a server or an inbox
//! that knows it already can drop it. `Auto-Submitted` keeps holiday replies away (RFC 3834).

use lettre::Message as Mail;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use plan::MailServer;
use world::{MailLogin, MailRequest, MailSecurity, World};

use super::message::message;
use super::{ATTEMPT_TIMEOUT, PageContext};
use crate::setup::{Environment, read_secret};

/// Sends one page by the contacts' mail server.
pub(super) async fn send(
    world: &World,
    environment: &Environment,
    to: &str,
    context: &PageContext<'_>,
) -> Result<String, String> {
    let server = context.setup.contacts.mail_server.as_ref();
    let server = server.ok_or("the contacts have no mail_server")?;
    let from = mailbox(&server.from, "the sender's")?;
    let recipient = mailbox(to, "the recipient's")?;
    let request = MailRequest {
        host: server.host.clone(),
        port: server.port,
        security: security(server),
        extra_ca: match &server.ca_file {
            None => Vec::new(),
            Some(path) => world
                .disk
                .read(path.as_ref())
                .map_err(|error| format!("cannot read the ca_file {path}: {error}"))?,
        }
        .into(),
        login: match &server.login {
            None => None,
            Some((user, source)) => Some(MailLogin {
                user: user.clone(),
                password: read_secret(source, &*world.disk, environment)?,
            }),
        },
        from: from.email.to_string(),
        to: recipient.email.to_string(),
        message: compose(world, from, recipient, context)?.into(),
        timeout: ATTEMPT_TIMEOUT,
    };
    world
        .mail
        .send(request)
        .await
        .map_err(|error| error.to_string())
}

fn security(server: &MailServer) -> MailSecurity {
    match server.security {
        plan::MailSecurity::StartTls => MailSecurity::StartTls,
        plan::MailSecurity::Tls => MailSecurity::Tls,
        plan::MailSecurity::None => MailSecurity::None,
    }
}

fn mailbox(text: &str, whose: &str) -> Result<Mailbox, String> {
    text.parse()
        .map_err(|_| format!("{whose} mail address is invalid"))
}

/// The mail's bytes.
fn compose(
    world: &World,
    mut from: Mailbox,
    to: Mailbox,
    context: &PageContext<'_>,
) -> Result<Vec<u8>, String> {
    let message = message(context);
    let domain = from.email.domain().to_owned();
    from.name.get_or_insert_with(|| "Belfry".to_owned());
    let key = context.incident_key();
    // The root's number tells pages of one incident apart, and is shared by the page that another channel takes over.
    let own = format!("<belfry-{key}-{}@{domain}>", context.page.root.0);
    let root = format!("<belfry-{key}@{domain}>");
    let mail = threaded(Mail::builder(), own, root, context)
        .from(from)
        .to(to)
        .subject(message.subject)
        .date(world.clock.now())
        .header(ContentType::TEXT_PLAIN)
        .raw_header(fixed("Auto-Submitted", "auto-generated"))
        .raw_header(fixed("X-Auto-Response-Suppress", "All"))
        .body(message.body)
        .map_err(|error| format!("the mail cannot be written: {error}"))?;
    Ok(mail.formatted())
}

/// A summary is of many incidents and so in no thread.
fn threaded(
    builder: MessageBuilder,
    own: String,
    root: String,
    context: &PageContext<'_>,
) -> MessageBuilder {
    let builder = builder.message_id(Some(own));
    if context.is_summary() {
        return builder;
    }
    builder.in_reply_to(root.clone()).references(root)
}

fn fixed(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
