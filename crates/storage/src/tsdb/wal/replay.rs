//! Reading the log back at start-up.
//!
//! The newest sound checkpoint and the segments after it are replayed in order; what a checkpoint has replaced is removed.
//! Replay never fails because of what a file says: a torn tail is cut, a damaged record is skipped, a file that does not
//! begin like a log file is moved aside, and all of it is counted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use model::Labels;
use world::Disk;

use super::{WalName, frame, record};
use crate::tsdb::{Recovery, StoreError};

/// What is left of the log after the replay.
#[derive(Default)]
pub(in crate::tsdb) struct Replayed {
    /// The files that still matter, with their lengths.
    pub(in crate::tsdb) files: Vec<(WalName, u64)>,
    /// The highest number that any file has, or had.
    pub(in crate::tsdb) last_number: u64,
}

/// Feeds every sample of the log to `apply`, in order. `recovery` receives the counts.
pub(in crate::tsdb) fn replay(
    disk: &dyn Disk,
    dir: &Path,
    recovery: &mut Recovery,
    mut apply: impl FnMut(&Labels, i64, f64),
) -> Result<Replayed, StoreError> {
    let names = disk
        .list(dir)
        .or_else(none_when_missing)
        .map_err(StoreError::io("list the log"))?;
    let mut replayed = Replayed::default();
    let mut files: Vec<WalName> = Vec::new();
    for name in &names {
        if name.ends_with(".tmp") {
            remove_leftover(disk, &dir.join(name), recovery);
        } else if let Some(parsed) = WalName::parse(name) {
            files.push(parsed);
        }
        // Numbers of files moved aside are not used again, or the next one would overwrite the evidence.
        let number = name
            .split('.')
            .next()
            .and_then(|number| number.parse().ok());
        replayed.last_number = replayed.last_number.max(number.unwrap_or(0));
    }
    files.sort();

    let start = newest_sound_checkpoint(disk, dir, &files, recovery)?;
    for file in files {
        let superseded = start.is_some_and(|checkpoint| file < checkpoint);
        if superseded {
            remove_leftover(disk, &file.path(dir), recovery);
            continue;
        }
        let bytes = match disk.read(&file.path(dir)) {
            Ok(bytes) => bytes,
            // Moved aside just now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::io("read the log")(error)),
        };
        let Some(scan) = frame::scan(&bytes) else {
            quarantine(disk, &file.path(dir), recovery);
            continue;
        };
        recovery.wal_segments += 1;
        recovery.wal_records_damaged += scan.damaged;
        cut_tail(disk, &file.path(dir), &bytes, scan.good_len, recovery);
        apply_records(&scan.payloads, recovery, &mut apply);
        replayed.files.push((file, scan.good_len as u64));
    }
    Ok(replayed)
}

/// An empty list for a directory that is not there yet.
pub(in crate::tsdb) fn none_when_missing(error: std::io::Error) -> std::io::Result<Vec<String>> {
    if error.kind() == std::io::ErrorKind::NotFound {
        Ok(Vec::new())
    } else {
        Err(error)
    }
}

fn newest_sound_checkpoint(
    disk: &dyn Disk,
    dir: &Path,
    files: &[WalName],
    recovery: &mut Recovery,
) -> Result<Option<WalName>, StoreError> {
    for file in files.iter().rev().filter(|file| file.checkpoint) {
        let header = disk
            .read_at(&file.path(dir), 0, frame::HEADER_LEN)
            .map_err(StoreError::io("read a checkpoint"))?;
        if header == frame::file_header() {
            return Ok(Some(*file));
        }
        quarantine(disk, &file.path(dir), recovery);
    }
    Ok(None)
}

fn apply_records(
    payloads: &[&[u8]],
    recovery: &mut Recovery,
    apply: &mut impl FnMut(&Labels, i64, f64),
) {
    let mut series: HashMap<u32, Labels> = HashMap::new();
    for payload in payloads {
        let Some(record) = record::decode(payload) else {
            recovery.wal_records_damaged += 1;
            continue;
        };
        recovery.wal_records += 1;
        series.extend(record.definitions);
        for (number, at, value) in record.samples {
            match series.get(&number) {
                Some(labels) => apply(labels, at, value),
                None => recovery.samples_without_series += 1,
            }
        }
    }
}

/// Cuts what a crash left half-written. A failure changes nothing but the next start, which finds the same tail again.
fn cut_tail(disk: &dyn Disk, path: &Path, bytes: &[u8], good_len: usize, recovery: &mut Recovery) {
    if good_len < bytes.len() {
        recovery.torn_bytes += (bytes.len() - good_len) as u64;
        let _ = disk.truncate(path, good_len as u64);
    }
}

/// Removes a file that nothing needs. A failure is harmless: the next start tries again.
pub(in crate::tsdb) fn remove_leftover(disk: &dyn Disk, path: &Path, recovery: &mut Recovery) {
    if disk.remove(path).is_ok() {
        recovery.leftovers_removed += 1;
    }
}

fn quarantine(disk: &dyn Disk, path: &Path, recovery: &mut Recovery) {
    recovery.wal_quarantined += 1;
    let _ = disk.rename(path, &quarantined(path));
}

/// Where a damaged file goes.
pub(in crate::tsdb) fn quarantined(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.quarantine", path.display()))
}
