//! The part of the suite of [`IncidentStore`] about pages: when they are due, in which order, and what settles them.

use alerting::{IncidentId, PageReason};
use monitor::incident::*;
use plan::Severity;

use super::incidents::{Store, at, change, due, incident, outcome, over, page, record, resolved};

pub(super) fn pages_wait_for_their_time(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    paged.pages = ["ada", "bob"]
        .map(|person| NewPage {
            send_at: at(10),
            ..page(1, person)
        })
        .into();
    record(&mut store, vec![paged], 10);
    assert_eq!(due(&mut store, 9), [""; 0]);
    assert_eq!(due(&mut store, 10), ["firing ada 1", "firing bob 1"]);
    assert_eq!(store.due_pages(at(10), 1).unwrap().len(), 1);
    outcome(&mut store, 0, 10, PageState::Queued, 15);
    assert_eq!(due(&mut store, 14), ["firing bob 1"]);
    assert_eq!(
        due(&mut store, 15),
        ["firing bob 1", "firing ada 1"],
        "the longest due first"
    );
    outcome(&mut store, 0, 15, PageState::Delivered, 15);
    let queue = store.queue().unwrap();
    assert_eq!((queue.waiting, queue.oldest), (1, Some(at(10))));
    assert_eq!(queue.next_at, Some(at(15)));
    outcome(&mut store, 0, 16, PageState::GivenUp, 16);
    assert_eq!(store.queue().unwrap(), PageQueue::default());
    let detail = store.detail(IncidentId(1)).unwrap().unwrap();
    let (ada, bob) = (&detail.pages[0], &detail.pages[1]);
    assert_eq!(
        (
            ada.state,
            ada.attempts,
            ada.delivered_at,
            ada.last_error.as_deref()
        ),
        (PageState::GivenUp, 2, None, Some("refused"))
    );
    assert_eq!(
        (
            bob.state,
            bob.attempts,
            bob.delivered_at,
            bob.last_error.as_deref()
        ),
        (PageState::Delivered, 1, Some(at(15)), None)
    );
    assert_eq!((ada.queued_at, ada.kind()), (at(10), PageKind::Firing));
    assert_eq!(bob.receipt.as_deref(), Some("200 OK"));
    let attempts = store.attempts(Some(IncidentId(1)), 10).unwrap();
    let tried: Vec<String> = attempts
        .iter()
        .map(|own| format!("{} {} {:?}", own.page.person, own.at, own.error))
        .collect();
    assert_eq!(
        tried,
        [
            "ada 1795424416 Some(\"refused\")",
            "bob 1795424415 None",
            "ada 1795424410 Some(\"refused\")"
        ]
    );
    assert!(store.attempts(Some(IncidentId(2)), 10).unwrap().is_empty());
    assert_eq!(store.attempts(None, 2).unwrap().len(), 2);
    assert_eq!(detail.timeline.len(), 3, "every attempt is written down");
}

pub(super) fn all_who_were_told_are_told_that_it_is_over(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    paged.pages = vec![page(1, "ada"), page(2, "ada"), page(2, "lea")];
    let mut other = change(incident(2, "Other"));
    other.pages = vec![page(1, "max")];
    record(&mut store, vec![paged, other], 0);
    outcome(&mut store, 0, 0, PageState::Delivered, 0);
    let mut ended = change(resolved(incident(1, "Bad"), 5));
    ended.pages = vec![over(1, "ada"), over(2, "lea")];
    record(&mut store, vec![ended], 5);
    // "It is over" never overtakes "it fires" to the same person.
    assert_eq!(
        due(&mut store, 5),
        ["firing ada 2", "firing lea 2", "firing max 1"]
    );
    outcome(&mut store, 0, 5, PageState::Queued, 60);
    outcome(&mut store, 0, 6, PageState::Delivered, 6);
    assert_eq!(due(&mut store, 7), ["firing max 1", "resolved lea 2"]);
    outcome(&mut store, 1, 7, PageState::Delivered, 7);
    let index = due(&mut store, 60)
        .iter()
        .position(|page| page == "firing ada 2")
        .unwrap();
    outcome(&mut store, index, 60, PageState::GivenUp, 60);
    assert_eq!(
        due(&mut store, 61),
        ["firing max 1", "resolved ada 1"],
        "once, at the lowest level"
    );
}

/// States of all pages of incident 1 as `person channel state`.
pub(super) fn states(store: &mut Store) -> Vec<String> {
    let detail = store.detail(IncidentId(1)).unwrap().unwrap();
    detail
        .pages
        .iter()
        .map(|page| format!("{} {} {}", page.person, page.channel, page.state.as_str()))
        .collect()
}

pub(super) fn the_next_channel_is_tried_beside_the_first(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    paged.pages = vec![page(1, "ada")];
    record(&mut store, vec![paged], 0);
    let first = store.due_pages(at(0), 10).unwrap()[0].clone();
    let failed = PageOutcome {
        state: PageState::Queued,
        next_attempt_at: at(10),
        error: Some("refused".to_owned()),
        receipt: None,
        took_ms: 1,
        timeline: None,
        fall_back_to: Some("email".to_owned()),
    };
    store.record_attempt(first.id, &failed, at(1)).unwrap();
    store.record_attempt(first.id, &failed, at(2)).unwrap();
    assert_eq!(
        states(&mut store),
        ["ada webhook queued", "ada email queued"],
        "once, however often it is asked for"
    );
    let second = store.due_pages(at(2), 10).unwrap()[0].clone();
    assert_eq!(second.channel, "email");
    assert_eq!(
        second.idempotency_key(),
        first.idempotency_key(),
        "it is the same page"
    );
    assert_eq!(second.queued_at, first.queued_at, "and as old");
    let accepted = PageOutcome {
        state: PageState::Delivered,
        error: None,
        fall_back_to: None,
        ..failed
    };
    store.record_attempt(second.id, &accepted, at(3)).unwrap();
    assert_eq!(
        states(&mut store),
        ["ada webhook replaced", "ada email delivered"]
    );
    assert_eq!(store.queue().unwrap(), PageQueue::default());
}

pub(super) fn a_summary_carries_what_waits_for_one(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    let waiting = NewPage {
        in_summary: true,
        ..page(1, "ada")
    };
    paged.pages = vec![waiting.clone()];
    let mut other = change(incident(2, "Other"));
    other.pages = vec![waiting];
    record(&mut store, vec![paged, other], 0);
    assert_eq!(due(&mut store, 100), [""; 0]);
    assert_eq!(
        store.load(at(1)).unwrap().waiting_for_summary,
        ["ada"],
        "a restart knows"
    );
    let summary = |person: &str| Change {
        summaries: vec![NewSummary {
            person: person.to_owned(),
            channel: "webhook".to_owned(),
        }],
        ..Change::default()
    };
    store.record(&summary("bob"), at(2)).unwrap();
    assert_eq!(due(&mut store, 100), [""; 0], "nothing waits for bob");
    store.record(&summary("ada"), at(3)).unwrap();
    store.record(&summary("ada"), at(4)).unwrap();
    let pages = store.due_pages(at(4), 10).unwrap();
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].reason, PageReason::Summary);
    assert_eq!(store.pages_in_summary(pages[0].id).unwrap().len(), 2);
    assert!(store.load(at(5)).unwrap().waiting_for_summary.is_empty());
    outcome(&mut store, 0, 5, PageState::Delivered, 5);
    assert_eq!(
        states(&mut store),
        ["ada webhook delivered", "ada webhook delivered"]
    );
}

pub(super) fn critical_pages_go_first(mut store: Store) {
    let mut warning = incident(1, "Odd");
    warning.head.severity = Severity::Warning;
    let mut first = change(warning);
    first.pages = vec![page(1, "ada")];
    record(&mut store, vec![first], 0);
    let mut second = change(incident(2, "Bad"));
    second.pages = vec![page(1, "bob")];
    record(&mut store, vec![second], 5);
    assert_eq!(due(&mut store, 5), ["firing bob 1", "firing ada 1"]);
}

pub(super) fn pages_wait_for_evidence(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    paged.pages = vec![NewPage {
        send_at: at(3),
        ..page(1, "ada")
    }];
    record(&mut store, vec![paged], 0);
    assert_eq!(due(&mut store, 2), [""; 0]);
    store.release_pages(IncidentId(2), at(1)).unwrap();
    assert_eq!(due(&mut store, 2), [""; 0], "another incident's");
    store.release_pages(IncidentId(1), at(1)).unwrap();
    assert_eq!(due(&mut store, 1), ["firing ada 1"]);
    outcome(&mut store, 0, 1, PageState::Queued, 50);
    store.release_pages(IncidentId(1), at(2)).unwrap();
    assert_eq!(due(&mut store, 2), [""; 0], "a retry keeps its time");
}

pub(super) fn a_clock_that_is_set_moves_what_waits(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    paged.pages = vec![page(1, "ada")];
    record(&mut store, vec![paged], 0);
    outcome(&mut store, 0, 0, PageState::Queued, 10);
    let set = Change {
        clock_set_by_ms: -3_600_000,
        ..Change::default()
    };
    store.record(&set, at(-3600)).unwrap();
    assert_eq!(due(&mut store, -3591), [""; 0]);
    assert_eq!(due(&mut store, -3590), ["firing ada 1"]);
    assert_eq!(store.queue().unwrap().oldest, Some(at(-3600)));
}
