//! Reads what a target exposes: the Prometheus text format 0.0.4 and OpenMetrics 1.0.
//!
//! Parsing is split in two so that a scraper can remember series: [`parse`] finds each sample's *raw series text* and value
//! without building labels; [`parse_series`] turns a raw text into [`Labels`](crate::Labels) and is called only for texts
//! that the scraper has not seen before. A malformed line fails the whole scrape, as in Prometheus: half a scrape would make
//! sums and ratios silently wrong.
//!
//! Sources: Prometheus "Exposition formats"; OpenMetrics 1.0 specification, "Text format".

mod line;
mod series;

use std::fmt;

pub use series::parse_series;

use crate::Timestamp;

/// The longest line that is read, in bytes.
const LINE_LENGTH_MAX: usize = 64 * 1024;

/// Which grammar a body is written in.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ExpositionFormat {
    /// `text/plain`: timestamps in milliseconds, blank lines allowed.
    Text,
    /// `application/openmetrics-text`: timestamps in seconds, ends in `# EOF`.
    OpenMetrics,
}

impl ExpositionFormat {
    /// The format that a `Content-Type` names; `None` for a type that is neither.
    pub fn from_content_type(content_type: &str) -> Option<ExpositionFormat> {
        let media_type = content_type.split(';').next().unwrap_or("").trim();
        match media_type.to_ascii_lowercase().as_str() {
            "text/plain" => Some(ExpositionFormat::Text),
            "application/openmetrics-text" => Some(ExpositionFormat::OpenMetrics),
            _ => None,
        }
    }
}

/// A parsed body. Borrows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition<'a> {
    /// Samples in the body's order.
    pub samples: Vec<RawSample<'a>>,
    /// What the body says about metric families.
    pub families: Vec<Family<'a>>,
}

/// One sample whose series is not parsed into labels yet.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct RawSample<'a> {
    /// The series as written: `name{label="value"}`.
    pub series: &'a str,
    /// The value.
    pub value: f64,
    /// The time that the target gave, if it gave one.
    pub at: Option<Timestamp>,
    /// The line in the body, counted from 1.
    pub line: usize,
}

/// What a body says about one metric family. Empty texts were not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family<'a> {
    /// The family's name (in OpenMetrics without the `_total` of a counter's samples).
    pub name: &'a str,
    /// `counter`, `gauge`, …; empty when no TYPE line was given.
    pub kind: &'a str,
    /// The HELP text, still escaped.
    pub help: &'a str,
    /// The UNIT.
    pub unit: &'a str,
}

/// Why a body cannot be read. Fix the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpositionError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ExpositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ExpositionError {}

/// Reads a body.
///
/// # Errors
/// The first malformed line.
pub fn parse(body: &str, format: ExpositionFormat) -> Result<Exposition<'_>, ExpositionError> {
    let mut exposition = Exposition::default();
    let mut ended = false;
    for (index, text) in body.split('\n').enumerate() {
        let number = index + 1;
        let fail = |message: String| ExpositionError {
            line: number,
            message,
        };
        let text = text
            .strip_suffix('\r')
            .filter(|_| format == ExpositionFormat::Text)
            .unwrap_or(text);
        if ended && !text.is_empty() {
            return Err(fail("text after `# EOF`".to_owned()));
        }
        if text.len() > LINE_LENGTH_MAX {
            return Err(fail(format!(
                "the line is longer than {LINE_LENGTH_MAX} bytes"
            )));
        }
        match line::read(text, format).map_err(fail)? {
            line::Line::Blank => {}
            line::Line::End => ended = true,
            line::Line::Sample { series, value, at } => {
                exposition.samples.push(RawSample {
                    series,
                    value,
                    at,
                    line: number,
                });
            }
            line::Line::About { name, fact } => note(&mut exposition.families, name, fact),
        }
    }
    if format == ExpositionFormat::OpenMetrics && !ended {
        let line = body.split('\n').count();
        let message =
            "an OpenMetrics body must end in `# EOF`; the answer may be cut short".to_owned();
        return Err(ExpositionError { line, message });
    }
    Ok(exposition)
}

fn note<'a>(families: &mut Vec<Family<'a>>, name: &'a str, fact: line::Fact<'a>) {
    // Lines about one family stand together, so the last entry is the one to look at.
    if families.last().is_none_or(|family| family.name != name) {
        families.push(Family {
            name,
            ..Family::default()
        });
    }
    if let Some(family) = families.last_mut() {
        match fact {
            line::Fact::Type(kind) => family.kind = kind,
            line::Fact::Help(help) => family.help = help,
            line::Fact::Unit(unit) => family.unit = unit,
        }
    }
}

#[cfg(test)]
mod tests;
