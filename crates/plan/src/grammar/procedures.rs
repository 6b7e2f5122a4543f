//! What the responder does.

use super::Type::{
    Boolean, Duration, Environment, Json, List, LogSearch, Map, Name, Path, Reference, Request,
    Text, VectorOrScalar,
};
use super::response::ANY_DURATION;
use super::words::STEP_KINDS;
use super::{Default, Key, Rule, Shape};
use crate::context::Kind;
use crate::limits::{
    ARGUMENTS_MAX, COMPARE_BEFORE_DEFAULT, DURATION_MIN, STEP_TIMEOUT_DEFAULT, STEP_TIMEOUT_MAX,
    STEPS_MAX,
};

/// The keys that a step with a request has besides it.
pub(crate) const REQUEST_KEYS: [&str; 3] = ["body", "token_file", "token_environment"];

pub(crate) static PROCEDURE: Shape = Shape::new(
    "a procedure",
    "What the responder does about an alert, step by step.",
    &[
        Key::required("id", Name, "Its name in references."),
        Key::required("title", Text, "What people call it."),
        Key::required(
            "steps",
            List(&Map(&STEP), 1, Some(STEPS_MAX)),
            "What is done, in order.",
        ),
    ],
);

pub(crate) static STEP: Shape = Shape::new(
    "a step",
    "One thing to do, and how Belfry helps with it. A step without `query`, `logs`, `check`, `deployments`, `compare`, \
     `request` or `command` is done by a person and ticked. Steps that change nothing run by themselves when the incident \
     opens; others wait for a person, unless `automatic`.",
    &[
        Key::required("do", Text, "What to do."),
        Key::optional("query", VectorOrScalar, "An expression: its value now, and a chart."),
        Key::optional("logs", LogSearch, "A log search over the time before the incident."),
        Key::optional("check", Reference(Kind::Probe), "A probe, asked at once."),
        Key::optional(
            "deployments",
            ANY_DURATION,
            "What was deployed in this length of time before the incident.",
        ),
        Key::optional("compare", VectorOrScalar, "An expression now against the same a while before."),
        Key::optional("before", ANY_DURATION, "How long before the incident `compare` looks.")
            .or(Default::Duration(COMPARE_BEFORE_DEFAULT)),
        Key::optional(
            "request",
            Request,
            "An HTTP call, to the host and port of a target or a probe of the plan or to one that `procedures_may_reach` \
             lists. The method is `GET` where none is written.",
        ),
        Key::optional("body", Json, "The request's body; not on a `GET`."),
        Key::optional("token_file", Path, "A file with the request's bearer token."),
        Key::optional(
            "token_environment",
            Environment,
            "An environment variable with the request's bearer token.",
        ),
        Key::optional(
            "command",
            List(&Text, 1, Some(ARGUMENTS_MAX)),
            "A local program and its arguments. No shell reads them.",
        ),
        Key::optional(
            "changes",
            Boolean,
            "Whether it changes something. A `POST` that only looks may say `false`.",
        )
        .or(Default::Words("`true` for a command and for a request that is no `GET`")),
        Key::optional(
            "automatic",
            Boolean,
            "Lets a step that changes something run by itself all the same.",
        )
        .or(Default::Boolean(false)),
        Key::optional(
            "timeout",
            Duration(DURATION_MIN, STEP_TIMEOUT_MAX),
            "How long it may take; not on a step that a person does.",
        )
        .or(Default::Duration(STEP_TIMEOUT_DEFAULT)),
    ],
)
.with(&[
    Rule::AtMostOneOf(&STEP_KINDS),
    Rule::Only(&["before"], "compare"),
    Rule::Only(&REQUEST_KEYS, "request"),
    Rule::AtMostOneOf(&["token_file", "token_environment"]),
]);
