//! All files of a plan in one row of bytes, so that a place is one number whatever file it lies in.
//!
//! Each file has a base in that row, and the spans of its tree count from there. Converters and checks compare, keep and
//! report spans without knowing that there are files; only here a span becomes file, line and column again. The other
//! way, a file beside every span, would have every converter carry it along.

use std::borrow::Cow;
use std::ops::Range;

use crate::{Location, PlanFile};

/// The files of one plan, the main one first.
pub(crate) struct Files<'t> {
    files: Vec<File<'t>>,
}

struct File<'t> {
    name: Cow<'t, str>,
    text: Cow<'t, str>,
    /// Where it begins in the row of all files.
    base: usize,
    line_starts: Vec<usize>,
}

impl<'t> Files<'t> {
    pub(crate) fn new(name: &'t str, text: &'t str) -> Files<'t> {
        let mut files = Files { files: Vec::new() };
        files.push(Cow::Borrowed(name), Cow::Borrowed(text));
        files
    }

    /// Adds a file behind the others; its index.
    pub(crate) fn add(&mut self, name: String, text: String) -> usize {
        self.push(Cow::Owned(name), Cow::Owned(text));
        self.files.len() - 1
    }

    fn push(&mut self, name: Cow<'t, str>, text: Cow<'t, str>) {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = [0]
            .into_iter()
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        // One byte between two files, so that the end of one is not the beginning of the next.
        let base = self
            .files
            .last()
            .map_or(0, |last| last.base + last.text.len() + 1);
        self.files.push(File {
            name,
            text,
            base,
            line_starts,
        });
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.files.len()
    }

    /// The bytes of all of them.
    pub(crate) fn bytes(&self) -> usize {
        self.files.iter().map(|file| file.text.len()).sum()
    }

    pub(crate) fn name(&self, file: usize) -> &str {
        &self.files[file].name
    }

    pub(crate) fn text(&self, file: usize) -> &str {
        &self.files[file].text
    }

    pub(crate) fn base(&self, file: usize) -> usize {
        self.files[file].base
    }

    /// The file that a byte lies in.
    pub(crate) fn of(&self, byte: usize) -> usize {
        self.files.partition_point(|file| file.base <= byte) - 1
    }

    /// What stands at a place.
    pub(crate) fn written(&self, span: &Range<usize>) -> &str {
        let (file, span) = self.within(span);
        &self.files[file].text[span]
    }

    /// A place as its file and the bytes of that file's text. Any numbers are taken, past the end means the end.
    pub(crate) fn within(&self, span: &Range<usize>) -> (usize, Range<usize>) {
        let index = self.of(span.start);
        let File { text, base, .. } = &self.files[index];
        let byte = |at: usize| text.floor_char_boundary(at.saturating_sub(*base).min(text.len()));
        let start = byte(span.start);
        (index, start..byte(span.end).max(start))
    }

    /// File, line and column of a byte.
    pub(crate) fn location(&self, byte: usize) -> Location {
        let (index, span) = self.within(&(byte..byte));
        let File {
            text, line_starts, ..
        } = &self.files[index];
        let line = line_starts.partition_point(|start| *start <= span.start);
        let before = text[line_starts[line - 1]..span.start].trim_start_matches('\u{feff}');
        Location {
            file: index,
            line,
            column: before.chars().count() + 1,
        }
    }

    /// The byte of a line and column of a file, as far as it has them.
    pub(crate) fn byte(&self, file: usize, line: usize, column: usize) -> usize {
        let File {
            text,
            base,
            line_starts,
            ..
        } = &self.files[file];
        let start = line.checked_sub(1).and_then(|index| line_starts.get(index));
        let Some(start) = start else {
            return base + text.len();
        };
        let rest = &text[*start..];
        let wanted = rest.char_indices().nth(column.saturating_sub(1));
        base + start + wanted.map_or(rest.len(), |(at, _)| at)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.files
            .iter()
            .map(|file| file.name.to_string())
            .collect()
    }

    /// Names and texts, for whoever shows them.
    pub(crate) fn to_list(&self) -> Vec<PlanFile> {
        let files = self.files.iter();
        files
            .map(|file| PlanFile {
                name: file.name.to_string(),
                text: file.text.to_string(),
            })
            .collect()
    }

    /// Where something stands, for a message about another place: the file is named only where it is not the same.
    pub(crate) fn line_seen_from(&self, byte: usize, other: usize) -> String {
        let at = self.location(byte);
        if self.of(other) == at.file {
            return format!("line {}", at.line);
        }
        format!("line {} of {}", at.line, self.name(at.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_a_place_in_its_file() {
        let mut files = Files::new("a", "one\ntwö\n");
        files.add("b".to_owned(), String::new());
        files.add("c".to_owned(), "drei\nvier".to_owned());
        let check = |byte: usize, expect: (usize, usize, usize)| {
            let Location { file, line, column } = files.location(byte);
            assert_eq!((file, line, column), expect, "{byte}");
        };
        check(0, (0, 1, 1));
        check(4, (0, 2, 1));
        // Inside a character is at it.
        check(7, (0, 2, 3));
        check(9, (0, 3, 1));
        check(10, (1, 1, 1));
        check(11, (2, 1, 1));
        check(16, (2, 2, 1));
        check(1_000, (2, 2, 5));
        assert_eq!(files.byte(2, 2, 1), 16);
        assert_eq!(files.byte(2, 9, 1), 20);
        assert_eq!(files.written(&(16..18)), "vi");
        // A span never reaches into the next file.
        assert_eq!(files.written(&(4..18)), "twö\n");
        assert_eq!(files.line_seen_from(16, 11), "line 2");
        assert_eq!(files.line_seen_from(16, 0), "line 2 of c");
    }
}
