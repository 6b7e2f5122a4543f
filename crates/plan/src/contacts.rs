//! Who the roles are: people and how they are reached. A file of its own, so that a plan can be shared without addresses.

/// All contacts. May be empty: then nobody can be paged, and Belfry says so loudly.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    /// People, in the file's order.
    pub people: Vec<Person>,
}

/// A person (or a team's shared inbox).
#[derive(Clone, Debug)]
pub struct Person {
    /// The name shown in timelines.
    pub name: String,
    /// The roles that this person fills.
    pub roles: Vec<String>,
    /// How to reach them, the preferred way first.
    pub channels: Vec<Channel>,
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
    },
    /// A line in Belfry's own log; for trying things out.
    Log,
}

/// Where a secret is read from when it is needed. The secret itself never stands in a file that is reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file whose content, trimmed, is the secret.
    File(String),
    /// An environment variable.
    Environment(String),
}

impl Contacts {
    /// The people who fill a role.
    pub fn with_role<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Person> {
        self.people
            .iter()
            .filter(move |person| person.roles.iter().any(|own| own == role))
    }
}
