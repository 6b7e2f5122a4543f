//! The whole way of an alert, in simulated time: from failing requests to the third level, and what stops it.

use std::time::Duration;

use sim::{Behaviour, PageSeen, Scene, SceneOptions};

const MINUTE: Duration = Duration::from_secs(60);

/// `for` of HighErrorRate, the rate's first two scrapes, one scrape and one evaluation interval.
const FIRST_PAGE_WITHIN: Duration = Duration::from_secs(120 + 35 + 15);

async fn scene() -> Scene {
    Scene::start(SceneOptions {
        seed: 1,
        traffic: true,
    })
    .await
}

fn of<'a>(pages: &'a [PageSeen], alert: &str, status: &str) -> Vec<&'a PageSeen> {
    pages
        .iter()
        .filter(|page| page.alert == alert && page.status == status)
        .collect()
}

/// Lets requests fail and waits for the first page; returns when it came.
async fn failing(scene: &Scene) -> Duration {
    scene.pass(5 * MINUTE).await;
    assert!(
        scene.inbox.pages().is_empty(),
        "nothing pages while all is well: {:?}",
        scene.inbox.pages()
    );
    scene.faults(r#"{"error_share": 0.5}"#).await;
    let from = scene.elapsed();
    scene.pass(FIRST_PAGE_WITHIN).await;
    let pages = scene.inbox.pages();
    let first = of(&pages, "HighErrorRate", "firing");
    assert_eq!(first.len(), 1, "the first level was told once: {pages:?}");
    assert_eq!((first[0].person.as_str(), first[0].level), ("ada", 1));
    let at = scene.offset(first[0].at);
    assert!(at - from >= 2 * MINUTE, "never before `for` has passed");
    at
}

fn check_level(scene: &Scene, pages: &[PageSeen], level: i64, person: &str, due: Duration) {
    let told: Vec<&PageSeen> = of(pages, "HighErrorRate", "firing")
        .into_iter()
        .filter(|page| page.level == level)
        .collect();
    assert_eq!(told.len(), 1, "level {level} is told once: {pages:?}");
    assert_eq!(told[0].person, person);
    let at = scene.offset(told[0].at);
    // The incident opens a little before its first page is accepted: up to three seconds, in which evidence is gathered.
    assert!(
        at + Duration::from_secs(4) >= due,
        "level {level} at {at:?} is early (due {due:?})"
    );
    assert!(
        at <= due + Duration::from_secs(5),
        "level {level} at {at:?} is late (due {due:?})"
    );
}

#[tokio::test(start_paused = true)]
async fn unacknowledged_it_climbs_and_resolves() {
    let scene = scene().await;
    let first = failing(&scene).await;
    scene.pass(31 * MINUTE).await;
    let pages = scene.inbox.pages();
    check_level(&scene, &pages, 2, "lea", first + 15 * MINUTE);
    check_level(&scene, &pages, 3, "max", first + 30 * MINUTE);
    assert_eq!(of(&pages, "HighErrorRate", "resolved").len(), 0);
    scene.faults("{}").await;
    scene.pass(8 * MINUTE).await;
    let pages = scene.inbox.pages();
    let resolved: Vec<&str> = of(&pages, "HighErrorRate", "resolved")
        .iter()
        .map(|page| page.person.as_str())
        .collect();
    assert_eq!(
        resolved,
        ["ada", "lea", "max"],
        "everybody who was told is told that it is over"
    );
    let incident = scene
        .incident("HighErrorRate")
        .await
        .expect("the incident is remembered");
    assert_eq!(incident["state"], "resolved");
    assert_eq!(incident["resolve_reason"], "recovered");
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_stops_it() {
    let scene = scene().await;
    failing(&scene).await;
    let incident = scene.incident("HighErrorRate").await.expect("it is open");
    let path = format!("/api/belfry/v1/incidents/{}/acknowledge", incident["id"]);
    let (status, answer) = scene
        .belfry("POST", &path, r#"{"by":"ada","note":"looking"}"#)
        .await;
    assert_eq!(
        (status, answer["state"].as_str()),
        (200, Some("acknowledged"))
    );
    scene.pass(40 * MINUTE).await;
    let pages = scene.inbox.pages();
    assert!(
        of(&pages, "HighErrorRate", "firing")
            .iter()
            .all(|page| page.level == 1),
        "{pages:?}"
    );
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_kill_in_between_loses_nothing() {
    let mut scene = scene().await;
    let first = failing(&scene).await;
    scene.kill_belfry().await;
    scene.pass(3 * MINUTE).await;
    scene.start_belfry().await;
    scene.pass(13 * MINUTE).await;
    let pages = scene.inbox.pages();
    check_level(&scene, &pages, 1, "ada", first);
    check_level(&scene, &pages, 2, "lea", first + 15 * MINUTE);
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_spans_deadlines_skips_no_level() {
    let mut scene = scene().await;
    failing(&scene).await;
    scene.kill_belfry().await;
    scene.pass(45 * MINUTE).await;
    let back = scene.elapsed();
    scene.start_belfry().await;
    scene.pass(Duration::from_secs(10)).await;
    let pages = scene.inbox.pages();
    let levels: Vec<i64> = of(&pages, "HighErrorRate", "firing")
        .iter()
        .map(|page| page.level)
        .collect();
    assert_eq!(levels, [1, 2, 3]);
    assert!(
        pages
            .iter()
            .all(|page| page.level == 1 || scene.offset(page.at) <= back + Duration::from_secs(10))
    );
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_kill_while_pending_keeps_the_time_that_has_passed() {
    let mut scene = scene().await;
    scene.pass(5 * MINUTE).await;
    scene.faults(r#"{"error_share": 0.5}"#).await;
    scene.pass(Duration::from_secs(80)).await;
    let (_, alerts) = scene.belfry("GET", "/api/belfry/v1/alerts", "").await;
    assert_eq!(alerts[0]["state"], "pending", "{}", alerts[0]);
    let since = alerts[0]["instances"][0]["since"].clone();
    scene.kill_belfry().await;
    scene.pass(Duration::from_secs(20)).await;
    scene.start_belfry().await;
    scene.pass(Duration::from_secs(75)).await;
    let (_, alerts) = scene.belfry("GET", "/api/belfry/v1/alerts", "").await;
    assert_eq!(alerts[0]["state"], "firing", "{}", alerts[0]);
    assert_eq!(
        alerts[0]["instances"][0]["since"], since,
        "`for` was not reset"
    );
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_gets_the_page_when_it_is_back() {
    for behaviour in [Behaviour::Refuse, Behaviour::Hang] {
        let scene = scene().await;
        scene.pass(5 * MINUTE).await;
        scene.inbox.behave(behaviour);
        scene.faults(r#"{"error_share": 0.5}"#).await;
        scene.pass(6 * MINUTE).await;
        assert!(scene.inbox.pages().is_empty());
        assert!(
            scene.inbox.attempts() >= 3,
            "{behaviour:?}: it was tried {} times",
            scene.inbox.attempts()
        );
        scene.inbox.behave(Behaviour::Accept);
        scene.pass(Duration::from_secs(75)).await;
        let pages = scene.inbox.pages();
        assert_eq!(
            of(&pages, "HighErrorRate", "firing").len(),
            1,
            "{behaviour:?}: {pages:?}"
        );
        scene.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_target_resolves_nothing() {
    let scene = scene().await;
    failing(&scene).await;
    scene.unplug_service();
    scene.pass(20 * MINUTE).await;
    let incident = scene.incident("HighErrorRate").await.expect("it is open");
    assert_eq!(incident["state"], "open");
    assert_eq!(incident["no_data"], true, "what is not known is said");
    let pages = scene.inbox.pages();
    assert_eq!(
        of(&pages, "HighErrorRate", "resolved").len(),
        0,
        "missing data is not recovery"
    );
    assert!(
        !of(&pages, "ServiceDown", "firing").is_empty(),
        "that it is down is an alert of its own: {pages:?}"
    );
    scene.plug_in_service();
    scene.faults("{}").await;
    scene.pass(10 * MINUTE).await;
    let incident = scene
        .incident("HighErrorRate")
        .await
        .expect("it is remembered");
    assert_eq!(incident["state"], "resolved");
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn idle_and_ordinary_traffic_open_no_incident() {
    for traffic in [false, true] {
        let scene = Scene::start(SceneOptions { seed: 3, traffic }).await;
        scene.pass(60 * MINUTE).await;
        let (_, incidents) = scene
            .belfry("GET", "/api/belfry/v1/incidents?state=all", "")
            .await;
        assert_eq!(incidents, serde_json::json!([]), "traffic: {traffic}");
        scene.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_level_without_people_goes_to_the_next_at_once() {
    let scene = scene().await;
    scene
        .contacts(
            "
format: 1
people:
  - {name: lea, roles: [team-lead], channels: [{type: webhook, url: 'http://receiver.test:80/lea'}]}
  - {name: max, roles: [management], channels: [{type: webhook, url: 'http://receiver.test:80/max'}]}
",
        )
        .await;
    scene.pass(5 * MINUTE).await;
    scene.faults(r#"{"error_share": 0.5}"#).await;
    scene.pass(FIRST_PAGE_WITHIN).await;
    let told = |pages: &[PageSeen]| -> Vec<(String, i64)> {
        of(pages, "HighErrorRate", "firing")
            .iter()
            .map(|page| (page.person.clone(), page.level))
            .collect()
    };
    assert_eq!(told(&scene.inbox.pages()), [("lea".to_owned(), 2)]);
    let incident = scene.incident("HighErrorRate").await.expect("it is open");
    let says = incident["timeline"]
        .to_string()
        .contains("nobody fills on-call: level 1 reached nobody");
    assert!(says, "{}", incident["timeline"]);
    scene.pass(31 * MINUTE).await;
    let all = told(&scene.inbox.pages());
    assert_eq!(
        all,
        [("lea".to_owned(), 2), ("max".to_owned(), 3)],
        "level 3 keeps its time"
    );
    scene.stop().await;
}
