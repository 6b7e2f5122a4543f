//! A rehearsal says what would really happen.

use std::time::Duration;

use alerting::Silence;
use model::{Labels, Matcher, Timestamp};
use monitor::rehearsal::{Script, ladder_length, rehearse};

use super::harness::{EPOCH_SECONDS, PLAN};

const CONTACTS: &str = "
format: 1
people:
  - name: ada
    roles: [on-call]
    channels: [{type: webhook, url: 'http://pager.test:80/ada'}, {type: log}]
";

fn script() -> Script {
    Script {
        alert: "NoStock".to_owned(),
        labels: Labels::from_pairs([("job", "shop")]),
        at: Timestamp::from_millis(EPOCH_SECONDS as i64 * 1000),
        acknowledged_after: None,
        ends_after: None,
        length: Duration::from_secs(20 * 60),
        silences: Vec::new(),
        overrides: Vec::new(),
    }
}

async fn told(script: &Script) -> Vec<String> {
    let plan = plan::parse("plan.yaml", PLAN).0.unwrap();
    let contacts = plan::parse_contacts("contacts.yaml", CONTACTS).0.unwrap();
    let happenings = rehearse(plan, contacts, script).await.unwrap();
    happenings
        .iter()
        .filter(|own| own.kind != "opened")
        .map(|own| {
            format!(
                "{} {} {}",
                own.at.since(script.at).as_secs(),
                own.kind,
                own.text
            )
        })
        .collect()
}

#[tokio::test]
async fn the_ladder_with_a_level_that_nobody_fills() {
    assert_eq!(
        told(&script()).await,
        [
            "0 escalated level 1: on-call told",
            "0 page ada is told by webhook (firing, level 1, escalation; if it fails, log)",
            "900 escalated level 2: team-lead told",
            "900 given_up nobody fills team-lead: level 2 reached nobody",
        ]
    );
}

#[tokio::test]
async fn somebody_acknowledges_and_it_ends() {
    let script = Script {
        acknowledged_after: Some(Duration::from_secs(300)),
        ends_after: Some(Duration::from_secs(1000)),
        ..script()
    };
    let found = told(&script).await;
    assert_eq!(
        found[2..],
        [
            "300 acknowledged acknowledged by whoever is told first",
            "1005 resolved resolved: the condition no longer holds",
            "1005 page ada is told by webhook (resolved, level 1, resolved; if it fails, log)",
        ]
    );
}

#[tokio::test]
async fn a_silence_is_taken_into_account() {
    let at = script().at;
    let silence = Silence {
        id: "a".to_owned(),
        matchers: vec![Matcher::equal("alertname", "NoStock")],
        starts_at: at,
        ends_at: at + Duration::from_secs(600),
        author: "ada".to_owned(),
        reason: "stocktaking".to_owned(),
        updated_at: at,
    };
    let script = Script {
        silences: vec![silence],
        ..script()
    };
    let found = told(&script).await;
    assert_eq!(
        found[0],
        "0 held pages are held back: a silence by ada: stocktaking"
    );
    assert!(found[2].starts_with("600 escalated level 1"), "{found:?}");
}

#[tokio::test]
async fn an_alert_that_is_not_there() {
    let plan = plan::parse("plan.yaml", PLAN).0.unwrap();
    assert_eq!(
        ladder_length(&plan, "NoStock"),
        Duration::from_secs(16 * 60)
    );
    let script = Script {
        alert: "None".to_owned(),
        ..script()
    };
    let error = rehearse(plan, plan::Contacts::default(), &script)
        .await
        .unwrap_err();
    assert_eq!(
        error.0,
        "the plan has no alert `None`; it has NoStock, LowStock"
    );
}
