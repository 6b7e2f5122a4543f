//! A program that we start, watch and drain. Its output goes straight into a file, so that it outlives us unharmed if we
//! are killed; what it says to people (lines that are not JSON) is repeated on the terminal from there.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http_client::Client;
use crate::signals::{self, StopRequests};

/// A log that is longer than this at a start is set aside: twice this is all that `make run` ever keeps.
const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How often a child and a signal are looked for: shorter than a person notices, longer than it costs.
const POLL: Duration = Duration::from_millis(100);
/// How long a program may take to drain. Three times what the slowest of its own bounds takes (10 s for a request).
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// How much of a log's end is shown when a program failed.
const TAIL_LINES: usize = 10;

pub(crate) struct Program {
    pub(crate) name: &'static str,
    child: Child,
    log: PathBuf,
    said: File,
    unfinished: String,
    status: Option<ExitStatus>,
}

impl Program {
    /// Starts it with its output in `log`.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Program> {
        set_aside(log)?;
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("{} cannot be written", log.display()))?;
        let mut said = File::open(log)?;
        said.seek(SeekFrom::End(0))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Program {
            name,
            child,
            log: log.to_path_buf(),
            said,
            unfinished: String::new(),
            status: None,
        })
    }

    /// Its exit status, once it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Waits until `path` answers 200.
    pub(crate) fn wait_ready(
        &mut self,
        address: SocketAddr,
        path: &str,
        patience: Duration,
        stop: &StopRequests,
    ) -> Result<()> {
        let started = Instant::now();
        let mut client = Client::new(address);
        while client.get(path).map(|answer| answer.status).ok() != Some(200) {
            self.repeat_what_it_says();
            if stop.asked() {
                bail!("stopped before {} was ready", self.name);
            }
            if let Some(status) = self.ended() {
                bail!("{} ended ({status}):\n{}", self.name, self.log_tail());
            }
            if started.elapsed() > patience {
                let seconds = patience.as_secs();
                bail!(
                    "{} did not answer 200 on {path} within {seconds} s:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            thread::sleep(POLL);
        }
        self.repeat_what_it_says();
        Ok(())
    }

    /// Tells it to finish what it has begun and waits; a program that does not end, or a second request to stop, is
    /// answered with SIGKILL. True if it ended well.
    pub(crate) fn drain(&mut self, stop: &StopRequests) -> bool {
        let asked_before = stop.count();
        let started = Instant::now();
        if self.ended().is_none() {
            signals::terminate(&self.child);
        }
        while self.ended().is_none() {
            let impatient = stop.count() > asked_before;
            if impatient || started.elapsed() > DRAIN_MAX {
                eprintln!("{} did not drain in time: killed", self.name);
                let _ = self.child.kill();
                let _ = self.child.wait();
                return false;
            }
            thread::sleep(POLL / 4);
        }
        self.repeat_what_it_says();
        self.status.is_some_and(|status| status.success())
    }

    /// Repeats new lines that are not JSON: JSON is the log, the rest is meant for whoever started the program.
    pub(crate) fn repeat_what_it_says(&mut self) {
        let mut bytes = Vec::new();
        if self.said.read_to_end(&mut bytes).is_err() {
            return;
        }
        self.unfinished.push_str(&String::from_utf8_lossy(&bytes));
        while let Some(end) = self.unfinished.find('\n') {
            let line: String = self.unfinished.drain(..=end).collect();
            if !line.starts_with('{') && !line.trim().is_empty() {
                // Most programs begin such a line with their name; the others get it from us.
                let line = line.trim_end();
                match line.starts_with(self.name) {
                    true => println!("  {line}"),
                    false => println!("  {}: {line}", self.name),
                }
            }
        }
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        let tail = lines[from..].join("\n  ");
        format!("  {tail}\n  (from {})", self.log.display())
    }
}

/// Nothing that we started outlives us when we fail, and even then it is asked first.
impl Drop for Program {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.drain(&StopRequests::default());
        }
    }
}

/// Waits a moment between two looks at children and signals.
pub(crate) fn pause() {
    thread::sleep(POLL);
}

/// A port of this machine that is free now. Another program may take it before ours does; then ours says so and fails.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

fn set_aside(log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let length = fs::metadata(log).map_or(0, |found| found.len());
    if length > LOG_BYTES_MAX {
        fs::rename(log, log.with_extension("log.1"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        let file = format!("xtask-{}-{name}.log", std::process::id());
        std::env::temp_dir().join(file)
    }

    fn shell(script: &str, name: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::start("sh", &mut command, &log(name)).unwrap()
    }

    #[test]
    fn a_program_is_told_to_drain_and_waited_for() {
        let stop = StopRequests::default();
        let mut program = shell(
            "trap 'echo drained; exit 0' TERM; echo up; while :; do sleep 0.05; done",
            "drain",
        );
        while !program.log_tail().contains("up") {
            pause();
        }
        assert!(program.ended().is_none());
        assert!(program.drain(&stop));
        assert!(program.log_tail().contains("drained"));
        let _ = fs::remove_file(log("drain"));
    }

    #[test]
    fn one_that_died_is_noticed_with_its_last_words() {
        let stop = StopRequests::default();
        let mut program = shell("echo the port is taken; exit 3", "died");
        let address = free_address().unwrap();
        let error = program
            .wait_ready(address, "/ready", Duration::from_secs(20), &stop)
            .unwrap_err()
            .to_string();
        assert!(error.contains("the port is taken"), "{error}");
        assert!(!program.drain(&stop));
        let _ = fs::remove_file(log("died"));
    }
}
