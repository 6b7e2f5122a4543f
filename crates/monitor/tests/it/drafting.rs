//! `belfry init` without its questions: from what a service exposes to the plan that is drafted. Whatever a service exposes,
//! the draft is a plan.

use model::exposition::{ExpositionFormat, parse};
use monitor::init::{Answers, HealthEndpoint, Receiver, Survey, contacts_text, draft, plan_text};
use plan::Plan;
use proptest::prelude::*;

fn answers(readiness: bool) -> Answers {
    Answers {
        service: "shop".to_owned(),
        metrics_url: "http://127.0.0.1:8000/metrics".to_owned(),
        health: readiness
            .then(|| HealthEndpoint {
                readiness,
                url: "http://127.0.0.1:8000/ready".to_owned(),
            })
            .into_iter()
            .collect(),
        answer_within: 0.5,
        receiver: Receiver::Log,
    }
}

fn drafted(body: &str, answers: &Answers) -> Plan {
    let survey = Survey::of(&parse(body, ExpositionFormat::Text).expect("a body that can be read"));
    let text = plan_text(&survey, answers, &draft(&survey, answers));
    let (plan, diagnostics) = plan::parse("plan.yaml", &text);
    let shown = plan::render(&diagnostics, &text, "plan.yaml");
    plan.unwrap_or_else(|| panic!("{shown}\n{text}"))
}

#[test]
fn what_is_exposed_decides_what_is_watched() {
    // What a service exposes, and the alerts and required metrics of its plan beside those that every plan has.
    let check = |body: &str, alerts: &[&str], required: &[&str]| {
        let plan = drafted(body, &answers(false));
        let mut found: Vec<&str> = plan.rules().map(|(_, rule)| rule.name.as_str()).collect();
        found.retain(|name| !matches!(*name, "ServiceDown" | "RequiredMetricMissing"));
        assert_eq!(found, alerts, "{body}");
        let declared = plan.metrics.iter().filter(|metric| metric.required);
        let declared: Vec<&str> = declared.map(|metric| metric.name.as_str()).collect();
        assert_eq!(declared, required, "{body}");
    };
    check("loose 1\n", &[], &[]);
    check(
        "# TYPE shop_requests_total counter\nshop_requests_total{status=\"200\"} 1\n",
        &["RequestsFail"],
        &[],
    );
    // A label whose values are no statuses says nothing about failure.
    check(
        "# TYPE shop_requests_total counter\nshop_requests_total{status=\"open\"} 1\n",
        &[],
        &[],
    );
    // Requests of the metrics endpoint are not the service's.
    check(
        "# TYPE promhttp_metric_handler_requests_total counter\npromhttp_metric_handler_requests_total{code=\"200\"} 1\n",
        &[],
        &[],
    );
    check(
        "# TYPE rpc_server_request_seconds histogram\nrpc_server_request_seconds_bucket{le=\"+Inf\"} 1\n\
         rpc_server_request_seconds_sum 1\nrpc_server_request_seconds_count 1\n",
        &["SlowAnswers"],
        &["rpc_server_request_seconds"],
    );
    check(
        "# TYPE jobs_queue_length gauge\njobs_queue_length 1\n# TYPE jobs_queue_capacity gauge\njobs_queue_capacity 9\n",
        &["JobsQueueNearLimit"],
        &["jobs_queue_capacity", "jobs_queue_length"],
    );
    check(
        "# TYPE jobs_queue_length gauge\njobs_queue_length 1\n",
        &[],
        &[],
    );
    // One that fails from the start would be an alert that nobody can end.
    check(
        "# TYPE collector_success gauge\ncollector_success{name=\"a\"} 1\ncollector_success{name=\"b\"} 0\n",
        &[],
        &[],
    );
    check("# TYPE db_up gauge\ndb_up 0\n", &["DbDown"], &["db_up"]);
    check(
        "# TYPE mail_errors_total counter\nmail_errors_total 0\n",
        &["MailErrors"],
        &["mail_errors_total"],
    );
}

#[test]
fn a_readiness_endpoint_becomes_probe_alert_and_promise() {
    let plan = drafted("loose 1\n", &answers(true));
    assert_eq!(plan.probes.len(), 1);
    assert!(plan.rules().any(|(_, rule)| rule.name == "NotReady"));
    assert!(plan.objectives[0].expr.text.contains("probe_success"));
}

#[test]
fn whoever_is_told_stands_in_contacts_that_can_be_read() {
    let receivers = [
        Receiver::Log,
        Receiver::Webhook("http://127.0.0.1:9/page?x=\"y\"".to_owned()),
        Receiver::Mail {
            to: "ada@example.org".to_owned(),
            server: "127.0.0.1:25".to_owned(),
        },
        Receiver::Mail {
            to: "ada@example.org".to_owned(),
            server: "mail.example.org".to_owned(),
        },
    ];
    for receiver in receivers {
        let text = contacts_text(&receiver);
        let (contacts, diagnostics) = plan::parse_contacts("contacts.yaml", &text);
        let contacts = contacts.unwrap_or_else(|| panic!("{diagnostics:?}\n{text}"));
        assert!(contacts.can_fill("on-call"), "{text}");
    }
}

/// Names that recipes look for and names that nobody would choose, with help texts and label values that YAML could misread.
fn family() -> impl Strategy<Value = String> {
    let ends = [
        "requests_total",
        "request_duration_seconds",
        "errors_total",
        "queue_length",
        "queue_capacity",
        "up",
        "last_successful",
        "bytes",
        "x",
    ];
    let kinds = ["counter", "gauge", "histogram", "summary", "untyped"];
    let begin = "[a-z]{1,6}(:[a-z]{1,3})?";
    let text = "[ -~äß]{0,40}";
    (
        begin,
        proptest::sample::select(ends.to_vec()),
        proptest::sample::select(kinds.to_vec()),
        text,
        "[a-z_]{1,8}",
        text,
        proptest::num::f64::ANY,
    )
        .prop_map(|(begin, end, kind, help, label, value, number)| {
            let name = format!("{begin}_{end}");
            let help = help.replace('\\', "\\\\");
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            let number = if number.is_nan() {
                "NaN".to_owned()
            } else {
                format!("{number}")
            };
            let number = number.replace("inf", "Inf");
            let series = match kind {
                "histogram" => {
                    format!("{name}_bucket{{{label}=\"{value}\",le=\"+Inf\"}} {number}\n")
                }
                _ => format!("{name}{{{label}=\"{value}\"}} {number}\n"),
            };
            format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{series}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_service_gets_a_plan(families in proptest::collection::vec(family(), 1..20), readiness: bool) {
        let body = families.concat();
        // Bodies that are no exposition are the scraper's matter.
        prop_assume!(parse(&body, ExpositionFormat::Text).is_ok());
        drafted(&body, &answers(readiness));
    }
}
