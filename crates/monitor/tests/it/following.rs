//! Following a file: growth, half lines, truncation, rotation, restarts; over simulated and real files alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{LogQuery, LogTime, Timestamp};
use monitor::logs::{EmbeddedLogs, Follower, Intake, LogsBackend};
use monitor::self_metrics::SelfMetrics;
use monitor::setup::{CurrentSetup, Setup};
use plan::{Contacts, FollowedFile};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use world::World;
use world::sim::SimWorld;

use super::harness::{PLAN, epoch, world_over_files};

/// A followed file and the store that its lines reach.
struct Bench {
    world: World,
    backend: Arc<EmbeddedLogs>,
    intake: Arc<Intake>,
    root: PathBuf,
    _folder: TempDir,
}

impl Bench {
    fn new(real: bool) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let sim = SimWorld::new(3, epoch());
        let world = if real {
            world_over_files(&sim)
        } else {
            sim.world()
        };
        let root = folder.path().to_owned();
        world.disk.create_dir_all(&root).unwrap();
        let (plan, _) = plan::parse("plan.yaml", PLAN);
        let plan = plan.unwrap();
        let (backend, _) =
            EmbeddedLogs::open(&world, &root.join("logs"), &plan.logs.classes).unwrap();
        let backend = Arc::new(backend);
        let loaded_at = Timestamp::from(epoch());
        let setup = Setup {
            plan,
            files: Vec::new(),
            contacts: Contacts::default(),
            loaded_at,
        };
        let setup = Arc::new(CurrentSetup::new(setup));
        let intake = Intake::new(
            world.clone(),
            backend.clone(),
            setup,
            Arc::new(SelfMetrics::new()),
        );
        Bench {
            world,
            backend,
            intake: Arc::new(intake),
            root,
            _folder: folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.root.join("shop.log")
    }

    fn write(&self, text: &str) {
        self.world
            .disk
            .open_append(&self.path())
            .unwrap()
            .append(text.as_bytes())
            .unwrap();
    }

    fn follower(&self) -> Follower {
        let file = FollowedFile {
            path: self.path().to_str().unwrap().to_owned(),
            service: "shop".to_owned(),
        };
        Follower::new(
            file,
            self.world.clone(),
            self.intake.clone(),
            &self.root.join("follow"),
        )
    }

    /// Follows for two seconds while something happens after one, then ends as a kill would.
    async fn follow(&self, meanwhile: impl FnOnce(&Bench)) {
        let clock = self.world.clock.clone();
        let happening = async {
            clock.sleep(Duration::from_secs(1)).await;
            meanwhile(self);
            clock.sleep(Duration::from_secs(1)).await;
        };
        tokio::select! {
            biased;
            () = self.follower().run(CancellationToken::new()) => unreachable!("it follows for ever"),
            () = happening => {}
        }
    }

    /// All stored messages in the order of their arrival.
    async fn messages(&self) -> String {
        let all = LogQuery::range(LogTime::from_nanos(0), LogTime::from_nanos(i64::MAX));
        let (entries, _) = self.backend.search(all, 5_000).await.unwrap();
        let mut messages: Vec<String> = entries
            .into_iter()
            .map(|stored| stored.entry.message)
            .collect();
        messages.reverse();
        messages.join("|")
    }
}

/// A line of the second `second` of the day's ninth hour.
fn line(second: u32, message: &str) -> String {
    format!(
        "{{\"ts\":\"2026-11-23T08:00:{second:02}Z\",\"level\":\"INFO\",\"message\":\"{message}\"}}\n"
    )
}

/// Each step happens while a follower runs; every follower but the first is a restart. Then this is stored.
async fn check(steps: &[fn(&Bench)], expect: &str) {
    for real in [false, true] {
        let bench = Bench::new(real);
        for step in steps {
            bench.follow(step).await;
        }
        assert_eq!(bench.messages().await, expect, "real files: {real}");
    }
}

#[tokio::test(start_paused = true)]
async fn growth() {
    check(&[|bench| bench.write(&line(1, "a"))], "a").await;
    check(
        &[|bench| bench.write(&(line(1, "a") + &line(2, "b")))],
        "a|b",
    )
    .await;
    check(
        &[
            |bench| bench.write(&line(1, "a")),
            |bench| bench.write(&line(2, "b")),
        ],
        "a|b",
    )
    .await;
    // Nothing happened: nothing comes twice.
    check(&[|bench| bench.write(&line(1, "a")), |_| {}, |_| {}], "a").await;
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_is_read_too() {
    for real in [false, true] {
        let bench = Bench::new(real);
        bench.write(&line(1, "a"));
        bench.follow(|_| {}).await;
        bench.write(&line(2, "b"));
        bench.follow(|bench| bench.write(&line(3, "c"))).await;
        assert_eq!(bench.messages().await, "a|b|c", "real files: {real}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_lines_wait_for_their_end() {
    let whole = line(1, "a");
    let (first, second) = whole.split_at(20);
    for real in [false, true] {
        let bench = Bench::new(real);
        bench.follow(|bench| bench.write(first)).await;
        assert_eq!(bench.messages().await, "");
        bench.follow(|bench| bench.write(second)).await;
        assert_eq!(bench.messages().await, "a", "real files: {real}");
        bench
            .follow(|bench| bench.write(&(line(2, "b") + first)))
            .await;
        assert_eq!(bench.messages().await, "a|b");
        bench
            .follow(|bench| bench.write(&second.replace("\"a\"", "\"c\"").replace(":01Z", ":03Z")))
            .await;
        assert_eq!(bench.messages().await.split('|').count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn lines_that_are_no_json_are_kept_as_they_stand() {
    check(
        &[|bench| bench.write("Segmentation fault\n\n  \nkilled\r\n")],
        "Segmentation fault|killed",
    )
    .await;
    check(
        &[|bench| bench.write("{\"level\":\"LOUD\",\"message\":\"x\"}\n")],
        "{\"level\":\"LOUD\",\"message\":\"x\"}",
    )
    .await;
    for real in [false, true] {
        let bench = Bench::new(real);
        bench.write("good\n");
        bench
            .world
            .disk
            .open_append(&bench.path())
            .unwrap()
            .append(b"bad \xff\xfe\n")
            .unwrap();
        bench.follow(|_| {}).await;
        assert_eq!(bench.messages().await, "good|bad \u{fffd}\u{fffd}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_file_is_read_from_its_start() {
    let cut: fn(&Bench) = |bench| bench.world.disk.truncate(&bench.path(), 0).unwrap();
    let write_c: fn(&Bench) = |bench| bench.write(&line(3, "c"));
    // Cut and written at once, or a while apart, in one run or over a restart.
    check(
        &[
            |bench| bench.write(&(line(1, "a") + &line(2, "b"))),
            cut,
            write_c,
        ],
        "a|b|c",
    )
    .await;
    let both: fn(&Bench) = |bench| {
        bench.world.disk.truncate(&bench.path(), 0).unwrap();
        bench.write(&line(3, "c"));
    };
    check(
        &[|bench| bench.write(&(line(1, "a") + &line(2, "b"))), both],
        "a|b|c",
    )
    .await;
    // Cut and written beyond where the follower stood.
    let longer: fn(&Bench) = |bench| {
        bench.world.disk.truncate(&bench.path(), 0).unwrap();
        bench.write(&(line(3, "c") + &line(4, "d") + &line(5, "e")));
    };
    check(&[|bench| bench.write(&line(1, "a")), longer], "a|c|d|e").await;
}

#[tokio::test(start_paused = true)]
async fn a_rotated_file_is_followed_by_its_name() {
    let rotate: fn(&Bench) = |bench| {
        bench
            .world
            .disk
            .rename(&bench.path(), &bench.root.join("shop.log.1"))
            .unwrap();
        bench.write(&line(3, "c"));
    };
    check(&[|bench| bench.write(&line(1, "a")), rotate], "a|c").await;
    // The new one comes later, and is longer than the old one was.
    let away: fn(&Bench) = |bench| {
        bench
            .world
            .disk
            .rename(&bench.path(), &bench.root.join("shop.log.1"))
            .unwrap()
    };
    let longer: fn(&Bench) = |bench| bench.write(&(line(3, "c") + &line(4, "d") + &line(5, "e")));
    check(
        &[|bench| bench.write(&line(1, "a")), away, longer, |_| {}],
        "a|c|d|e",
    )
    .await;
}

/// Lines that were written between the last look and the rotation are in the file under its new name.
#[tokio::test(start_paused = true)]
async fn the_last_lines_before_a_rotation_are_not_lost() {
    let late: fn(&Bench) = |bench| {
        bench.write(&line(2, "b"));
        bench
            .world
            .disk
            .rename(&bench.path(), &bench.root.join("shop.log.1"))
            .unwrap();
        bench.write(&line(3, "c"));
    };
    check(&[|bench| bench.write(&line(1, "a")), late], "a|b|c").await;
}

/// The program that writes keeps its file open for a while after the rotation.
#[tokio::test(start_paused = true)]
async fn lines_after_the_rotation_are_read_until_the_new_file_comes() {
    let away: fn(&Bench) = |bench| {
        bench
            .world
            .disk
            .rename(&bench.path(), &bench.root.join("shop.log.1"))
            .unwrap();
    };
    let late: fn(&Bench) = |bench| {
        let mut old = bench
            .world
            .disk
            .open_append(&bench.root.join("shop.log.1"))
            .unwrap();
        old.append(line(2, "b").as_bytes()).unwrap();
    };
    let new: fn(&Bench) = |bench| bench.write(&line(3, "c"));
    check(
        &[|bench| bench.write(&line(1, "a")), away, late, new, |_| {}],
        "a|b|c",
    )
    .await;
    // Copied and cut: the copy holds what was not read yet.
    let copy: fn(&Bench) = |bench| {
        bench.write(&line(2, "b"));
        let text = bench.world.disk.read(&bench.path()).unwrap();
        bench
            .world
            .disk
            .open_append(&bench.root.join("shop.log-1"))
            .unwrap()
            .append(&text)
            .unwrap();
        bench.world.disk.truncate(&bench.path(), 0).unwrap();
    };
    check(
        &[|bench| bench.write(&line(1, "a")), copy, new, |_| {}],
        "a|b|c",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_position_is_no_position() {
    for text in [
        "",
        "{",
        "{\"format\":2,\"offset\":5,\"fingerprint_bytes\":0,\"fingerprint\":0}",
    ] {
        let bench = Bench::new(true);
        bench.write(&line(1, "a"));
        bench.follow(|_| {}).await;
        let dir = bench.root.join("follow");
        let name = bench.world.disk.list(&dir).unwrap().remove(0);
        std::fs::write(Path::new(&dir).join(name), text).unwrap();
        bench.follow(|_| {}).await;
        assert_eq!(
            bench.messages().await,
            "a|a",
            "read again rather than lost: {text}"
        );
    }
}

/// More than one piece of a megabyte, with lines across its end.
#[tokio::test(start_paused = true)]
async fn a_large_backlog_comes_whole() {
    let bench = Bench::new(false);
    let padding = "x".repeat(2_000);
    let text: String = (0..2_000)
        .map(|number| {
            format!("{{\"level\":\"INFO\",\"message\":\"{number}\",\"pad\":\"{padding}\"}}\n")
        })
        .collect();
    bench.write(&text);
    bench.follow(|_| {}).await;
    let found = bench.messages().await;
    assert_eq!(found.split('|').count(), 2_000);
    let mut numbers: Vec<u32> = found
        .split('|')
        .map(|number| number.parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 2_000, "each once");
}
