//! A frame: one block, compressed, behind a header that says what is in it and proves that it is whole.
//!
//! The header has a checksum of its own, because the length in it decides where the next frame begins: a damaged payload
//! then costs one frame and not the rest of the file. The checksum is salted with the file's own and the header holds
//! its own position, so that bytes inside a log line, or of another file, are not taken for a frame when a reader looks for
//! the next good one.

use std::io;
use std::path::Path;

use world::Disk;

use super::block::{Block, BlockBuilder};

/// The bytes in front of a payload.
pub(super) const HEADER_BYTES: usize = 52;
/// The part of the header that also stands in a sealed file's index.
pub(super) const RECORD_BYTES: usize = 48;
/// No frame is longer, compressed or not; what claims to be is damage. (The longest line is 8 MiB, blocks are cut at 4.)
const PAYLOAD_BYTES_MAX: u32 = 32 << 20;
/// zstd's fastest ordinary level: measured, level 3 gave no smaller files on log lines and took longer.
const ZSTD_LEVEL: i32 = 1;

/// What a frame holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Rows.
    Rows,
    /// The index of a sealed file.
    Index,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Codec {
    Raw,
    Zstd,
}

/// What is known of a frame without reading it: the index in memory is a list of these.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct FrameMeta {
    pub(super) offset: u64,
    pub(super) min_at: i64,
    pub(super) max_at: i64,
    payload_len: u32,
    payload_crc: u32,
    pub(super) raw_len: u32,
    pub(super) rows: u32,
    codec: Codec,
    pub(super) levels: u8,
    /// Found unreadable after the file was opened; not on disk.
    pub(super) damaged: bool,
}

/// A frame that has no place yet.
pub(super) struct Packed {
    meta: FrameMeta,
    payload: Vec<u8>,
}

/// Why a frame could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The disk said so; another try may succeed.
    Io(io::Error),
    /// The bytes are wrong.
    Damaged,
}

impl Packed {
    pub(super) fn rows(builder: &BlockBuilder) -> Packed {
        let (min_at, max_at) = builder.times();
        let mut packed = Packed::bytes(builder.to_bytes(), builder.rows());
        packed.meta.levels = builder.levels();
        packed.meta.min_at = min_at;
        packed.meta.max_at = max_at;
        packed
    }

    pub(super) fn index(frames: &[FrameMeta]) -> Packed {
        let bytes = frames
            .iter()
            .flat_map(|frame| frame.record(Kind::Rows))
            .collect();
        Packed::bytes(
            bytes,
            u32::try_from(frames.len()).expect("files are cut long before"),
        )
    }

    fn bytes(raw: Vec<u8>, rows: u32) -> Packed {
        let raw_len = u32::try_from(raw.len()).expect("blocks are cut at a few MiB");
        let (codec, payload) = match zstd::bulk::compress(&raw, ZSTD_LEVEL) {
            Ok(smaller) if smaller.len() < raw.len() => (Codec::Zstd, smaller),
            Ok(_) | Err(_) => (Codec::Raw, raw),
        };
        let meta = FrameMeta {
            offset: 0,
            min_at: 0,
            max_at: 0,
            payload_len: payload.len() as u32,
            payload_crc: crc32fast::hash(&payload),
            raw_len,
            rows,
            codec,
            levels: 0,
            damaged: false,
        };
        Packed { meta, payload }
    }

    pub(super) fn len(&self) -> u64 {
        self.meta.len()
    }

    /// Writes the frame at the end of `out`, whose first byte stands at `base` in the file.
    pub(super) fn place(&self, out: &mut Vec<u8>, base: u64, kind: Kind, salt: u32) -> FrameMeta {
        let meta = FrameMeta {
            offset: base + out.len() as u64,
            ..self.meta
        };
        let record = meta.record(kind);
        out.extend_from_slice(&record);
        out.extend_from_slice(&header_crc(&record, salt).to_le_bytes());
        out.extend_from_slice(&self.payload);
        meta
    }
}

impl FrameMeta {
    /// All its bytes.
    pub(super) fn len(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.payload_len)
    }

    /// The first byte after it.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.len())
    }

    fn record(&self, kind: Kind) -> [u8; RECORD_BYTES] {
        let mut out = [0; RECORD_BYTES];
        out[0..4].copy_from_slice(magic(kind));
        out[4..8].copy_from_slice(&self.payload_len.to_le_bytes());
        out[8..12].copy_from_slice(&self.payload_crc.to_le_bytes());
        out[12] = match self.codec {
            Codec::Raw => 0,
            Codec::Zstd => 1,
        };
        out[13] = self.levels;
        out[16..20].copy_from_slice(&self.rows.to_le_bytes());
        out[20..24].copy_from_slice(&self.raw_len.to_le_bytes());
        out[24..32].copy_from_slice(&self.min_at.to_le_bytes());
        out[32..40].copy_from_slice(&self.max_at.to_le_bytes());
        out[40..48].copy_from_slice(&self.offset.to_le_bytes());
        out
    }

    fn from_record(bytes: &[u8], kind: Kind) -> Option<FrameMeta> {
        let u32_at = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        if !bytes.starts_with(magic(kind)) {
            return None;
        }
        let meta = FrameMeta {
            offset: u64_at(40)?,
            min_at: u64_at(24)? as i64,
            max_at: u64_at(32)? as i64,
            payload_len: u32_at(4)?,
            payload_crc: u32_at(8)?,
            raw_len: u32_at(20)?,
            rows: u32_at(16)?,
            codec: match bytes.get(12)? {
                0 => Codec::Raw,
                1 => Codec::Zstd,
                _ => return None,
            },
            levels: *bytes.get(13)?,
            damaged: false,
        };
        let plausible = meta.payload_len <= PAYLOAD_BYTES_MAX
            && meta.raw_len <= PAYLOAD_BYTES_MAX
            && meta.levels < 16
            && meta.min_at <= meta.max_at;
        plausible.then_some(meta)
    }

    /// The header at the start of `bytes`, which stand at `offset` in the file; `None` unless every check holds.
    pub(super) fn parse(bytes: &[u8], offset: u64, kind: Kind, salt: u32) -> Option<FrameMeta> {
        let header = bytes.get(..HEADER_BYTES)?;
        let (record, crc) = header.split_at(RECORD_BYTES);
        let meta = FrameMeta::from_record(record, kind)?;
        let whole = header_crc(record, salt).to_le_bytes() == *crc;
        (whole && meta.offset == offset).then_some(meta)
    }

    /// Reads the rows.
    pub(super) fn read(&self, disk: &dyn Disk, path: &Path) -> Result<Block, ReadError> {
        let raw = self.payload(disk, path)?;
        Block::parse(raw, self.rows).map_err(|_| ReadError::Damaged)
    }

    /// Reads the list in an index frame.
    pub(super) fn read_index(
        &self,
        disk: &dyn Disk,
        path: &Path,
    ) -> Result<Vec<FrameMeta>, ReadError> {
        let raw = self.payload(disk, path)?;
        if raw.len() != self.rows as usize * RECORD_BYTES {
            return Err(ReadError::Damaged);
        }
        raw.chunks_exact(RECORD_BYTES)
            .map(|record| FrameMeta::from_record(record, Kind::Rows).ok_or(ReadError::Damaged))
            .collect()
    }

    fn payload(&self, disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, ReadError> {
        let bytes = disk
            .read_at(
                path,
                self.offset + HEADER_BYTES as u64,
                self.payload_len as usize,
            )
            .map_err(ReadError::Io)?;
        self.unpack(bytes)
    }

    /// Whether the payload in memory is whole.
    pub(super) fn is_whole(&self, payload: &[u8]) -> bool {
        payload.len() == self.payload_len as usize && crc32fast::hash(payload) == self.payload_crc
    }

    fn unpack(&self, payload: Vec<u8>) -> Result<Vec<u8>, ReadError> {
        if !self.is_whole(&payload) {
            return Err(ReadError::Damaged);
        }
        let raw = match self.codec {
            Codec::Raw => payload,
            Codec::Zstd => zstd::bulk::decompress(&payload, self.raw_len as usize)
                .map_err(|_| ReadError::Damaged)?,
        };
        if raw.len() == self.raw_len as usize {
            Ok(raw)
        } else {
            Err(ReadError::Damaged)
        }
    }
}

fn magic(kind: Kind) -> &'static [u8; 4] {
    match kind {
        Kind::Rows => b"rows",
        Kind::Index => b"indx",
    }
}

fn header_crc(record: &[u8], salt: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(record);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_any_bit_changed_is_none() {
        let mut bytes = Vec::new();
        let packed = Packed::bytes(b"some payload".to_vec(), 3);
        let meta = packed.place(&mut bytes, 7, Kind::Rows, 11);
        assert_eq!(FrameMeta::parse(&bytes, 7, Kind::Rows, 11), Some(meta));
        assert_eq!(
            FrameMeta::parse(&bytes, 8, Kind::Rows, 11),
            None,
            "another place"
        );
        assert_eq!(
            FrameMeta::parse(&bytes, 7, Kind::Rows, 12),
            None,
            "another file"
        );
        assert_eq!(
            FrameMeta::parse(&bytes, 7, Kind::Index, 11),
            None,
            "another kind"
        );
        for bit in 0..HEADER_BYTES * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                FrameMeta::parse(&bytes, 7, Kind::Rows, 11),
                None,
                "bit {bit}"
            );
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn the_index_in_memory_stays_small() {
        assert!(size_of::<FrameMeta>() <= 48);
    }
}
