//! What comes in beside scrapes and logs: heartbeats, alerts of other programs, deployments.

use super::Type::{Label, List, Name, Reference, Word};
use super::collection::INTERVAL;
use super::rules::{DURATION_OR_ZERO, SEVERITIES};
use super::{Default, Key, Shape};
use crate::context::Kind;
use crate::limits::DEPLOYMENT_LABELS_MAX;

pub(crate) static HEARTBEAT: Shape = Shape::new(
    "a heartbeat",
    "A job that must report. A heartbeat alone alerts nobody; a rule that compares `belfry_heartbeat_age_seconds` with \
     `belfry_heartbeat_allowed_seconds` does.",
    &[
        Key::required(
            "name",
            Name,
            "The job's name: the `heartbeat` label of its series.",
        ),
        Key::required("every", INTERVAL, "How often it reports."),
        Key::optional("grace", DURATION_OR_ZERO, "How late a report may be.")
            .or(Default::Words("a tenth of `every`, at least `1m`")),
    ],
);

pub(crate) static INCOMING_ALERTS: Shape = Shape::new(
    "the section on incoming alerts",
    "What happens to alerts that other programs send. Their own labels `escalation` and `severity` go before it.",
    &[
        Key::required(
            "escalation",
            Reference(Kind::EscalationPolicy),
            "The policy by which they escalate.",
        ),
        Key::optional("severity", Word(&SEVERITIES), "How urgent they are.")
            .or(Default::Word("warning")),
    ],
);

pub(crate) static DEPLOYMENTS: Shape = Shape::new(
    "the deployments section",
    "How a deployment is seen besides being told.",
    &[
        Key::required(
            "metric",
            Reference(Kind::Metric),
            "The metric that tells the build.",
        ),
        Key::required(
            "labels",
            List(&Label, 1, Some(DEPLOYMENT_LABELS_MAX)),
            "The metric's labels that change with a build.",
        ),
    ],
);
