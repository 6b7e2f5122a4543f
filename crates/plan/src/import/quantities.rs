//! Lengths of time and shares as people write them: "Every 30 seconds", "1 year", "(15-30 min)", "< 0.1%".

use std::time::Duration;

/// Units by the words that stand for them.
const UNITS: [(&[&str], &str); 7] = [
    (&["ms", "msec", "millisecond", "milliseconds"], "ms"),
    (&["s", "sec", "secs", "second", "seconds"], "s"),
    (&["m", "min", "mins", "minute", "minutes"], "m"),
    (&["h", "hr", "hrs", "hour", "hours"], "h"),
    (&["d", "day", "days"], "d"),
    (&["w", "wk", "week", "weeks"], "w"),
    (&["y", "yr", "year", "years"], "y"),
];

/// A number and the unit behind it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    /// As written.
    pub(super) number: String,
    pub(super) unit: String,
    /// Whether a range begins with it: `15-30`, `15 to 30`.
    ranged: bool,
}

/// The numbers of a text, each with the word or sign right behind it.
pub(super) fn quantities(text: &str) -> Vec<Quantity> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let inside_word =
            rest[..start].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let end = rest[start..]
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .map_or(rest.len(), |length| start + length);
        let number = rest[start..end].trim_end_matches('.');
        rest = &rest[end..];
        let behind = rest.trim_start_matches(['+', ' ']);
        let unit = if behind.starts_with('%') {
            "%"
        } else {
            let length = behind.find(|letter: char| !letter.is_ascii_alphabetic());
            &behind[..length.unwrap_or(behind.len())]
        };
        if !inside_word {
            let ranged = behind.starts_with(['-', '–', '—']) || unit == "to";
            let (number, unit) = (number.to_owned(), unit.to_ascii_lowercase());
            found.push(Quantity {
                number,
                unit,
                ranged,
            });
        }
    }
    found
}

impl Quantity {
    /// The length of time in the plan's words, where it is one and above zero.
    pub(super) fn length(&self) -> Option<String> {
        let (_, unit) = UNITS
            .iter()
            .find(|(words, _)| words.contains(&self.unit.as_str()))?;
        length(&self.number, unit)
    }
}

fn length(number: &str, unit: &str) -> Option<String> {
    let text = format!("{number}{unit}");
    if let Ok(length) = model::parse_duration(&text) {
        return (length > Duration::ZERO).then_some(text);
    }
    // Half an hour, as `0.5h` and `1.5 h` say it.
    let one = model::parse_duration(&format!("1{unit}")).ok()?;
    let times: f64 = number.parse().ok()?;
    let millis = one.as_secs_f64() * 1000.0 * times;
    let whole = (1.0..=1e12).contains(&millis) && millis.fract() == 0.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and in bounds"
    )]
    whole.then(|| model::format_duration(Duration::from_millis(millis as u64)))
}

/// The first length of time that a text names. A word alone is one of it: "every minute", "hourly", "1 year".
pub(super) fn first_length(text: &str) -> Option<String> {
    let written = quantities(text);
    if let Some(found) = written.iter().find_map(Quantity::length) {
        return Some(found);
    }
    // Months have no fixed length; thirty days is what retention means by one.
    let months = written
        .iter()
        .find(|own| ["mo", "month", "months"].contains(&own.unit.as_str()));
    if let Some(days) = months
        .and_then(|own| own.number.parse::<u32>().ok())
        .filter(|months| (1..=120).contains(months))
    {
        return Some(format!("{}d", days * 30));
    }
    let words = super::words::split(text);
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let after_every = words
        .windows(2)
        .find(|pair| pair[0] == "every")
        .map(|pair| pair[1].as_str());
    match after_every {
        Some("second") => return Some("1s".to_owned()),
        Some("minute") => return Some("1m".to_owned()),
        Some("hour") => return Some("1h".to_owned()),
        Some("day") => return Some("1d".to_owned()),
        Some(_) | None => {}
    }
    let adverbs = [
        ("minutely", "1m"),
        ("hourly", "1h"),
        ("daily", "1d"),
        ("weekly", "1w"),
    ];
    let found = adverbs.iter().find(|(word, _)| has(word));
    found.map(|(_, length)| (*length).to_owned())
}

/// From when on: the first number of "15-30 min", "30+ min", "after 1 hour", with the unit that follows; "immediately" is 0.
pub(super) fn start(text: &str) -> Option<String> {
    let written = quantities(text);
    let with_unit = written.iter().position(|own| {
        UNITS
            .iter()
            .any(|(words, _)| words.contains(&own.unit.as_str()))
    });
    let Some(at) = with_unit else {
        let at_once =
            super::words::has(text, &["immediately", "immediate", "instantly", "instant"]);
        return at_once.then(|| "0".to_owned());
    };
    let before = at
        .checked_sub(1)
        .map(|before| &written[before])
        .filter(|own| own.ranged);
    let first = before.unwrap_or(&written[at]);
    if first
        .number
        .parse::<f64>()
        .is_ok_and(|number| number == 0.0)
    {
        return Some("0".to_owned());
    }
    Quantity {
        unit: written[at].unit.clone(),
        ..first.clone()
    }
    .length()
}

/// A share of the whole as the plan writes it: `99.9%`.
pub(super) fn share(text: &str) -> Option<String> {
    let found = quantities(text)
        .into_iter()
        .find(|own| own.unit == "%" || own.unit == "percent")?;
    crate::values::percent(&found.number).filter(|share| (0.0..=1.0).contains(share))?;
    Some(format!("{}%", found.number))
}

/// The quantiles that a text names: "95th percentile", "p99", "median".
pub(super) fn quantiles(text: &str) -> Vec<String> {
    let named = super::words::split(text).into_iter().filter_map(|word| {
        if word == "median" {
            return Some("0.5".to_owned());
        }
        let digits = word.strip_prefix('p').or_else(|| word.strip_suffix("th"))?;
        let fits =
            (2..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let significant = digits.trim_end_matches('0');
        (fits && !significant.is_empty()).then(|| format!("0.{significant}"))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_words() {
        let check = |text: &str, expect: &str| {
            assert_eq!(
                first_length(text).as_deref().unwrap_or("-"),
                expect,
                "{text}"
            );
        };
        check("Every 30 seconds", "30s");
        check("1 year", "1y");
        check("keep for 90 days, then archive", "90d");
        check("6 months", "180d");
        check("every minute", "1m");
        check("hourly", "1h");
        check("1.5 hours", "1h30m");
        check("5m", "5m");
        check("p95 of a while", "-");
        check("0 s", "-");
        check("99999999999999999999 years", "-");
    }

    #[test]
    fn quantiles_as_people_name_them() {
        let check =
            |text: &str, expect: &str| assert_eq!(quantiles(text).join(" "), expect, "{text}");
        check("95th percentile", "0.95");
        check("p50, p99 and p999", "0.5 0.99 0.999");
        check("median", "0.5");
        check("the p of the 4th", "");
    }

    #[test]
    fn starts_and_shares() {
        let check = |text: &str, expect: &str| {
            assert_eq!(start(text).as_deref().unwrap_or("-"), expect, "{text}")
        };
        check("Level 1 (0-15 min)", "0");
        check("0-15 min", "0");
        check("15-30 min", "15m");
        check("30+ min", "30m");
        check("after 1 hour", "1h");
        check("Immediately", "0");
        check("15 to 30 minutes", "15m");
        check("later", "-");
        assert_eq!(share("> 99.9 %").as_deref(), Some("99.9%"));
        assert_eq!(share("120%"), None);
    }
}
