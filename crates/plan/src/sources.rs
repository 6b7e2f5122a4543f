//! What a plan is read from besides its own text, and what comes of reading it.

use crate::render::render_files;
use crate::{Diagnostic, Plan};

/// Where a plan's reader gets what stands outside its main text. This crate opens nothing and asks nothing itself.
pub trait Sources {
    /// The text of a file by its name: the main file's name with an included path put in the place of its last part.
    ///
    /// # Errors
    /// Why there is none, in a few words.
    fn file(&mut self, name: &str) -> Result<String, String>;

    /// The value of an environment variable; `None` when it is not set.
    fn variable(&mut self, name: &str) -> Option<String>;
}

/// A text that is read alone: it can include nothing, and no variable is set.
pub(crate) struct Alone;

impl Sources for Alone {
    fn file(&mut self, _: &str) -> Result<String, String> {
        Err("this text is read without others".to_owned())
    }

    fn variable(&mut self, _: &str) -> Option<String> {
        None
    }
}

/// One of a plan's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFile {
    /// What diagnostics call it.
    pub name: String,
    /// Its text, without values from the environment.
    pub text: String,
}

/// What came of reading a plan.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The plan, when no diagnostic is an error.
    pub plan: Option<Plan>,
    /// Everything that was found, file by file in the order of their texts.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that could be read, the main one first. A [`Location`](crate::Location) gives an index into these.
    pub files: Vec<PlanFile>,
}

impl Reading {
    /// The diagnostics over the lines that they are about.
    pub fn render(&self) -> String {
        render_files(&self.diagnostics, &self.files)
    }
}
