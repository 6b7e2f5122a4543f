//! What became of each line of a document, and what the import chose without being told. Whoever gets the plan checks it
//! against the document by this, so that no line is lost in silence and nothing is guessed in silence.

use std::fmt;

/// The longest text of a line that the account repeats, in characters: it names the line, it does not replace it.
const SHOWN_CHARS_MAX: usize = 60;

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stands in the plan, at these places.
    Mapped(Vec<String>),
    /// It does not stand in the plan, for this reason.
    Explained(String),
    /// It should stand in the plan and does not: what it means could not be read, for this reason.
    Unread(String),
}

impl Fate {
    /// The word of the JSON account.
    pub fn as_str(&self) -> &'static str {
        match self {
            Fate::Mapped(_) => "mapped",
            Fate::Explained(_) => "explained",
            Fate::Unread(_) => "unread",
        }
    }
}

/// One line of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineAccount {
    /// Counted from 1.
    pub number: usize,
    /// As written, white space around it left out.
    pub text: String,
    /// What became of it.
    pub fate: Fate,
}

/// How much a remark matters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something was chosen that the document leaves open.
    Note,
    /// Somebody should look before the plan runs.
    Warning,
}

impl Weight {
    /// The word before the remark.
    pub fn as_str(self) -> &'static str {
        match self {
            Weight::Note => "note",
            Weight::Warning => "warning",
        }
    }
}

/// A choice or a doubt of the import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line that it is about; `None`: the whole document.
    pub line: Option<usize>,
    /// How much it matters.
    pub weight: Weight,
    /// The choice and its reason.
    pub text: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.weight.as_str())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// The account of a whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Every line once, in order.
    pub lines: Vec<LineAccount>,
    /// Choices and doubts, in the order of the lines; those about the whole document first.
    pub remarks: Vec<Remark>,
}

impl Account {
    /// How many lines are mapped, explained and unread.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |of: fn(&Fate) -> bool| self.lines.iter().filter(|line| of(&line.fate)).count();
        (
            count(|fate| matches!(fate, Fate::Mapped(_))),
            count(|fate| matches!(fate, Fate::Explained(_))),
            count(|fate| matches!(fate, Fate::Unread(_))),
        )
    }

    /// Whether every line was read and nothing needs a look.
    pub fn is_clean(&self) -> bool {
        self.counts().2 == 0 && self.warnings() == 0
    }

    /// How many remarks are warnings.
    pub fn warnings(&self) -> usize {
        let warnings = self.remarks.iter();
        warnings
            .filter(|remark| remark.weight == Weight::Warning)
            .count()
    }
}

impl fmt::Display for Account {
    /// A line for each line of the document, then the remarks, then the sums.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let LineAccount { number, text, fate } = line;
            if text.is_empty() {
                writeln!(f, "{number:>5}  {fate}")?;
            } else {
                writeln!(f, "{number:>5}  {}  {fate}", shortened(text))?;
            }
        }
        writeln!(f)?;
        for remark in &self.remarks {
            writeln!(f, "{remark}")?;
        }
        let (mapped, explained, unread) = self.counts();
        let all = self.lines.len();
        let warnings = self.warnings();
        let notes = self.remarks.len() - warnings;
        let (lines, warnings, notes) = (
            counted(all, "line"),
            counted(warnings, "warning"),
            counted(notes, "note"),
        );
        writeln!(
            f,
            "{lines}: {mapped} mapped, {explained} explained, {unread} unread; {warnings}, {notes}"
        )
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Mapped(places) => write!(f, "-> {}", places.join(", ")),
            Fate::Explained(reason) => write!(f, "-- {reason}"),
            Fate::Unread(reason) => write!(f, "!! unread: {reason}"),
        }
    }
}

/// A number of things: `1 note`, `2 notes`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The start of a line, without what would move a terminal's cursor.
fn shortened(text: &str) -> String {
    let plain = text.chars().filter(|letter| !letter.is_control());
    let mut shown: String = plain.take(SHOWN_CHARS_MAX).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
