//! Immutable blocks: all samples of one span of time in one file.
//!
//! One file and not a directory of them: a block appears by one rename and leaves by one unlink, which also works on a
//! full disk. The file is header, chunks, index, footer. A chunk is one column with its checksum. Times are columns of
//! their own, stored once however many series share them; the index says which two columns make up a run of samples.

mod cache;
mod index;
mod reader;
mod writer;

pub(super) use cache::IndexCache;
pub(super) use reader::{Block, ReadOutcome};
pub(super) use writer::{BlockWriter, finish_block};

use super::codec::Reader;

/// What a block begins and ends with.
const MAGIC: &[u8; 8] = b"BELFRYBK";

/// Version of the block format.
const VERSION: u32 = 1;

/// Bytes of magic and version.
const HEADER_LEN: usize = 12;

/// Bytes of the footer.
const FOOTER_LEN: usize = 64;

/// Bytes of the checksum before each chunk.
const CHECKSUM_LEN: usize = 4;

/// The file name of a block.
pub(super) fn file_name(number: u64) -> String {
    format!("{number:08}.block")
}

/// The number in a block's file name.
pub(super) fn parse_file_name(name: &str) -> Option<u64> {
    name.strip_suffix(".block")?.parse().ok()
}

fn file_header() -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&VERSION.to_le_bytes());
    header
}

/// The end of a block: what is known of it without reading the rest.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) index_offset: u64,
    pub(super) index_len: u64,
    pub(super) index_checksum: u32,
    pub(super) series: u32,
    pub(super) samples: u64,
    pub(super) min: i64,
    pub(super) max: i64,
}

impl Footer {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_LEN);
        out.extend_from_slice(&self.index_offset.to_le_bytes());
        out.extend_from_slice(&self.index_len.to_le_bytes());
        out.extend_from_slice(&self.index_checksum.to_le_bytes());
        out.extend_from_slice(&self.series.to_le_bytes());
        out.extend_from_slice(&self.samples.to_le_bytes());
        out.extend_from_slice(&self.min.to_le_bytes());
        out.extend_from_slice(&self.max.to_le_bytes());
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
        out.extend_from_slice(MAGIC);
        debug_assert_eq!(out.len(), FOOTER_LEN);
        out
    }

    /// Reads a footer; `None` when its checksum or its sense is wrong.
    fn decode(bytes: &[u8], file_len: u64) -> Option<Footer> {
        let (content, end) = bytes.split_at_checked(FOOTER_LEN - 12)?;
        let mut end = Reader::new(end);
        if end.u32()? != crc32fast::hash(content) || end.take(8)? != MAGIC || !end.is_at_end() {
            return None;
        }
        let mut reader = Reader::new(content);
        let footer = Footer {
            index_offset: reader.u64()?,
            index_len: reader.u64()?,
            index_checksum: reader.u32()?,
            series: reader.u32()?,
            samples: reader.u64()?,
            min: reader.u64()? as i64,
            max: reader.u64()? as i64,
        };
        let version = reader.u32()?;
        let index_end = footer.index_offset.checked_add(footer.index_len)?;
        let fits = index_end.checked_add(FOOTER_LEN as u64)? == file_len;
        (version == VERSION && fits && footer.min <= footer.max).then_some(footer)
    }
}
