//! Label sets: what names a series.
//!
//! A set is sorted by name once and then shared, because one series passes through scrape, store, rules and pages
//! without changing. Building goes through [`LabelsBuilder`]; there is no way to hold an unsorted set.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A set of labels, sorted by name, without empty values. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// The set without labels.
    pub fn empty() -> Labels {
        Labels::default()
    }

    /// A set from pairs; the last value of a repeated name wins and empty values are left out.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Labels
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut builder = LabelsBuilder::default();
        for (name, value) in pairs {
            builder.set(name.as_ref(), value.as_ref());
        }
        builder.build()
    }

    /// The value of a label, or `None` where it is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let position = self.0.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
        Some(&self.0[position].1)
    }

    /// The metric's name; empty where there is none.
    pub fn metric_name(&self) -> &str {
        self.get(METRIC_NAME).unwrap_or("")
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same set without one label.
    pub fn without(&self, name: &str) -> Labels {
        if self.get(name).is_none() {
            return self.clone();
        }
        Labels(
            self.0
                .iter()
                .filter(|(key, _)| **key != *name)
                .cloned()
                .collect(),
        )
    }

    /// The same set with one label set (or removed, when `value` is empty).
    pub fn with(&self, name: &str, value: &str) -> Labels {
        let mut builder = LabelsBuilder::from(self);
        builder.set(name, value);
        builder.build()
    }

    /// Only the labels whose name `keep` accepts.
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Labels {
        Labels(
            self.0
                .iter()
                .filter(|(name, _)| keep(name))
                .cloned()
                .collect(),
        )
    }
}

impl fmt::Display for Labels {
    /// As Prometheus prints a series: `name{a="1", b="2"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric_name())?;
        let mut rest = self
            .iter()
            .filter(|(name, _)| *name != METRIC_NAME)
            .peekable();
        if rest.peek().is_none() && !self.metric_name().is_empty() {
            return Ok(());
        }
        f.write_str("{")?;
        for (index, (name, value)) in rest.enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Collects labels in any order.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder(BTreeMap<Arc<str>, Arc<str>>);

impl LabelsBuilder {
    /// Sets a label; an empty value removes it, since an empty label equals an absent one in this data model.
    pub fn set(&mut self, name: &str, value: &str) -> &mut LabelsBuilder {
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.insert(Arc::from(name), Arc::from(value));
        }
        self
    }

    /// The finished set.
    pub fn build(&self) -> Labels {
        Labels(
            self.0
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }
}

impl From<&Labels> for LabelsBuilder {
    fn from(labels: &Labels) -> LabelsBuilder {
        LabelsBuilder(labels.0.iter().cloned().collect())
    }
}

/// Whether a text may name a metric: letters, digits, `_` and `:`, not starting with a digit.
pub fn is_metric_name(text: &str) -> bool {
    is_name(text, |byte| byte == b':')
}

/// Whether a text may name a label: letters, digits and `_`, not starting with a digit.
pub fn is_label_name(text: &str) -> bool {
    is_name(text, |_| false)
}

fn is_name(text: &str, also: impl Fn(u8) -> bool) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || also(byte);
    let mut bytes = text.bytes();
    bytes.next().is_some_and(letter) && bytes.all(|byte| letter(byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_and_drops_empty_values() {
        let labels =
            Labels::from_pairs([("b", "2"), ("a", "1"), ("gone", ""), (METRIC_NAME, "up")]);
        assert_eq!(labels.to_string(), r#"up{a="1", b="2"}"#);
        assert_eq!(labels.without(METRIC_NAME).to_string(), r#"{a="1", b="2"}"#);
        assert_eq!(labels.with("a", "").get("a"), None);
        assert_eq!(Labels::from_pairs([(METRIC_NAME, "up")]).to_string(), "up");
        assert_eq!(Labels::empty().to_string(), "{}");
    }

    #[test]
    fn names() {
        assert!(is_metric_name("job:http_requests:rate5m"));
        assert!(!is_metric_name("5xx"));
        assert!(!is_metric_name(""));
        assert!(!is_label_name("a:b"));
    }
}
