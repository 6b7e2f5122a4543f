//! The part of the suite of [`IncidentStore`] about what people and procedures do, and about the past.

use std::collections::BTreeMap;

use alerting::{IncidentId, RuleState, Silence, TimelineKind, TransitionKind};
use model::{Labels, MatchOp, Matcher, Timestamp};
use monitor::incident::*;
use plan::RotaOverride;

use super::incidents::{
    Open, Store, at, change, incident, labels, outcome, page, record, resolved, rule_change,
};

pub(super) fn run(step: usize, changes: bool) -> NewRun {
    NewRun {
        step,
        title: "look".to_owned(),
        kind: "request".to_owned(),
        changes,
        by: "ada".to_owned(),
        ticked: false,
    }
}

pub(super) fn steps_run_once(mut store: Store) {
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

pub(super) fn what_a_crash_cut_off_is_settled(open: Open<'_>) {
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

pub(super) fn entry(rule: &str, seconds: i64, kind: TransitionKind) -> HistoryEntry {
    HistoryEntry {
        rule: rule.to_owned(),
        labels: labels("one"),
        at: at(seconds),
        kind: kind.as_str().to_owned(),
        value: 1.5,
        why: "the condition holds: 1.5".to_owned(),
    }
}

pub(super) fn history_is_kept(mut store: Store) {
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

pub(super) fn firings_of_the_last_hour_are_remembered(open: Open<'_>) {
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

pub(super) fn silence(id: &str, ends: i64) -> Silence {
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

pub(super) fn silences_and_overrides_outlive_a_restart(open: Open<'_>) {
    let mut store = open(true);
    store
        .put_silences(&[silence("a", 50), silence("b", 500)])
        .unwrap();
    store.put_silences(&[silence("b", 600)]).unwrap();
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

pub(super) fn deployments_and_heartbeats(mut store: Store) {
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

pub(super) fn the_past_is_forgotten(mut store: Store) {
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
