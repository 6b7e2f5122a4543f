//! The suite of [`IncidentStore`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use alerting::{
    Acknowledgement, ForeignAlert, Hold, HoldKind, Incident, IncidentHead, IncidentId, Instance,
    Member, PageReason, Phase, Resolution, ResolveReason, RuleState, TimelineKind,
};
use model::{Labels, Timestamp};
use monitor::incident::*;
use plan::{EscalationLevel, Severity};

use super::{drills, pages, response};

pub(super) type Store = Box<dyn IncidentStore>;

/// An empty store when called with `true`; the same content again, by another connection, with `false`.
pub(super) type Open<'a> = &'a mut dyn FnMut(bool) -> Store;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_424_400_000 + seconds * 1000)
}

pub(super) fn labels(name: &str) -> Labels {
    Labels::from_pairs([("name", name)])
}

pub(super) fn incident(id: i64, alert: &str) -> Incident {
    let level = |minutes: u64, role: &str| EscalationLevel {
        after: Duration::from_secs(minutes * 60),
        roles: vec![role.to_owned()],
    };
    let mut incident = Incident::new(IncidentHead {
        id: IncidentId(id),
        title: alert.to_owned(),
        group: format!("critical|standard|{{alertname={alert:?}}}"),
        severity: Severity::Critical,
        opened_at: at(0),
        levels: vec![level(0, "on-call"), level(15, "lead")],
        acknowledgement_expires: Some(Duration::from_secs(3600)),
        page_interval: Duration::from_secs(300),
        procedure: Some("look".to_owned()),
    });
    let member = Member {
        value: 0.5,
        started_at: at(0),
        resolved_at: None,
        no_data: false,
        summary: "half of it \"quoted\"".to_owned(),
        foreign: None,
    };
    incident.members.insert(labels("one"), member);
    incident
}

pub(super) fn resolved(mut incident: Incident, seconds: i64) -> Incident {
    incident.resolved = Some(Resolution {
        at: at(seconds),
        reason: ResolveReason::NoTraffic,
    });
    incident
}

pub(super) fn change(incident: Incident) -> IncidentChange {
    IncidentChange {
        touched: incident.members.keys().cloned().collect(),
        ..IncidentChange::new(incident)
    }
}

pub(super) fn page(level: usize, person: &str) -> NewPage {
    NewPage {
        level,
        person: person.to_owned(),
        channel: "webhook".to_owned(),
        reason: PageReason::Escalation,
        due_at: at(0),
        send_at: at(0),
        in_summary: false,
    }
}

pub(super) fn over(level: usize, person: &str) -> NewPage {
    NewPage {
        reason: PageReason::Resolved,
        ..page(level, person)
    }
}

pub(super) fn record(store: &mut Store, changes: Vec<IncidentChange>, seconds: i64) {
    let change = Change {
        incidents: changes,
        ..Change::default()
    };
    store.record(&change, at(seconds)).unwrap();
}

pub(super) fn due(store: &mut Store, seconds: i64) -> Vec<String> {
    let pages = store.due_pages(at(seconds), 100).unwrap();
    pages
        .iter()
        .map(|page| format!("{} {} {}", page.kind().as_str(), page.person, page.level))
        .collect()
}

pub(super) fn outcome(store: &mut Store, index: usize, seconds: i64, state: PageState, next: i64) {
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
        receipt: (state == PageState::Delivered).then(|| "200 OK".to_owned()),
        took_ms: 12,
        timeline: Some((kind, "tried".to_owned())),
        fall_back_to: None,
    };
    store.record_attempt(page, &outcome, at(seconds)).unwrap();
}

fn conforms(open: Open<'_>) {
    an_empty_store_loads(open(true));
    a_change_is_loaded_as_it_was_recorded(open);
    rules_are_replaced_whole(open);
    lists_and_details(open(true));
    pages::pages_wait_for_their_time(open(true));
    pages::all_who_were_told_are_told_that_it_is_over(open(true));
    a_change_is_whole_or_not_there(open(true));
    pages::the_next_channel_is_tried_beside_the_first(open(true));
    pages::a_summary_carries_what_waits_for_one(open(true));
    pages::critical_pages_go_first(open(true));
    pages::pages_wait_for_evidence(open(true));
    pages::a_clock_that_is_set_moves_what_waits(open(true));
    response::steps_run_once(open(true));
    response::what_a_crash_cut_off_is_settled(open);
    response::history_is_kept(open(true));
    response::firings_of_the_last_hour_are_remembered(open);
    response::silences_and_overrides_outlive_a_restart(open);
    response::deployments_and_heartbeats(open(true));
    response::the_past_is_forgotten(open(true));
    drills::the_ledger_outlives_a_restart(open);
    drills::a_drill_is_real_only_when_it_says_so(open);
}

fn an_empty_store_loads(mut store: Store) {
    let loaded = store.load(at(0)).unwrap();
    assert!(loaded.rules.is_empty() && loaded.open.is_empty());
    assert_eq!(loaded.next_id, 1);
    assert!(store.detail(IncidentId(1)).unwrap().is_none());
    assert_eq!(store.queue().unwrap(), PageQueue::default());
}

fn a_change_is_loaded_as_it_was_recorded(open: Open<'_>) {
    let mut store = open(true);
    let mut taken = incident(7, "Bad");
    taken.acknowledged = Some(Acknowledgement {
        at: at(5),
        by: "ada".to_owned(),
        until: Some(at(3605)),
    });
    taken.first_acknowledged_at = Some(at(4));
    taken.held = Some(Hold {
        kind: HoldKind::Silence,
        id: "s".to_owned(),
        why: "ada: tries something".to_owned(),
    });
    taken.left_out = 3;
    taken.shift_ms = -5;
    taken.resting_since = Some(at(5));
    taken.paged_at = Some(at(2));
    taken.joined = true;
    taken.merged_groups = BTreeSet::from(["other".to_owned()]);
    let foreign = ForeignAlert {
        expires_at: at(300),
        annotations: BTreeMap::from([("summary".to_owned(), "é".to_owned())]),
        generator_url: "http://x/graph".to_owned(),
    };
    let member = Member {
        foreign: Some(foreign),
        no_data: true,
        ..taken.members[&labels("one")].clone()
    };
    taken.members.insert(labels("two"), member);
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
                    calm_since: Some(at(6)),
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
                    calm_since: None,
                },
            ),
        ]),
        evaluated_at: Some(at(9)),
        ..RuleState::default()
    };
    let recorded = Change {
        clock_set_by_ms: 0,
        rules: vec![rule_change("Bad", state.clone(), Vec::new())],
        incidents: vec![
            change(taken.clone()),
            change(resolved(incident(8, "Old"), 6)),
        ],
        summaries: Vec::new(),
    };
    store.record(&recorded, at(5)).unwrap();
    store.touch(at(8)).unwrap();
    store.touch(at(9)).unwrap();
    drop(store);
    let loaded = open(false).load(at(100)).unwrap();
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
        calm_since: None,
    };
    let state = |instances: Vec<(Labels, Instance)>| RuleState {
        instances: instances.into_iter().collect(),
        ..RuleState::default()
    };
    let mut put = |rule: &str, state: RuleState| {
        store
            .record(
                &Change {
                    rules: vec![rule_change(rule, state, Vec::new())],
                    ..Change::default()
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
    let rules = open(false).load(at(100)).unwrap().rules;
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
            .map(|own| own.id().0)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(IncidentFilter::All, 100), [5, 4, 3, 2, 1]);
    assert_eq!(ids(IncidentFilter::Open, 100), [5, 3, 1]);
    assert_eq!(ids(IncidentFilter::Resolved, 100), [4, 2]);
    assert_eq!(ids(IncidentFilter::All, 2), [5, 4]);
    assert_eq!(ids(IncidentFilter::All, 0), [0; 0]);
    assert_eq!(
        ids(IncidentFilter::OpenedWithin(at(0), at(1)), 2),
        [5, 4],
        "all opened at the same time"
    );
    assert_eq!(ids(IncidentFilter::OpenedWithin(at(1), at(9)), 9), [0; 0]);
    let mut written = change(incident(5, "Bad"));
    written.timeline = vec![
        (TimelineKind::Opened, "it fires".to_owned()),
        (TimelineKind::Escalated, "level 1".to_owned()),
    ];
    written.pages = vec![page(1, "ada")];
    record(&mut store, vec![written], 9);
    let detail = store.detail(IncidentId(5)).unwrap().unwrap();
    let told = Incident {
        told: BTreeMap::from([("ada".to_owned(), 1)]),
        ..incident(5, "Bad")
    };
    assert_eq!(detail.incident, told);
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

fn a_change_is_whole_or_not_there(mut store: Store) {
    record(&mut store, vec![change(incident(1, "Bad"))], 0);
    // A page that was never queued cannot have an outcome: all of it is refused.
    let outcome = PageOutcome {
        state: PageState::Delivered,
        next_attempt_at: at(0),
        error: None,
        receipt: None,
        took_ms: 0,
        timeline: Some((TimelineKind::Delivered, "x".to_owned())),
        fall_back_to: None,
    };
    assert!(store.record_attempt(PageId(99), &outcome, at(0)).is_err());
    assert_eq!(
        store.detail(IncidentId(1)).unwrap().unwrap().timeline.len(),
        0
    );
    // The same change twice (a caller that tries again) is one incident.
    record(&mut store, vec![change(incident(1, "Bad"))], 1);
    assert_eq!(store.incidents(IncidentFilter::All, 10).unwrap().len(), 1);
}

pub(super) fn rule_change(name: &str, state: RuleState, history: Vec<HistoryEntry>) -> RuleChange {
    RuleChange {
        name: name.to_owned(),
        state,
        history,
    }
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
        .execute_batch("PRAGMA user_version = 4")
        .unwrap();
    let error = SqliteIncidents::open(&path)
        .err()
        .expect("refused")
        .to_string();
    assert!(error.contains("use a newer Belfry"), "{error}");
}
