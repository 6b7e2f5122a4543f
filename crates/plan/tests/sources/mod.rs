//! Files and an environment in memory, for tests that read plans of several files.

use std::collections::BTreeMap;

use plan::Sources;

/// What a plan can include, and the variables that are set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
}

impl Texts {
    /// These files, and an empty environment.
    pub(crate) fn of(files: &[(&str, &str)]) -> Texts {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Texts {
            files: files.collect(),
            ..Texts::default()
        }
    }

    /// The same with variables.
    pub(crate) fn with(mut self, variables: &[(&str, &str)]) -> Texts {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.environment.extend(variables);
        self
    }
}

impl Sources for Texts {
    fn file(&mut self, name: &str) -> Result<String, String> {
        self.files
            .get(name)
            .cloned()
            .ok_or_else(|| "there is no such file".to_owned())
    }

    fn variable(&mut self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}
