//! Files of tests: promtool's keys, and those that plans have beside them.

use std::time::Duration;

use model::{Labels, Timestamp};

use super::rule_file::text_map;
use super::{at, section, section_up_to};
use crate::context::Context;
use crate::diagnostics::quote;
use crate::expression::{self, Allowed};
use crate::fields::Fields;
use crate::limits::{
    EVALUATION_INTERVAL_DEFAULT, RULE_FILES_MAX, TEST_LENGTH_MAX, TEST_LINES_MAX, TEST_POINTS_MAX,
    TESTS_MAX,
};
use crate::node::{Node, Value};
use crate::{
    AlertCheck, Code, ExpectedAlert, ExpectedPage, ExpressionCheck, TestAcknowledgement, TestCase,
    TestFile, TestLogLines, TestSeries, grammar, values,
};

/// The latest beginning of a test: 2100, far from where times end.
const START_MAX: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// Who acknowledges where a test does not say.
const SOMEBODY: &str = "whoever is told first";

/// The whole file.
pub(crate) fn test_file(context: &mut Context<'_>, root: &Node) -> Option<TestFile> {
    let mut fields = Fields::open(context, root, &grammar::TEST_FILE)?;
    let files = (RULE_FILES_MAX, "rule files");
    let rule_files = section_up_to(
        context,
        &mut fields,
        "rule_files",
        files,
        |context, node| {
            let path = values::text(context, node)?.to_owned();
            Some((path, context.report.files.location(node.span.start)))
        },
    );
    let evaluation_interval = fields.optional("evaluation_interval");
    let evaluation_interval = evaluation_interval.and_then(|node| values::duration(context, node));
    let evaluation_interval = evaluation_interval.unwrap_or(EVALUATION_INTERVAL_DEFAULT);
    let mut group_order: Vec<String> = Vec::new();
    section(context, &mut fields, "group_eval_order", |context, node| {
        let name = values::text(context, node)?;
        if group_order.iter().any(|own| own == name) {
            let message = format!("the group {} stands twice", quote(name));
            context.error(
                Code::DuplicateName,
                &node.span,
                message,
                "again",
                "leave one out",
            );
        }
        group_order.push(name.to_owned());
        Some(())
    });
    let is_fuzzy = fields.optional("fuzzy_compare");
    let is_fuzzy = is_fuzzy.and_then(|node| values::boolean(context, node));
    let mut points_left = TEST_POINTS_MAX;
    let limit = (TESTS_MAX, "tests");
    let tests = section_up_to(context, &mut fields, "tests", limit, |context, node| {
        case(context, node, evaluation_interval, &mut points_left)
    });
    fields.finish(context);
    Some(TestFile {
        rule_files,
        evaluation_interval,
        group_order,
        is_fuzzy: is_fuzzy.unwrap_or(false),
        tests,
    })
}

fn case(
    context: &mut Context<'_>,
    node: &Node,
    evaluation_interval: Duration,
    points_left: &mut usize,
) -> Option<TestCase> {
    let mut fields = Fields::open(context, node, &grammar::TEST_CASE)?;
    let place = at(context, &fields);
    let name = super::text_or_empty(context, &mut fields, "name");
    let interval = fields.optional("interval");
    let interval = interval.and_then(|node| values::duration(context, node));
    let starts_at = fields.optional("start_timestamp");
    let starts_at = starts_at.and_then(|node| start(context, node));
    let series = section(context, &mut fields, "input_series", |context, node| {
        input_series(context, node, points_left)
    });
    let log_lines = section(context, &mut fields, "log_lines", log_lines);
    let external_labels = text_map(context, &mut fields, "external_labels");
    let external_url = super::text_or_empty(context, &mut fields, "external_url");
    let alerts = section(context, &mut fields, "alert_rule_test", alert_check);
    let expressions = section(context, &mut fields, "promql_expr_test", expression_check);
    let acknowledgements = section(context, &mut fields, "acknowledge", acknowledgement);
    let contacts = fields.optional("contacts");
    let contacts = contacts.and_then(|node| values::text(context, node));
    let pages_node = fields.optional("page_test");
    let pages = pages_node.map(|node| super::items(context, node, page));
    let until = fields.optional("until");
    let until = until.and_then(|node| length(context, node));
    let times = alerts
        .iter()
        .map(|check| check.at)
        .chain(expressions.iter().map(|check| check.at))
        .chain(pages.iter().flatten().map(|page| page.at))
        .chain(acknowledgements.iter().map(|own| own.at));
    let last = times.max();
    if let (Some(node), None, None) = (pages_node, last, until) {
        let message = "this test does not say how long nobody is paged";
        let help = "write `until:` with how long the test takes";
        context.error(Code::MissingKey, &node.span, message, "", help);
    }
    fields.finish(context);
    Some(TestCase {
        name,
        place,
        interval: interval.unwrap_or(evaluation_interval),
        starts_at: starts_at.unwrap_or_default(),
        series,
        log_lines,
        external_labels: external_labels.unwrap_or_default(),
        external_url,
        alerts,
        expressions,
        acknowledgements,
        contacts: contacts.map(str::to_owned),
        pages,
        length: until.or(last).unwrap_or_default(),
    })
}

/// A time of a test, from its beginning.
fn length(context: &mut Context<'_>, node: &Node) -> Option<Duration> {
    let length = values::duration_or_zero(context, node)?;
    if length <= TEST_LENGTH_MAX {
        return Some(length);
    }
    let message = format!("{} is too long for a test", model::format_duration(length));
    let help = format!("at most {}", model::format_duration(TEST_LENGTH_MAX));
    context.error(Code::InvalidDuration, &node.span, message, "", help);
    None
}

/// A time of a test under a key; no key means its beginning.
fn time(context: &mut Context<'_>, fields: &mut Fields<'_>, key: &'static str) -> Duration {
    let node = fields.optional(key);
    node.and_then(|node| length(context, node))
        .unwrap_or_default()
}

fn start(context: &mut Context<'_>, node: &Node) -> Option<Timestamp> {
    let written = values::text(context, node)?;
    let parsed = match values::finite(written) {
        Some(seconds) => Some(Timestamp::from_secs_f64(seconds)),
        None => written
            .parse::<jiff::Timestamp>()
            .ok()
            .map(|at| Timestamp::from_millis(at.as_millisecond())),
    };
    let at = parsed.filter(|at| (Timestamp::default()..=START_MAX).contains(at));
    if at.is_none() {
        let message = format!("{} is not a point in time here", quote(written));
        let help =
            "write seconds since 1970, or a time such as `2026-03-02T09:00:00Z`, before 2100";
        context.error(Code::InvalidTime, &node.span, message, "", help);
    }
    at
}

fn input_series(
    context: &mut Context<'_>,
    node: &Node,
    points_left: &mut usize,
) -> Option<TestSeries> {
    let mut fields = Fields::open(context, node, &grammar::TEST_SERIES)?;
    let series = fields.required(context, "series", "write its name and labels");
    let labels = series.and_then(|node| values::text(context, node));
    let values_node = fields.required(context, "values", "write its points, as in `0+10x5`");
    let points = values_node.and_then(|node| values::text(context, node));
    fields.finish(context);
    let (labels, points, node) = (labels?, points?, values_node?);
    match promql::testing::series(labels, points) {
        Ok((labels, points)) if points.len() <= *points_left => {
            *points_left -= points.len();
            Some(TestSeries { labels, points })
        }
        Ok(_) => {
            let message = format!("the tests of a file have at most {TEST_POINTS_MAX} points");
            let help = "write fewer points, or split the file";
            context.error(Code::TooMany, &node.span, message, "", help);
            None
        }
        Err(why) => {
            let message = format!("this is no series: {why}");
            let help = "write points as `1 2 3`, `0+10x5`, `_x3` and `stale`";
            context.error(Code::SeriesNotation, &node.span, message, "", help);
            None
        }
    }
}

fn log_lines(context: &mut Context<'_>, node: &Node) -> Option<TestLogLines> {
    let mut fields = Fields::open(context, node, &grammar::TEST_LOG_LINES)?;
    let service = fields.optional("service");
    let service = service.and_then(|node| values::name(context, node));
    let level = fields.required(context, "level", "write the level of the lines");
    let level = level.and_then(|node| values::word(context, node, "a level", &grammar::LEVELS));
    let category = fields.optional("category");
    let category = category.and_then(|node| values::name(context, node));
    let at = time(context, &mut fields, "at");
    let every = fields.optional("every");
    let every = every.and_then(|node| values::duration(context, node));
    let count = fields.optional("count");
    let count = count.and_then(|node| values::count(context, node, 1..=TEST_LINES_MAX));
    fields.finish(context);
    Some(TestLogLines {
        service,
        level: level?,
        category,
        at,
        every: every.unwrap_or(Duration::from_secs(1)),
        count: count.unwrap_or(1) as u32,
    })
}

fn alert_check(context: &mut Context<'_>, node: &Node) -> Option<AlertCheck> {
    let mut fields = Fields::open(context, node, &grammar::ALERT_CHECK)?;
    let place = at(context, &fields);
    let alert = fields.required(context, "alertname", "name the alert");
    let alert = alert.and_then(|node| values::text(context, node));
    let at = time(context, &mut fields, "eval_time");
    let expected = section(context, &mut fields, "exp_alerts", expected_alert);
    fields.finish(context);
    Some(AlertCheck {
        alert: alert?.to_owned(),
        at,
        expected,
        place,
    })
}

fn expected_alert(context: &mut Context<'_>, node: &Node) -> Option<ExpectedAlert> {
    let mut fields = Fields::open(context, node, &grammar::EXPECTED_ALERT)?;
    let labels = text_map(context, &mut fields, "exp_labels");
    let annotations = text_map(context, &mut fields, "exp_annotations");
    fields.finish(context);
    Some(ExpectedAlert {
        labels: labels.unwrap_or_default(),
        annotations,
    })
}

fn expression_check(context: &mut Context<'_>, node: &Node) -> Option<ExpressionCheck> {
    let mut fields = Fields::open(context, node, &grammar::EXPRESSION_CHECK)?;
    let place = at(context, &fields);
    let expr = fields.required(context, "expr", "write the PromQL that is evaluated");
    let expr =
        expr.and_then(|node| expression::read(context, node, "a test", Allowed::VectorOrScalar));
    let at = time(context, &mut fields, "eval_time");
    let expected = section(context, &mut fields, "exp_samples", expected_sample);
    fields.finish(context);
    Some(ExpressionCheck {
        expr: expr?,
        at,
        expected,
        place,
    })
}

fn expected_sample(context: &mut Context<'_>, node: &Node) -> Option<(Labels, f64)> {
    let mut fields = Fields::open(context, node, &grammar::EXPECTED_SAMPLE)?;
    let labels = fields.optional("labels");
    let labels = match labels.map(|node| (&node.value, &node.span)) {
        Some((Value::Text(text), span)) => match promql::testing::labels(text) {
            Ok(labels) => Some(labels),
            Err(why) => {
                let message = format!("these are no labels: {why}");
                let help = "write them as in `up{job=\"shop\"}`";
                context.error(Code::SeriesNotation, span, message, "", help);
                None
            }
        },
        Some((_, span)) => {
            let help = "write them as in `up{job=\"shop\"}`";
            context.error(Code::WrongShape, span, "labels are one text", "", help);
            None
        }
        None => Some(Labels::empty()),
    };
    let value = fields.required(context, "value", "write the value");
    let value = value.and_then(|node| sample_value(context, node));
    fields.finish(context);
    Some((labels?, value?))
}

/// A sample's value: a number, or one of YAML's or Prometheus' words for what is none.
fn sample_value(context: &mut Context<'_>, node: &Node) -> Option<f64> {
    let written = values::text(context, node)?;
    match written.to_ascii_lowercase().trim_start_matches(['+', '.']) {
        "nan" => Some(f64::NAN),
        "inf" => Some(f64::INFINITY),
        "-inf" | "-.inf" => Some(f64::NEG_INFINITY),
        _ => values::number(context, node),
    }
}

fn acknowledgement(context: &mut Context<'_>, node: &Node) -> Option<TestAcknowledgement> {
    let mut fields = Fields::open(context, node, &grammar::TEST_ACKNOWLEDGEMENT)?;
    let place = at(context, &fields);
    let at = fields.required(context, "at", "write when, as in `at: 10m`");
    let at = at.and_then(|node| length(context, node));
    let alert = fields.optional("alertname");
    let alert = alert.and_then(|node| values::text(context, node));
    let by = fields.optional("by");
    let by = by.and_then(|node| values::text(context, node));
    fields.finish(context);
    Some(TestAcknowledgement {
        at: at?,
        alert: alert.map(str::to_owned),
        by: by.unwrap_or(SOMEBODY).to_owned(),
        place,
    })
}

fn page(context: &mut Context<'_>, node: &Node) -> Option<ExpectedPage> {
    let mut fields = Fields::open(context, node, &grammar::EXPECTED_PAGE)?;
    let place = at(context, &fields);
    let alert = fields.required(context, "alertname", "name the alert that it is about");
    let alert = alert.and_then(|node| values::text(context, node));
    let at = fields.required(context, "at", "write when, as in `at: 15m`");
    let at = at.and_then(|node| length(context, node));
    let to = fields.required(context, "to", "list who is told");
    let to = to.map(|node| {
        super::some_items(
            context,
            node,
            "a page is told to somebody",
            |context, node| values::text(context, node).map(str::to_owned),
        )
    });
    let level = fields.optional("level");
    let level = level.and_then(|node| values::count(context, node, 1..=1_000));
    let says = fields.optional("says");
    let says =
        says.and_then(|node| values::word(context, node, "what a page says", &grammar::SAYS));
    fields.finish(context);
    Some(ExpectedPage {
        alert: alert?.to_owned(),
        at: at?,
        to: to?,
        level,
        is_end: says.unwrap_or(false),
        place,
    })
}
