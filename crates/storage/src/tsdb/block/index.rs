//! The index of a block: label texts, time columns, and per series its labels and chunks.
//!
//! Posting lists are not stored: building them while the index is read costs about as much as reading them would, and
//! there is less to get wrong on disk. In memory, texts are held once and series are pairs of numbers into them.

use std::collections::BTreeMap;

use model::Labels;

use crate::tsdb::codec::{CHUNK_SAMPLES_MAX, Reader, put_signed, put_text, put_varint};
use crate::tsdb::postings::LabelIndex;

/// Where bytes of the file are, checksum included.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tsdb) struct Extent {
    pub(in crate::tsdb) offset: u64,
    pub(in crate::tsdb) len: u32,
}

/// A column of times.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::tsdb) struct TimeColumn {
    pub(in crate::tsdb) extent: Extent,
    pub(in crate::tsdb) count: u32,
    pub(in crate::tsdb) min: i64,
    pub(in crate::tsdb) max: i64,
}

/// A run of samples: a column of times by number, and a column of values of the same length.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::tsdb) struct ChunkEntry {
    pub(in crate::tsdb) times: u32,
    pub(in crate::tsdb) values: Extent,
}

/// Collects the index while a block is written.
#[derive(Default)]
pub(super) struct IndexBuilder {
    symbols: BTreeMap<Box<str>, u32>,
    columns: Vec<TimeColumn>,
    series: Vec<SeriesEntry>,
}

/// A series of the index being collected: label pairs as numbers of texts, and chunks.
struct SeriesEntry {
    pairs: Vec<(u32, u32)>,
    chunks: Vec<ChunkEntry>,
}

impl IndexBuilder {
    /// Adds a column of times and answers its number.
    pub(super) fn add_column(&mut self, column: TimeColumn) -> u32 {
        self.columns.push(column);
        (self.columns.len() - 1) as u32
    }

    /// Adds a series; series come in order of their labels.
    pub(super) fn add_series(&mut self, labels: &Labels, chunks: Vec<ChunkEntry>) {
        let pairs = labels
            .iter()
            .map(|(name, value)| (self.symbol(name), self.symbol(value)))
            .collect();
        self.series.push(SeriesEntry { pairs, chunks });
    }

    /// How many series there are.
    pub(super) fn series_count(&self) -> usize {
        self.series.len()
    }

    fn symbol(&mut self, text: &str) -> u32 {
        if let Some(number) = self.symbols.get(text) {
            return *number;
        }
        let number = self.symbols.len() as u32;
        self.symbols.insert(Box::from(text), number);
        number
    }

    /// The bytes of the index. Texts get their final numbers, in order of text, only now that all are known.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut final_number = vec![0u32; self.symbols.len()];
        put_varint(&mut out, self.symbols.len() as u64);
        for (position, (text, number)) in self.symbols.iter().enumerate() {
            put_text(&mut out, text);
            final_number[*number as usize] = position as u32;
        }
        put_varint(&mut out, self.columns.len() as u64);
        for column in &self.columns {
            put_varint(&mut out, column.extent.offset);
            put_varint(&mut out, u64::from(column.extent.len));
            put_varint(&mut out, u64::from(column.count));
            put_signed(&mut out, column.min);
            put_varint(&mut out, column.max.wrapping_sub(column.min) as u64);
        }
        put_varint(&mut out, self.series.len() as u64);
        let mut offset_before = 0u64;
        for SeriesEntry { pairs, chunks } in &self.series {
            put_varint(&mut out, pairs.len() as u64);
            for (name, value) in pairs {
                put_varint(&mut out, u64::from(final_number[*name as usize]));
                put_varint(&mut out, u64::from(final_number[*value as usize]));
            }
            put_varint(&mut out, chunks.len() as u64);
            for chunk in chunks {
                put_varint(&mut out, u64::from(chunk.times));
                // Chunks lie in the order of the index, so differences are about a chunk long.
                put_varint(&mut out, chunk.values.offset - offset_before);
                put_varint(&mut out, u64::from(chunk.values.len));
                offset_before = chunk.values.offset;
            }
        }
        out
    }
}

/// An index in memory.
pub(in crate::tsdb) struct Index {
    symbols: Vec<Box<str>>,
    columns: Vec<TimeColumn>,
    /// Label pairs of all series, one after another; `starts` says where each series begins in `pairs` and `chunks`.
    pairs: Vec<(u32, u32)>,
    chunks: Vec<ChunkEntry>,
    starts: Vec<(u32, u32)>,
    postings: BTreeMap<u32, BTreeMap<u32, Vec<u32>>>,
    bytes: usize,
}

impl Index {
    /// Reads an index whose checksum was right; `data_end` is where chunks end. `None`: it makes no sense.
    pub(super) fn decode(bytes: &[u8], data_end: u64) -> Option<Index> {
        let mut reader = Reader::new(bytes);
        let symbols = read_symbols(&mut reader)?;
        let columns = read_columns(&mut reader, data_end)?;
        let mut index = Index {
            symbols,
            columns,
            pairs: Vec::new(),
            chunks: Vec::new(),
            starts: vec![(0, 0)],
            postings: BTreeMap::new(),
            bytes: 0,
        };
        let series_count = reader.size()?;
        let mut offset = 0u64;
        for series in 0..series_count {
            index.read_series(
                &mut reader,
                u32::try_from(series).ok()?,
                &mut offset,
                data_end,
            )?;
        }
        index.bytes = index.estimate_bytes();
        reader.is_at_end().then_some(index)
    }

    fn read_series(
        &mut self,
        reader: &mut Reader<'_>,
        series: u32,
        offset: &mut u64,
        data_end: u64,
    ) -> Option<()> {
        for _ in 0..reader.varint()? {
            let (name, value) = (self.read_symbol(reader)?, self.read_symbol(reader)?);
            self.pairs.push((name, value));
            self.postings
                .entry(name)
                .or_default()
                .entry(value)
                .or_default()
                .push(series);
        }
        for _ in 0..reader.varint()? {
            let times = u32::try_from(reader.varint()?).ok()?;
            self.columns.get(times as usize)?;
            *offset = offset.checked_add(reader.varint()?)?;
            let values = extent(*offset, reader.varint()?, data_end)?;
            self.chunks.push(ChunkEntry { times, values });
        }
        self.starts.push((
            u32::try_from(self.pairs.len()).ok()?,
            u32::try_from(self.chunks.len()).ok()?,
        ));
        Some(())
    }

    fn read_symbol(&self, reader: &mut Reader<'_>) -> Option<u32> {
        let symbol = u32::try_from(reader.varint()?).ok()?;
        self.symbols.get(symbol as usize)?;
        Some(symbol)
    }

    fn estimate_bytes(&self) -> usize {
        let texts: usize = self.symbols.iter().map(|text| text.len() + 16).sum();
        // Each pair stands once in `pairs` (8 bytes) and once in a posting list (4, with slack 8).
        texts
            + self.columns.len() * 32
            + self.pairs.len() * 16
            + self.chunks.len() * 24
            + self.starts.len() * 8
    }

    /// About how much memory this takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many series there are.
    pub(super) fn series_count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The labels of a series.
    pub(in crate::tsdb) fn labels(&self, series: u32) -> Labels {
        let series = series as usize;
        let pairs = &self.pairs[self.starts[series].0 as usize..self.starts[series + 1].0 as usize];
        Labels::from_pairs(pairs.iter().map(|(name, value)| {
            (
                &*self.symbols[*name as usize],
                &*self.symbols[*value as usize],
            )
        }))
    }

    /// The chunks of a series, in order of time.
    pub(in crate::tsdb) fn chunks(&self, series: u32) -> &[ChunkEntry] {
        let series = series as usize;
        &self.chunks[self.starts[series].1 as usize..self.starts[series + 1].1 as usize]
    }

    /// A column of times by number.
    pub(in crate::tsdb) fn column(&self, number: u32) -> TimeColumn {
        self.columns[number as usize]
    }

    /// Whether a series has a chunk that touches a range.
    pub(in crate::tsdb) fn overlaps(&self, series: u32, from: i64, to: i64) -> bool {
        self.chunks(series).iter().any(|chunk| {
            let column = self.column(chunk.times);
            column.max >= from && column.min <= to
        })
    }

    fn symbol_of(&self, text: &str) -> Option<u32> {
        let position = self
            .symbols
            .binary_search_by(|symbol| (**symbol).cmp(text))
            .ok()?;
        Some(position as u32)
    }
}

impl LabelIndex for Index {
    fn all(&self) -> Vec<u32> {
        (0..self.series_count() as u32).collect()
    }

    fn having(&self, name: &str, value: &str) -> &[u32] {
        let having = (|| {
            self.postings
                .get(&self.symbol_of(name)?)?
                .get(&self.symbol_of(value)?)
        })();
        having.map_or(&[], Vec::as_slice)
    }

    fn each_value(&self, name: &str, visit: &mut dyn FnMut(&str, &[u32])) {
        let values = self
            .symbol_of(name)
            .and_then(|name| self.postings.get(&name));
        for (value, having) in values.into_iter().flatten() {
            visit(&self.symbols[*value as usize], having);
        }
    }
}

fn read_symbols(reader: &mut Reader<'_>) -> Option<Vec<Box<str>>> {
    let count = reader.size()?;
    let mut symbols: Vec<Box<str>> = Vec::with_capacity(count.min(reader.left()));
    for _ in 0..count {
        let text = reader.text()?;
        // Look-ups search by halves.
        if symbols.last().is_some_and(|before| **before >= *text) {
            return None;
        }
        symbols.push(Box::from(text));
    }
    Some(symbols)
}

fn read_columns(reader: &mut Reader<'_>, data_end: u64) -> Option<Vec<TimeColumn>> {
    let count = reader.size()?;
    let mut columns = Vec::with_capacity(count.min(reader.left()));
    for _ in 0..count {
        let extent = extent(reader.varint()?, reader.varint()?, data_end)?;
        let count = u32::try_from(reader.varint()?).ok()?;
        let min = reader.signed()?;
        let max = min.wrapping_add(reader.varint()? as i64);
        if count == 0 || count as usize > CHUNK_SAMPLES_MAX || max < min {
            return None;
        }
        columns.push(TimeColumn {
            extent,
            count,
            min,
            max,
        });
    }
    Some(columns)
}

fn extent(offset: u64, len: u64, data_end: u64) -> Option<Extent> {
    let fits = offset.checked_add(len)? <= data_end;
    fits.then_some(Extent {
        offset,
        len: u32::try_from(len).ok()?,
    })
}
