//! What the tests need beside the compilers: Chromium for the pages, promtool as the judge of our metrics, and a Prometheus
//! and amtool that use Belfry as their Alertmanager.
//!
//! Chromium is installed as a Debian package, since it needs many libraries. The others are taken out of Debian's packages
//! without installing them: installing would start servers on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::repository;

/// Set to 1 to go without Chromium, and without the checks that need it.
pub(crate) const SKIP_BROWSER: &str = "BELFRY_SKIP_BROWSER";
const CHROMIUM_NAMES: [&str; 2] = ["chromium", "chromium-browser"];
/// Programs and the Debian packages that hold them.
const FETCHED: [(&str, &str); 3] = [
    ("promtool", "prometheus"),
    ("prometheus", "prometheus"),
    ("amtool", "prometheus-alertmanager"),
];

/// Makes sure that all are there.
pub(crate) fn install() -> Result<ExitCode> {
    let root = repository::root()?;
    for (name, package) in FETCHED {
        match program(&root, name)? {
            Some(path) => println!("{name}: {}", path.display()),
            None => fetch(&root, name, package)?,
        }
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

/// promtool, prometheus or amtool from the machine, or the one that was fetched.
pub(crate) fn program(root: &Path, name: &str) -> Result<Option<PathBuf>> {
    let fetched = tools_folder(root)?.join("usr/bin").join(name);
    Ok(in_path(name).or_else(|| fetched.is_file().then_some(fetched)))
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

fn fetch(root: &Path, name: &str, package: &str) -> Result<()> {
    let folder = tools_folder(root)?;
    println!("{name}: taking it out of Debian's {package} package (nothing is installed)");
    if in_path("apt-get").is_none() || in_path("dpkg-deb").is_none() {
        bail!("{name} is missing: install {package} and put {name} into PATH");
    }
    fs::create_dir_all(&folder)?;
    if download(&folder, package).is_err() && is_root() {
        // A fresh container has no package lists.
        apt(&["update"], &folder)?;
    }
    download(&folder, package).context("sudo apt-get update, then `make test` again")?;
    let file = downloaded(&folder, package)?;
    let mut extract = Command::new("dpkg-deb");
    repository::must_succeed(extract.arg("-x").arg(&file).arg(&folder))?;
    fs::remove_file(&file)?;
    Ok(())
}

fn download(folder: &Path, package: &str) -> Result<()> {
    match downloaded(folder, package) {
        Ok(_) => Ok(()),
        Err(_) => apt(&["download", package], folder),
    }
}

/// The file of a package: its name, an underscore, its version.
fn downloaded(folder: &Path, package: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let of_package = name
            .strip_prefix(package)
            .is_some_and(|rest| rest.starts_with('_'));
        if of_package && path.extension().is_some_and(|extension| extension == "deb") {
            return Ok(path);
        }
    }
    bail!("no {package} package in {}", folder.display())
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
