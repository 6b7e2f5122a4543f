//! What is collected: targets, the machine, declared metrics, probes.

use super::Type::{Boolean, Count, Duration, Label, List, MetricName, Name, Text, Url, Word};
use super::words::{METRIC_GROUPS, METRIC_TYPES, PROBE_KINDS, words};
use super::{Default, Key, Shape, Type};
use crate::limits::{
    DURATION_MAX, DURATION_MIN, INTERVAL_DEFAULT, INTERVAL_MIN, SAMPLE_LIMIT_DEFAULT,
    SAMPLE_LIMIT_MAX,
};

pub(super) static INTERVAL: Type = Duration(INTERVAL_MIN, DURATION_MAX);

static TYPES: [&str; 4] = words(&METRIC_TYPES);
static GROUPS: [&str; 3] = words(&METRIC_GROUPS);
static KINDS: [&str; 3] = words(&PROBE_KINDS);

/// `timeout`, as targets and probes have it.
const TIMEOUT: Key = Key::optional(
    "timeout",
    Duration(DURATION_MIN, DURATION_MAX),
    "How long one turn may take; at most the interval, so that one turn ends before the next begins.",
)
.or(Default::Words("`10s`, or the interval if that is shorter"));

pub(crate) static TARGET: Shape = Shape::new(
    "a target",
    "Something that exposes metrics in the text format.",
    &[
        Key::required(
            "job",
            Name,
            "The `job` label of everything scraped from it; `belfry` is reserved.",
        ),
        Key::required(
            "url",
            Url,
            "The address of its metrics, without user or password.",
        ),
        Key::optional("instance", Text, "The `instance` label.")
            .or(Default::Words("host and port of the address")),
        Key::optional("interval", INTERVAL, "How often it is scraped.")
            .or(Default::Duration(INTERVAL_DEFAULT)),
        TIMEOUT,
        Key::optional(
            "sample_limit",
            Count(1, SAMPLE_LIMIT_MAX),
            "The most samples that one scrape may bring; past it the whole scrape fails.",
        )
        .or(Default::Count(SAMPLE_LIMIT_DEFAULT)),
    ],
);

pub(crate) static HOST: Shape = Shape::new(
    "the host's collection",
    "Collection of the machine's own figures, as series that begin with `host_`.",
    &[
        Key::optional("interval", INTERVAL, "How often they are read.")
            .or(Default::Duration(INTERVAL_DEFAULT)),
    ],
);

pub(crate) static METRIC: Shape = Shape::new(
    "a metric",
    "A metric that the plan declares. Every series that an expression reads must be one of these (for histograms with \
     `_bucket`, `_sum`, `_count`) or one of Belfry's own.",
    &[
        Key::required(
            "name",
            MetricName,
            "Its name, exactly as it is exposed in the text format.",
        ),
        Key::required("type", Word(&TYPES), "Its type."),
        Key::optional("unit", Text, "Its unit: `seconds`, `bytes`, `ratio`, …")
            .or(Default::Words("none: a plain count")),
        Key::optional(
            "meaning",
            Text,
            "What it counts or measures, in a sentence for people.",
        ),
        Key::required(
            "group",
            Word(&GROUPS),
            "The group whose coverage it counts towards.",
        ),
        Key::optional("required", Boolean, "Whether its absence is an alert.")
            .or(Default::Boolean(true)),
        Key::optional(
            "labels",
            Type::list(&Label),
            "The labels that split it, without `job`, `instance`, `le` and `quantile`.",
        ),
        Key::optional(
            "source",
            Name,
            "The job of the target that exposes it, or `belfry` for what Belfry writes itself.",
        )
        .or(Default::Words("the only target, where there is one")),
    ],
);

pub(crate) static PROBE: Shape = Shape::new(
    "a probe",
    "A health endpoint that is asked again and again.",
    &[
        Key::required("name", Name, "Its name: the `probe` label of its series."),
        Key::required(
            "kind",
            Word(&KINDS),
            "What it stands for: whether the process is alive, whether it may get traffic, or its detailed answer.",
        ),
        Key::required("url", Url, "The address to ask."),
        Key::optional("interval", INTERVAL, "How often it is asked.")
            .or(Default::Duration(INTERVAL_DEFAULT)),
        TIMEOUT,
        Key::optional(
            "dependencies",
            List(&Name, 0, None),
            "The service's dependencies that the detailed answer tells about.",
        ),
    ],
);
