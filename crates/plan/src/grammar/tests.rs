//! Files of tests and rule files of Prometheus: what stands beside a plan and is read by the same reader. Their form is
//! promtool's and Prometheus', so the reference and the schemas leave them to `docs/testing-plans.md`.

use std::time::Duration as Length;

use super::Type::{
    Boolean, Count, DateTime, Duration, Labels, List, Map, Name, Number, Path, Text, Vector,
    VectorOrScalar, Word,
};
use super::words::{self, words};
use super::{Key, Shape, Type};
use crate::limits::{
    DURATION_MAX, DURATION_MIN, RULE_FILES_MAX, TEST_LENGTH_MAX, TEST_LINES_MAX, TESTS_MAX,
};

static LEVELS: [&str; 4] = words(&words::LEVELS);
static SAYS: [&str; 2] = words(&words::SAYS);

pub(crate) static TEST_FILE: Shape = Shape::new(
    "a test file",
    "Tests of rules and plans, in promtool's format and with keys of Belfry's own.",
    &[
        Key::optional(
            "rule_files",
            List(&Path, 0, Some(RULE_FILES_MAX)),
            "The plans and rule files that are tested.",
        ),
        Key::optional(
            "evaluation_interval",
            Duration(DURATION_MIN, DURATION_MAX),
            "How often rules are evaluated.",
        ),
        Key::optional(
            "group_eval_order",
            Type::list(&Text),
            "Groups that are evaluated before the others.",
        ),
        Key::optional(
            "fuzzy_compare",
            Boolean,
            "Whether values may differ by a rounding.",
        ),
        Key::optional(
            "tests",
            List(&Map(&TEST_CASE), 0, Some(TESTS_MAX)),
            "The tests.",
        ),
    ],
);

pub(crate) static TEST_CASE: Shape = Shape::new(
    "a test",
    "What is there, and what must come of it.",
    &[
        Key::optional("name", Text, "What it is called."),
        Key::optional(
            "interval",
            Duration(DURATION_MIN, DURATION_MAX),
            "The time between two points of a series.",
        ),
        Key::optional("start_timestamp", DateTime, "When it begins."),
        Key::optional(
            "input_series",
            Type::list(&Map(&TEST_SERIES)),
            "The series that are there.",
        ),
        Key::optional(
            "log_lines",
            Type::list(&Map(&TEST_LOG_LINES)),
            "The log lines that come.",
        ),
        Key::optional("external_labels", Labels, "Labels that templates may use."),
        Key::optional("external_url", Text, "The address that templates may use."),
        Key::optional(
            "alert_rule_test",
            Type::list(&Map(&ALERT_CHECK)),
            "Which alerts fire when.",
        ),
        Key::optional(
            "promql_expr_test",
            Type::list(&Map(&EXPRESSION_CHECK)),
            "What expressions give.",
        ),
        Key::optional(
            "acknowledge",
            Type::list(&Map(&TEST_ACKNOWLEDGEMENT)),
            "Who takes the incident when.",
        ),
        Key::optional("contacts", Path, "The contacts file that says who is told."),
        Key::optional(
            "page_test",
            Type::list(&Map(&EXPECTED_PAGE)),
            "Every page that is sent.",
        ),
        Key::optional(
            "until",
            Duration(Length::ZERO, TEST_LENGTH_MAX),
            "How long the test takes.",
        ),
    ],
);

pub(crate) static TEST_SERIES: Shape = Shape::new(
    "a series",
    "A series with its points.",
    &[
        Key::required("series", Text, "Its name and labels."),
        Key::required("values", Text, "Its points: `0+10x5 _x3 stale`."),
    ],
);

pub(crate) static TEST_LOG_LINES: Shape = Shape::new(
    "log lines",
    "Lines of one kind.",
    &[
        Key::optional("service", Name, "The service that writes them."),
        Key::required("level", Word(&LEVELS), "Their level."),
        Key::optional("category", Name, "Their category."),
        Key::optional(
            "at",
            Duration(Length::ZERO, TEST_LENGTH_MAX),
            "When the first comes.",
        ),
        Key::optional(
            "every",
            Duration(DURATION_MIN, DURATION_MAX),
            "The time between two of them.",
        ),
        Key::optional("count", Count(1, TEST_LINES_MAX), "How many come."),
    ],
);

pub(crate) static ALERT_CHECK: Shape = Shape::new(
    "an alert test",
    "Which alerts of a name fire at a time.",
    &[
        Key::required("alertname", Text, "The alert."),
        Key::optional(
            "eval_time",
            Duration(Length::ZERO, TEST_LENGTH_MAX),
            "When.",
        ),
        Key::optional(
            "exp_alerts",
            Type::list(&Map(&EXPECTED_ALERT)),
            "Those that fire.",
        ),
    ],
);

pub(crate) static EXPECTED_ALERT: Shape = Shape::new(
    "an expected alert",
    "An alert that fires.",
    &[
        Key::optional("exp_labels", Labels, "Its labels, without `alertname`."),
        Key::optional("exp_annotations", Labels, "Its annotations."),
    ],
);

pub(crate) static EXPRESSION_CHECK: Shape = Shape::new(
    "an expression test",
    "What an expression gives at a time.",
    &[
        Key::required("expr", VectorOrScalar, "The expression."),
        Key::optional(
            "eval_time",
            Duration(Length::ZERO, TEST_LENGTH_MAX),
            "When.",
        ),
        Key::optional(
            "exp_samples",
            Type::list(&Map(&EXPECTED_SAMPLE)),
            "What it gives.",
        ),
    ],
);

pub(crate) static EXPECTED_SAMPLE: Shape = Shape::new(
    "an expected sample",
    "A value with its labels.",
    &[
        Key::optional("labels", Text, "Its labels, as in `up{job=\"shop\"}`."),
        Key::required("value", Number, "The value."),
    ],
);

pub(crate) static TEST_ACKNOWLEDGEMENT: Shape = Shape::new(
    "an acknowledgement",
    "Somebody takes an incident.",
    &[
        Key::required("at", Duration(Length::ZERO, TEST_LENGTH_MAX), "When."),
        Key::optional("alertname", Text, "Of which alert; of all unless given."),
        Key::optional("by", Text, "Who."),
    ],
);

pub(crate) static EXPECTED_PAGE: Shape = Shape::new(
    "an expected page",
    "A page that is sent.",
    &[
        Key::required("alertname", Text, "The alert that it is about."),
        Key::required("at", Duration(Length::ZERO, TEST_LENGTH_MAX), "When."),
        Key::required("to", Type::some(&Text), "Who is told: people or roles."),
        Key::optional("level", Count(1, 1_000), "At which level."),
        Key::optional("says", Word(&SAYS), "What it says."),
    ],
);

pub(crate) static RULE_FILE: Shape = Shape::new(
    "a rule file",
    "A rule file of Prometheus.",
    &[Key::optional(
        "groups",
        Type::list(&Map(&FILE_GROUP)),
        "Its groups.",
    )],
);

pub(crate) static FILE_GROUP: Shape = Shape::new(
    "a rule group",
    "Rules that are evaluated one after another.",
    &[
        Key::required("name", Text, "Its name."),
        Key::optional(
            "interval",
            Duration(DURATION_MIN, DURATION_MAX),
            "How often it is evaluated.",
        ),
        Key::optional(
            "limit",
            Count(0, usize::MAX),
            "The most alerts or series of one rule; 0 for no bound.",
        ),
        Key::optional("labels", Labels, "Labels of all its rules."),
        Key::optional("rules", Type::list(&Map(&FILE_RULE)), "Its rules."),
    ],
);

pub(crate) static FILE_RULE: Shape = Shape::new(
    "a rule",
    "One that alerts or records.",
    &[
        Key::optional("alert", Text, "The alert's name."),
        Key::optional("record", Text, "The series that it records."),
        Key::required("expr", Vector, "What is evaluated."),
        Key::optional(
            "for",
            Duration(Length::ZERO, DURATION_MAX),
            "How long it must hold.",
        ),
        Key::optional(
            "keep_firing_for",
            Duration(Length::ZERO, DURATION_MAX),
            "How long it goes on firing afterwards.",
        ),
        Key::optional("labels", Labels, "Further labels."),
        Key::optional("annotations", Labels, "What is said of it."),
    ],
);

/// A map whose keys may be anything.
pub(crate) static ANY_NAMES: Shape = Shape::new("labels", "Names with their texts.", &[]);
