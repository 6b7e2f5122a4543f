//! One line of an exposition body.

use super::ExpositionFormat;
use super::series::series_length;
use crate::Timestamp;

/// What a line says.
pub(super) enum Line<'a> {
    Blank,
    /// `# EOF`
    End,
    /// `# TYPE name counter` and its like.
    About {
        name: &'a str,
        fact: Fact<'a>,
    },
    Sample {
        series: &'a str,
        value: f64,
        at: Option<Timestamp>,
    },
}

/// What a comment line says about a family.
pub(super) enum Fact<'a> {
    Type(&'a str),
    Help(&'a str),
    Unit(&'a str),
}

const TYPES: [&str; 9] = [
    "counter",
    "gauge",
    "histogram",
    "summary",
    "untyped",
    "unknown",
    "info",
    "stateset",
    "gaugehistogram",
];

pub(super) fn read(text: &str, format: ExpositionFormat) -> Result<Line<'_>, String> {
    let text = match format {
        ExpositionFormat::Text => text.trim_matches([' ', '\t']),
        ExpositionFormat::OpenMetrics => text,
    };
    if text.is_empty() {
        return Ok(Line::Blank);
    }
    match text.strip_prefix('#') {
        Some(comment) => read_comment(comment, format),
        None => read_sample(text, format),
    }
}

fn read_comment(comment: &str, format: ExpositionFormat) -> Result<Line<'_>, String> {
    let comment = comment.trim_start_matches([' ', '\t']);
    if format == ExpositionFormat::OpenMetrics && comment == "EOF" {
        return Ok(Line::End);
    }
    let mut words = comment.splitn(3, [' ', '\t']);
    let (keyword, name, rest) = (
        words.next().unwrap_or(""),
        words.next().unwrap_or(""),
        words.next().unwrap_or("").trim_start(),
    );
    let fact = match keyword {
        "TYPE" if TYPES.contains(&rest) => Fact::Type(rest),
        "TYPE" => {
            return Err(format!(
                "`{rest}` is not a metric type; known are {}",
                TYPES.join(", ")
            ));
        }
        "HELP" => Fact::Help(rest),
        "UNIT" => Fact::Unit(rest),
        // Any other comment is for people.
        _ => return Ok(Line::Blank),
    };
    if !crate::is_metric_name(name) {
        return Err(format!("`{name}` is not a metric name"));
    }
    Ok(Line::About { name, fact })
}

fn read_sample(text: &str, format: ExpositionFormat) -> Result<Line<'_>, String> {
    let length = series_length(text)?;
    let (series, rest) = text.split_at(length);
    let rest = match format {
        ExpositionFormat::Text => rest,
        // An exemplar follows after ` # `; values and timestamps hold no such sign.
        ExpositionFormat::OpenMetrics => rest.split(" # ").next().unwrap_or(rest),
    };
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let value = words
        .next()
        .ok_or("a sample needs a value after its series")?;
    let value = read_value(value).ok_or_else(|| format!("`{value}` is not a number"))?;
    let at = words
        .next()
        .map(|word| read_time(word, format))
        .transpose()?;
    if let Some(extra) = words.next() {
        return Err(format!("unexpected `{extra}` after the value and its time"));
    }
    Ok(Line::Sample {
        series: series.trim_end(),
        value,
        at,
    })
}

/// A number as Go's `ParseFloat` reads it, without hexadecimal and underscores, which no client writes.
fn read_value(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let named = ["inf", "infinity", "nan"]
        .iter()
        .any(|name| unsigned.eq_ignore_ascii_case(name));
    if plain || named {
        text.parse().ok()
    } else {
        None
    }
}

fn read_time(text: &str, format: ExpositionFormat) -> Result<Timestamp, String> {
    let bad = || format!("`{text}` is not a time");
    match format {
        ExpositionFormat::Text => text.parse().map(Timestamp::from_millis).map_err(|_| bad()),
        ExpositionFormat::OpenMetrics => {
            let seconds = read_value(text)
                .filter(|seconds| seconds.is_finite())
                .ok_or_else(bad)?;
            Ok(Timestamp::from_secs_f64(seconds))
        }
    }
}
