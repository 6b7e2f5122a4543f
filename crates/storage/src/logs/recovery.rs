//! Opening: from a directory, in whatever state a crash or a bad disk left it, to the list of readable frames.
//!
//! Only three things are ever taken away here: a torn tail (the end of a write that was never acknowledged, or never synced before
//! the power went), a half-written sealed file, and a file that an intact sealed file replaces. Everything else that is
//! wrong is stepped over, counted and left for a person.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use world::Disk;

use super::day_file::{DayFile, FileHeader, FileName, HEADER_BYTES, HeaderError, Index};
use super::options::is_class_name;
use super::shelf::{Class, Shelf};
use super::walk::{Place, Walk, read_index, walk};
use super::{LogStoreError, Options};

/// Entries in each list of a report; the counters beside the lists count all.
const REPORT_MAX: usize = 100;

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovery {
    /// Readable files.
    pub files: u64,
    /// Readable lines.
    pub lines: u64,
    /// Bytes of all files of the store.
    pub bytes: u64,
    /// Frames that wait to be sealed.
    pub unsealed_frames: u64,
    /// Files whose last write was incomplete.
    pub torn_tails: u64,
    /// Bytes cut from them. No line in them was both acknowledged and synced.
    pub torn_bytes: u64,
    /// Damaged places: what was written there is missing.
    pub damaged_frames: u64,
    /// Their bytes.
    pub damaged_bytes: u64,
    /// Lines known to be in them; what a place without a readable frame header held is not known.
    pub damaged_lines: u64,
    /// The damaged places, the first hundred.
    pub damage: Vec<Damage>,
    /// Files in the store's directories that are not its own, or of a newer format. Left alone. The first hundred.
    pub unknown_files: Vec<PathBuf>,
    /// Half-written sealed files, removed; their lines are in the files they were made from.
    pub temporaries_removed: u64,
    /// Files that a sealed one had replaced, removed.
    pub replaced_removed: u64,
    /// Classes whose files keep their lines for another period than the plan says now.
    pub retention_changes: Vec<RetentionChange>,
    /// Classes that have files but are not in the plan. They are read and expire by their own period.
    pub unplanned_classes: Vec<String>,
    /// Repairs that the disk refused. The store works without them; they are tried again at the next opening.
    pub failures: Vec<String>,
}

/// A place in a file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Where it begins.
    pub offset: u64,
    /// How long it is; 0 if it is the end of the file that is missing.
    pub bytes: u64,
    /// How many lines are lost, where that is known.
    pub lines: Option<u32>,
}

/// Files that were made under another period than the plan's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionChange {
    /// The class.
    pub class: String,
    /// What the plan says now.
    pub planned: Duration,
    /// What the files say.
    pub in_files: Duration,
    /// The longer of the two: what holds for these files.
    pub kept: Duration,
    /// How many files.
    pub files: u64,
}

/// Reads all classes of a directory.
pub(super) fn recover(
    disk: &dyn Disk,
    dir: &Path,
    options: &Options,
) -> Result<(BTreeMap<String, Class>, Recovery), LogStoreError> {
    let mut recovery = Recovery::default();
    let planned: BTreeMap<&str, Duration> = options
        .classes
        .iter()
        .map(|class| (class.class.as_str(), whole_millis(class.keep)))
        .collect();
    make_directories(disk, dir, &planned)?;
    let listed = |dir: &Path| {
        disk.list(dir)
            .map_err(|source| LogStoreError::io("list", dir, source))
    };
    let mut names: BTreeSet<String> = planned.keys().map(|name| (*name).to_owned()).collect();
    for name in listed(dir)? {
        if is_class_name(&name) {
            names.insert(name);
        } else {
            recovery.unknown(dir.join(name));
        }
    }
    let mut classes = BTreeMap::new();
    for name in names {
        let keep = planned.get(name.as_str()).copied();
        let path = dir.join(&name);
        let entries = match disk.list(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                recovery.unknown(path);
                continue;
            }
            Err(source) => return Err(LogStoreError::io("list", &path, source)),
        };
        let mut opening = Opening {
            disk,
            class: &name,
            dir: &path,
            keep,
            verify_sealed: options.verify_sealed,
            shelf: Shelf::default(),
            intact: BTreeSet::new(),
            recovery: &mut recovery,
        };
        opening.load_all(entries);
        opening.hide_replaced();
        opening.make_durable();
        opening.count();
        let shelf = opening.shelf;
        if keep.is_none() && shelf.files.is_empty() && shelf.set_aside.is_empty() {
            continue;
        }
        if keep.is_none() {
            recovery.unplanned_classes.push(name.clone());
        }
        classes.insert(name.clone(), Class::new(name, path, keep, shelf));
    }
    Ok((classes, recovery))
}

impl Recovery {
    fn unknown(&mut self, path: PathBuf) {
        if self.unknown_files.len() < REPORT_MAX {
            self.unknown_files.push(path);
        }
    }

    fn failed(&mut self, action: &str, path: &Path, error: &io::Error) {
        if self.failures.len() < REPORT_MAX {
            let text = format!("could not {action} {}: {error}", path.display());
            self.failures.push(text);
        }
    }
}

fn make_directories(
    disk: &dyn Disk,
    dir: &Path,
    planned: &BTreeMap<&str, Duration>,
) -> Result<(), LogStoreError> {
    let failed = |source| LogStoreError::io("make", dir, source);
    disk.create_dir_all(dir).map_err(failed)?;
    for name in planned.keys() {
        disk.create_dir_all(&dir.join(name)).map_err(failed)?;
    }
    disk.sync_dir(dir).map_err(failed)?;
    match dir.parent() {
        Some(parent) => disk.sync_dir(parent).map_err(failed),
        None => Ok(()),
    }
}

/// The resolution that file headers have: a period must be equal to what comes back from the disk.
fn whole_millis(keep: Duration) -> Duration {
    Duration::from_millis(super::day_file::millis(keep))
}

/// One class while it is opened.
struct Opening<'a> {
    disk: &'a dyn Disk,
    class: &'a str,
    dir: &'a Path,
    keep: Option<Duration>,
    verify_sealed: bool,
    shelf: Shelf,
    /// Sealed files whose index is whole: they may cost the files that they replace.
    intact: BTreeSet<FileName>,
    recovery: &'a mut Recovery,
}

impl Opening<'_> {
    fn load_all(&mut self, entries: Vec<String>) {
        for entry in entries {
            let path = self.dir.join(&entry);
            let half_written = entry.strip_suffix(".tmp").and_then(FileName::parse);
            if half_written.is_some_and(|name| name.sealed) {
                match self.disk.remove(&path) {
                    Ok(()) => self.recovery.temporaries_removed += 1,
                    Err(error) => self.recovery.failed("remove", &path, &error),
                }
            } else if let Some(name) = FileName::parse(&entry) {
                self.shelf.reserve(&name);
                let loaded = if name.sealed {
                    self.load_sealed(name, &path)
                } else {
                    self.load_open(name, &path)
                };
                if let Err(error) = loaded {
                    self.recovery.failed("read", &path, &error);
                    self.set_unreadable_aside(name, &path, 0);
                }
            } else {
                self.recovery.unknown(path);
            }
        }
    }

    fn load_open(&mut self, name: FileName, path: &Path) -> io::Result<()> {
        let bytes = self.disk.read(path)?;
        let Some((header, salt)) = self.header(name, path, &bytes) else {
            return Ok(());
        };
        let walk = walk(&bytes, salt);
        let mut length = bytes.len() as u64;
        let mut closed = !walk.damage.is_empty();
        if walk.end < length {
            self.recovery.torn_tails += 1;
            match self.disk.truncate(path, walk.end) {
                Ok(()) => {
                    self.recovery.torn_bytes += length - walk.end;
                    length = walk.end;
                }
                Err(error) => {
                    self.recovery.failed("cut", path, &error);
                    closed = true;
                }
            }
        }
        let file = self.keep_file(&header, salt, length, walk);
        if closed {
            file.close();
        }
        Ok(())
    }

    fn load_sealed(&mut self, name: FileName, path: &Path) -> io::Result<()> {
        let length = self.disk.len(path)?;
        let start = self.disk.read_at(path, 0, HEADER_BYTES)?;
        let Some((header, salt)) = self.header(name, path, &start) else {
            return Ok(());
        };
        if let Some(frames) = read_index(self.disk, path, length, salt)? {
            let mut walk = Walk {
                frames,
                damage: Vec::new(),
                end: length,
            };
            if self.verify_sealed {
                walk.verify(self.disk, path)?;
            }
            self.keep_file(&header, salt, length, walk);
            self.intact.insert(name);
            return Ok(());
        }
        // Rare, and worth the memory: the file is read whole, and its frames are found one by one.
        let bytes = self.disk.read(path)?;
        let mut walk = walk(&bytes, salt);
        if walk.end < length || walk.damage.is_empty() {
            walk.damage.push(Place {
                offset: walk.end,
                bytes: length - walk.end,
                lines: None,
            });
        }
        self.keep_file(&header, salt, length, walk);
        Ok(())
    }

    /// Reads a file's header, or says what the file is instead and gives it its place.
    fn header(&mut self, name: FileName, path: &Path, bytes: &[u8]) -> Option<(FileHeader, u32)> {
        match FileHeader::decode(bytes) {
            Ok((header, salt)) if header.name == name && header.class == self.class => {
                return Some((header, salt));
            }
            Err(HeaderError::Unreadable) if is_torn_header(bytes) => {
                // The file was just being made; its first frame stands behind the header.
                self.recovery.torn_tails += 1;
                match self.disk.remove(path) {
                    Ok(()) => self.recovery.torn_bytes += bytes.len() as u64,
                    Err(error) => self.recovery.failed("remove", path, &error),
                }
            }
            Err(HeaderError::Unreadable) => {
                let length = self.disk.len(path).unwrap_or_default();
                self.set_unreadable_aside(name, path, length);
            }
            // Another version, or a file of another place that somebody copied here.
            Ok(_) | Err(HeaderError::OtherVersion) => {
                self.recovery.unknown(path.to_owned());
                self.shelf.set_aside.insert(name, None);
            }
        }
        None
    }

    fn set_unreadable_aside(&mut self, name: FileName, path: &Path, bytes: u64) {
        let deletion = self.keep.map(|keep| name.day.end().to_timestamp() + keep);
        self.shelf.set_aside.insert(name, deletion);
        let place = Place {
            offset: 0,
            bytes,
            lines: None,
        };
        self.report(path, &place);
    }

    fn keep_file(
        &mut self,
        header: &FileHeader,
        salt: u32,
        length: u64,
        walk: Walk,
    ) -> Arc<DayFile> {
        let mut index = Index {
            bytes: length,
            ..Index::default()
        };
        for frame in walk.frames {
            index.add(frame);
        }
        let file = Arc::new(DayFile::new(self.dir, header, salt, self.keep, index));
        for place in &walk.damage {
            self.report(&file.path, place);
            let mut index = file.index_mut();
            index.damaged_frames += 1;
            index.damaged_bytes += place.bytes;
            index.damaged_lines += u64::from(place.lines.unwrap_or_default());
        }
        self.shelf.files.insert(file.name, file.clone());
        file
    }

    fn report(&mut self, path: &Path, place: &Place) {
        self.recovery.damaged_frames += 1;
        self.recovery.damaged_bytes += place.bytes;
        self.recovery.damaged_lines += u64::from(place.lines.unwrap_or_default());
        if self.recovery.damage.len() < REPORT_MAX {
            self.recovery.damage.push(Damage {
                path: path.to_owned(),
                offset: place.offset,
                bytes: place.bytes,
                lines: place.lines,
            });
        }
    }

    /// Takes replaced files out of sight: their lines are in the sealed file that covers their numbers.
    fn hide_replaced(&mut self) {
        let sealed: Vec<FileName> = self.shelf.files.keys().copied().collect();
        let coverer = |name: &FileName| {
            let mut covering = sealed.iter().filter(|other| other.replaces(name));
            covering.next().copied()
        };
        let hidden: Vec<(FileName, FileName)> = sealed
            .iter()
            .filter_map(|name| Some((*name, coverer(name)?)))
            .collect();
        if hidden.is_empty() {
            return;
        }
        let safe = self.disk.sync_dir(self.dir);
        if let Err(error) = &safe {
            self.recovery.failed("sync", self.dir, error);
        }
        for (name, by) in hidden {
            let Some(file) = self.shelf.files.remove(&name) else {
                continue;
            };
            if !self.intact.contains(&by) {
                // The sealed file is damaged, so what it was made from may be wanted to repair it.
                self.shelf.set_aside.insert(name, Some(file.deletion));
            } else if safe.is_ok() && self.disk.remove(&file.path).is_ok() {
                self.recovery.replaced_removed += 1;
            } else {
                self.recovery.bytes += file.index().bytes;
                self.shelf.replaced.push(file);
            }
        }
    }

    /// What the last process wrote but did not sync was acknowledged all the same: see to it now. Also makes it sure that what
    /// is read now is there after a power loss.
    fn make_durable(&mut self) {
        let open: Vec<Arc<DayFile>> = self
            .shelf
            .files
            .values()
            .filter(|file| !file.name.sealed)
            .cloned()
            .collect();
        for file in &open {
            let synced = self
                .disk
                .open_append(&file.path)
                .and_then(|mut handle| handle.sync());
            if let Err(error) = synced {
                self.recovery.failed("sync", &file.path, &error);
                file.close();
            }
        }
        if !self.shelf.files.is_empty()
            && let Err(error) = self.disk.sync_dir(self.dir)
        {
            self.recovery.failed("sync", self.dir, &error);
        }
    }

    fn count(&mut self) {
        let mut changes: BTreeMap<Duration, u64> = BTreeMap::new();
        for file in self.shelf.files.values() {
            let index = file.index();
            self.recovery.files += 1;
            self.recovery.lines += index.lines;
            self.recovery.bytes += index.bytes;
            if !file.name.sealed {
                self.recovery.unsealed_frames += index.frames.len() as u64;
            }
            if self.keep.is_some_and(|keep| keep != file.keep_at_creation) {
                *changes.entry(file.keep_at_creation).or_default() += 1;
            }
        }
        let Some(planned) = self.keep else {
            return;
        };
        let changes = changes
            .into_iter()
            .map(|(in_files, files)| RetentionChange {
                class: self.class.to_owned(),
                planned,
                in_files,
                kept: planned.max(in_files),
                files,
            });
        self.recovery.retention_changes.extend(changes);
    }
}

/// Whether these are the first bytes of a file of ours whose making was interrupted.
fn is_torn_header(bytes: &[u8]) -> bool {
    let magic = b"BLFRYLOG";
    let shared = bytes.len().min(magic.len());
    bytes.len() < HEADER_BYTES
        && (bytes[..shared] == magic[..shared] || bytes.iter().all(|byte| *byte == 0))
}
