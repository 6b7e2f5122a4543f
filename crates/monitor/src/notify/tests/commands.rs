//! The command channel, with real programs.

use plan::Channel;
use serde_json::Value;

use super::Case;

fn shell(script: &str) -> Channel {
    Channel::Command {
        argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
    }
}

#[tokio::test]
async fn a_program_gets_the_page_and_says_whether_it_took_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("page");
    let script = format!("cat > {}; echo; echo queued as 7", file.display());
    let case = Case::new().with_evidence();
    let receipt = case.send(&shell(&script)).await;
    assert_eq!(receipt.unwrap(), "exit code 0: queued as 7");
    let page: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        page,
        super::super::payload(&case.context()),
        "the webhook's payload"
    );

    for (script, said) in [
        ("exit 0", Ok("exit code 0")),
        (
            "echo no line >&2; echo second >&2; exit 3",
            Err("the command failed with exit code 3: no line"),
        ),
        ("exit 1", Err("the command failed with exit code 1")),
        ("kill -9 $$", Err("the command failed with signal 9")),
    ] {
        let outcome = case.send(&shell(script)).await;
        assert_eq!(
            outcome,
            said.map(str::to_owned).map_err(str::to_owned),
            "{script}"
        );
    }
    let missing = Channel::Command {
        argv: vec!["/nowhere/page".to_owned()],
    };
    let error = case.send(&missing).await.unwrap_err();
    assert_eq!(error, "there is no program /nowhere/page");
}

#[tokio::test]
async fn a_program_that_hangs_is_killed() {
    let error = Case::new().send(&shell("sleep 600")).await.unwrap_err();
    assert_eq!(error, "did not end within 10000 ms; killed");
}
