//! What the plan tells the log store: classes with their periods, and bounds.

use std::time::Duration;

use super::LogStoreError;

/// The longest line that any options may allow: a frame must hold it and stay far below what a reader accepts.
const LINE_BYTES_LIMIT: usize = 8 << 20;
/// More classes than any plan needs; each costs a directory and an open file.
const CLASSES_MAX: usize = 64;
/// The longest name of a class: it has a fixed place in the file header.
pub(super) const CLASS_BYTES_MAX: usize = 32;

/// A retention class: a name for lines that are kept equally long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// A short name such as `ERROR`: `[A-Za-z0-9_-]{1,32}`.
    pub class: String,
    /// How long a line stays readable, counted from its own time. Rounded down to milliseconds.
    pub keep: Duration,
}

/// The settings of a log store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The classes that may be written.
    pub classes: Vec<Retention>,
    /// The longest line: all its texts, and two bytes for each field.
    pub line_bytes_max: usize,
    /// The most bytes on disk for one class and day; further lines of that day are refused.
    pub day_bytes_max: u64,
    /// The most bytes on disk in all; further lines are refused. Nothing is deleted before its time.
    pub total_bytes_max: u64,
    /// The most frames that wait for `maintain`; each costs 48 bytes of memory. Further batches are refused.
    pub unsealed_frames_max: u64,
    /// Whether opening reads every byte of the sealed files too, to say at once what decayed. Costs minutes on a large store;
    /// without it a damaged block is found when it is first read.
    pub verify_sealed: bool,
}

impl Options {
    /// Settings for these classes, with bounds that suit one machine.
    pub fn new(classes: Vec<Retention>) -> Options {
        Options {
            classes,
            line_bytes_max: 256 << 10,
            day_bytes_max: 32 << 30,
            total_bytes_max: 256 << 30,
            unsealed_frames_max: 1 << 20,
            verify_sealed: false,
        }
    }

    pub(super) fn check(&self) -> Result<(), LogStoreError> {
        let refuse = |what: String| Err(LogStoreError::InvalidOptions(what));
        if self.classes.len() > CLASSES_MAX {
            return refuse(format!("more than {CLASSES_MAX} classes"));
        }
        for (nth, class) in self.classes.iter().enumerate() {
            let name = &class.class;
            if !is_class_name(name) {
                return refuse(format!("{name:?} is not a class name"));
            }
            if class.keep < Duration::from_millis(1) {
                return refuse(format!("class {name} keeps nothing"));
            }
            // Two names that differ in case only would share a directory on some file systems.
            let twice = |other: &Retention| other.class.eq_ignore_ascii_case(name);
            if self.classes[..nth].iter().any(twice) {
                return refuse(format!("class {name} is there twice"));
            }
        }
        if self.line_bytes_max == 0 || self.line_bytes_max > LINE_BYTES_LIMIT {
            return refuse(format!("line_bytes_max is not in 1..={LINE_BYTES_LIMIT}"));
        }
        Ok(())
    }
}

/// Whether a text may name a retention class (and so a directory).
pub(super) fn is_class_name(name: &str) -> bool {
    (1..=CLASS_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
