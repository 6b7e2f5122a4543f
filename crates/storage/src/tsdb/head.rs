//! The newest samples, in memory: what most queries and all alert rules read.
//!
//! A series is a few sealed chunks (coded like those of blocks) and an open tail of plain numbers. Sealed chunks are
//! shared by reference with readers, which decode them after they let go of the lock. The time column of a sealed chunk
//! is shared between the series of one scrape. Nothing here touches a disk: the log is written before a sample comes here.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::{Labels, Matcher, Sample, Timestamp};

use super::codec;
use super::postings::{self, HeadPostings, LabelIndex};

/// Samples in a sealed chunk: half an hour at 15 s. Small enough that an instant query decodes little.
const SEAL_AT: usize = 120;

/// How many of the latest time columns are looked at for one to share. The series of a scrape are appended one after
/// another, so their columns meet here even when a few scrapes interleave.
const RECENT_COLUMNS: usize = 8;

/// Names a series of the head, for as long as that series stays in memory. See [`StoreError::UnknownSeries`].
///
/// [`StoreError::UnknownSeries`]: super::StoreError::UnknownSeries
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesRef {
    pub(super) slot: u32,
    /// Slots are used again; a reference from an earlier life must not reach the new tenant.
    pub(super) generation: u32,
}

/// A sealed run of samples.
struct SealedChunk {
    min: i64,
    max: i64,
    count: usize,
    times: Arc<[u8]>,
    values: Box<[u8]>,
}

struct MemorySeries {
    labels: Labels,
    sealed: Vec<Arc<SealedChunk>>,
    times: Vec<i64>,
    values: Vec<f64>,
    last: Option<Sample>,
    /// Handed out since the last cut and still without a sample: kept over one cut so that its first append succeeds.
    fresh: AtomicBool,
}

struct Slot {
    generation: u32,
    series: Option<MemorySeries>,
}

/// All series with their newest samples.
pub(super) struct Head {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_labels: HashMap<Labels, u32>,
    postings: HeadPostings,
    recent_columns: Vec<Arc<[u8]>>,
    /// Samples before this time are in blocks; a chunk that straddles it keeps some of them, hidden.
    visible_from: i64,
    samples: u64,
}

/// Samples of one series, taken under the lock, decoded after it.
pub(super) struct HeadSlice {
    sealed: Vec<Arc<SealedChunk>>,
    times: Vec<i64>,
    values: Vec<f64>,
    from: i64,
    to: i64,
}

impl HeadSlice {
    /// The samples as two columns.
    pub(super) fn decode(self) -> (Vec<i64>, Vec<f64>) {
        let mut times = Vec::new();
        let mut values = Vec::new();
        for chunk in &self.sealed {
            let chunk_times =
                codec::decode_times(&chunk.times, chunk.count).expect("coded in this process");
            let chunk_values =
                codec::decode_values(&chunk.values, chunk.count).expect("coded in this process");
            let start = chunk_times.partition_point(|at| *at < self.from);
            let end = chunk_times.partition_point(|at| *at <= self.to);
            if start < end {
                times.extend_from_slice(&chunk_times[start..end]);
                values.extend_from_slice(&chunk_values[start..end]);
            }
        }
        times.extend_from_slice(&self.times);
        values.extend_from_slice(&self.values);
        (times, values)
    }
}

impl Head {
    /// A head without series.
    pub(super) fn new() -> Head {
        Head {
            slots: Vec::new(),
            free: Vec::new(),
            by_labels: HashMap::new(),
            postings: HeadPostings::default(),
            recent_columns: Vec::new(),
            visible_from: i64::MIN,
            samples: 0,
        }
    }

    /// How many series there are.
    pub(super) fn series_count(&self) -> usize {
        self.by_labels.len()
    }

    /// How many visible samples there are.
    pub(super) fn sample_count(&self) -> u64 {
        self.samples
    }

    /// The reference of a known series.
    pub(super) fn find(&self, labels: &Labels) -> Option<SeriesRef> {
        let slot = *self.by_labels.get(labels)?;
        let generation = self.slots[slot as usize].generation;
        Some(SeriesRef { slot, generation })
    }

    /// Keeps a series without samples over the next cut, because a caller is about to append to it.
    pub(super) fn touch(&self, series: SeriesRef) {
        if let Some(found) = self.at(series.slot) {
            found.fresh.store(true, Ordering::Relaxed);
        }
    }

    /// The reference of a series, made if need be.
    pub(super) fn find_or_insert(&mut self, labels: &Labels) -> SeriesRef {
        if let Some(found) = self.find(labels) {
            return found;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                series: None,
            });
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        entry.generation += 1;
        entry.series = Some(MemorySeries {
            labels: labels.clone(),
            sealed: Vec::new(),
            times: Vec::new(),
            values: Vec::new(),
            last: None,
            fresh: AtomicBool::new(true),
        });
        let generation = entry.generation;
        self.by_labels.insert(labels.clone(), slot);
        self.postings.insert(slot, labels);
        SeriesRef { slot, generation }
    }

    /// Whether a reference names a series that is in memory.
    pub(super) fn holds(&self, series: SeriesRef) -> bool {
        self.slots
            .get(series.slot as usize)
            .is_some_and(|slot| slot.generation == series.generation && slot.series.is_some())
    }

    /// The labels of a series in memory.
    pub(super) fn labels(&self, slot: u32) -> Option<&Labels> {
        Some(&self.at(slot)?.labels)
    }

    /// Adds a sample that is newer than all others of its series; the caller has checked.
    pub(super) fn push(&mut self, slot: u32, at: i64, value: f64) {
        let Some(series) = self
            .slots
            .get_mut(slot as usize)
            .and_then(|slot| slot.series.as_mut())
        else {
            debug_assert!(
                false,
                "the writer validates references while it holds its lock"
            );
            return;
        };
        series.fresh.store(false, Ordering::Relaxed);
        series.last = Some(Sample {
            at: Timestamp::from_millis(at),
            value,
        });
        series.times.push(at);
        series.values.push(value);
        self.samples += 1;
        if series.times.len() >= SEAL_AT {
            seal(series, &mut self.recent_columns);
        }
    }

    /// The newest sample of a series.
    pub(super) fn last(&self, slot: u32) -> Option<Sample> {
        let series = self.at(slot)?;
        let in_memory = !series.sealed.is_empty() || !series.times.is_empty();
        series.last.filter(|_| in_memory)
    }

    /// The series that satisfy all matchers, sorted by slot.
    pub(super) fn resolve(&self, matchers: &[Matcher]) -> Vec<u32> {
        postings::resolve(&self.postings, matchers)
    }

    /// All series in memory, sorted by slot.
    pub(super) fn all(&self) -> Vec<u32> {
        self.postings.all()
    }

    /// The visible samples of a series in `from..=to`; `None` when there can be none.
    pub(super) fn slice(&self, slot: u32, from: i64, to: i64) -> Option<HeadSlice> {
        let series = self.at(slot)?;
        let from = from.max(self.visible_from);
        let start = series.times.partition_point(|at| *at < from);
        let end = series.times.partition_point(|at| *at <= to).max(start);
        let sealed: Vec<Arc<SealedChunk>> = series
            .sealed
            .iter()
            .filter(|chunk| chunk.max >= from && chunk.min <= to)
            .cloned()
            .collect();
        if sealed.is_empty() && start == end {
            return None;
        }
        Some(HeadSlice {
            sealed,
            times: series.times[start..end].to_vec(),
            values: series.values[start..end].to_vec(),
            from,
            to,
        })
    }

    /// Whether a series may have samples in a range, without decoding: exact to the chunk.
    pub(super) fn overlaps(&self, slot: u32, from: i64, to: i64) -> bool {
        let from = from.max(self.visible_from);
        self.at(slot).is_some_and(|series| {
            let start = series.times.partition_point(|at| *at < from);
            series.times.get(start).is_some_and(|at| *at <= to)
                || series
                    .sealed
                    .iter()
                    .any(|chunk| chunk.max >= from && chunk.min <= to)
        })
    }

    /// The times of the oldest and newest visible samples.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        let mut range: Option<(i64, i64)> = None;
        // Series of one scrape share columns, so most look-ups into a straddling one are repetitions.
        let mut straddling: Option<(&Arc<[u8]>, i64)> = None;
        for series in self.slots.iter().filter_map(|slot| slot.series.as_ref()) {
            let oldest = match series.sealed.first() {
                None => series.times.first().copied(),
                Some(chunk) if chunk.min >= self.visible_from => Some(chunk.min),
                Some(chunk) => {
                    let first = straddling
                        .filter(|(times, _)| Arc::ptr_eq(times, &chunk.times))
                        .map_or_else(|| first_from(chunk, self.visible_from), |(_, first)| first);
                    straddling = Some((&chunk.times, first));
                    Some(first)
                }
            };
            let (Some(oldest), Some(last)) = (oldest, series.last) else {
                continue;
            };
            let (min, max) = range.unwrap_or((i64::MAX, i64::MIN));
            range = Some((min.min(oldest), max.max(last.at.as_millis())));
        }
        range
    }

    /// The time of the newest visible sample before `end`.
    pub(super) fn newest_before(&self, end: i64) -> Option<i64> {
        let mut newest = None;
        for slot in self.all() {
            let Some(series) = self.at(slot) else {
                continue;
            };
            let in_tail = series.times.partition_point(|at| *at < end);
            let found = if in_tail > 0 {
                Some(series.times[in_tail - 1])
            } else {
                newest_sealed_before(&series.sealed, end)
            };
            newest = newest.max(found.filter(|at| *at >= self.visible_from));
        }
        newest
    }

    /// Forgets all samples before `cut` and every series that is left without samples. Answers how many of both went.
    pub(super) fn truncate_before(&mut self, cut: i64) -> (u64, u64) {
        let hidden_before = self.visible_from;
        let samples_before = self.samples;
        self.visible_from = self.visible_from.max(cut);
        let mut gone = vec![false; self.slots.len()];
        let mut series_dropped = 0;
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let Some(series) = slot.series.as_mut() else {
                continue;
            };
            self.samples -= truncate_series(series, hidden_before, cut);
            let has_samples = !series.sealed.is_empty() || !series.times.is_empty();
            if has_samples || series.fresh.swap(false, Ordering::Relaxed) {
                continue;
            }
            self.by_labels.remove(&series.labels);
            slot.series = None;
            self.free.push(number as u32);
            gone[number] = true;
            series_dropped += 1;
        }
        if series_dropped > 0 {
            self.postings.remove_all(|series| gone[series as usize]);
            // The lowest slots first: the arrays by slot stay dense after churn.
            self.free.sort_unstable_by(|left, right| right.cmp(left));
        }
        (samples_before - self.samples, series_dropped)
    }

    fn at(&self, slot: u32) -> Option<&MemorySeries> {
        self.slots.get(slot as usize)?.series.as_ref()
    }
}

fn seal(series: &mut MemorySeries, recent_columns: &mut Vec<Arc<[u8]>>) {
    let coded = codec::encode_times(&series.times);
    let known = recent_columns
        .iter()
        .find(|column| column[..] == coded[..])
        .cloned();
    let times = known.unwrap_or_else(|| {
        let column: Arc<[u8]> = coded.into();
        if recent_columns.len() == RECENT_COLUMNS {
            recent_columns.remove(0);
        }
        recent_columns.push(column.clone());
        column
    });
    series.sealed.push(Arc::new(SealedChunk {
        min: series.times[0],
        max: series.times[series.times.len() - 1],
        count: series.times.len(),
        times,
        values: codec::encode_values(&series.values).into(),
    }));
    series.times.clear();
    series.values.clear();
}

/// The first time from `from` on in a chunk that has one.
fn first_from(chunk: &SealedChunk, from: i64) -> i64 {
    let times = codec::decode_times(&chunk.times, chunk.count).expect("coded in this process");
    let first = times.partition_point(|at| *at < from);
    times.get(first).copied().unwrap_or(chunk.max)
}

fn newest_sealed_before(sealed: &[Arc<SealedChunk>], end: i64) -> Option<i64> {
    let chunk = sealed.iter().rev().find(|chunk| chunk.min < end)?;
    if chunk.max < end {
        return Some(chunk.max);
    }
    let times = codec::decode_times(&chunk.times, chunk.count).expect("coded in this process");
    let before = times.partition_point(|at| *at < end);
    before.checked_sub(1).map(|at| times[at])
}

/// Drops what is before `cut` and answers how many visible samples that were.
fn truncate_series(series: &mut MemorySeries, hidden_before: i64, cut: i64) -> u64 {
    let mut dropped = 0;
    series.sealed.retain(|chunk| {
        if chunk.min < cut {
            let all_visible = chunk.min >= hidden_before;
            dropped += if all_visible && chunk.max < cut {
                chunk.count
            } else {
                let times =
                    codec::decode_times(&chunk.times, chunk.count).expect("coded in this process");
                let hidden = times.partition_point(|at| *at < hidden_before);
                times.partition_point(|at| *at < cut).saturating_sub(hidden)
            };
        }
        chunk.max >= cut
    });
    let in_tail = series.times.partition_point(|at| *at < cut);
    series.times.drain(..in_tail);
    series.values.drain(..in_tail);
    (dropped + in_tail) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(name: &str) -> Labels {
        Labels::from_pairs([("__name__", name)])
    }

    fn times_of(head: &Head, slot: u32, from: i64, to: i64) -> Vec<i64> {
        head.slice(slot, from, to)
            .map(|slice| slice.decode().0)
            .unwrap_or_default()
    }

    #[test]
    fn slices_span_sealed_and_tail_and_cuts_hide() {
        let mut head = Head::new();
        let series = head.find_or_insert(&labels("a"));
        for at in 0..300 {
            head.push(series.slot, at, at as f64);
        }
        assert_eq!(
            times_of(&head, series.slot, 110, 250),
            (110..=250).collect::<Vec<_>>()
        );
        assert_eq!(head.newest_before(130), Some(129));
        assert_eq!(head.truncate_before(130), (130, 0));
        assert_eq!(head.newest_before(130), None);
        assert_eq!(head.sample_count(), 170);
        assert_eq!(
            times_of(&head, series.slot, 0, 135),
            (130..=135).collect::<Vec<_>>()
        );
        assert_eq!(head.truncate_before(280), (150, 0));
        assert_eq!(head.range(), Some((280, 299)));
        assert_eq!(head.truncate_before(300), (20, 1));
        assert!(!head.holds(series));
    }

    #[test]
    fn a_new_tenant_is_not_reached_by_an_old_reference() {
        let mut head = Head::new();
        let old = head.find_or_insert(&labels("a"));
        head.push(old.slot, 1, 1.0);
        head.truncate_before(10);
        let new = head.find_or_insert(&labels("b"));
        assert_eq!(old.slot, new.slot);
        assert!(!head.holds(old) && head.holds(new));
        assert_eq!(
            head.truncate_before(20),
            (0, 0),
            "a fresh series survives one cut"
        );
        assert!(head.holds(new));
        assert_eq!(head.truncate_before(30), (0, 1));
    }

    #[test]
    fn series_of_a_scrape_share_their_times() {
        let mut head = Head::new();
        let refs: Vec<SeriesRef> = (0..50)
            .map(|i| head.find_or_insert(&labels(&format!("s{i}"))))
            .collect();
        for at in 0..SEAL_AT as i64 {
            for (number, series) in refs.iter().enumerate() {
                head.push(series.slot, at * 15_000, number as f64);
            }
        }
        let column = |series: &SeriesRef| head.at(series.slot).unwrap().sealed[0].times.as_ptr();
        assert!(refs.iter().all(|series| column(series) == column(&refs[0])));
    }
}
