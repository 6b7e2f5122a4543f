//! What a log record says: definitions of series, then samples, either as rows of one scrape or as columns of one series.
//!
//! Within a segment a series goes by a number, defined by the first record that uses it. Numbers are explicit, never
//! counted, so that a lost record cannot shift the meaning of a later one.

use model::Labels;

use crate::tsdb::codec::{self, CHUNK_SAMPLES_MAX, Reader, put_signed, put_text, put_varint};

/// Samples as they were appended: grouped by time.
const BATCH: u8 = 1;
/// Samples as the head holds them: a run of one series after another.
const RUNS: u8 = 2;

/// Marks a value that is written as its eight bytes; whole numbers are even.
const RAW_VALUE: u64 = 1;

/// Whole numbers up to this magnitude are written as such.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A decoded record.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record {
    /// Numbers that get a meaning (or a new one) from here on.
    pub(super) definitions: Vec<(u32, Labels)>,
    /// Samples by series number, in the order of the record.
    pub(super) samples: Vec<(u32, i64, f64)>,
}

/// Codes an append batch; `definitions` are the series that the segment does not know yet.
pub(in crate::tsdb) fn encode_batch(
    definitions: &[(u32, Labels)],
    samples: &[(u32, i64, f64)],
) -> Vec<u8> {
    let mut out = vec![BATCH];
    put_definitions(&mut out, definitions);
    let groups: Vec<&[(u32, i64, f64)]> =
        samples.chunk_by(|left, right| left.1 == right.1).collect();
    put_varint(&mut out, groups.len() as u64);
    let mut time_before = 0i64;
    for group in groups {
        put_signed(&mut out, group[0].1.wrapping_sub(time_before));
        time_before = group[0].1;
        put_varint(&mut out, group.len() as u64);
        let mut series_before = 0i64;
        for (series, _, value) in group {
            put_signed(&mut out, i64::from(*series) - series_before);
            series_before = i64::from(*series);
            put_value(&mut out, *value);
        }
    }
    out
}

fn put_definitions(out: &mut Vec<u8>, definitions: &[(u32, Labels)]) {
    put_varint(out, definitions.len() as u64);
    for (series, labels) in definitions {
        put_varint(out, u64::from(*series));
        put_varint(out, labels.len() as u64);
        for (name, value) in labels.iter() {
            put_text(out, name);
            put_text(out, value);
        }
    }
}

fn put_value(out: &mut Vec<u8>, value: f64) {
    let whole = value as i64;
    let is_whole = value.abs() <= WHOLE_MAX && (whole as f64).to_bits() == value.to_bits();
    if is_whole {
        // Zigzag, then a free lowest bit for the mark of raw values.
        put_varint(out, (((whole << 1) ^ (whole >> 63)) as u64) << 1);
    } else {
        put_varint(out, RAW_VALUE);
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    }
}

/// Collects runs of samples, series by series, into one record: for checkpoints and for what a full disk left unwritten.
pub(in crate::tsdb) struct RunsRecord {
    definitions: Vec<(u32, Labels)>,
    runs: Vec<u8>,
    run_count: u64,
    /// Length and bytes of the times last written: a steady column codes alike at any length.
    times_before: (usize, Vec<u8>),
}

impl RunsRecord {
    /// A record without runs.
    pub(in crate::tsdb) fn new() -> RunsRecord {
        RunsRecord {
            definitions: Vec::new(),
            runs: Vec::new(),
            run_count: 0,
            times_before: (0, Vec::new()),
        }
    }

    /// Defines a series; its runs follow.
    pub(in crate::tsdb) fn define(&mut self, series: u32, labels: &Labels) {
        self.definitions.push((series, labels.clone()));
    }

    /// Adds samples of a series.
    pub(in crate::tsdb) fn push(&mut self, series: u32, times: &[i64], values: &[f64]) {
        for (times, values) in times
            .chunks(CHUNK_SAMPLES_MAX)
            .zip(values.chunks(CHUNK_SAMPLES_MAX))
        {
            put_varint(&mut self.runs, u64::from(series));
            put_varint(&mut self.runs, times.len() as u64);
            let coded_times = (times.len(), codec::encode_times(times));
            if coded_times == self.times_before {
                put_varint(&mut self.runs, 0);
            } else {
                put_varint(&mut self.runs, coded_times.1.len() as u64);
                self.runs.extend_from_slice(&coded_times.1);
                self.times_before = coded_times;
            }
            let coded_values = codec::encode_values(values);
            put_varint(&mut self.runs, coded_values.len() as u64);
            self.runs.extend_from_slice(&coded_values);
            self.run_count += 1;
        }
    }

    /// How many bytes the runs take so far.
    pub(in crate::tsdb) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there is nothing to write.
    pub(in crate::tsdb) fn is_empty(&self) -> bool {
        self.run_count == 0
    }

    /// The record's payload.
    pub(in crate::tsdb) fn finish(self) -> Vec<u8> {
        let mut out = vec![RUNS];
        put_definitions(&mut out, &self.definitions);
        put_varint(&mut out, self.run_count);
        out.extend_from_slice(&self.runs);
        out
    }
}

/// Reads a record; `None`: the payload is not one, though its checksum is right (a bug or a newer version).
pub(super) fn decode(payload: &[u8]) -> Option<Record> {
    let mut reader = Reader::new(payload);
    let kind = reader.byte()?;
    let definitions = read_definitions(&mut reader)?;
    let samples = match kind {
        BATCH => read_batch(&mut reader)?,
        RUNS => read_runs(&mut reader)?,
        _ => return None,
    };
    reader.is_at_end().then_some(Record {
        definitions,
        samples,
    })
}

fn read_definitions(reader: &mut Reader<'_>) -> Option<Vec<(u32, Labels)>> {
    let count = reader.size()?;
    let mut definitions = Vec::with_capacity(count.min(reader.left()));
    for _ in 0..count {
        let series = u32::try_from(reader.varint()?).ok()?;
        let label_count = reader.size()?;
        let mut pairs = Vec::with_capacity(label_count.min(reader.left()));
        for _ in 0..label_count {
            pairs.push((reader.text()?, reader.text()?));
        }
        definitions.push((series, Labels::from_pairs(pairs)));
    }
    Some(definitions)
}

fn read_batch(reader: &mut Reader<'_>) -> Option<Vec<(u32, i64, f64)>> {
    let mut samples = Vec::new();
    let mut time = 0i64;
    for _ in 0..reader.varint()? {
        time = time.wrapping_add(reader.signed()?);
        let mut series = 0i64;
        for _ in 0..reader.varint()? {
            series = series.wrapping_add(reader.signed()?);
            samples.push((u32::try_from(series).ok()?, time, read_value(reader)?));
        }
    }
    Some(samples)
}

fn read_value(reader: &mut Reader<'_>) -> Option<f64> {
    let coded = reader.varint()?;
    if coded == RAW_VALUE {
        return Some(f64::from_bits(reader.u64()?));
    }
    let zigzag = coded >> 1;
    let whole = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
    (coded & 1 == 0).then_some(whole as f64)
}

fn read_runs(reader: &mut Reader<'_>) -> Option<Vec<(u32, i64, f64)>> {
    let mut samples = Vec::new();
    let mut times = Vec::new();
    for _ in 0..reader.varint()? {
        let series = u32::try_from(reader.varint()?).ok()?;
        let count = reader.size()?;
        if count > CHUNK_SAMPLES_MAX {
            return None;
        }
        let times_len = reader.size()?;
        if times_len > 0 {
            times = codec::decode_times(reader.take(times_len)?, count)?;
        }
        let values_len = reader.size()?;
        let values = codec::decode_values(reader.take(values_len)?, count)?;
        if times.len() != count {
            return None;
        }
        samples.extend(
            times
                .iter()
                .zip(values)
                .map(|(at, value)| (series, *at, value)),
        );
    }
    Some(samples)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(samples: &[(u32, i64, f64)]) -> Vec<(u32, i64, u64)> {
        samples
            .iter()
            .map(|(series, at, value)| (*series, *at, value.to_bits()))
            .collect()
    }

    proptest! {
        #[test]
        fn batches_round_trip(samples in prop::collection::vec((any::<u32>(), any::<i64>(), any::<u64>()), 0..50)) {
            let samples: Vec<(u32, i64, f64)> =
                samples.into_iter().map(|(s, at, v)| (s, at % 7, f64::from_bits(v))).collect();
            let labels = Labels::from_pairs([("__name__", "up"), ("job", "a b\n\"")]);
            let definitions = vec![(3, labels), (9, Labels::empty())];
            let record = decode(&encode_batch(&definitions, &samples)).unwrap();
            prop_assert_eq!(record.definitions, definitions);
            prop_assert_eq!(bits(&record.samples), bits(&samples));
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn values_round_trip() {
        for value in [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            WHOLE_MAX,
            -WHOLE_MAX,
            1e300,
            f64::NAN,
            model::stale_marker(),
        ] {
            let record = decode(&encode_batch(&[], &[(0, 0, value)])).unwrap();
            assert_eq!(record.samples[0].2.to_bits(), value.to_bits(), "{value}");
        }
    }

    #[test]
    fn runs_round_trip() {
        let times: Vec<i64> = (0..3000).map(|i| i * 15_000).collect();
        let values: Vec<f64> = (0..3000).map(f64::from).collect();
        let mut runs = RunsRecord::new();
        runs.define(1, &Labels::from_pairs([("a", "1")]));
        runs.push(1, &times, &values);
        runs.push(2, &times[..10], &values[..10]);
        runs.push(3, &times[..9], &values[..9]);
        let record = decode(&runs.finish()).unwrap();
        let expect: Vec<(u32, i64, f64)> = (0..3000)
            .map(|i| (1, times[i], values[i]))
            .chain((0..10).map(|i| (2, times[i], values[i])))
            .chain((0..9).map(|i| (3, times[i], values[i])))
            .collect();
        assert_eq!(record.samples, expect);
    }
}
