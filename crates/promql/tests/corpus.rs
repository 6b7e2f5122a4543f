//! Our own cases: `testdata/*.test`, one file per theme. A new case is a few lines of text there.

use promql::testing::run;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads its corpus from disk"
)]
fn every_case_passes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "test")
        })
        .collect();
    files.sort();
    let mut total = 0;
    let mut failures = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let report = run(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        println!("{name}: {}/{}", report.passed, report.total);
        assert_eq!(report.native_histogram, 0, "{name}");
        total += report.total;
        failures.extend(
            report
                .failures
                .iter()
                .map(|failure| format!("{name}: {failure}")),
        );
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(total >= 120, "the corpus shrank to {total} cases");
}
