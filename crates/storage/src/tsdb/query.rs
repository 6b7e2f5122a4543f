//! The way out: selections over head and blocks, and the look-ups behind label menus.
//!
//! A query takes the head's part and the list of blocks under one read lock, so that a cut happening meanwhile neither
//! hides samples nor shows them twice. All decoding and reading happens after the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Labels, Matcher, Sample, Selection, Series, SeriesSource, SourceError, Timestamp};

use super::Tsdb;
use super::block::{Block, ReadOutcome};
use super::postings;

/// How many of the newest blocks are searched for the last sample of a series that is not in the head: a day of them.
const LAST_SAMPLE_BLOCKS_MAX: usize = 12;

/// Collects the samples of a selection, oldest source first.
struct Collector {
    series: BTreeMap<Labels, (Vec<i64>, Vec<f64>)>,
    samples: usize,
    samples_max: usize,
}

impl Collector {
    /// Adds samples; `false` once there are too many.
    fn add(&mut self, labels: Labels, times: Vec<i64>, values: Vec<f64>) -> bool {
        self.samples += times.len();
        let (known_times, known_values) = self.series.entry(labels).or_default();
        match known_times.last() {
            None => (*known_times, *known_values) = (times, values),
            Some(last) => {
                // Sources do not overlap, unless someone copied a block file; then the first one counts.
                let new = times.partition_point(|at| at <= last);
                known_times.extend_from_slice(&times[new..]);
                known_values.extend_from_slice(&values[new..]);
            }
        }
        self.samples <= self.samples_max
    }

    fn finish(self) -> Vec<Series> {
        self.series
            .into_iter()
            .filter(|(_, (times, _))| !times.is_empty())
            .map(|(labels, (times, values))| Series {
                labels,
                timestamps: times.into_iter().map(Timestamp::from_millis).collect(),
                values,
            })
            .collect()
    }
}

impl SeriesSource for Tsdb {
    fn select(&self, selection: &Selection<'_>) -> Result<Vec<Series>, SourceError> {
        let (from, to) = (selection.from.as_millis(), selection.to.as_millis());
        let too_many = SourceError::TooManySamples {
            limit: selection.samples_max,
        };
        let (head, blocks) = {
            let state = self.state();
            let slots = state.head.resolve(selection.matchers).into_iter();
            let head: Vec<_> = slots
                .filter_map(|slot| {
                    Some((
                        state.head.labels(slot)?.clone(),
                        state.head.slice(slot, from, to)?,
                    ))
                })
                .collect();
            (head, overlapping(&state.blocks, from, to))
        };
        let mut found = Collector {
            series: BTreeMap::new(),
            samples: 0,
            samples_max: selection.samples_max,
        };
        for block in blocks {
            if let ReadOutcome::Stopped = self.select_block(&block, selection, &mut found)? {
                return Err(too_many);
            }
        }
        for (labels, slice) in head {
            let (times, values) = slice.decode();
            if !times.is_empty() && !found.add(labels, times, values) {
                return Err(too_many);
            }
        }
        Ok(found.finish())
    }
}

impl Tsdb {
    fn select_block(
        &self,
        block: &Block,
        selection: &Selection<'_>,
        found: &mut Collector,
    ) -> Result<ReadOutcome, SourceError> {
        let range = (selection.from.as_millis(), selection.to.as_millis());
        let unavailable =
            |error: std::io::Error| SourceError::Unavailable(format!("reading a block: {error}"));
        let disk = self.disk.as_ref();
        let Some(index) = block.index(disk, &self.index_cache).map_err(unavailable)? else {
            return Ok(ReadOutcome::Done);
        };
        let series = postings::resolve(index.as_ref(), selection.matchers);
        let mut chunks_damaged = 0;
        let outcome = block.read_series(
            disk,
            &index,
            &series,
            range,
            &mut chunks_damaged,
            &mut |labels, times, values| found.add(labels, times, values),
        );
        if chunks_damaged > 0 {
            self.counts().chunks_damaged += chunks_damaged;
        }
        outcome.map_err(unavailable)
    }

    /// Series that satisfy all matchers and have samples in `from..=to` (exact to the chunk), sorted. A block that
    /// cannot be read is left out.
    pub fn series(&self, matchers: &[Matcher], from: Timestamp, to: Timestamp) -> Vec<Labels> {
        let (from, to) = (from.as_millis(), to.as_millis());
        let (mut found, blocks): (BTreeSet<Labels>, _) = {
            let state = self.state();
            let slots = state.head.resolve(matchers).into_iter();
            let head = slots
                .filter(|slot| state.head.overlaps(*slot, from, to))
                .filter_map(|slot| state.head.labels(slot).cloned())
                .collect();
            (head, overlapping(&state.blocks, from, to))
        };
        for block in blocks {
            let Ok(Some(index)) = block.index(self.disk.as_ref(), &self.index_cache) else {
                continue;
            };
            let series = postings::resolve(index.as_ref(), matchers).into_iter();
            found.extend(
                series
                    .filter(|series| index.overlaps(*series, from, to))
                    .map(|series| index.labels(series)),
            );
        }
        found.into_iter().collect()
    }

    /// Names of labels of the series that [`series`](Tsdb::series) finds, sorted.
    pub fn label_names(&self, matchers: &[Matcher], from: Timestamp, to: Timestamp) -> Vec<String> {
        let mut names = BTreeSet::new();
        for labels in self.series(matchers, from, to) {
            for (name, _) in labels.iter() {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        }
        names.into_iter().collect()
    }

    /// Values of one label of the series that [`series`](Tsdb::series) finds, sorted.
    pub fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<String> {
        let mut values = BTreeSet::new();
        for labels in self.series(matchers, from, to) {
            if let Some(value) = labels.get(name)
                && !values.contains(value)
            {
                values.insert(value.to_owned());
            }
        }
        values.into_iter().collect()
    }

    /// The newest sample of a series: from the head, or from the newest day of blocks.
    pub fn last_sample(&self, labels: &Labels) -> Option<Sample> {
        let blocks: Vec<Arc<Block>> = {
            let state = self.state();
            if let Some(last) = state
                .head
                .find(labels)
                .and_then(|series| state.head.last(series.slot))
            {
                return Some(last);
            }
            state
                .blocks
                .iter()
                .rev()
                .take(LAST_SAMPLE_BLOCKS_MAX)
                .cloned()
                .collect()
        };
        let matchers: Vec<Matcher> = labels
            .iter()
            .map(|(name, value)| Matcher::equal(name, value))
            .collect();
        blocks
            .iter()
            .find_map(|block| self.last_in_block(block, labels, &matchers))
    }

    fn last_in_block(
        &self,
        block: &Block,
        labels: &Labels,
        matchers: &[Matcher],
    ) -> Option<Sample> {
        let disk = self.disk.as_ref();
        let index = block.index(disk, &self.index_cache).ok()??;
        let mut series = postings::resolve(index.as_ref(), matchers);
        // Matchers also find series with further labels.
        series.retain(|series| index.labels(*series) == *labels);
        let newest = series
            .iter()
            .flat_map(|series| index.chunks(*series).last())
            .next()?;
        let from = index.column(newest.times).min;
        let mut last = None;
        let mut chunks_damaged = 0;
        let outcome = block.read_series(
            disk,
            &index,
            &series,
            (from, i64::MAX),
            &mut chunks_damaged,
            &mut |_, times, values| {
                last = times.last().zip(values.last()).map(|(at, value)| Sample {
                    at: Timestamp::from_millis(*at),
                    value: *value,
                });
                true
            },
        );
        self.counts().chunks_damaged += chunks_damaged;
        outcome.ok().and(last)
    }
}

fn overlapping(blocks: &[Arc<Block>], from: i64, to: i64) -> Vec<Arc<Block>> {
    blocks
        .iter()
        .filter(|block| block.overlaps(from, to))
        .cloned()
        .collect()
}
