//! The top of a plan, and what stands beside its sections.

use super::Type::{Authority, Code, Duration, Format, List, Map, Name, OneOrMore, Text};
use super::{
    COVERAGE, CRITICAL_PATH, DASHBOARD, DEPLOYMENTS, DRILLS, Default, ESCALATION_POLICY, HEARTBEAT,
    HOST, INCIDENTS, INCOMING_ALERTS, INHIBITION, Key, LOGS, MAINTENANCE_WINDOW, MESSAGES, METRIC,
    OBJECTIVE, PROBE, PROCEDURE, RULE_GROUP, Shape, TARGET, Type,
};
use crate::limits::{
    DURATION_MAX, DURATION_MIN, FILES_MAX, HEARTBEATS_MAX, INHIBITIONS_MAX,
    METRICS_RETENTION_DEFAULT, REACHABLE_MAX, WAIVED_MAX, WAIVERS_MAX, WINDOWS_MAX,
};

pub(crate) static PLAN: Shape = Shape::new(
    "a plan",
    "A whole monitoring plan: everything that Belfry runs comes from one of these.",
    &[
        Key::required("format", Format, "The version of the format."),
        Key::required(
            "service",
            Name,
            "The service's name: the `service` label of incidents, and the source of logs that name none.",
        ),
        Key::optional("title", Text, "What people call the plan.")
            .or(Default::Words("the service's name")),
        Key::optional(
            "include",
            List(&Text, 0, Some(FILES_MAX)),
            "Further files of the plan, by their paths from this one.",
        ),
        Key::optional(
            "metrics_retention",
            Duration(DURATION_MIN, DURATION_MAX),
            "How long samples are kept.",
        )
        .or(Default::Duration(METRICS_RETENTION_DEFAULT)),
        Key::optional(
            "targets",
            Type::list(&Map(&TARGET)),
            "What is scraped for metrics.",
        ),
        Key::optional(
            "host",
            Map(&HOST),
            "Collect the machine's own figures. Without the key nothing is collected.",
        ),
        Key::optional(
            "metrics",
            Type::list(&Map(&METRIC)),
            "The metrics that must or may exist.",
        ),
        Key::optional("rule_groups", Type::list(&Map(&RULE_GROUP)), "Alert rules."),
        Key::optional("incidents", Map(&INCIDENTS), "How alerts become incidents."),
        Key::optional(
            "inhibitions",
            List(&Map(&INHIBITION), 0, Some(INHIBITIONS_MAX)),
            "Which alerts hold others back.",
        ),
        Key::optional(
            "maintenance_windows",
            List(&Map(&MAINTENANCE_WINDOW), 0, Some(WINDOWS_MAX)),
            "When pages about some alerts are held back, again and again.",
        ),
        Key::optional(
            "deployments",
            Map(&DEPLOYMENTS),
            "How a deployment is seen besides being told.",
        ),
        Key::optional(
            "dashboards",
            Type::list(&Map(&DASHBOARD)),
            "Pages of panels.",
        ),
        Key::optional(
            "logs",
            Map(&LOGS),
            "How logs come in and stay. Without the key no logs are taken.",
        ),
        Key::optional(
            "probes",
            Type::list(&Map(&PROBE)),
            "Health endpoints that are asked.",
        ),
        Key::optional(
            "escalation_policies",
            Type::list(&Map(&ESCALATION_POLICY)),
            "Who is told when.",
        ),
        Key::optional("messages", Map(&MESSAGES), "Templates of what is sent."),
        Key::optional(
            "heartbeats",
            List(&Map(&HEARTBEAT), 0, Some(HEARTBEATS_MAX)),
            "Jobs that must report.",
        ),
        Key::optional(
            "incoming_alerts",
            Map(&INCOMING_ALERTS),
            "What happens to alerts that other programs send.",
        )
        .or(Default::Words("the first policy, as warnings")),
        Key::optional(
            "procedures",
            Type::list(&Map(&PROCEDURE)),
            "What the responder does.",
        ),
        Key::optional(
            "procedures_may_reach",
            List(&Authority, 0, Some(REACHABLE_MAX)),
            "Addresses that requests of procedures may go to besides those of targets and probes. The text is what counts: \
             `localhost` is not `127.0.0.1`.",
        ),
        Key::optional(
            "objectives",
            Type::list(&Map(&OBJECTIVE)),
            "The promised targets.",
        ),
        Key::optional(
            "coverage",
            Map(&COVERAGE),
            "How much of each group of metrics must really arrive.",
        ),
        Key::optional(
            "critical_paths",
            Type::list(&Map(&CRITICAL_PATH)),
            "Paths through the service that alerts must guard.",
        ),
        Key::optional("drills", Map(&DRILLS), "How alerts are drilled."),
        Key::optional(
            "waivers",
            List(&Map(&WAIVER), 0, Some(WAIVERS_MAX)),
            "Findings that are accepted, each with its reason.",
        ),
    ],
);

pub(crate) static WAIVER: Shape = Shape::new(
    "a waiver",
    "A finding of lint that the plan accepts. Errors cannot be waived: a plan with one cannot run.",
    &[
        Key::required("code", Code, "The finding's code, from `BF0101`."),
        Key::required(
            "about",
            OneOrMore(&Text, WAIVED_MAX),
            "The names of what the finding is about: alerts, metrics, probes, …",
        ),
        Key::required("reason", Text, "Why it is accepted."),
    ],
);
