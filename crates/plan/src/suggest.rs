//! "Did you mean": the nearest of the possible names.
//!
//! Plain edit distance with swapped neighbours counted once, since those are the mistakes of fingers. Long words are
//! not compared: the table is quadratic, and nobody mistypes one letter of a paragraph.

/// The longest word that is compared, in characters.
const WORD_CHARS_MAX: usize = 80;

/// The candidate that is nearest to `wrong`, where one is near enough to be meant. The first of equals wins.
pub(crate) fn nearest<'c>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let wrong: Vec<char> = wrong.chars().take(WORD_CHARS_MAX + 1).collect();
    if wrong.is_empty() || wrong.len() > WORD_CHARS_MAX {
        return None;
    }
    let far = 1 + wrong.len() / 4;
    let scored = candidates.into_iter().filter_map(|candidate| {
        let letters: Vec<char> = candidate.chars().take(WORD_CHARS_MAX + 1).collect();
        let comparable =
            letters.len() <= WORD_CHARS_MAX && letters.len().abs_diff(wrong.len()) <= far;
        comparable.then(|| (distance(&wrong, &letters), candidate))
    });
    let (best, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    (best <= far).then_some(candidate)
}

/// The question ``did you mean `x`?``, or nothing.
pub(crate) fn did_you_mean<'c>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> String {
    nearest(wrong, candidates).map_or(String::new(), |name| format!("did you mean `{name}`?"))
}

fn distance(left: &[char], right: &[char]) -> usize {
    let width = right.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (row, a) in left.iter().enumerate() {
        let mut next = vec![row + 1; width];
        for (column, b) in right.iter().enumerate() {
            // Letters of the wrong case are the same letter to the one who typed them.
            let differs = usize::from(!a.eq_ignore_ascii_case(b));
            let mut cost = (last[column] + differs)
                .min(last[column + 1] + 1)
                .min(next[column] + 1);
            let swapped = row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b;
            if swapped {
                cost = cost.min(before[column - 1] + 1);
            }
            next[column + 1] = cost;
        }
        before = std::mem::replace(&mut last, next);
    }
    last[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["gauge", "counter", "histogram", "http_requests_total"];
        let check = |wrong: &str, expect: Option<&str>| {
            assert_eq!(nearest(wrong, names), expect, "{wrong}");
        };
        check("guage", Some("gauge"));
        check("Gauge", Some("gauge"));
        check("http_request_total", Some("http_requests_total"));
        check("timer", None);
        check("", None);
        check(&"x".repeat(5000), None);
    }
}
