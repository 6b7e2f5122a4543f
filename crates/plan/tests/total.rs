//! The promise of the crate: any text gives an answer, never a panic, and what it says can be shown.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use plan::{Code, DIAGNOSTICS_MAX, Diagnostic, TEXT_BYTES_MAX};
use proptest::prelude::*;

/// Every plan of the repository, in one text: what damage is done to.
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads its corpus from disk"
)]
fn real_plans() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plans");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let plans = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let texts: Vec<String> = plans
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert!(!texts.is_empty());
    texts
}

/// Reads the text both ways and shows what was found, checking what must always hold.
fn check(text: &str) -> Vec<Diagnostic> {
    let (plan, found) = plan::parse("fuzz.yaml", text);
    assert_eq!(plan.is_none(), found.iter().any(Diagnostic::is_error));
    let (_, contacts_found) = plan::parse_contacts("fuzz.yaml", text);
    for diagnostic in found.iter().chain(&contacts_found) {
        let span = &diagnostic.span;
        assert!(
            text.get(span.start..span.end).is_some(),
            "{diagnostic}: {span:?}"
        );
        assert!(span.at.line >= 1 && span.at.column >= 1);
        assert!(!diagnostic.to_string().contains('\n'), "{diagnostic:?}");
    }
    assert!(found.len() <= DIAGNOSTICS_MAX + 1);
    assert_eq!(
        plan::render(&found, text, "fuzz.yaml").is_empty(),
        found.is_empty()
    );
    found
}

#[test]
fn too_large() {
    let found = check(&" ".repeat(TEXT_BYTES_MAX + 1));
    assert_eq!(found[0].code, Code::TextTooLarge);
}

#[test]
fn many_errors_are_bounded() {
    let text = format!(
        "format: 1\nservice: shop\ntargets: [{}]",
        "{},".repeat(5_000)
    );
    assert_eq!(check(&text).len(), DIAGNOSTICS_MAX);
}

#[test]
fn deep_nesting_ends_early() {
    check(&"[".repeat(100_000));
    check(&"- ".repeat(100_000));
    check(&"{a: ".repeat(100_000));
    check(&format!("{}a", "? ".repeat(50_000)));
    let mut stairs = String::new();
    for depth in 0..800 {
        stairs.push_str(&format!("{}a:\n", " ".repeat(depth)));
    }
    check(&stairs);
}

/// Pieces that make texts which look like plans, so that the fuzzing gets past the first check.
const PIECES: &[&str] = &[
    "format: 1\n",
    "service: shop\n",
    "targets:\n",
    "metrics:\n",
    "  - name: a\n",
    "  - job: b\n",
    "    url: http://x/\n",
    "    type: gauge\n",
    "    expr: up\n",
    "    expr: |\n      sum(\n",
    "rule_groups:\n",
    "    rules:\n",
    "      - alert: A\n",
    "        expr: \"a\\x\"\n",
    "        expr: 'b''\n",
    ": ",
    "- ",
    "  ",
    "\n",
    "\"",
    "'",
    "|",
    ">",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!int ",
    "!x ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "#",
    "\t",
    "é",
    "😀",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "\r\n",
    "\r",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "? ",
    "~",
    "null",
    "1e999",
    "0x",
    ".nan",
    "-.inf",
    "true",
    "logs:\n  classes:\n",
    "objectives:\n",
    "    target: < 5\n",
    "coverage: {application: -1%}\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn pieces_of_plans(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        check(&pieces.concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// A real plan with one part overwritten.
    #[test]
    fn damaged_plan(at in any::<prop::sample::Index>(), length in 0usize..40, piece in prop::sample::select(PIECES)) {
        static PLANS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(real_plans);
        for plan in PLANS.iter() {
            let start = plan.floor_char_boundary(at.index(plan.len()));
            let end = plan.floor_char_boundary((start + length).min(plan.len())).max(start);
            check(&format!("{}{piece}{}", &plan[..start], &plan[end..]));
        }
    }
}
