//! The way in: decide about each sample, write the log, then show the head.
//!
//! Three things can go wrong with the log. A full disk is expected and passes: samples stay in memory, the writer notes
//! from which time on each series is missing on disk, and every later append tries a new segment that begins with what is
//! missing. A failed write or sync is not: nobody knows what the disk holds, so the writer is poisoned, and recovering it
//! writes everything anew. A torn write is found by the next start.

use std::collections::BTreeMap;
use std::io;

use model::{Labels, Timestamp};

use super::head::Head;
use super::wal::{RunsRecord, Wal, encode_batch};
use super::{Appended, SeriesRef, StoreError, Tsdb};

/// The most samples in one log record, so that one damaged record stays a small loss.
const SAMPLES_PER_RECORD: usize = 50_000;

/// A record of runs is written once it is this long.
const RUNS_BYTES: usize = 1 << 20;

/// Samples of one series that go into one record of runs.
const RUN_SAMPLES: usize = 16 << 10;

/// Series that are copied out of the head under one lock.
const SERIES_PER_LOCK: usize = 256;

/// The most bytes of one label set: far past anything useful, far below the bound of a record.
const LABEL_BYTES_MAX: usize = 1 << 20;

/// How often labels are resolved anew when series leave memory at the very same time.
const RESOLVE_TRIES: usize = 3;

/// The state of the way in.
pub(super) struct Writer {
    pub(super) wal: Wal,
    slots: Vec<WriterSlot>,
    /// The segment that `local_next` counts in.
    local_segment: u64,
    local_next: u32,
    /// Samples before this time belong to blocks.
    pub(super) min_valid: i64,
    /// Samples before this time are past retention.
    pub(super) floor: i64,
    /// Series (by slot) whose samples from a time on are in memory only, because the disk was full.
    missing: BTreeMap<u32, i64>,
    pub(super) not_durable: u64,
    pub(super) poisoned: bool,
}

/// What the writer remembers of a series.
#[derive(Copy, Clone, Default)]
struct WriterSlot {
    generation: u32,
    last: Option<(i64, u64)>,
    /// The segment that knows the series, and under which number.
    segment: u64,
    local: u32,
}

impl Writer {
    /// A writer that goes on after a replay into `head`.
    pub(super) fn new(wal: Wal, head: &Head, min_valid: i64) -> Writer {
        let mut writer = Writer {
            wal,
            slots: Vec::new(),
            local_segment: 0,
            local_next: 0,
            min_valid,
            floor: i64::MIN,
            missing: BTreeMap::new(),
            not_durable: 0,
            poisoned: false,
        };
        for slot in head.all() {
            let found = head.labels(slot).and_then(|labels| head.find(labels));
            if let (Some(series), Some(last)) = (found, head.last(slot)) {
                writer.slot(series).last = Some((last.at.as_millis(), last.value.to_bits()));
            }
        }
        writer
    }

    fn slot(&mut self, series: SeriesRef) -> &mut WriterSlot {
        let number = series.slot as usize;
        if number >= self.slots.len() {
            self.slots.resize(number + 1, WriterSlot::default());
        }
        let slot = &mut self.slots[number];
        if slot.generation != series.generation {
            *slot = WriterSlot {
                generation: series.generation,
                ..WriterSlot::default()
            };
        }
        slot
    }

    /// Decides about a sample; a stored one becomes the newest of its series.
    fn decide(&mut self, (series, at, value): (SeriesRef, i64, f64)) -> Decision {
        let valid_from = self.min_valid.max(self.floor);
        let slot = self.slot(series);
        // First, so that the verdict does not depend on whether the series was in memory all the time.
        if at < valid_from {
            return Decision::TooOld;
        }
        match slot.last {
            Some((last, bits)) if at == last && bits == value.to_bits() => {
                return Decision::Repeated;
            }
            Some((last, _)) if at == last => return Decision::Duplicate,
            Some((last, _)) if at < last => return Decision::OutOfOrder,
            Some(_) | None => {}
        }
        let before = slot.last.replace((at, value.to_bits()));
        Decision::Store { before }
    }

    /// The number of a series in the current segment, and whether the segment has yet to learn it.
    fn local(&mut self, segment: u64, slot: u32) -> (u32, bool) {
        if self.local_segment != segment {
            self.local_segment = segment;
            self.local_next = 0;
        }
        let entry = &mut self.slots[slot as usize];
        let new = entry.segment != segment;
        if new {
            entry.segment = segment;
            entry.local = self.local_next;
            self.local_next += 1;
        }
        (entry.local, new)
    }

    fn note_missing(&mut self, samples: &[(u32, i64, f64)]) {
        for (slot, at, _) in samples {
            self.missing.entry(*slot).or_insert(*at);
        }
        self.not_durable += samples.len() as u64;
    }

    /// Notes that samples before `cut` are in a block now, or gone.
    pub(super) fn cut_missing(&mut self, head: &Head, cut: i64) {
        let mut left = 0;
        self.missing.retain(|slot, from| {
            *from = (*from).max(cut);
            let count = head
                .slice(*slot, *from, i64::MAX)
                .map_or(0, |slice| slice.decode().0.len());
            left += count as u64;
            count > 0
        });
        self.not_durable = left;
    }

    /// Notes that all of the head is on disk.
    pub(super) fn all_durable(&mut self) {
        self.missing.clear();
        self.not_durable = 0;
        self.poisoned = false;
    }
}

enum Decision {
    /// Goes in; `before` was the newest sample until now.
    Store {
        before: Option<(i64, u64)>,
    },
    Repeated,
    OutOfOrder,
    Duplicate,
    TooOld,
}

impl Tsdb {
    /// The reference of a series, which is made if the head does not have it. Keep it and append through it; a series
    /// that had no sample for a whole block span leaves memory, and its reference with it ([`StoreError::UnknownSeries`]).
    ///
    /// # Errors
    /// [`StoreError::SeriesLimit`] when the series is new and the head is full of series; [`StoreError::LabelsTooLong`].
    pub fn series_ref(&self, labels: &Labels) -> Result<SeriesRef, StoreError> {
        {
            let state = self.state();
            if let Some(found) = state.head.find(labels) {
                state.head.touch(found);
                return Ok(found);
            }
        }
        let label_bytes: usize = labels
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if label_bytes > LABEL_BYTES_MAX {
            return Err(StoreError::LabelsTooLong);
        }
        let mut state = self.state_mut();
        let limit = self.options.series_max;
        if state.head.find(labels).is_none() && state.head.series_count() >= limit {
            drop(state);
            self.counts().series_refused += 1;
            return Err(StoreError::SeriesLimit { limit });
        }
        Ok(state.head.find_or_insert(labels))
    }

    /// Appends samples. On return they are with the operating system (on a full disk: in memory, and counted as not
    /// durable), and queries see them. Refused samples are counted by reason; the others of the batch go in.
    ///
    /// # Errors
    /// Nothing of the batch was stored: [`StoreError::UnknownSeries`] (resolve again and repeat), [`StoreError::Poisoned`]
    /// and [`StoreError::Io`] (call [`recover_writer`](Tsdb::recover_writer)), [`StoreError::HeadFull`] (free space).
    pub fn append(&self, batch: &[(SeriesRef, Timestamp, f64)]) -> Result<Appended, StoreError> {
        let mut writer = self.writer();
        if writer.poisoned {
            self.counts().appends_rejected += 1;
            return Err(StoreError::Poisoned);
        }
        self.check_batch(batch)?;
        let mut appended = Appended::default();
        let mut accepted: Vec<(u32, i64, f64)> = Vec::with_capacity(batch.len());
        let mut undo: Vec<(SeriesRef, Option<(i64, u64)>)> = Vec::with_capacity(batch.len());
        for (series, at, value) in batch {
            match writer.decide((*series, at.as_millis(), *value)) {
                Decision::Store { before } => {
                    undo.push((*series, before));
                    accepted.push((series.slot, at.as_millis(), *value));
                    appended.stored += 1;
                }
                Decision::Repeated => appended.repeated += 1,
                Decision::OutOfOrder => appended.out_of_order += 1,
                Decision::Duplicate => appended.duplicate += 1,
                Decision::TooOld => appended.too_old += 1,
            }
        }
        if let Err(error) = self.log(&mut writer, &accepted) {
            for (series, before) in undo.into_iter().rev() {
                writer.slot(series).last = before;
            }
            self.poison(&mut writer);
            return Err(StoreError::io("write the log")(error));
        }
        if !accepted.is_empty() {
            let mut state = self.state_mut();
            for (slot, at, value) in accepted {
                state.head.push(slot, at, value);
            }
        }
        drop(writer);
        self.count(&appended);
        Ok(appended)
    }

    /// Appends samples by labels: for callers without a cache of references (rules, probes, self-metrics).
    ///
    /// # Errors
    /// As [`series_ref`](Tsdb::series_ref) and [`append`](Tsdb::append); nothing of the batch was stored.
    pub fn append_labels(
        &self,
        batch: &[(Labels, Timestamp, f64)],
    ) -> Result<Appended, StoreError> {
        let mut tries = 0;
        loop {
            let resolved = batch
                .iter()
                .map(|(labels, at, value)| Ok((self.series_ref(labels)?, *at, *value)))
                .collect::<Result<Vec<_>, StoreError>>()?;
            tries += 1;
            match self.append(&resolved) {
                // The head was cut between the two steps.
                Err(StoreError::UnknownSeries(_)) if tries < RESOLVE_TRIES => {}
                outcome => return outcome,
            }
        }
    }

    /// Makes everything appended before the call survive a power loss. Appends and queries go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the writer is poisoned now; call [`recover_writer`](Tsdb::recover_writer).
    /// [`StoreError::DiskFull`]: some samples are in memory only; the rest is safe. Free space and call again.
    pub fn sync(&self) -> Result<(), StoreError> {
        let (job, not_durable) = {
            let mut writer = self.writer();
            if writer.poisoned {
                return Err(StoreError::Poisoned);
            }
            if let Err(error) = self.write_missing(&mut writer)
                && error.kind() != io::ErrorKind::StorageFull
            {
                self.poison(&mut writer);
                return Err(StoreError::io("write the log")(error));
            }
            (writer.wal.sync_job(), writer.not_durable)
        };
        if let Some(job) = job {
            let outcome = job.run(self.disk.as_ref());
            let mut writer = self.writer();
            match outcome {
                Ok(()) => writer.wal.synced(&job),
                Err(error) => {
                    self.poison(&mut writer);
                    return Err(StoreError::io("sync the log")(error));
                }
            }
        }
        if not_durable > 0 {
            Err(StoreError::DiskFull { not_durable })
        } else {
            Ok(())
        }
    }

    /// Brings a poisoned writer back: writes all of the head to a new log and syncs it, because nothing that the old one
    /// holds can be relied on. Does nothing when the writer is sound.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the disk still fails; the writer stays poisoned. Queries go on.
    pub fn recover_writer(&self) -> Result<(), StoreError> {
        let _maintenance = self.maintenance.lock().expect(super::LOCKS);
        let mut writer = self.writer();
        if !writer.poisoned {
            return Ok(());
        }
        self.checkpoint(&mut writer)
            .map_err(StoreError::io("write a new log"))
    }

    fn check_batch(&self, batch: &[(SeriesRef, Timestamp, f64)]) -> Result<(), StoreError> {
        let state = self.state();
        if let Some((series, _, _)) = batch
            .iter()
            .find(|(series, _, _)| !state.head.holds(*series))
        {
            return Err(StoreError::UnknownSeries(*series));
        }
        let limit = self.options.head_samples_max;
        if state.head.sample_count() + batch.len() as u64 > limit {
            return Err(StoreError::HeadFull { limit });
        }
        Ok(())
    }

    fn count(&self, appended: &Appended) {
        let mut counts = self.counts();
        counts.appended += appended.stored;
        counts.out_of_order += appended.out_of_order;
        counts.duplicate += appended.duplicate;
        counts.too_old += appended.too_old;
    }

    fn poison(&self, writer: &mut Writer) {
        writer.poisoned = true;
        self.counts().poisonings += 1;
    }

    /// Writes samples to the log, or notes them as missing when the disk is full.
    fn log(&self, writer: &mut Writer, samples: &[(u32, i64, f64)]) -> io::Result<()> {
        if samples.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.write_missing(writer) {
            return self.note_full(writer, samples, error);
        }
        for (number, part) in samples.chunks(SAMPLES_PER_RECORD).enumerate() {
            if let Err(error) = self.write_batch(writer, part) {
                return self.note_full(writer, &samples[number * SAMPLES_PER_RECORD..], error);
            }
        }
        Ok(())
    }

    fn note_full(
        &self,
        writer: &mut Writer,
        samples: &[(u32, i64, f64)],
        error: io::Error,
    ) -> io::Result<()> {
        if error.kind() != io::ErrorKind::StorageFull {
            return Err(error);
        }
        self.counts().disk_full += 1;
        writer.note_missing(samples);
        Ok(())
    }

    fn write_batch(&self, writer: &mut Writer, samples: &[(u32, i64, f64)]) -> io::Result<()> {
        let segment = writer.wal.segment();
        let mut definitions = Vec::new();
        let mut rows = Vec::with_capacity(samples.len());
        {
            let state = self.state();
            for (slot, at, value) in samples {
                let (local, new) = writer.local(segment, *slot);
                if new && let Some(labels) = state.head.labels(*slot) {
                    definitions.push((local, labels.clone()));
                }
                rows.push((local, *at, *value));
            }
        }
        writer.wal.write(&encode_batch(&definitions, &rows))
    }

    /// Writes what a full disk left out, oldest first for each series, keeping whatever progress it makes.
    fn write_missing(&self, writer: &mut Writer) -> io::Result<()> {
        let slots: Vec<(u32, i64)> = writer
            .missing
            .iter()
            .map(|(slot, from)| (*slot, *from))
            .collect();
        let mut pending = MissingRecord::new();
        for (slot, from) in slots {
            let found = {
                let state = self.state();
                let labels = state.head.labels(slot).cloned();
                labels.zip(state.head.slice(slot, from, i64::MAX))
            };
            let Some((labels, slice)) = found else {
                writer.missing.remove(&slot);
                continue;
            };
            let (times, values) = slice.decode();
            for (times, values) in times.chunks(RUN_SAMPLES).zip(values.chunks(RUN_SAMPLES)) {
                pending.push(writer, slot, &labels, times, values);
                if pending.record.len() >= RUNS_BYTES {
                    std::mem::replace(&mut pending, MissingRecord::new()).write(writer)?;
                }
            }
        }
        pending.write(writer)?;
        // All is written; what the map still names has nothing left.
        writer.missing.clear();
        writer.not_durable = 0;
        Ok(())
    }

    /// Replaces the log by one checkpoint of the head. The writer's lock is held throughout, so appends wait; it takes
    /// about a second for ten million samples, once per block span.
    pub(super) fn checkpoint(&self, writer: &mut Writer) -> io::Result<()> {
        let mut file = writer.wal.begin_checkpoint()?;
        let slots = self.state().head.all();
        let mut outcome = Ok(());
        for group in slots.chunks(SERIES_PER_LOCK) {
            let record = self.runs_of(group);
            if !record.is_empty() && outcome.is_ok() {
                outcome = file.write(&record.finish());
            }
        }
        if let Err(error) = outcome {
            writer.wal.abandon_checkpoint(file);
            return Err(error);
        }
        let removals_failed = writer.wal.finish_checkpoint(file)?;
        self.counts().removals_failed += removals_failed;
        writer.all_durable();
        Ok(())
    }

    fn runs_of(&self, slots: &[u32]) -> RunsRecord {
        let slices: Vec<_> = {
            let state = self.state();
            let slice = |slot: &u32| {
                let labels = state.head.labels(*slot)?.clone();
                Some((*slot, labels, state.head.slice(*slot, i64::MIN, i64::MAX)?))
            };
            slots.iter().filter_map(slice).collect()
        };
        let mut record = RunsRecord::new();
        for (slot, labels, slice) in slices {
            let (times, values) = slice.decode();
            if !times.is_empty() {
                record.define(slot, &labels);
                record.push(slot, &times, &values);
            }
        }
        record
    }
}

/// A record of missing samples with the note of what it settles once it is written.
struct MissingRecord {
    record: RunsRecord,
    /// Slot, time of the last sample, number of samples.
    settles: Vec<(u32, i64, u64)>,
}

impl MissingRecord {
    fn new() -> MissingRecord {
        MissingRecord {
            record: RunsRecord::new(),
            settles: Vec::new(),
        }
    }

    fn push(
        &mut self,
        writer: &mut Writer,
        slot: u32,
        labels: &Labels,
        times: &[i64],
        values: &[f64],
    ) {
        let segment = writer.wal.segment();
        let (local, new) = writer.local(segment, slot);
        if new {
            self.record.define(local, labels);
        }
        self.record.push(local, times, values);
        if let Some(last) = times.last() {
            self.settles.push((slot, *last, times.len() as u64));
        }
    }

    fn write(self, writer: &mut Writer) -> io::Result<()> {
        if self.record.is_empty() {
            return Ok(());
        }
        writer.wal.write(&self.record.finish())?;
        for (slot, last, count) in self.settles {
            writer.missing.insert(slot, last.saturating_add(1));
            writer.not_durable = writer.not_durable.saturating_sub(count);
        }
        Ok(())
    }
}
