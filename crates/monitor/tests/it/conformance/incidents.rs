//! The suite of [`IncidentStore`].

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use alerting::{
    Acknowledgement, Incident, IncidentId, Instance, Member, Phase, Resolution, ResolveReason,
    RuleState, TimelineKind,
};
use model::{Labels, Timestamp};
use monitor::incident::{
    Change, IncidentChange, IncidentFilter, IncidentStore, NewPage, PageKind, PageOutcome,
    PageState, SqliteIncidents,
};
use plan::{EscalationLevel, Severity};

type Store = Box<dyn IncidentStore>;

/// An empty store when called with `true`; the same content again, by another connection, with `false`.
type Open<'a> = &'a mut dyn FnMut(bool) -> Store;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_424_400_000 + seconds * 1000)
}

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("name", name)])
}

fn incident(id: i64, alert: &str) -> Incident {
    let level = |minutes: u64, role: &str| EscalationLevel {
        after: Duration::from_secs(minutes * 60),
        roles: vec![role.to_owned()],
    };
    let mut incident = Incident::new(
        IncidentId(id),
        alert,
        Severity::Critical,
        &[level(0, "on-call"), level(15, "lead")],
        at(0),
    );
    incident.members.insert(
        labels("one"),
        Member {
            value: 0.5,
            started_at: at(0),
            resolved_at: None,
            no_data: false,
            summary: "half of it \"quoted\"".to_owned(),
        },
    );
    incident
}

fn resolved(mut incident: Incident, seconds: i64) -> Incident {
    incident.resolved = Some(Resolution {
        at: at(seconds),
        reason: ResolveReason::NoTraffic,
    });
    incident
}

fn change(incident: Incident) -> IncidentChange {
    IncidentChange {
        incident,
        timeline: Vec::new(),
        pages: Vec::new(),
        page_resolved: false,
    }
}

fn page(level: usize, person: &str) -> NewPage {
    NewPage {
        level,
        person: person.to_owned(),
        channel: "webhook".to_owned(),
    }
}

fn record(store: &mut Store, changes: Vec<IncidentChange>, seconds: i64) {
    store
        .record(
            &Change {
                rule: None,
                incidents: changes,
            },
            at(seconds),
        )
        .unwrap();
}

fn due(store: &mut Store, seconds: i64) -> Vec<String> {
    let pages = store.due_pages(at(seconds), 100).unwrap();
    pages
        .iter()
        .map(|page| format!("{} {} {}", page.kind.as_str(), page.person, page.level))
        .collect()
}

fn outcome(store: &mut Store, index: usize, seconds: i64, state: PageState, next: i64) {
    let page = store.due_pages(at(seconds), 100).unwrap()[index].id;
    let kind = if state == PageState::Delivered {
        TimelineKind::Delivered
    } else {
        TimelineKind::DeliveryFailed
    };
    let outcome = PageOutcome {
        state,
        next_attempt_at: at(next),
        error: (state != PageState::Delivered).then(|| "refused".to_owned()),
        timeline: Some((kind, "tried".to_owned())),
    };
    store.record_attempt(page, &outcome, at(seconds)).unwrap();
}

fn conforms(open: Open<'_>) {
    an_empty_store_loads(open(true));
    a_change_is_loaded_as_it_was_recorded(open);
    rules_are_replaced_whole(open);
    lists_and_details(open(true));
    pages_wait_for_their_time(open(true));
    all_who_were_told_are_told_that_it_is_over(open(true));
    a_change_is_whole_or_not_there(open(true));
}

fn an_empty_store_loads(mut store: Store) {
    let loaded = store.load().unwrap();
    assert!(loaded.rules.is_empty() && loaded.open.is_empty());
    assert_eq!(loaded.next_id, 1);
    assert!(store.detail(IncidentId(1)).unwrap().is_none());
    assert_eq!(store.queue().unwrap(), (0, None));
}

fn a_change_is_loaded_as_it_was_recorded(open: Open<'_>) {
    let mut store = open(true);
    let mut taken = incident(7, "Bad");
    taken.acknowledged = Some(Acknowledgement {
        at: at(5),
        by: "ada".to_owned(),
    });
    taken.levels_told = 1;
    let state = RuleState {
        instances: BTreeMap::from([
            (
                labels("one"),
                Instance {
                    phase: Phase::Firing { fired_at: at(3) },
                    since: at(1),
                    value: 0.25,
                    no_data_since: Some(at(4)),
                    no_value_since: Some(at(5)),
                },
            ),
            (
                labels("two"),
                Instance {
                    phase: Phase::Pending,
                    since: at(2),
                    value: f64::INFINITY,
                    no_data_since: None,
                    no_value_since: None,
                },
            ),
        ]),
        evaluated_at: Some(at(9)),
        left_out: 0,
    };
    let recorded = Change {
        rule: Some(("Bad".to_owned(), state.clone())),
        incidents: vec![
            change(taken.clone()),
            change(resolved(incident(8, "Old"), 6)),
        ],
    };
    store.record(&recorded, at(5)).unwrap();
    store.touch(at(8)).unwrap();
    store.touch(at(9)).unwrap();
    drop(store);
    let loaded = open(false).load().unwrap();
    assert_eq!(loaded.open, [taken], "open, and nothing but open");
    assert_eq!(loaded.rules, BTreeMap::from([("Bad".to_owned(), state)]));
    assert_eq!(
        loaded.next_id, 9,
        "numbers of resolved incidents are not used again"
    );
}

fn rules_are_replaced_whole(open: Open<'_>) {
    let mut store = open(true);
    let instance = |value: f64| Instance {
        phase: Phase::Pending,
        since: at(0),
        value,
        no_data_since: None,
        no_value_since: None,
    };
    let state = |instances: Vec<(Labels, Instance)>| RuleState {
        instances: instances.into_iter().collect(),
        ..RuleState::default()
    };
    let mut put = |rule: &str, state: RuleState| {
        store
            .record(
                &Change {
                    rule: Some((rule.to_owned(), state)),
                    incidents: Vec::new(),
                },
                at(0),
            )
            .unwrap();
    };
    put(
        "A",
        state(vec![
            (labels("one"), instance(1.0)),
            (labels("two"), instance(2.0)),
        ]),
    );
    put("B", state(vec![(labels("one"), instance(3.0))]));
    put("A", state(vec![(labels("two"), instance(4.0))]));
    put("C", state(vec![(labels("one"), instance(f64::NAN))]));
    put("B", state(vec![]));
    drop(store);
    let rules = open(false).load().unwrap().rules;
    assert_eq!(rules.keys().collect::<Vec<_>>(), ["A", "C"]);
    assert_eq!(
        rules["A"]
            .instances
            .iter()
            .map(|(labels, own)| (labels.to_string(), own.value))
            .collect::<Vec<_>>(),
        [("{name=\"two\"}".to_owned(), 4.0)]
    );
    assert!(rules["C"].instances[&labels("one")].value.is_nan());
}

fn lists_and_details(mut store: Store) {
    for id in 1..=5 {
        let own = incident(id, "Bad");
        let own = if id % 2 == 0 { resolved(own, id) } else { own };
        record(&mut store, vec![change(own)], id);
    }
    let mut ids = |filter, limit| {
        store
            .incidents(filter, limit)
            .unwrap()
            .iter()
            .map(|own| own.id.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(IncidentFilter::All, 100), [5, 4, 3, 2, 1]);
    assert_eq!(ids(IncidentFilter::Open, 100), [5, 3, 1]);
    assert_eq!(ids(IncidentFilter::Resolved, 100), [4, 2]);
    assert_eq!(ids(IncidentFilter::All, 2), [5, 4]);
    assert_eq!(ids(IncidentFilter::All, 0), [0; 0]);
    let mut written = change(incident(5, "Bad"));
    written.timeline = vec![
        (TimelineKind::Opened, "it fires".to_owned()),
        (TimelineKind::Escalated, "level 1".to_owned()),
    ];
    written.pages = vec![page(1, "ada")];
    record(&mut store, vec![written], 9);
    let detail = store.detail(IncidentId(5)).unwrap().unwrap();
    assert_eq!(detail.incident, incident(5, "Bad"));
    let lines: Vec<String> = detail
        .timeline
        .iter()
        .map(|own| format!("{} {} {}", own.at, own.kind, own.text))
        .collect();
    assert_eq!(
        lines,
        ["1795424409 opened it fires", "1795424409 escalated level 1"]
    );
    assert_eq!(
        (detail.pages.len(), detail.pages[0].incident),
        (1, IncidentId(5))
    );
}

fn pages_wait_for_their_time(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    paged.pages = vec![page(1, "ada"), page(1, "bob")];
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
    assert_eq!(store.queue().unwrap(), (1, Some(at(10))));
    outcome(&mut store, 0, 16, PageState::GivenUp, 16);
    assert_eq!(store.queue().unwrap(), (0, None));
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
    assert_eq!((ada.queued_at, ada.kind), (at(10), PageKind::Firing));
    assert_eq!(detail.timeline.len(), 3, "every attempt is written down");
}

fn all_who_were_told_are_told_that_it_is_over(mut store: Store) {
    let mut paged = change(incident(1, "Bad"));
    paged.pages = vec![page(1, "ada"), page(2, "ada"), page(2, "lea")];
    let mut other = change(incident(2, "Other"));
    other.pages = vec![page(1, "max")];
    record(&mut store, vec![paged, other], 0);
    outcome(&mut store, 0, 0, PageState::Delivered, 0);
    let mut over = change(resolved(incident(1, "Bad"), 5));
    over.page_resolved = true;
    record(&mut store, vec![over], 5);
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

fn a_change_is_whole_or_not_there(mut store: Store) {
    record(&mut store, vec![change(incident(1, "Bad"))], 0);
    // A page that was never queued cannot have an outcome: all of it is refused.
    let outcome = PageOutcome {
        state: PageState::Delivered,
        next_attempt_at: at(0),
        error: None,
        timeline: Some((TimelineKind::Delivered, "x".to_owned())),
    };
    assert!(
        store
            .record_attempt(monitor::incident::PageId(99), &outcome, at(0))
            .is_err()
    );
    assert_eq!(
        store.detail(IncidentId(1)).unwrap().unwrap().timeline.len(),
        0
    );
    // The same change twice (a caller that tries again) is one incident.
    record(&mut store, vec![change(incident(1, "Bad"))], 1);
    assert_eq!(store.incidents(IncidentFilter::All, 10).unwrap().len(), 1);
}

/// SQLite, by a path for each fresh store.
fn sqlite(path: impl Fn(u32) -> std::path::PathBuf) {
    let mut number = 0;
    // A database in memory lives as long as one connection to it.
    let mut keepers = Vec::new();
    let mut open = |fresh: bool| {
        number += u32::from(fresh);
        keepers.push(SqliteIncidents::open(&path(number)).unwrap());
        Box::new(SqliteIncidents::open(&path(number)).unwrap()) as Store
    };
    conforms(&mut open);
}

#[test]
fn adapters() {
    let folder = tempfile::tempdir().unwrap();
    sqlite(|number| folder.path().join(format!("{number}.sqlite")));
    sqlite(|number| {
        Path::new(&format!(
            "file:conformance-{number}?mode=memory&cache=shared"
        ))
        .to_owned()
    });
}

/// A file that a newer Belfry wrote is left alone.
#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("incidents.sqlite");
    drop(SqliteIncidents::open(&path).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 2")
        .unwrap();
    let error = SqliteIncidents::open(&path)
        .err()
        .expect("refused")
        .to_string();
    assert!(error.contains("use a newer Belfry"), "{error}");
}
