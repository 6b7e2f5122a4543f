//! The series that Belfry writes itself. Expressions may read them without declaring them as metrics.
//!
//! A list and not only prefixes, so that `probe_sucess` is noticed; a name with the right prefix that is not on the
//! list is a warning only, because a newer Belfry may know more.

/// Whether a metric that the plan declares was in the last complete scrape: 0 or 1, with the labels `metric` and
/// `required`. What "a required metric is missing" alerts read.
pub const PLAN_METRIC_PRESENT: &str = "belfry_plan_metric_present";

/// How long ago a heartbeat was heard, by the label `heartbeat`. What "a job no longer reports" alerts read.
pub const HEARTBEAT_AGE: &str = "belfry_heartbeat_age_seconds";

/// How long ago it may have been heard: how often it reports and its grace, by the label `heartbeat`.
pub const HEARTBEAT_ALLOWED: &str = "belfry_heartbeat_allowed_seconds";

/// The share of a group that is covered in one respect, 0 to 1, by the labels `group` and `aspect`. Not written while nothing is
/// known.
pub const COVERAGE_RATIO: &str = "belfry_coverage_ratio";

/// The share that the plan promises, by the labels `group` and `aspect`.
pub const COVERAGE_TARGET: &str = "belfry_coverage_target_ratio";

/// Since when a hole in coverage is known, in Unix seconds, by the labels `kind`, `about` and `place`; 0 once it is closed.
pub const COVERAGE_HOLE_SINCE: &str = "belfry_coverage_hole_since_timestamp_seconds";

/// Whether a declared metric is in a state, by the labels `metric`, `state`, `job` and `instance`: 0 or 1.
pub const PLAN_METRIC_STATE: &str = "belfry_plan_metric_state";

/// The time of a log category's newest line, in Unix seconds, by the label `category`.
pub const LOG_CATEGORY_LAST_LINE: &str = "belfry_log_category_last_line_timestamp_seconds";

/// Lines of a log category, by the label `category`.
pub const LOG_CATEGORY_LINES: &str = "belfry_log_category_lines_total";

/// Whether a critical path has an alert that is whole, by the label `path`: 0 or 1.
pub const CRITICAL_PATH_COVERED: &str = "belfry_critical_path_covered";
/// When the last drill of an alert that passed ended, in seconds since 1970, by the label `alert`; 0 where none has. What "nobody
/// has tried this alert for a month" alerts read.
pub const DRILL_LAST_PASSED: &str = "belfry_drill_last_passed_timestamp_seconds";

/// Every series that Belfry writes: name and the labels that tell its series apart.
pub const BELFRY_SERIES: &[(&str, &[&str])] = &[
    ("up", &["job", "instance"]),
    ("scrape_duration_seconds", &["job", "instance"]),
    ("scrape_samples_scraped", &["job", "instance"]),
    (
        "scrape_samples_post_metric_relabeling",
        &["job", "instance"],
    ),
    ("scrape_series_added", &["job", "instance"]),
    ("probe_success", &["probe", "kind"]),
    ("probe_duration_seconds", &["probe", "kind"]),
    ("probe_http_status_code", &["probe", "kind"]),
    ("probe_dependency_up", &["probe", "dependency"]),
    ("host_cpu_seconds_total", &["mode"]),
    ("host_memory_total_bytes", &[]),
    ("host_memory_available_bytes", &[]),
    ("host_disk_read_bytes_total", &["device"]),
    ("host_disk_written_bytes_total", &["device"]),
    ("host_disk_io_seconds_total", &["device"]),
    ("host_filesystem_size_bytes", &["mountpoint"]),
    ("host_filesystem_available_bytes", &["mountpoint"]),
    ("host_network_receive_bytes_total", &["interface"]),
    ("host_network_transmit_bytes_total", &["interface"]),
    ("host_load1", &[]),
    ("log_lines_total", &["service", "level", "category"]),
    ("ALERTS", &["alertname", "alertstate", "severity"]),
    ("ALERTS_FOR_STATE", &["alertname", "severity"]),
    (DRILL_LAST_PASSED, &["alert"]),
    (HEARTBEAT_AGE, &["heartbeat"]),
    (HEARTBEAT_ALLOWED, &["heartbeat"]),
    (PLAN_METRIC_PRESENT, &["metric", "required"]),
    (
        PLAN_METRIC_STATE,
        &["metric", "group", "required", "state", "job", "instance"],
    ),
    (COVERAGE_RATIO, &["group", "aspect"]),
    (COVERAGE_TARGET, &["group", "aspect"]),
    (COVERAGE_HOLE_SINCE, &["kind", "about", "place"]),
    (CRITICAL_PATH_COVERED, &["path"]),
    (LOG_CATEGORY_LAST_LINE, &["category"]),
    (LOG_CATEGORY_LINES, &["category"]),
];

/// Beginnings of names that only Belfry writes.
const PREFIXES: [&str; 4] = ["scrape_", "probe_", "host_", "belfry_"];

/// Whose a name is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// Belfry writes it.
    Belfry,
    /// By its beginning it is Belfry's, but this Belfry is not known to write it.
    BelfryUnlisted,
    /// Not Belfry: it must be declared.
    Target,
}

/// Who writes an undeclared series.
pub(crate) fn writer(name: &str) -> Writer {
    let listed = BELFRY_SERIES.iter().any(|(own, _)| *own == name);
    // Belfry's own metrics are many and documented elsewhere.
    if listed || name.starts_with("belfry_") {
        return Writer::Belfry;
    }
    if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Writer::BelfryUnlisted;
    }
    Writer::Target
}
