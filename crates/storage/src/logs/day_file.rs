//! One file of the store: a header that says which class, day and retention period it holds, then frames.
//!
//! Two kinds. An *open* file takes a frame per batch, as they come. A *sealed* file is written whole by `seal`, holds its rows in
//! order of time, ends in an index of its frames, and takes the place of the files whose numbers it covers.
//!
//! The header stands twice at the start: one decayed byte must not cost a day of logs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use model::{LogTime, Timestamp};

use super::day::Day;
use super::frame::FrameMeta;
use super::options::{CLASS_BYTES_MAX, is_class_name};

/// Both copies of the header.
pub(super) const HEADER_BYTES: usize = 2 * COPY_BYTES;
const COPY_BYTES: usize = 80;
const MAGIC: &[u8; 8] = b"BLFRYLOG";
const VERSION: u16 = 1;
/// The last bytes of a sealed file: magic, position of the index frame, checksum.
pub(super) const TRAILER_BYTES: usize = 16;
const TRAILER_MAGIC: &[u8; 4] = b"done";

/// The name of a file: its day and the numbers that it covers. The order is the order in which lines of one time are told.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    pub(super) day: Day,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) sealed: bool,
}

impl FileName {
    pub(super) fn open(day: Day, number: u32) -> FileName {
        FileName {
            day,
            first: number,
            last: number,
            sealed: false,
        }
    }

    /// Reads `yyyy-mm-dd.N.log` or `yyyy-mm-dd.N-M.log`.
    pub(super) fn parse(text: &str) -> Option<FileName> {
        let (day, numbers) = text.strip_suffix(".log")?.split_once('.')?;
        let day = Day::parse(day)?;
        let name = match numbers.split_once('-') {
            None => FileName::open(day, numbers.parse().ok()?),
            Some((first, last)) => FileName {
                day,
                first: first.parse().ok()?,
                last: last.parse().ok()?,
                sealed: true,
            },
        };
        (name.first <= name.last && name.to_string() == text).then_some(name)
    }

    /// Whether this sealed file takes the place of the other.
    pub(super) fn replaces(&self, other: &FileName) -> bool {
        self.sealed
            && self != other
            && self.day == other.day
            && self.first <= other.first
            && other.last <= self.last
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sealed {
            write!(f, "{}.{}-{}.log", self.day, self.first, self.last)
        } else {
            write!(f, "{}.{}.log", self.day, self.first)
        }
    }
}

/// What the first bytes of a file say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) class: String,
    pub(super) name: FileName,
    /// The retention period of the class when the file was made.
    pub(super) keep: Duration,
    pub(super) created: Timestamp,
}

/// Why a header could not be read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// Another version of this format: a newer program wrote it. Leave it alone.
    OtherVersion,
    /// Neither copy is whole.
    Unreadable,
}

impl FileHeader {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut copy = [0; COPY_BYTES];
        copy[0..8].copy_from_slice(MAGIC);
        copy[8..10].copy_from_slice(&VERSION.to_le_bytes());
        copy[10] = u8::from(self.name.sealed);
        copy[11] = self.class.len() as u8;
        copy[12..12 + self.class.len()].copy_from_slice(self.class.as_bytes());
        copy[44..48].copy_from_slice(&self.name.day.number().to_le_bytes());
        copy[48..56].copy_from_slice(&millis(self.keep).to_le_bytes());
        copy[56..60].copy_from_slice(&self.name.first.to_le_bytes());
        copy[60..64].copy_from_slice(&self.name.last.to_le_bytes());
        copy[64..72].copy_from_slice(&self.created.as_millis().to_le_bytes());
        let crc = crc32fast::hash(&copy[..76]);
        copy[76..80].copy_from_slice(&crc.to_le_bytes());
        let mut out = [0; HEADER_BYTES];
        out[..COPY_BYTES].copy_from_slice(&copy);
        out[COPY_BYTES..].copy_from_slice(&copy);
        out
    }

    /// Reads the header from a file's first bytes. The number beside it salts the frames' checksums.
    pub(super) fn decode(bytes: &[u8]) -> Result<(FileHeader, u32), HeaderError> {
        // Frames stand behind both copies: a file that ends sooner has none, and must not be appended to.
        let bytes = bytes.get(..HEADER_BYTES).unwrap_or_default();
        let copies = || bytes.chunks_exact(COPY_BYTES);
        if let Some(found) = copies().find_map(FileHeader::decode_copy) {
            return Ok(found);
        }
        let version = |copy: &[u8]| {
            copy.starts_with(MAGIC)
                .then(|| u16::from_le_bytes([copy[8], copy[9]]))
        };
        let mut versions = copies().map(version);
        match (versions.next().flatten(), versions.next().flatten()) {
            (Some(one), Some(other)) if one == other && one != VERSION => {
                Err(HeaderError::OtherVersion)
            }
            _ => Err(HeaderError::Unreadable),
        }
    }

    fn decode_copy(copy: &[u8]) -> Option<(FileHeader, u32)> {
        let u32_at = |at: usize| Some(u32::from_le_bytes(*copy[at..].first_chunk()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(*copy[at..].first_chunk()?));
        let crc = u32_at(76)?;
        if !copy.starts_with(MAGIC)
            || copy[8..10] != VERSION.to_le_bytes()
            || crc32fast::hash(&copy[..76]) != crc
        {
            return None;
        }
        let class_len = usize::from(copy[11]).min(CLASS_BYTES_MAX);
        let class = std::str::from_utf8(&copy[12..12 + class_len]).ok()?;
        let header = FileHeader {
            class: is_class_name(class).then(|| class.to_owned())?,
            name: FileName {
                day: Day::from_number(u32_at(44)? as i32),
                first: u32_at(56)?,
                last: u32_at(60)?,
                sealed: copy[10] == 1,
            },
            keep: Duration::from_millis(u64_at(48)?),
            created: Timestamp::from_millis(u64_at(64)? as i64),
        };
        Some((header, crc))
    }
}

/// The end of a sealed file whose index frame stands at `index_at`.
pub(super) fn trailer(index_at: u64) -> [u8; TRAILER_BYTES] {
    let mut out = [0; TRAILER_BYTES];
    out[0..4].copy_from_slice(TRAILER_MAGIC);
    out[4..12].copy_from_slice(&index_at.to_le_bytes());
    let crc = crc32fast::hash(&out[..12]);
    out[12..16].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Where a sealed file's index frame stands, if its last bytes are whole.
pub(super) fn parse_trailer(bytes: &[u8]) -> Option<u64> {
    let bytes: &[u8; TRAILER_BYTES] = bytes.try_into().ok()?;
    let (body, crc) = bytes.split_at(12);
    let whole = body.starts_with(TRAILER_MAGIC) && crc32fast::hash(body).to_le_bytes() == *crc;
    whole.then(|| u64::from_le_bytes(*body[4..].first_chunk().expect("eight bytes follow")))
}

/// A file as the running store knows it.
pub(super) struct DayFile {
    pub(super) path: PathBuf,
    pub(super) name: FileName,
    /// The period that its header names.
    pub(super) keep_at_creation: Duration,
    /// The period that holds: the longer of the header's and the plan's.
    pub(super) keep: Duration,
    /// When its last possible line ends, and with it the file. Never before the day is over.
    pub(super) deletion: Timestamp,
    pub(super) salt: u32,
    index: RwLock<Index>,
    /// Takes no more frames.
    closed: AtomicBool,
    /// Its time was over: a reader that misses it has lost nothing.
    expired: AtomicBool,
}

/// What a file holds. Frames are only ever added, so a reader may remember how many it saw.
#[derive(Default)]
pub(super) struct Index {
    pub(super) frames: Vec<FrameMeta>,
    /// Bytes on disk.
    pub(super) bytes: u64,
    /// Bytes of the good frames before compression.
    pub(super) raw_bytes: u64,
    /// Rows of the good frames.
    pub(super) lines: u64,
    /// Kept beside the frames, so that a query passes over a file without looking at them.
    pub(super) times: Option<(i64, i64)>,
    /// Damaged places, each at most one frame or one stretch where no frame was found.
    pub(super) damaged_frames: u64,
    pub(super) damaged_bytes: u64,
    pub(super) damaged_lines: u64,
}

impl Index {
    pub(super) fn add(&mut self, frame: FrameMeta) {
        self.raw_bytes += u64::from(frame.raw_len);
        self.lines += u64::from(frame.rows);
        let (min_at, max_at) = self.times.unwrap_or((frame.min_at, frame.max_at));
        self.times = Some((min_at.min(frame.min_at), max_at.max(frame.max_at)));
        self.frames.push(frame);
    }

    /// The earliest and latest time; of a file without readable frames, none.
    pub(super) fn times(&self) -> Option<(i64, i64)> {
        self.times.filter(|_| self.lines > 0)
    }
}

impl DayFile {
    pub(super) fn new(
        dir: &Path,
        header: &FileHeader,
        salt: u32,
        planned: Option<Duration>,
        index: Index,
    ) -> DayFile {
        let keep = planned.map_or(header.keep, |planned| planned.max(header.keep));
        DayFile {
            path: dir.join(header.name.to_string()),
            name: header.name,
            keep_at_creation: header.keep,
            keep,
            deletion: header.name.day.end().to_timestamp() + keep,
            salt,
            index: RwLock::new(index),
            closed: AtomicBool::new(header.name.sealed),
            expired: AtomicBool::new(false),
        }
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index
            .read()
            .expect("no code panics while it holds this lock")
    }

    pub(super) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index
            .write()
            .expect("no code panics while it holds this lock")
    }

    /// The frame with this number.
    pub(super) fn frame(&self, number: usize) -> FrameMeta {
        self.index().frames[number]
    }

    /// Notes that a frame turned out to be unreadable. Its bytes stay.
    pub(super) fn mark_damaged(&self, number: usize) {
        let mut index = self.index_mut();
        let frame = index.frames[number];
        if frame.damaged {
            return;
        }
        index.frames[number].damaged = true;
        index.lines -= u64::from(frame.rows);
        index.raw_bytes -= u64::from(frame.raw_len);
        index.damaged_frames += 1;
        index.damaged_bytes += frame.len();
        index.damaged_lines += u64::from(frame.rows);
    }

    pub(super) fn is_whole(&self) -> bool {
        self.index().damaged_frames == 0
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn expire(&self) {
        self.expired.store(true, Ordering::Release);
    }

    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Acquire)
    }

    /// The earliest time that is still readable at `now`: a line is readable until `at + keep`, and from then on is not.
    pub(super) fn readable_from(&self, now: Timestamp) -> i64 {
        readable_from(self.keep, now)
    }
}

/// The earliest line time that a period still covers at `now`.
pub(super) fn readable_from(keep: Duration, now: Timestamp) -> i64 {
    let keep = i64::try_from(keep.as_nanos()).unwrap_or(i64::MAX);
    LogTime::from(now)
        .as_nanos()
        .saturating_sub(keep)
        .saturating_add(1)
}

/// The resolution of periods on disk.
pub(super) fn millis(keep: Duration) -> u64 {
    u64::try_from(keep.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> FileHeader {
        FileHeader {
            class: "SECURITY".to_owned(),
            name: FileName::parse("2026-11-23.4-9.log").unwrap(),
            keep: Duration::from_hours(730 * 24),
            created: Timestamp::from_millis(1_795_416_030_000),
        }
    }

    #[test]
    fn one_changed_bit_costs_nothing() {
        let mut bytes = header().encode();
        let expect = FileHeader::decode(&bytes).unwrap();
        assert_eq!(expect.0, header());
        for bit in 0..HEADER_BYTES * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&bytes).unwrap(), expect);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn another_version_is_told_from_damage() {
        let mut bytes = header().encode();
        (bytes[8], bytes[COPY_BYTES + 8]) = (2, 2);
        assert_eq!(FileHeader::decode(&bytes), Err(HeaderError::OtherVersion));
        bytes[3] = 0;
        assert_eq!(FileHeader::decode(&bytes), Err(HeaderError::Unreadable));
        let whole = header().encode();
        for length in 0..HEADER_BYTES {
            assert_eq!(
                FileHeader::decode(&whole[..length]),
                Err(HeaderError::Unreadable)
            );
        }
    }

    #[test]
    fn names() {
        for text in [
            "2026-11-23.0.log",
            "2026-11-23.0-0.log",
            "2026-11-23.4-9.log",
        ] {
            assert_eq!(FileName::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "2026-11-23.00.log",
            "2026-11-23.9-4.log",
            "2026-11-23.log",
            "2026-11-23.+1.log",
            "a.0.log",
        ] {
            assert_eq!(FileName::parse(text), None, "{text}");
        }
        let name = |text| FileName::parse(text).unwrap();
        let sealed = name("2026-11-23.4-9.log");
        assert!(sealed.replaces(&name("2026-11-23.4.log")));
        assert!(sealed.replaces(&name("2026-11-23.5-9.log")));
        assert!(!sealed.replaces(&sealed));
        assert!(!sealed.replaces(&name("2026-11-23.3-9.log")));
        assert!(!sealed.replaces(&name("2026-11-24.5.log")));
        assert!(name("2026-11-23.4-4.log").replaces(&name("2026-11-23.4.log")));
    }

    #[test]
    fn trailers() {
        let mut bytes = trailer(4711);
        assert_eq!(parse_trailer(&bytes), Some(4711));
        bytes[7] ^= 1;
        assert_eq!(parse_trailer(&bytes), None);
        assert_eq!(parse_trailer(b""), None);
    }
}
