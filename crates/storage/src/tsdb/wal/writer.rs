//! The writing end of the log: the segment being written, those that wait for a sync, and checkpoints.
//!
//! A segment that once refused bytes is never written to again: its tail is unknown. The next write begins a new one,
//! which is always possible because segments stand alone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use world::{AppendFile, Disk};

use super::replay::Replayed;
use super::{WalName, frame};
use crate::tsdb::StoreError;

/// A handle that is only ever used to sync, so that a sync does not hold up appends.
type SyncHandle = Arc<Mutex<Box<dyn AppendFile>>>;

struct Segment {
    name: WalName,
    file: Box<dyn AppendFile>,
    unsynced: Unsynced,
}

/// Bytes of a segment that may not survive a power loss yet.
struct Unsynced {
    name: WalName,
    handle: SyncHandle,
    len: u64,
    synced_len: u64,
    /// Whether the segment's name in the directory is safe.
    name_synced: bool,
}

/// The log's writing end.
pub(in crate::tsdb) struct Wal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    segment_bytes: u64,
    next_number: u64,
    current: Option<Segment>,
    closed: Vec<Unsynced>,
    files: BTreeMap<WalName, u64>,
}

/// What one sync has to do; made under the writer's lock, run outside of it.
pub(in crate::tsdb) struct SyncJob {
    handles: Vec<(WalName, SyncHandle, u64)>,
    dir: Option<PathBuf>,
}

impl Wal {
    /// A log that goes on after what was replayed.
    pub(in crate::tsdb) fn new(
        disk: Arc<dyn Disk>,
        dir: &Path,
        segment_bytes: u64,
        replayed: Replayed,
    ) -> Result<Wal, StoreError> {
        let mut closed = Vec::new();
        // The process before may have died between a write and its sync; the next sync answers for those bytes too.
        for (name, len) in replayed.files.iter().filter(|(name, _)| !name.checkpoint) {
            let file = disk
                .open_append(&name.path(dir))
                .map_err(StoreError::io("open a log segment"))?;
            closed.push(Unsynced {
                name: *name,
                handle: Arc::new(Mutex::new(file)),
                len: *len,
                synced_len: 0,
                name_synced: false,
            });
        }
        Ok(Wal {
            disk,
            dir: dir.to_owned(),
            segment_bytes,
            next_number: replayed.last_number + 1,
            current: None,
            closed,
            files: replayed.files.into_iter().collect(),
        })
    }

    /// The number of the segment that the next write goes to.
    pub(in crate::tsdb) fn segment(&mut self) -> u64 {
        if self
            .current
            .as_ref()
            .is_some_and(|segment| segment.unsynced.len >= self.segment_bytes)
        {
            self.close_segment();
        }
        self.current
            .as_ref()
            .map_or(self.next_number, |segment| segment.name.number)
    }

    /// Writes one record to the segment that [`segment`](Wal::segment) named. After an error the segment is closed.
    pub(in crate::tsdb) fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        if payload.len() > frame::PAYLOAD_BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let mut bytes = Vec::with_capacity(payload.len() + 32);
        let mut segment = match self.current.take() {
            Some(segment) => segment,
            None => {
                bytes = frame::file_header();
                self.new_segment()?
            }
        };
        frame::put(&mut bytes, payload);
        let outcome = segment.file.append(&bytes);
        if outcome.is_ok() {
            segment.unsynced.len += bytes.len() as u64;
            self.files.insert(segment.name, segment.unsynced.len);
            self.current = Some(segment);
        } else {
            self.give_up(segment);
        }
        outcome
    }

    fn new_segment(&mut self) -> io::Result<Segment> {
        let name = WalName {
            number: self.next_number,
            checkpoint: false,
        };
        // Even if it cannot be made: a number that was once given out by `segment` never means another segment.
        self.next_number += 1;
        let path = name.path(&self.dir);
        let file = self.disk.open_append(&path)?;
        let handle = Arc::new(Mutex::new(self.disk.open_append(&path)?));
        Ok(Segment {
            name,
            file,
            unsynced: Unsynced {
                name,
                handle,
                len: 0,
                synced_len: 0,
                name_synced: false,
            },
        })
    }

    /// Ends a segment that refused bytes. Cutting its torn tail is a courtesy: the replay would do the same.
    fn give_up(&mut self, segment: Segment) {
        let path = segment.name.path(&self.dir);
        if segment.unsynced.len == 0 {
            let _ = self.disk.remove(&path);
        } else {
            let _ = self.disk.truncate(&path, segment.unsynced.len);
            self.closed.push(segment.unsynced);
        }
    }

    fn close_segment(&mut self) {
        if let Some(segment) = self.current.take() {
            self.closed.push(segment.unsynced);
        }
    }

    /// What has to be synced now; `None` when everything is.
    pub(in crate::tsdb) fn sync_job(&self) -> Option<SyncJob> {
        let current = self.current.iter().map(|segment| &segment.unsynced);
        let all: Vec<&Unsynced> = self.closed.iter().chain(current).collect();
        let handles: Vec<(WalName, SyncHandle, u64)> = all
            .iter()
            .filter(|part| part.synced_len < part.len)
            .map(|part| (part.name, part.handle.clone(), part.len))
            .collect();
        let dir = all
            .iter()
            .any(|part| !part.name_synced)
            .then(|| self.dir.clone());
        (!handles.is_empty() || dir.is_some()).then_some(SyncJob { handles, dir })
    }

    /// Notes that a job was done.
    pub(in crate::tsdb) fn synced(&mut self, job: &SyncJob) {
        let current = self.current.iter_mut().map(|segment| &mut segment.unsynced);
        for part in self.closed.iter_mut().chain(current) {
            if let Some((_, _, len)) = job.handles.iter().find(|(name, _, _)| *name == part.name) {
                part.synced_len = part.synced_len.max(*len);
                // The job listed this segment, so its name was there when the directory was synced.
                part.name_synced |= job.dir.is_some();
            }
        }
        self.closed
            .retain(|part| part.synced_len < part.len || !part.name_synced);
    }

    /// Begins a checkpoint: a file that will replace all others.
    pub(in crate::tsdb) fn begin_checkpoint(&mut self) -> io::Result<Checkpoint> {
        // Whatever becomes of it, later segments must come after it, or a checkpoint that turns up after a crash
        // would hide them.
        self.close_segment();
        let name = WalName {
            number: self.next_number,
            checkpoint: true,
        };
        self.next_number += 1;
        let path = name.path(&self.dir);
        let temporary = PathBuf::from(format!("{}.tmp", path.display()));
        let mut file = self.disk.open_append(&temporary)?;
        let header = frame::file_header();
        if let Err(error) = file.append(&header) {
            let _ = self.disk.remove(&temporary);
            return Err(error);
        }
        Ok(Checkpoint {
            name,
            path,
            temporary,
            file,
            len: header.len() as u64,
        })
    }

    /// Gives up a checkpoint that could not be written.
    pub(in crate::tsdb) fn abandon_checkpoint(&self, checkpoint: Checkpoint) {
        let _ = self.disk.remove(&checkpoint.temporary);
    }

    /// Makes a checkpoint take the place of all older files. Answers how many of those could not be removed.
    pub(in crate::tsdb) fn finish_checkpoint(
        &mut self,
        mut checkpoint: Checkpoint,
    ) -> io::Result<u64> {
        let durable = checkpoint
            .file
            .sync()
            .and_then(|()| self.disk.rename(&checkpoint.temporary, &checkpoint.path));
        if let Err(error) = durable {
            self.abandon_checkpoint(checkpoint);
            return Err(error);
        }
        self.files.insert(checkpoint.name, checkpoint.len);
        self.disk.sync_dir(&self.dir)?;
        self.closed.clear();
        let superseded: Vec<WalName> = self
            .files
            .keys()
            .copied()
            .filter(|name| *name < checkpoint.name)
            .collect();
        let mut failed = 0;
        for name in superseded {
            match self.disk.remove(&name.path(&self.dir)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => failed += 1,
                Ok(()) | Err(_) => {
                    self.files.remove(&name);
                }
            }
        }
        Ok(failed)
    }

    /// How many files the log has.
    pub(in crate::tsdb) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// How many bytes the log has.
    pub(in crate::tsdb) fn bytes(&self) -> u64 {
        self.files.values().sum()
    }
}

/// A checkpoint that is being written.
pub(in crate::tsdb) struct Checkpoint {
    name: WalName,
    path: PathBuf,
    temporary: PathBuf,
    file: Box<dyn AppendFile>,
    len: u64,
}

impl Checkpoint {
    /// Adds a record.
    pub(in crate::tsdb) fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(payload.len() + 12);
        frame::put(&mut bytes, payload);
        self.file.append(&bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}

impl SyncJob {
    /// Does the job. After an error nothing is known about the bytes that it covered.
    pub(in crate::tsdb) fn run(&self, disk: &dyn Disk) -> io::Result<()> {
        for (_, handle, _) in &self.handles {
            handle.lock().expect("a sync does not panic").sync()?;
        }
        match &self.dir {
            Some(dir) => disk.sync_dir(dir),
            None => Ok(()),
        }
    }
}
