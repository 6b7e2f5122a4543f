//! Follows a log file: reads what is added, notices truncation and rotation, and resumes after a restart.
//!
//! The position is saved after lines are stored, so a crash may bring the last second's lines twice and never loses one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{LogEntry, LogTime};
use plan::FollowedFile;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use world::{Disk, World, write_atomically};

use super::backend::LogsError;
use super::decode::{decode_json_line, decode_plain_line};
use super::intake::Intake;
use crate::fnv::fnv1a;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How much is read at a time.
const READ_BYTES: usize = 1 << 20;
/// How much of the file's beginning tells it from its successor after a rotation.
const FINGERPRINT_BYTES: usize = 256;
/// The version of the position file's format.
const POSITION_FORMAT: u32 = 1;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    format: u32,
    offset: u64,
    /// The file's first bytes when the position was saved, as a checksum over their number.
    fingerprint_bytes: usize,
    fingerprint: u64,
}

/// Follows one file for ever.
pub struct Follower {
    file: FollowedFile,
    world: World,
    intake: Arc<Intake>,
    position_path: PathBuf,
    position: Position,
}

impl Follower {
    /// A follower that keeps its position under `dir`.
    pub fn new(file: FollowedFile, world: World, intake: Arc<Intake>, dir: &Path) -> Follower {
        let name: String = file
            .path
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .take(100)
            .collect();
        // Two paths may look alike without their signs.
        let position_path = dir.join(format!(
            "{name}-{:016x}.position",
            fnv1a(file.path.as_bytes())
        ));
        Follower {
            file,
            world,
            intake,
            position_path,
            position: Position::default(),
        }
    }

    /// Follows until told to stop, and then stops between two pieces: a piece that is stored has its position saved.
    pub async fn run(mut self, stop: CancellationToken) {
        self.position = self.load().await;
        while !stop.is_cancelled() {
            if self.advance(&stop).await {
                continue;
            }
            tokio::select! {
                // Stop first: there is always another look.
                biased;
                () = stop.cancelled() => {}
                () = self.world.clock.sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Takes the next piece in; whether there may be more right away.
    async fn advance(&mut self, stop: &CancellationToken) -> bool {
        let (path, position) = (PathBuf::from(&self.file.path), self.position.clone());
        let disk = self.world.disk.clone();
        // A file that is not there (yet) or was replaced while it was read is looked at again.
        let Ok(Some(piece)) = self
            .world
            .run_blocking(move || read_next(&*disk, &path, &position))
            .await
        else {
            return false;
        };
        let Some(end) = whole_lines(&piece.bytes) else {
            return false;
        };
        let now = LogTime::from(self.world.clock.now());
        let text = String::from_utf8_lossy(&piece.bytes[..end]);
        let entries = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                decode_json_line(line, &self.file.service, now)
                    .unwrap_or_else(|_| decode_plain_line(line, &self.file.service, now))
            })
            .collect();
        if !self.settle(entries, stop).await {
            return false;
        }
        let more = piece.bytes.len() == READ_BYTES;
        self.save(&piece, end).await;
        more
    }

    /// Brings lines in until each is stored or refused for good; whether that happened before the stop.
    async fn settle(&self, entries: Vec<LogEntry>, stop: &CancellationToken) -> bool {
        let mut waiting = self.intake.take(entries, 0).await.refused;
        loop {
            // A line that the plan has no class for any more is counted as dropped; it will not fit later either.
            waiting.retain(|(error, _)| !matches!(error, LogsError::BadRequest(_)));
            if waiting.is_empty() {
                return true;
            }
            if stop.is_cancelled() {
                return false;
            }
            self.world.clock.sleep(LOOK_EVERY).await;
            let mut refused = Vec::new();
            for (_, entries) in waiting {
                refused.extend(self.intake.take(entries.to_vec(), 0).await.refused);
            }
            waiting = refused;
        }
    }

    async fn load(&self) -> Position {
        let (disk, path) = (self.world.disk.clone(), self.position_path.clone());
        let bytes = self.world.run_blocking(move || disk.read(&path)).await;
        let position = bytes
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Position>(&bytes).ok());
        position
            .filter(|position| position.format == POSITION_FORMAT)
            .unwrap_or_default()
    }

    /// Saves the place behind the lines of a piece, with the fingerprint of the file that they were read from.
    async fn save(&mut self, piece: &Piece, end: usize) {
        self.position = Position {
            format: POSITION_FORMAT,
            offset: piece.start + end as u64,
            fingerprint_bytes: piece.head.len(),
            fingerprint: fnv1a(&piece.head),
        };
        let text = serde_json::to_vec(&self.position).expect("numbers are JSON");
        let (disk, path) = (self.world.disk.clone(), self.position_path.clone());
        self.world
            .run_blocking(move || {
                // A position that cannot be saved costs a doubled piece after a restart; the next save tries again.
                let dir = path.parent().unwrap_or(Path::new("."));
                let _ = disk
                    .create_dir_all(dir)
                    .and_then(|()| write_atomically(&*disk, &path, &text));
            })
            .await;
    }
}

/// What was read at once.
struct Piece {
    start: u64,
    bytes: Vec<u8>,
    /// The beginning of the file that it was read from.
    head: Vec<u8>,
}

/// Reads from the position on. When the file is another one or was cut: what its predecessor still holds, then from the
/// start. `None` when the file was replaced between two reads: what was read may be of either.
fn read_next(disk: &dyn Disk, path: &Path, position: &Position) -> std::io::Result<Option<Piece>> {
    let goes_on = is_followed(disk, path, position)?;
    if !goes_on && let Some(piece) = rest_of_predecessor(disk, path, position)? {
        return Ok(Some(piece));
    }
    let head = disk.read_at(path, 0, FINGERPRINT_BYTES)?;
    let start = if goes_on { position.offset } else { 0 };
    let bytes = disk.read_at(path, start, READ_BYTES)?;
    let head_after = disk.read_at(path, 0, head.len())?;
    Ok((head_after == head).then_some(Piece { start, bytes, head }))
}

/// Whether a file is the one that the position was saved for, at least as long as it was then.
fn is_followed(disk: &dyn Disk, path: &Path, position: &Position) -> std::io::Result<bool> {
    let known = position.fingerprint_bytes;
    let head = match disk.read_at(path, 0, known) {
        // Renamed away, and its successor is not there yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        head => head?,
    };
    let same = known > 0 && head.len() == known && fnv1a(&head) == position.fingerprint;
    Ok(same && disk.len(path)? >= position.offset)
}

/// Lines that were written between the last look and a rotation: they are in the file under its new name (`log.1`,
/// `log-20261123`), which begins with the old one.
fn rest_of_predecessor(
    disk: &dyn Disk,
    path: &Path,
    position: &Position,
) -> std::io::Result<Option<Piece>> {
    let (Some(dir), Some(name)) = (
        path.parent(),
        path.file_name().and_then(|name| name.to_str()),
    ) else {
        return Ok(None);
    };
    for other in disk.list(dir)? {
        let other_path = dir.join(&other);
        if other == name
            || !other.starts_with(name)
            || !is_followed(disk, &other_path, position).unwrap_or(false)
        {
            continue;
        }
        let bytes = disk.read_at(&other_path, position.offset, READ_BYTES)?;
        if whole_lines(&bytes).is_some() {
            let head = disk.read_at(&other_path, 0, FINGERPRINT_BYTES)?;
            let start = position.offset;
            return Ok(Some(Piece { start, bytes, head }));
        }
    }
    Ok(None)
}

/// How many bytes of a piece are whole lines. A piece that is full without a line break counts as one line, so that a
/// file without breaks cannot stop the follower.
fn whole_lines(piece: &[u8]) -> Option<usize> {
    match piece.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => Some(last + 1),
        None if piece.len() == READ_BYTES => Some(piece.len()),
        None => None,
    }
}
