//! Puts the revision that is being built into the program, for `app_build_info` and for "which deployment was that?".
//!
//! From the variable BUILD_REVISION, else from the checkout's own files: no git program is needed, and a source archive
//! without either says `unknown`.

use std::path::Path;

#[expect(
    clippy::disallowed_methods,
    reason = "a build script runs in no world: it reads the checkout that it builds"
)]
fn main() {
    println!("cargo:rerun-if-env-changed=BUILD_REVISION");
    let git = Path::new("../../.git");
    println!("cargo:rerun-if-changed={}", git.join("HEAD").display());
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let from_checkout = || {
        let head = read(&git.join("HEAD"))?;
        let Some(reference) = head.trim().strip_prefix("ref: ") else {
            return Some(head.trim().to_owned());
        };
        let path = git.join(reference);
        println!("cargo:rerun-if-changed={}", path.display());
        Some(read(&path)?.trim().to_owned())
    };
    let revision = std::env::var("BUILD_REVISION")
        .ok()
        .filter(|revision| !revision.is_empty())
        .or_else(from_checkout)
        .unwrap_or_else(|| "unknown".to_owned());
    let short: String = revision.chars().take(12).collect();
    println!("cargo:rustc-env=BUILD_REVISION={short}");
}
