//! How alerts are drilled.

use super::Type::{Duration, Environment, Json, List, Map, Path, Reference, Request};
use super::procedures::REQUEST_KEYS;
use super::response::ANY_DURATION;
use super::{Default, Key, Rule, Shape};
use crate::context::Kind;
use crate::limits::{
    DRILL_EVERY_DEFAULT, DRILL_WITHIN_DEFAULT, DRILL_WITHIN_MAX, DURATION_MIN, FAULTS_MAX,
};

pub(crate) static DRILLS: Shape = Shape::new(
    "the drills section",
    "How often alerts must be seen to work, and how the service is broken so that one fires for real.",
    &[
        Key::optional(
            "every",
            ANY_DURATION,
            "For how long a passed drill proves an alert.",
        )
        .or(Default::Duration(DRILL_EVERY_DEFAULT)),
        Key::optional(
            "faults",
            List(&Map(&FAULT), 0, Some(FAULTS_MAX)),
            "How alerts are caused.",
        ),
    ],
);

pub(crate) static FAULT: Shape = Shape::new(
    "a fault",
    "What makes an alert fire for real, and what mends it.",
    &[
        Key::required(
            "alert",
            Reference(Kind::Alert),
            "The alert that it makes fire.",
        ),
        Key::required(
            "inject",
            Map(&FAULT_REQUEST),
            "The request that breaks the service.",
        ),
        Key::required(
            "end",
            Map(&FAULT_REQUEST),
            "The request that mends it. It may be sent twice.",
        ),
        Key::optional(
            "within",
            Duration(DURATION_MIN, DRILL_WITHIN_MAX),
            "How long after the fault the alert fires at the latest.",
        )
        .or(Default::Duration(DRILL_WITHIN_DEFAULT)),
        Key::optional(
            "calm_within",
            Duration(DURATION_MIN, DRILL_WITHIN_MAX),
            "How long after the end of the fault the alert has ended at the latest.",
        )
        .or(Default::Words("what follows from the rule")),
    ],
);

pub(crate) static FAULT_REQUEST: Shape = Shape::new(
    "a request",
    "An HTTP call, written as in a step of a procedure.",
    &[
        Key::required("request", Request, "Method and address."),
        Key::optional("body", Json, "Its body; not on a `GET`."),
        Key::optional("token_file", Path, "A file with its bearer token."),
        Key::optional(
            "token_environment",
            Environment,
            "An environment variable with its bearer token.",
        ),
    ],
)
.with(&[
    Rule::Only(&REQUEST_KEYS, "request"),
    Rule::AtMostOneOf(&["token_file", "token_environment"]),
]);
