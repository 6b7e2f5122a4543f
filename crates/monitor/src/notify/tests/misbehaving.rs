//! Receivers that misbehave, for each channel over HTTP: the attempt ends in bounded time with a clear sentence, and no
//! sentence holds a secret.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use plan::Channel;

use super::receiver::{Misbehaviour, Receiver, misbehaving};
use super::{CANARY, Case, from_environment, webhook};

/// Every channel over HTTP, pointed at one address.
fn channels(url: &str) -> [Channel; 4] {
    [
        webhook(&format!("{url}/{CANARY}?token={CANARY}")),
        Channel::Slack {
            url: from_environment("HOOK"),
        },
        Channel::PagerDuty {
            routing_key: from_environment("ROUTING"),
            url: url.to_owned(),
        },
        Channel::Alertmanager {
            url: url.to_owned(),
        },
    ]
}

/// What each channel says of this receiver.
async fn errors(url: &str) -> Vec<String> {
    let case = Case::new();
    let started = Instant::now();
    let url_of_slack = format!("{url}/{CANARY}");
    let mut errors = Vec::new();
    let attempts = channels(url).map(|channel| {
        let (case, url) = (&case, &url_of_slack);
        async move { (channel.kind(), case.send_with(&channel, "HOOK", url).await) }
    });
    for (kind, outcome) in futures_util::future::join_all(attempts).await {
        let error = outcome.expect_err(kind);
        assert!(!error.contains(CANARY), "{kind}: {error}");
        assert!(!error.contains(url), "{kind}: {error}");
        errors.push(error);
    }
    assert!(
        started.elapsed() < Duration::from_secs(13),
        "{:?}",
        started.elapsed()
    );
    errors
}

async fn all_say(how: Misbehaviour, expected: &str) {
    let url = misbehaving(how).await;
    for error in errors(&url).await {
        assert!(error.contains(expected), "{how:?}: {error}");
    }
}

#[tokio::test]
async fn one_that_hangs_is_left() {
    all_say(Misbehaviour::Hangs, "no answer within 10000 ms").await;
}

#[tokio::test]
async fn one_that_drips_is_left() {
    all_say(Misbehaviour::Drips, "no answer within 10000 ms").await;
}

#[tokio::test]
async fn one_that_floods_is_cut() {
    all_say(Misbehaviour::Floods, "larger than 65536 bytes").await;
}

#[tokio::test]
async fn one_that_closes_or_is_away_is_told() {
    all_say(Misbehaviour::Closes, "broke").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for error in errors(&gone).await {
        assert!(error.contains("cannot connect"), "{error}");
    }
}

#[tokio::test]
async fn statuses_are_told_and_redirects_are_not_followed() {
    for status in [301, 302, 307, 308, 429, 500, 503] {
        let status = StatusCode::from_u16(status).unwrap();
        // It says what it was sent, as some do.
        let echoing = move |received: &super::receiver::Received| {
            let headers = format!("{:?}", received.headers);
            let body = String::from_utf8_lossy(&received.body).into_owned();
            (status, format!("{} {headers} {body}", received.path))
        };
        let receiver = Receiver::start(echoing).await;
        for error in errors(&receiver.url).await {
            assert!(error.contains(status.as_str()), "{status}: {error}");
        }
        assert_eq!(receiver.received().len(), 4, "one request from each");
    }
}

#[tokio::test]
async fn addresses_that_nothing_may_reach_are_refused() {
    for error in errors("http://0xa9fea9fe").await {
        assert!(error.contains("forbidden address"), "{error}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named_by_its_source() {
    let receiver = Receiver::start(|_| (StatusCode::OK, String::new())).await;
    let channel = Channel::Webhook {
        url: receiver.url.clone(),
        token: Some(plan::SecretSource::File("/nowhere/token".to_owned())),
        signing_key: None,
    };
    let error = Case::new().send(&channel).await.unwrap_err();
    assert!(error.contains("/nowhere/token"), "{error}");
    assert!(receiver.received().is_empty(), "nothing is sent without it");
}
