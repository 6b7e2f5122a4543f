//! Mail: one message through one server, over SMTP.
//!
//! A connection for each message, because pages are rare and a connection that slept for hours is the one that hangs. The
//! commands are given one by one instead of by lettre's transport: that waits for the answer to QUIT, and a server which
//! accepts a page and then hangs would look like one that refused it, so that the page came twice.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailCommand, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use crate::BoxFuture;
use crate::address::permitted;

/// How long a server may take to answer QUIT. The message is accepted or refused by then; this is courtesy.
const GOODBYE: Duration = Duration::from_secs(1);

/// The largest message: a hundred pages of evidence. Servers refuse more at 10 MB and up.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The longest piece of a server's answer that is passed on: a line that fits a delivery log.
const ANSWER_CHARS_MAX: usize = 300;

/// How the connection is secured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// Plain at first, then STARTTLS, which must succeed.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None. A login is then sent to this very machine only.
    None,
}

/// A user and a password; `Debug` shows neither.
#[derive(Clone)]
pub struct MailLogin {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for MailLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailLogin(…)")
    }
}

/// One message to one person through one server.
#[derive(Clone, Debug)]
pub struct MailRequest {
    /// The server's host name, which its certificate must carry, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: MailSecurity,
    /// Certificate authorities that are trusted beside the machine's, as PEM; empty for none.
    pub extra_ca: Bytes,
    /// Who we are to the server, if it asks.
    pub login: Option<MailLogin>,
    /// The sender's bare address.
    pub from: String,
    /// The recipient's bare address.
    pub to: String,
    /// The message with its headers (RFC 5322): ASCII, lines ended by CR LF.
    pub message: Bytes,
    /// The bound for the whole exchange.
    pub timeout: Duration,
}

/// Why a message was not accepted. None of them holds the password or the recipient's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailError {
    /// An address or the message is invalid, or a login would travel in the open: fix the contacts.
    BadRequest(String),
    /// The server's address is one that nothing may reach: fix the contacts.
    Forbidden(String),
    /// No connection: refused, unreachable, name not found. Retry.
    Connect(String),
    /// The connection could not be secured: fix the server, its certificate or the contacts.
    Tls(String),
    /// The server does not offer what was asked for (STARTTLS, a login): fix the contacts.
    Unsupported(String),
    /// The time bound passed. Retry.
    Timeout(Duration),
    /// The server refused for good, with a 5xx answer: fix the contacts.
    Permanent(String),
    /// The server refused for now, with a 4xx answer. Retry.
    Temporary(String),
    /// The connection broke or the peer does not speak SMTP. Retry.
    Broken(String),
}

impl MailError {
    /// Whether trying again without a change is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            MailError::BadRequest(_)
            | MailError::Forbidden(_)
            | MailError::Tls(_)
            | MailError::Unsupported(_)
            | MailError::Permanent(_) => true,
            MailError::Connect(_)
            | MailError::Timeout(_)
            | MailError::Temporary(_)
            | MailError::Broken(_) => false,
        }
    }

    /// A short fixed word for metrics labels.
    pub fn reason(&self) -> &'static str {
        match self {
            MailError::BadRequest(_) => "bad_request",
            MailError::Forbidden(_) => "forbidden",
            MailError::Connect(_) => "connect",
            MailError::Tls(_) => "tls",
            MailError::Unsupported(_) => "unsupported",
            MailError::Timeout(_) => "timeout",
            MailError::Permanent(_) => "permanent",
            MailError::Temporary(_) => "temporary",
            MailError::Broken(_) => "broken",
        }
    }
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MailError::BadRequest(why) => write!(f, "invalid mail: {why}"),
            MailError::Forbidden(why) => write!(f, "forbidden address: {why}"),
            MailError::Connect(why) => write!(f, "cannot connect to the mail server: {why}"),
            MailError::Tls(why) => write!(f, "no secure connection to the mail server: {why}"),
            MailError::Unsupported(why) => write!(f, "the mail server cannot do this: {why}"),
            MailError::Timeout(bound) => {
                let millis = bound.as_millis();
                write!(f, "the mail server did not finish within {millis} ms")
            }
            MailError::Permanent(answer) => {
                write!(f, "the mail server refused for good: {answer}")
            }
            MailError::Temporary(answer) => write!(f, "the mail server refused for now: {answer}"),
            MailError::Broken(why) => write!(f, "the connection to the mail server broke: {why}"),
        }
    }
}

impl std::error::Error for MailError {}

/// Sends mail.
pub trait Mail: Send + Sync {
    /// Hands one message to its server. The server's answer is the receipt.
    fn send(&self, request: MailRequest) -> BoxFuture<'_, Result<String, MailError>>;
}

/// Sends by SMTP.
pub struct Smtp;

impl Mail for Smtp {
    fn send(&self, request: MailRequest) -> BoxFuture<'_, Result<String, MailError>> {
        Box::pin(async move {
            let addresses = checked(&request)?;
            let bound = request.timeout;
            let mut connection = None;
            let exchange = exchange(&mut connection, &request, addresses);
            let outcome = match crate::timeout(bound, exchange).await {
                Ok(outcome) => outcome,
                // A connection that hangs is dropped as it is.
                Err(crate::Elapsed) => return Err(MailError::Timeout(bound)),
            };
            if let Some(mut connection) = connection {
                let _ = crate::timeout(GOODBYE, connection.quit()).await;
            }
            outcome
        })
    }
}

/// Sender and recipient of a request that may be sent.
///
/// # Errors
/// [`MailError::BadRequest`].
pub(crate) fn checked(request: &MailRequest) -> Result<(Address, Address), MailError> {
    let address = |text: &str, whose: &str| {
        let parsed: Option<Address> = text.parse().ok();
        parsed
            .filter(|_| text.is_ascii())
            .ok_or_else(|| MailError::BadRequest(format!("the {whose} address is invalid")))
    };
    let addresses = (
        address(&request.from, "sender's")?,
        address(&request.to, "recipient's")?,
    );
    let message = &request.message;
    if message.len() > MESSAGE_BYTES_MAX {
        let why = format!("the message is larger than {MESSAGE_BYTES_MAX} bytes");
        return Err(MailError::BadRequest(why));
    }
    // A lone CR or LF is where two servers disagree on what ends a line, and so on what ends a message.
    let lone = |(at, byte): (usize, &u8)| match byte {
        b'\r' => message.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || message[at - 1] != b'\r',
        0 => true,
        byte => !byte.is_ascii(),
    };
    if message.iter().enumerate().any(lone) {
        let why = "the message holds a byte that SMTP cannot carry".to_owned();
        return Err(MailError::BadRequest(why));
    }
    Ok(addresses)
}

/// Everything up to the server's word on the message. The connection is left for saying goodbye.
async fn exchange(
    connection: &mut Option<AsyncSmtpConnection>,
    request: &MailRequest,
    (from, to): (Address, Address),
) -> Result<String, MailError> {
    let ours = ClientId::Domain(from.domain().to_owned());
    let connection = connection.insert(connect(request, &ours).await?);
    let told = |error| failure(error, request);
    if let Some(login) = &request.login {
        let credentials = Credentials::new(login.user.clone(), login.password.clone());
        let outcome = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
        outcome.map_err(login_failure)?;
    }
    let command = MailCommand::new(Some(from), Vec::new());
    connection.command(command).await.map_err(told)?;
    let command = Rcpt::new(to, Vec::new());
    connection.command(command).await.map_err(told)?;
    connection.command(Data).await.map_err(told)?;
    let accepted = connection.message(&request.message).await.map_err(told)?;
    Ok(receipt(&accepted, request))
}

/// A connection that is as secure as it was asked to be.
async fn connect(request: &MailRequest, ours: &ClientId) -> Result<AsyncSmtpConnection, MailError> {
    let unreachable = |error: std::io::Error| MailError::Connect(error.to_string());
    let found = tokio::net::lookup_host((request.host.as_str(), request.port)).await;
    let addresses = permitted(found.map_err(unreachable)?)
        .map_err(|refused| MailError::Forbidden(refused.to_string()))?;
    let is_here = addresses.iter().all(|address| address.ip().is_loopback());
    if request.login.is_some() && request.security == MailSecurity::None && !is_here {
        let why = "a login is not sent to another machine without TLS".to_owned();
        return Err(MailError::BadRequest(why));
    }
    let tls = match request.security {
        MailSecurity::StartTls | MailSecurity::Tls => Some(trust(request).await?),
        MailSecurity::None => None,
    };
    let at_once = tls
        .clone()
        .filter(|_| request.security == MailSecurity::Tls);
    // One address that swallows everything must leave time for the others.
    let each = request.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(&addresses[..], Some(each), ours, at_once, None)
            .await
            .map_err(|error| {
                let spoke = error.is_response();
                match failure(error, request) {
                    MailError::Broken(why) if !spoke => MailError::Connect(why),
                    other => other,
                }
            })?;
    if let (MailSecurity::StartTls, Some(tls)) = (request.security, tls) {
        let upgraded = connection.starttls(tls, ours).await;
        upgraded.map_err(|error| failure(error, request))?;
    }
    Ok(connection)
}

/// Whom to trust: the machine's authorities and the request's. Reading the machine's takes a while, so off this thread.
async fn trust(request: &MailRequest) -> Result<TlsParameters, MailError> {
    let (host, extra_ca) = (request.host.clone(), request.extra_ca.clone());
    let building = tokio::task::spawn_blocking(move || {
        let mut builder = TlsParameters::builder(host);
        if !extra_ca.is_empty() {
            builder = builder.add_root_certificate(Certificate::from_pem(&extra_ca)?);
        }
        builder.build_rustls()
    });
    let built = building
        .await
        .map_err(|error| MailError::Tls(error.to_string()))?;
    built.map_err(|error| MailError::Tls(crate::outbound::chain(&error)))
}

/// A refused login, told without the server's words: some repeat what they were given.
fn login_failure(error: SmtpError) -> MailError {
    let Some(code) = error.status() else {
        return if error.is_client() {
            MailError::Unsupported("it takes no login by name and password".to_owned())
        } else {
            MailError::Broken("while logging in".to_owned())
        };
    };
    let what = format!("{code} to the login");
    if error.is_permanent() {
        MailError::Permanent(what)
    } else {
        MailError::Temporary(what)
    }
}

fn failure(error: SmtpError, request: &MailRequest) -> MailError {
    let said = std::error::Error::source(&error).map(|cause| cause.to_string());
    let said = one_line(&said.unwrap_or_default(), request);
    match error.status() {
        Some(code) if error.is_permanent() => MailError::Permanent(format!("{code} {said}")),
        Some(code) => MailError::Temporary(format!("{code} {said}")),
        None if error.is_tls() => MailError::Tls(said),
        None if error.is_client() => MailError::Unsupported(said),
        None if is_about_tls(&error) => MailError::Tls(said),
        None => MailError::Broken(said),
    }
}

/// Whether an input/output error is rustls' word on a certificate.
fn is_about_tls(error: &SmtpError) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let inner = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if cause.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        next = cause.source();
    }
    false
}

fn receipt(response: &Response, request: &MailRequest) -> String {
    let lines: Vec<&str> = response.message().collect();
    let said = one_line(&lines.join(" "), request);
    format!("{} {said}", response.code()).trim().to_owned()
}

/// A server's words as one short line without the recipient's address and the password.
fn one_line(said: &str, request: &MailRequest) -> String {
    let mut text: String = said
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let password = request.login.as_ref().map(|login| login.password.as_str());
    for (secret, instead) in [
        (Some(request.to.as_str()), "the recipient"),
        (password, "…"),
    ] {
        if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, instead);
        }
    }
    text.chars()
        .take(ANSWER_CHARS_MAX)
        .collect::<String>()
        .trim()
        .to_owned()
}
