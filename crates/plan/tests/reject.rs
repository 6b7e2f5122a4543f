//! Broken plans and what is said about them: each `testdata/reject/NAME.yaml` with the expected lines in `NAME.expect`.
//! A new case is a new pair of files; `UPDATE_EXPECT=1 cargo test -p plan --test reject` writes the second.
//! Files that start with `contacts-` are contacts files, with `tests-` files of tests, with `rules-` rule files of
//! Prometheus; those with `warn-` are accepted with a warning.
//!
//! A case of several files is a folder with `main.yaml`, what it includes, and `main.expect`; an `environment` in it holds
//! variables, `NAME=value` a line.

mod sources;

use std::path::{Path, PathBuf};

use plan::{Code, Diagnostic};
use sources::Texts;

/// The main file of a case of several, and its variables.
const MAIN: &str = "main.yaml";
const ENVIRONMENT: &str = "environment";

#[test]
fn every_broken_plan_says_what_is_wrong() {
    let cases = cases();
    assert!(
        cases.len() >= 130,
        "the corpus has shrunk to {} cases",
        cases.len()
    );
    let wrong: Vec<String> = cases.iter().filter_map(|case| check(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A code that no case shows is a code that nobody has seen working.
#[test]
fn every_code_has_a_case() {
    let shown: Vec<Code> = cases()
        .iter()
        .flat_map(|case| diagnostics(case).into_iter().map(|found| found.code))
        .collect();
    for &code in Code::ALL {
        // Too large a text is made in `total.rs` rather than kept in a file; lint has cases of its own (`lint.rs`).
        assert!(
            code == Code::TextTooLarge || code.is_lint() || shown.contains(&code),
            "no case shows {code}"
        );
    }
}

fn check(case: &Path) -> Option<String> {
    let name = case_name(case);
    let found = diagnostics(case);
    let refused = found.iter().any(Diagnostic::is_error);
    if refused == name.starts_with("warn-") || found.is_empty() {
        return Some(format!(
            "{name}: refused: {refused}, diagnostics: {found:?}"
        ));
    }
    let lines = found.iter().map(|found| found.to_string().lines().count());
    if lines.max() != Some(1) {
        return Some(format!("{name}: a diagnostic has several lines: {found:?}"));
    }
    let said: String = found
        .iter()
        .map(|diagnostic| format!("{diagnostic}\n"))
        .collect();
    let expect_file = case.with_extension("expect");
    if updating() {
        write(&expect_file, &said);
        return None;
    }
    let expected = read(&expect_file);
    (said != expected).then(|| format!("{name}\n  expected:\n{expected}  found:\n{said}"))
}

fn diagnostics(case: &Path) -> Vec<Diagnostic> {
    let name = file_name(case);
    let text = read(case);
    let (accepted, found) = if name.starts_with("contacts-") {
        let (contacts, found) = plan::parse_contacts(&name, &text);
        (contacts.is_some(), found)
    } else if name == MAIN {
        let mut texts = texts(case.parent().expect("a case lies in a folder"));
        let reading = plan::parse_files(&name, &text, &mut texts);
        assert!(!reading.render().is_empty(), "{name}");
        (reading.plan.is_some(), reading.diagnostics)
    } else if name.starts_with("tests-") {
        let (tests, found) = plan::parse_tests(&name, &text);
        (tests.is_some(), found)
    } else if name.starts_with("rules-") {
        let (rules, found) = plan::parse_rules(&name, &text);
        (rules.is_some(), found)
    } else {
        let (plan, found) = plan::parse(&name, &text);
        (plan.is_some(), found)
    };
    let refused = found.iter().any(Diagnostic::is_error);
    assert_ne!(
        accepted, refused,
        "{name}: a value exactly when nothing is an error"
    );
    found
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/reject");
    let entries = listed(&folder)
        .into_iter()
        .map(|path| if path.is_dir() { path.join(MAIN) } else { path });
    entries
        .filter(|path| path.extension().is_some_and(|own| own == "yaml"))
        .collect()
}

/// What lies in a folder, sorted.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("the corpus is part of the source tree")
        .map(|entry| entry.expect("the folder can be listed").path());
    let mut paths: Vec<PathBuf> = entries.collect();
    paths.sort();
    paths
}

/// The files and the variables of a case of several files; those of one folder below, too.
fn texts(folder: &Path) -> Texts {
    let mut files = Vec::new();
    for path in listed(folder) {
        let name = file_name(&path);
        if path.is_file() {
            files.push((name, read(&path)));
            continue;
        }
        for below in listed(&path) {
            files.push((format!("{name}/{}", file_name(&below)), read(&below)));
        }
    }
    let named: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let mut texts = Texts::of(&named);
    let environment = texts.files.remove(ENVIRONMENT).unwrap_or_default();
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    texts.with(&variables.collect::<Vec<_>>())
}

/// What a case is called in the output of a failed test.
fn case_name(path: &Path) -> String {
    match file_name(path) {
        name if name == MAIN => {
            let folder = path.parent().expect("a case lies in a folder");
            format!("{}/{name}", file_name(folder))
        }
        name => name,
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .expect("a listed file has a name")
        .to_string_lossy()
        .into_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the source tree"
)]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "updating expectations writes the source tree"
)]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the source tree can be written");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch for the developer who updates the corpus"
)]
fn updating() -> bool {
    std::env::var("UPDATE_EXPECT").is_ok()
}
