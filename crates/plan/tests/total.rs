//! The promise of the crate: any text gives an answer, never a panic, and what it says can be shown.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sources;

use plan::{Code, DIAGNOSTICS_MAX, Diagnostic, TEXT_BYTES_MAX};
use proptest::prelude::*;
use sources::Texts;

/// The longest text that is also formatted.
const FORMATTED_BYTES_MAX: usize = 8_000;

/// Every plan of the repository and a rule file: what damage is done to.
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
    let mut texts: Vec<String> = plans
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    texts.push(include_str!("../../monitor/testdata/promtool/rules.yaml").to_owned());
    assert!(!texts.is_empty());
    texts
}

/// Reads the text in every way and shows what was found, checking what must always hold.
fn check(text: &str) -> Vec<Diagnostic> {
    let (plan, found) = plan::parse("fuzz.yaml", text);
    assert_eq!(plan.is_none(), found.iter().any(Diagnostic::is_error));
    let (contacts, contacts_found) = plan::parse_contacts("fuzz.yaml", text);
    lint(text, contacts.as_ref(), &found);
    let (_, tests_found) = plan::parse_tests("fuzz.yaml", text);
    // What has a format is read as a plan, which was done above.
    let rules_found = if !text.contains("format:") {
        plan::parse_rules("fuzz.yaml", text).1
    } else {
        Vec::new()
    };
    let others = contacts_found
        .iter()
        .chain(&tests_found)
        .chain(&rules_found);
    for diagnostic in found.iter().chain(others) {
        let span = &diagnostic.span;
        assert!(
            text.get(span.start..span.end).is_some(),
            "{diagnostic}: {span:?}"
        );
        assert!(span.at.line >= 1 && span.at.column >= 1);
        assert!(!diagnostic.to_string().contains('\n'), "{diagnostic:?}");
    }
    assert!(found.len() <= DIAGNOSTICS_MAX + 1);
    // Formatting reads the text four times more; large ones add nothing but their length.
    let formatted = (text.len() <= FORMATTED_BYTES_MAX).then(|| plan::format("fuzz.yaml", text));
    if let Some(Ok(formatted)) = formatted {
        assert_eq!(
            plan::format("fuzz.yaml", &formatted),
            Ok(formatted.clone()),
            "{text:?}"
        );
    }
    assert_eq!(
        plan::render(&found, text, "fuzz.yaml").is_empty(),
        found.is_empty()
    );
    found
}

/// Reads a plan of several files, checking what must always hold: the answer, the places, and that no value of the
/// environment is in what is said.
fn check_files(main: &str, texts: &Texts) -> Vec<Diagnostic> {
    let reading = plan::parse_files("main.yaml", main, &mut texts.clone());
    let found = &reading.diagnostics;
    assert_eq!(
        reading.plan.is_none(),
        found.iter().any(Diagnostic::is_error)
    );
    for diagnostic in found {
        let span = &diagnostic.span;
        let file = &reading.files[span.at.file];
        assert_eq!(file.name, diagnostic.file);
        let before = &file.text[..span.start];
        assert!(
            file.text.get(span.start..span.end).is_some(),
            "{diagnostic}"
        );
        assert_eq!(
            before.matches('\n').count() + 1,
            span.at.line,
            "{diagnostic}"
        );
        let shown = format!("{diagnostic:?}");
        for value in texts.environment.values() {
            assert!(!shown.contains(value), "{value} is in {shown}");
        }
    }
    assert!(found.len() <= DIAGNOSTICS_MAX + 1);
    assert_eq!(reading.render().is_empty(), found.is_empty());
    reading.diagnostics
}

/// A plan that includes two files.
const INCLUDING: &str = "format: 1\nservice: shop\ninclude: [a, b/c]\n";

#[test]
fn many_files_are_bounded() {
    let code = |main: &str, texts: &Texts| check_files(main, texts)[0].code;
    // A file that includes more than may be, and whatever is asked for exists.
    let names: Vec<String> = (0..200).map(|number| format!("f{number}")).collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "targets: []"))
        .collect();
    let all = Texts::of(&files);
    let main =
        |names: &[String]| format!("format: 1\nservice: shop\ninclude: [{}]", names.join(", "));
    assert_eq!(check_files(&main(&names[..99]), &all), []);
    assert_eq!(code(&main(&names[..100]), &all), Code::TooMany);
    assert_eq!(code(&main(&names), &all), Code::TooMany);
    // Each is let through alone, all of them are not.
    let head = "targets: []\n# ";
    let long = format!("{head}{}", "x".repeat(TEXT_BYTES_MAX - head.len()));
    let files: Vec<(&str, &str)> = names[..5]
        .iter()
        .map(|name| (name.as_str(), long.as_str()))
        .collect();
    assert_eq!(
        code(&main(&names[..5]), &Texts::of(&files)),
        Code::TextTooLarge
    );
    // The bound on nodes is one of all files together.
    let many = format!("x: [{}]", "1,".repeat(40_000));
    let files: Vec<(&str, &str)> = names[..3]
        .iter()
        .map(|name| (name.as_str(), many.as_str()))
        .collect();
    assert_eq!(
        code(&main(&names[..2]), &Texts::of(&files)),
        Code::UnknownKey
    );
    assert_eq!(
        code(&main(&names[..3]), &Texts::of(&files)),
        Code::BrokenYaml
    );
}

#[test]
fn values_are_bounded() {
    let check = |title: &str, value: &str, expect: Code| {
        let main = format!("format: 1\nservice: shop\ntitle: \"{title}\"");
        let found = check_files(&main, &Texts::default().with(&[("A", value)]));
        assert_eq!(found[0].code, expect);
    };
    check("${A}", &"xy".repeat(3_000), Code::TooMany);
    check(&"${A}".repeat(1_000), &"xy".repeat(2_000), Code::TooMany);
    let distinct: String = (0..1_001)
        .map(|number| format!("${{A{number}:-}}"))
        .collect();
    check(&distinct, "xy", Code::TooMany);
    check(&"${A".repeat(100_000), "xy", Code::VariableSyntax);
    check(&"${NONE}".repeat(100_000), "xy", Code::UnsetVariable);
    // Through aliases too.
    let main = format!(
        "format: 1\nservice: shop\ntargets: [&a \"{}\"{}]",
        "${NONE}".repeat(20_000),
        ", *a".repeat(900)
    );
    check_files(&main, &Texts::default());
}

/// Lints the text as well: it reads what parsing reads, and finds something only where that finds no error.
fn lint(text: &str, contacts: Option<&plan::Contacts>, read: &[Diagnostic]) {
    let linted = plan::lint("fuzz.yaml", text, contacts);
    assert_eq!(linted.diagnostics, read);
    assert!(linted.plan.is_some() || linted.findings.is_empty());
    assert!(linted.findings.len() <= plan::FINDINGS_MAX);
    for found in linted.findings.iter().map(|found| &found.diagnostic) {
        let span = found.span;
        assert!(text.get(span.start..span.end).is_some(), "{found}");
        assert!(!found.is_error() && found.code.is_lint(), "{found}");
        assert!(!found.to_string().contains('\n'), "{found:?}");
    }
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
    "include: [a, b/c]\n",
    "include:\n  - ../a\n",
    "title: ${SECRET}\n",
    "    url: http://${SECRET}:1/\n",
    "        expr: rate(${SECRET}[5m]) > )\n",
    "    interval: ${SECRET}\n",
    "${SECRET}",
    "${NONE:-b}",
    "${",
    "$${",
];

/// A value that is in no message by chance.
const SECRETS: &str = "[qxzjk]{8,80}";

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
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes in any file of a plan.
    #[test]
    fn any_bytes_in_an_included_file(
        one in proptest::collection::vec(any::<u8>(), 0..200),
        other in proptest::collection::vec(proptest::sample::select(PIECES), 0..30),
        main in proptest::collection::vec(proptest::sample::select(PIECES), 0..10),
        secret in SECRETS,
    ) {
        let (one, other) = (String::from_utf8_lossy(&one).into_owned(), other.concat());
        let main = format!("{INCLUDING}{}", main.concat());
        for files in [[("a", &one), ("b/c", &other)], [("a", &other), ("b/c", &one)]] {
            let files = files.map(|(name, text)| (name, text.as_str()));
            check_files(&main, &Texts::of(&files).with(&[("SECRET", &secret)]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

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

    /// A real plan, included, with a value from the environment in the place of another or within one.
    #[test]
    fn a_value_anywhere_stays_unsaid(at in any::<prop::sample::Index>(), whole in any::<bool>(), secret in SECRETS) {
        static PLANS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(real_plans);
        for plan in PLANS.iter() {
            let colons: Vec<usize> = plan.match_indices(": ").map(|(at, _)| at + 2).collect();
            let start = colons[at.index(colons.len())];
            let end = if whole {
                plan[start..].find([',', '}', '\n']).map_or(plan.len(), |end| start + end)
            } else {
                start
            };
            let text = format!("{}${{SECRET}}{}", &plan[..start], &plan[end..]);
            check_files(INCLUDING, &Texts::of(&[("a", &text), ("b/c", "")]).with(&[("SECRET", &secret)]));
        }
    }
}
