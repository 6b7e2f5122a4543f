//! Lint over the cases of `testdata/lint` (its README says how they are written), and over the pages of `docs/codes`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the source tree"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use plan::{Code, Linted};

const BASE: &str = include_str!("../testdata/lint/shop.yaml");

/// Findings that come from standing beside other cases: the same expression twice, a procedure that no rule leads to.
const BETWEEN_CASES: [Code; 2] = [Code::SameExpression, Code::ProcedureUnused];

/// One line of the corpus.
#[derive(Debug)]
struct Case {
    /// File and line.
    at: String,
    expected: Vec<String>,
    keys: BTreeMap<String, String>,
    expr: String,
}

/// The cases of a folder.
fn cases(folder: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/lint")
        .join(folder);
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        for (index, line) in text.lines().enumerate() {
            if !line.is_empty() && !line.starts_with('#') {
                cases.push(case(&format!("{folder}/{name}:{}", index + 1), line));
            }
        }
    }
    cases
}

fn case(at: &str, line: &str) -> Case {
    let mut parts: Vec<&str> = line.split(";;").map(str::trim).collect();
    let expr = parts.pop().unwrap().to_owned();
    let is_codes = |part: &&str| part.starts_with("BF");
    let expected = parts
        .iter()
        .find(|part| is_codes(part))
        .map(|codes| codes.split_whitespace().map(str::to_owned).collect());
    let keys = parts
        .iter()
        .filter(|part| !is_codes(part))
        .map(|part| {
            part.split_once(": ")
                .unwrap_or_else(|| panic!("{at}: `{part}` is no key"))
        })
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Case {
        at: at.to_owned(),
        expected: expected.unwrap_or_default(),
        keys,
        expr,
    }
}

impl Case {
    fn key<'c>(&'c self, key: &str, otherwise: &'c str) -> &'c str {
        self.keys.get(key).map_or(otherwise, String::as_str)
    }

    fn is_rule(&self) -> bool {
        !self.keys.contains_key("in")
    }

    /// The name of what the case is about; the line tells it from the others of its file.
    fn name(&self) -> String {
        let line = self.at.rsplit(':').next().unwrap_or_default();
        format!("{}_{line}", self.key("alert", "Case"))
    }

    fn expr(&self) -> String {
        format!("'{}'", self.expr.replace('\'', "''"))
    }

    fn rule(&self) -> String {
        let (name, every, expr) = (self.name(), self.key("every", "1m"), self.expr());
        let mut rule = format!(
            "  - name: group-{name}\n    interval: {every}\n    rules:\n      - alert: {name}\n        expr: {expr}\n"
        );
        let defaults = [
            ("for", "5m"),
            ("severity", "warning"),
            ("procedure", "look"),
            ("escalation", "standard"),
        ];
        for (key, value) in defaults {
            writeln!(rule, "        {key}: {}", self.key(key, value)).unwrap();
        }
        for (key, value) in &self.keys {
            let own = ["alert", "every"].contains(&key.as_str());
            if !own && defaults.iter().all(|(default, _)| default != key) {
                writeln!(rule, "        {key}: {value}").unwrap();
            }
        }
        rule
    }

    fn panel(&self, kind: &str) -> String {
        let (name, expr, legend) = (self.name(), self.expr(), self.key("legend", "line"));
        format!(
            "      - title: {name}\n        kind: {kind}\n        queries:\n          - expr: {expr}\n            legend: {legend}\n"
        )
    }

    fn objective(&self) -> String {
        let (name, expr, unit) = (self.name(), self.expr(), self.key("unit", "ratio"));
        let (target, window) = (self.key("target", "\"> 99%\""), self.key("window", "30d"));
        format!(
            "  - id: {name}\n    title: Case\n    expr: {expr}\n    unit: {unit}\n    target: {target}\n    window: {window}\n"
        )
    }

    fn procedure(&self) -> String {
        let (name, expr) = (self.name(), self.expr());
        format!(
            "  - id: {name}\n    title: Case\n    steps:\n      - do: Look.\n        query: {expr}\n"
        )
    }

    /// What is expected and was not found, or the other way round.
    fn differs(&self, linted: &Linted) -> Option<String> {
        let own = linted
            .findings
            .iter()
            .filter(|found| [self.name(), format!("group-{}", self.name())].contains(&found.about))
            // What a case has to do with the others of its file is not what it is about.
            .filter(|found| !BETWEEN_CASES.contains(&found.diagnostic.code));
        let mut found: Vec<String> = own
            .clone()
            .map(|found| found.diagnostic.code.to_string())
            .collect();
        found.sort();
        let mut expected = self.expected.clone();
        expected.sort();
        let said: Vec<String> = own.map(|found| found.diagnostic.to_string()).collect();
        (found != expected).then(|| {
            format!(
                "{}: {}\n  expected {expected:?}, found {found:?}\n    {}",
                self.at,
                self.expr,
                said.join("\n    ")
            )
        })
    }
}

/// The base with cases in it, and a panel that shows every metric.
fn plan_of(everything: &str, cases: &[&Case]) -> String {
    let of = |places: &[&str], write: &dyn Fn(&Case) -> String| {
        let meant = cases
            .iter()
            .filter(|case| places.contains(&case.key("in", "rule")));
        meant.map(|case| write(case)).collect::<String>()
    };
    let mut text = BASE.to_owned();
    let mut section = |heading: &str, items: &str| {
        if !items.is_empty() {
            write!(text, "{heading}{items}").unwrap();
        }
    };
    section("rule_groups:\n", &of(&["rule"], &Case::rule));
    section(
        "procedures:\n  - {id: look, title: Look, steps: [{do: Look.}]}\n",
        &(of(&["step"], &Case::procedure) + "\n"),
    );
    section("objectives:\n", &of(&["objective"], &Case::objective));
    let lines = of(&["panel"], &|case| case.panel("line"));
    let bars = of(&["bars"], &|case| case.panel("bars"));
    section(
        "dashboards:\n  - id: all\n    title: All\n    panels:\n",
        &format!("{everything}{lines}{bars}"),
    );
    text
}

/// A panel that reads every metric of the base.
fn everything() -> String {
    let plan = plan::parse("base.yaml", BASE)
        .0
        .expect("the base is a plan");
    let mut panel = "      - title: Everything\n        kind: bars\n        queries:\n".to_owned();
    for metric in &plan.metrics {
        let part = match metric.metric_type {
            plan::MetricType::Histogram => "_count",
            _ => "",
        };
        writeln!(
            panel,
            "          - {{expr: '{}{part}', legend: x}}",
            metric.name
        )
        .unwrap();
    }
    panel
}

/// All cases whose findings are not the expected ones. The rules of a file make one plan; what is no rule makes another,
/// since an objective is watched by rules.
fn wrong(cases: &[Case]) -> Vec<String> {
    let everything = everything();
    let mut plans: BTreeMap<(&str, bool), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        let file = case.at.split(':').next().unwrap_or_default();
        plans.entry((file, case.is_rule())).or_default().push(case);
    }
    let mut wrong = Vec::new();
    for ((file, _), cases) in plans {
        let linted = plan::lint(file, &plan_of(&everything, &cases), None);
        assert!(linted.plan.is_some(), "{file}: {:?}", linted.diagnostics);
        wrong.extend(cases.iter().filter_map(|case| case.differs(&linted)));
    }
    wrong
}

#[test]
fn every_bad_one_is_flagged() {
    let cases = cases("bad");
    assert!(cases.len() >= 150, "only {} bad cases", cases.len());
    assert!(cases.iter().all(|case| !case.expected.is_empty()));
    let wrong = wrong(&cases);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn no_good_one_is_flagged() {
    let cases = cases("good");
    assert!(cases.len() >= 150, "only {} good cases", cases.len());
    assert!(cases.iter().all(|case| case.expected.is_empty()));
    let wrong = wrong(&cases);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The blocks of a page, each under its heading.
fn blocks(page: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut blocks: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut heading = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        } else if let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let of_heading = blocks.entry(heading.clone()).or_default();
            of_heading.insert(kind.to_owned(), block.join("\n") + "\n");
        }
    }
    blocks
}

fn lint_blocks(code: Code, blocks: &BTreeMap<String, String>) -> Linted {
    let contacts = blocks.get("yaml contacts").map(|text| {
        let (contacts, found) = plan::parse_contacts("contacts.yaml", text);
        contacts.unwrap_or_else(|| panic!("{code}: {found:?}"))
    });
    let linted = plan::lint("plan.yaml", &blocks["yaml"], contacts.as_ref());
    assert!(linted.plan.is_some(), "{code}: {:?}", linted.diagnostics);
    linted
}

/// The wrong plan of each page gives the page's code, the right one gives no finding of it, and the help of a finding says
/// what to waive.
#[test]
fn every_page_tells_the_truth() {
    let mut shown = BTreeSet::new();
    for code in Code::ALL.iter().copied().filter(|code| code.is_lint()) {
        let page =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/codes/{code}.md"));
        let Ok(page) = std::fs::read_to_string(&page) else {
            // Findings of other parts have pages of their own tests.
            assert!(code > Code::WaiverUnused, "{code} has no page");
            continue;
        };
        let blocks = blocks(&page);
        let has = |linted: &Linted| {
            linted
                .findings
                .iter()
                .any(|found| found.diagnostic.code == code)
        };
        let wrong = lint_blocks(code, &blocks["Wrong"]);
        assert!(
            has(&wrong),
            "{code}: the wrong plan gives {:?}",
            wrong.findings
        );
        let right = lint_blocks(code, &blocks["Right"]);
        assert!(
            !has(&right),
            "{code}: the right plan gives {:?}",
            right.findings
        );
        shown.insert(code);
    }
    assert_eq!(shown.len(), 49);
}

/// Every finding of a page's wrong plan goes away when the plan waives it by the name that its help gives.
#[test]
fn every_finding_can_be_waived() {
    for code in Code::ALL.iter().copied().filter(|code| code.is_lint()) {
        // What is said of waivers is mended by correcting them.
        if code >= Code::WaiverUnused {
            continue;
        }
        let page =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/codes/{code}.md"));
        let blocks = blocks(&std::fs::read_to_string(page).unwrap());
        let mut wrong = blocks["Wrong"].clone();
        let linted = lint_blocks(code, &wrong);
        let found = linted
            .findings
            .iter()
            .find(|found| found.diagnostic.code == code)
            .unwrap();
        assert!(
            found
                .diagnostic
                .help
                .contains(&format!("waive {code} about `{}`", found.about))
        );
        let waiver = format!(
            "waivers: [{{code: {code}, about: '{}', reason: known}}]\n",
            found.about
        );
        wrong.get_mut("yaml").unwrap().push_str(&waiver);
        let waived = lint_blocks(code, &wrong);
        let open: Vec<_> = waived
            .findings
            .iter()
            .filter(|found| found.diagnostic.code == code && found.waived.is_none())
            .collect();
        assert!(open.is_empty(), "{code}: {open:?}");
        let unused = waived
            .findings
            .iter()
            .any(|found| found.diagnostic.code == Code::WaiverUnused);
        assert!(!unused, "{code}");
    }
}

/// Where a finding points: into the expression, through quotes, folds and indentation.
#[test]
fn findings_point_into_expressions() {
    let check = |written: &str, marked: &str| {
        let text = format!(
            "{BASE}rule_groups:\n  - name: g\n    rules:\n      - alert: A\n        severity: warning\n        expr: {written}\n"
        );
        let linted = plan::lint("plan.yaml", &text, None);
        let found = linted
            .findings
            .iter()
            .find(|found| found.diagnostic.code == Code::CounterWithoutRate)
            .unwrap_or_else(|| panic!("{written}: {:?} {:?}", linted.diagnostics, linted.findings));
        let span = found.diagnostic.span;
        assert_eq!(&text[span.start..span.end], marked, "{written}");
    };
    check("node_load1 > 5 or orders_total > 5", "orders_total");
    check("'node_load1 > 5 or orders_total > 5'", "orders_total");
    check(
        "\"orders_total{job=\\\"shop\\\"} > 5\"",
        "orders_total{job=\\\"shop\\\"}",
    );
    check(
        "|\n          node_load1 > 5\n            or orders_total > 5",
        "orders_total",
    );
    check(
        ">-\n          node_load1 > 5 or\n          orders_total > 5",
        "orders_total",
    );
}
