//! Finding the frames of a file: by its index where it has a whole one, else from frame to frame, over whatever is damaged.

use std::io;
use std::path::Path;

use world::Disk;

use super::day_file::{HEADER_BYTES, TRAILER_BYTES, parse_trailer};
use super::frame::{self, FrameMeta, Kind, ReadError};

/// What stands in a file, frame by frame.
pub(super) struct Walk {
    /// The whole frames.
    pub(super) frames: Vec<FrameMeta>,
    pub(super) damage: Vec<Place>,
    /// Where an incomplete last write begins; the end of the file if there is none.
    pub(super) end: u64,
}

/// A stretch that cannot be read.
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) lines: Option<u32>,
}

impl Walk {
    /// Reads every payload that an index names, and takes out those that are damaged.
    pub(super) fn verify(&mut self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
        for frame in std::mem::take(&mut self.frames) {
            match frame.read(disk, path) {
                Ok(_) => self.frames.push(frame),
                Err(ReadError::Io(error)) => return Err(error),
                Err(ReadError::Damaged) => self.damage.push(Place {
                    offset: frame.offset,
                    bytes: frame.len(),
                    lines: Some(frame.rows),
                }),
            }
        }
        Ok(())
    }
}

/// Goes from frame to frame. A wrong payload is stepped over by its length, which has a checksum of its own; behind a wrong
/// header the next right one is looked for.
///
/// Only the end of a write is a torn tail: less than a header, a good header whose payload goes beyond the end of the file, or
/// nothing but zeros. A wrong header with more behind it is damage, and damage is never cut.
pub(super) fn walk(bytes: &[u8], salt: u32) -> Walk {
    let mut found = Walk {
        frames: Vec::new(),
        damage: Vec::new(),
        end: bytes.len() as u64,
    };
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let offset = at as u64;
        if let Some(frame) = FrameMeta::parse(rest, offset, Kind::Rows, salt) {
            if frame.end() > bytes.len() as u64 {
                found.end = offset;
                break;
            }
            let length = usize::try_from(frame.len()).expect("it is within the bytes");
            if frame.is_whole(&rest[frame::HEADER_BYTES..length]) {
                found.frames.push(frame);
            } else {
                found.damage.push(Place {
                    offset,
                    bytes: frame.len(),
                    lines: Some(frame.rows),
                });
            }
            at += length;
        } else if FrameMeta::parse(rest, offset, Kind::Index, salt).is_some() {
            break;
        } else if rest.len() < frame::HEADER_BYTES || rest.iter().all(|byte| *byte == 0) {
            found.end = offset;
            break;
        } else {
            let next = next_frame(bytes, at + 1, salt).unwrap_or(bytes.len());
            found.damage.push(Place {
                offset,
                bytes: (next - at) as u64,
                lines: None,
            });
            at = next;
        }
    }
    found
}

fn next_frame(bytes: &[u8], from: usize, salt: u32) -> Option<usize> {
    let is_frame = |at: &usize| {
        let rest = &bytes[*at..];
        let found = |kind| FrameMeta::parse(rest, *at as u64, kind, salt).is_some();
        found(Kind::Rows) || found(Kind::Index)
    };
    (from..bytes.len()).find(is_frame)
}

/// The index at the end of a sealed file, if all of it is whole and the frames lie side by side.
pub(super) fn read_index(
    disk: &dyn Disk,
    path: &Path,
    length: u64,
    salt: u32,
) -> io::Result<Option<Vec<FrameMeta>>> {
    let Some(trailer_at) = length.checked_sub(TRAILER_BYTES as u64) else {
        return Ok(None);
    };
    let trailer = disk.read_at(path, trailer_at, TRAILER_BYTES)?;
    let Some(index_at) = parse_trailer(&trailer) else {
        return Ok(None);
    };
    let header = disk.read_at(path, index_at, frame::HEADER_BYTES)?;
    let Some(index) = FrameMeta::parse(&header, index_at, Kind::Index, salt) else {
        return Ok(None);
    };
    let frames = match index.read_index(disk, path) {
        Ok(frames) => frames,
        Err(ReadError::Damaged) => return Ok(None),
        Err(ReadError::Io(error)) => return Err(error),
    };
    let mut at = HEADER_BYTES as u64;
    for frame in &frames {
        if frame.offset != at {
            return Ok(None);
        }
        at = frame.end();
    }
    Ok((at == index_at && index.end() == trailer_at).then_some(frames))
}
