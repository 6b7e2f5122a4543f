//! Points of a series as `.test` files write them: `5`, `_`, `_x3`, `1+2x3`, `stale`, `{{…}}`.

use crate::float::parse_float;

/// The most points that one item such as `1x1000` may stand for, and the most of a series: a short text must not fill the
/// memory.
const REPEAT_MAX: usize = 1_000_000;

/// One point of a series.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Point {
    Gap,
    Float(f64),
    NativeHistogram,
}

/// Reads all points of a line.
pub(super) fn points(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (item, after) = if rest.starts_with("{{") {
            rest.split_at(histogram_end(rest))
        } else {
            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
        };
        push_item(item, &mut points)?;
        if points.len() > REPEAT_MAX {
            return Err(format!("a series has at most {REPEAT_MAX} points"));
        }
        rest = after.trim_start();
    }
    Ok(points)
}

/// `{{…}}`, `{{…}}x3` or `{{…}}+{{…}}x3`: blanks inside braces belong to the item.
fn histogram_end(text: &str) -> usize {
    let mut depth = 0;
    for (index, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            letter if letter.is_whitespace() && depth == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

fn push_item(item: &str, points: &mut Vec<Point>) -> Result<(), String> {
    let bad = || format!("`{item}` is not a point");
    if item.starts_with("{{") {
        let tail = item.rsplit('}').next().unwrap_or("");
        let count = match tail.strip_prefix('x') {
            Some(count) => repeat(count).ok_or_else(bad)? + 1,
            None => 1,
        };
        points.extend(std::iter::repeat_n(Point::NativeHistogram, count));
        return Ok(());
    }
    let Some((base, count)) = item.split_once('x') else {
        points.push(point(item).ok_or_else(bad)?);
        return Ok(());
    };
    let count = repeat(count).ok_or_else(bad)?;
    if base == "_" {
        points.extend(std::iter::repeat_n(Point::Gap, count));
        return Ok(());
    }
    let (start, step) = match sign_position(base) {
        Some(position) => (&base[..position], &base[position..]),
        None => (base, "0"),
    };
    if start == "stale" {
        points.extend(std::iter::repeat_n(
            Point::Float(model::stale_marker()),
            count + 1,
        ));
        return Ok(());
    }
    let (start, step) = (float(start).ok_or_else(bad)?, float(step).ok_or_else(bad)?);
    points.extend((0..=count).map(|index| Point::Float(start + step * index as f64)));
    Ok(())
}

fn point(item: &str) -> Option<Point> {
    match item {
        "_" => Some(Point::Gap),
        "stale" => Some(Point::Float(model::stale_marker())),
        _ => float(item).map(Point::Float),
    }
}

/// Where `a+b` splits: at a sign that neither starts the text nor belongs to an exponent.
fn sign_position(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len()).find(|index| {
        matches!(bytes[*index], b'+' | b'-') && !matches!(bytes[index - 1], b'e' | b'E')
    })
}

fn repeat(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count <= REPEAT_MAX)
}

/// A decimal number. No hexadecimal here, since `0x10` means eleven zeros.
pub(super) fn float(text: &str) -> Option<f64> {
    let body = text.trim_start_matches(['+', '-']);
    if body.contains(['x', 'X']) {
        return None;
    }
    // `010` is ten here.
    let octal = body.len() > 1 && body.starts_with('0') && body.bytes().all(|b| b.is_ascii_digit());
    if octal {
        return text.parse().ok();
    }
    parse_float(text)
}
