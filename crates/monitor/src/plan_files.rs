//! A plan as it lies on disk: its main file, what that includes, and values from the environment. The one way by which the running
//! Belfry and the command line come to a plan, so that both read the same.

use std::path::Path;

use plan::{Diagnostic, Reading, Sources, TEXT_BYTES_MAX};
use world::Disk;

use crate::setup::Environment;

/// Reads a plan with everything that belongs to it.
///
/// # Errors
/// Why the main file cannot be read. Whatever is wrong with it or with another is in the answer.
pub(crate) fn read_plan(
    disk: &dyn Disk,
    environment: &Environment,
    path: &Path,
) -> Result<Reading, String> {
    let text = read_text(disk, path).map_err(|why| unreadable(path, &why))?;
    let name = path.display().to_string();
    let mut sources = Outside { disk, environment };
    Ok(plan::parse_files(&name, &text, &mut sources))
}

/// Reads a plan and lints it; whatever is wrong with it is in the answer.
///
/// # Errors
/// Why the main file cannot be read.
pub(crate) fn lint_plan(
    disk: &dyn Disk,
    environment: &Environment,
    path: &Path,
    contacts: Option<&plan::Contacts>,
) -> Result<plan::Linted, String> {
    let text = read_text(disk, path).map_err(|why| unreadable(path, &why))?;
    let name = path.display().to_string();
    let mut sources = Outside { disk, environment };
    Ok(plan::lint_files(&name, &text, contacts, &mut sources))
}

/// Reads a contacts file; the contacts, if nothing is wrong with it, and what was found, also as it is shown.
///
/// # Errors
/// Why the file cannot be read.
pub(crate) fn read_contacts(disk: &dyn Disk, path: &Path) -> Result<ContactsReading, String> {
    let text = read_text(disk, path).map_err(|why| unreadable(path, &why))?;
    let name = path.display().to_string();
    let (contacts, diagnostics) = plan::parse_contacts(&name, &text);
    Ok(ContactsReading {
        contacts,
        shown: plan::render(&diagnostics, &text, &name),
        diagnostics,
    })
}

/// What came of reading a contacts file.
pub(crate) struct ContactsReading {
    /// The contacts, when no diagnostic is an error.
    pub(crate) contacts: Option<plan::Contacts>,
    /// Everything that was found.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The same over the lines that it is about.
    pub(crate) shown: String,
}

struct Outside<'a> {
    disk: &'a dyn Disk,
    environment: &'a Environment,
}

impl Sources for Outside<'_> {
    fn file(&mut self, name: &str) -> Result<String, String> {
        read_text(self.disk, name.as_ref())
    }

    fn variable(&mut self, name: &str) -> Option<String> {
        (self.environment)(name)
    }
}

/// The text of a file; why there is none, in words that go on after its name.
fn read_text(disk: &dyn Disk, path: &Path) -> Result<String, String> {
    // One byte more than is taken tells a text that is too long; the reader of plans says so.
    let bytes = disk
        .read_at(path, 0, TEXT_BYTES_MAX + 1)
        .map_err(|error| error.to_string())?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn unreadable(path: &Path, why: &str) -> String {
    format!("cannot read {}: {why}", path.display())
}
