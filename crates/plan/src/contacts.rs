//! Who the roles are: people, how they are reached, and whose turn it is. A file of its own, so that a plan can be shared
//! without addresses.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// All contacts. May be empty: then nobody can be paged, and Belfry says so loudly.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    /// People, in the file's order.
    pub people: Vec<Person>,
    /// Whose turn it is, by role.
    pub rotas: Vec<Rota>,
    /// The server that mails go through; `None`: no mail can be sent.
    pub mail_server: Option<MailServer>,
    /// An address outside that is called while every loop makes progress.
    pub dead_mans_switch: Option<DeadMansSwitch>,
}

/// A person (or a team's shared inbox).
#[derive(Clone, Debug)]
pub struct Person {
    /// The name shown in timelines.
    pub name: String,
    /// The roles that this person always fills; those of rotas come beside them.
    pub roles: Vec<String>,
    /// How to reach them, the preferred way first; each further one is tried when the one before it fails.
    pub channels: Vec<Channel>,
}

impl Person {
    /// The name of each channel, in order: its kind, numbered from the second of a kind on (`webhook`, `webhook-2`).
    pub fn channel_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.channels.len());
        for (index, channel) in self.channels.iter().enumerate() {
            let kind = channel.kind();
            let before = self.channels[..index]
                .iter()
                .filter(|earlier| earlier.kind() == kind)
                .count();
            names.push(match before {
                0 => kind.to_owned(),
                before => format!("{kind}-{}", before + 1),
            });
        }
        names
    }

    /// A channel by its name in [`Person::channel_names`].
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        let index = self.channel_names().iter().position(|own| own == name)?;
        self.channels.get(index)
    }
}

/// A way to reach a person.
#[derive(Clone, Debug)]
pub enum Channel {
    /// An HTTP POST in Alertmanager's webhook format.
    Webhook {
        /// The address.
        url: String,
        /// Where the bearer token comes from, if one is sent.
        token: Option<SecretSource>,
        /// Where the key of the signature comes from, if pages are signed.
        signing_key: Option<SecretSource>,
    },
    /// A mail through [`Contacts::mail_server`].
    Email {
        /// To whom.
        to: String,
    },
    /// A message by a Slack incoming webhook.
    Slack {
        /// Where its address comes from: whoever knows it may write, so it is a secret.
        url: SecretSource,
    },
    /// PagerDuty, Events API v2.
    PagerDuty {
        /// Where the integration's key comes from.
        routing_key: SecretSource,
        /// The address of the API.
        url: String,
    },
    /// An Alertmanager, API v2.
    Alertmanager {
        /// Its address, without a path.
        url: String,
    },
    /// A local program; the page is JSON on its standard input.
    Command {
        /// Program and arguments; at least one. No shell.
        argv: Vec<String>,
    },
    /// A line in Belfry's own log; for trying things out.
    Log,
}

impl Channel {
    /// The word of the contacts file.
    pub fn kind(&self) -> &'static str {
        match self {
            Channel::Webhook { .. } => "webhook",
            Channel::Email { .. } => "email",
            Channel::Slack { .. } => "slack",
            Channel::PagerDuty { .. } => "pagerduty",
            Channel::Alertmanager { .. } => "alertmanager",
            Channel::Command { .. } => "command",
            Channel::Log => "log",
        }
    }
}

/// How the connection to the mail server is secured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// Plain at first, then STARTTLS, which must succeed (port 587).
    StartTls,
    /// TLS from the first byte (port 465).
    Tls,
    /// None: for a server on this machine only.
    None,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// Its host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: MailSecurity,
    /// A file with a certificate authority that is trusted beside the usual ones.
    pub ca_file: Option<String>,
    /// The sender's address.
    pub from: String,
    /// User name and where the password comes from, where the server asks for them.
    pub login: Option<(String, SecretSource)>,
}

/// Where a secret is read from when it is needed. The secret itself never stands in a file that is reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file whose content, trimmed, is the secret.
    File(String),
    /// An environment variable.
    Environment(String),
}

/// An address that raises an alarm when Belfry stops calling it.
#[derive(Clone, Debug)]
pub struct DeadMansSwitch {
    /// Where its address comes from, or the address itself.
    pub url: SwitchAddress,
    /// How often it is called.
    pub interval: Duration,
}

/// The address of a dead-man's switch. Those of public services are secrets, since whoever knows one may call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchAddress {
    /// Written in the contacts.
    Plain(String),
    /// Read when it is needed.
    Secret(SecretSource),
}

/// Whose turn it is to fill a role: exactly one person at every instant.
#[derive(Clone, Debug)]
pub struct Rota {
    /// Its name; the role's unless the file gives another.
    pub name: String,
    /// The role that it fills.
    pub role: String,
    /// Its shifts; at least one. The one that took over last is on.
    pub shifts: Vec<Shift>,
    /// Exceptions; the last one that covers an instant wins.
    pub overrides: Vec<RotaOverride>,
}

/// A recurring time at which one of several people takes over.
#[derive(Clone, Debug)]
pub struct Shift {
    /// Its name (`Europe`); may be empty.
    pub name: String,
    /// On whose clocks.
    pub zone: TimeZone,
    /// The hand-over hour.
    pub hand_over: Time,
    /// The days on which it takes over; empty for every day.
    pub days: Vec<Weekday>,
    /// After how many days the next person's turn begins.
    pub turn_days: u32,
    /// The day on which the first person's first turn begins.
    pub since: Date,
    /// Who, in order; at least one.
    pub people: Vec<String>,
}

/// An exception to a rota: one person instead of whoever's turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotaOverride {
    /// Who.
    pub person: String,
    /// From when …
    pub from: Timestamp,
    /// … until when, exclusive.
    pub until: Timestamp,
}

impl Contacts {
    /// A person by name.
    pub fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name)
    }

    /// Whether anybody can ever fill a role: a person who lists it, or a rota for it.
    pub fn can_fill(&self, role: &str) -> bool {
        let listed = self
            .people
            .iter()
            .any(|person| person.roles.iter().any(|own| own == role));
        listed || self.rotas.iter().any(|rota| rota.role == role)
    }
}
