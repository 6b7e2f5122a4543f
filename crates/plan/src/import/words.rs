//! Words of names and of phrases, made comparable: a panel "Order failures per minute" and a counter `order_errors_total`
//! speak of the same thing.

/// Words that mean the same to monitoring; the first stands for all. Stems, not words.
const SAME: [&[&str]; 8] = [
    &["error", "fail", "failur", "exception"],
    &["duration", "latency", "time", "second", "delay"],
    &["request", "req", "response", "respons"],
    &["usage", "us", "usag", "adopt"],
    &["utilization", "utiliz", "utilis", "saturat"],
    &["limit", "capac", "max", "quota"],
    &["memory", "ram"],
    &["deploy", "deployment", "releas", "rollout"],
];

/// Words that name no thing: of a metric's name the unit and the protocol, of a phrase the small words.
const EMPTY: [&str; 22] = [
    "total", "http", "byte", "count", "the", "of", "a", "an", "per", "by", "and", "or", "over",
    "in", "sec", "min", "minut", "current", "number", "all", "average", "to",
];

/// The words of a name or a phrase, in small letters: `HighErrorRate`, `high_error_rate` and "High error rate" are equal.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower_before = false;
    for letter in text.chars() {
        let starts = letter.is_uppercase() && lower_before;
        if (!letter.is_alphanumeric() || starts) && words.last().is_some_and(|own| !own.is_empty())
        {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        lower_before = letter.is_lowercase() || letter.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the text has one of these words, as it is written.
pub(super) fn has(text: &str, wanted: &[&str]) -> bool {
    split(text)
        .iter()
        .any(|word| wanted.contains(&word.as_str()))
}

/// The things that a name or a phrase speaks of: stems, each once, small words left out.
pub(super) fn things(text: &str) -> Vec<String> {
    let mut things = Vec::new();
    for word in split(text) {
        let thing = canonical(&word);
        let empty =
            EMPTY.contains(&thing.as_str()) || thing.chars().all(|letter| letter.is_ascii_digit());
        if !empty && !things.contains(&thing) {
            things.push(thing);
        }
    }
    things
}

/// A word's stem, or the word that stands for it and its like.
pub(super) fn canonical(word: &str) -> String {
    let stem = stem(word);
    let same = SAME
        .iter()
        .find(|words| words.contains(&stem) || words.contains(&word));
    same.map_or(stem, |words| words[0]).to_owned()
}

/// A word without its ending: `generated`, `generation` and `generates` are one. Coarse, because it only compares.
fn stem(word: &str) -> &str {
    const ENDINGS: [&str; 12] = [
        "ations", "ation", "ating", "ated", "ates", "ions", "ion", "ing", "ed", "ies", "es", "s",
    ];
    // Two letters and an ending are a word of their own: `used` is not `us` that was done.
    let cut = ENDINGS.iter().find_map(|ending| {
        let rest = word.strip_suffix(ending)?;
        let long = rest.len() >= 3 || (rest.len() >= 2 && *ending == "s");
        (long && word.is_ascii() && !word.ends_with("ss")).then_some(rest)
    });
    let rest = cut.unwrap_or(word);
    if rest.len() > 3 {
        rest.trim_end_matches(['e', 'y'])
    } else {
        rest
    }
}

/// A name in small letters with `-` between its words, at most so many characters.
pub(super) fn slug(text: &str, chars_max: usize) -> String {
    let mut slug = String::new();
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let parted = if slug.is_empty() {
            word.len()
        } else {
            word.len() + 1
        };
        if word.is_empty() || slug.len() + parted > chars_max {
            continue;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word.to_ascii_lowercase());
    }
    slug
}

/// The name of an alert from words: `High error rate` is `HighErrorRate`.
pub(super) fn camel(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .filter_map(|word| {
            let mut letters = word.chars();
            let first = letters.next()?.to_ascii_uppercase();
            Some(format!("{first}{}", letters.as_str()))
        })
        .collect()
}

/// A text that begins with a capital.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_in_other_words() {
        let check =
            |one: &str, other: &str| assert_eq!(things(one), things(other), "{one}, {other}");
        check("order_errors_total", "Order failures");
        check("http_request_duration_seconds", "Response time");
        check("orders_generated", "order generation");
        check("cache_entries_count", "cache entry");
        check("feature_usage_total", "Feature adoption");
        check("cache_misses_total", "cache miss");
        check("HighErrorRate", "High error rate");
    }

    #[test]
    fn names_from_words() {
        assert_eq!(slug("Checkout & Basket (v2)", 64), "checkout-basket-v2");
        assert_eq!(slug("ä ö", 64), "");
        assert_eq!(slug("one two three", 8), "one-two");
        assert_eq!(camel("high error-rate"), "HighErrorRate");
    }
}
