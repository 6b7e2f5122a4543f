//! Opening a store after anything: a clean end, a killed process, a power loss, decayed bytes.
//!
//! Blocks are opened by their footers, the log is replayed, and what neither holds any more is gone. Opening writes as
//! little as possible (removing left-overs, cutting torn tails), so that it also succeeds on a full disk. It fails only
//! when the disk does.

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use model::{Labels, Timestamp};
use world::Disk;

use super::append::Writer;
use super::block::{self, Block, IndexCache};
use super::head::Head;
use super::maintain::Maintenance;
use super::wal::{self, Wal};
use super::{Counts, Options, Recovery, State, StoreError, Tsdb};

/// Indexes up to this many bytes in all are read and checked at start-up, the newest first, so that decay is reported
/// early where most queries go; the rest is checked when first used. Keeps the start quick with a year of blocks.
const INDEX_CHECK_BYTES: u64 = 16 << 20;

impl Tsdb {
    /// Opens the store in `dir`, making it if there is none. Only one process may have it open; the caller sees to that.
    /// `now` is when opening happens; it decides nothing yet, expired blocks go with the first `maintain`.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the disk fails. Damaged files never fail the open: see [`Recovery`].
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
        now: Timestamp,
    ) -> Result<(Tsdb, Recovery), StoreError> {
        let _ = now;
        let mut recovery = Recovery::default();
        let (blocks_dir, wal_dir) = (dir.join("blocks"), dir.join("wal"));
        for made in [&blocks_dir, &wal_dir] {
            disk.create_dir_all(made)
                .map_err(StoreError::io("make the store's directories"))?;
        }
        disk.sync_dir(dir)
            .map_err(StoreError::io("sync the store's directory"))?;
        // The store's own name: the parent may not be ours to read, and it exists for long except on the first day.
        let _ = disk.sync_dir(dir.parent().unwrap_or_else(|| Path::new(".")));
        let index_cache = IndexCache::new(options.index_cache_bytes);
        let (mut blocks, next_block) = open_blocks(disk.as_ref(), &blocks_dir, &mut recovery)?;
        check_newest(disk.as_ref(), &mut blocks, &index_cache, &mut recovery)?;
        recovery.blocks_opened = blocks.len() as u64;

        let min_valid = blocks
            .iter()
            .map(|block| block.footer.max.saturating_add(1))
            .max()
            .unwrap_or(i64::MIN);
        let mut head = Head::new();
        let mut samples_replayed = 0;
        let replayed = wal::replay(
            disk.as_ref(),
            &wal_dir,
            &mut recovery,
            |labels, at, value| {
                samples_replayed += u64::from(restore(&mut head, min_valid, labels, at, value));
            },
        )?;
        recovery.samples_replayed = samples_replayed;
        recovery.series = head.series_count() as u64;

        let wal = Wal::new(disk.clone(), &wal_dir, options.segment_bytes, replayed)?;
        let writer = Writer::new(wal, &head, min_valid);
        let tsdb = Tsdb {
            disk,
            dir: dir.to_owned(),
            options,
            maintenance: Mutex::new(Maintenance {
                next_block,
                unremoved: Vec::new(),
            }),
            writer: Mutex::new(writer),
            state: RwLock::new(State {
                head,
                blocks: blocks.into_iter().map(Arc::new).collect(),
            }),
            index_cache,
            counts: Mutex::new(Counts::default()),
        };
        Ok((tsdb, recovery))
    }
}

/// Puts a replayed sample into the head unless a block or an earlier record has it.
fn restore(head: &mut Head, min_valid: i64, labels: &Labels, at: i64, value: f64) -> bool {
    let known = head.find(labels);
    let last = known.and_then(|series| head.last(series.slot));
    if at < min_valid || last.is_some_and(|last| last.at.as_millis() >= at) {
        return false;
    }
    let series = known.unwrap_or_else(|| head.find_or_insert(labels));
    head.push(series.slot, at, value);
    true
}

/// All sound blocks in order of time, and the number for the next one.
fn open_blocks(
    disk: &dyn Disk,
    dir: &Path,
    recovery: &mut Recovery,
) -> Result<(Vec<Block>, u64), StoreError> {
    let names = disk
        .list(dir)
        .or_else(wal::none_when_missing)
        .map_err(StoreError::io("list the blocks"))?;
    let mut blocks = Vec::new();
    let mut next_block = 1;
    for name in &names {
        let number: u64 = name
            .split('.')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        next_block = next_block.max(number + 1);
        let path = dir.join(name);
        if name.ends_with(".tmp") {
            wal::remove_leftover(disk, &path, recovery);
            continue;
        }
        let Some(number) = block::parse_file_name(name) else {
            continue;
        };
        match Block::open(disk, number, &path).map_err(StoreError::io("open a block"))? {
            Some(block) => blocks.push(block),
            None => quarantine(disk, dir, &path, recovery),
        }
    }
    blocks.sort_by_key(|block| (block.footer.min, block.footer.max, block.number));
    Ok((blocks, next_block))
}

/// Reads the indexes of the newest blocks and moves those aside that are broken.
fn check_newest(
    disk: &dyn Disk,
    blocks: &mut Vec<Block>,
    cache: &IndexCache,
    recovery: &mut Recovery,
) -> Result<(), StoreError> {
    let mut bytes = 0;
    for block in blocks.iter().rev() {
        bytes += block.footer.index_len;
        if bytes > INDEX_CHECK_BYTES {
            break;
        }
        block
            .index(disk, cache)
            .map_err(StoreError::io("read the index of a block"))?;
    }
    blocks.retain(|block| {
        if block.is_damaged() {
            let dir = block.path.parent().unwrap_or_else(|| Path::new("."));
            quarantine(disk, dir, &block.path, recovery);
        }
        !block.is_damaged()
    });
    Ok(())
}

/// Moves a damaged block aside. If even that fails it is left where it is, and found damaged again next time.
fn quarantine(disk: &dyn Disk, dir: &Path, path: &Path, recovery: &mut Recovery) {
    recovery.blocks_quarantined += 1;
    if disk.rename(path, &wal::quarantined(path)).is_ok() {
        let _ = disk.sync_dir(dir);
    }
}
