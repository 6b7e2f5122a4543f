//! The incident desk and the outbox when things go wrong in between: a caller that goes away, a store that refuses.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use serde_json::json;
use world::{Blocking, BoxFuture};

use super::harness::{Belfry, PLAN, in_folder};
use super::refusing_store::RefusingStore;

/// Does the work and then lets its caller wait once more, as a pool of threads does: the work is done, its caller does not
/// know yet.
struct Hesitant;

impl Blocking for Hesitant {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        work();
        let mut waited = false;
        Box::pin(std::future::poll_fn(move |context| {
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}

/// A click whose connection breaks is either done or not done: what the page shows is what the escalation does.
#[tokio::test(start_paused = true)]
async fn an_acknowledgement_is_whole_wherever_its_caller_goes_away() {
    let mut outcomes = Vec::new();
    for polls in 0..6 {
        let belfry =
            Belfry::start_with(PLAN, |world| world.blocking = Arc::new(Hesitant), in_folder).await;
        belfry.expose("stock 0\n");
        belfry.pass(90).await;
        {
            let path = "POST /api/belfry/v1/incidents/2/acknowledge";
            let mut click = pin!(belfry.ask(path, r#"{"by":"ada"}"#));
            for _ in 0..polls {
                if click
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_ready()
                {
                    break;
                }
            }
        }
        let shown = belfry.get("/api/belfry/v1/incidents/2").await["state"] == "acknowledged";
        belfry.pass(20 * 60).await;
        let escalated = belfry.pages().contains(&"firing NoStock lea 2".to_owned());
        assert_eq!(
            shown,
            !escalated,
            "after {polls} polls; pages: {:?}",
            belfry.pages()
        );
        let later = belfry.get("/api/belfry/v1/incidents/2").await["state"] == "acknowledged";
        assert_eq!(shown, later, "after {polls} polls it is not forgotten");
        outcomes.push(shown);
    }
    assert!(
        outcomes.contains(&false) && outcomes.contains(&true),
        "both outcomes were seen: {outcomes:?}"
    );
}

/// "Twice is better than never" must not become hundreds of pages a minute.
#[tokio::test(start_paused = true)]
async fn a_full_disk_does_not_turn_one_page_into_a_storm() {
    let full = Arc::new(AtomicBool::new(true));
    let switch = full.clone();
    // A store on a full disk: it reads, but takes no outcomes of deliveries.
    let store = move |folder: &tempfile::TempDir| RefusingStore {
        inner: in_folder(folder),
        refuses: Arc::new(move |verb| verb == "record_attempt" && switch.load(Ordering::Relaxed)),
    };
    let belfry = Belfry::start_with(PLAN, |_| {}, store).await;
    belfry.expose("stock 0\n");
    belfry.pass(180).await;
    assert_eq!(
        belfry.pages(),
        ["firing LowStock ada 1", "firing NoStock ada 1"]
    );
    assert!(
        belfry
            .own_metric("belfry_incident_store_failures_total")
            .await
            > 0.0,
        "it shows"
    );
    full.store(false, Ordering::Relaxed);
    belfry.pass(90).await;
    assert_eq!(
        belfry.pages(),
        ["firing LowStock ada 1", "firing NoStock ada 1"]
    );
    let incident = belfry.get("/api/belfry/v1/incidents/2").await;
    assert_eq!(
        incident["pages"][0]["state"],
        json!("delivered"),
        "what happened is recorded in the end"
    );
}
