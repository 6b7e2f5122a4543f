//! promtool and `belfry test` give the same verdicts on the same files: a corpus of test files that pass or must not.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The test files, by name.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/promtool");
    let listed = std::fs::read_dir(folder).unwrap();
    let paths = listed.map(|entry| entry.unwrap().path());
    let is_test = |path: &PathBuf| path.to_string_lossy().ends_with(".test.yaml");
    let mut cases: Vec<PathBuf> = paths.filter(is_test).collect();
    cases.sort();
    cases
}

/// A file that begins with `pass` is expected to pass, any other to fail.
fn is_expected_to_pass(case: &Path) -> bool {
    let name = case.file_name().unwrap().to_string_lossy();
    name.starts_with("pass")
}

fn passes(program: &mut Command, case: &Path) -> (bool, String) {
    let output = program.arg(case).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn belfry_judges_as_expected() {
    let cases = cases();
    assert!(
        cases.len() >= 12,
        "the corpus has shrunk to {}",
        cases.len()
    );
    for case in cases {
        let mut belfry = Command::new(env!("CARGO_BIN_EXE_belfry"));
        let (passes, said) = passes(belfry.arg("test"), &case);
        assert_eq!(
            passes,
            is_expected_to_pass(&case),
            "{}: {said}",
            case.display()
        );
    }
}

#[test]
fn promtool_judges_alike() {
    let Some(promtool) = tool("usr/bin/promtool") else {
        return;
    };
    for case in cases() {
        let mut promtool = Command::new(&promtool);
        let (passes, said) = passes(promtool.args(["test", "rules"]), &case);
        assert_eq!(
            passes,
            is_expected_to_pass(&case),
            "{}: {said}",
            case.display()
        );
    }
}

/// Something that `make test` fetches. Where `BELFRY_TOOLS` says that it must be there, it is.
fn tool(place: &str) -> Option<PathBuf> {
    let named = std::env::var_os("BELFRY_TOOLS").map(PathBuf::from);
    let is_needed = named.is_some();
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let found = named.unwrap_or_else(beside).join(place);
    assert!(found.exists() || !is_needed, "no {}", found.display());
    if !found.exists() {
        eprintln!(
            "SKIPPED: no {}; `cargo run -p xtask -- tools` fetches it",
            found.display()
        );
        return None;
    }
    Some(found)
}
