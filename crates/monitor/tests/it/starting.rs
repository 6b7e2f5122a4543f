//! Starting: what is refused, and in which words.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::harness::{Belfry, PLAN, write};

/// A program that refuses does so at once; one that runs instead is ended.
const PATIENCE: Duration = Duration::from_secs(10);

fn belfry(arguments: &[&str]) -> Output {
    // Whatever it would leave behind is left there.
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_belfry"))
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while program.try_wait().unwrap().is_none() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = program.kill();
    program.wait_with_output().unwrap()
}

/// The binary refuses with code 1 and says all of this on its standard error.
fn refuses(arguments: &[&str], parts: &[&str]) {
    let output = belfry(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{arguments:?}: `{part}` is in {said}");
    }
}

#[test]
fn only_loopback_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    let plan = write(&folder, "plan.yaml", PLAN);
    let plan = plan.to_str().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9765"] {
        refuses(
            &["run", plan, "--listen", address, "--data", data],
            &["is not a loopback address", "no sign-in yet", "127.0.0.1"],
        );
    }
    assert!(!folder.path().join("data").exists(), "nothing was opened");
}

#[test]
fn a_broken_plan_is_refused_with_every_error() {
    let folder = tempfile::tempdir().unwrap();
    let broken = PLAN
        .replace("expr: stock < 1", "expr: stock <")
        .replace("for: 30s", "for: soon")
        .replace(
            "escalation: standard\n      - alert: LowStock",
            "escalation: standart\n      - alert: LowStock",
        );
    let plan = write(&folder, "plan.yaml", &broken);
    let data = folder.path().join("data");
    refuses(
        &[
            "run",
            plan.to_str().unwrap(),
            "--listen",
            "127.0.0.1:0",
            "--data",
            data.to_str().unwrap(),
        ],
        &[
            "plan.yaml:15:",
            "BF0018",
            "plan.yaml:16:",
            "BF0008",
            "plan.yaml:20:",
            "BF0013",
            "`standard`",
        ],
    );
    let checked = belfry(&["check", plan.to_str().unwrap()]);
    assert_eq!(
        checked.status.code(),
        Some(1),
        "`check` refuses what `run` refuses"
    );
}

/// What lint finds fails a check until the plan waives it, and never keeps a plan from running.
#[tokio::test(start_paused = true)]
async fn findings_fail_a_check_and_not_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let plan = PLAN.replace("expr: stock < 3", "expr: rate(stock[5m]) < -1");
    let waived = |text: &str| {
        let path = write(&folder, "plan.yaml", text);
        let arguments = ["check", path.to_str().unwrap(), "--json"];
        let checked = belfry(&arguments);
        let answer: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
        (checked.status.code(), answer)
    };
    let (code, answer) = waived(&plan);
    assert_eq!((code, &answer["errors"]), (Some(1), &json!(0)));
    let findings = answer["findings"].as_array().unwrap();
    let about_rule = findings
        .iter()
        .find(|found| found["code"] == "BF0102")
        .unwrap();
    assert_eq!(about_rule["about"], "LowStock");
    assert_eq!(about_rule["reason"], json!(null));
    let mut waivers = "waivers:\n".to_owned();
    for found in findings {
        let (code, about) = (
            found["code"].as_str().unwrap(),
            found["about"].as_str().unwrap(),
        );
        waivers.push_str(&format!(
            "  - {{code: {code}, about: {about}, reason: known}}\n"
        ));
    }
    let (code, answer) = waived(&format!("{plan}{waivers}"));
    assert_eq!((code, &answer["open"]), (Some(0), &json!(0)));
    assert_eq!(answer["waived"], json!(findings.len()));
    assert_eq!(answer["findings"][0]["reason"], "known");
    assert!(Belfry::try_start(&plan, "format: 1\n").await.is_ok());
}

#[test]
fn what_is_not_there_is_named() {
    refuses(
        &["run", "/nowhere/plan.yaml", "--listen", "127.0.0.1:0"],
        &["cannot read /nowhere/plan.yaml"],
    );
}

#[tokio::test(start_paused = true)]
async fn broken_contacts_are_refused_too() {
    let contacts =
        "format: 1\npeople:\n  - {name: ada, roles: [on-call], channels: [{type: pigeon}]}\n";
    let error = Belfry::try_start(PLAN, contacts)
        .await
        .err()
        .expect("refused")
        .to_string();
    assert!(error.contains("contacts.yaml:3:"), "{error}");
    assert!(
        error.contains("webhook"),
        "it says what would be right: {error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_good_plan_starts() {
    let people = "format: 1\npeople:\n  - {name: ada, roles: [on-call, team-lead], channels: [{type: log}]}\n";
    assert!(Belfry::try_start(PLAN, people).await.is_ok());
}
