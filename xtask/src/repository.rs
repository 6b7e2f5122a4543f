//! Where the checkout is and what belongs to it, asked of git and cargo instead of guessed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Address of the service, as the plan names it.
pub(crate) const SERVICE_ADDRESS: &str = "127.0.0.1:8765";
/// Address of Belfry, as the plan names it.
pub(crate) const BELFRY_ADDRESS: &str = "127.0.0.1:9765";
/// The plan that `make run` runs, from the root.
pub(crate) const PLAN: &str = "plans/qr-service.yaml";

/// The checkout's root: the nearest folder upward that holds xtask. Found at run time, because a path from build time
/// would be wrong in a second checkout that shares the target folder.
pub(crate) fn root() -> Result<PathBuf> {
    let here = std::env::current_dir().context("no current folder")?;
    here.ancestors()
        .find(|folder| folder.join("xtask/Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .context("call xtask inside the checkout")
}

/// Committed files and those that are new and not ignored, so that a finding comes before the commit.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let listed = output(Command::new("git").args(arguments).current_dir(root))?;
    let mut files: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty() && root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// `cargo metadata` without dependencies.
pub(crate) fn metadata(root: &Path) -> Result<Value> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps"];
    let text = output(Command::new(cargo()).args(arguments).current_dir(root))?;
    serde_json::from_str(&text).context("cargo metadata did not answer with JSON")
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf> {
    let metadata = metadata(root)?;
    let folder = metadata["target_directory"].as_str();
    folder
        .map(PathBuf::from)
        .context("cargo metadata names no target folder")
}

/// The cargo that started us.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// The standard output of a command that must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command
        .output()
        .with_context(|| format!("{name} cannot be started"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("{name} failed ({}): {}", done.status, said.trim());
    }
    String::from_utf8(done.stdout).with_context(|| format!("{name} answered no UTF-8"))
}

/// Runs a command with our own terminal, so that its progress is seen.
pub(crate) fn must_succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("{name} cannot be started"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}
