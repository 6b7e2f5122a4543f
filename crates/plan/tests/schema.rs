//! The schemas against real texts: what Belfry takes they take, and what is wrong in its structure they refuse.

#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the source tree"
)]

mod checker;

use std::path::{Path, PathBuf};

use plan::Code;

use checker::Schema;

/// What is wrong with the structure of a text, as far as a schema can see.
const STRUCTURE: [Code; 4] = [
    Code::UnknownKey,
    Code::MissingKey,
    Code::WrongShape,
    Code::UnknownWord,
];

/// Cases with such a code that a schema cannot refuse, and why.
const BEYOND_A_SCHEMA: [(&str, &str); 6] = [
    (
        "events-above-missing.yaml",
        "whether a bound is needed depends on the unit of the target",
    ),
    (
        "events-one-way.yaml",
        "which of the ways of counting are whole is left to the converter",
    ),
    (
        "events-two-ways.yaml",
        "which of the ways of counting are whole is left to the converter",
    ),
    (
        "budget-without-events.yaml",
        "what goes with events is left to the converter",
    ),
    (
        "metric-source-open.yaml",
        "whether a source is needed depends on the targets",
    ),
    (
        "root-comment.yaml",
        "there is no value that could be checked",
    ),
];

#[test]
fn what_belfry_takes() {
    let (plan, contacts) = (Schema::of_plans(), Schema::of_contacts());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plans = root.join("../../plans");
    let accepts = |schema: &Schema, path: &Path| {
        assert_eq!(schema.check(&read(path)), Ok(()), "{}", path.display());
    };
    let is_contacts = |path: &Path| name(path).contains("contacts");
    // Files of tests are promtool's.
    let is_tests = |path: &PathBuf| name(path).ends_with(".test.yaml");
    let both = [files(&plans), files(&root.join("src/grammar"))].concat();
    for path in both.into_iter().filter(|path| !is_tests(path)) {
        let schema = if is_contacts(&path) { &contacts } else { &plan };
        accepts(schema, &path);
    }
    let warned = cases()
        .into_iter()
        .filter(|case| name(case).starts_with("warn-"));
    for case in warned {
        accepts(&plan, &case);
    }
}

#[test]
fn what_is_wrong_in_structure() {
    let (plan, contacts) = (Schema::of_plans(), Schema::of_contacts());
    let mut looked_at = 0;
    for case in cases() {
        let name = name(&case);
        let text = read(&case);
        let (schema, found) = if name.starts_with("contacts-") {
            (&contacts, plan::parse_contacts(&name, &text).1)
        } else if name.starts_with("tests-") || name.starts_with("rules-") {
            continue;
        } else {
            (&plan, plan::parse(&name, &text).1)
        };
        let structural = found.iter().any(|found| STRUCTURE.contains(&found.code));
        let beyond = BEYOND_A_SCHEMA.iter().any(|(own, _)| *own == name);
        if structural && !beyond {
            looked_at += 1;
            assert!(schema.check(&text).is_err(), "the schema takes {name}");
        }
    }
    assert!(looked_at >= 35, "only {looked_at} cases were looked at");
}

fn cases() -> Vec<PathBuf> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/reject"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is part of the source tree");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|own| own == "yaml"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    let name = path.file_name().expect("a listed file has a name");
    name.to_string_lossy().into_owned()
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("the corpus is part of the source tree");
    String::from_utf8_lossy(&bytes).into_owned()
}
