//! Every metric that Belfry exposes about itself, in one file.
//!
//! For each loop: how often it ran, what it missed, why it failed, when it last succeeded. The reason is the label, from a
//! closed set.

use telemetry::{Children, Counter, Family, Gauge, Registry};

/// Reasons for which a scrape or a probe fails.
const FETCH_REASONS: [&str; 10] = [
    "bad_request",
    "broken",
    "connect",
    "content_type",
    "malformed",
    "sample_limit",
    "status",
    "store",
    "timeout",
    "too_large",
];

/// Why a log line was not stored.
const LOG_REASONS: [&str; 6] = [
    "future",
    "malformed",
    "no_class",
    "store",
    "too_long",
    "too_old",
];

/// Belfry's own instruments.
pub struct SelfMetrics {
    /// Where they are shown.
    pub registry: Registry,
    /// Scrapes that were whole.
    pub scrapes: Counter,
    /// Scrapes that were skipped because the one before took too long.
    pub scrapes_missed: Counter,
    scrape_failures: Family<Counter>,
    /// Samples stored from scrapes.
    pub samples_stored: Counter,
    /// Samples that the store refused.
    pub samples_refused: Counter,
    /// Samples of Belfry's own making that were lost because the store failed.
    pub own_samples_lost: Counter,
    /// Probes done.
    pub probes: Counter,
    /// Probes skipped because the one before took too long.
    pub probes_missed: Counter,
    /// Rule evaluations done.
    pub evaluations: Counter,
    /// Rule evaluations that failed.
    pub evaluation_failures: Counter,
    /// Rule evaluations skipped because the one before took too long.
    pub evaluations_missed: Counter,
    /// When the rules were last evaluated, in Unix seconds.
    pub last_evaluation: Gauge,
    /// Incidents that are not resolved.
    pub incidents_open: Gauge,
    /// Pages that wait to be delivered.
    pub pages_queued: Gauge,
    /// How long the oldest waiting page has waited, in seconds.
    pub pages_oldest_age: Gauge,
    /// Pages delivered.
    pub pages_delivered: Counter,
    /// Attempts to deliver that failed.
    pub page_failures: Counter,
    /// Pages given up after a day.
    pub pages_given_up: Counter,
    /// Levels that reached nobody, because no contact fills their roles.
    pub pages_unroutable: Counter,
    /// Steps of procedures that were run.
    pub steps: Counter,
    /// Those of them that failed.
    pub step_failures: Counter,
    /// Loops that do not come back to wait.
    pub loops_stalled: Gauge,
    /// Calls of the dead-man's switch that were answered.
    pub switch_calls: Counter,
    /// Those that were not.
    pub switch_failures: Counter,
    /// Alerts that other programs sent.
    pub alerts_received: Counter,
    /// Log lines stored.
    pub log_lines_stored: Counter,
    log_lines_dropped: Family<Counter>,
    /// Failed writes of the incident store.
    pub incident_store_failures: Counter,
    /// Failed runs of upkeep (sync, sealing, retention).
    pub upkeep_failures: Counter,
    /// Reloads of the plan that were refused.
    pub reload_failures: Counter,
    /// Comparisons of the plan with what arrives.
    pub coverage_looks: Counter,
}

impl SelfMetrics {
    /// All instruments, at zero, in a registry of their own.
    pub fn new() -> SelfMetrics {
        let registry = Registry::new();
        let closed = |reasons: &[&'static str]| {
            reasons
                .iter()
                .map(|reason| vec![*reason])
                .collect::<Vec<_>>()
        };
        let fetch: Vec<Vec<&str>> = closed(&FETCH_REASONS);
        let fetch: Vec<&[&str]> = fetch.iter().map(Vec::as_slice).collect();
        let log: Vec<Vec<&str>> = closed(&LOG_REASONS);
        let log: Vec<&[&str]> = log.iter().map(Vec::as_slice).collect();
        registry.info(
            "belfry_build_info",
            "The version that runs.",
            &[("version", env!("CARGO_PKG_VERSION"))],
        );
        registry.collector(telemetry::process::collect);
        SelfMetrics {
            scrapes: registry.counter("belfry_scrape_iterations_total", "Scrapes that were whole."),
            scrapes_missed: registry
                .counter("belfry_scrape_missed_total", "Scrapes skipped because the one before took too long."),
            scrape_failures: registry.counter_family(
                "belfry_scrape_failures_total",
                "Scrapes that failed, by reason.",
                &["reason"],
                Children::Closed(&fetch),
            ),
            samples_stored: registry.counter("belfry_scrape_samples_total", "Samples stored from scrapes."),
            samples_refused: registry.counter(
                "belfry_scrape_samples_refused_total",
                "Samples that the store refused: older than the newest of their series, or doubled.",
            ),
            own_samples_lost: registry
                .counter("belfry_own_samples_lost_total", "Batches of Belfry's own samples that the store did not take."),
            probes: registry.counter("belfry_probe_iterations_total", "Probes done."),
            probes_missed: registry
                .counter("belfry_probe_missed_total", "Probes skipped because the one before took too long."),
            evaluations: registry.counter("belfry_rule_evaluations_total", "Rule evaluations done."),
            evaluation_failures: registry
                .counter("belfry_rule_evaluation_failures_total", "Rule evaluations that failed."),
            evaluations_missed: registry.counter(
                "belfry_rule_evaluations_missed_total",
                "Evaluations of a group skipped because the one before took too long.",
            ),
            last_evaluation: registry.gauge(
                "belfry_rule_last_evaluation_timestamp_seconds",
                "When rules were last evaluated, in Unix time.",
            ),
            incidents_open: registry.gauge("belfry_incidents_open", "Incidents that are not resolved."),
            pages_queued: registry.gauge("belfry_pages_queued", "Pages that wait to be delivered."),
            pages_oldest_age: registry
                .gauge("belfry_pages_oldest_age_seconds", "How long the oldest waiting page has waited."),
            pages_delivered: registry.counter("belfry_pages_delivered_total", "Pages accepted by their receiver."),
            page_failures: registry.counter("belfry_page_failures_total", "Attempts to deliver a page that failed."),
            pages_given_up: registry.counter("belfry_pages_given_up_total", "Pages given up after a day of attempts."),
            pages_unroutable: registry.counter(
                "belfry_pages_unroutable_total",
                "Escalation levels that reached nobody because no contact fills their roles.",
            ),
            steps: registry.counter("belfry_procedure_steps_total", "Steps of procedures that were run."),
            step_failures: registry
                .counter("belfry_procedure_step_failures_total", "Steps of procedures that failed."),
            loops_stalled: registry.gauge(
                "belfry_loops_stalled",
                "Loops of Belfry's own that have ended or do not come back to wait.",
            ),
            switch_calls: registry
                .counter("belfry_dead_mans_switch_calls_total", "Calls of the dead-man's switch that were answered."),
            switch_failures: registry.counter(
                "belfry_dead_mans_switch_failures_total",
                "Calls of the dead-man's switch that were not answered well.",
            ),
            alerts_received: registry
                .counter("belfry_alerts_received_total", "Alerts that other programs sent."),
            log_lines_stored: registry.counter("belfry_log_lines_stored_total", "Log lines stored."),
            log_lines_dropped: registry.counter_family(
                "belfry_log_lines_dropped_total",
                "Log lines received and not stored, by reason.",
                &["reason"],
                Children::Closed(&log),
            ),
            incident_store_failures: registry
                .counter("belfry_incident_store_failures_total", "Writes that the incident store refused."),
            upkeep_failures: registry
                .counter("belfry_upkeep_failures_total", "Runs of sync, sealing and retention that failed."),
            coverage_looks: registry
                .counter("belfry_coverage_iterations_total", "Comparisons of the plan with what arrives."),
            reload_failures: registry.counter("belfry_plan_reload_failures_total", "Reloads refused: the plan is broken."),
            registry,
        }
    }

    /// Counts a failed scrape.
    pub fn scrape_failed(&self, reason: &str) {
        self.scrape_failures.handle(&[reason]).inc();
    }

    /// Counts log lines that were not stored.
    pub fn log_lines_dropped(&self, reason: &str, lines: u64) {
        self.log_lines_dropped.handle(&[reason]).add(lines);
    }
}

impl Default for SelfMetrics {
    fn default() -> SelfMetrics {
        SelfMetrics::new()
    }
}
