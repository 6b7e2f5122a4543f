//! A plan as it is about to be written: keys in reading order, comments, and for each item the lines that it comes from.

use std::collections::BTreeSet;

/// A map of keys.
#[derive(Default)]
pub(super) struct Map {
    /// Lines of comment above it, where it is an item of a list.
    pub(super) comment: Vec<String>,
    /// Indexes of the lines that it comes from.
    pub(super) from: Vec<usize>,
    pub(super) entries: Vec<Entry>,
}

/// A key with its value.
pub(super) struct Entry {
    /// Lines of comment above it.
    pub(super) comment: Vec<String>,
    pub(super) key: String,
    pub(super) value: Value,
}

pub(super) enum Value {
    Text(String),
    /// A list of short texts, in one line.
    Texts(Vec<String>),
    Map(Map),
    Maps(Vec<Map>),
}

impl Map {
    pub(super) fn new() -> Map {
        Map::default()
    }

    pub(super) fn from(mut self, lines: impl IntoIterator<Item = usize>) -> Map {
        self.from.extend(lines);
        self
    }

    pub(super) fn comment(mut self, text: impl Into<String>) -> Map {
        self.comment.push(text.into());
        self
    }

    /// A text; an empty one is left out.
    pub(super) fn text(self, key: &str, text: impl Into<String>) -> Map {
        let text = text.into();
        if text.is_empty() {
            return self;
        }
        self.with(key, "", Value::Text(text))
    }

    /// Short texts; none are left out.
    pub(super) fn texts(self, key: &str, texts: Vec<String>) -> Map {
        if texts.is_empty() {
            return self;
        }
        self.with(key, "", Value::Texts(texts))
    }

    /// A map under a comment; an empty one is left out.
    pub(super) fn map(self, key: &str, comment: &str, map: Map) -> Map {
        if map.entries.is_empty() {
            return self;
        }
        self.with(key, comment, Value::Map(map))
    }

    /// Items; an empty list is left out.
    pub(super) fn maps(self, key: &str, maps: Vec<Map>) -> Map {
        self.section(key, "", maps)
    }

    /// Items under a comment; an empty list is left out.
    pub(super) fn section(self, key: &str, comment: &str, maps: Vec<Map>) -> Map {
        if maps.is_empty() {
            return self;
        }
        self.with(key, comment, Value::Maps(maps))
    }

    fn with(mut self, key: &str, comment: &str, value: Value) -> Map {
        let comment = if comment.is_empty() {
            Vec::new()
        } else {
            vec![comment.to_owned()]
        };
        self.entries.push(Entry {
            comment,
            key: key.to_owned(),
            value,
        });
        self
    }

    /// Takes out the maps with these numbers, counted as they are written, and what this leaves empty. The answer is the
    /// lines that each came from.
    pub(super) fn prune(&mut self, numbers: &BTreeSet<usize>) -> Vec<(usize, Vec<usize>)> {
        let mut pruned = Vec::new();
        self.prune_below(numbers, &mut 0, &mut pruned);
        pruned
    }

    fn prune_below(
        &mut self,
        numbers: &BTreeSet<usize>,
        next: &mut usize,
        pruned: &mut Vec<(usize, Vec<usize>)>,
    ) {
        *next += 1;
        let mut keep_or_prune = |map: &mut Map| {
            let number = *next;
            map.prune_below(numbers, next, pruned);
            if numbers.contains(&number) {
                pruned.push((number, map.lines()));
            }
            !numbers.contains(&number)
        };
        self.entries.retain_mut(|entry| match &mut entry.value {
            Value::Text(_) | Value::Texts(_) => true,
            Value::Map(map) => keep_or_prune(map),
            Value::Maps(maps) => {
                maps.retain_mut(&mut keep_or_prune);
                !maps.is_empty()
            }
        });
    }

    /// The lines that it and all below it come from.
    pub(super) fn lines(&self) -> Vec<usize> {
        let mut lines = self.from.clone();
        for entry in &self.entries {
            match &entry.value {
                Value::Text(_) | Value::Texts(_) => {}
                Value::Map(map) => lines.extend(map.lines()),
                Value::Maps(maps) => lines.extend(maps.iter().flat_map(Map::lines)),
            }
        }
        lines
    }
}
