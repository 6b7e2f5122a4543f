//! What the tests need beside the compilers: Chromium for the pages, promtool as the judge of our metrics.
//!
//! Chromium is installed as a Debian package, since it needs many libraries. promtool is taken out of Debian's prometheus
//! package without installing it: installing would start a Prometheus server on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::repository;

/// Set to 1 to go without Chromium, and without the checks that need it.
pub(crate) const SKIP_BROWSER: &str = "BELFRY_SKIP_BROWSER";
const CHROMIUM_NAMES: [&str; 2] = ["chromium", "chromium-browser"];

/// Makes sure that both are there.
pub(crate) fn install() -> Result<ExitCode> {
    let root = repository::root()?;
    match promtool(&root)? {
        Some(path) => println!("promtool: {}", path.display()),
        None => fetch_promtool(&root)?,
    }
    if skips_browser() {
        println!("chromium: NOT used, because {SKIP_BROWSER}=1; the pages stay untested");
        return Ok(ExitCode::SUCCESS);
    }
    match chromium() {
        Some(path) => println!("chromium: {}", path.display()),
        None => install_chromium()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// promtool from the machine, or the one that was fetched.
pub(crate) fn promtool(root: &Path) -> Result<Option<PathBuf>> {
    let fetched = tools_folder(root)?.join("usr/bin/promtool");
    Ok(in_path("promtool").or_else(|| fetched.is_file().then_some(fetched)))
}

/// The browser: the one that CHROMIUM names, or the machine's.
pub(crate) fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    named.or_else(|| CHROMIUM_NAMES.iter().find_map(|name| in_path(name)))
}

pub(crate) fn skips_browser() -> bool {
    std::env::var(SKIP_BROWSER).is_ok_and(|value| value == "1")
}

fn tools_folder(root: &Path) -> Result<PathBuf> {
    Ok(repository::target_folder(root)?.join("tools"))
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn fetch_promtool(root: &Path) -> Result<()> {
    let folder = tools_folder(root)?;
    println!("promtool: taking it out of Debian's prometheus package (nothing is installed)");
    if in_path("apt-get").is_none() || in_path("dpkg-deb").is_none() {
        bail!("promtool is missing: install the Prometheus tools and put promtool into PATH");
    }
    fs::create_dir_all(&folder)?;
    if download(&folder).is_err() && is_root() {
        // A fresh container has no package lists.
        apt(&["update"], &folder)?;
    }
    download(&folder).context("sudo apt-get update, then `make test` again")?;
    let package = downloaded(&folder)?;
    let mut extract = Command::new("dpkg-deb");
    repository::must_succeed(extract.arg("-x").arg(&package).arg(&folder))?;
    fs::remove_file(&package)?;
    Ok(())
}

fn download(folder: &Path) -> Result<()> {
    match downloaded(folder) {
        Ok(_) => Ok(()),
        Err(_) => apt(&["download", "prometheus"], folder),
    }
}

fn downloaded(folder: &Path) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            return Ok(path);
        }
    }
    bail!("no package in {}", folder.display())
}

fn install_chromium() -> Result<()> {
    let line = "sudo apt-get install --no-install-recommends chromium";
    if !is_root() || in_path("apt-get").is_none() {
        bail!(
            "the page tests need Chromium: {line}\n  (or CHROMIUM=/path/to/chromium; \
             {SKIP_BROWSER}=1 leaves these tests out)"
        );
    }
    println!("chromium: {line}");
    let install = ["install", "-y", "--no-install-recommends", "chromium"];
    let here = Path::new(".");
    if apt(&install, here).is_err() {
        apt(&["update"], here)?;
        apt(&install, here)?;
    }
    Ok(())
}

fn apt(arguments: &[&str], folder: &Path) -> Result<()> {
    let mut apt = Command::new("apt-get");
    apt.args(["-q", "-o", "APT::Sandbox::User=root"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .current_dir(folder);
    repository::must_succeed(&mut apt).with_context(|| format!("apt-get {}", arguments.join(" ")))
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
