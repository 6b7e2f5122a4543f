//! `/metrics` against the monitoring plan: every name, every type, every label.

use std::collections::BTreeMap;

use crate::harness::Service;
use qr_service::Config;

/// Name, type, label names. The first block is the plan's own list; the others are what issue 2 adds.
const PLAN: &str = "
http_request_duration_seconds     histogram
qr_generation_duration_seconds    histogram
cache_operation_duration_seconds  histogram operation
http_requests_total               counter
qr_codes_generated_total          counter
cache_hits_total                  counter
cache_misses_total                counter
http_errors_total                 counter
qr_generation_errors_total        counter
cache_errors_total                counter
cache_hit_rate                    gauge
cache_size_bytes                  gauge
cache_entries_count               gauge
cache_evictions_total             counter
memory_usage_bytes                gauge
memory_limit_bytes                gauge
gc_collections_total              counter
active_users_total                gauge
qr_types_generated                counter type
user_sessions_duration            histogram
feature_usage_total               counter feature
api_endpoint_usage                counter endpoint

cache_capacity_bytes              gauge
http_route_requests_total         counter method,route,status
http_route_duration_seconds       histogram method,route,status

app_build_info                    gauge version,revision
process_cpu_seconds_total         counter
process_open_fds                  gauge
process_max_fds                   gauge
process_virtual_memory_bytes      gauge
process_resident_memory_bytes     gauge
process_start_time_seconds        gauge
";

fn types(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect()
}

/// Label names of a metric's samples, without `le`; all samples have the same.
fn labels(text: &str, name: &str) -> String {
    let mut found: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let rest = ["_bucket", "_sum", "_count", ""]
                .iter()
                .find_map(|suffix| line.strip_prefix(&format!("{name}{suffix}")))?;
            let labels = match rest.strip_prefix('{') {
                Some(labels) => labels.split_once('}')?.0,
                None if rest.starts_with(' ') => "",
                None => return None,
            };
            let names: Vec<&str> = labels
                .split("\",")
                .filter_map(|label| Some(label.split_once('=')?.0))
                .filter(|label| *label != "le")
                .collect();
            Some(names.join(","))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.join(" | ")
}

#[tokio::test(start_paused = true)]
async fn every_metric_of_the_plan_is_there() {
    let service = Service::start(Config::default()).await;
    let fresh = service.ask("GET /metrics", "").await;
    assert_eq!(
        fresh.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    // The first scrape is answered before it is counted, so the split by route has nothing to show yet.
    let text = service.ask("GET /metrics", "").await.body;
    for line in PLAN.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let (name, kind) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!(types(&text).get(name), Some(&kind), "{name}");
        assert_eq!(labels(&text, name), words.next().unwrap_or(""), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn counters_start_at_zero_and_the_rate_at_nan() {
    let service = Service::start(Config::default()).await;
    let text = service.ask("GET /metrics", "").await.body;
    for series in [
        "http_requests_total 0",
        "http_errors_total 0",
        "qr_codes_generated_total 0",
        "cache_evictions_total 0",
        "qr_types_generated{type=\"event\"} 0",
        "api_endpoint_usage{endpoint=\"/api/v1/qr\"} 0",
        "http_request_duration_seconds_bucket{le=\"0.5\"} 0",
        "http_request_duration_seconds_bucket{le=\"2\"} 0",
        "qr_generation_duration_seconds_bucket{le=\"0.00025\"} 0",
        "cache_hit_rate NaN",
    ] {
        assert!(text.lines().any(|line| line == series), "{series}\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn open_metrics_ends_counters_in_total() {
    let service = Service::start(Config::default()).await;
    let answer = service
        .ask_with(
            "GET /metrics",
            "",
            &[(
                "accept",
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2",
            )],
        )
        .await;
    assert_eq!(
        answer.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(answer.body.ends_with("# EOF\n"));
    for part in [
        "# TYPE qr_types_generated counter\n",
        "qr_types_generated_total{type=\"url\"} 0\n",
        "# TYPE api_endpoint_usage counter\n",
        "# TYPE http_requests counter\n",
        "http_requests_total 0\n",
        "# UNIT http_request_duration_seconds seconds\n",
        "# TYPE app_build info\n",
    ] {
        assert!(answer.body.contains(part), "{part}\n{}", answer.body);
    }
}

/// Every metric has words, and no metric is shown twice.
#[tokio::test(start_paused = true)]
async fn every_metric_has_help() {
    let service = Service::start(Config::default()).await;
    let text = service.ask("GET /metrics", "").await.body;
    let helped = text
        .lines()
        .filter(|line| line.starts_with("# HELP "))
        .count();
    let typed = text
        .lines()
        .filter(|line| line.starts_with("# TYPE "))
        .count();
    assert_eq!((helped, typed), (types(&text).len(), types(&text).len()));
}
