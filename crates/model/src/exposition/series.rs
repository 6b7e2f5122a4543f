//! The raw text of a series: where it ends, and what labels it names.

use crate::{Labels, LabelsBuilder, METRIC_NAME, is_label_name, is_metric_name};

/// The most labels one exposed series may have.
const LABELS_MAX: usize = 64;

/// How many bytes of `text` are the series, without the value that follows.
pub(super) fn series_length(text: &str) -> Result<usize, String> {
    let name = text.find(['{', ' ', '\t']).unwrap_or(text.len());
    let after_name = text[name..].trim_start_matches([' ', '\t']);
    if !after_name.starts_with('{') {
        return Ok(name);
    }
    let open = text.len() - after_name.len();
    let mut in_value = false;
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_value => escaped = true,
            b'"' => in_value = !in_value,
            b'}' if !in_value => return Ok(offset + 1),
            _ => {}
        }
    }
    Err("the labels have no closing `}`".to_owned())
}

/// Labels of a raw series text such as `http_requests_total{method="GET"}`.
///
/// # Errors
/// A sentence that says what is malformed: a name, a missing quote, a repeated label, too many labels.
pub fn parse_series(text: &str) -> Result<Labels, String> {
    let (name, labels) = match text.split_once('{') {
        Some((name, rest)) => {
            let inner = rest
                .trim_end()
                .strip_suffix('}')
                .ok_or("the labels have no closing `}`")?;
            (name.trim_end(), inner)
        }
        None => (text, ""),
    };
    if !is_metric_name(name) {
        return Err(format!("`{name}` is not a metric name"));
    }
    let mut builder = LabelsBuilder::default();
    builder.set(METRIC_NAME, name);
    let mut seen: Vec<&str> = vec![METRIC_NAME];
    let mut rest = labels.trim_start();
    while !rest.is_empty() {
        let (label, value, after) = read_pair(rest)?;
        if seen.contains(&label) {
            return Err(format!("the label `{label}` stands twice"));
        }
        if seen.len() > LABELS_MAX {
            return Err(format!("more than {LABELS_MAX} labels"));
        }
        seen.push(label);
        builder.set(label, &value);
        rest = after;
    }
    Ok(builder.build())
}

/// Reads `name="value"` and a comma, if one follows.
fn read_pair(text: &str) -> Result<(&str, String, &str), String> {
    let (name, rest) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not `label=\"value\"`"))?;
    let name = name.trim();
    if !is_label_name(name) {
        return Err(format!("`{name}` is not a label name"));
    }
    let rest = rest
        .trim_start()
        .strip_prefix('"')
        .ok_or_else(|| format!("the value of `{name}` needs quotes"))?;
    let (value, rest) = read_quoted(rest).map_err(|why| format!("the value of `{name}` {why}"))?;
    let rest = rest.trim_start();
    let after = match rest.strip_prefix(',') {
        Some(after) => after.trim_start(),
        None if rest.is_empty() => rest,
        None => return Err(format!("a comma is missing after the value of `{name}`")),
    };
    Ok((name, value, after))
}

fn read_quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[offset + 1..])),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => value.push('\n'),
                Some(c @ ('\\' | '"')) => value.push(c),
                Some(c) => {
                    // Prometheus keeps unknown escapes as they stand.
                    value.push('\\');
                    value.push(c);
                }
                None => break,
            },
            c => value.push(c),
        }
    }
    Err("has no closing quote".to_owned())
}
