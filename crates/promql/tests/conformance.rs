//! Runs the conformance cases of the Prometheus project, where the shared folder is there. They are not part of this
//! repository, so elsewhere the test says loudly that it did nothing.

use std::path::{Path, PathBuf};

use promql::testing::run;

/// What each file reaches: passed, of how many that could be judged, and how many need native histograms. Raise the
/// first number when it rises; never lower it. The others move only when the cases themselves do.
const FLOORS: &[(&str, usize, usize, usize)] = &[
    // The stable language: complete.
    ("aggregators.test", 78, 78, 18),
    ("at_modifier.test", 57, 57, 0),
    ("collision.test", 2, 2, 0),
    ("functions.test", 223, 223, 70),
    ("histograms.test", 60, 60, 56),
    ("literals.test", 16, 16, 0),
    ("name_label_dropping.test", 19, 19, 0),
    ("operators.test", 83, 83, 50),
    ("range_queries.test", 11, 11, 1),
    ("selectors.test", 19, 19, 0),
    ("staleness.test", 11, 11, 0),
    ("subquery.test", 20, 20, 2),
    ("trig_functions.test", 17, 17, 0),
    // Experimental: arithmetic in durations, `anchored` and `smoothed`, info(), start timestamps, type and unit labels,
    // trimming of native histograms.
    ("duration_expression.test", 7, 47, 0),
    ("extended_vectors.test", 26, 115, 3),
    ("fill-modifier.test", 28, 28, 0),
    ("info.test", 1, 39, 0),
    ("limit.test", 1, 1, 19),
    ("native_histograms.test", 2, 12, 339),
    ("start_timestamps.test", 1, 11, 4),
    ("type_and_unit.test", 32, 46, 0),
];

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads its corpus from disk"
)]
fn shared_conformance_cases() {
    let Some(folder) = shared_folder() else {
        eprintln!(
            "SKIPPED: no conformance cases; set BELFRY_SHARED to the folder that holds conformance/promql"
        );
        return;
    };
    let mut missed = Vec::new();
    let (mut passed, mut total, mut native) = (0, 0, 0);
    for (file, floor, count, natives) in FLOORS {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let report = run(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        println!(
            "{file}: {}/{} (native: {})",
            report.passed, report.total, report.native_histogram
        );
        for failure in &report.failures {
            println!("  {failure}");
        }
        let counted = report.total == *count && report.native_histogram == *natives;
        if report.passed < *floor || !counted {
            missed.push(format!(
                "{file}: {}/{} and {} native, expected at least {floor}/{count} and {natives} native",
                report.passed, report.total, report.native_histogram
            ));
        }
        passed += report.passed;
        total += report.total;
        native += report.native_histogram;
    }
    println!("sum: {passed}/{total} (native: {native})");
    assert!(missed.is_empty(), "{missed:#?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test finds its corpus by the environment"
)]
fn shared_folder() -> Option<PathBuf> {
    let shared = std::env::var("BELFRY_SHARED").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("conformance/promql");
    folder.is_dir().then_some(folder)
}
