//! Floats as text: the spellings that PromQL, bucket bounds and test files share.

/// Reads a decimal or hexadecimal number, `Inf` or `NaN`, with an optional sign and `_` between digits.
/// Source of the spellings: Prometheus, "Float literals and time durations".
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    Some(sign * parse_unsigned(body)?)
}

fn parse_unsigned(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("inf") || text.eq_ignore_ascii_case("infinity") {
        return Some(f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let digits: String = text.chars().filter(|letter| *letter != '_').collect();
    if let Some(hex) = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        return parse_radix(hex, 16);
    }
    // A leading zero means octal in the integer syntax that Prometheus accepts first.
    let octal = digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    if octal {
        return parse_radix(&digits, 8);
    }
    let starts_like_number = digits
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    starts_like_number.then(|| digits.parse().ok())?
}

fn parse_radix(digits: &str, radix: u32) -> Option<f64> {
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let value = u64::from_str_radix(digits, radix).ok()?;
    valid.then_some(value as f64)
}

/// Writes a number so that [`parse_float`] reads it back exactly.
pub(crate) fn format_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        return format!("{value:e}");
    }
    format!("{value}")
}

/// Writes a number as a label value: no exponent, `+Inf`. Used by `count_values`.
pub(crate) fn format_label(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{value}")
}

/// Writes a number as OpenMetrics writes bounds: `1.0` and not `1`. Used by `histogram_quantiles`.
pub(crate) fn format_open_metrics(value: f64) -> String {
    let text = format_label(value);
    if value.is_finite() && !text.contains('.') {
        return format!("{text}.0");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let check =
            |text: &str, expect: Option<f64>| assert_eq!(parse_float(text), expect, "{text}");
        check("12.5", Some(12.5));
        check("1e3", Some(1000.0));
        check("-.5", Some(-0.5));
        check("2.", Some(2.0));
        check("0x1F", Some(31.0));
        check("010", Some(8.0));
        check("089", Some(89.0));
        check("1_000", Some(1000.0));
        check("+Inf", Some(f64::INFINITY));
        check("", None);
        check("-", None);
        check("5x", None);
        check("e5", None);
        assert!(parse_float("nAn").is_some_and(f64::is_nan));
    }

    #[test]
    fn labels() {
        assert_eq!(format_label(6.0), "6");
        assert_eq!(format_label(f64::INFINITY), "+Inf");
        assert_eq!(format_open_metrics(1.0), "1.0");
        assert_eq!(format_open_metrics(0.25), "0.25");
    }
}
