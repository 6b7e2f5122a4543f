//! Files, as the stores need them: append, sync, rename, list, remove. No seek-and-overwrite exists, on purpose: every
//! on-disk format of this project is append-only or written whole, which is what makes recovery simple.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file open for appending.
pub trait AppendFile: Send {
    /// Adds bytes at the end. On an error the file may hold a part of them: readers must detect torn tails.
    ///
    /// # Errors
    /// The operating system's: no space, input/output. After an error stop using the file.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was appended survive power loss. After an error the data's fate is unknown: never retry, poison the writer.
    ///
    /// # Errors
    /// The operating system's.
    fn sync(&mut self) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// The size of a file system, in bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// In all.
    pub total: u64,
    /// What an ordinary program may still write.
    pub available: u64,
}

/// A file system. Blocking; call it from blocking work.
pub trait Disk: Send + Sync {
    /// Makes a directory and its parents; fine if it exists.
    ///
    /// # Errors
    /// The operating system's.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Names (not paths) of a directory's entries, sorted.
    ///
    /// # Errors
    /// The operating system's; `NotFound` when there is no such directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// A whole file.
    ///
    /// # Errors
    /// The operating system's.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Up to `len` bytes from `offset`; fewer at the end of the file.
    ///
    /// # Errors
    /// The operating system's.
    fn read_at(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// A file's length.
    ///
    /// # Errors
    /// The operating system's.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// Opens a file for appending, making it when it is missing. Its name survives power loss only after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// The operating system's.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;

    /// Cuts a file to `len` bytes: for torn tails.
    ///
    /// # Errors
    /// The operating system's.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;

    /// Renames a file, replacing the target.
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Takes the lock that a file stands for, held until the answer is dropped (or the process ends, however it does).
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it; else the operating system's.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let _ = path;
        Ok(Box::new(()))
    }

    /// How much space the file system of a path has.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where there is no answer.
    fn space(&self, path: &Path) -> io::Result<Space> {
        let _ = path;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Makes the names in a directory (creations, renames, removals) survive power loss.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// Writes a whole file so that a crash leaves either the old or the new content, never a mixture.
///
/// # Errors
/// The operating system's; the old content is then still in place.
pub fn write_atomically(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = PathBuf::from(format!("{}.tmp", path.display()));
    if disk.len(&temporary).is_ok() {
        disk.remove(&temporary)?;
    }
    let mut file = disk.open_append(&temporary)?;
    file.append(bytes)?;
    file.sync()?;
    drop(file);
    disk.rename(&temporary, path)?;
    disk.sync_dir(path.parent().unwrap_or_else(|| Path::new(".")))
}

/// The machine's file system.
pub struct OsDisk;

struct OsFile(File);

impl AppendFile for OsFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl Disk for OsDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(folder(dir))?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<String>>>()?;
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn read_at(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(len as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Box::new(OsFile(file)))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(file))
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(Space {
            total: stat.f_blocks * stat.f_frsize,
            available: stat.f_bavail * stat.f_frsize,
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(folder(dir))?.sync_all()
    }
}

/// The parent of a bare file name is empty; what is meant is the working folder.
fn folder(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() {
        return Path::new(".");
    }
    dir
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `follow: - path: log.jsonl` names a file whose parent is empty.
    #[test]
    fn an_empty_folder_is_the_working_folder() {
        let (empty, here) = (Path::new(""), Path::new("."));
        assert_eq!(OsDisk.list(empty).unwrap(), OsDisk.list(here).unwrap());
        OsDisk.sync_dir(empty).unwrap();
    }
}
