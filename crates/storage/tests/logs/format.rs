//! Files of every version of the format stay readable: the fixtures were written once and are never written again.

use std::sync::Arc;

use model::{Level, LogEntry};
use world::Disk;
use world::sim::SimDisk;

use crate::*;

const NOW: i64 = MIDNIGHT + HOUR;

fn entries() -> Vec<LogEntry> {
    let mut lines = vec![
        line(NOW, Level::Debug, "one"),
        line(NOW + 1, Level::Error, "two\n\u{1b}[31mtwo"),
        line(NOW + 2, Level::Info, &"long ".repeat(200)),
    ];
    lines[1].category = Some("security".to_owned());
    lines
}

/// Writes what the fixtures of version 1 hold, as today's code would.
fn write() -> Arc<SimDisk> {
    let disk = Arc::new(SimDisk::new(1));
    let (store, _) = open(&disk, &classes(&[("INFO", 30)]), NOW);
    store.append("INFO", &entries()[..1], at(NOW)).unwrap();
    store.append("INFO", &entries()[1..], at(NOW)).unwrap();
    disk
}

fn check(name: &str, bytes: &[u8]) {
    let disk = Arc::new(SimDisk::new(1));
    put(&disk, &dir().join("INFO").join(name), bytes);
    let (store, recovery) = open(&disk, &classes(&[("INFO", 30)]), NOW);
    assert_eq!(
        (recovery.lines, recovery.damaged_frames, recovery.torn_tails),
        (3, 0, 0)
    );
    let mut found = scan(&store, &everything(), NOW);
    found.reverse();
    let found: Vec<LogEntry> = found.into_iter().map(|found| found.entry).collect();
    assert_eq!(found, entries());
}

#[test]
fn version_1_open() {
    check("2026-11-23.0.log", include_bytes!("fixtures/v1-open.log"));
}

#[test]
fn version_1_sealed() {
    check(
        "2026-11-23.0-0.log",
        include_bytes!("fixtures/v1-sealed.log"),
    );
}

#[test]
fn what_is_written_today() {
    let disk = write();
    let path = dir().join("INFO/2026-11-23.0.log");
    let header = &disk.read(&path).unwrap()[..160];
    assert_eq!(
        header,
        &include_bytes!("fixtures/v1-open.log")[..160],
        "a changed header is a new version"
    );
}
