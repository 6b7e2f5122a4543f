//! What holds for every text: parsing never panics, and printing then parsing gives the same tree.

use std::time::Duration;

use model::Timestamp;
use promql::testing::MemorySource;
use promql::{Limits, instant, parse, range};
use proptest::prelude::*;

/// Words from which nearly valid queries are made; arbitrary letters alone hardly ever get past the first token.
const WORDS: [&str; 64] = [
    "up",
    "rate",
    "sum",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "bool",
    "offset",
    "@",
    "start()",
    "end()",
    "(",
    ")",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "=",
    "!=",
    "=~",
    "!~",
    "==",
    "<",
    ">",
    "<=",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "and",
    "or",
    "unless",
    "atan2",
    "\"x\"",
    "'y'",
    "`z`",
    "5m",
    "1h30m",
    "1",
    "0x1f",
    "1e5",
    ".5",
    "Inf",
    "NaN",
    "topk",
    "quantile",
    "count_values",
    "label_replace",
    "histogram_quantile",
    "absent",
    "abs",
    "__name__",
    "#",
    "\n",
    "é",
];

proptest! {
    #[test]
    fn any_text_parses_or_fails(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn nearly_queries_parse_or_fail(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..40)) {
        let text = words.join(" ");
        match parse(&text) {
            Ok(expr) => {
                prop_assert_eq!(parse(&expr.to_string()), Ok(expr));
            }
            Err(error) => prop_assert!(error.span.start <= text.len(), "{}", error),
        }
    }

    #[test]
    fn printing_is_the_inverse_of_parsing(text in query()) {
        let expr = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let printed = expr.to_string();
        prop_assert_eq!(parse(&printed), Ok(expr), "{} printed as {}", text, printed);
    }

    #[test]
    fn any_query_evaluates_or_fails(text in query(), at in -1_000_000i64..1_000_000) {
        let mut source = MemorySource::default();
        for (index, name) in ["up", "b:c", "m_total"].into_iter().enumerate() {
            for job in ["x", "y"] {
                let labels = model::Labels::from_pairs([("__name__", name), ("job", job)]);
                for step in 0..20 {
                    let at = Timestamp::from_millis(step * 15_000);
                    source.insert(&labels, at, (step * (index as i64 + 1)) as f64);
                }
            }
        }
        let expr = parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let limits = Limits { samples_max: 20_000, visits_max: 200_000, ..Limits::default() };
        let at = Timestamp::from_millis(at);
        let _ = instant(&source, &expr, at, &limits);
        let _ = range(&source, &expr, at, at + Duration::from_secs(120), Duration::from_secs(30), &limits);
    }
}

/// Recursion follows the tree; the deepest tree that parses must fit on a test thread's stack, in every shape.
#[test]
fn the_deepest_trees_evaluate() {
    let mut source = MemorySource::default();
    let labels = model::Labels::from_pairs([("__name__", "up")]);
    source.insert(&labels, Timestamp::from_millis(0), 1.0);
    let nest = |open: &str, close: &str, levels: usize| {
        format!("{}up{}", open.repeat(levels), close.repeat(levels))
    };
    for text in [
        nest("(", ")", 120),
        nest("abs(", ")", 120),
        nest("sum by (a) (", ")", 120),
        nest("", " + up", 120),
        nest("up ^ ", "", 120),
        nest("max_over_time(", "[1m:30s])", 60),
        nest("vector(scalar(", "))", 60),
    ] {
        let expr = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let at = Timestamp::from_millis(10);
        instant(&source, &expr, at, &Limits::default())
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(parse(&expr.to_string()), Ok(expr));
    }
}

/// Valid vector queries of some depth.
fn query() -> impl Strategy<Value = String> {
    let matcher = prop::sample::select(&["", "{job=\"x\"}", "{job=~\"x|\\\\d\", a!=\"\\n\"}"][..]);
    let name = prop::sample::select(&["up", "b:c", "m_total", "sum", "offset"][..]);
    let modifier = prop::sample::select(
        &[
            "",
            " offset 5m",
            " offset -1500ms",
            " @ 1.5",
            " @ start() offset 1w",
            " @ end()",
        ][..],
    );
    let selector = (name, matcher, modifier.clone())
        .prop_map(|(name, matcher, modifier)| format!("{name}{matcher}{modifier}"));
    let windows = prop::sample::select(&["rate", "avg_over_time", "last_over_time", "changes"][..]);
    selector.prop_recursive(5, 24, 3, move |inner| {
        let operator = prop::sample::select(
            &[
                "+",
                "-",
                "^",
                "%",
                "atan2",
                "> bool",
                "== ",
                "and",
                "or on (job)",
                "unless",
                "* on (job) group_left (a)",
                "/ ignoring (a) group_right ()",
                "+ fill(0)",
            ][..],
        );
        let by = prop::sample::select(&["", " by (job)", " without (\"a b\")", " by ()"][..]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(l, op, r)| format!("{l} {op} {r}")),
            inner.clone().prop_map(|x| format!("({x})")),
            inner.clone().prop_map(|x| format!("-{x}")),
            (by, inner.clone()).prop_map(|(by, x)| format!("sum{by}({x})")),
            inner.clone().prop_map(|x| format!("topk(-1e-30 + 3, {x})")),
            inner
                .clone()
                .prop_map(|x| format!("clamp({x}, -Inf, 0x10)")),
            inner
                .clone()
                .prop_map(|x| format!("label_replace({x}, \"a\", \"$1\\t\", 'job', `(.*)`)")),
            (windows.clone(), inner, modifier.clone())
                .prop_map(|(f, x, m)| format!("{f}(({x})[10m:1m]{m})")),
        ]
    })
}
