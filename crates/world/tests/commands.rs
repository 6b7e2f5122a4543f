//! Local programs, real and played: the same requests must end the same way. Then what only real ones can do wrong.

#![expect(clippy::unwrap_used, reason = "a test's helpers may end it")]

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tempfile::TempDir;
use world::sim::SimCommands;
use world::{CommandError, CommandOutput, CommandRequest, Commands, Exit, OsCommands};

fn request(argv: &[&str]) -> CommandRequest {
    CommandRequest {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        stdin: Bytes::new(),
        environment: Vec::new(),
        timeout: Duration::from_secs(20),
        output_max: 1_000,
    }
}

fn shell(script: &str) -> CommandRequest {
    request(&["/bin/sh", "-c", script])
}

/// What both forms promise.
async fn conforms(commands: &dyn Commands) {
    let missing = commands.run(request(&["no-such-program-of-belfry"])).await;
    let named = "no-such-program-of-belfry".to_owned();
    assert_eq!(missing, Err(CommandError::NotFound(named)));
    let empty = commands.run(request(&[])).await;
    assert!(matches!(empty, Err(CommandError::Refused(_))), "{empty:?}");

    let mut echoing = request(&["cat"]);
    echoing.stdin = Bytes::from("told");
    let echoed = commands.run(echoing.clone()).await.unwrap();
    assert_eq!(echoed.exit, Exit::Code(0));
    assert_eq!(
        (&echoed.stdout[..], echoed.stdout_truncated),
        (&b"told"[..], false)
    );

    echoing.output_max = 3;
    let cut = commands.run(echoing).await.unwrap();
    assert_eq!((&cut.stdout[..], cut.stdout_truncated), (&b"tol"[..], true));

    let mut hanging = request(&["sleep", "600"]);
    hanging.timeout = Duration::from_millis(300);
    let hung = commands.run(hanging).await;
    let bound = Duration::from_millis(300);
    assert_eq!(hung, Err(CommandError::TimedOut(bound)));
}

#[tokio::test]
async fn real_programs_conform() {
    conforms(&OsCommands::default()).await;
}

#[tokio::test(start_paused = true)]
async fn played_programs_conform() {
    let commands = SimCommands::default();
    let says = |stdout: Bytes| CommandOutput {
        exit: Exit::Code(0),
        stdout,
        stdout_truncated: false,
        stderr: Bytes::new(),
        stderr_truncated: false,
    };
    commands.install("cat", move |request| {
        Box::pin(async move { Ok(says(request.stdin)) })
    });
    commands.install("sleep", move |_| {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(says(Bytes::new()))
        })
    });
    conforms(&commands).await;
}

#[tokio::test]
async fn how_a_program_ends_is_told() {
    let commands = OsCommands::default();
    let ended = commands
        .run(shell("echo out; echo err >&2; exit 7"))
        .await
        .unwrap();
    assert_eq!(ended.exit, Exit::Code(7));
    assert_eq!(
        (&ended.stdout[..], &ended.stderr[..]),
        (&b"out\n"[..], &b"err\n"[..])
    );
    let killed = commands.run(shell("kill -9 $$")).await.unwrap();
    assert_eq!(killed.exit, Exit::Signal(9));
    assert!(!killed.exit.is_success());
    let refused = commands.run(request(&["/etc/passwd"])).await;
    assert!(
        matches!(refused, Err(CommandError::Refused(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_environment_is_path_and_what_is_given() {
    let commands = OsCommands::default();
    let mut asking = request(&["env"]);
    asking.environment = vec![("BELFRY_INCIDENT".to_owned(), "7".to_owned())];
    let output = commands.run(asking).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["BELFRY_INCIDENT", "PATH"],
        "HOME, CARGO_* and the rest stay here"
    );
}

#[tokio::test]
async fn arguments_are_no_program_text() {
    let output = OsCommands::default()
        .run(request(&["echo", "$(id); `id` > /dev/null"]))
        .await;
    let output = output.unwrap();
    assert_eq!(&output.stdout[..], b"$(id); `id` > /dev/null\n");
}

#[tokio::test]
async fn a_flood_is_cut_and_never_blocks() {
    let commands = OsCommands::default();
    let flood = "yes told | head -c 3000000; yes err | head -c 3000000 >&2";
    let output = commands.run(shell(flood)).await.unwrap();
    assert_eq!(output.exit, Exit::Code(0), "it could write all of it");
    assert_eq!((output.stdout.len(), output.stderr.len()), (1_000, 1_000));
    assert!(output.stdout_truncated && output.stderr_truncated);
    // One that reads nothing of a large input ends all the same.
    let mut deaf = shell("exit 3");
    deaf.stdin = Bytes::from(vec![b'x'; 3_000_000]);
    assert_eq!(commands.run(deaf).await.unwrap().exit, Exit::Code(3));
}

#[tokio::test]
async fn the_whole_group_dies_at_the_bound() {
    let folder = TempDir::new().unwrap();
    let script = format!(
        "trap '' TERM HUP; sh -c 'trap \"\" TERM HUP; echo $$ > {0}/child; sleep 600' & echo $$ > {0}/leader; wait",
        folder.path().display()
    );
    let mut hanging = shell(&script);
    hanging.timeout = Duration::from_millis(500);
    let started = Instant::now();
    let outcome = OsCommands::default().run(hanging).await;
    assert!(
        matches!(outcome, Err(CommandError::TimedOut(_))),
        "{outcome:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    ends(folder.path(), "leader").await;
    ends(folder.path(), "child").await;
}

#[tokio::test]
async fn the_whole_group_dies_when_the_caller_goes_away() {
    let folder = TempDir::new().unwrap();
    let script = format!(
        "sh -c 'echo $$ > {}/child; sleep 600' & wait",
        folder.path().display()
    );
    let commands = OsCommands::default();
    let running = commands.run(shell(&script));
    let dropped = tokio::time::timeout(Duration::from_millis(500), running).await;
    assert!(dropped.is_err());
    ends(folder.path(), "child").await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    let folder = TempDir::new().unwrap();
    let script = format!(
        "sh -c 'echo $$ > {0}/child; sleep 600' & while ! test -s {0}/child; do :; done; echo done",
        folder.path().display()
    );
    let started = Instant::now();
    let output = OsCommands::default().run(shell(&script)).await.unwrap();
    assert_eq!(&output.stdout[..], b"done\n");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "the child held the pipes"
    );
    ends(folder.path(), "child").await;
}

#[tokio::test]
async fn a_descendant_that_left_the_group_does_not_hold_the_call() {
    let started = Instant::now();
    let output = OsCommands::default()
        .run(shell("setsid sleep 8 & echo done"))
        .await
        .unwrap();
    assert_eq!(&output.stdout[..], b"done\n");
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
}

/// Waits until the process whose number a program wrote to a file is gone (or only waits to be reaped).
async fn ends(folder: &Path, name: &str) {
    let number = std::fs::read_to_string(folder.join(name)).unwrap();
    let status = format!("/proc/{}/status", number.trim());
    for _ in 0..100 {
        match std::fs::read_to_string(&status) {
            Err(_) => return,
            Ok(text) if text.contains("State:\tZ") => return,
            Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("{name} still runs");
}
