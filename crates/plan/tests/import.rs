//! Documents and rule files that become plans: each `testdata/import/NAME.md` with the plan (`NAME.plan`) and the account
//! (`NAME.account`) that it gives, each `testdata/import-rules/NAME.yml` with its plan and its fidelity (`NAME.fidelity`).
//! A new case is a new file; `UPDATE_EXPECT=1 cargo test -p plan --test import` writes what is expected of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use plan::import::{Account, Fate, Options, document, rule_files};
use proptest::prelude::*;

#[test]
fn documents() {
    let cases = cases("import", "md");
    assert!(
        cases.len() >= 6,
        "the corpus has shrunk to {} cases",
        cases.len()
    );
    for case in cases {
        let bytes = read(&case);
        let options = Options {
            file: name(&case),
            ..Options::default()
        };
        let import = document(&bytes, &options);
        assert_eq!(import.refused, [], "{}", case.display());
        accepted(&case, &import.yaml);
        every_line_once(&String::from_utf8_lossy(&bytes), &import.account);
        expect(&case.with_extension("plan"), &import.yaml);
        expect(&case.with_extension("account"), &import.account.to_string());
    }
}

#[test]
fn rule_files_of_prometheus() {
    let cases = cases("import-rules", "yml");
    assert!(
        cases.len() >= 4,
        "the corpus has shrunk to {} cases",
        cases.len()
    );
    for case in cases {
        let options = Options {
            file: name(&case),
            ..Options::default()
        };
        let import = rule_files(&[(name(&case), read(&case))], &options);
        assert_eq!(import.refused, [], "{}", case.display());
        accepted(&case, &import.yaml);
        expect(&case.with_extension("plan"), &import.yaml);
        expect(
            &case.with_extension("fidelity"),
            &import.fidelity.to_string(),
        );
    }
}

/// What the caller says goes before what the document says.
#[test]
fn the_caller_knows_better() {
    let options = Options {
        file: "a.md".to_owned(),
        service: Some("till".to_owned()),
        base_url: Some("https://till.example.org/".to_owned()),
    };
    let import = document(b"# Shop Monitoring\n\n## Health\n- GET /ready\n", &options);
    let (plan, _) = plan::parse("a", &import.yaml);
    let plan = plan.unwrap();
    assert_eq!(plan.service, "till");
    assert_eq!(plan.targets[0].url, "https://till.example.org/metrics");
    assert_eq!(plan.probes[0].url, "https://till.example.org/ready");
    let wrong = Options {
        service: Some("a b".to_owned()),
        ..Options::default()
    };
    assert!(!document(b"", &wrong).refused.is_empty());
}

/// Bounds: long lines, many lines, many items. Each line is still accounted for.
#[test]
fn bounds() {
    let check = |text: &str, unread: usize| {
        let import = document(text.as_bytes(), &Options::default());
        every_line_once(text, &import.account);
        assert_eq!(import.account.counts().2, unread, "{}", import.account);
        accepted(Path::new("bounds"), &import.yaml);
    };
    let metrics: String = (0..600)
        .map(|number| format!("- m_{number} (gauge)\n"))
        .collect();
    check(&format!("# A\n## Metrics\n{metrics}"), 100);
    check(
        &format!("# A\n## Metrics\n- {} (gauge)\n", "m".repeat(300)),
        1,
    );
    check(&format!("# A\n{}\n", "[".repeat(5_000)), 1);
    check(&"x\n".repeat(20_003), 3);
}

fn accepted(case: &Path, yaml: &str) {
    let (plan, found) = plan::parse("import.yaml", yaml);
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        plan.is_some(),
        "{}: {}\n{yaml}",
        case.display(),
        said.join("\n")
    );
}

fn every_line_once(text: &str, account: &Account) {
    let numbers: Vec<usize> = account.lines.iter().map(|line| line.number).collect();
    let expect: Vec<usize> = (1..=text.lines().count()).collect();
    assert_eq!(numbers, expect);
    for line in &account.lines {
        let said = match &line.fate {
            Fate::Mapped(places) => !places.is_empty(),
            Fate::Explained(reason) | Fate::Unread(reason) => !reason.is_empty(),
        };
        assert!(said, "{line:?}");
    }
}

/// Pieces of documents, so that chance comes past the first heading.
const PIECES: &[&str] = &[
    "# Shop Monitoring\n",
    "## Metrics\n",
    "### Business Metrics\n",
    "## Alerts\n",
    "### Critical\n",
    "## Dashboards\n",
    "## Logs\n",
    "## Log Retention\n",
    "## Health Checks\n",
    "## Intervals\n",
    "## Escalation\n",
    "## Runbooks\n",
    "## SLOs\n",
    "## Coverage\n",
    "## Critical Paths\n",
    "```yaml\n",
    "```\n",
    "\n",
    "- ",
    "  - ",
    "1. ",
    "| ",
    " | ",
    "|---|---|\n",
    "**",
    "`",
    "orders_total (counter by shop)\n",
    "order_errors_total (counter)\n",
    "hits_total (counter)\n",
    "misses_total (counter)\n",
    "wait_seconds (histogram)\n",
    "queue_size (gauge)\n",
    "queue_limit (gauge)\n",
    "alert: A\n",
    "expr: orders_total > 1\n",
    "expr: |\n",
    "  rate(x[5m]) > 1\n",
    "for: 5m\n",
    "for: soon\n",
    "severity: critical\n",
    "labels:\n    team: a\n",
    "name: x\n",
    "record: a:b\n",
    "A: `up == 0` for 5m, critical\n",
    "Order rate and error rate\n",
    "Hit/miss ratio\n",
    "Wait time percentiles\n",
    "Queue utilization\n",
    "CPU, disk\n",
    "INFO: a, b\n",
    "ERROR: 1 year\n",
    "Audit: 0 days\n",
    "GET /health\n",
    "GET /ready\n",
    "GET /health/detailed\n",
    "Database connection\n",
    "Readiness: every 10 seconds\n",
    "Readiness: every 10 ms\n",
    "Metrics: every minute\n",
    "Level 1 (0-15 min): on-call\n",
    "Level 2 (5 min): boss\n",
    "Order failures: check logs, restart\n",
    "Uptime: > 99.9%\n",
    "Response time: p95 < 500ms\n",
    "Error rate: < 0.1%\n",
    "Hit rate: > 80% over 7 days\n",
    "Business metrics: 90%\n",
    "Alert coverage: all critical paths\n",
    "Paying: A\n",
    ": ",
    ",",
    "\t",
    "\r\n",
    "é",
    "ðŸ",
    "\u{feff}",
    "\u{0}",
    "\u{2028}",
    "\"",
    "'",
    "\\",
    "#",
    "{{ $value }}",
    "---\n",
    "===\n",
    "null",
    "[x](y)",
    "<",
    ">",
    "%",
    "9",
    "0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_document_gives_a_plan(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        let import = document(text.as_bytes(), &Options::default());
        prop_assert_eq!(&import.refused, &[]);
        accepted(Path::new(&text), &import.yaml);
        every_line_once(text.trim_start_matches('\u{feff}'), &import.account);
        prop_assert!(import.account.to_string().lines().count() >= import.account.lines.len());
    }

    #[test]
    fn any_bytes_give_a_plan(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let import = document(&bytes, &Options::default());
        prop_assert_eq!(&import.refused, &[]);
        accepted(Path::new("bytes"), &import.yaml);
        let text = String::from_utf8_lossy(&bytes);
        every_line_once(text.trim_start_matches('\u{feff}'), &import.account);
        let rules = rule_files(&[("a.yml".to_owned(), bytes)], &Options::default());
        prop_assert_eq!(&rules.refused, &[]);
    }

    #[test]
    fn any_rules_give_a_plan(
        name in ".{0,12}", expr in ".{0,24}", hold in "[0-9a-z ]{0,4}", key in ".{0,8}", value in ".{0,16}",
    ) {
        let shown = |text: &str| serde_json::to_string(text).unwrap();
        let rule = format!(
            "{{alert: {}, expr: {}, for: {}, labels: {{{}: {}}}, annotations: {{description: {}}}}}",
            shown(&name), shown(&expr), shown(&hold), shown(&key), shown(&value), shown(&value),
        );
        let good = "{alert: Good, expr: 'a > 1', labels: {severity: page}}";
        let text = format!("groups: [{{name: {}, rules: [{rule}, {good}]}}]", shown(&key));
        let import = rule_files(&[("a.yml".to_owned(), text.into_bytes())], &Options::default());
        prop_assert_eq!(&import.refused, &[]);
        accepted(Path::new("rules"), &import.yaml);
        let whole = import.fidelity.rules.is_empty() || import.yaml.contains("Good");
        prop_assert!(whole, "{}", import.fidelity);
    }
}

fn cases(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(folder);
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|own| own == ending))
        .collect();
    cases.sort();
    cases
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the source tree"
)]
fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

/// Compares with the file, or writes it where the developer asks for that.
#[expect(
    clippy::disallowed_methods,
    reason = "updating expectations writes the source tree"
)]
fn expect(path: &Path, found: &str) {
    if std::env::var("UPDATE_EXPECT").is_ok() {
        std::fs::write(path, found).unwrap();
    }
    let expected = String::from_utf8(read(path)).unwrap();
    assert!(
        found == expected,
        "{} differs; found:\n{found}",
        path.display()
    );
}
