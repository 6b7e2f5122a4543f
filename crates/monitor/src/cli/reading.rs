//! How commands come to a plan: as `run` does, with what it includes and values from the environment.

use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use plan::{Contacts, Linted, Plan, Reading};
use world::{Disk, OsDisk};

use crate::plan_files::{self, ContactsReading};
use crate::setup::Environment;

/// The environment of this process.
pub(super) fn environment() -> Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line is where the environment is read"
    )]
    Arc::new(|name: &str| std::env::var(name).ok())
}

/// Reads a plan; whatever is wrong with it is in the answer.
pub(super) fn read_plan(path: &Path) -> anyhow::Result<Reading> {
    plan_files::read_plan(&OsDisk, &environment(), path).map_err(|why| anyhow!(why))
}

/// Reads and lints a plan; whatever is wrong with it is in the answer.
pub(super) fn lint_plan(path: &Path, contacts: Option<&Contacts>) -> anyhow::Result<Linted> {
    plan_files::lint_plan(&OsDisk, &environment(), path, contacts).map_err(|why| anyhow!(why))
}

/// Reads contacts; whatever is wrong with them is in the answer.
pub(super) fn read_contacts(path: &Path) -> anyhow::Result<ContactsReading> {
    plan_files::read_contacts(&OsDisk, path).map_err(|why| anyhow!(why))
}

/// Reads a plan and contacts; all that is wrong with one of them is the error.
pub(super) fn read(plan: &Path, contacts: Option<&Path>) -> anyhow::Result<(Plan, Contacts)> {
    let reading = read_plan(plan)?;
    let shown = reading.render();
    let Some(plan) = reading.plan else {
        bail!("{shown}");
    };
    let Some(path) = contacts else {
        return Ok((plan, Contacts::default()));
    };
    let reading = read_contacts(path)?;
    match reading.contacts {
        Some(contacts) => Ok((plan, contacts)),
        None => bail!("{}", reading.shown),
    }
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = OsDisk
        .read(path)
        .map_err(|error| anyhow!("cannot read {}: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| anyhow!("{} is not UTF-8", path.display()))
}
