//! The small part of Prometheus' annotation templates that summaries use: `{{ $value }}`, `{{ $labels.name }}` and
//! `{{ $value | humanizePercentage }}`.
//!
//! Anything else between braces stays as written, so that a mistake is seen and nothing fails at night.

use model::Labels;

/// Fills a template for one alert.
pub fn fill_template(template: &str, labels: &Labels, value: f64) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        filled.push_str(&rest[..start]);
        let after = &rest[start..];
        let Some(end) = after.find("}}") else {
            rest = after;
            break;
        };
        let (whole, inner) = (&after[..end + 2], after[2..end].trim());
        match inner.strip_prefix("$labels.") {
            Some(name) => filled.push_str(labels.get(name).unwrap_or("")),
            None if inner == "$value" => filled.push_str(&readable(value)),
            None if pipe(inner) == Some(("$value", "humanizePercentage")) => {
                filled.push_str(&format!("{}%", readable(value * 100.0)));
            }
            None => filled.push_str(whole),
        }
        rest = &after[end + 2..];
    }
    filled.push_str(rest);
    filled
}

/// The two sides of `a | b`.
fn pipe(text: &str) -> Option<(&str, &str)> {
    text.split_once('|')
        .map(|(left, right)| (left.trim(), right.trim()))
}

/// A number as a person reads it: at most four significant digits.
pub(crate) fn readable(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (3 - magnitude).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills() {
        let labels = Labels::from_pairs([("job", "shop")]);
        let check = |template: &str, value: f64, expect: &str| {
            assert_eq!(fill_template(template, &labels, value), expect);
        };
        check(
            "{{ $labels.job }} has {{$value}} errors",
            0.070_53,
            "shop has 0.07053 errors",
        );
        check("{{ $labels.none }}|{{ $value }}", 12_345.6, "|12346");
        check(
            "{{ $value | humanize }} {{",
            1.0,
            "{{ $value | humanize }} {{",
        );
        check("{{ $value }}", f64::INFINITY, "inf");
        check("{{ $value }}", 2.0, "2");
        check(
            "{{ $value | humanizePercentage }} full",
            0.954_9,
            "95.49% full",
        );
    }
}
