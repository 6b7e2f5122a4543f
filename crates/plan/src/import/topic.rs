//! What a section is about, by the words of its heading.

use super::words;

/// A part of a plan that documents have a section for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// Nothing that a heading tells.
    None,
    Metrics,
    Alerts,
    Dashboards,
    Logs,
    Retention,
    Health,
    Intervals,
    Escalation,
    Procedures,
    Targets,
    Coverage,
    Paths,
}

/// Words that decide, the more special topics first: "Alert Escalation" is about escalation, "Log Retention" about retention.
const WORDS: [(&[&str], Topic); 12] = [
    (
        &["escalation", "escalations", "escalate", "oncall"],
        Topic::Escalation,
    ),
    (
        &[
            "procedure",
            "procedures",
            "runbook",
            "runbooks",
            "playbook",
            "playbooks",
        ],
        Topic::Procedures,
    ),
    (
        &[
            "dashboard",
            "dashboards",
            "panel",
            "panels",
            "visualization",
            "visualisation",
            "charts",
        ],
        Topic::Dashboards,
    ),
    (&["paths", "journeys"], Topic::Paths),
    (
        &["alert", "alerts", "alerting", "alarm", "alarms"],
        Topic::Alerts,
    ),
    (&["retention"], Topic::Retention),
    (&["log", "logs", "logging"], Topic::Logs),
    (
        &[
            "interval",
            "intervals",
            "frequency",
            "frequencies",
            "cadence",
        ],
        Topic::Intervals,
    ),
    (
        &[
            "health",
            "healthcheck",
            "healthchecks",
            "probe",
            "probes",
            "endpoint",
            "endpoints",
        ],
        Topic::Health,
    ),
    (&["coverage"], Topic::Coverage),
    (
        &[
            "target",
            "targets",
            "objective",
            "objectives",
            "slo",
            "slos",
            "sla",
            "slas",
            "criteria",
            "goals",
        ],
        Topic::Targets,
    ),
    (
        &["metric", "metrics", "instrumentation", "measurements"],
        Topic::Metrics,
    ),
];

/// The topic of a section; `above` is that of the section around it.
pub(super) fn topic(heading: &str, above: Topic) -> Topic {
    let own = WORDS
        .iter()
        .find(|(decisive, _)| words::has(heading, decisive));
    match own {
        // "Cache metrics" among the dashboards is a dashboard of that name.
        Some((_, Topic::Metrics)) if above != Topic::None => above,
        // A runbook "Missing logs" or a dashboard "Health" is one of its kind.
        Some(_) if matches!(above, Topic::Procedures | Topic::Dashboards) => above,
        Some((_, own)) => *own,
        None => above,
    }
}

impl Topic {
    /// What people call it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Topic::None => "the document",
            Topic::Metrics => "the metrics",
            Topic::Alerts => "the alerts",
            Topic::Dashboards => "the dashboards",
            Topic::Logs => "the logs",
            Topic::Retention => "the retention",
            Topic::Health => "the health endpoints",
            Topic::Intervals => "the intervals",
            Topic::Escalation => "the escalation",
            Topic::Procedures => "the procedures",
            Topic::Targets => "the targets",
            Topic::Coverage => "the coverage",
            Topic::Paths => "the critical paths",
        }
    }
}
