//! Local programs as functions, by the name that the request gives them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::{BoxFuture, CommandError, CommandOutput, CommandRequest, Commands};

type Program = Arc<
    dyn Fn(CommandRequest) -> BoxFuture<'static, Result<CommandOutput, CommandError>> + Send + Sync,
>;

/// Programs by name. One that is not there is not found.
#[derive(Default)]
pub struct SimCommands {
    programs: Mutex<BTreeMap<String, Program>>,
}

impl SimCommands {
    /// Lets the program `name` be played by `program`, replacing an earlier one. It need not keep to the request's bounds.
    pub fn install<F>(&self, name: &str, program: F)
    where
        F: Fn(CommandRequest) -> BoxFuture<'static, Result<CommandOutput, CommandError>>
            + Send
            + Sync
            + 'static,
    {
        self.lock().insert(name.to_owned(), Arc::new(program));
    }

    /// Takes a program away.
    pub fn uninstall(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Program>> {
        self.programs
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Commands for SimCommands {
    fn run(&self, request: CommandRequest) -> BoxFuture<'_, Result<CommandOutput, CommandError>> {
        Box::pin(async move {
            let Some(name) = request.argv.first() else {
                let why = "no program is named".to_owned();
                return Err(CommandError::Refused(why));
            };
            let program = self.lock().get(name).cloned();
            let program = program.ok_or_else(|| CommandError::NotFound(name.clone()))?;
            let (bound, max) = (request.timeout, request.output_max);
            let mut output = match crate::timeout(bound, program(request)).await {
                Ok(outcome) => outcome?,
                Err(crate::Elapsed) => return Err(CommandError::TimedOut(bound)),
            };
            output.stdout_truncated |= output.stdout.len() > max;
            output.stdout.truncate(max);
            output.stderr_truncated |= output.stderr.len() > max;
            output.stderr.truncate(max);
            Ok(output)
        })
    }
}
