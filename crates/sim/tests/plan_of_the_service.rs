//! The plan of qr-service holds what the plan document says, name by name and number by number.

use std::time::Duration;

use model::Level;
use plan::{
    AlertRule, AlertSelector, Code, Contacts, MetricType, Origin, Plan, ProbeKind, RuleGroup,
    Severity, StepKind,
};

const TEXT: &str = include_str!("../../../plans/qr-service.yaml");
const CONTACTS: &str = include_str!("../../../plans/contacts.example.yaml");
const PAGE: &str = include_str!("../../../plans/qr-service.md");

fn the_plan() -> Plan {
    let (plan, diagnostics) = plan::parse("plans/qr-service.yaml", TEXT);
    let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    plan.expect("no diagnostics, so there is a plan")
}

fn the_contacts() -> Contacts {
    let (contacts, diagnostics) = plan::parse_contacts("plans/contacts.example.yaml", CONTACTS);
    assert_eq!(diagnostics, []);
    contacts.expect("no diagnostics, so there are contacts")
}

/// What lint finds is mended or waived with a reason, and the example contacts fill every role.
#[test]
fn lint_finds_nothing_that_is_not_waived() {
    let linted = plan::lint("plans/qr-service.yaml", TEXT, Some(&the_contacts()));
    let open = linted
        .findings
        .iter()
        .filter(|found| found.waived.is_none());
    let said: Vec<String> = open.map(|found| found.diagnostic.to_string()).collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    // The document's oddities are found all the same.
    let waived: Vec<(Code, &str)> = linted
        .findings
        .iter()
        .map(|found| (found.diagnostic.code, found.about.as_str()))
        .collect();
    assert!(waived.contains(&(Code::RateUnderShareName, "HighErrorRate")));
    // Its alerts are blind to its targets; the burn-rate alerts beside it are not.
    let blind = waived.iter().any(|(code, _)| *code == Code::ObjectiveBlind);
    assert!(!blind, "{waived:?}");
}

/// The document's metrics with their types, in its order.
const METRICS: [(&str, MetricType); 22] = [
    ("http_request_duration_seconds", MetricType::Histogram),
    ("qr_generation_duration_seconds", MetricType::Histogram),
    ("cache_operation_duration_seconds", MetricType::Histogram),
    ("http_requests_total", MetricType::Counter),
    ("qr_codes_generated_total", MetricType::Counter),
    ("cache_hits_total", MetricType::Counter),
    ("cache_misses_total", MetricType::Counter),
    ("http_errors_total", MetricType::Counter),
    ("qr_generation_errors_total", MetricType::Counter),
    ("cache_errors_total", MetricType::Counter),
    ("cache_hit_rate", MetricType::Gauge),
    ("cache_size_bytes", MetricType::Gauge),
    ("cache_entries_count", MetricType::Gauge),
    ("cache_evictions_total", MetricType::Counter),
    ("memory_usage_bytes", MetricType::Gauge),
    ("memory_limit_bytes", MetricType::Gauge),
    ("gc_collections_total", MetricType::Counter),
    ("active_users_total", MetricType::Gauge),
    ("qr_types_generated", MetricType::Counter),
    ("user_sessions_duration", MetricType::Histogram),
    ("feature_usage_total", MetricType::Counter),
    ("api_endpoint_usage", MetricType::Counter),
];

#[test]
fn metrics() {
    let plan = the_plan();
    let of_document = plan
        .metrics
        .iter()
        .filter(|metric| metric.origin == Origin::Document);
    let found: Vec<(&str, MetricType)> = of_document
        .clone()
        .map(|metric| (metric.name.as_str(), metric.metric_type))
        .collect();
    assert_eq!(found, METRICS);
    for metric in of_document {
        assert!(metric.required, "{}", metric.name);
        assert_eq!(
            metric.source.as_deref(),
            Some("qr-service"),
            "{}",
            metric.name
        );
    }
}

#[test]
fn alert_rules() {
    let plan = the_plan();
    let found: Vec<(&str, &str, u64, Severity)> = plan
        .rules()
        .filter(|(_, rule)| rule.origin == Origin::Document)
        .map(|(_, rule)| {
            (
                rule.name.as_str(),
                rule.expr.text.as_str(),
                rule.hold.as_secs(),
                rule.severity,
            )
        })
        .collect();
    let expect = [
        (
            "HighErrorRate",
            "rate(http_errors_total[5m]) > 0.05",
            120,
            Severity::Critical,
        ),
        (
            "HighResponseTime",
            "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) > 2",
            300,
            Severity::Critical,
        ),
        (
            "HighMemoryUsage",
            "memory_usage_bytes / memory_limit_bytes > 0.9",
            300,
            Severity::Critical,
        ),
        (
            "LowCacheHitRate",
            "cache_hit_rate < 0.7",
            600,
            Severity::Warning,
        ),
        (
            "HighCacheEvictions",
            "rate(cache_evictions_total[5m]) > 10",
            300,
            Severity::Warning,
        ),
    ];
    assert_eq!(found, expect);
}

#[test]
fn added_rules_close_the_gaps() {
    let plan = the_plan();
    let added: Vec<&str> = plan
        .rules()
        .filter(|(_, rule)| rule.origin == Origin::Added)
        .map(|(_, rule)| rule.name.as_str())
        .collect();
    assert_eq!(
        added,
        [
            "ServiceDown",
            "NotReady",
            "DatabaseDown",
            "RequiredMetricMissing",
            "PagesStuck",
            "PageGivenUp",
            "LoopStalled"
        ]
    );
    for (_, rule) in plan.rules() {
        assert!(
            rule.procedure.is_some() && rule.escalation.is_some(),
            "{}",
            rule.name
        );
    }
}

/// The rules that stand in the plan, without those that objectives became.
fn written_rules(plan: &Plan) -> impl Iterator<Item = (&RuleGroup, &AlertRule)> {
    plan.rules()
        .filter(|(_, rule)| rule.origin != Origin::Lowered)
}

#[test]
fn budgets_of_the_success_criteria() {
    let plan = the_plan();
    let found: Vec<(String, Vec<&str>)> = plan
        .objectives
        .iter()
        .map(|own| {
            let group = format!("{}-budget", own.id);
            let rules = plan
                .rules()
                .filter(|(of, _)| of.name == group)
                .map(|(_, rule)| rule.name.as_str());
            (own.budget_in_words().unwrap_or_default(), rules.collect())
        })
        .collect();
    let expect = [
        (
            "5% = 100% - 95%: that quantile must be < 0.5 seconds",
            vec![
                "ResponseTimeBudgetBurn1h",
                "ResponseTimeBudgetBurn6h",
                "ResponseTimeBudgetBurn1d",
                "ResponseTimeBudgetBurn3d",
            ],
        ),
        (
            "0.1%: the target is < 0.1%",
            vec![
                "ErrorRateBudgetBurn1h",
                "ErrorRateBudgetBurn6h",
                "ErrorRateBudgetBurn1d",
                "ErrorRateBudgetBurn3d",
            ],
        ),
        (
            "0.1% = 100% - 99.9%: the target is > 99.9%",
            vec![
                "UptimeBudgetBurn1h",
                "UptimeBudgetBurn6h",
                "UptimeBudgetBurn1d",
                "UptimeBudgetBurn3d",
            ],
        ),
        (
            "20% = 100% - 80%: the target is > 80%",
            vec!["CacheHitRateBudgetBurn1d", "CacheHitRateBudgetBurn3d"],
        ),
    ];
    assert_eq!(
        found,
        expect.map(|(words, rules)| (words.to_owned(), rules))
    );
}

#[test]
fn rules_know_the_scrapes_that_they_read() {
    let plan = the_plan();
    for (_, rule) in plan.rules() {
        // What is added reads series that Belfry writes, so no scrape of the service bears on it; nor on its probes.
        let expect: &[&str] = match rule.origin {
            Origin::Document => &["qr-service"],
            Origin::Lowered if !rule.expr.text.contains("probe_success") => &["qr-service"],
            Origin::Lowered | Origin::Added => &[],
        };
        assert_eq!(rule.sources, expect, "{}", rule.name);
    }
}

#[test]
fn dashboards() {
    let plan = the_plan();
    let check = |title: &str, panels: &[&str]| {
        let dashboard = plan
            .dashboards
            .iter()
            .find(|dashboard| dashboard.title == title)
            .unwrap();
        for panel in panels {
            let there = dashboard.panels.iter().any(|own| own.title == *panel);
            assert!(there, "{title} has no panel {panel}");
        }
    };
    check(
        "Request Overview",
        &[
            "Request rate (req/sec)",
            "Response time percentiles",
            "Error rate percentage",
        ],
    );
    check(
        "QR Generation Metrics",
        &[
            "QR codes generated per minute",
            "Generation success rate",
            "Popular QR types",
        ],
    );
    check(
        "Cache Performance",
        &[
            "Cache hit/miss ratio",
            "Cache size",
            "Cache utilization",
            "Cache operation latency",
        ],
    );
    check(
        "System Resources",
        &["CPU utilization", "Memory usage", "Disk I/O"],
    );
    check(
        "User Analytics",
        &["Active users", "Session duration", "Feature adoption"],
    );
    assert_eq!(plan.dashboards.len(), 5);
}

#[test]
fn log_retention() {
    let plan = the_plan();
    let days = |class: &plan::LogClass| class.keep.as_secs() / 86_400;
    let found: Vec<(&str, Option<Level>, u64)> = plan
        .logs
        .classes
        .iter()
        .map(|class| (&*class.name, class.level, days(class)))
        .collect();
    let expect = [
        ("DEBUG", Some(Level::Debug), 7),
        ("INFO", Some(Level::Info), 30),
        ("WARN", Some(Level::Warn), 90),
        ("ERROR", Some(Level::Error), 365),
        ("SECURITY", None, 730),
    ];
    assert_eq!(found, expect);
    let security = plan
        .logs
        .categories
        .iter()
        .filter(|category| category.class == "SECURITY");
    assert_eq!(security.count(), 4);
}

#[test]
fn intervals() {
    let plan = the_plan();
    let found: Vec<(ProbeKind, &str, u64)> = plan
        .probes
        .iter()
        .map(|probe| (probe.kind, probe.url.as_str(), probe.interval.as_secs()))
        .collect();
    let expect = [
        (ProbeKind::Liveness, "http://127.0.0.1:8765/health", 30),
        (ProbeKind::Readiness, "http://127.0.0.1:8765/ready", 10),
        (
            ProbeKind::Health,
            "http://127.0.0.1:8765/health/detailed",
            5,
        ),
    ];
    assert_eq!(found, expect);
    let target = &plan.targets[0];
    assert_eq!(target.interval, Duration::from_secs(15));
    assert_eq!(target.instance, "127.0.0.1:8765");
    assert_eq!(plan.metrics_retention, Duration::from_secs(395 * 86_400));
}

#[test]
fn escalation() {
    let plan = the_plan();
    let policy = plan.escalation_policy("standard").unwrap();
    let expires = policy.acknowledgement_expires;
    assert_eq!(expires, Some(Duration::from_secs(3_600)));
    let levels = &policy.levels;
    let found: Vec<(u64, &str)> = levels
        .iter()
        .map(|level| (level.after.as_secs() / 60, level.roles[0].as_str()))
        .collect();
    assert_eq!(
        found,
        [(0, "on-call"), (15, "team-lead"), (30, "management")]
    );
    let contacts = the_contacts();
    for level in levels {
        for role in &level.roles {
            assert!(contacts.can_fill(role), "nobody is {role}");
        }
    }
}

#[test]
fn procedures() {
    let plan = the_plan();
    let of_document: Vec<&str> = plan
        .procedures
        .iter()
        .filter(|procedure| procedure.origin == Origin::Document)
        .map(|procedure| procedure.id.as_str())
        .collect();
    let expect = [
        "high-error-rate",
        "performance-degradation",
        "cache-issues",
        "database-issues",
    ];
    assert_eq!(of_document, expect);
}

/// Which steps of the document's procedures do more than look: they wait for a person.
#[test]
fn steps_that_change_something_wait() {
    let plan = the_plan();
    let check = |id: &str, expect: &[&str]| {
        let steps = &plan.procedure(id).unwrap().steps;
        let waiting = steps.iter().filter(|step| step.changes && !step.automatic);
        let requests: Vec<String> = waiting
            .filter_map(|step| match &step.kind {
                StepKind::Request(own) => Some(format!("{} {} {}", own.method, own.url, own.body)),
                _ => None,
            })
            .collect();
        assert_eq!(requests, expect, "{id}");
        assert!(!steps.iter().any(|step| step.changes && step.automatic));
    };
    let admin = "http://127.0.0.1:8765/admin";
    check("high-error-rate", &[]);
    let scale = format!("PUT {admin}/capacity {{\"generation_workers\": 8}}");
    check("performance-degradation", &[&scale]);
    check("cache-issues", &[&format!("POST {admin}/cache/restart ")]);
    check(
        "database-issues",
        &[&format!("POST {admin}/database/fail-over ")],
    );
}

#[test]
fn what_holds_pages_back() {
    let plan = the_plan();
    let found: Vec<(&str, Vec<&str>, Vec<&str>)> = plan
        .inhibitions
        .iter()
        .map(|own| {
            (
                own.name.as_str(),
                texts(&own.while_firing),
                texts(&own.hold_back),
            )
        })
        .collect();
    let expect = [
        (
            "database",
            vec!["DatabaseDown"],
            vec!["HighErrorRate", "NotReady"],
        ),
        (
            "service",
            vec!["ServiceDown"],
            vec!["NotReady", "RequiredMetricMissing", "DatabaseDown"],
        ),
        (
            "cause-of-errors",
            vec!["HighErrorRate"],
            vec![r#"{objective="error-rate"}"#],
        ),
        (
            "cause-of-slowness",
            vec!["HighResponseTime"],
            vec![r#"{objective="response-time"}"#],
        ),
        (
            "cause-of-downtime",
            vec!["ServiceDown", "NotReady"],
            vec![r#"{objective="uptime"}"#],
        ),
        (
            "budget-told",
            vec![r#"{objective!="", severity="critical"}"#],
            vec![r#"{objective!="", severity="warning"}"#],
        ),
    ];
    assert_eq!(found, expect);
}

fn texts(selectors: &[AlertSelector]) -> Vec<&str> {
    selectors.iter().map(|own| own.text.as_str()).collect()
}

#[test]
fn success_criteria() {
    let plan = the_plan();
    let found: Vec<(&str, bool, f64, &str)> = plan
        .objectives
        .iter()
        .map(|own| (own.id.as_str(), own.below, own.target, own.unit.as_str()))
        .collect();
    let expect = [
        ("response-time", true, 0.5, "seconds"),
        ("error-rate", true, 0.001, "ratio"),
        ("uptime", false, 0.999, "ratio"),
        ("cache-hit-rate", false, 0.8, "ratio"),
    ];
    assert_eq!(found, expect);
    let coverage = plan.coverage;
    let shares = (
        coverage.application,
        coverage.infrastructure,
        coverage.business,
    );
    assert_eq!(shares, (1.0, 1.0, 0.9));
}

/// Every alert stands on a critical path, so that "all critical paths monitored" says something about each. Those on
/// budgets guard what is promised over a month, and not a path.
#[test]
fn critical_paths() {
    let plan = the_plan();
    for (_, rule) in written_rules(&plan) {
        let guards = plan
            .critical_paths
            .iter()
            .any(|path| path.alerts.contains(&rule.name));
        assert!(guards, "{} guards no path", rule.name);
    }
}

/// The page for people names everything that the data holds.
#[test]
fn the_page_for_people_keeps_every_name_and_figure() {
    let plan = the_plan();
    let metrics = plan.metrics.iter().map(|metric| metric.name.as_str());
    let rules =
        written_rules(&plan).flat_map(|(_, rule)| [rule.name.as_str(), rule.expr.text.as_str()]);
    let panels = plan.dashboards.iter().flat_map(|board| &board.panels);
    let panels = panels.map(|panel| panel.title.as_str());
    let classes = plan.logs.classes.iter().map(|class| class.name.as_str());
    let categories = plan
        .logs
        .categories
        .iter()
        .map(|category| category.name.as_str());
    let procedures = plan
        .procedures
        .iter()
        .map(|procedure| procedure.id.as_str());
    let objectives = plan.objectives.iter().map(|own| own.id.as_str());
    let paths = plan.critical_paths.iter().map(|path| path.name.as_str());
    let roles = plan.escalation_policies[0]
        .levels
        .iter()
        .flat_map(|level| &level.roles);
    let roles = roles.map(String::as_str);
    let inhibitions = plan.inhibitions.iter().map(|own| own.name.as_str());
    let figures = [
        "7 days",
        "30 days",
        "90 days",
        "1 year",
        "2 years",
        "30 s",
        "10 s",
        "5 s",
        "15 s",
        "0 min",
        "15 min",
        "30 min",
        "1 hour",
        "< 500 ms",
        "< 0.1 %",
        "> 99.9 %",
        "> 80 %",
        "100 %",
        "90 %",
        "/health",
        "/ready",
        "/health/detailed",
    ];
    let names = metrics
        .chain(rules)
        .chain(panels)
        .chain(classes)
        .chain(categories);
    let names = names
        .chain(procedures)
        .chain(objectives)
        .chain(paths)
        .chain(roles)
        .chain(inhibitions)
        .chain(figures);
    let missing: Vec<&str> = names.filter(|name| !PAGE.contains(name)).collect();
    assert!(missing.is_empty(), "plans/qr-service.md lacks {missing:?}");
}

/// A slip of the pen anywhere in the real plan is placed where it was made.
#[test]
fn slips_in_the_real_plan() {
    let check = |from: &str, to: &str, code: Code, marked: &str| {
        let text = TEXT.replacen(from, to, 1);
        assert_ne!(text, TEXT, "{from} is not in the plan");
        let (plan, found) = plan::parse("p", &text);
        let first = found
            .first()
            .unwrap_or_else(|| panic!("{to}: nothing was found"));
        let span = &text[first.span.start..first.span.end];
        assert_eq!((first.code, span), (code, marked), "{first}");
        assert!(plan.is_none());
    };
    check(
        "rate(http_errors_total[5m]) > 0.05",
        "rate(http_errors_totl[5m]) > 0.05",
        Code::UnknownMetric,
        "http_errors_totl",
    );
    check(
        "severity: critical",
        "severity: crticial",
        Code::UnknownWord,
        "crticial",
    );
    check(
        "[5m]) + rate(qr_generation_errors_total",
        "[5m]) + rate(qr_generation_errors",
        Code::UnknownMetric,
        "qr_generation_errors",
    );
    check("keep: 90d", "keep: 90", Code::InvalidDuration, "90");
    check(
        "procedure: cache-issues",
        "procedure: cache-issue",
        Code::UnknownReference,
        "cache-issue",
    );
}
