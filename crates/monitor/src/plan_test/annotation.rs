//! The templates of Prometheus' rule files, as far as rules commonly use them: values, labels and the functions that make a
//! number readable, alone or piped. Anything else fails the test by name, because a text that was filled wrongly would
//! compare as if it were right.
//!
//! Numbers are printed as Go prints them, since that is what expected texts hold.

use model::Labels;

/// What a template may name.
pub(super) struct Facts<'f> {
    /// Of the series.
    pub(super) labels: &'f Labels,
    pub(super) value: f64,
    pub(super) external_labels: &'f [(String, String)],
    pub(super) external_url: &'f str,
}

/// What stands at one place of a pipeline.
enum Operand {
    Number(f64),
    Text(String),
}

/// The most words of one action: what one person can read.
const WORDS_MAX: usize = 32;

/// Fills a template.
pub(super) fn fill(template: &str, facts: &Facts<'_>) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let before = &rest[..start];
        let after = &rest[start + 2..];
        let end = after.find("}}").ok_or_else(|| {
            format!("the template {template:?} opens braces that it does not close")
        })?;
        let mut action = &after[..end];
        rest = &after[end + 2..];
        match action.strip_prefix("- ") {
            Some(trimmed) => {
                filled.push_str(before.trim_end());
                action = trimmed;
            }
            None => filled.push_str(before),
        }
        if let Some(trimmed) = action.strip_suffix(" -") {
            action = trimmed;
            rest = rest.trim_start();
        }
        let action = action.trim();
        if !(action.starts_with("/*") && action.ends_with("*/")) {
            let value = pipeline(action, facts).map_err(|why| {
                format!("the template `{{{{ {action} }}}}` cannot be filled: {why}")
            })?;
            filled.push_str(&value.text());
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn pipeline(action: &str, facts: &Facts<'_>) -> Result<Operand, String> {
    let mut piped = None;
    for stage in split(action, '|')? {
        let words = split(stage.trim(), ' ')?;
        let mut words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Err("a part of it is empty".to_owned());
        }
        let first = words.remove(0);
        let mut operands = words
            .into_iter()
            .map(|word| operand(word, facts))
            .collect::<Result<Vec<_>, _>>()?;
        operands.extend(piped.take());
        piped = Some(if operands.is_empty() && !is_function(first) {
            operand(first, facts)?
        } else {
            call(first, &operands)?
        });
    }
    piped.ok_or_else(|| "it is empty".to_owned())
}

/// The parts of a text between separators outside quotes.
fn split(text: &str, separator: char) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '`') => quote = Some(letter),
            None if letter == separator => {
                parts.push(&text[start..at]);
                start = at + letter.len_utf8();
            }
            None => {}
        }
    }
    parts.push(&text[start..]);
    match quote {
        None if parts.len() <= WORDS_MAX => Ok(parts),
        None => Err("it is too long".to_owned()),
        Some(_) => Err("a quote is not closed".to_owned()),
    }
}

fn operand(word: &str, facts: &Facts<'_>) -> Result<Operand, String> {
    let label = word
        .strip_prefix("$labels.")
        .or_else(|| word.strip_prefix(".Labels."));
    if let Some(name) = label {
        return Ok(Operand::Text(
            facts.labels.get(name).unwrap_or("").to_owned(),
        ));
    }
    let external = word
        .strip_prefix("$externalLabels.")
        .or_else(|| word.strip_prefix(".ExternalLabels."));
    if let Some(name) = external {
        let found = facts.external_labels.iter().find(|(own, _)| own == name);
        let value = found.map_or("", |(_, value)| value);
        return Ok(Operand::Text(value.to_owned()));
    }
    let quoted = ['"', '`'].into_iter().find_map(|quote| {
        let inside = word.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.contains('\\')).then_some(inside)
    });
    match (word, quoted) {
        ("$value" | ".Value", _) => Ok(Operand::Number(facts.value)),
        ("$externalURL" | ".ExternalURL", _) => Ok(Operand::Text(facts.external_url.to_owned())),
        (_, Some(text)) => Ok(Operand::Text(text.to_owned())),
        _ => word
            .parse()
            .map(Operand::Number)
            .map_err(|_| format!("`{word}` is not known here")),
    }
}

fn is_function(word: &str) -> bool {
    matches!(
        word,
        "humanize"
            | "humanize1024"
            | "humanizeDuration"
            | "humanizePercentage"
            | "printf"
            | "toUpper"
            | "toLower"
    )
}

fn call(function: &str, operands: &[Operand]) -> Result<Operand, String> {
    let text = match (function, operands) {
        ("humanize", [value]) => scaled(
            value.number()?,
            1000.0,
            &["k", "M", "G", "T", "P", "E", "Z", "Y"],
        ),
        ("humanize1024", [value]) => binary(value.number()?),
        ("humanizeDuration", [value]) => duration(value.number()?),
        ("humanizePercentage", [value]) => format!("{}%", general(value.number()? * 100.0, 4)),
        ("toUpper", [value]) => value.text().to_uppercase(),
        ("toLower", [value]) => value.text().to_lowercase(),
        ("printf", [format, values @ ..]) => printf(&format.text(), values)?,
        (other, _) => {
            return Err(format!(
                "`{other}` is not known here, or takes other values"
            ));
        }
    };
    Ok(Operand::Text(text))
}

impl Operand {
    fn text(&self) -> String {
        match self {
            Operand::Number(value) => shortest(*value),
            Operand::Text(text) => text.clone(),
        }
    }

    fn number(&self) -> Result<f64, String> {
        match self {
            Operand::Number(value) => Ok(*value),
            Operand::Text(text) => text
                .parse()
                .map_err(|_| format!("{text:?} is not a number")),
        }
    }
}

fn printf(format: &str, values: &[Operand]) -> Result<String, String> {
    let mut values = values.iter();
    let mut text = String::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let mut precision = None;
        if letters.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            precision = Some(digits.parse().unwrap_or(0).min(30));
        }
        let verb = letters.next().ok_or("`%` stands at the end")?;
        if verb == '%' {
            text.push('%');
            continue;
        }
        let value = values.next().ok_or("`printf` lacks a value")?;
        match verb {
            'f' => text.push_str(&format!("{:.*}", precision.unwrap_or(6), value.number()?)),
            'g' if precision.is_some() => {
                text.push_str(&general(value.number()?, precision.unwrap_or(0).max(1)));
            }
            'g' | 'v' => text.push_str(&value.text()),
            's' => text.push_str(&value.text()),
            other => return Err(format!("`%{other}` is not known here")),
        }
    }
    match values.next() {
        None => Ok(text),
        Some(_) => Err("`printf` has more values than its text takes".to_owned()),
    }
}

/// A number with a unit prefix, below one too.
fn scaled(value: f64, base: f64, up: &[&str]) -> String {
    if value == 0.0 || !value.is_finite() {
        return general(value, 4);
    }
    let down = ["m", "u", "n", "p", "f", "a", "z", "y"];
    let (mut value, mut prefix) = (value, "");
    if value.abs() >= 1.0 {
        for own in up {
            if value.abs() < base {
                break;
            }
            (value, prefix) = (value / base, own);
        }
    } else {
        for own in down {
            if value.abs() >= 1.0 {
                break;
            }
            (value, prefix) = (value * 1000.0, own);
        }
    }
    format!("{}{prefix}", general(value, 4))
}

fn binary(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return general(value, 4);
    }
    let up = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    scaled(value, 1024.0, &up)
}

fn duration(value: f64) -> String {
    if !value.is_finite() {
        return general(value, 4);
    }
    if value == 0.0 {
        return format!("{}s", general(value, 4));
    }
    if value.abs() < 1.0 {
        return format!("{}s", scaled(value, 1000.0, &[]));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = value.abs() as i64;
    let (seconds, minutes) = (whole % 60, whole / 60 % 60);
    let (hours, days) = (whole / 3600 % 24, whole / 86_400);
    if days > 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours > 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{}s", general(value, 4))
    }
}

/// `%v` of a number: the fewest digits that name it, with an exponent only for very large and very small ones.
fn shortest(value: f64) -> String {
    if let Some(word) = word(value) {
        return word.to_owned();
    }
    let exponent = exponent(&format!("{value:e}"));
    if value == 0.0 || (-4..21).contains(&exponent) {
        return value.to_string();
    }
    with_exponent(&format!("{value:e}"))
}

/// `%.{digits}g` of a number: so many digits, without zeros at the end.
fn general(value: f64, digits: usize) -> String {
    if let Some(word) = word(value) {
        return word.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let rounded = format!("{value:.*e}", digits - 1);
    let exponent = exponent(&rounded);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
        return with_exponent(&format!("{}e{exponent}", trimmed(mantissa)));
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    trimmed(&format!("{value:.decimals$}"))
}

fn word(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        return Some("NaN");
    }
    match value {
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

fn exponent(text: &str) -> i32 {
    let written = text.split_once('e').map(|(_, exponent)| exponent.parse());
    written.and_then(Result::ok).unwrap_or(0)
}

/// Go writes at least two digits and a sign.
fn with_exponent(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let number: i32 = exponent.parse().unwrap_or(0);
    let sign = if number < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", number.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, value: f64, expect: Result<&str, &str>) {
        let labels = Labels::from_pairs([("job", "shop")]);
        let facts = Facts {
            labels: &labels,
            value,
            external_labels: &[("region".to_owned(), "north".to_owned())],
            external_url: "http://here",
        };
        match (fill(template, &facts), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect, "{template}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{template}: {why}"),
            (found, _) => panic!("{template}: {found:?}"),
        }
    }

    #[test]
    fn fills_what_rules_commonly_use() {
        check(
            "{{ $value }} of {{$labels.job}}",
            0.07053,
            Ok("0.07053 of shop"),
        );
        check("{{ .Value }}{{ .Labels.none }}", 1e21, Ok("1e+21"));
        check("{{ $value }}", 123_456_789.0, Ok("123456789"));
        check("{{ $value }}", 0.000_01, Ok("1e-05"));
        check("a {{- $value -}} b", 2.0, Ok("a2b"));
        check("a {{- /* aside */ -}} b", 2.0, Ok("ab"));
        check("{{/* aside */}}x", 2.0, Ok("x"));
        check(
            "{{ $externalLabels.region }} {{ $externalURL }}",
            0.0,
            Ok("north http://here"),
        );
        check("{{ $value | humanize }}", 1_234_567.0, Ok("1.235M"));
        check("{{ humanize $value }}", 0.012, Ok("12m"));
        check("{{ $value | humanize1024 }}", 1_048_576.0, Ok("1Mi"));
        check("{{ $value | humanizePercentage }}", 0.954_9, Ok("95.49%"));
        check(
            "{{ $value | humanizeDuration }}",
            93_784.0,
            Ok("1d 2h 3m 4s"),
        );
        check("{{ $value | humanizeDuration }}", 0.25, Ok("250ms"));
        check("{{ $value | humanizeDuration }}", 5.5, Ok("5.5s"));
        check(
            r#"{{ printf "%.2f%% | %s" $value $labels.job }}"#,
            1.0,
            Ok("1.00% | shop"),
        );
        check(r#"{{ $value | printf "%.1f" }}"#, 2.55, Ok("2.5"));
        check("{{ $labels.job | toUpper }}", 0.0, Ok("SHOP"));
    }

    #[test]
    fn says_what_it_cannot_fill() {
        check("{{ range query \"up\" }}x{{ end }}", 0.0, Err("not known"));
        check("{{ if gt $value 1.0 }}x{{ end }}", 0.0, Err("not known"));
        check("{{ $value", 0.0, Err("does not close"));
        check("{{ $labels.job | humanize }}", 0.0, Err("not a number"));
        check("{{ }}", 0.0, Err("empty"));
    }
}
