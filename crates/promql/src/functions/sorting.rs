//! Orders of an instant vector. NaN comes last, whichever way numbers go; label values sort as people count.

use std::cmp::Ordering;

use crate::sample::InstantVector;

/// Sorts by value.
pub(super) fn by_value(vector: &mut InstantVector, descending: bool) {
    vector.sort_by(|a, b| compare_values(a.value, b.value, descending));
}

/// NaN last; otherwise up or down.
fn compare_values(a: f64, b: f64, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

/// Sorts by the given labels in turn, then by all labels.
pub(super) fn by_label(vector: &mut InstantVector, names: &[&str], descending: bool) {
    vector.sort_by(|a, b| {
        let mut order = Ordering::Equal;
        for name in names {
            let value = |sample: &crate::sample::InstantSample| {
                sample.labels.get(name).unwrap_or("").to_owned()
            };
            order = order.then_with(|| natural_order(&value(a), &value(b)));
        }
        let order = order.then_with(|| a.labels.cmp(&b.labels));
        if descending { order.reverse() } else { order }
    });
}

/// Compares texts so that runs of digits count as numbers: `node9` before `node10`.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() && !b.is_empty() {
        let (left, left_rest) = chunk(a);
        let (right, right_rest) = chunk(b);
        let numbers = left[0].is_ascii_digit() && right[0].is_ascii_digit();
        let order = if numbers {
            compare_digits(left, right)
        } else {
            left.cmp(right)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (left_rest, right_rest);
    }
    a.len().cmp(&b.len())
}

/// The longest beginning that is all digits or has none.
fn chunk(text: &[u8]) -> (&[u8], &[u8]) {
    let digits = text[0].is_ascii_digit();
    let end = text.iter().position(|byte| byte.is_ascii_digit() != digits);
    text.split_at(end.unwrap_or(text.len()))
}

/// Compares as numbers of any length: without leading zeros, the longer one is larger.
fn compare_digits(a: &[u8], b: &[u8]) -> Ordering {
    let trimmed = |digits: &[u8]| {
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits[zeros..].to_vec()
    };
    let (x, y) = (trimmed(a), trimmed(b));
    let order = x.len().cmp(&y.len()).then_with(|| x.cmp(&y));
    order.then_with(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_people_do() {
        let mut names = vec!["n10", "n9", "n1", "m", "n", "n09"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, vec!["m", "n", "n1", "n9", "n09", "n10"]);
    }
}
