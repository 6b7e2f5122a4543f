//! Alert rules and dashboards: what is asked of the metrics.

use super::Type::{
    Duration, Label, Labels, List, Map, MetricName, Name, Number, Reference, Text, Vector,
    VectorOrScalar, Word,
};
use super::collection::INTERVAL;
use super::words::{self, words};
use super::{Default, Key, Shape, Type};
use crate::context::Kind;
use crate::limits::{DURATION_MAX, GROUP_LABELS_MAX, INTERVAL_DEFAULT};

/// A length of time that may be none.
pub(super) static DURATION_OR_ZERO: Type = Duration(std::time::Duration::ZERO, DURATION_MAX);

pub(super) static SEVERITIES: [&str; 2] = words(&words::SEVERITIES);
static NO_TRAFFIC: [&str; 2] = words(&words::NO_TRAFFIC);
static PANEL_KINDS: [&str; 4] = words(&words::PANEL_KINDS);

pub(crate) static RULE_GROUP: Shape = Shape::new(
    "a rule group",
    "Rules that are evaluated together, at one time and one after another.",
    &[
        Key::required("name", Name, "The group's name."),
        Key::optional("interval", INTERVAL, "How often it is evaluated.")
            .or(Default::Duration(INTERVAL_DEFAULT)),
        Key::required("rules", Type::some(&Map(&RULE)), "Its rules, in order."),
    ],
);

pub(crate) static RULE: Shape = Shape::new(
    "a rule",
    "One alert: what is wrong, how urgent it is, and who is told.",
    &[
        Key::required("alert", MetricName, "The alert's name."),
        Key::required(
            "expr",
            Vector,
            "What is wrong when it yields a value. Each series of the answer is an alert of its own.",
        ),
        Key::optional("for", DURATION_OR_ZERO, "How long it must hold before it fires.")
            .or(Default::Duration(std::time::Duration::ZERO)),
        Key::optional(
            "keep_firing_for",
            DURATION_OR_ZERO,
            "How long it goes on firing after the condition ended, so that a short calm does not resolve it.",
        )
        .or(Default::Duration(std::time::Duration::ZERO)),
        Key::required(
            "severity",
            Word(&SEVERITIES),
            "`critical` pages at once and escalates; `warning` tells the first level once.",
        ),
        Key::optional(
            "group_by",
            List(&Label, 0, Some(GROUP_LABELS_MAX)),
            "The labels by which its alerts group into incidents.",
        )
        .or(Default::Words("those of `incidents`")),
        Key::optional(
            "labels",
            Labels,
            "Further labels of the alert, besides `alertname` and `severity`.",
        ),
        Key::optional(
            "summary",
            Text,
            "One line for a telephone's screen. `{{ $value }}`, `{{ $value | humanizePercentage }}` and \
             `{{ $labels.x }}` may stand in it.",
        )
        .or(Default::Words("the alert's name")),
        Key::optional("description", Text, "More, for the incident's page; with the same places to fill."),
        Key::optional(
            "procedure",
            Reference(Kind::Procedure),
            "The procedure that the responder follows.",
        ),
        Key::optional(
            "escalation",
            Reference(Kind::EscalationPolicy),
            "The policy by which it escalates. A critical rule must have one.",
        ),
        Key::optional(
            "no_traffic",
            Word(&NO_TRAFFIC),
            "What it means when complete scrapes bring no value: a firing alert resolves, or goes on paging.",
        )
        .or(Default::Word(words::NO_TRAFFIC[0].0)),
    ],
);

pub(crate) static DASHBOARD: Shape = Shape::new(
    "a dashboard",
    "A page of panels.",
    &[
        Key::required("id", Name, "Its name in addresses."),
        Key::required("title", Text, "What people call it."),
        Key::required("panels", Type::some(&Map(&PANEL)), "Its panels, in order."),
    ],
);

pub(crate) static PANEL: Shape = Shape::new(
    "a panel",
    "One chart.",
    &[
        Key::required("title", Text, "What people call it."),
        Key::optional("description", Text, "What it shows, in a sentence."),
        Key::optional(
            "kind",
            Word(&PANEL_KINDS),
            "How it draws: lines over time, stacked areas over time, the present value, or a bar a series.",
        )
        .or(Default::Word(words::PANEL_KINDS[0].0)),
        Key::optional(
            "unit",
            Text,
            "The unit of its values: `seconds`, `bytes`, `ratio`, `per_second`, `count`, …",
        )
        .or(Default::Words("none")),
        Key::required("queries", Type::some(&Map(&QUERY)), "What it draws."),
        Key::optional(
            "thresholds",
            Type::list(&Map(&THRESHOLD)),
            "Lines to draw across: an alert's threshold, an objective's target.",
        ),
    ],
);

pub(crate) static QUERY: Shape = Shape::new(
    "a query",
    "One query of a panel.",
    &[
        Key::required("expr", VectorOrScalar, "What it draws."),
        Key::optional(
            "legend",
            Text,
            "What its series are called; `{{label}}` may stand in it.",
        )
        .or(Default::Words("the series' labels")),
    ],
);

pub(crate) static THRESHOLD: Shape = Shape::new(
    "a threshold",
    "A line across a panel.",
    &[
        Key::required("value", Number, "Where it lies, in the panel's unit."),
        Key::required("label", Text, "What it is."),
    ],
);
