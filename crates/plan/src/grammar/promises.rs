//! What is promised: objectives, coverage, critical paths.

use super::Type::{
    Count, List, Map, Name, Number, Reference, Share, Target, Text, VectorOrScalar, Word,
};
use super::response::ANY_DURATION;
use super::words::{self, words};
use super::{Default, Key, Rule, Shape, Type};
use crate::context::Kind;
use crate::limits::{BURN_WINDOWS_MAX, MINIMUM_TRAFFIC_MAX};

static SEVERITIES: [&str; 2] = words(&words::SEVERITIES);

pub(crate) static OBJECTIVE: Shape = Shape::new(
    "an objective",
    "A promised target and the expression that measures it.",
    &[
        Key::required("id", Name, "Its name in references."),
        Key::required("title", Text, "What people call it."),
        Key::required("expr", VectorOrScalar, "Its present value."),
        Key::required(
            "unit",
            Name,
            "The unit of the value: `seconds`, `ratio`, `count`, …",
        ),
        Key::required(
            "target",
            Target,
            "On which side of what good lies: a length of time with the unit `seconds`, a percentage with the unit \
             `ratio`, a number with any other.",
        ),
        Key::required(
            "window",
            ANY_DURATION,
            "The time over which it is promised.",
        ),
        Key::optional(
            "events",
            Map(&EVENTS),
            "How its events are counted; with it the objective has an error budget.",
        ),
        Key::optional("budget", Share, "The share of events that may be bad.").or(Default::Words(
            "what the target or the quantile leaves over",
        )),
        Key::optional(
            "burn_alerts",
            Map(&BURN_ALERTS),
            "Alerts on how fast the budget is spent.",
        ),
    ],
);

pub(crate) static EVENTS: Shape = Shape::new(
    "how events are counted",
    "Two of `bad`, `good` and `total`, or a `histogram`, or a `gauge`.",
    &[
        Key::optional(
            "bad",
            Text,
            "The counter of bad events, by name or selector.",
        ),
        Key::optional(
            "good",
            Text,
            "The counter of good events, by name or selector.",
        ),
        Key::optional(
            "total",
            Text,
            "The counter of all events, by name or selector.",
        ),
        Key::optional(
            "histogram",
            Text,
            "A histogram, of which the observations above a bound are bad.",
        ),
        Key::optional("above", Text, "That bound.").or(Default::Words("the target")),
        Key::optional("gauge", Text, "A gauge that is 1 when good and 0 when bad."),
    ],
)
.with(&[Rule::Only(&["above"], "histogram")]);

pub(crate) static BURN_ALERTS: Shape = Shape::new(
    "burn-rate alerts",
    "Rules made of the budget: each fires when the budget is spent so many times too fast, over a long and a short window.",
    &[
        Key::required(
            "escalation",
            Reference(Kind::EscalationPolicy),
            "The policy by which people are told.",
        ),
        Key::optional(
            "procedure",
            Reference(Kind::Procedure),
            "The procedure that the responder follows.",
        ),
        Key::optional(
            "minimum_traffic",
            Count(1, MINIMUM_TRAFFIC_MAX),
            "Events in the long window below which the alert stays quiet.",
        )
        .or(Default::Words("so many that one bad event is no alert")),
        Key::optional(
            "severity",
            Word(&SEVERITIES),
            "The severity of all of them.",
        ),
        Key::optional(
            "windows",
            List(&Map(&BURN_WINDOW), 1, Some(BURN_WINDOWS_MAX)),
            "Pairs of windows.",
        )
        .or(Default::Words("the standard ones")),
    ],
);

pub(crate) static BURN_WINDOW: Shape = Shape::new(
    "a pair of windows",
    "One alert: both windows must burn so fast, the long one so that it matters and the short one so that it still happens.",
    &[
        Key::required("long", ANY_DURATION, "The long window."),
        Key::required("short", ANY_DURATION, "The short window, a twelfth of it."),
        Key::required("factor", Number, "How many times too fast."),
        Key::optional(
            "severity",
            Word(&SEVERITIES),
            "How urgent; needed where not all have the same.",
        ),
    ],
);

/// The share of one group.
const fn share(group: &'static str, meaning: &'static str) -> Key {
    Key::optional(group, Share, meaning).or(Default::Words("all of it"))
}

pub(crate) static COVERAGE: Shape = Shape::new(
    "coverage",
    "How much of each group of metrics must really arrive.",
    &[
        share(
            "application",
            "The share of the metrics of what the program does.",
        ),
        share(
            "infrastructure",
            "The share of the metrics of what it runs on.",
        ),
        share("business", "The share of the metrics of what it is for."),
    ],
);

pub(crate) static CRITICAL_PATH: Shape = Shape::new(
    "a critical path",
    "A path through the service, with the alerts that guard it.",
    &[
        Key::required("name", Text, "What the path is."),
        Key::required(
            "alerts",
            Type::some(&Reference(Kind::Alert)),
            "The alerts that guard it.",
        ),
    ],
);
