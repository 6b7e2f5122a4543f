//! Plans of several files, with values from the environment, and of several services.

mod sources;

use plan::{Plan, PlanFile, Reading};
use sources::Texts;

/// Reads a plan that must be without findings.
fn read(main: &str, mut texts: Texts) -> Plan {
    let reading = plan::parse_files("plans/main.yaml", main, &mut texts);
    assert_eq!(reading.diagnostics, [], "{}", reading.render());
    reading.plan.expect("nothing was found, so there is a plan")
}

/// What a plan holds, without the places at which it stands.
fn without_places(plan: &Plan) -> String {
    let mut plan = plan.clone();
    plan.files.clear();
    let shown = format!("{plan:?}");
    let mut parts = shown.split("Location {");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, after) = part.split_once('}').expect("a place ends");
        kept.push_str("Location");
        kept.push_str(after);
    }
    // Where an expression stands, too.
    let mut parts = kept.split("span: ");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        bare.push_str("span: ");
        bare.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
    }
    bare
}

/// The largest plan of the repository.
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads its corpus from disk"
)]
fn real_plan() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plans");
    let files = std::fs::read_dir(folder).expect("the plans are part of the source tree");
    let paths = files.map(|file| file.expect("the folder can be listed").path());
    let plans = paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let texts = plans.map(|path| std::fs::read_to_string(path).expect("a plan can be read"));
    texts
        .max_by_key(String::len)
        .expect("there is at least one plan")
}

/// The sections of a plan: what begins at the left margin, with its key.
fn sections(text: &str) -> Vec<(&str, &str)> {
    let is_key = |line: &str| line.starts_with(|first: char| first.is_ascii_lowercase());
    let mut starts = vec![];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if is_key(line) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let section = |(start, end): (&usize, usize)| {
        let section = &text[*start..end];
        let (key, _) = section.split_once(':').expect("a section has a key");
        (key, section)
    };
    starts.iter().zip(ends).map(section).collect()
}

#[test]
fn a_plan_in_three_files_is_the_plan_in_one() {
    let text = real_plan();
    let whole = read(&text, Texts::default());
    let [mut main, mut data, mut people] = [const { String::new() }; 3];
    for (key, section) in sections(&text) {
        let file = match key {
            "metrics" | "dashboards" | "objectives" => &mut data,
            "escalation_policies" | "procedures" | "incidents" | "inhibitions" => &mut people,
            _ => &mut main,
        };
        file.push_str(section);
    }
    assert!(data.len() > 5_000 && people.len() > 1_000);
    main.push_str("include: [parts/data.yaml]\n");
    data.push_str("include: [../parts/people.yaml]\n");
    let texts = Texts::of(&[
        ("plans/parts/data.yaml", &data),
        ("plans/parts/people.yaml", &people),
    ]);
    let split = read(&main, texts);
    assert_eq!(without_places(&split), without_places(&whole));
    assert_eq!(
        split.files,
        [
            "plans/main.yaml",
            "plans/parts/data.yaml",
            "plans/parts/people.yaml"
        ]
    );
    let metric = &split.metrics[0];
    assert_eq!(split.file_of(metric.at), "plans/parts/data.yaml");
    let line = data
        .lines()
        .nth(metric.at.line - 1)
        .expect("the line is there");
    assert!(line.contains(&metric.name), "{line}");
}

#[test]
fn lists_are_appended_in_the_order_of_the_files() {
    let main = r#"
format: 1
service: shop
include: [a.yaml, b.yaml]
targets: [{job: main, url: "http://127.0.0.1:1/"}]
heartbeats:
logs:
  follow: [{path: main.log, service: shop}]
  classes: [{name: D, level: DEBUG, keep: 1d}, {name: I, level: INFO, keep: 1d}]
"#;
    let a = r#"
format: 1
include: [c.yaml]
targets: [{job: a, url: "http://127.0.0.1:2/"}]
logs:
  classes: [{name: W, level: WARN, keep: 1d}, {name: E, level: ERROR, keep: 1d}]
"#;
    let b = "targets: [{job: b, url: \"http://127.0.0.1:4/\"}]\nheartbeats: [{name: nightly, every: 1d}]\n\
             rule_groups: [{name: g, rules: [{alert: Late, expr: belfry_heartbeat_age_seconds > 1, severity: warning}]}]";
    let c = r#"
title: The shop
targets: [{job: c, url: "http://127.0.0.1:3/"}]
logs: {follow: [{path: c.log, service: shop}]}
"#;
    let texts = Texts::of(&[
        ("plans/a.yaml", a),
        ("plans/b.yaml", b),
        ("plans/c.yaml", c),
    ]);
    let plan = read(main, texts);
    let jobs: Vec<&str> = plan.targets.iter().map(|own| own.job.as_str()).collect();
    assert_eq!(jobs, ["main", "a", "c", "b"]);
    let paths: Vec<&str> = plan
        .logs
        .follow
        .iter()
        .map(|own| own.path.as_str())
        .collect();
    assert_eq!(paths, ["main.log", "c.log"]);
    let classes: Vec<&str> = plan
        .logs
        .classes
        .iter()
        .map(|own| own.name.as_str())
        .collect();
    assert_eq!(classes, ["D", "I", "W", "E"]);
    assert_eq!(
        (plan.heartbeats.len(), plan.title.as_str()),
        (1, "The shop")
    );
}

#[test]
fn values_come_from_the_environment() {
    let check = |written: &str, expect: &str| {
        let main = format!("format: 1\nservice: shop\ntitle: {written}\n");
        let variables = [
            ("A", "a value"),
            ("EMPTY", ""),
            ("YAML", "x\ntargets: [1]\n# '\""),
        ];
        let plan = read(&main, Texts::default().with(&variables));
        assert_eq!(plan.title, expect, "{written}");
    };
    check("${A}", "a value");
    check("\"is ${A}, ${A}\"", "is a value, a value");
    check("'${NONE:-of: none}'", "of: none");
    check("${EMPTY:-default}", "default");
    check("'[${EMPTY}]'", "[]");
    check("${NONE:-}x", "x");
    check(
        "$${A} $1 ${1} ${Name} {{ $value }}",
        "${A} $1 ${1} ${Name} {{ $value }}",
    );
    // Whatever a value holds, it is a value.
    check("${YAML}", "x\ntargets: [1]\n# '\"");
    check(">-\n  folded\n  ${A}", "folded a value");
}

#[test]
fn values_may_be_more_than_text() {
    let main = r#"
format: 1
service: ${SERVICE}
metrics_retention: ${KEEP}
targets:
  - job: ${SERVICE}
    url: http://${HOST:-127.0.0.1}:${PORT}/metrics
    sample_limit: ${LIMIT:-500}
rule_groups:
  - name: g
    rules:
      - {alert: Down, expr: "up{job=\"${SERVICE}\"} < ${LEAST:-1}", severity: warning}
"#;
    let variables = [("SERVICE", "shop"), ("KEEP", "30d"), ("PORT", "8765")];
    let plan = read(main, Texts::default().with(&variables));
    let target = &plan.targets[0];
    assert_eq!(plan.service, "shop");
    assert_eq!(plan.metrics_retention.as_secs(), 30 * 86_400);
    assert_eq!(target.url, "http://127.0.0.1:8765/metrics");
    assert_eq!((target.job.as_str(), target.sample_limit), ("shop", 500));
    let (_, rule) = plan.rules().next().expect("the rule stands there");
    assert_eq!(rule.expr.text, "up{job=\"shop\"} < 1");
}

/// A variable is asked for once, so that a plan never holds two values of it.
#[test]
fn a_plan_sees_one_value() {
    struct Counting(u32);
    impl plan::Sources for Counting {
        fn file(&mut self, _: &str) -> Result<String, String> {
            Ok("targets: [{job: \"j${N}\", url: \"http://127.0.0.1:1/\"}]".to_owned())
        }
        fn variable(&mut self, _: &str) -> Option<String> {
            self.0 += 1;
            Some(self.0.to_string())
        }
    }
    let main = "format: 1\nservice: s${N}\ntitle: t${N}\ninclude: [a.yaml]\n";
    let reading = plan::parse_files("main.yaml", main, &mut Counting(0));
    let plan = reading.plan.expect("the plan is right");
    let found = (&*plan.service, &*plan.title, &*plan.targets[0].job);
    assert_eq!(found, ("s1", "t1", "j1"));
}

const TWO_SERVICES: &str = r#"
format: 1
service: shop
title: The shop
include: [stock.yaml, shared.yaml]
targets: [{job: shop, url: "http://127.0.0.1:1/metrics"}]
metrics: [{name: orders_total, type: counter, meaning: Orders taken., group: business}]
"#;

const STOCK: &str = r#"
service: stock
title: The stock
include: [stock-rules.yaml]
targets: [{job: stock, url: "http://127.0.0.1:2/metrics"}]
metrics: [{name: items_count, type: gauge, meaning: Items there., group: business}]
probes: [{name: stock-ready, kind: readiness, url: "http://127.0.0.1:2/ready"}]
dashboards: [{id: stock, title: Stock, panels: [{title: Items, queries: [{expr: items_count}]}]}]
objectives: [{id: items, title: Items, expr: items_count, unit: items, target: "> 5", window: 30d}]
critical_paths: [{name: Items, alerts: [NoItems]}]
"#;

const STOCK_RULES: &str = r#"
rule_groups: [{name: stock, rules: [{alert: NoItems, expr: items_count < 1, severity: warning}]}]
"#;

const SHARED: &str = r#"
rule_groups: [{name: shop, rules: [{alert: NoOrders, expr: "rate(orders_total[5m]) == 0", severity: warning}]}]
"#;

fn two_services() -> Plan {
    let texts = Texts::of(&[
        ("plans/stock.yaml", STOCK),
        ("plans/stock-rules.yaml", STOCK_RULES),
        ("plans/shared.yaml", SHARED),
    ]);
    read(TWO_SERVICES, texts)
}

#[test]
fn what_a_file_declares_belongs_to_its_service() {
    let plan = two_services();
    assert_eq!(
        (plan.service.as_str(), plan.title.as_str()),
        ("shop", "The shop")
    );
    let services = plan.services.iter();
    let services: Vec<_> = services
        .map(|own| (own.name.as_str(), own.title.as_str(), plan.file_of(own.at)))
        .collect();
    let expect = [
        ("shop", "The shop", "plans/main.yaml"),
        ("stock", "The stock", "plans/stock.yaml"),
    ];
    assert_eq!(services, expect);
    let stock = Some("stock".to_owned());
    let targets: Vec<_> = plan.targets.iter().map(|own| &own.service).collect();
    assert_eq!(targets, [&None, &stock]);
    let metrics = plan.metrics.iter();
    let metrics: Vec<_> = metrics
        .map(|own| (plan.service_of(&own.service), own.source.as_deref()))
        .collect();
    // Without `source` a metric comes from the one target of its service.
    assert_eq!(metrics, [("shop", Some("shop")), ("stock", Some("stock"))]);
    let rules: Vec<_> = plan
        .rules()
        .map(|(_, rule)| {
            (
                rule.name.as_str(),
                plan.service_of(&rule.service),
                rule.sources.clone(),
            )
        })
        .collect();
    let expect = [
        ("NoItems", "stock", vec!["stock".to_owned()]),
        ("NoOrders", "shop", vec!["shop".to_owned()]),
    ];
    assert_eq!(rules, expect);
    assert_eq!(plan.probes[0].service, stock);
    assert_eq!(plan.dashboards[0].service, stock);
    assert_eq!(plan.objectives[0].service, stock);
    assert_eq!(plan.critical_paths[0].service, stock);
}

#[test]
fn a_file_may_name_the_service_that_it_has_anyway() {
    let texts = Texts::of(&[(
        "plans/a.yaml",
        "service: shop\nformat: 1\ntargets: [{job: a, url: \"http://127.0.0.1:1/\"}]",
    )]);
    let plan = read("format: 1\nservice: shop\ninclude: [a.yaml]\n", texts);
    assert_eq!(plan.services.len(), 1);
    assert_eq!(plan.targets[0].service, None);
}

#[test]
fn diagnostics_are_shown_over_the_text_of_their_file() {
    let main = "format: 1\nservice: shop\ninclude: [parts/rules.yaml]\nhost: {interval: soon}\n";
    let rules = "rule_groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: sum(${WHAT}\n        severity: warning\n";
    let mut texts = Texts::of(&[("plans/parts/rules.yaml", rules)]).with(&[("WHAT", "up")]);
    let reading: Reading = plan::parse_files("plans/main.yaml", main, &mut texts);
    assert_eq!(
        reading.files[1],
        PlanFile {
            name: "plans/parts/rules.yaml".to_owned(),
            text: rules.to_owned(),
        }
    );
    insta::assert_snapshot!(reading.render());
}
