//! The formatter: its corpus, and what must hold for every text. `UPDATE_EXPECT=1` writes the corpus's answers anew.

#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the source tree, and a developer may write it anew"
)]

use std::path::{Path, PathBuf};

use plan::{Code, FormatError};

/// A text of the corpus beside what becomes of it.
#[test]
fn the_corpus_becomes_what_stands_beside_it() {
    let cases = files("testdata/format");
    assert!(
        cases.len() >= 10,
        "the corpus has shrunk to {}",
        cases.len()
    );
    for case in cases {
        let answer = match plan::format("case.yaml", &read(&case)) {
            Ok(text) => text,
            Err(error) => format!("{error}\n"),
        };
        let beside = case.with_extension("formatted");
        if std::env::var("UPDATE_EXPECT").is_ok() {
            std::fs::write(&beside, &answer).expect("the source tree can be written");
        }
        assert_eq!(answer, read(&beside), "{}", case.display());
    }
}

#[test]
fn the_plans_of_the_repository_have_the_form() {
    for folder in ["../../plans", "src/grammar"] {
        for path in files(folder) {
            let text = read(&path);
            let name = path.display().to_string();
            let formatted = plan::format(&name, &text).expect("the text can be formatted");
            let lines = text.lines().zip(formatted.lines());
            let differs = lines.into_iter().find(|(own, new)| own != new);
            assert_eq!(differs, None, "{name}");
            assert_eq!(text, formatted, "{name}");
        }
    }
}

/// Every text of the repository that is YAML, right or wrong as a plan: formatted once is formatted for good.
#[test]
fn formatting_twice_changes_nothing_more() {
    let mut formatted = 0;
    for path in [files("testdata/reject"), files("testdata/format")].concat() {
        formatted += usize::from(check(&path.display().to_string(), &read(&path)));
    }
    for code in Code::ALL {
        for block in code
            .page()
            .split("```")
            .filter(|part| part.starts_with("yaml"))
        {
            let text = block.split_once('\n').map_or("", |(_, text)| text);
            formatted += usize::from(check(code.as_str(), text));
        }
    }
    assert!(
        formatted >= 190,
        "only {formatted} texts could be formatted"
    );
}

/// Whether the text could be formatted; what comes out must come out of itself.
fn check(name: &str, text: &str) -> bool {
    match plan::format(name, text) {
        Ok(once) => {
            assert_eq!(plan::format(name, &once), Ok(once.clone()), "{name}");
            true
        }
        Err(FormatError::WouldChange) => panic!("{name}: the formatter made a mistake"),
        Err(FormatError::Unreadable(_) | FormatError::Unfamiliar { .. }) => false,
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("the corpus is part of the source tree");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|own| own == "yaml"))
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
