//! The end of lines: when a file's day and period are over, it is unlinked. Needs no space, reads nothing, asks nobody.
//!
//! A file lives until the end of its day plus its period, so its first line lies unreadable for at most a day: queries
//! cut exactly, line by line, and deletion follows within that day and one round of maintenance.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

use model::Timestamp;
use world::Disk;

use super::day_file::FileName;
use super::shelf::{Class, Shelf};
use super::{LogStore, LogStoreError, Maintained};

/// Unlinks every file of a class whose time is over.
pub(super) fn expire(
    store: &LogStore,
    class: &Class,
    now: Timestamp,
    done: &mut Maintained,
) -> Result<(), LogStoreError> {
    let mut writers = class.writers();
    let mut shelf = class.shelf();
    let files_before = done.expired_files;
    let mut outcome = Ok(());
    for name in expired(&shelf, now) {
        writers.forget(name.day);
        outcome = outcome.and(unlink_file(store, &mut shelf, &name, done));
    }
    // The lock is held: nobody new starts to read these, and who reads them misses nothing that is still due.
    let replaced = std::mem::take(&mut shelf.replaced);
    for file in replaced {
        if file.deletion > now {
            shelf.replaced.push(file);
            continue;
        }
        file.expire();
        match unlink(&*store.disk, &file.path) {
            Ok(()) => {
                forget_bytes(store, file.index().bytes);
                done.expired_files += 1;
            }
            Err(error) => {
                outcome = outcome.and(Err(error));
                shelf.replaced.push(file);
            }
        }
    }
    let aside: Vec<FileName> = shelf
        .set_aside
        .iter()
        .filter(|(_, deletion)| deletion.is_some_and(|deletion| deletion <= now))
        .map(|(name, _)| *name)
        .collect();
    for name in aside {
        match unlink(&*store.disk, &class.dir.join(name.to_string())) {
            Ok(()) => {
                shelf.set_aside.remove(&name);
                done.expired_files += 1;
            }
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    if done.expired_files > files_before {
        forget_numbers(&mut shelf, class, now);
        drop(shelf);
        let synced = store.disk.sync_dir(&class.dir);
        outcome =
            outcome.and(synced.map_err(|source| LogStoreError::io("sync", &class.dir, source)));
    }
    outcome
}

fn expired(shelf: &Shelf, now: Timestamp) -> Vec<FileName> {
    shelf
        .files
        .values()
        .filter(|file| file.deletion <= now)
        .map(|file| file.name)
        .collect()
}

fn unlink_file(
    store: &LogStore,
    shelf: &mut Shelf,
    name: &FileName,
    done: &mut Maintained,
) -> Result<(), LogStoreError> {
    let file = shelf.files[name].clone();
    file.expire();
    unlink(&*store.disk, &file.path)?;
    shelf.files.remove(name);
    let index = file.index();
    forget_bytes(store, index.bytes);
    if !name.sealed {
        let frames = index.frames.len() as u64;
        store.unsealed_frames.fetch_sub(frames, Ordering::Relaxed);
    }
    done.expired_files += 1;
    done.expired_bytes += index.bytes;
    done.expired_lines += index.lines;
    Ok(())
}

/// Removes a file; one that is gone already is fine.
pub(super) fn unlink(disk: &dyn Disk, path: &Path) -> Result<(), LogStoreError> {
    match disk.remove(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(LogStoreError::io("remove", path, source)),
    }
}

pub(super) fn forget_bytes(store: &LogStore, bytes: u64) {
    store.total_bytes.fetch_sub(bytes, Ordering::Relaxed);
}

/// Drops the number counters of days that can have no file any more.
fn forget_numbers(shelf: &mut Shelf, class: &Class, now: Timestamp) {
    let Shelf {
        files,
        replaced,
        set_aside,
        next_number,
    } = shelf;
    next_number.retain(|day, _| {
        let in_plan = class
            .planned
            .is_some_and(|keep| day.end().to_timestamp() + keep > now);
        in_plan
            || files.keys().any(|name| name.day == *day)
            || replaced.iter().any(|file| file.name.day == *day)
            || set_aside.keys().any(|name| name.day == *day)
    });
}
