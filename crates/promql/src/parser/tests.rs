//! What parses, to which type, and what is refused with which words.

use super::*;
use crate::ValueType;

#[test]
fn types() {
    let check = |text: &str, expect: ValueType| {
        let expr = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(expr.value_type(), expect, "{text}");
        let printed = expr.to_string();
        assert_eq!(
            parse(&printed).as_ref(),
            Ok(&expr),
            "{text} printed as {printed}"
        );
    };
    check("1", ValueType::Scalar);
    check("-1 ^ 2 * 1h", ValueType::Scalar);
    check("\"a\\\"b\"", ValueType::String);
    check("up", ValueType::Vector);
    check("up[5m]", ValueType::Matrix);
    check("up[5m:] @ start() offset -1h", ValueType::Matrix);
    check(
        "{\"metric.name\", \"label.name\"=~\"a|b\"}",
        ValueType::Vector,
    );
    check("sum by (job, \"l.x\") (up) > bool 5", ValueType::Vector);
    check("SUM(up) WITHOUT (job)", ValueType::Vector);
    check("a + on (x) group_left (y) b", ValueType::Vector);
    check("a + ignoring (x) group_right b unless c", ValueType::Vector);
    check("topk(3, up) or on () vector(1)", ValueType::Vector);
    check(
        "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")",
        ValueType::Vector,
    );
    check("sum + by + on", ValueType::Vector);
    check("up @ -1.5 offset 5m", ValueType::Vector);
    check("{\"nan\"}", ValueType::Vector);
    check("a + {\"bool\"}", ValueType::Vector);
    check("a * on (x) {\"group_left\"}", ValueType::Vector);
    check("1e300 + 1e-300", ValueType::Scalar);
}

#[test]
fn refuses_with_words() {
    let check = |text: &str, part: &str| {
        let error = parse(text).expect_err(text);
        assert!(error.message.contains(part), "{text}: {error}");
        assert!(error.span.end <= text.len().max(error.span.start), "{text}");
    };
    check("", "expected a metric");
    check("up up", "expected an operator");
    check("rate(up)", "add a range such as `[5m]`");
    check("sum(up[5m])", "leave the range away");
    check("1 > 2", "needs `bool`");
    check("up + bool up", "`bool` belongs to comparisons");
    check("rat(up[5m])", "did you mean `rate`");
    check("{}", "selects every series");
    check("{a=~\".*\"}", "selects every series");
    check("up{__name__=\"x\"}", "set twice");
    check("up[0s]", "longer than nothing");
    check("up offset 1h offset 2h", "twice");
    check("sum(up) offset 5m", "follows a selector");
    check("up[5m][5m]", "a range follows a selector only");
    check("up offset 5m [5m]", "come after the range");
    check("1 and up", "instant vector on both sides");
    check("1 + on (a) up", "instant vector on both sides");
    check("a + on (x) group_left (x) b", "stands in `on`");
    check("a and on (x) group_left b", "many to many");
    check("topk(up)", "takes 2 argument");
    check("up{a=~\"(\"}", "unclosed");
    check("abs(1)", "vector()");
    check("clamp(up, 1)", "clamp(");
}

#[test]
fn bounds_depth_and_length() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(parse(&deep).is_err());
    let chain = format!("1{}", " + 1".repeat(5000));
    assert!(parse(&chain).is_err());
    let signs = format!("{}1", "-".repeat(5000));
    assert!(parse(&signs).is_err());
    let calls = format!("{}1{}", "abs(".repeat(5000), ")".repeat(5000));
    assert!(parse(&calls).is_err());
    let subqueries = format!("up{}", "[5m:]".repeat(5000));
    assert!(parse(&subqueries).is_err());
    let patterns = format!("up{{{}}}", "a=~\"x\",".repeat(101));
    assert!(parse(&patterns).is_err());
    let matchers = format!("up{{{}}}", "a=\"x\",".repeat(201));
    assert!(parse(&matchers).is_err());
    assert!(parse(&" ".repeat(TEXT_LENGTH_MAX + 1)).is_err());
}

#[test]
fn lists_selectors() {
    let expr = parse("rate(a{x=\"1\"}[5m] offset 1h) / {__name__=\"b\"}").unwrap();
    let selectors = expr.selectors();
    assert_eq!(selectors.len(), 2);
    assert_eq!(selectors[0].name, Some("a"));
    assert_eq!(
        selectors[0].range,
        Some(std::time::Duration::from_secs(300))
    );
    assert_eq!(selectors[0].offset_ms, 3_600_000);
    assert_eq!(selectors[1].name, Some("b"));
    assert_eq!(selectors[1].span, Span::new(31, 45));
}
