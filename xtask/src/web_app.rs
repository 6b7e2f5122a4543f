//! Belfry's web app: installed when its lock file changed, built when one of its files did. Both would be quick enough to
//! do always, but a rebuilt page is embedded again, and that means compiling and linking the monitor again.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::repository;

/// Where the app stands, from the root.
const FOLDER: &str = "crates/monitor/ui";
/// What the last install and the last build were made from. They lie in `node_modules`, so that they vanish with it.
const INSTALLED: &str = "node_modules/.installed-from";
const BUILT: &str = "node_modules/.built-from";

/// Installs and builds what is not up to date.
pub(crate) fn build() -> Result<ExitCode> {
    let folder = folder(&repository::root()?);
    let locked = digest(&folder, &["package-lock.json".to_owned()])?;
    if is_current(&folder.join(INSTALLED), &locked) {
        println!("web app: packages are those of package-lock.json");
    } else {
        println!("web app: npm ci");
        npm(&folder, &["ci", "--no-fund", "--no-audit"])?;
        fs::write(folder.join(INSTALLED), locked)?;
    }
    let sources = digest(&folder, &sources(&folder)?)?;
    let built = folder.join("dist/index.html").is_file();
    if built && is_current(&folder.join(BUILT), &sources) {
        println!("web app: dist/ is current");
    } else {
        println!("web app: npm run build");
        npm(&folder, &["run", "build"])?;
        fs::write(folder.join(BUILT), sources)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The app's folder.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join(FOLDER)
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut npm = Command::new("npm");
    repository::must_succeed(npm.args(arguments).current_dir(folder))
        .with_context(|| format!("npm {} in {FOLDER}", arguments.join(" ")))
}

fn is_current(stamp: &Path, digest: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == digest)
}

/// Files of the app that git knows or would take, from its folder.
fn sources(folder: &Path) -> Result<Vec<String>> {
    let prefix = format!("{FOLDER}/");
    let files = repository::files(&repository::root()?)?;
    let sources: Vec<String> = files
        .iter()
        .filter_map(|path| path.strip_prefix(&prefix))
        .map(str::to_owned)
        .collect();
    anyhow::ensure!(!sources.is_empty(), "{} is empty", folder.display());
    Ok(sources)
}

/// A digest of names and contents. It only has to notice edits, so the hash of std is good enough.
fn digest(folder: &Path, files: &[String]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in files {
        let bytes = fs::read(folder.join(path)).with_context(|| format!("{FOLDER}/{path}"))?;
        path.hash(&mut hasher);
        bytes.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_changes_the_digest() {
        let folder = std::env::temp_dir().join(format!("xtask-{}-digest", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let files = ["a.ts".to_owned()];
        fs::write(folder.join("a.ts"), "let a = 1;").unwrap();
        let before = digest(&folder, &files).unwrap();
        assert_eq!(digest(&folder, &files).unwrap(), before);
        fs::write(folder.join("a.ts"), "let a = 2;").unwrap();
        assert_ne!(digest(&folder, &files).unwrap(), before);
        fs::remove_file(folder.join("a.ts")).unwrap();
        assert!(digest(&folder, &files).is_err());
        let _ = fs::remove_dir(folder);
    }
}
