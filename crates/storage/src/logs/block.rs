//! Rows as bytes: the inside of a frame, before compression. This is the seam at which a columnar form replaces the present
//! one; nothing outside this file knows how a row looks.
//!
//! Times, levels and lengths stand together in front, the texts behind: a reader can skip rows by time and level without
//! touching their texts, and like compresses with like. A row's text part is self-contained, so that sealing copies it without
//! decoding.

use std::ops::Range;

use model::{Level, LogEntry, LogTime};

/// The bytes are not what a block looks like.
#[derive(Debug)]
pub(super) struct Malformed;

/// Collects rows for one frame.
#[derive(Default)]
pub(super) struct BlockBuilder {
    rows: Vec<(i64, u8, u32)>,
    bodies: Vec<u8>,
}

impl BlockBuilder {
    pub(super) fn push(&mut self, entry: &LogEntry) {
        let start = self.bodies.len();
        encode_body(&mut self.bodies, entry);
        self.end_row(entry.at.as_nanos(), level_code(entry.level), start);
    }

    /// Copies a row of another block.
    pub(super) fn push_row(&mut self, block: &Block, row: &Row) {
        let start = self.bodies.len();
        self.bodies
            .extend_from_slice(&block.bytes[row.body.start as usize..row.body.end as usize]);
        self.end_row(row.at, row.level, start);
    }

    fn end_row(&mut self, at: i64, level: u8, start: usize) {
        let length = u32::try_from(self.bodies.len() - start).expect("a line is at most 8 MiB");
        self.rows.push((at, level, length));
    }

    /// About how long the block will be.
    pub(super) fn raw_len(&self) -> usize {
        self.bodies.len() + self.rows.len() * 8
    }

    pub(super) fn rows(&self) -> u32 {
        u32::try_from(self.rows.len()).expect("blocks are cut at a few MiB")
    }

    pub(super) fn levels(&self) -> u8 {
        self.rows.iter().fold(0, |all, row| all | 1 << row.1)
    }

    /// The earliest and latest time; of no rows, (0, 0).
    pub(super) fn times(&self) -> (i64, i64) {
        let times = || self.rows.iter().map(|row| row.0);
        (
            times().min().unwrap_or_default(),
            times().max().unwrap_or_default(),
        )
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw_len() + 16);
        let mut before = 0i64;
        for (at, _, _) in &self.rows {
            put_varint(&mut out, zigzag(at.wrapping_sub(before)));
            before = *at;
        }
        out.extend(self.rows.iter().map(|row| row.1));
        for (_, _, length) in &self.rows {
            put_varint(&mut out, u64::from(*length));
        }
        out.extend_from_slice(&self.bodies);
        out
    }
}

/// A block in memory: its bytes and where its rows are.
pub(super) struct Block {
    bytes: Vec<u8>,
    pub(super) rows: Vec<Row>,
}

/// A row that is not decoded yet.
pub(super) struct Row {
    pub(super) at: i64,
    level: u8,
    body: Range<u32>,
}

impl Row {
    pub(super) fn level(&self) -> Level {
        Level::ALL[usize::from(self.level)]
    }
}

impl Block {
    pub(super) fn parse(bytes: Vec<u8>, rows: u32) -> Result<Block, Malformed> {
        let count = rows as usize;
        // Each row takes at least three bytes before its body: never allocate for more than can be there.
        if count > bytes.len() / 3 || u32::try_from(bytes.len()).is_err() {
            return Err(Malformed);
        }
        let mut input = Input(&bytes);
        let mut times = Vec::with_capacity(count);
        let mut at = 0i64;
        for _ in 0..count {
            at = at.wrapping_add(unzigzag(input.varint()?));
            times.push(at);
        }
        let levels = input.take(count)?;
        if levels.iter().any(|level| *level > 3) {
            return Err(Malformed);
        }
        let mut lengths = Vec::with_capacity(count);
        for _ in 0..count {
            lengths.push(input.varint()?);
        }
        let mut start = (bytes.len() - input.0.len()) as u64;
        let mut found = Vec::with_capacity(count);
        for ((at, level), length) in times.into_iter().zip(levels).zip(lengths) {
            let end = start.checked_add(length).ok_or(Malformed)?;
            if end > bytes.len() as u64 {
                return Err(Malformed);
            }
            found.push(Row {
                at,
                level: *level,
                body: start as u32..end as u32,
            });
            start = end;
        }
        if start != bytes.len() as u64 {
            return Err(Malformed);
        }
        Ok(Block { bytes, rows: found })
    }

    pub(super) fn entry(&self, row: &Row) -> Result<LogEntry, Malformed> {
        let mut input = Input(&self.bytes[row.body.start as usize..row.body.end as usize]);
        let service = input.text()?;
        let category = match input.varint()? {
            0 => None,
            longer => Some(input.text_of(longer - 1)?),
        };
        let message = input.text()?;
        let count = input.varint()?;
        if count > input.0.len() as u64 / 2 {
            return Err(Malformed);
        }
        let mut fields = Vec::with_capacity(count as usize);
        for _ in 0..count {
            fields.push((input.text()?, input.text()?));
        }
        if !input.0.is_empty() {
            return Err(Malformed);
        }
        Ok(LogEntry {
            at: LogTime::from_nanos(row.at),
            level: row.level(),
            category,
            service,
            message,
            fields,
        })
    }
}

/// The length of a line as `Options::line_bytes_max` counts it.
pub(super) fn line_bytes(entry: &LogEntry) -> usize {
    let fields: usize = entry
        .fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    entry.category.as_ref().map_or(0, String::len)
        + entry.service.len()
        + entry.message.len()
        + fields
}

/// A set of levels, one bit each, as frames carry it.
pub(super) fn level_bits(levels: &[Level]) -> u8 {
    levels
        .iter()
        .fold(0, |all, level| all | 1 << level_code(*level))
}

fn level_code(level: Level) -> u8 {
    match level {
        Level::Debug => 0,
        Level::Info => 1,
        Level::Warn => 2,
        Level::Error => 3,
    }
}

fn encode_body(out: &mut Vec<u8>, entry: &LogEntry) {
    put_text(out, &entry.service);
    match &entry.category {
        None => put_varint(out, 0),
        Some(category) => {
            put_varint(out, category.len() as u64 + 1);
            out.extend_from_slice(category.as_bytes());
        }
    }
    put_text(out, &entry.message);
    put_varint(out, entry.fields.len() as u64);
    for (name, value) in &entry.fields {
        put_text(out, name);
        put_text(out, value);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let length = self.varint()?;
        self.text_of(length)
    }

    fn text_of(&mut self, length: u64) -> Result<String, Malformed> {
        let bytes = self.take(usize::try_from(length).map_err(|_| Malformed)?)?;
        Ok(std::str::from_utf8(bytes)
            .map_err(|_| Malformed)?
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Vec<LogEntry>> {
        let entry = (
            any::<i64>(),
            0usize..4,
            proptest::option::of(any::<String>()),
            any::<String>(),
            any::<String>(),
            proptest::collection::vec((any::<String>(), any::<String>()), 0..4),
        );
        let entry = entry.prop_map(|(at, level, category, service, message, fields)| LogEntry {
            at: LogTime::from_nanos(at),
            level: Level::ALL[level],
            category,
            service,
            message,
            fields,
        });
        proptest::collection::vec(entry, 0..20)
    }

    proptest! {
        #[test]
        fn blocks_round_trip(entries in entries()) {
            let mut builder = BlockBuilder::default();
            entries.iter().for_each(|entry| builder.push(entry));
            let block = Block::parse(builder.to_bytes(), builder.rows()).unwrap();
            let mut copy = BlockBuilder::default();
            block.rows.iter().for_each(|row| copy.push_row(&block, row));
            prop_assert_eq!(copy.to_bytes(), builder.to_bytes());
            let back: Vec<_> = block.rows.iter().map(|row| block.entry(row).unwrap()).collect();
            prop_assert_eq!(back, entries);
        }

        #[test]
        fn any_bytes_are_no_panic(bytes: Vec<u8>, rows in 0u32..64) {
            if let Ok(block) = Block::parse(bytes, rows) {
                for row in &block.rows {
                    let _ = block.entry(row);
                }
            }
        }
    }
}
