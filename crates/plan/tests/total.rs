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

/// Templates and bodies nest in their own parsers.
#[test]
fn deep_templates_and_bodies_end_early() {
    let body = |text: &str| format!("format: 1\nservice: shop\nmessages: {{body: '{text}'}}");
    check(&body(&"{{ ".repeat(5_000)));
    check(&body(&format!("{{{{ {}", "(".repeat(15_000))));
    check(&body(&format!("{{{{ {}", "[".repeat(15_000))));
    check(&body(&format!("{{{{ {}a", "-".repeat(15_000))));
    check(&body(&format!("{{{{ {}a", "not ".repeat(4_000))));
    check(&body(&format!("{{{{ a{}", ".a".repeat(7_000))));
    check(&body(&format!("{{{{ a{}", "|a".repeat(7_000))));
    check(&body(&"{% if a %}".repeat(1_600)));
    check(&body(&"{% if a %}{% elif b %}".repeat(700)));
    // The deepest that is let through, all of it at once: ifs in ifs, the longest row of `elif`, the longest tags.
    for link in ["-", ".a", "|a", "+a", "~a", "()", "[0]", "**a"] {
        let links = link.repeat(290 / link.len());
        let tag = if link == "-" {
            format!("{{{{ {links}a }}}}")
        } else {
            format!("{{{{ a{links} }}}}")
        };
        let ifs = 100;
        let inner = format!(
            "{{% if a %}}{}{tag}{{% endif %}}",
            "{% elif b %}".repeat(50)
        );
        let text = format!(
            "{}{inner}{}",
            "{% if a %}".repeat(ifs),
            "{% endif %}".repeat(ifs)
        );
        let found = check(&body(&text));
        assert_eq!(found, [], "{link}");
    }
    let step = "format: 1\nservice: shop\nprocedures: [{id: p, title: P, steps: [{do: a, request: 'POST http://x/', body: '";
    check(&format!("{step}{}'}}]}}]", "[".repeat(60_000)));
    check(&format!("{step}{}'}}]}}]", "{\"a\":".repeat(10_000)));
}

/// Each alert holds back every other: a walk over all of them must not take one over all of them for each.
#[test]
fn a_thicket_of_inhibitions() {
    let mut text = "format: 1\nservice: shop\ninhibitions:\n".to_owned();
    for number in 0..100 {
        let names = |offset: usize| {
            let names = (0..30).map(|own| format!("A{}", (number * 7 + own + offset) % 400));
            names.collect::<Vec<String>>().join(", ")
        };
        text.push_str(&format!(
            "  - {{name: i{number}, while: [{}], hold_back: [{}]}}\n",
            names(0),
            names(30)
        ));
    }
    check(&text);
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
    "    events: {bad: 'a{b=\"c\"}', total: a}\n    burn_alerts: {escalation: a, windows: [{long: 1h, short: 5m, factor: 2}]}\n",
    "objectives: [{id: a, title: a, expr: up, unit: ratio, target: < 1%, window: 30d, events: {gauge: 'up{a!~\"}|{\"}'}, burn_alerts: {escalation: a}}]\n",
    "coverage: {application: -1%}\n",
    "inhibitions:\n  - while: [A]\n    hold_back: ['{a=\"b\"}', A]\n",
    "maintenance_windows:\n  - days: [mon]\n    from: \"03:00\"\n    for: 7d\n    zone: UTC\n",
    "messages: {body: \"{{ a \"}\n",
    "{{ a | b }}",
    "{% if a %}",
    "heartbeats: [{name: a, every: 1d}]\n",
    "deployments: {metric: a, labels: [a]}\n",
    "procedures:\n  - steps:\n",
    "      - request: PUT http://x/\n        changes: false\n        body: '{'\n",
    "people:\n  - channels: [{type: email, to: a@b}]\n",
    "rotas:\n  - role: a\n    hand_over: Mon 09:00\n    since: 2026-01-05\n    zone: UTC\n    every: week\n",
    "    overrides: [{from: 2100-12-31 23:59, until: 2000-01-01 00:00}]\n",
    "    shifts: [{from: 09:00, days: [sun], every: 4d}]\n",
    "mail_server: {host: x, security: none, password: y}\n",
    "dead_mans_switch: {url_file: x, url: y}\n",
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
