//! Flags of xtask's own commands: `--name value` and `--name`. A parser library would cost more build time than these
//! twenty lines, and `make` waits for xtask before anything else starts.

use std::str::FromStr;

use anyhow::{Context, Result, bail};

/// What is left of the command line.
pub(crate) struct Arguments {
    words: Vec<String>,
}

impl Arguments {
    pub(crate) fn new(words: impl Iterator<Item = String>) -> Arguments {
        Arguments {
            words: words.collect(),
        }
    }

    /// Takes `--name`.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        let at = self.words.iter().position(|word| word == name);
        at.map(|at| self.words.remove(at)).is_some()
    }

    /// Takes `--name value`, or the default.
    pub(crate) fn value<T>(&mut self, name: &str, default: T) -> Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let Some(at) = self.words.iter().position(|word| word == name) else {
            return Ok(default);
        };
        self.words.remove(at);
        if at == self.words.len() {
            bail!("{name} needs a value");
        }
        let text = self.words.remove(at);
        text.parse()
            .with_context(|| format!("{name} {text} cannot be read"))
    }

    /// Refuses what nothing took.
    pub(crate) fn done(self) -> Result<()> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => bail!("`{word}` is not understood here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_taken_in_any_order() {
        let mut given = arguments("--release --seconds 20");
        assert_eq!(given.value("--seconds", 1_u64).unwrap(), 20);
        assert_eq!(given.value("--rate", 7_u64).unwrap(), 7);
        assert!(given.switch("--release"));
        assert!(given.done().is_ok());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(arguments("--fast").done().is_err());
        assert!(arguments("--rate").value("--rate", 1_u64).is_err());
        assert!(arguments("--rate much").value("--rate", 1_u64).is_err());
    }
}
