//! What the tests need beside the compilers: Chromium for the pages, promtool as the judge of our metrics, a Prometheus and
//! amtool that use Belfry as their Alertmanager, an Alertmanager and a mail server (aiosmtpd) that take its pages, and
//! exporters of which Belfry knows nothing (a machine's, Redis').
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

/// Programs that a newcomer wants to watch, in the tools folder, and their packages.
const EXPORTERS: [(&str, &str); 3] = [
    ("prometheus-node-exporter", "prometheus-node-exporter"),
    ("prometheus-redis-exporter", "prometheus-redis-exporter"),
    ("redis-server", "redis-server"),
];
/// What redis-server is linked with, by its beginning in a library folder, and the packages.
const REDIS_LIBRARIES: [(&str, &str); 5] = [
    ("libatomic.so", "libatomic1"),
    ("libjemalloc.so", "libjemalloc2"),
    ("liblzf.so", "liblzf1"),
    ("libssl.so", "libssl3"),
    ("libsystemd.so", "libsystemd0"),
];
/// In redis-tools, whose `redis-check-rdb` is the program that `redis-server` links to.
const REDIS_PROGRAM: (&str, &str) = ("usr/bin/redis-check-rdb", "redis-tools");

/// Where tests find what lies in the tools folder, and what turns "not there, skipped" into a failure.
pub(crate) const TOOLS: &str = "BELFRY_TOOLS";

/// Alertmanager, in the tools folder, and its package.
const ALERTMANAGER: (&str, &str) = ("usr/bin/prometheus-alertmanager", "prometheus-alertmanager");
/// aiosmtpd and what it needs, in Python's folder below the tools folder, and their packages. None has compiled parts.
const PYTHON_FOLDER: &str = "usr/lib/python3/dist-packages";
const AIOSMTPD: [(&str, &str); 3] = [
    ("aiosmtpd", "python3-aiosmtpd"),
    ("attr", "python3-attr"),
    ("public", "python3-public"),
];

/// Where Debian's Alertmanager looks for its templates, and the same relative to the folder that it is started in. Both have
/// one length, so that one can be written over the other.
const TEMPLATES: &[u8] = b"/usr/share/prometheus/alertmanager";
const OWN_TEMPLATES: &[u8] = b"usr/share//prometheus/alertmanager";

/// Makes sure that all are there.
pub(crate) fn install() -> Result<ExitCode> {
    let root = repository::root()?;
    for (name, package) in FETCHED {
        match program(&root, name)? {
            Some(path) => println!("{name}: {}", path.display()),
            None => fetch(&root, name, package)?,
        }
    }
    install_receivers(&root)?;
    install_exporters(&root)?;
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

/// The folder of what was fetched.
pub(crate) fn tools_folder(root: &Path) -> Result<PathBuf> {
    Ok(repository::target_folder(root)?.join("tools"))
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// What pages are sent to. Taken from the tools folder only: tests start them there.
fn install_receivers(root: &Path) -> Result<()> {
    let folder = tools_folder(root)?;
    if in_path("python3").is_none() {
        bail!("the tests of mail need python3");
    }
    let python = folder.join(PYTHON_FOLDER);
    for (name, package) in AIOSMTPD {
        if !python.join(name).is_dir() {
            fetch(root, name, package)?;
        }
    }
    println!("aiosmtpd: {}", python.display());
    let (place, package) = ALERTMANAGER;
    let alertmanager = folder.join(place);
    if !alertmanager.is_file() {
        fetch(root, "alertmanager", package)?;
    }
    if let Some(changed) = with_own_templates(fs::read(&alertmanager)?) {
        // Beside it and then over it: a copy that was written half would never be written again.
        let beside = alertmanager.with_extension("new");
        fs::copy(&alertmanager, &beside)?;
        fs::write(&beside, changed)?;
        fs::rename(&beside, &alertmanager)?;
    }
    println!("alertmanager: {}", alertmanager.display());
    Ok(())
}

/// What `belfry init` is tried on. Taken from the tools folder only: their packages would start them.
fn install_exporters(root: &Path) -> Result<()> {
    let folder = tools_folder(root)?;
    let (program, package) = REDIS_PROGRAM;
    if !folder.join(program).is_file() {
        fetch(root, package, package)?;
    }
    for (name, package) in EXPORTERS {
        let program = folder.join("usr/bin").join(name);
        if fs::symlink_metadata(&program).is_err() {
            fetch(root, name, package)?;
        }
        println!("{name}: {}", program.display());
    }
    for (library, package) in REDIS_LIBRARIES {
        if !library_folders(&folder).any(|place| holds(&place, library)) {
            fetch(root, library, package)?;
        }
    }
    Ok(())
}

/// Where fetched libraries lie, as `LD_LIBRARY_PATH` wants it.
pub(crate) fn libraries(folder: &Path) -> Result<std::ffi::OsString> {
    Ok(std::env::join_paths(library_folders(folder))?)
}

/// The folders of this machine's kind (`x86_64-linux-gnu`), whatever it is.
fn library_folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let roots = ["usr/lib", "lib"].map(|place| folder.join(place));
    let inside = roots.into_iter().filter_map(|root| fs::read_dir(root).ok());
    inside
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir() && path.to_string_lossy().ends_with("linux-gnu"))
}

fn holds(folder: &Path, beginning: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .any(|name| name.to_string_lossy().starts_with(beginning))
}

/// The program with the relative path, where it still has the absolute one, which is there only once the package is
/// installed.
fn with_own_templates(mut program: Vec<u8>) -> Option<Vec<u8>> {
    let mut changed = false;
    let mut at = 0;
    while let Some(found) = find(&program[at..], TEMPLATES) {
        at += found;
        program[at..at + TEMPLATES.len()].copy_from_slice(OWN_TEMPLATES);
        changed = true;
    }
    changed.then_some(program)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_changed_once_and_keeps_its_length() {
        assert_eq!(TEMPLATES.len(), OWN_TEMPLATES.len());
        let program =
            b"a/usr/share/prometheus/alertmanager/ui\0/usr/share/prometheus/alertmanager".to_vec();
        let length = program.len();
        let changed = with_own_templates(program).unwrap();
        assert_eq!(changed.len(), length);
        assert!(changed.starts_with(b"ausr/share//prometheus/alertmanager/ui\0usr/share//prom"));
        assert_eq!(with_own_templates(changed), None);
    }
}
