//! The work between appends: retention, cutting blocks, truncating the log.
//!
//! Retention comes first and only unlinks, so it works on a full disk and may be what ends the fullness. Appends wait only
//! while the log is rewritten, queries only while references are exchanged; the block itself is written beside both.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Timestamp};

use super::block::{self, Block, BlockWriter, finish_block};
use super::{Maintained, StoreError, Tsdb, wal};

/// The most blocks that one run cuts. Samples scattered over decades would otherwise keep one run busy for hours.
const BLOCKS_CUT_MAX: u64 = 64;

/// More log files than this are folded into a checkpoint even when nothing was cut: a process that is restarted often
/// leaves one each time.
const WAL_FILES_MAX: usize = 64;

/// Series that are copied out of the head under one lock.
const SERIES_PER_LOCK: usize = 256;

/// What only `maintain` and its kin touch; its lock makes them take turns.
pub(super) struct Maintenance {
    pub(super) next_block: u64,
    /// Files of expired blocks that the disk refused to remove.
    pub(super) unremoved: Vec<PathBuf>,
}

impl Tsdb {
    /// Does what is due at `now`: unlinks blocks past retention, moves damaged ones aside, makes blocks of the spans of
    /// the head that ended `cut_delay` ago, and truncates the log. Call it about once a minute.
    ///
    /// A full disk is not an error: retention is done, the rest waits ([`Maintained::disk_full`]).
    ///
    /// # Errors
    /// [`StoreError::Io`]: a block or checkpoint could not be written. Nothing is lost; retention was done; call again.
    pub fn maintain(&self, now: Timestamp) -> Result<Maintained, StoreError> {
        let mut maintenance = self.maintenance.lock().expect(super::LOCKS);
        let mut report = Maintained::default();
        self.quarantine_damaged(&mut report);
        let expired_before = now - self.options.retention;
        self.writer().floor = expired_before.as_millis();
        let head_dropped = self.drop_expired(&mut maintenance, expired_before, &mut report);
        let outcome = self.cut_due(&mut maintenance, now, &mut report);
        self.settle(outcome, &mut report)?;
        let many_files = self.writer().wal.file_count() > WAL_FILES_MAX;
        if report.blocks_cut > 0 || head_dropped || many_files {
            self.truncate_log(&mut report)?;
        }
        Ok(report)
    }

    /// Drops what is older than `before`: whole blocks, and whole spans of the head. Works on a full disk.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the log could not be rewritten, so spans dropped from the head may come back at a restart.
    pub fn drop_before(&self, before: Timestamp) -> Result<Maintained, StoreError> {
        let mut maintenance = self.maintenance.lock().expect(super::LOCKS);
        let mut report = Maintained::default();
        if self.drop_expired(&mut maintenance, before, &mut report) {
            self.truncate_log(&mut report)?;
        }
        Ok(report)
    }

    /// Turns the error of a full disk into a note in the report.
    fn settle(
        &self,
        outcome: Result<(), StoreError>,
        report: &mut Maintained,
    ) -> Result<(), StoreError> {
        match outcome {
            Err(error) if error.is_full() => {
                report.disk_full = true;
                self.counts().disk_full += 1;
                Ok(())
            }
            other => other,
        }
    }

    fn truncate_log(&self, report: &mut Maintained) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let outcome = self
            .checkpoint(&mut writer)
            .map_err(StoreError::io("write a checkpoint"));
        drop(writer);
        report.checkpoint = outcome.is_ok();
        self.settle(outcome, report)
    }

    fn quarantine_damaged(&self, report: &mut Maintained) {
        let damaged: Vec<Arc<Block>> = {
            let mut state = self.state_mut();
            let (damaged, sound) = state.blocks.drain(..).partition(|block| block.is_damaged());
            state.blocks = sound;
            damaged
        };
        for block in damaged {
            block.retire();
            self.index_cache.remove(block.number);
            report.blocks_quarantined += 1;
            self.counts().blocks_damaged += 1;
            // If it cannot be moved it is found damaged again at the next start.
            if self
                .disk
                .rename(&block.path, &wal::quarantined(&block.path))
                .is_ok()
            {
                let _ = self.disk.sync_dir(&self.blocks_dir());
            }
        }
    }

    /// Drops expired blocks and spans of the head; answers whether the head lost samples.
    fn drop_expired(
        &self,
        maintenance: &mut Maintenance,
        before: Timestamp,
        report: &mut Maintained,
    ) -> bool {
        let before = before.as_millis();
        let expired: Vec<Arc<Block>> = {
            let mut state = self.state_mut();
            let (expired, kept) = state
                .blocks
                .drain(..)
                .partition(|block| block.footer.max < before);
            state.blocks = kept;
            expired
        };
        for block in &expired {
            block.retire();
            self.index_cache.remove(block.number);
            report.blocks_deleted += 1;
            report.bytes_deleted += block.file_len;
        }
        self.remove_files(maintenance, expired.iter().map(|block| block.path.clone()));
        self.drop_head_before(span_start(before, self.span_millis()), report)
    }

    fn remove_files(&self, maintenance: &mut Maintenance, paths: impl Iterator<Item = PathBuf>) {
        let mut paths: Vec<PathBuf> = paths.chain(maintenance.unremoved.drain(..)).collect();
        if paths.is_empty() {
            return;
        }
        paths.retain(|path| match self.disk.remove(path) {
            Ok(()) => false,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        });
        self.counts().removals_failed += paths.len() as u64;
        maintenance.unremoved = paths;
        // Should this fail, the blocks may be back after a power loss, and expire again.
        let _ = self.disk.sync_dir(&self.blocks_dir());
    }

    fn drop_head_before(&self, end: i64, report: &mut Maintained) -> bool {
        let mut writer = self.writer();
        let Some(newest) = self.state().head.newest_before(end) else {
            return false;
        };
        let cut = newest.saturating_add(1);
        writer.min_valid = writer.min_valid.max(cut);
        let mut state = self.state_mut();
        let (samples, series) = state.head.truncate_before(cut);
        report.samples_dropped += samples;
        report.series_dropped += series;
        writer.cut_missing(&state.head, cut);
        samples > 0
    }

    fn cut_due(
        &self,
        maintenance: &mut Maintenance,
        now: Timestamp,
        report: &mut Maintained,
    ) -> Result<(), StoreError> {
        let span = self.span_millis();
        while report.blocks_cut < BLOCKS_CUT_MAX {
            let Some((oldest, _)) = self.state().head.range() else {
                break;
            };
            let end = span_start(oldest, span).saturating_add(span);
            if Timestamp::from_millis(end) + self.options.cut_delay > now {
                break;
            }
            self.cut(maintenance, end, report)?;
        }
        Ok(())
    }

    /// Makes a block of the head's samples before `end`.
    fn cut(
        &self,
        maintenance: &mut Maintenance,
        end: i64,
        report: &mut Maintained,
    ) -> Result<(), StoreError> {
        let cut = {
            let mut writer = self.writer();
            let newest = self.state().head.newest_before(end);
            let newest =
                newest.expect("the span was chosen because the head's oldest sample lies in it");
            let cut = newest.saturating_add(1);
            // From here on no append adds to the span, so it can be read in peace.
            writer.min_valid = writer.min_valid.max(cut);
            cut
        };
        let number = maintenance.next_block;
        maintenance.next_block += 1;
        let path = self.blocks_dir().join(block::file_name(number));
        let written = self
            .write_block(&path, cut)
            .map_err(StoreError::io("write a block"))?;

        let mut writer = self.writer();
        let mut state = self.state_mut();
        if let Some((footer, file_len)) = written {
            state
                .blocks
                .push(Arc::new(Block::new(number, &path, footer, file_len)));
            state
                .blocks
                .sort_by_key(|block| (block.footer.min, block.footer.max, block.number));
            report.blocks_cut += 1;
        }
        let (samples, series) = state.head.truncate_before(cut);
        report.samples_cut += samples;
        report.series_dropped += series;
        writer.cut_missing(&state.head, cut);
        Ok(())
    }

    fn write_block(
        &self,
        path: &std::path::Path,
        cut: i64,
    ) -> io::Result<Option<(block::Footer, u64)>> {
        let mut series: Vec<(Labels, u32)> = {
            let state = self.state();
            let in_span = |slot: &u32| state.head.overlaps(*slot, i64::MIN, cut - 1);
            let slots = state.head.all().into_iter().filter(in_span);
            slots
                .filter_map(|slot| Some((state.head.labels(slot)?.clone(), slot)))
                .collect()
        };
        series.sort();
        let mut block = BlockWriter::create(self.disk.as_ref(), path)?;
        let mut outcome = Ok(());
        for group in series.chunks(SERIES_PER_LOCK) {
            outcome = self.add_series(&mut block, group, cut);
            if outcome.is_err() {
                break;
            }
        }
        finish_block(self.disk.as_ref(), block, outcome)
    }

    fn add_series(
        &self,
        block: &mut BlockWriter,
        series: &[(Labels, u32)],
        cut: i64,
    ) -> io::Result<()> {
        let slices: Vec<_> = {
            let state = self.state();
            series
                .iter()
                .filter_map(|(labels, slot)| {
                    Some((labels, state.head.slice(*slot, i64::MIN, cut - 1)?))
                })
                .collect()
        };
        for (labels, slice) in slices {
            let (times, values) = slice.decode();
            block.add(labels, &times, &values)?;
        }
        Ok(())
    }

    pub(super) fn blocks_dir(&self) -> PathBuf {
        self.dir.join("blocks")
    }

    fn span_millis(&self) -> i64 {
        millis(self.options.block_span).max(1)
    }
}

/// The start of the span that a time lies in.
fn span_start(at: i64, span: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(span))
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
