//! Decay: one byte of one file is flipped, lost or cut off. The store opens, says what is missing and never shows a line that
//! nobody wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Level;
use storage::logs::Options;
use world::Disk;
use world::sim::SimDisk;

use crate::*;

const NOW: i64 = MIDNIGHT + DAY + HOUR;

fn options() -> Options {
    classes(&[("INFO", 30), ("ERROR", 90)])
}

/// Two sealed files of yesterday and two open ones of today.
fn filled() -> (SimDisk, Vec<String>) {
    let disk = Arc::new(SimDisk::new(3));
    let (store, _) = open(&disk, &options(), MIDNIGHT);
    let mut serial = 0;
    for (now, batches) in [(MIDNIGHT, 3), (NOW, 4)] {
        for class in ["INFO", "ERROR"] {
            for batch in 0..batches {
                let lines: Vec<_> = (0..=batch)
                    .map(|nth| {
                        serial += 1;
                        line(
                            now + nth * 1000 + batch,
                            Level::Info,
                            &format!("line {serial}"),
                        )
                    })
                    .collect();
                store.append(class, &lines, at(now)).unwrap();
            }
        }
        // Seals yesterday in the second round.
        store.maintain(at(NOW)).unwrap();
    }
    store.sync().unwrap();
    let all = messages(&store, NOW);
    (copy(&disk), all)
}

fn paths(disk: &SimDisk) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for class in disk.list(dir()).unwrap() {
        let folder = dir().join(class);
        found.extend(
            disk.list(&folder)
                .unwrap()
                .iter()
                .map(|name| folder.join(name)),
        );
    }
    found
}

/// A disk on which one file has other bytes.
fn with(disk: &SimDisk, path: &Path, bytes: &[u8]) -> Arc<SimDisk> {
    let twin = copy(disk);
    twin.remove(path).unwrap();
    put(&twin, path, bytes);
    Arc::new(twin)
}

/// How many lines are missing; whatever is shown is right and in order.
fn missing(disk: &Arc<SimDisk>, all: &[String], verify_sealed: bool, what: &str) -> (usize, bool) {
    let options = Options {
        verify_sealed,
        ..options()
    };
    let (store, recovery) = open(disk, &options, NOW);
    let shown = messages(&store, NOW);
    let mut rest = all.iter();
    for message in &shown {
        assert!(
            rest.any(|known| known == message),
            "{message} is wrong or out of order: {what}"
        );
    }
    let told_at_opening = recovery.damaged_frames > 0 || recovery.torn_tails > 0;
    let told_when_read = store.stats().iter().any(|class| class.damaged_frames > 0);
    if verify_sealed && shown.len() < all.len() {
        assert!(told_at_opening, "{what}");
    }
    // Maintenance and another opening lose nothing more.
    store.maintain(at(NOW + DAY)).unwrap();
    assert_eq!(messages(&store, NOW + DAY), shown, "{what}");
    drop(store);
    let (store, _) = open(disk, &options, NOW + DAY);
    assert_eq!(messages(&store, NOW + DAY), shown, "{what}");
    (all.len() - shown.len(), told_at_opening || told_when_read)
}

#[test]
fn one_flipped_byte_anywhere() {
    let (disk, all) = filled();
    let mut worst = BTreeMap::new();
    let mut flips = 0;
    for path in paths(&disk) {
        let length = disk.read(&path).unwrap().len();
        for offset in 0..length {
            let twin = Arc::new(copy(&disk));
            twin.flip(&path, offset);
            let what = format!("{} at {offset}", path.display());
            let (missing, told) = missing(&twin, &all, offset % 2 == 0, &what);
            assert!(
                missing == 0 || told,
                "{missing} lines are missing in silence: {what}"
            );
            assert!(missing <= 12, "one frame at most: {what}");
            let kept = twin.len(&path).map_or(length as u64, |length| length);
            assert_eq!(kept, length as u64, "decay is no reason to cut: {what}");
            let sealed = path.to_string_lossy().ends_with("-2.log");
            let entry = worst.entry(sealed).or_insert(0);
            *entry = missing.max(*entry);
            flips += 1;
        }
    }
    println!("{flips} flips; most lines lost by one (sealed: lines): {worst:?}");
}

#[test]
fn one_file_cut_anywhere() {
    let (disk, all) = filled();
    for path in paths(&disk) {
        let bytes = disk.read(&path).unwrap();
        let sealed = path
            .file_stem()
            .is_some_and(|stem| stem.to_string_lossy()[11..].contains('-'));
        let mut silent = 0;
        for length in 0..bytes.len() {
            let twin = with(&disk, &path, &bytes[..length]);
            let what = format!("{} cut to {length}", path.display());
            let (missing, told) = missing(&twin, &all, false, &what);
            if missing > 0 && !told {
                silent += 1;
            }
        }
        // An open file that ends exactly behind a frame looks like one that never had more.
        assert!(
            silent <= if sealed { 0 } else { 4 },
            "{}: {silent}",
            path.display()
        );
    }
}

#[test]
fn one_byte_lost_from_the_middle() {
    let (disk, all) = filled();
    for path in paths(&disk) {
        let bytes = disk.read(&path).unwrap();
        for offset in (0..bytes.len()).step_by(7) {
            let mut fewer = bytes.clone();
            fewer.remove(offset);
            let what = format!("{} without byte {offset}", path.display());
            let (missing, told) = missing(&with(&disk, &path, &fewer), &all, false, &what);
            assert!(missing == 0 || told, "{what}");
        }
    }
}

#[test]
fn strangers_are_left_alone() {
    let (disk, all) = filled();
    let disk = Arc::new(disk);
    let strangers = [
        "readme.txt",
        "INFO/notes.txt",
        "INFO/2026-11-23.7.log.gz",
        "INFO/2026-11-23.07.log",
        "INFO/2026-02-30.7.log",
        "INFO/2026-11-23.7.log",
    ];
    for name in strangers {
        put(&disk, &dir().join(name), b"not a log file of ours");
    }
    // A file of another class, copied to the wrong place under a fitting name.
    let foreign = disk.read(&dir().join("ERROR/2026-11-24.0.log")).unwrap();
    put(&disk, &dir().join("INFO/2026-11-24.9.log"), &foreign);
    let (store, recovery) = open(&disk, &options(), NOW);
    assert_eq!(messages(&store, NOW), all);
    assert_eq!(
        recovery.unknown_files.len(),
        6,
        "{:?}",
        recovery.unknown_files
    );
    assert_eq!(
        recovery.damaged_frames, 1,
        "the one with a fitting name cannot be told from a damaged file"
    );
    store.maintain(at(NOW + DAY)).unwrap();
    for name in strangers {
        assert_eq!(
            disk.read(&dir().join(name)).unwrap(),
            b"not a log file of ours"
        );
    }
    assert_eq!(
        disk.read(&dir().join("INFO/2026-11-24.9.log")).unwrap(),
        foreign
    );
}

#[test]
fn a_frame_inside_a_line_is_not_taken_for_one() {
    let disk = Arc::new(SimDisk::new(1));
    let (store, _) = open(&disk, &options(), NOW);
    store
        .append("INFO", &[line(NOW, Level::Info, "planted")], at(NOW))
        .unwrap();
    let path = dir().join("INFO/2026-11-24.0.log");
    let frame = disk.read(&path).unwrap()[160..].to_vec();
    // The bytes of a frame, as a hostile sender could put them into a message (where they happen to be UTF-8).
    let text: String = frame.iter().map(|byte| char::from(byte & 0x7f)).collect();
    store
        .append("INFO", &[line(NOW, Level::Info, &text)], at(NOW))
        .unwrap();
    store
        .append("INFO", &[line(NOW, Level::Info, "last")], at(NOW))
        .unwrap();
    drop(store);
    let second = 160 + frame.len();
    disk.flip(&path, second + 5);
    let (store, recovery) = open(&disk, &options(), NOW);
    assert_eq!(messages(&store, NOW), ["last", "planted"]);
    assert_eq!((recovery.damaged_frames, recovery.lines), (1, 2));
}
