//! What differs between what a test expects and what came, for people: what both have stands once, the rest with its side.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use model::{Labels, LabelsBuilder, Timestamp};
use plan::{ExpectedAlert, ExpectedPage, Location};

use crate::stage::DecidedPage;

/// One thing that is not as the test says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where the test says it.
    pub place: Location,
    /// What was looked at: an alert at a time, an expression, the pages.
    pub about: String,
    /// What is expected and what came, line by line; the reason alone where it could not be looked at.
    pub lines: Vec<Line>,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Expected and there.
    Both(String),
    /// Expected, but not there.
    Missing(String),
    /// There, but not expected.
    Unexpected(String),
    /// Not a comparison: why there is none.
    Reason(String),
}

impl Failure {
    /// A test that could not be run.
    pub(super) fn broken(place: Location, why: String) -> Failure {
        Failure {
            place,
            about: "the test could not be run".to_owned(),
            lines: vec![Line::Reason(why)],
        }
    }

    /// A comparison; `None` where nothing differs.
    pub(super) fn of(
        place: Location,
        about: impl Into<String>,
        lines: Vec<Line>,
    ) -> Option<Failure> {
        let differs = lines.iter().any(|line| !matches!(line, Line::Both(_)));
        let about = about.into();
        differs.then_some(Failure {
            place,
            about,
            lines,
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Both(text) => write!(f, "  {text}"),
            Line::Missing(text) => write!(f, "- {text}"),
            Line::Unexpected(text) => write!(f, "+ {text}"),
            Line::Reason(text) => f.write_str(text),
        }
    }
}

/// An alert that fires: its labels, its name among them, and its texts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FiringAlert {
    pub(super) labels: Labels,
    pub(super) annotations: BTreeMap<String, String>,
}

/// Compares alerts of one name. `must_annotate` says whether a test that names no annotations expects none, as promtool
/// has it, or does not care.
pub(super) fn alerts(
    name: &str,
    expected: &[ExpectedAlert],
    mut found: Vec<FiringAlert>,
    must_annotate: bool,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for alert in expected {
        let labels = LabelsBuilder::from(&Labels::from_pairs(alert.labels.iter().cloned()))
            .set("alertname", name)
            .build();
        let annotations = match &alert.annotations {
            Some(list) => Some(list.iter().cloned().collect()),
            None => must_annotate.then(BTreeMap::new),
        };
        let of_labels = |own: &FiringAlert| own.labels == labels;
        let same = |own: &FiringAlert| {
            of_labels(own)
                && annotations
                    .as_ref()
                    .is_none_or(|all| *all == own.annotations)
        };
        let position = found.iter().position(same);
        match position.or_else(|| found.iter().position(of_labels)) {
            Some(position) => {
                lines.push(Line::Both(shown(&labels)));
                let found = found.remove(position);
                if let Some(annotations) = annotations {
                    texts(&annotations, &found.annotations, &mut lines);
                }
            }
            None => {
                lines.push(Line::Missing(shown(&labels)));
                let wanted = annotations.iter().flatten();
                lines.extend(wanted.map(|(key, text)| Line::Missing(annotation(key, text))));
            }
        }
    }
    for alert in found {
        lines.push(Line::Unexpected(shown(&alert.labels)));
        let came = alert.annotations.iter();
        lines.extend(came.map(|(key, text)| Line::Unexpected(annotation(key, text))));
    }
    lines
}

fn texts(
    expected: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
    lines: &mut Vec<Line>,
) {
    for (key, text) in expected {
        match found.get(key) {
            Some(own) if own == text => lines.push(Line::Both(annotation(key, text))),
            _ => lines.push(Line::Missing(annotation(key, text))),
        }
    }
    let differs = |(key, text): &(&String, &String)| expected.get(*key) != Some(*text);
    let unexpected = found.iter().filter(differs);
    lines.extend(unexpected.map(|(key, text)| Line::Unexpected(annotation(key, text))));
}

/// Labels as a test writes them, without the name that every alert of the test has.
fn shown(labels: &Labels) -> String {
    labels.without("alertname").to_string()
}

fn annotation(key: &str, text: &str) -> String {
    format!("    {key}: {text:?}")
}

/// Compares samples; `is_fuzzy` lets values differ in their last bit.
pub(super) fn samples(
    expected: &[(Labels, f64)],
    mut found: Vec<(Labels, f64)>,
    is_fuzzy: bool,
) -> Vec<Line> {
    let mut lines = Vec::new();
    let text = |labels: &Labels, value: f64| format!("{labels} {value}");
    for (labels, value) in expected {
        let same = |own: &(Labels, f64)| own.0 == *labels && is_same(own.1, *value, is_fuzzy);
        match found.iter().position(same) {
            Some(position) => {
                found.remove(position);
                lines.push(Line::Both(text(labels, *value)));
            }
            None => lines.push(Line::Missing(text(labels, *value))),
        }
    }
    lines.extend(
        found
            .iter()
            .map(|(labels, value)| Line::Unexpected(text(labels, *value))),
    );
    lines
}

fn is_same(found: f64, expected: f64, is_fuzzy: bool) -> bool {
    if found == expected || (found.is_nan() && expected.is_nan()) {
        return true;
    }
    is_fuzzy && (found - expected).abs() <= f64::EPSILON * found.abs().max(expected.abs())
}

/// Compares pages, in the order of time. A test that names no level takes any.
pub(super) fn pages(
    expected: &[ExpectedPage],
    mut found: Vec<DecidedPage>,
    starts_at: Timestamp,
) -> Vec<Line> {
    let mut lines: Vec<(Duration, Line)> = Vec::new();
    let after = |page: &DecidedPage| page.page.queued_at.since(starts_at);
    for page in expected {
        for to in &page.to {
            let is_it = |own: &DecidedPage| {
                own.alert == page.alert
                    && own.page.person == *to
                    && own.is_end() == page.is_end
                    && after(own) == page.at
                    && page.level.is_none_or(|level| level == own.page.level)
            };
            let line = match found.iter().position(is_it) {
                Some(position) => Line::Both(page_text(page.at, &found.remove(position))),
                None => Line::Missing(expected_text(page, to)),
            };
            lines.push((page.at, line));
        }
    }
    lines.extend(found.iter().map(|page| {
        let at = after(page);
        (at, Line::Unexpected(page_text(at, page)))
    }));
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn page_text(after: Duration, decided: &DecidedPage) -> String {
    let (page, is_end) = (&decided.page, decided.is_end());
    one_page(
        after,
        &decided.alert,
        &page.person,
        Some(page.level),
        is_end,
    )
}

fn expected_text(page: &ExpectedPage, to: &str) -> String {
    one_page(page.at, &page.alert, to, page.level, page.is_end)
}

fn one_page(after: Duration, alert: &str, to: &str, level: Option<usize>, is_end: bool) -> String {
    let level = level.map_or(String::new(), |level| format!(" (level {level})"));
    let says = if is_end { " is over" } else { "" };
    let after = model::format_duration(after);
    format!("after {after}: {alert}{says}, to {to}{level}")
}
