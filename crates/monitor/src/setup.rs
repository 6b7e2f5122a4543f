//! What is in force: the plan with its text, and the contacts. Replaced whole by a reload, never edited.

use std::sync::{Arc, RwLock};

use model::Timestamp;
use plan::{Contacts, Plan, PlanFile, SecretSource};
use world::Disk;

/// Reads environment variables; passed in from `main`, the only place that may read them.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A plan with its texts and contacts.
pub struct Setup {
    /// The plan.
    pub plan: Plan,
    /// The files that it stands in, the main one first, for the plan page.
    pub files: Vec<PlanFile>,
    /// Who the roles are.
    pub contacts: Contacts,
    /// When it was loaded.
    pub loaded_at: Timestamp,
}

/// The setup in force.
pub struct CurrentSetup {
    setup: RwLock<Arc<Setup>>,
}

impl CurrentSetup {
    /// Starts with a setup.
    pub fn new(setup: Setup) -> CurrentSetup {
        CurrentSetup {
            setup: RwLock::new(Arc::new(setup)),
        }
    }

    /// The setup in force now. Keep it for one piece of work, not for longer.
    pub fn get(&self) -> Arc<Setup> {
        self.setup
            .read()
            .expect("no code panics while it holds this lock")
            .clone()
    }

    /// Puts another one in force.
    pub fn replace(&self, setup: Setup) {
        *self
            .setup
            .write()
            .expect("no code panics while it holds this lock") = Arc::new(setup);
    }
}

impl Setup {
    /// Why (some) pages reach nobody; `None` when every role of every escalation level is filled.
    pub fn unpageable(&self) -> Option<String> {
        if self.contacts.people.is_empty() {
            return Some("Nobody will be paged: there are no contacts. Pass a contacts file with --contacts.".to_owned());
        }
        let levels = self
            .plan
            .escalation_policies
            .iter()
            .flat_map(|policy| &policy.levels);
        let mut empty: Vec<&str> = levels
            .flat_map(|level| &level.roles)
            .filter(|role| !self.contacts.can_fill(role))
            .map(String::as_str)
            .collect();
        empty.sort_unstable();
        empty.dedup();
        (!empty.is_empty()).then(|| {
            format!(
                "Nobody fills the role {}: these levels page nobody.",
                empty.join(", ")
            )
        })
    }
}

/// Reads a secret.
///
/// # Errors
/// A sentence that names the source, never the secret.
pub fn read_secret(
    source: &SecretSource,
    disk: &dyn Disk,
    environment: &Environment,
) -> Result<String, String> {
    match source {
        SecretSource::Environment(name) => {
            environment(name).ok_or_else(|| format!("the environment variable {name} is not set"))
        }
        SecretSource::File(path) => {
            let bytes = disk
                .read(path.as_ref())
                .map_err(|error| format!("cannot read the secret in {path}: {error}"))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| format!("the secret in {path} is not UTF-8"))?;
            Ok(text.trim().to_owned())
        }
    }
}
