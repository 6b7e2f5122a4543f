//! Is it there? The one question that every service answers.

use super::OVERVIEW;
use crate::init::draft::{Answers, Draft, DraftObjective, DraftPanel, DraftRule, Subject, Urgency};

pub(super) fn add(draft: &mut Draft, answers: &Answers) {
    let service = &answers.service;
    let up = format!("up{{job=\"{service}\"}}");
    draft.rules.push(DraftRule {
        name: "ServiceDown".to_owned(),
        expr: format!("{up} == 0"),
        hold: "1m",
        urgency: Urgency::Critical,
        subject: Subject::Presence,
        summary: "{{ $labels.instance }} does not answer scrapes".to_owned(),
        description: "Four scrapes in a row failed. Every other alert is blind meanwhile."
            .to_owned(),
    });
    let mut queries = vec![(up, "scrapes".to_owned())];
    if answers.health.iter().any(|endpoint| endpoint.readiness) {
        let ready = "probe_success{kind=\"readiness\"}";
        draft.rules.push(DraftRule {
            name: "NotReady".to_owned(),
            expr: format!("{ready} == 0 and on () up{{job=\"{service}\"}} == 1"),
            hold: "1m",
            urgency: Urgency::Critical,
            subject: Subject::Presence,
            summary: "The service runs but takes no traffic".to_owned(),
            description: "The readiness probe has failed for a minute while scrapes still work."
                .to_owned(),
        });
        queries.push((ready.to_owned(), "ready".to_owned()));
    }
    let live = answers.health.iter().any(|endpoint| !endpoint.readiness);
    if live {
        let alive = "probe_success{kind=\"liveness\"}";
        queries.push((alive.to_owned(), "alive".to_owned()));
    }
    draft.panel(
        OVERVIEW,
        DraftPanel {
            title: "Is it there? (1 yes, 0 no)".to_owned(),
            kind: "line",
            unit: "count",
            queries: queries.clone(),
        },
    );
    // The probe counts what users get; without one, answered scrapes come nearest.
    let (counted, _) = queries.swap_remove(usize::from(queries.len() > 1));
    draft.objectives.push(DraftObjective {
        id: "uptime",
        title: "Uptime",
        expr: format!("avg_over_time({counted}[30d])"),
        unit: "ratio",
        target: "> 99.9%".to_owned(),
    });
    draft.rules.push(DraftRule {
        name: "RequiredMetricMissing".to_owned(),
        expr: "belfry_plan_metric_present{required=\"true\"} == 0".to_owned(),
        hold: "5m",
        urgency: Urgency::Warning,
        subject: Subject::Failures,
        summary: "{{ $labels.metric }} is no longer exposed".to_owned(),
        description: "A metric that this plan reads was in no scrape for five minutes. What reads it cannot fire."
            .to_owned(),
    });
}
