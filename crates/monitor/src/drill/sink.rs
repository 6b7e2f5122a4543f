//! A world that takes everything: where pages of a virtual drill go. Each channel makes its real message and sends it; nothing
//! leaves the process.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::Timestamp;
use plan::{Channel, Contacts, EscalationPolicy, Person, SecretSource};
use world::sim::{Inline, SeededEntropy, SimDisk};
use world::{
    BoxFuture, CommandError, CommandOutput, CommandRequest, Commands, Exit, HttpError, HttpRequest,
    HttpResponse, Mail, MailError, MailRequest, Outbound, World,
};

use crate::hand_clock::HandClock;
use crate::setup::Environment;

/// What stands for every secret: a text that may be a header, and an address where one is wanted.
const SECRET: &str = "http://sink.invalid/drill";

/// The world of a virtual drill, whose clock is moved by hand.
pub(super) fn sink_world(clock: Arc<HandClock>, at: Timestamp) -> World {
    let seed = at.as_millis().unsigned_abs();
    World {
        clock,
        disk: Arc::new(SimDisk::new(seed)),
        net: Arc::new(Sink),
        mail: Arc::new(Sink),
        commands: Arc::new(Sink),
        entropy: Arc::new(SeededEntropy::new(seed)),
        blocking: Arc::new(Inline),
    }
}

/// Secrets that are none.
pub(super) fn sink_environment() -> Environment {
    Arc::new(|_| Some(SECRET.to_owned()))
}

/// Contacts whose secrets need no file. Where there is nobody at all, somebody stands in for each role, so that a plan can be
/// drilled without its contacts.
pub(super) fn sink_contacts(contacts: &Contacts, policies: &[EscalationPolicy]) -> Contacts {
    let mut contacts = contacts.clone();
    if contacts.people.is_empty() {
        contacts.people = stand_ins(policies);
    }
    let channels = contacts
        .people
        .iter_mut()
        .flat_map(|person| &mut person.channels);
    for channel in channels {
        match channel {
            Channel::Webhook {
                token, signing_key, ..
            } => [token, signing_key]
                .into_iter()
                .flatten()
                .for_each(read_nothing),
            Channel::Slack { url } => read_nothing(url),
            Channel::PagerDuty { routing_key, .. } => read_nothing(routing_key),
            Channel::Email { .. }
            | Channel::Alertmanager { .. }
            | Channel::Command { .. }
            | Channel::Log => {}
        }
    }
    if let Some((_, password)) = contacts
        .mail_server
        .as_mut()
        .and_then(|server| server.login.as_mut())
    {
        read_nothing(password);
    }
    contacts
}

fn read_nothing(source: &mut SecretSource) {
    *source = SecretSource::Environment("DRILL".to_owned());
}

fn stand_ins(policies: &[EscalationPolicy]) -> Vec<Person> {
    let levels = policies.iter().flat_map(|policy| &policy.levels);
    let mut roles: Vec<String> = levels.flat_map(|level| level.roles.clone()).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
        .into_iter()
        .map(|role| Person {
            name: format!("whoever is {role}"),
            roles: vec![role],
            channels: vec![Channel::Log],
        })
        .collect()
}

struct Sink;

impl Outbound for Sink {
    fn http(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let taken = HttpResponse {
            status: StatusCode::ACCEPTED,
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"taken by the drill"),
        };
        Box::pin(std::future::ready(Ok(taken)))
    }
}

impl Mail for Sink {
    fn send(&self, _: MailRequest) -> BoxFuture<'_, Result<String, MailError>> {
        let receipt = "taken by the drill".to_owned();
        Box::pin(std::future::ready(Ok(receipt)))
    }
}

impl Commands for Sink {
    fn run(&self, _: CommandRequest) -> BoxFuture<'_, Result<CommandOutput, CommandError>> {
        let taken = CommandOutput {
            exit: Exit::Code(0),
            stdout: Bytes::from_static(b"taken by the drill"),
            stdout_truncated: false,
            stderr: Bytes::new(),
            stderr_truncated: false,
        };
        Box::pin(std::future::ready(Ok(taken)))
    }
}
