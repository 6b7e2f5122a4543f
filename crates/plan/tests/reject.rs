//! Broken plans and what is said about them: each `testdata/reject/NAME.yaml` with the expected lines in `NAME.expect`.
//! A new case is a new pair of files; `UPDATE_EXPECT=1 cargo test -p plan --test reject` writes the second.
//! Files that start with `contacts-` are contacts files, those with `warn-` are accepted with a warning.

use std::path::{Path, PathBuf};

use plan::{Code, Diagnostic};

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
    let name = file_name(case);
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
    let entries = std::fs::read_dir(folder)
        .expect("the corpus is part of the source tree")
        .map(|entry| entry.expect("the folder can be listed").path());
    let mut cases: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|own| own == "yaml"))
        .collect();
    cases.sort();
    cases
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

/// The reference explains every code.
#[test]
fn every_code_is_documented() {
    let page = include_str!("../../../docs/plan.md");
    for &code in Code::ALL {
        assert!(
            page.contains(&format!("| {code} |")) || page.contains(&format!("| [{code}](")),
            "docs/plan.md lacks {code}"
        );
    }
}
