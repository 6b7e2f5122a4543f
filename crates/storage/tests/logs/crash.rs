//! Crashes: the process dies, or the power goes, at every single disk operation of a script; and every operation fails once in
//! each way while the store goes on. Afterwards everything acknowledged is there exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use model::Level;
use storage::logs::LogStore;
use world::sim::{DiskFault, SimDisk};
use world::{AppendFile, Disk};

use crate::*;

/// A disk that the process loses after a number of changing operations: whatever it does later reaches nothing.
struct Mortal {
    disk: Arc<SimDisk>,
    last_operation: u64,
}

struct MortalFile {
    file: Box<dyn AppendFile>,
    disk: Arc<SimDisk>,
    last_operation: u64,
}

fn alive(disk: &SimDisk, last_operation: u64) -> io::Result<()> {
    if disk.operations() < last_operation {
        Ok(())
    } else {
        Err(io::Error::other("the process is dead"))
    }
}

impl Mortal {
    fn alive(&self) -> io::Result<()> {
        alive(&self.disk, self.last_operation)
    }
}

impl AppendFile for MortalFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        alive(&self.disk, self.last_operation)?;
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        alive(&self.disk, self.last_operation)?;
        self.file.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

impl Disk for Mortal {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn read_at(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.disk.read_at(path, offset, len)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.disk.len(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.alive()?;
        Ok(Box::new(MortalFile {
            file: self.disk.open_append(path)?,
            disk: self.disk.clone(),
            last_operation: self.last_operation,
        }))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.alive()?;
        self.disk.truncate(path, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.alive()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        self.disk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.alive()?;
        self.disk.sync_dir(dir)
    }
}

/// What the script was told about its lines.
#[derive(Default)]
struct Promises {
    acknowledged: BTreeSet<String>,
    /// Acknowledged, then synced without an error.
    synced: BTreeSet<String>,
    /// Acknowledged, but a sync that should have covered them failed.
    unsure: BTreeSet<String>,
    failed: BTreeSet<String>,
    /// Their time was over by the end.
    expired: BTreeSet<String>,
    next: u32,
}

const OPTIONS: [(&str, u64); 2] = [("INFO", 2), ("ERROR", 30)];
const END: i64 = MIDNIGHT + 4 * DAY + 2 * HOUR;

/// Appends over several days with late lines, syncs, seals, deletes, reopens.
fn script(disk: &Arc<dyn Disk>, promises: &mut Promises) {
    let options = classes(&OPTIONS);
    let Ok((mut store, _)) = LogStore::open(disk.clone(), dir(), options.clone(), at(MIDNIGHT))
    else {
        return;
    };
    for half_day in 0..6 {
        let now = MIDNIGHT + half_day * DAY / 2 + HOUR;
        for class in ["INFO", "ERROR"] {
            promises.append(&store, class, &[now], now);
            promises.append(&store, class, &[now, now - DAY, now - 1], now);
        }
        promises.sync(&store);
        promises.append(&store, "ERROR", &[now, now - 2 * DAY], now);
        let _ = store.maintain(at(now));
        if half_day % 3 == 2 {
            drop(store);
            match LogStore::open(disk.clone(), dir(), options.clone(), at(now)) {
                Ok((reopened, recovery)) => {
                    store = reopened;
                    if !recovery.failures.is_empty() {
                        promises.doubt_unsynced();
                    }
                }
                Err(_) => return,
            }
        }
        promises.append(&store, "INFO", &[now + 1], now);
    }
    let _ = store.maintain(at(END));
}

impl Promises {
    fn append(&mut self, store: &LogStore, class: &str, times: &[i64], now: i64) {
        let mut batch = Vec::new();
        for time in times {
            let name = format!("line {}", self.next);
            self.next += 1;
            if class == "INFO" && time + 2 * DAY <= END {
                self.expired.insert(name.clone());
            }
            batch.push(line(*time, Level::Info, &name));
        }
        let names = batch.iter().map(|entry| entry.message.clone());
        match store.append(class, &batch, at(now)) {
            Ok(accepted) => {
                assert_eq!(accepted.stored, times.len() as u64);
                self.acknowledged.extend(names);
            }
            Err(_) => {
                let seen = messages(store, now);
                for name in names {
                    assert!(!seen.contains(&name), "{name} failed and is visible");
                    self.failed.insert(name);
                }
            }
        }
    }

    fn sync(&mut self, store: &LogStore) {
        match store.sync() {
            Ok(()) => {
                let sure = self.acknowledged.difference(&self.unsure).cloned();
                self.synced.extend(sure);
            }
            Err(_) => self.doubt_unsynced(),
        }
    }

    fn doubt_unsynced(&mut self) {
        let open = self.acknowledged.difference(&self.synced).cloned();
        self.unsure.extend(open);
    }

    /// What must be there is there once; nothing is there twice; nothing is there that nobody wrote.
    fn check(&self, store: &LogStore, must: &BTreeSet<String>, image: &str) {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for name in messages(store, END) {
            *seen.entry(name).or_default() += 1;
        }
        for name in must.difference(&self.expired) {
            assert_eq!(
                seen.get(name),
                Some(&1),
                "{name} must be there once: {image}"
            );
        }
        for (name, times) in &seen {
            assert_eq!(*times, 1, "{name}: {image}");
            assert!(
                self.acknowledged.contains(name) || self.failed.contains(name),
                "{name} was never written: {image}"
            );
            assert!(!self.expired.contains(name), "{name} is over: {image}");
        }
    }
}

/// Opens what a crash left, and checks it before and after maintenance, and after a second opening.
fn check_image(disk: &Arc<SimDisk>, promises: &Promises, power_lost: bool, image: &str) {
    let must = if power_lost {
        &promises.synced
    } else {
        &promises.acknowledged
    };
    let options = classes(&OPTIONS);
    let (store, recovery) = open(disk, &options, END);
    assert_eq!(recovery.damaged_frames, 0, "{image}");
    assert!(
        recovery.failures.is_empty() && recovery.unknown_files.is_empty(),
        "{image}"
    );
    promises.check(&store, must, image);
    store
        .append("ERROR", &[line(END, Level::Info, "after")], at(END))
        .unwrap();
    store.maintain(at(END + 1)).unwrap();
    assert_eq!(messages(&store, END)[0], "after");
    drop(store);
    disk.lose_power();
    let (store, recovery) = open(disk, &options, END);
    assert_eq!(recovery.temporaries_removed, 0, "{image}");
    let mut promises_after = Promises {
        acknowledged: promises.acknowledged.clone(),
        failed: promises.failed.clone(),
        expired: promises.expired.clone(),
        ..Promises::default()
    };
    promises_after.acknowledged.insert("after".to_owned());
    // What was readable after the first opening was made durable by it.
    promises_after.check(&store, must, image);
}

fn operations() -> u64 {
    let disk = Arc::new(SimDisk::new(1));
    let shared: Arc<dyn Disk> = disk.clone();
    let mut promises = Promises::default();
    script(&shared, &mut promises);
    assert!(promises.failed.is_empty());
    assert!(promises.synced.difference(&promises.expired).count() > 15);
    disk.operations()
}

#[test]
fn the_process_dies_at_every_operation() {
    let mut images = 0;
    for last_operation in 1..=operations() {
        // How much of an unsynced tail survives is drawn from the seed.
        for (power_lost, seeds) in [(false, 1), (true, 3)] {
            for seed in 0..seeds {
                let disk = Arc::new(SimDisk::new(1000 * seed + last_operation));
                let mortal: Arc<dyn Disk> = Arc::new(Mortal {
                    disk: disk.clone(),
                    last_operation,
                });
                let mut promises = Promises::default();
                script(&mortal, &mut promises);
                if power_lost {
                    disk.lose_power();
                }
                let image =
                    format!("operation {last_operation}, power lost {power_lost}, seed {seed}");
                check_image(&disk, &promises, power_lost, &image);
                images += 1;
            }
        }
    }
    println!("{images} images");
    assert!(images >= 400);
}

#[test]
fn every_operation_fails_once_and_the_store_goes_on() {
    let mut images = 0;
    for operation in 1..=operations() {
        for fault in [DiskFault::Io, DiskFault::Torn, DiskFault::Full] {
            // Both ends of the process for each fault; which operation meets which end is of no importance.
            let power_lost = operation % 2 == 0;
            let disk = Arc::new(SimDisk::new(operation));
            disk.fail_at(operation, fault);
            let shared: Arc<dyn Disk> = disk.clone();
            let mut promises = Promises::default();
            script(&shared, &mut promises);
            disk.heal();
            if power_lost {
                disk.lose_power();
            }
            let image = format!("{fault:?} at {operation}, power lost {power_lost}");
            check_image(&disk, &promises, power_lost, &image);
            images += 1;
        }
    }
    println!("{images} images");
    assert!(images >= 400);
}

#[test]
fn recovery_may_crash_too() {
    let mut images = 0;
    let operations = operations();
    for last_operation in (1..=operations).step_by(11) {
        for during_recovery in 1..12 {
            let disk = Arc::new(SimDisk::new(last_operation));
            let mortal: Arc<dyn Disk> = Arc::new(Mortal {
                disk: disk.clone(),
                last_operation,
            });
            let mut promises = Promises::default();
            script(&mortal, &mut promises);
            disk.lose_power();
            let mortal: Arc<dyn Disk> = Arc::new(Mortal {
                disk: disk.clone(),
                last_operation: disk.operations() + during_recovery,
            });
            let _ = LogStore::open(mortal, dir(), classes(&OPTIONS), at(END));
            disk.lose_power();
            let image = format!("operation {last_operation}, then {during_recovery} of recovery");
            check_image(&disk, &promises, true, &image);
            images += 1;
        }
    }
    println!("{images} images");
}
