//! Contacts as Alertmanager's receivers: who fills the first level's roles, by the first of their channels that Alertmanager
//! has. Secrets are named as files and never written.

use super::Export;
use super::yaml::{Map, plain};
use crate::{Channel, Contacts, EscalationPolicy, MailSecurity, MailServer, Person, SecretSource};

/// Where secrets are expected that Belfry reads from its environment: Alertmanager reads files only.
const SECRETS_FOLDER: &str = "/etc/alertmanager/secrets";

/// `global:`, where there is something to say.
pub(super) fn global(contacts: &Contacts, export: &mut Export) -> Map {
    let mut global = Map::new();
    let Some(server) = &contacts.mail_server else {
        return global;
    };
    global
        .put("smtp_smarthost", format!("{}:{}", server.host, server.port))
        .put("smtp_from", server.from.as_str());
    if let Some((user, password)) = &server.login {
        global
            .put("smtp_auth_username", user.as_str())
            .put("smtp_auth_password_file", secret_file(password, export));
    }
    // TLS from the first byte is what Alertmanager does on port 465; this key is about STARTTLS.
    let is_starttls = server.security == MailSecurity::StartTls;
    global.put("smtp_require_tls", plain(is_starttls));
    if server.security == MailSecurity::Tls && server.port != 465 {
        export.note(format!(
            "Alertmanager speaks TLS from the first byte on port 465 only, and the mail server listens on {}",
            server.port
        ));
    }
    global
}

/// Who is told first under a policy.
pub(super) fn receiver(policy: &EscalationPolicy, contacts: &Contacts, export: &mut Export) -> Map {
    let mut receiver = Map::new();
    let roles = policy.levels.first().map_or(&[][..], |level| &level.roles);
    receiver
        .comment(&format!(
            "Level 1 of {}: {}.",
            policy.name,
            super::listed(roles)
        ))
        .put("name", policy.name.as_str());
    let mut integrations = Integrations::default();
    for person in people(roles, contacts, export) {
        integrations.add(person, contacts.mail_server.as_ref(), export);
    }
    if integrations.is_empty() {
        export.note(format!(
            "{} tells nobody: no contact that Alertmanager can reach fills {}",
            policy.name,
            super::listed(roles)
        ));
    }
    integrations.put_into(&mut receiver);
    receiver
}

/// The people who fill roles, each once.
fn people<'c>(roles: &[String], contacts: &'c Contacts, export: &mut Export) -> Vec<&'c Person> {
    let mut found: Vec<&Person> = Vec::new();
    let mut add = |person: &'c Person| {
        if !found.iter().any(|own| own.name == person.name) {
            found.push(person);
        }
    };
    for role in roles {
        contacts
            .people
            .iter()
            .filter(|own| own.roles.contains(role))
            .for_each(&mut add);
        for rota in contacts.rotas.iter().filter(|own| own.role == *role) {
            let names = rota.shifts.iter().flat_map(|shift| &shift.people);
            names
                .filter_map(|name| contacts.person(name))
                .for_each(&mut add);
            export.note(format!(
                "Alertmanager has no rotas: everybody of {} is told at once, whoever's turn it is",
                rota.name
            ));
        }
    }
    found
}

#[derive(Default)]
struct Integrations {
    webhooks: Vec<Map>,
    mails: Vec<Map>,
    slacks: Vec<Map>,
    pagerduties: Vec<Map>,
}

impl Integrations {
    /// The first channel of a person that Alertmanager has. It tells all receivers at once and knows no "if that fails".
    fn add(&mut self, person: &Person, server: Option<&MailServer>, export: &mut Export) {
        let carried = person
            .channels
            .iter()
            .position(|channel| self.add_channel(person, channel, server, export));
        let names = person.channel_names();
        let left_out: Vec<String> = names
            .into_iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != carried)
            .map(|(_, name)| name)
            .collect();
        if !left_out.is_empty() {
            export.note(format!(
                "{}: Alertmanager tries no second channel when one fails, and has not every kind; {} left out",
                person.name,
                super::listed(&left_out)
            ));
        }
    }

    fn add_channel(
        &mut self,
        person: &Person,
        channel: &Channel,
        server: Option<&MailServer>,
        export: &mut Export,
    ) -> bool {
        let mut map = Map::new();
        map.comment(&person.name);
        match channel {
            Channel::Webhook {
                url,
                token,
                signing_key,
            } => {
                map.put("url", url.as_str());
                if let Some(token) = token {
                    let file = Map::new().with("credentials_file", secret_file(token, export));
                    map.put("http_config", Map::new().with("authorization", file));
                }
                if signing_key.is_some() {
                    export.note(format!("{}: Alertmanager signs no webhooks", person.name));
                }
                self.webhooks.push(map.with("send_resolved", plain(true)));
            }
            Channel::Email { to } => {
                map.put("to", to.as_str()).put("send_resolved", plain(true));
                if let Some(file) = server.and_then(|server| server.ca_file.as_ref()) {
                    map.put("tls_config", Map::new().with("ca_file", file.as_str()));
                }
                self.mails.push(map);
            }
            Channel::Slack { url } => {
                map.put("api_url_file", secret_file(url, export))
                    .put("send_resolved", plain(true));
                self.slacks.push(map);
            }
            Channel::PagerDuty { routing_key, url } => {
                map.put("routing_key_file", secret_file(routing_key, export))
                    .put("url", url.as_str())
                    .put("send_resolved", plain(true));
                self.pagerduties.push(map);
            }
            Channel::Alertmanager { .. } | Channel::Command { .. } | Channel::Log => return false,
        }
        true
    }

    fn is_empty(&self) -> bool {
        self.webhooks.is_empty()
            && self.mails.is_empty()
            && self.slacks.is_empty()
            && self.pagerduties.is_empty()
    }

    fn put_into(self, receiver: &mut Map) {
        let kinds = [
            ("webhook_configs", self.webhooks),
            ("email_configs", self.mails),
            ("slack_configs", self.slacks),
            ("pagerduty_configs", self.pagerduties),
        ];
        for (key, list) in kinds {
            if !list.is_empty() {
                receiver.put(key, list);
            }
        }
    }
}

/// The file of a secret.
fn secret_file(secret: &SecretSource, export: &mut Export) -> String {
    match secret {
        SecretSource::File(path) => path.clone(),
        SecretSource::Environment(name) => {
            let path = format!("{SECRETS_FOLDER}/{}", name.to_ascii_lowercase());
            export.note(format!(
                "Alertmanager reads secrets from files: write that of {name} to {path}"
            ));
            path
        }
    }
}
