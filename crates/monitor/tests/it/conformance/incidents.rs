//! The suite of [`IncidentStore`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use alerting::{
    Acknowledgement, ForeignAlert, Hold, HoldKind, Incident, IncidentHead, IncidentId, Instance,
    Member, PageReason, Phase, Resolution, ResolveReason, RuleState, Silence, TimelineKind,
    TransitionKind,
};
use model::{Labels, MatchOp, Matcher, Timestamp};
use monitor::incident::*;
use plan::{EscalationLevel, RotaOverride, Severity};

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

fn resolved(mut incident: Incident, seconds: i64) -> Incident {
    incident.resolved = Some(Resolution {
        at: at(seconds),
        reason: ResolveReason::NoTraffic,
    });
    incident
}

fn change(incident: Incident) -> IncidentChange {
    IncidentChange {
        touched: incident.members.keys().cloned().collect(),
        ..IncidentChange::new(incident)
    }
}

fn page(level: usize, person: &str) -> NewPage {
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

fn over(level: usize, person: &str) -> NewPage {
    NewPage {
        reason: PageReason::Resolved,
        ..page(level, person)
    }
}

fn record(store: &mut Store, changes: Vec<IncidentChange>, seconds: i64) {
    let change = Change {
        incidents: changes,
        ..Change::default()
    };
    store.record(&change, at(seconds)).unwrap();
}

fn due(store: &mut Store, seconds: i64) -> Vec<String> {
    let pages = store.due_pages(at(seconds), 100).unwrap();
    pages
        .iter()
        .map(|page| format!("{} {} {}", page.kind().as_str(), page.person, page.level))
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
    pages_wait_for_their_time(open(true));
    all_who_were_told_are_told_that_it_is_over(open(true));
    a_change_is_whole_or_not_there(open(true));
    the_next_channel_is_tried_beside_the_first(open(true));
    a_summary_carries_what_waits_for_one(open(true));
    critical_pages_go_first(open(true));
    pages_wait_for_evidence(open(true));
    a_clock_that_is_set_moves_what_waits(open(true));
    steps_run_once(open(true));
    what_a_crash_cut_off_is_settled(open);
    history_is_kept(open(true));
    firings_of_the_last_hour_are_remembered(open);
    silences_and_overrides_outlive_a_restart(open);
    deployments_and_heartbeats(open(true));
    the_past_is_forgotten(open(true));
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

fn pages_wait_for_their_time(mut store: Store) {
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

fn all_who_were_told_are_told_that_it_is_over(mut store: Store) {
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

fn rule_change(name: &str, state: RuleState, history: Vec<HistoryEntry>) -> RuleChange {
    RuleChange {
        name: name.to_owned(),
        state,
        history,
    }
}

/// States of all pages of incident 1 as `person channel state`.
fn states(store: &mut Store) -> Vec<String> {
    let detail = store.detail(IncidentId(1)).unwrap().unwrap();
    detail
        .pages
        .iter()
        .map(|page| format!("{} {} {}", page.person, page.channel, page.state.as_str()))
        .collect()
}

fn the_next_channel_is_tried_beside_the_first(mut store: Store) {
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

fn a_summary_carries_what_waits_for_one(mut store: Store) {
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

fn critical_pages_go_first(mut store: Store) {
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

fn pages_wait_for_evidence(mut store: Store) {
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

fn a_clock_that_is_set_moves_what_waits(mut store: Store) {
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

fn run(step: usize, changes: bool) -> NewRun {
    NewRun {
        step,
        title: "look".to_owned(),
        kind: "request".to_owned(),
        changes,
        by: "ada".to_owned(),
        ticked: false,
    }
}

fn steps_run_once(mut store: Store) {
    record(&mut store, vec![change(incident(1, "Bad"))], 0);
    let id = IncidentId(1);
    let changing = store.queue_run(id, &run(0, true), at(1)).unwrap().unwrap();
    let reading = store.queue_run(id, &run(1, false), at(1)).unwrap().unwrap();
    assert!(store.queue_run(id, &run(0, true), at(2)).unwrap().is_none());
    let queued = store.queued_runs(10).unwrap();
    assert_eq!(
        queued.iter().map(|own| own.id).collect::<Vec<_>>(),
        [changing, reading]
    );
    let done = RunOutcome {
        state: RunState::Done,
        summary: "restarted".to_owned(),
        detail: "{}".to_owned(),
        timeline: Some((TimelineKind::Step, "step 1 done".to_owned())),
    };
    for own in [changing, reading] {
        store.start_run(own, at(3)).unwrap();
        store.finish_run(own, &done, at(4)).unwrap();
    }
    assert!(store.queued_runs(10).unwrap().is_empty());
    assert!(
        store.queue_run(id, &run(0, true), at(5)).unwrap().is_none(),
        "what changes something runs once"
    );
    assert!(
        store
            .queue_run(id, &run(1, false), at(5))
            .unwrap()
            .is_some()
    );
    let ticked = NewRun {
        ticked: true,
        ..run(2, false)
    };
    assert!(store.queue_run(id, &ticked, at(6)).unwrap().is_some());
    let detail = store.detail(id).unwrap().unwrap();
    let shown: Vec<String> = detail
        .runs
        .iter()
        .map(|own| format!("{} {} {}", own.step, own.state.as_str(), own.summary))
        .collect();
    assert_eq!(
        shown,
        [
            "0 done restarted",
            "1 done restarted",
            "1 queued ",
            "2 ticked "
        ]
    );
    assert_eq!(
        (detail.runs[0].started_at, detail.runs[0].finished_at),
        (Some(at(3)), Some(at(4)))
    );
    assert_eq!(detail.timeline.len(), 6, "each is on the timeline");
}

fn what_a_crash_cut_off_is_settled(open: Open<'_>) {
    let mut store = open(true);
    record(&mut store, vec![change(incident(1, "Bad"))], 0);
    for (step, changes) in [(0, true), (1, false)] {
        let queued = store.queue_run(IncidentId(1), &run(step, changes), at(1));
        store.start_run(queued.unwrap().unwrap(), at(1)).unwrap();
    }
    drop(store);
    let mut store = open(false);
    store.load(at(60)).unwrap();
    let detail = store.detail(IncidentId(1)).unwrap().unwrap();
    let found: Vec<RunState> = detail.runs.iter().map(|own| own.state).collect();
    assert_eq!(found, [RunState::Interrupted, RunState::Queued]);
    let last = detail.timeline.last().unwrap();
    assert!(last.text.contains("cut off by a restart"), "{last:?}");
    let again = store.queue_run(IncidentId(1), &run(0, true), at(61));
    assert!(again.unwrap().is_some(), "a person may run it again");
}

fn entry(rule: &str, seconds: i64, kind: TransitionKind) -> HistoryEntry {
    HistoryEntry {
        rule: rule.to_owned(),
        labels: labels("one"),
        at: at(seconds),
        kind: kind.as_str().to_owned(),
        value: 1.5,
        why: "the condition holds: 1.5".to_owned(),
    }
}

fn history_is_kept(mut store: Store) {
    let entries = vec![
        entry("A", 0, TransitionKind::BecamePending),
        entry("A", 60, TransitionKind::Fired),
    ];
    let change = Change {
        rules: vec![
            rule_change("A", RuleState::default(), entries.clone()),
            rule_change(
                "B",
                RuleState::default(),
                vec![entry("B", 30, TransitionKind::Calmed)],
            ),
        ],
        ..Change::default()
    };
    store.record(&change, at(60)).unwrap();
    let mut asked = |rule: Option<&str>, from: i64, until: i64, limit: usize| {
        let filter = HistoryFilter {
            rule: rule.map(str::to_owned),
            from: at(from),
            until: at(until),
            limit,
        };
        store.history(&filter).unwrap()
    };
    assert_eq!(asked(None, 0, 60, 10).len(), 3);
    let newest_first: Vec<HistoryEntry> = entries.into_iter().rev().collect();
    assert_eq!(asked(Some("A"), 0, 60, 10), newest_first);
    assert_eq!(asked(Some("A"), 1, 60, 10).len(), 1);
    assert_eq!(asked(None, 0, 59, 10).len(), 2);
    assert_eq!(asked(None, 0, 60, 1).len(), 1);
}

fn firings_of_the_last_hour_are_remembered(open: Open<'_>) {
    let mut store = open(true);
    let entries = vec![
        entry("A", 0, TransitionKind::Fired),
        entry("A", 1800, TransitionKind::Fired),
        entry("A", 1900, TransitionKind::BecamePending),
    ];
    let change = Change {
        rules: vec![rule_change("A", RuleState::default(), entries)],
        ..Change::default()
    };
    store.record(&change, at(1900)).unwrap();
    drop(store);
    let rules = open(false).load(at(3700)).unwrap().rules;
    assert_eq!(
        rules["A"].fired,
        BTreeMap::from([(labels("one"), vec![at(1800)])])
    );
}

fn silence(id: &str, ends: i64) -> Silence {
    Silence {
        id: id.to_owned(),
        matchers: vec![
            Matcher::equal("alertname", "Bad"),
            Matcher::new("job", MatchOp::NotRegex, "x.*").unwrap(),
        ],
        starts_at: at(0),
        ends_at: at(ends),
        author: "ada".to_owned(),
        reason: "tries something".to_owned(),
        updated_at: at(0),
    }
}

fn silences_and_overrides_outlive_a_restart(open: Open<'_>) {
    let mut store = open(true);
    store.put_silence(&silence("a", 50)).unwrap();
    store.put_silence(&silence("b", 500)).unwrap();
    store.put_silence(&silence("b", 600)).unwrap();
    let instant =
        |seconds: i64| jiff::Timestamp::from_millisecond(at(seconds).as_millis()).unwrap();
    let mut added = StoredOverride {
        id: 0,
        rota: "on-call".to_owned(),
        turn: RotaOverride {
            person: "ada".to_owned(),
            from: instant(0),
            until: instant(500),
        },
        by: "lea".to_owned(),
        reason: "swapped".to_owned(),
    };
    added.id = store.put_override(&added).unwrap();
    let other = store.put_override(&added).unwrap();
    assert!(store.end_override(other, at(10)).unwrap());
    assert!(!store.end_override(other, at(11)).unwrap(), "it has ended");
    drop(store);
    let mut store = open(false);
    let loaded = store.load(at(100)).unwrap();
    let kept: Vec<(&str, Timestamp)> = loaded
        .silences
        .iter()
        .map(|own| (own.id.as_str(), own.ends_at))
        .collect();
    assert_eq!(
        kept,
        [("b", at(600))],
        "changed, and without the one that ended"
    );
    assert!(loaded.silences[0].selects(&Labels::from_pairs([("alertname", "Bad")])));
    assert!(
        !loaded.silences[0].selects(&Labels::from_pairs([("alertname", "Bad"), ("job", "xy")]))
    );
    assert_eq!(loaded.overrides, [added]);
    assert_eq!(store.silences(at(0), 10).unwrap().len(), 2, "history");
}

fn deployments_and_heartbeats(mut store: Store) {
    for seconds in [10, 20, 30] {
        let deployment = Deployment {
            at: at(seconds),
            service: "shop".to_owned(),
            instance: String::new(),
            version: format!("v{seconds}"),
            by: "ada".to_owned(),
            note: String::new(),
        };
        store.put_deployment(&deployment).unwrap();
    }
    let found = store.deployments(at(10), at(20), 10).unwrap();
    let versions: Vec<&str> = found.iter().map(|own| own.version.as_str()).collect();
    assert_eq!(versions, ["v20", "v10"]);
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    store.expect_heartbeats(&names(&["a", "b"]), at(0)).unwrap();
    store.beat("a", at(5)).unwrap();
    store.beat("nobody", at(5)).unwrap();
    let found = store.expect_heartbeats(&names(&["a", "c"]), at(9)).unwrap();
    let shown: Vec<(&str, Timestamp, Option<Timestamp>)> = found
        .iter()
        .map(|own| (own.name.as_str(), own.expected_since, own.last_at))
        .collect();
    assert_eq!(shown, [("a", at(0), Some(at(5))), ("c", at(9), None)]);
}

fn the_past_is_forgotten(mut store: Store) {
    let mut old = change(resolved(incident(1, "Old"), 5));
    old.pages = vec![page(1, "ada")];
    old.timeline = vec![(TimelineKind::Opened, "x".to_owned())];
    old.runs = vec![run(0, false)];
    record(&mut store, vec![old, change(incident(2, "Open"))], 0);
    outcome(&mut store, 0, 0, PageState::Delivered, 0);
    store.forget_before(at(5)).unwrap();
    assert!(store.detail(IncidentId(1)).unwrap().is_some());
    store.forget_before(at(6)).unwrap();
    assert!(store.detail(IncidentId(1)).unwrap().is_none());
    assert!(
        store.detail(IncidentId(2)).unwrap().is_some(),
        "open ones stay"
    );
    assert!(store.attempts(None, 10).unwrap().is_empty());
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
        .execute_batch("PRAGMA user_version = 3")
        .unwrap();
    let error = SqliteIncidents::open(&path)
        .err()
        .expect("refused")
        .to_string();
    assert!(error.contains("use a newer Belfry"), "{error}");
}
