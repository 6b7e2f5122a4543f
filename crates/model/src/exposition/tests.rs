//! Bodies that must be read and bodies that must be refused, as text.

use super::*;
use proptest::prelude::*;

/// Reads a body and prints it back, one item a line.
fn describe(body: &str, format: ExpositionFormat) -> String {
    match parse(body, format) {
        Err(error) => format!("error {error}"),
        Ok(exposition) => {
            let families = exposition
                .families
                .iter()
                .map(|f| format!("# {} {} [{}] {}", f.name, f.kind, f.unit, f.help));
            let samples = exposition.samples.iter().map(|sample| {
                let at = sample.at.map(|at| format!(" @{at}")).unwrap_or_default();
                match parse_series(sample.series) {
                    Ok(labels) => format!("{labels} {}{at}", sample.value),
                    Err(error) => format!("error line {}: {error}", sample.line),
                }
            });
            families.chain(samples).collect::<Vec<_>>().join("\n")
        }
    }
}

fn text(body: &str, expect: &str) {
    assert_eq!(describe(body, ExpositionFormat::Text), expect, "{body:?}");
}

fn open_metrics(body: &str, expect: &str) {
    assert_eq!(
        describe(body, ExpositionFormat::OpenMetrics),
        expect,
        "{body:?}"
    );
}

#[test]
fn reads_the_text_format() {
    text("", "");
    text("up 1", "up 1");
    text("up 1\n\n# a comment\r\ndown 0\n", "up 1\ndown 0");
    text("a{} 2", "a 2");
    text("a {b=\"c\"} 2", "a{b=\"c\"} 2");
    text("a{b=\"c\",} 2", "a{b=\"c\"} 2");
    text("a{ b = \"c\" , d=\"\" } 2 1500", "a{b=\"c\"} 2 @1.500");
    text(
        r#"a{b="x } \" \\ \n \q"} 1"#,
        r#"a{b="x } \" \\ \n \\q"} 1"#,
    );
    text(
        "a NaN\nb +Inf\nc -Inf\nd 1e3\ne .5",
        "a NaN\nb inf\nc -inf\nd 1000\ne 0.5",
    );
    text(
        "# HELP a What it is.\n# TYPE a counter\na 1",
        "# a counter [] What it is.\na 1",
    );
    text("\ta\t1\t", "a 1");
}

#[test]
fn refuses_malformed_text() {
    text("a", "error line 1: a sample needs a value after its series");
    text("a one", "error line 1: `one` is not a number");
    text("a 0x10", "error line 1: `0x10` is not a number");
    text(
        "ok 1\na 1 2 3",
        "error line 2: unexpected `3` after the value and its time",
    );
    text("a 1 1.5", "error line 1: `1.5` is not a time");
    text(
        "a{b=\"c\" 1",
        "error line 1: the labels have no closing `}`",
    );
    text("a{b=c} 1", "error line 1: the value of `b` needs quotes");
    text(
        "a{b=\"1\",b=\"2\"} 1",
        "error line 1: the label `b` stands twice",
    );
    text(
        "a{b=\"1\" c=\"2\"} 1",
        "error line 1: a comma is missing after the value of `b`",
    );
    text(
        "a{__name__=\"b\"} 1",
        "error line 1: the label `__name__` stands twice",
    );
    text("a{5=\"1\"} 1", "error line 1: `5` is not a label name");
    text("5xx 1", "error line 1: `5xx` is not a metric name");
    text("{a=\"b\"} 1", "error line 1: `` is not a metric name");
    text(
        "# TYPE a thing",
        "error line 1: `thing` is not a metric type; known are counter, gauge, histogram, summary, untyped, unknown, info, stateset, gaugehistogram",
    );
    text("# TYPE 5 counter", "error line 1: `5` is not a metric name");
}

#[test]
fn reads_open_metrics() {
    open_metrics("# EOF\n", "");
    open_metrics(
        "# TYPE a counter\n# UNIT a seconds\na_total 1 2.5\n# EOF",
        "# a counter [seconds] \na_total 1 @2.500",
    );
    open_metrics(
        "a_bucket{le=\"1.0\"} 3 # {trace_id=\"x\"} 0.5\n# EOF",
        "a_bucket{le=\"1.0\"} 3",
    );
}

#[test]
fn refuses_open_metrics_that_is_cut_or_goes_on() {
    open_metrics(
        "a 1\n",
        "error line 2: an OpenMetrics body must end in `# EOF`; the answer may be cut short",
    );
    open_metrics("# EOF\na 1", "error line 2: text after `# EOF`");
}

#[test]
fn content_types() {
    let check = |text, expect| assert_eq!(ExpositionFormat::from_content_type(text), expect);
    check(
        "text/plain; version=0.0.4; charset=utf-8",
        Some(ExpositionFormat::Text),
    );
    check(
        "application/openmetrics-text; version=1.0.0",
        Some(ExpositionFormat::OpenMetrics),
    );
    check("text/html", None);
}

proptest! {
    #[test]
    fn never_panics(body in "[a-z{}=\",\\\\# \\n0-9.]{0,80}") {
        for format in [ExpositionFormat::Text, ExpositionFormat::OpenMetrics] {
            describe(&body, format);
        }
    }
}
