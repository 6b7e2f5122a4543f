//! Local programs: a step of a procedure, a channel that is a command.
//!
//! No shell, because what an alert's labels hold would then be program text. A program gets a process group of its own,
//! and the whole group ends with the call (at its time bound, when the program ends, when the caller goes away), because a
//! child that it left behind would hold the pipes and run on unseen. What leaves the group on purpose (`setsid`) is not
//! followed.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::BoxFuture;

/// How long output is still read once the program has ended: what it wrote is in the pipes already, and a descendant that
/// left the group may keep them open for ever.
const LINGER: Duration = Duration::from_millis(500);

/// How much is read at once: a pipe's usual capacity.
const READ_BYTES: usize = 64 * 1024;

/// One run of a local program.
#[derive(Clone)]
pub struct CommandRequest {
    /// The program and its arguments; at least one. A program without a slash is looked for in `PATH`.
    pub argv: Vec<String>,
    /// What it reads on its standard input.
    pub stdin: Bytes,
    /// Its environment, beside `PATH`: nothing else of ours, which may hold secrets.
    pub environment: Vec<(String, String)>,
    /// The bound for the whole run.
    pub timeout: Duration,
    /// How much of each of its two outputs is kept, in bytes. The rest is read and dropped, so that it never blocks.
    pub output_max: usize,
}

/// How a program ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// Whether it says that all went well.
    pub fn is_success(self) -> bool {
        self == Exit::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exit code {code}"),
            Exit::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// What a program that ended left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// How it ended.
    pub exit: Exit,
    /// The beginning of its standard output.
    pub stdout: Bytes,
    /// Whether there was more of it.
    pub stdout_truncated: bool,
    /// The beginning of its standard error.
    pub stderr: Bytes,
    /// Whether there was more of it.
    pub stderr_truncated: bool,
}

/// Why a program did not run to its end. Only [`CommandError::TimedOut`] and [`CommandError::System`] are worth a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// There is no such program: fix the plan or the machine.
    NotFound(String),
    /// It may not be run, or the request is invalid: fix the plan or the machine.
    Refused(String),
    /// It did not end in time and was killed, with all its children.
    TimedOut(Duration),
    /// The machine could not run it (no process, no memory).
    System(String),
}

impl CommandError {
    /// A short fixed word for metrics labels.
    pub fn reason(&self) -> &'static str {
        match self {
            CommandError::NotFound(_) => "not_found",
            CommandError::Refused(_) => "refused",
            CommandError::TimedOut(_) => "timeout",
            CommandError::System(_) => "system",
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::NotFound(program) => write!(f, "there is no program {program}"),
            CommandError::Refused(why) => write!(f, "the program cannot be run: {why}"),
            CommandError::TimedOut(bound) => {
                write!(f, "did not end within {} ms; killed", bound.as_millis())
            }
            CommandError::System(why) => write!(f, "the machine could not run it: {why}"),
        }
    }
}

impl std::error::Error for CommandError {}

/// Runs local programs.
pub trait Commands: Send + Sync {
    /// Runs one program to its end. Whatever its exit code, an end is an `Ok`. Dropping the future kills it.
    fn run(&self, request: CommandRequest) -> BoxFuture<'_, Result<CommandOutput, CommandError>>;
}

/// The machine's programs.
pub struct OsCommands {
    path: Option<OsString>,
}

impl Default for OsCommands {
    /// Takes `PATH` from the environment as it is now.
    fn default() -> OsCommands {
        OsCommands {
            path: std::env::var_os("PATH"),
        }
    }
}

impl Commands for OsCommands {
    fn run(&self, request: CommandRequest) -> BoxFuture<'_, Result<CommandOutput, CommandError>> {
        Box::pin(async move {
            let bound = request.timeout;
            let (mut child, mut group) = self.start(&request)?;
            // The group is killed when `follow` is dropped half-way or the bound passes; `group` sees to it.
            let followed = follow(&mut child, &mut group, request.stdin, request.output_max);
            match crate::timeout(bound, followed).await {
                Ok(Ok(output)) => Ok(output),
                Ok(Err(error)) => Err(CommandError::System(error.to_string())),
                Err(crate::Elapsed) => {
                    group.kill();
                    // A killed process ends at once; it is reaped here so that no zombie stays.
                    let _ = crate::timeout(LINGER, child.wait()).await;
                    Err(CommandError::TimedOut(bound))
                }
            }
        })
    }
}

impl OsCommands {
    fn start(&self, request: &CommandRequest) -> Result<(Child, Group), CommandError> {
        let (program, arguments) = request
            .argv
            .split_first()
            .ok_or_else(|| CommandError::Refused("no program is named".to_owned()))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.path.iter().map(|path| ("PATH", path)))
            .envs(
                request
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CommandError::NotFound(program.clone()),
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => {
                CommandError::Refused(error.to_string())
            }
            _ => CommandError::System(error.to_string()),
        })?;
        let leader = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok((child, Group { leader }))
    }
}

/// A process group that is killed when this is dropped.
struct Group {
    leader: Option<Pid>,
}

impl Group {
    /// Kills what is left of the group, once.
    fn kill(&mut self) {
        if let Some(leader) = self.leader.take() {
            // Fails only when nothing is left of it.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Feeds a program, reads what it writes and waits for its end.
async fn follow(
    child: &mut Child,
    group: &mut Group,
    stdin: Bytes,
    output_max: usize,
) -> io::Result<CommandOutput> {
    let (mut to_stdin, from_stdout, from_stderr) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut stdout = Kept::up_to(output_max);
    let mut stderr = Kept::up_to(output_max);
    let (ended, has_ended) = tokio::sync::oneshot::channel();
    let waiting = async {
        let status = child.wait().await;
        // The leader's number is free from here on, but only a group without members can give it back: either somebody is
        // left and the number is still this group's, or nobody is and there is nothing to kill.
        group.kill();
        let _ = ended.send(());
        status
    };
    let exchanging = async {
        let feeding = async {
            if let Some(mut pipe) = to_stdin.take() {
                // A program need not read what it is given.
                let _ = pipe.write_all(&stdin).await;
            }
        };
        tokio::join!(feeding, stdout.read(from_stdout), stderr.read(from_stderr));
    };
    let lingering = async {
        let _ = has_ended.await;
        tokio::time::sleep(LINGER).await;
    };
    let bounded = async {
        tokio::select! {
            // All that was written, if it comes; the pause is for pipes that somebody keeps open.
            biased;
            () = exchanging => {}
            () = lingering => {}
        }
    };
    let (status, ()) = tokio::join!(waiting, bounded);
    Ok(CommandOutput {
        exit: exit(status?),
        stdout: stdout.bytes.into(),
        stdout_truncated: stdout.truncated,
        stderr: stderr.bytes.into(),
        stderr_truncated: stderr.truncated,
    })
}

fn exit(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

/// The beginning of an output.
struct Kept {
    bytes: Vec<u8>,
    max: usize,
    truncated: bool,
}

impl Kept {
    fn up_to(max: usize) -> Kept {
        Kept {
            bytes: Vec::new(),
            max,
            truncated: false,
        }
    }

    /// Reads to the end, keeping what fits.
    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = vec![0; READ_BYTES];
        // A broken pipe is an end like any other.
        while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
            let kept = length.min(self.max - self.bytes.len());
            self.bytes.extend_from_slice(&buffer[..kept]);
            self.truncated |= kept < length;
        }
    }
}
