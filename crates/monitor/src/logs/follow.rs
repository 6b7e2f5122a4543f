//! Follows a log file: reads what is added, notices truncation and rotation, and resumes after a restart.
//!
//! The position is saved after lines are stored, so a crash may bring the last second's lines twice and never loses one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::LogTime;
use plan::FollowedFile;
use serde::{Deserialize, Serialize};
use world::{Disk, World, write_atomically};

use super::decode::{decode_json_line, decode_plain_line};
use super::intake::Intake;

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
    fingerprint: u32,
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
        let position_path = dir.join(format!("{name}.position"));
        Follower {
            file,
            world,
            intake,
            position_path,
            position: Position::default(),
        }
    }

    /// Follows until dropped.
    pub async fn run(mut self) {
        self.position = self.load().await;
        loop {
            while self.advance().await {}
            self.world.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Takes the next piece in; whether there may be more right away.
    async fn advance(&mut self) -> bool {
        let (path, position) = (PathBuf::from(&self.file.path), self.position.clone());
        let disk = self.world.disk.clone();
        // A file that is not there (yet) is looked for again.
        let Ok((start, piece)) = self
            .world
            .run_blocking(move || read_next(&*disk, &path, &position))
            .await
        else {
            return false;
        };
        let Some(end) = whole_lines(&piece) else {
            self.position.offset = start;
            return false;
        };
        let now = LogTime::from(self.world.clock.now());
        let text = String::from_utf8_lossy(&piece[..end]);
        let entries = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                decode_json_line(line, &self.file.service, now)
                    .unwrap_or_else(|_| decode_plain_line(line, &self.file.service, now))
            })
            .collect();
        if self.intake.take(entries, 0).await.is_err() {
            // The store refused; the same lines are tried again at the next look.
            return false;
        }
        self.position.offset = start + end as u64;
        self.save().await;
        piece.len() == READ_BYTES
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

    async fn save(&mut self) {
        let (disk, file, path) = (
            self.world.disk.clone(),
            self.file.path.clone(),
            self.position_path.clone(),
        );
        let mut position = self.position.clone();
        let saved = self
            .world
            .run_blocking(move || {
                let head = disk
                    .read_at(Path::new(&file), 0, FINGERPRINT_BYTES)
                    .unwrap_or_default();
                position.format = POSITION_FORMAT;
                position.fingerprint_bytes = head.len();
                position.fingerprint = fingerprint(&head);
                let text = serde_json::to_vec(&position).expect("numbers are JSON");
                if let Some(dir) = path.parent() {
                    // If this fails the write fails too, and the next save tries again.
                    let _ = disk.create_dir_all(dir);
                }
                let _ = write_atomically(&*disk, &path, &text);
                position
            })
            .await;
        self.position = saved;
    }
}

/// Reads from the position on, or from the start when the file is another one or was cut.
fn read_next(disk: &dyn Disk, path: &Path, position: &Position) -> std::io::Result<(u64, Vec<u8>)> {
    let length = disk.len(path)?;
    let head = disk.read_at(path, 0, position.fingerprint_bytes)?;
    let same = length >= position.offset && fingerprint(&head) == position.fingerprint;
    let start = if same || position.fingerprint_bytes == 0 {
        position.offset.min(length)
    } else {
        0
    };
    Ok((start, disk.read_at(path, start, READ_BYTES)?))
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

fn fingerprint(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
