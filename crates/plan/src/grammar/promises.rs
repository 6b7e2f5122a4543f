//! What is promised: objectives, coverage, critical paths.

use super::Type::{Name, Reference, Share, Target, Text, VectorOrScalar};
use super::response::ANY_DURATION;
use super::{Default, Key, Shape, Type};
use crate::context::Kind;

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
