//! Which labels the series of an expression have: those that they surely have, and those that they may have.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of the series of an expression. The metric's name is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSet {
    /// Every series has these.
    sure: BTreeSet<String>,
    /// A series may have these; the sure ones among them.
    possible: BTreeSet<String>,
    /// Whether a series may have any other as well.
    open: bool,
    /// Those that have one value in every series.
    fixed: BTreeMap<String, String>,
}

impl LabelSet {
    /// No labels at all.
    pub(crate) fn none() -> LabelSet {
        LabelSet::default()
    }

    /// Nothing is known.
    pub(crate) fn any() -> LabelSet {
        LabelSet {
            open: true,
            ..LabelSet::default()
        }
    }

    /// Exactly these.
    pub(crate) fn of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> LabelSet {
        let sure: BTreeSet<String> = names
            .into_iter()
            .map(|name| name.as_ref().to_owned())
            .collect();
        LabelSet {
            possible: sure.clone(),
            sure,
            ..LabelSet::default()
        }
    }

    /// Whether a series may have the label.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.open || self.possible.contains(name)
    }

    /// Whether every series has the label.
    pub(crate) fn surely_has(&self, name: &str) -> bool {
        self.sure.contains(name)
    }

    /// The value that the label has in every series, where it is one.
    pub(crate) fn fixed_value(&self, name: &str) -> Option<&str> {
        self.fixed.get(name).map(String::as_str)
    }

    /// Labels that every series has.
    pub(crate) fn sure(&self) -> impl Iterator<Item = &str> {
        self.sure.iter().map(String::as_str)
    }

    /// Labels that every series has, with different values.
    pub(crate) fn splitting(&self) -> impl Iterator<Item = &str> {
        self.sure().filter(|name| !self.fixed.contains_key(*name))
    }

    /// Whether all labels are known.
    pub(crate) fn is_closed(&self) -> bool {
        !self.open
    }

    /// Labels that a series may have, as far as they are known.
    pub(crate) fn possible(&self) -> impl Iterator<Item = &str> {
        self.possible.iter().map(String::as_str)
    }

    /// With one more label.
    pub(crate) fn with(mut self, name: &str) -> LabelSet {
        self.sure.insert(name.to_owned());
        self.possible.insert(name.to_owned());
        self.fixed.remove(name);
        self
    }

    /// With one label of one value.
    pub(crate) fn with_value(self, name: &str, value: &str) -> LabelSet {
        let mut with = self.with(name);
        with.fixed.insert(name.to_owned(), value.to_owned());
        with
    }

    /// Without one label.
    pub(crate) fn without(mut self, name: &str) -> LabelSet {
        self.sure.remove(name);
        self.possible.remove(name);
        self.fixed.remove(name);
        self
    }

    /// Only these, as far as they are there: what `by` and `on` leave.
    pub(crate) fn only(self, names: &[String]) -> LabelSet {
        let kept = |name: &String| names.contains(name);
        LabelSet {
            possible: if self.open {
                names.iter().cloned().collect()
            } else {
                self.possible.into_iter().filter(kept).collect()
            },
            sure: self.sure.into_iter().filter(kept).collect(),
            open: false,
            fixed: self
                .fixed
                .into_iter()
                .filter(|(name, _)| kept(name))
                .collect(),
        }
    }

    /// All but these: what `without` and `ignoring` leave.
    pub(crate) fn all_but(self, names: &[String]) -> LabelSet {
        names.iter().fold(self, |labels, name| labels.without(name))
    }

    /// Of series that come from either of two.
    pub(crate) fn or(self, other: LabelSet) -> LabelSet {
        LabelSet {
            sure: self.sure.intersection(&other.sure).cloned().collect(),
            possible: self.possible.union(&other.possible).cloned().collect(),
            open: self.open || other.open,
            fixed: self
                .fixed
                .into_iter()
                .filter(|(name, value)| other.fixed.get(name) == Some(value))
                .collect(),
        }
    }

    /// With labels that come from the other side of an operation.
    pub(crate) fn including(self, names: &[String], from: &LabelSet) -> LabelSet {
        names.iter().fold(self, |labels, name| {
            if from.surely_has(name) {
                match from.fixed_value(name) {
                    Some(value) => labels.with_value(name, value),
                    None => labels.with(name),
                }
            } else if from.may_have(name) {
                let mut labels = labels.without(name);
                labels.possible.insert(name.clone());
                labels
            } else {
                labels.without(name)
            }
        })
    }
}
