//! `make test`: every check in order, the quick ones first, up to the first stage that fails. The last line sums up what
//! the stages counted, whatever happened, because that line is what a CI runner reads.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::counts::{Counts, Report};
use crate::{repository, tools, web_app};

/// Where tests find what lies beside the checkout, and what turns "not there, skipped" into a failure.
const SHARED: &str = "BELFRY_SHARED";

struct Stage {
    title: &'static str,
    command: Command,
    report: Report,
}

/// Runs the stages and prints the sum.
pub(crate) fn run() -> Result<ExitCode> {
    let root = repository::root()?;
    let mut all = Counts::default();
    let mut broken = None;
    for stage in stages(&root)? {
        let title = stage.title;
        let (succeeded, mut counts) = perform(stage)?;
        if !succeeded {
            // A stage without counts of its own is one check, and so is a tool that died before it could count.
            counts.failed = counts.failed.max(1);
            broken = Some(title);
        }
        all += counts;
        if !succeeded {
            break;
        }
    }
    if let Some(title) = broken {
        println!("\nstopped at the stage that failed: {title}");
    }
    println!("{} passed, {} failed", all.passed, all.failed);
    Ok(ExitCode::from(u8::from(broken.is_some())))
}

fn stages(root: &Path) -> Result<Vec<Stage>> {
    let ui = web_app::folder(root);
    let mut stages = vec![
        xtask("what the tests need", &["tools"], Report::None)?,
        cargo("format", &["fmt", "--all", "--check"], Report::None),
        xtask("rules on the sources", &["tidy"], Report::None)?,
        xtask("web app: install and build", &["web-app"], Report::None)?,
        npm("web app: types", &ui, &["run", "check"], Report::None),
    ];
    if ui.join("tests").is_dir() {
        stages.push(npm("web app: tests", &ui, &["test"], Report::NodeTest));
    }
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    stages.push(cargo("lints", &clippy, Report::None));
    stages.push(if has_nextest() {
        cargo("tests", &["nextest", "run", "--workspace"], Report::Nextest)
    } else {
        let plain = ["test", "--workspace", "--all-targets"];
        cargo("tests", &plain, Report::CargoTest)
    });
    let documented = ["test", "--workspace", "--doc"];
    stages.push(cargo(
        "examples in the documentation",
        &documented,
        Report::CargoTest,
    ));
    stages.push(xtask(
        "both programs from outside",
        &["e2e"],
        Report::Plain,
    )?);
    if std::env::var_os(SHARED).is_none()
        && let Some(shared) = beside(root)
    {
        for stage in &mut stages {
            stage.command.env(SHARED, &shared);
        }
    }
    let fetched = tools::tools_folder(root)?;
    for stage in &mut stages {
        stage.command.env(tools::TOOLS, &fetched);
    }
    Ok(stages)
}

/// The folder that is given to every checkout, where there is one.
fn beside(root: &Path) -> Option<PathBuf> {
    let shared = root.parent()?.join("shared");
    shared.is_dir().then_some(shared)
}

fn xtask(title: &'static str, arguments: &[&str], report: Report) -> Result<Stage> {
    let mut command = Command::new(std::env::current_exe().context("our own program")?);
    command.args(arguments);
    Ok(Stage {
        title,
        command,
        report,
    })
}

fn cargo(title: &'static str, arguments: &[&str], report: Report) -> Stage {
    let mut command = Command::new(repository::cargo());
    command.args(arguments);
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    Stage {
        title,
        command,
        report,
    }
}

fn npm(title: &'static str, folder: &Path, arguments: &[&str], report: Report) -> Stage {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder);
    Stage {
        title,
        command,
        report,
    }
}

fn has_nextest() -> bool {
    let mut version = Command::new(repository::cargo());
    version
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs one stage, repeats what it prints and counts from it.
fn perform(mut stage: Stage) -> Result<(bool, Counts)> {
    println!("\n=== {}", stage.title);
    let started = Instant::now();
    let mut child = stage
        .command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} cannot be started", stage.title))?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender.clone());
    }
    drop(sender);
    let mut counts = Counts::default();
    for line in lines {
        println!("{line}");
        counts += stage.report.read(&line);
    }
    let succeeded = child.wait()?.success();
    let outcome = if succeeded { "ok" } else { "FAILED" };
    let seconds = started.elapsed().as_secs_f64();
    println!("--- {}: {outcome} in {seconds:.0} s", stage.title);
    Ok((succeeded, counts))
}

fn forward(from: impl Read + Send + 'static, to: mpsc::Sender<String>) {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while from
            .read_until(b'\n', &mut bytes)
            .is_ok_and(|read| read > 0)
        {
            let line = String::from_utf8_lossy(&bytes);
            if to
                .send(line.trim_end_matches(['\n', '\r']).to_owned())
                .is_err()
            {
                return;
            }
            bytes.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, report: Report) -> (bool, Counts) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        perform(Stage {
            title: "sample",
            command,
            report,
        })
        .unwrap()
    }

    #[test]
    fn counts_come_from_both_outputs_and_failure_from_the_exit_code() {
        let both = "echo '2 passed, 0 failed'; echo '3 passed, 1 failed' >&2; exit 1";
        let (succeeded, counts) = shell(both, Report::Plain);
        assert!(!succeeded);
        assert_eq!((counts.passed, counts.failed), (5, 1));
        let (succeeded, counts) = shell("echo '2 passed, 0 failed'", Report::None);
        assert!(succeeded);
        assert_eq!(counts, Counts::default());
    }
}
