//! A disk in memory that forgets what was not synced, and fails where a test says so.
//!
//! Power loss takes bytes that were appended after the last `sync` (all, or all but a torn prefix) and names that were
//! created, renamed or removed after the last `sync_dir`. A process that is killed loses nothing here, as with a real kernel.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::SeededEntropy;
use crate::{AppendFile, Disk};

/// What goes wrong at a chosen operation.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// No space left; nothing is written. Holds for every later write until [`SimDisk::heal`].
    Full,
    /// Input/output error, once.
    Io,
    /// An append writes only a part of its bytes, then fails. Once.
    Torn,
}

#[derive(Default)]
struct Inode {
    content: Vec<u8>,
    synced: Synced,
}

enum Synced {
    /// The first n bytes of the present content are safe.
    Prefix(usize),
    /// The content was cut below what was safe; this is what power loss brings back.
    Older(Vec<u8>),
}

impl Default for Synced {
    fn default() -> Synced {
        Synced::Prefix(0)
    }
}

#[derive(Default)]
struct State {
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<PathBuf, u64>,
    safe_names: BTreeMap<PathBuf, u64>,
    next_inode: u64,
    operations: u64,
    planned: Option<(u64, DiskFault)>,
    full: bool,
}

/// The simulated disk. Clones of the `Arc` around it share the content, as processes share a real disk.
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    entropy: SeededEntropy,
}

impl SimDisk {
    /// An empty disk; the seed decides how much of an unsynced tail survives a power loss.
    pub fn new(seed: u64) -> SimDisk {
        SimDisk {
            state: Arc::default(),
            entropy: SeededEntropy::new(seed),
        }
    }

    /// How many changing operations (append, sync, truncate, rename, remove, sync_dir, creation) were done so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Lets the changing operation with this number (counted from 1) fail.
    pub fn fail_at(&self, operation: u64, fault: DiskFault) {
        self.lock().planned = Some((operation, fault));
    }

    /// Ends a full disk and forgets a planned fault.
    pub fn heal(&self) {
        let mut state = self.lock();
        state.full = false;
        state.planned = None;
    }

    /// Cuts the power: unsynced names and bytes are gone, but for a torn prefix of the bytes.
    pub fn lose_power(&self) {
        let mut state = self.lock();
        state.names = state.safe_names.clone();
        for inode in state.inodes.values_mut() {
            let kept = match std::mem::take(&mut inode.synced) {
                Synced::Prefix(safe) => {
                    let unsynced = inode.content.len().saturating_sub(safe) as u64;
                    let torn = self.entropy.below(unsynced + 1) as usize;
                    inode.content.truncate(safe + torn);
                    std::mem::take(&mut inode.content)
                }
                Synced::Older(content) => content,
            };
            inode.synced = Synced::Prefix(kept.len());
            inode.content = kept;
        }
    }

    /// Changes one byte of a file: decay, for tests of checksums.
    ///
    /// # Panics
    /// When there is no such file or byte.
    pub fn flip(&self, path: &Path, offset: usize) {
        let mut state = self.lock();
        let inode = state.names[path];
        state
            .inodes
            .get_mut(&inode)
            .expect("names point at inodes")
            .content[offset] ^= 0x40;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl State {
    /// Counts a changing operation and says whether it fails.
    fn step(&mut self, needs_space: bool) -> Result<(), DiskFault> {
        self.operations += 1;
        if let Some((operation, fault)) = self.planned
            && operation == self.operations
        {
            self.planned = None;
            self.full = fault == DiskFault::Full;
            if !self.full {
                return Err(fault);
            }
        }
        if self.full && needs_space {
            Err(DiskFault::Full)
        } else {
            Ok(())
        }
    }

    fn inode(&self, path: &Path) -> io::Result<u64> {
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn content(&self, path: &Path) -> io::Result<&[u8]> {
        let inode = self.inode(path)?;
        Ok(&self.inodes[&inode].content)
    }

    fn has_dir(&self, dir: &Path) -> bool {
        self.names
            .keys()
            .any(|path| path != dir && path.starts_with(dir))
    }
}

fn error(fault: DiskFault) -> io::Error {
    match fault {
        DiskFault::Full => io::Error::from(io::ErrorKind::StorageFull),
        DiskFault::Io | DiskFault::Torn => io::Error::other("simulated input/output error"),
    }
}

struct SimFile {
    state: Arc<Mutex<State>>,
    inode: u64,
}

impl SimFile {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl AppendFile for SimFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let outcome = state.step(true);
        let inode = state
            .inodes
            .get_mut(&self.inode)
            .expect("an open file keeps its inode");
        match outcome {
            Ok(()) => inode.content.extend_from_slice(bytes),
            Err(DiskFault::Torn) => inode.content.extend_from_slice(&bytes[..bytes.len() / 2]),
            Err(DiskFault::Full | DiskFault::Io) => {}
        }
        outcome.map_err(error)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.lock();
        state.step(false).map_err(error)?;
        let inode = state
            .inodes
            .get_mut(&self.inode)
            .expect("an open file keeps its inode");
        inode.synced = Synced::Prefix(inode.content.len());
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().inodes[&self.inode].content.len() as u64)
    }
}

impl Disk for SimDisk {
    fn create_dir_all(&self, _dir: &Path) -> io::Result<()> {
        // Directories exist as soon as a file in them does; making one loses nothing.
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        let mut names: Vec<String> = state
            .names
            .keys()
            .filter_map(|path| path.strip_prefix(dir).ok())
            .filter_map(|rest| rest.components().next())
            .map(|first| first.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.dedup();
        Ok(names)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.lock().content(path)?.to_vec())
    }

    fn read_at(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let state = self.lock();
        let content = state.content(path)?;
        let start = (offset as usize).min(content.len());
        Ok(content[start..content.len().min(start.saturating_add(len))].to_vec())
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        let state = self.lock();
        if state.has_dir(path) {
            return Ok(0);
        }
        Ok(state.content(path)?.len() as u64)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut state = self.lock();
        let inode = match state.inode(path) {
            Ok(inode) => inode,
            Err(_) => {
                state.step(true).map_err(error)?;
                let inode = state.next_inode;
                state.next_inode += 1;
                state.inodes.insert(inode, Inode::default());
                state.names.insert(path.to_owned(), inode);
                inode
            }
        };
        Ok(Box::new(SimFile {
            state: self.state.clone(),
            inode,
        }))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.step(false).map_err(error)?;
        let inode = state.inode(path)?;
        let inode = state.inodes.get_mut(&inode).expect("names point at inodes");
        if let Synced::Prefix(safe) = inode.synced
            && (len as usize) < safe
        {
            inode.synced = Synced::Older(inode.content[..safe].to_vec());
        }
        inode.content.truncate(len as usize);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.step(false).map_err(error)?;
        let inode = state.inode(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.step(false).map_err(error)?;
        state.inode(path)?;
        state.names.remove(path);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.step(false).map_err(error)?;
        let in_dir = |path: &Path| path.parent() == Some(dir);
        let present: Vec<(PathBuf, u64)> = state
            .names
            .iter()
            .filter(|(path, _)| in_dir(path))
            .map(|(path, inode)| (path.clone(), *inode))
            .collect();
        state.safe_names.retain(|path, _| !in_dir(path));
        state.safe_names.extend(present);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk_with(path: &Path, bytes: &[u8]) -> SimDisk {
        let disk = SimDisk::new(1);
        let mut file = disk.open_append(path).unwrap();
        file.append(bytes).unwrap();
        file.sync().unwrap();
        disk
    }

    #[test]
    fn power_loss_takes_unsynced_names() {
        let path = Path::new("a/log");
        let disk = disk_with(path, b"kept");
        disk.lose_power();
        assert!(disk.read(path).is_err(), "the directory was not synced");

        let disk = disk_with(path, b"kept");
        disk.sync_dir(Path::new("a")).unwrap();
        disk.open_append(path).unwrap().append(b" lost").unwrap();
        disk.lose_power();
        let content = disk.read(path).unwrap();
        assert!(content.starts_with(b"kept") && content.len() <= b"kept lost".len());
    }

    #[test]
    fn power_loss_undoes_an_unsynced_cut() {
        let path = Path::new("a/log");
        let disk = disk_with(path, b"whole");
        disk.sync_dir(Path::new("a")).unwrap();
        disk.truncate(path, 1).unwrap();
        assert_eq!(disk.read(path).unwrap(), b"w");
        disk.lose_power();
        assert_eq!(disk.read(path).unwrap(), b"whole");
    }

    #[test]
    fn faults_come_where_planned() {
        let path = Path::new("a/log");
        let disk = disk_with(path, b"x");
        disk.fail_at(disk.operations() + 1, DiskFault::Torn);
        let mut file = disk.open_append(path).unwrap();
        assert!(file.append(b"1234").is_err());
        assert_eq!(disk.read(path).unwrap(), b"x12");
        disk.fail_at(disk.operations() + 1, DiskFault::Full);
        assert_eq!(
            file.append(b"5").unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
        assert!(file.append(b"5").is_err(), "a full disk stays full");
        disk.heal();
        file.append(b"5").unwrap();
    }
}
