//! How small realistic lines become. Printed, not asserted: `cargo test -p storage --test logs size -- --nocapture`.

use std::sync::Arc;

use model::{Level, LogEntry, LogTime};
use storage::logs::LogStore;
use world::Entropy;
use world::sim::{SeededEntropy, SimDisk};

use crate::*;

const LINES: usize = 100_000;

fn realistic(random: &SeededEntropy, nanos: i64) -> LogEntry {
    let pick = |list: &[&str]| list[random.below(list.len() as u64) as usize].to_owned();
    let mut id = [0; 16];
    random.fill(&mut id);
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let (level, message) = match random.below(100) {
        0..3 => (
            Level::Error,
            format!(
                "payment failed: gateway timed out after {} ms",
                random.below(9000)
            ),
        ),
        3..10 => (
            Level::Warn,
            format!(
                "slow query: {} ms on orders_by_customer",
                500 + random.below(4000)
            ),
        ),
        10..30 => (
            Level::Debug,
            format!(
                "cache lookup key=product:{} hit={}",
                random.below(50_000),
                random.below(2)
            ),
        ),
        30..60 => (
            Level::Info,
            format!(
                "order {} placed by customer {}",
                random.below(10_000_000),
                random.below(300_000)
            ),
        ),
        _ => (Level::Info, "request handled".to_owned()),
    };
    LogEntry {
        at: LogTime::from_nanos(nanos),
        level,
        category: None,
        service: pick(&["shop", "cart", "payment", "search", "gateway"]),
        message,
        fields: vec![
            ("method".to_owned(), pick(&["GET", "POST", "PUT"])),
            (
                "path".to_owned(),
                pick(&["/", "/cart", "/orders", "/search", "/login", "/product"]),
            ),
            (
                "status".to_owned(),
                pick(&["200", "200", "200", "204", "404", "500"]),
            ),
            (
                "duration_ms".to_owned(),
                format!("{}.{}", random.below(400), random.below(10)),
            ),
            (
                "user_agent".to_owned(),
                pick(&["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5", "okhttp/4.12"]),
            ),
            (
                "ip".to_owned(),
                format!(
                    "10.{}.{}.{}",
                    random.below(4),
                    random.below(256),
                    random.below(256)
                ),
            ),
            ("trace_id".to_owned(), id),
        ],
    }
}

/// The line as a sender writes it, in JSON.
fn raw_bytes(entry: &LogEntry) -> u64 {
    let fields: usize = entry
        .fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + 6)
        .sum();
    let frame = r#"{"ts":"2026-11-23T00:00:00.000000000Z","level":"INFO","service":"","msg":""}"#;
    (frame.len() + entry.service.len() + entry.message.len() + fields + 1) as u64
}

fn disk_bytes(store: &LogStore) -> u64 {
    store.stats().iter().map(|class| class.bytes).sum()
}

#[test]
fn size_of_realistic_lines() {
    let disk = Arc::new(SimDisk::new(1));
    let options = classes(&[("DEBUG", 7), ("INFO", 30), ("WARN", 90), ("ERROR", 365)]);
    let (store, _) = open(&disk, &options, MIDNIGHT);
    let random = SeededEntropy::new(4);
    let (mut raw, mut nanos) = (0, MIDNIGHT * 1_000_000);
    let mut batch: Vec<LogEntry> = Vec::new();
    for nth in 1..=LINES {
        nanos += random.below(800_000_000) as i64;
        let entry = realistic(&random, nanos);
        raw += raw_bytes(&entry);
        batch.push(entry);
        if nth % 50 == 0 || nth == LINES {
            for level in Level::ALL {
                let lines: Vec<_> = batch
                    .iter()
                    .filter(|entry| entry.level == level)
                    .cloned()
                    .collect();
                store
                    .append(level.as_str(), &lines, at(nanos / 1_000_000))
                    .unwrap();
            }
            batch.clear();
        }
    }
    let appended = disk_bytes(&store);
    let done = store.maintain(at(MIDNIGHT + 2 * DAY)).unwrap();
    let sealed = disk_bytes(&store);
    let ratio = |bytes: u64| bytes as f64 / raw as f64;
    println!(
        "{LINES} lines, {raw} raw bytes ({} a line)",
        raw / LINES as u64
    );
    println!(
        "as appended, 50 lines a batch over 4 classes: {appended} bytes, {:.3} a raw byte",
        ratio(appended)
    );
    println!(
        "sealed ({} files): {sealed} bytes, {:.3} a raw byte",
        done.sealed_files,
        ratio(sealed)
    );
    assert_eq!(done.sealed_lines, LINES as u64);
    assert_eq!(messages(&store, MIDNIGHT + 2 * DAY).len(), LINES);
}
