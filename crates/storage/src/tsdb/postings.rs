//! From matchers to series: sorted lists of series numbers per label pair, and the set arithmetic over them.
//!
//! Head and blocks hold their lists differently, so the arithmetic works on the small trait [`LabelIndex`]. Lists are
//! plain sorted `u32`s: at some 100,000 series a bitmap library would save little and cost a dependency.

use std::collections::BTreeMap;

use model::{Labels, MatchOp, Matcher};

/// What resolving matchers needs to know of an index.
pub(super) trait LabelIndex {
    /// All series, sorted.
    fn all(&self) -> Vec<u32>;
    /// The series that carry this very pair, sorted.
    fn having(&self, name: &str, value: &str) -> &[u32];
    /// Calls `visit` with each value of a label, in order of values, and the series that carry it.
    fn each_value(&self, name: &str, visit: &mut dyn FnMut(&str, &[u32]));
}

/// The series that satisfy all matchers, sorted.
pub(super) fn resolve(index: &impl LabelIndex, matchers: &[Matcher]) -> Vec<u32> {
    let mut found: Option<Vec<u32>> = None;
    // Matchers that demand the label come first: they name few series, and the others then only take away from those.
    let (demanding, lenient): (Vec<&Matcher>, Vec<&Matcher>) = matchers
        .iter()
        .partition(|matcher| !matcher.matches_empty());
    for matcher in demanding {
        let accepted = having_value(index, matcher, true);
        let narrowed = match found {
            Some(before) => intersect(&before, &accepted),
            None => accepted,
        };
        if narrowed.is_empty() {
            return narrowed;
        }
        found = Some(narrowed);
    }
    let mut found = found.unwrap_or_else(|| index.all());
    for matcher in lenient {
        // The matcher accepts absence, so only series that carry a refused value go.
        let refused = having_value(index, matcher, false);
        found = subtract(&found, &refused);
    }
    found
}

/// The series that carry the matcher's label with a value that it accepts (or refuses), sorted.
fn having_value(index: &impl LabelIndex, matcher: &Matcher, accepts: bool) -> Vec<u32> {
    if matcher.op() == MatchOp::Equal && accepts {
        return index.having(matcher.name(), matcher.value()).to_vec();
    }
    let mut series = Vec::new();
    index.each_value(matcher.name(), &mut |value, having| {
        if matcher.matches(value) == accepts {
            series.extend_from_slice(having);
        }
    });
    // A series has one value per label, so lists of different values never overlap: sorting is enough.
    series.sort_unstable();
    series
}

fn intersect(left: &[u32], right: &[u32]) -> Vec<u32> {
    let (small, large) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    let mut rest = large;
    let mut both = Vec::new();
    for wanted in small {
        let skipped = rest.partition_point(|series| series < wanted);
        rest = &rest[skipped..];
        match rest.first() {
            Some(first) if first == wanted => both.push(*wanted),
            Some(_) => {}
            None => break,
        }
    }
    both
}

fn subtract(from: &[u32], what: &[u32]) -> Vec<u32> {
    let mut rest = what;
    let mut left = Vec::with_capacity(from.len());
    for series in from {
        let skipped = rest.iter().take_while(|other| *other < series).count();
        rest = &rest[skipped..];
        if rest.first() != Some(series) {
            left.push(*series);
        }
    }
    left
}

/// The index of the head: grows with each new series, shrinks in bulk when the head is cut.
#[derive(Default)]
pub(super) struct HeadPostings {
    all: Vec<u32>,
    pairs: BTreeMap<Box<str>, BTreeMap<Box<str>, Vec<u32>>>,
}

impl HeadPostings {
    /// Adds a series.
    pub(super) fn insert(&mut self, series: u32, labels: &Labels) {
        insert_sorted(&mut self.all, series);
        for (name, value) in labels.iter() {
            if !self.pairs.contains_key(name) {
                self.pairs.insert(Box::from(name), BTreeMap::new());
            }
            let values = self.pairs.get_mut(name).expect("inserted just above");
            match values.get_mut(value) {
                Some(having) => insert_sorted(having, series),
                None => {
                    values.insert(Box::from(value), vec![series]);
                }
            }
        }
    }

    /// Removes many series in one pass; one by one would be quadratic after a mass extinction.
    pub(super) fn remove_all(&mut self, gone: impl Fn(u32) -> bool) {
        self.all.retain(|series| !gone(*series));
        self.pairs.retain(|_, values| {
            values.retain(|_, having| {
                having.retain(|series| !gone(*series));
                !having.is_empty()
            });
            !values.is_empty()
        });
    }
}

fn insert_sorted(list: &mut Vec<u32>, series: u32) {
    let at = list.partition_point(|other| *other < series);
    list.insert(at, series);
}

impl LabelIndex for HeadPostings {
    fn all(&self) -> Vec<u32> {
        self.all.clone()
    }

    fn having(&self, name: &str, value: &str) -> &[u32] {
        let having = self.pairs.get(name).and_then(|values| values.get(value));
        having.map_or(&[], Vec::as_slice)
    }

    fn each_value(&self, name: &str, visit: &mut dyn FnMut(&str, &[u32])) {
        for (value, having) in self.pairs.get(name).into_iter().flatten() {
            visit(value, having);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> HeadPostings {
        let mut postings = HeadPostings::default();
        let series = [
            vec![("__name__", "up"), ("job", "shop"), ("zone", "a")],
            vec![("__name__", "up"), ("job", "shop")],
            vec![("__name__", "up"), ("job", "till"), ("zone", "b")],
            vec![("__name__", "down"), ("job", "shop"), ("zone", "b")],
        ];
        // Slots are reused, so numbers do not arrive in order.
        for number in [2, 0, 3, 1] {
            postings.insert(number, &Labels::from_pairs(series[number as usize].clone()));
        }
        postings
    }

    #[test]
    fn matchers_resolve() {
        let check = |matchers: &[(&str, MatchOp, &str)], expect: &[u32]| {
            let matchers: Vec<Matcher> = matchers
                .iter()
                .map(|(name, op, value)| Matcher::new(name, *op, value).unwrap())
                .collect();
            assert_eq!(resolve(&index(), &matchers), expect, "{matchers:?}");
        };
        use MatchOp::{Equal, NotEqual, NotRegex, Regex};
        check(&[], &[0, 1, 2, 3]);
        check(&[("__name__", Equal, "up")], &[0, 1, 2]);
        check(&[("__name__", Equal, "up"), ("zone", Equal, "")], &[1]);
        check(&[("zone", NotEqual, "")], &[0, 2, 3]);
        check(&[("zone", NotEqual, "a")], &[1, 2, 3]);
        check(&[("zone", Regex, "a|")], &[0, 1]);
        check(&[("zone", Regex, ".*")], &[0, 1, 2, 3]);
        check(&[("zone", Regex, ".+")], &[0, 2, 3]);
        check(&[("zone", NotRegex, "a|")], &[2, 3]);
        check(&[("zone", NotRegex, "b")], &[0, 1]);
        check(&[("absent", Equal, "")], &[0, 1, 2, 3]);
        check(&[("absent", NotEqual, "x")], &[0, 1, 2, 3]);
        check(&[("absent", Equal, "x")], &[]);
        check(
            &[
                ("job", Equal, "shop"),
                ("zone", Equal, "b"),
                ("__name__", Regex, "d.*"),
            ],
            &[3],
        );
    }

    #[test]
    fn removal_forgets_values() {
        let mut postings = index();
        postings.remove_all(|series| series == 2 || series == 3);
        assert_eq!(postings.all(), [0, 1]);
        assert_eq!(postings.having("job", "till"), &[] as &[u32]);
        let mut zones = Vec::new();
        postings.each_value("zone", &mut |value, _| zones.push(value.to_owned()));
        assert_eq!(zones, ["a"]);
    }
}
