//! Requests: how many, how many fail, how long they take. Found by the names that client libraries and frameworks give.

use plan::MetricType;

use super::OVERVIEW;
use crate::init::draft::{Answers, Draft, DraftObjective, DraftPanel, DraftRule, Subject, Urgency};
use crate::init::survey::{Survey, SurveyedFamily};

/// Labels under which libraries keep the status of an answer, the commonest first.
const STATUS_LABELS: [&str; 7] = [
    "code",
    "status",
    "status_code",
    "http_response_status_code",
    "http_status",
    "http_status_code",
    "response_code",
];

/// Metrics about the metrics endpoint itself say nothing about the service's users.
const ABOUT_SCRAPES: [&str; 2] = ["promhttp_", "scrape_"];

/// The share of failed requests from which people are woken.
const FAILING_SHARE: f64 = 0.05;

pub(super) fn add(draft: &mut Draft, survey: &Survey, answers: &Answers) {
    if let Some((name, status)) = request_counter(survey) {
        add_counted(draft, &name, status.as_deref());
    }
    if let Some(name) = duration_histogram(survey) {
        add_timed(draft, &name, answers.answer_within);
    }
}

/// The series that count requests, and the label that holds their status. The count of a histogram serves as well.
fn request_counter(survey: &Survey) -> Option<(String, Option<String>)> {
    let counted = survey
        .of_type(MetricType::Counter)
        .filter(|(name, _)| about_requests(name) && name.ends_with("requests_total"))
        .map(|(name, family)| (name.to_owned(), status_label(family)));
    let timed = duration_families(survey)
        .map(|(name, family)| (format!("{name}_count"), status_label(family)));
    // One that knows the status is worth more than one that only counts; of those, the first by name.
    counted
        .chain(timed)
        .min_by_key(|(_, status)| status.is_none())
}

fn duration_histogram(survey: &Survey) -> Option<String> {
    duration_families(survey)
        .next()
        .map(|(name, _)| name.to_owned())
}

fn duration_families(survey: &Survey) -> impl Iterator<Item = (&str, &SurveyedFamily)> {
    survey
        .of_type(MetricType::Histogram)
        .filter(|(name, _)| about_requests(name) && name.ends_with("_seconds"))
}

fn about_requests(name: &str) -> bool {
    let whole_request = name.contains("request") || name.contains("http_server");
    whole_request && !ABOUT_SCRAPES.iter().any(|prefix| name.starts_with(prefix))
}

/// The label whose values look like HTTP's statuses.
fn status_label(family: &SurveyedFamily) -> Option<String> {
    let is_status =
        |value: &String| value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit());
    STATUS_LABELS
        .iter()
        .find(|label| {
            let values = family.labels.get(**label);
            values.is_some_and(|values| !values.is_empty() && values.iter().all(is_status))
        })
        .map(|label| (*label).to_owned())
}

fn add_counted(draft: &mut Draft, name: &str, status: Option<&str>) {
    let all = format!("sum(rate({name}[5m]))");
    let mut queries = vec![(all.clone(), "requests".to_owned())];
    if let Some(status) = status {
        queries = vec![(
            format!("sum by ({status}) (rate({name}[5m]))"),
            format!("{{{{{status}}}}}"),
        )];
    }
    draft.panel(
        OVERVIEW,
        DraftPanel {
            title: "Requests a second".to_owned(),
            kind: "stacked",
            unit: "per_second",
            queries,
        },
    );
    let Some(status) = status else { return };
    let failing = format!("sum(rate({name}{{{status}=~\"5..\"}}[5m])) / sum(rate({name}[5m]))");
    draft.rules.push(DraftRule {
        name: "RequestsFail".to_owned(),
        expr: format!("{failing} > {FAILING_SHARE}"),
        hold: "5m",
        urgency: Urgency::Critical,
        subject: Subject::Requests,
        summary: "{{ $value | humanizePercentage }} of the requests fail".to_owned(),
        description: "More than one request in twenty is answered with a status of 500 or above."
            .to_owned(),
    });
    draft.panel(
        OVERVIEW,
        DraftPanel {
            title: "Share of failed requests".to_owned(),
            kind: "line",
            unit: "ratio",
            queries: vec![(
                share_of_failed(name, status, "rate", "5m"),
                "failed".to_owned(),
            )],
        },
    );
    draft.objectives.push(DraftObjective {
        id: "failed-requests",
        title: "Failed requests",
        expr: share_of_failed(name, status, "increase", "30d"),
        unit: "ratio",
        target: "< 1%".to_owned(),
    });
}

/// Without a failure in all the time there is no failed series; the share is then 0 and not unknown.
fn share_of_failed(name: &str, status: &str, function: &str, range: &str) -> String {
    let all = format!("sum({function}({name}[{range}]))");
    format!("(sum({function}({name}{{{status}=~\"5..\"}}[{range}])) or {all} * 0) / {all}")
}

fn add_timed(draft: &mut Draft, name: &str, within: f64) {
    let quantile = |share: f64, range: &str| {
        format!("histogram_quantile({share}, sum by (le) (rate({name}_bucket[{range}])))")
    };
    let queries = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];
    draft.panel(
        OVERVIEW,
        DraftPanel {
            title: "Time to answer".to_owned(),
            kind: "line",
            unit: "seconds",
            queries: queries
                .map(|(share, legend)| (quantile(share, "5m"), legend.to_owned()))
                .to_vec(),
        },
    );
    let promised = format!("{within} s");
    draft.rules.push(DraftRule {
        name: "SlowAnswers".to_owned(),
        expr: format!("{} > {within}", quantile(0.95, "5m")),
        hold: "10m",
        urgency: Urgency::Warning,
        subject: Subject::Requests,
        summary: "One request in twenty takes {{ $value }} s or longer".to_owned(),
        description: format!(
            "The 95th percentile of answers is above the {promised} that are promised."
        ),
    });
    draft.objectives.push(DraftObjective {
        id: "answer-time",
        title: "Time to answer (95th percentile)",
        expr: quantile(0.95, "30d"),
        unit: "seconds",
        target: format!("< {}ms", (within * 1000.0).round()),
    });
}
