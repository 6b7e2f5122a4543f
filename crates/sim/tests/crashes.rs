//! A kill at every step between "the rule fires" and "the page was accepted": the page comes, with one key, for one
//! incident.
//!
//! The same seed gives the same run, so a first run tells when the page is accepted and the others are killed around that
//! moment.

use std::collections::BTreeSet;
use std::time::Duration;

use sim::{Behaviour, PageSeen, Scene, SceneOptions};

const MINUTE: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A scene in which requests fail from the fifth minute on.
async fn failing() -> Scene {
    let scene = Scene::start(SceneOptions {
        seed: 21,
        traffic: true,
    })
    .await;
    scene.pass(5 * MINUTE).await;
    scene.faults(r#"{"error_share": 0.5}"#).await;
    scene
}

fn firing(scene: &Scene) -> Vec<PageSeen> {
    let pages = scene.inbox.pages();
    let own = |page: &PageSeen| page.alert == "HighErrorRate" && page.status == "firing";
    pages.into_iter().filter(own).collect()
}

/// One incident, whose first level was told at least once and always under the same key.
async fn check(scene: &Scene, when: &str) {
    let pages = firing(scene);
    assert!(!pages.is_empty(), "{when}: the page was lost");
    let keys: BTreeSet<&str> = pages.iter().map(|page| page.key.as_str()).collect();
    assert_eq!(keys.len(), 1, "{when}: a repetition can be told: {pages:?}");
    assert!(
        pages.iter().all(|page| page.level == 1),
        "{when}: {pages:?}"
    );
    let path = "/api/belfry/v1/incidents?state=all";
    let (_, list) = scene.belfry("GET", path, "").await;
    // Beside it stand those about the budget that the errors spend.
    let incidents = list.as_array().into_iter().flatten();
    let own = incidents.filter(|incident| incident["alert"] == "HighErrorRate");
    assert_eq!(own.count(), 1, "{when}: {list}");
}

#[tokio::test(start_paused = true)]
async fn around_the_first_page() {
    let scene = failing().await;
    scene.pass(5 * MINUTE).await;
    let accepted = scene.offset(firing(&scene)[0].at);
    scene.stop().await;
    for millis in [0_u32, 1, 5, 10, 19, 20, 21, 22, 25, 30, 40, 100] {
        let mut scene = failing().await;
        // From some time before the rule is evaluated (the network takes 20 ms) to some time after the acceptance.
        let moment = accepted - 25 * MILLISECOND + millis * MILLISECOND;
        scene.pass(moment - scene.elapsed()).await;
        scene.kill_belfry().await;
        scene.pass(47 * Duration::from_secs(1)).await;
        scene.start_belfry().await;
        scene.pass(2 * MINUTE).await;
        check(
            &scene,
            &format!("killed at {moment:?}, accepted at {accepted:?}"),
        )
        .await;
        scene.stop().await;
    }
}

/// A receiver that hangs leaves ten seconds for the kill to come in between.
#[tokio::test(start_paused = true)]
async fn while_a_page_is_on_its_way() {
    let mut scene = failing().await;
    scene.inbox.behave(Behaviour::Hang);
    while scene.inbox.attempts() == 0 {
        scene.pass(Duration::from_secs(1)).await;
    }
    scene.kill_belfry().await;
    scene.inbox.behave(Behaviour::Accept);
    scene.pass(MINUTE).await;
    assert_eq!(firing(&scene).len(), 0, "nothing had arrived");
    scene.start_belfry().await;
    scene.pass(MINUTE).await;
    check(&scene, "killed in mid-delivery").await;
    scene.stop().await;
}
