//! The part of the suite of [`IncidentStore`] about drills.

use std::time::Duration;

use alerting::{DrillPages, IncidentId};
use monitor::incident::*;
use plan::{RequestStep, SecretSource};

use super::incidents::{Open, at, change, incident, page, record};

fn drill(alert: &str, seconds: i64) -> Drill {
    Drill {
        id: DrillId(0),
        alert: alert.to_owned(),
        mode: DrillMode::Real,
        pages: DrillPages::People,
        by: "ada".to_owned(),
        asked_at: at(seconds),
        state: DrillState::Queued,
        ended_at: None,
        outcome: None,
        reason: String::new(),
        incident: None,
        end: Some(RequestStep {
            method: "POST".to_owned(),
            url: "http://shop.test:80/mend".to_owned(),
            body: "{\"boxes\": 5}".to_owned(),
            token: Some(SecretSource::File("/run/token".to_owned())),
        }),
        calm_within: Duration::from_secs(210),
        steps: Vec::new(),
    }
}

fn ended(drill: &Drill, id: DrillId, outcome: DrillOutcome, seconds: i64) -> Drill {
    Drill {
        id,
        state: DrillState::Done,
        ended_at: Some(at(seconds)),
        outcome: Some(outcome),
        reason: "so \"it\" was".to_owned(),
        incident: Some(IncidentId(3)),
        end: None,
        steps: vec![DrillStep {
            what: "firing".to_owned(),
            promised_ms: Some(30_000),
            observed_ms: None,
            outcome,
            text: "é".to_owned(),
        }],
        ..drill.clone()
    }
}

pub(super) fn the_ledger_outlives_a_restart(open: Open<'_>) {
    let mut store = open(true);
    let asked = drill("Bad", 0);
    let first = store.add_drill(&asked).unwrap();
    let second = store.add_drill(&drill("Slow", 5)).unwrap();
    let running = Drill {
        id: second,
        state: DrillState::Running,
        ..drill("Slow", 5)
    };
    store.put_drill(&running).unwrap();
    let failed = ended(&asked, first, DrillOutcome::Failed, 60);
    store.put_drill(&failed).unwrap();
    drop(store);

    let mut store = open(false);
    let open_still = std::slice::from_ref(&running);
    assert_eq!(store.load(at(70)).unwrap().drills, open_still);
    assert_eq!(store.open_drills().unwrap(), open_still);
    assert_eq!(store.drill(first).unwrap(), Some(failed.clone()));
    assert_eq!(store.drill(DrillId(99)).unwrap(), None);
    assert_eq!(store.drills(None, 10).unwrap(), [running.clone(), failed]);
    assert_eq!(store.drills(Some("Slow"), 10).unwrap().len(), 1);
    assert_eq!(store.drills(None, 1).unwrap().len(), 1);
    assert!(store.drills_passed().unwrap().is_empty(), "none passed");

    let passed = ended(&running, second, DrillOutcome::Passed, 80);
    store.put_drill(&passed).unwrap();
    let again = store.add_drill(&drill("Slow", 90)).unwrap();
    let failed = ended(&drill("Slow", 90), again, DrillOutcome::Failed, 100);
    store.put_drill(&failed).unwrap();
    let found = store.drills_passed().unwrap();
    assert_eq!(found.get("Slow"), Some(&at(80)), "the last that passed");
    assert_eq!(found.len(), 1);
    store.forget_before(at(90)).unwrap();
    assert_eq!(store.drills(None, 10).unwrap(), [failed]);
}

/// What a sink took told nobody, once the drill has become real.
pub(super) fn a_drill_is_real_only_when_it_says_so(open: Open<'_>) {
    let mut store = open(true);
    let mut drilled = incident(1, "Bad");
    drilled.drill = Some(DrillPages::Sink);
    let mut told = change(drilled.clone());
    told.pages = vec![NewPage {
        channel: DRILL_SINK.to_owned(),
        ..page(1, "ada")
    }];
    record(&mut store, vec![told], 0);
    let read = store.detail(IncidentId(1)).unwrap().unwrap().incident;
    assert_eq!(read.drill, Some(DrillPages::Sink));
    assert!(read.told.contains_key("ada"), "as a drill");
    drilled.drill = None;
    record(&mut store, vec![change(drilled)], 5);
    drop(store);
    let mut store = open(false);
    let read = store.detail(IncidentId(1)).unwrap().unwrap().incident;
    assert_eq!(read.drill, None);
    assert!(read.told.is_empty(), "{:?}", read.told);
}
