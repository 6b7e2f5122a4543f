//! The suite of [`LogsBackend`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Level, LogEntry, LogQuery, LogTime, Timestamp};
use monitor::logs::{EmbeddedLogs, LogsBackend, LogsError, Stored};
use plan::{Location, LogClass};
use world::World;
use world::sim::SimWorld;

use crate::harness::{epoch, world_over_files};

const DAY: u64 = 86_400;

/// A fresh backend with the classes INFO (2 d) and ERROR (10 d) when called with `true`; the same content with `false`.
type Open<'a> = &'a mut dyn FnMut(bool) -> Arc<dyn LogsBackend>;

/// The time of the suite: the epoch.
fn now() -> Timestamp {
    Timestamp::from(epoch())
}

/// A line `seconds` before now.
fn line(level: Level, seconds: u64, message: &str) -> LogEntry {
    LogEntry {
        at: LogTime::from(now() - Duration::from_secs(seconds)),
        level,
        category: None,
        service: "shop".to_owned(),
        message: message.to_owned(),
        fields: vec![("n".to_owned(), seconds.to_string())],
    }
}

fn all() -> LogQuery {
    LogQuery::range(
        LogTime::from_nanos(0),
        LogTime::from(now() + Duration::from_secs(2 * DAY)),
    )
}

async fn put(backend: &dyn LogsBackend, entries: Vec<LogEntry>) -> Stored {
    let class = entries[0].level.as_str().to_owned();
    backend
        .append(class, Arc::new(entries), now())
        .await
        .unwrap()
}

async fn messages(backend: &dyn LogsBackend, query: LogQuery, limit: usize) -> (String, bool) {
    let (found, more) = backend.search(query, limit).await.unwrap();
    let found: Vec<String> = found
        .into_iter()
        .map(|stored| stored.entry.message)
        .collect();
    (found.join("|"), more)
}

async fn conforms(open: Open<'_>) {
    lines_come_back_as_they_went_in(&*open(true)).await;
    batches_are_accounted_for(&*open(true)).await;
    searches_narrow_and_stop(&*open(true)).await;
    counts_add_up(&*open(true)).await;
    unknown_classes_are_refused(&*open(true)).await;
    classes_are_kept_as_long_as_they_say(&*open(true)).await;
    what_was_appended_survives(open).await;
}

async fn lines_come_back_as_they_went_in(backend: &dyn LogsBackend) {
    let odd = LogEntry {
        at: LogTime::from_nanos(LogTime::from(now()).as_nanos() - 1),
        level: Level::Info,
        category: Some("sign-ins".to_owned()),
        service: String::new(),
        message: "tab\tquote\" \u{1F600} \n second".to_owned(),
        fields: vec![
            ("b".to_owned(), String::new()),
            ("a".to_owned(), "{\"x\":1}".to_owned()),
        ],
    };
    assert_eq!(put(backend, vec![odd.clone()]).await.stored, 1);
    let (found, more) = backend.search(all(), 10).await.unwrap();
    assert_eq!((found.len(), more), (1, false));
    assert_eq!((found[0].class.as_str(), &found[0].entry), ("INFO", &odd));
}

async fn batches_are_accounted_for(backend: &dyn LogsBackend) {
    let mut ahead = line(Level::Info, 0, "ahead");
    ahead.at = LogTime::from(now() + Duration::from_secs(DAY + 60));
    let entries = vec![
        line(Level::Info, 5, "good"),
        line(Level::Info, 3 * DAY, "old"),
        ahead,
        line(Level::Info, 5, &"x".repeat(1 << 20)),
        line(Level::Info, 6, "fine"),
    ];
    let stored = put(backend, entries).await;
    assert_eq!(
        stored,
        Stored {
            stored: 2,
            too_old: 1,
            too_long: 1,
            future: 1
        }
    );
    assert_eq!(messages(backend, all(), 10).await.0, "good|fine");
}

async fn searches_narrow_and_stop(backend: &dyn LogsBackend) {
    put(
        backend,
        vec![
            line(Level::Info, 30, "one box"),
            line(Level::Info, 20, "two Boxes"),
            line(Level::Info, 10, "three"),
        ],
    )
    .await;
    put(backend, vec![line(Level::Error, 25, "lost box")]).await;
    let with = |change: &dyn Fn(&mut LogQuery)| {
        let mut query = all();
        change(&mut query);
        query
    };
    let text = |value: &str| vec![value.to_owned()];
    let cases: [(LogQuery, &str); 7] = [
        (all(), "three|two Boxes|lost box|one box"),
        (with(&|query| query.levels = vec![Level::Error]), "lost box"),
        (
            with(&|query| query.texts = text("BOX")),
            "two Boxes|lost box|one box",
        ),
        (
            with(&|query| query.fields = vec![("n".to_owned(), "20".to_owned())]),
            "two Boxes",
        ),
        (with(&|query| query.services = text("other")), ""),
        (with(&|query| query.categories = text("none")), ""),
        (
            // The end is not in the range, the start is.
            with(&|query| {
                query.from = LogTime::from(now() - Duration::from_secs(25));
                query.to = LogTime::from(now() - Duration::from_secs(10));
            }),
            "two Boxes|lost box",
        ),
    ];
    for (query, expect) in cases {
        assert_eq!(
            messages(backend, query.clone(), 100).await,
            (expect.to_owned(), false),
            "{query:?}"
        );
    }
    assert_eq!(
        messages(backend, all(), 2).await,
        ("three|two Boxes".to_owned(), true)
    );
    assert!(!messages(backend, all(), 4).await.1);
    assert_eq!(messages(backend, all(), 0).await, (String::new(), true));
}

async fn counts_add_up(backend: &dyn LogsBackend) {
    put(
        backend,
        (0..100).map(|n| line(Level::Info, n * 6, "i")).collect(),
    )
    .await;
    put(backend, vec![line(Level::Error, 61, "e")]).await;
    let counts = backend
        .count_by_level(all(), Duration::from_secs(60), now())
        .await
        .unwrap();
    let sum = |level: Level| {
        counts
            .iter()
            .filter(|count| count.level == level)
            .map(|count| count.lines)
            .sum::<u64>()
    };
    assert_eq!((sum(Level::Info), sum(Level::Error)), (100, 1));
    assert!(
        counts.is_sorted_by_key(|count| count.at),
        "the earliest first"
    );
    assert!(
        counts
            .iter()
            .all(|count| count.at.as_nanos() % 60_000_000_000 == 0)
    );
    assert!(
        counts
            .iter()
            .any(|count| count.level == Level::Info && count.lines == 10),
        "{counts:?}"
    );
    let error = backend
        .count_by_level(all(), Duration::ZERO, now())
        .await
        .unwrap_err();
    assert!(matches!(error, LogsError::BadRequest(_)), "{error:?}");
}

async fn unknown_classes_are_refused(backend: &dyn LogsBackend) {
    let error = backend
        .append(
            "NONE".to_owned(),
            Arc::new(vec![line(Level::Info, 0, "x")]),
            now(),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, LogsError::BadRequest(_)), "{error:?}");
}

async fn classes_are_kept_as_long_as_they_say(backend: &dyn LogsBackend) {
    put(backend, vec![line(Level::Info, DAY, "info")]).await;
    put(backend, vec![line(Level::Error, DAY, "error")]).await;
    let lines = |class: &str| {
        let figures = backend.figures();
        let own = figures
            .iter()
            .find(|own| own.class == class)
            .unwrap()
            .clone();
        assert_eq!(own.lines > 0, own.oldest.is_some(), "{own:?}");
        own.lines
    };
    backend.maintain(now()).await.unwrap();
    assert_eq!((lines("INFO"), lines("ERROR")), (1, 1));
    backend
        .maintain(now() + Duration::from_secs(3 * DAY))
        .await
        .unwrap();
    assert_eq!((lines("INFO"), lines("ERROR")), (0, 1));
    assert_eq!(messages(backend, all(), 10).await.0, "error");
    backend
        .maintain(now() + Duration::from_secs(11 * DAY))
        .await
        .unwrap();
    assert_eq!((lines("INFO"), lines("ERROR")), (0, 0));
}

async fn what_was_appended_survives(open: Open<'_>) {
    let backend = open(true);
    put(
        &*backend,
        vec![line(Level::Info, 2, "a"), line(Level::Info, 1, "b")],
    )
    .await;
    drop(backend);
    let backend = open(false);
    assert_eq!(messages(&*backend, all(), 10).await.0, "b|a");
    put(&*backend, vec![line(Level::Info, 0, "c")]).await;
    backend.sync().await.unwrap();
    backend.maintain(now()).await.unwrap();
    drop(backend);
    assert_eq!(messages(&*open(false), all(), 10).await.0, "c|b|a");
}

/// The own store in a world's files.
async fn embedded(world: World, root: &Path) {
    let class = |name: &str, level: Level, days: u64| LogClass {
        name: name.to_owned(),
        level: Some(level),
        category: None,
        keep: Duration::from_secs(days * DAY),
        at: Location::default(),
    };
    let classes = [
        class("INFO", Level::Info, 2),
        class("ERROR", Level::Error, 10),
    ];
    let mut number = 0;
    let mut open = |fresh: bool| {
        number += u32::from(fresh);
        let dir = root.join(format!("logs-{number}"));
        let (backend, _) = EmbeddedLogs::open(&world, &dir, &classes).unwrap();
        Arc::new(backend) as Arc<dyn LogsBackend>
    };
    conforms(&mut open).await;
}

#[tokio::test(start_paused = true)]
async fn adapters() {
    let folder = tempfile::tempdir().unwrap();
    let sim = SimWorld::new(1, epoch());
    embedded(sim.world(), Path::new("data")).await;
    embedded(world_over_files(&sim), folder.path()).await;
}
