//! Scenarios of the pipeline that are placed and not drawn: deaths at each step of a page's way, clocks that are set while
//! something is under way, the ladder that rests and goes on, windows, circles of inhibition.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use monitor::setup::Setup;
use plan::{AlertSelector, Inhibition, Location, MaintenanceWindow};
use sim::pipeline::{
    Action, Answer, ChannelFault, Crash, CrashPoint, Event, Lasting, Placed, Record, RuleScript,
    Scenario, check, run, run_with,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// When the alert of a plain scenario fires.
const FIRES: Duration = Duration::from_secs(120);

fn event(at: Duration, action: Action) -> Event {
    Event {
        at,
        action,
        first: true,
    }
}

/// Who was sent what for which reason at which second, in order.
fn pages(record: &Record) -> Vec<(u64, &str, &str)> {
    let accepted = record
        .attempts
        .iter()
        .filter(|attempt| attempt.accepted.is_some());
    accepted
        .map(|attempt| {
            let at = attempt.at.as_secs();
            (at, attempt.person.as_str(), attempt.reason.as_str())
        })
        .collect()
}

async fn clean(scenario: &Scenario, what: &str) -> Record {
    let record = run(scenario, None).await;
    assert_eq!(check(scenario, &record), [], "{what}");
    record
}

#[tokio::test(start_paused = true)]
async fn a_death_at_each_step_of_a_page() {
    for step in [
        Placed::BeforeCommit,
        Placed::BeforeSend,
        Placed::Accepted,
        Placed::BeforeOutcome,
        Placed::AfterOutcome,
    ] {
        for count in 1..=3 {
            for pause in [SECOND, 47 * SECOND, 20 * MINUTE] {
                let mut scenario = Scenario::plain(35 * MINUTE);
                scenario.crashes.push(Crash {
                    point: CrashPoint::Placed(step, count),
                    pause,
                });
                let what = format!("{step:?} {count} {pause:?}");
                let record = clean(&scenario, &what).await;
                assert_eq!(record.away.len(), 1, "{what}: the death happened");
                let mut by_key: BTreeMap<&str, u32> = BTreeMap::new();
                for attempt in record.attempts.iter().filter(|own| own.accepted.is_some()) {
                    *by_key.entry(&attempt.key).or_default() += 1;
                }
                let twice = by_key.values().filter(|times| **times > 1).count();
                let may_be_twice = matches!(step, Placed::Accepted | Placed::BeforeOutcome);
                assert_eq!(twice, usize::from(may_be_twice), "{what}: {by_key:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_at_each_moment() {
    let moments = [
        ("while pending", 90 * SECOND),
        ("at the first page", FIRES),
        ("while an attempt hangs", FIRES + 5 * SECOND),
        ("between attempts", FIRES + 11 * SECOND),
        ("between levels", 10 * MINUTE),
        (
            "just before level 2",
            17 * MINUTE - Duration::from_millis(400),
        ),
        (
            "while nobody looks",
            FIRES + 15 * SECOND + Duration::from_millis(300),
        ),
    ];
    for by_s in [600, -600, 6 * 3600, -6 * 3600, 30 * 86_400, -30 * 86_400] {
        for (when, at) in moments {
            for hangs in [0, 2] {
                let mut scenario = Scenario::plain(35 * MINUTE);
                scenario.people[0].channels[0].push(ChannelFault {
                    from: MINUTE,
                    answer: Answer::Hang,
                    lasting: Lasting::Requests(hangs, 10 * MINUTE),
                });
                scenario.events.push(event(at, Action::Jump(by_s * 1000)));
                let what = format!("{by_s} s {when}, {hangs} attempts hang");
                let record = clean(&scenario, &what).await;
                let levels = pages(&record)
                    .iter()
                    .filter(|(_, _, reason)| *reason == "escalation")
                    .count();
                assert_eq!(levels, 3, "{what}: {:?}", pages(&record));
            }
        }
    }
}

/// An alert that begins to hold right after the clock was set forward is not as old as the jump is long.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_just_before_an_alert_fires() {
    for hold in [Duration::ZERO, MINUTE] {
        let mut scenario = Scenario::plain(35 * MINUTE);
        scenario.rules[0].hold = hold;
        let jump = MINUTE - Duration::from_millis(300);
        scenario
            .events
            .push(event(jump, Action::Jump(6 * 3_600_000)));
        clean(&scenario, &format!("for: {hold:?}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_in_the_instant_of_a_page() {
    for first in [true, false] {
        for at in [FIRES, 17 * MINUTE] {
            let mut scenario = Scenario::plain(20 * MINUTE);
            scenario.acknowledgement_expires = Some(3 * MINUTE);
            scenario.events.push(Event {
                at,
                action: Action::Acknowledge(0),
                first,
            });
            clean(&scenario, &format!("at {at:?}, first: {first}")).await;
        }
    }
}

/// Retries stop while somebody has it, and what waited is not sent beside what replaces it.
#[tokio::test(start_paused = true)]
async fn an_acknowledgement_stops_retries_too() {
    let mut scenario = Scenario::plain(20 * MINUTE);
    scenario.acknowledgement_expires = Some(5 * MINUTE);
    scenario.people[0].channels[0].push(ChannelFault {
        from: MINUTE,
        answer: Answer::Error,
        lasting: Lasting::Until(4 * MINUTE),
    });
    scenario
        .events
        .push(event(3 * MINUTE, Action::Acknowledge(0)));
    let record = clean(&scenario, "it is taken while its page fails").await;
    let firing: Vec<_> = pages(&record)
        .into_iter()
        .filter(|(_, _, reason)| *reason != "resolved")
        .collect();
    assert_eq!(firing[0], (480, "ada", "acknowledgement_expired"));
}

/// The ladder rests while somebody has it or it is silenced, tells those who were told again, and goes on.
#[tokio::test(start_paused = true)]
async fn the_ladder_rests_and_goes_on() {
    let mut scenario = Scenario::plain(50 * MINUTE);
    scenario.acknowledgement_expires = Some(10 * MINUTE);
    scenario
        .events
        .push(event(7 * MINUTE, Action::Acknowledge(0)));
    scenario
        .events
        .push(event(20 * MINUTE, Action::Silence(0, 5 * MINUTE)));
    let record = clean(&scenario, "taken, then silenced").await;
    let expect = [
        (120, "ada", "escalation"),
        (17 * 60, "ada", "acknowledgement_expired"),
        (25 * 60, "ada", "hold_ended"),
        // 15 minutes after it opened and 15 of rest.
        (32 * 60, "lea", "escalation"),
        (47 * 60, "max", "escalation"),
    ];
    assert_eq!(pages(&record)[..5], expect);
}

/// Another channel delivers while the first one still hangs: its failure brings nothing back.
#[tokio::test(start_paused = true)]
async fn a_page_that_was_replaced_stays_so() {
    let mut scenario = Scenario::plain(10 * MINUTE);
    let fault = |answer, until| ChannelFault {
        from: MINUTE,
        answer,
        lasting: Lasting::Until(until),
    };
    scenario.people[0].channels = vec![
        vec![fault(Answer::Hang, 3 * MINUTE)],
        vec![fault(Answer::Drip, 4 * MINUTE)],
    ];
    let record = clean(&scenario, "one hangs, the other is slow").await;
    let told: Vec<_> = pages(&record)
        .into_iter()
        .filter(|(_, _, reason)| *reason == "escalation")
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
}

fn rules(count: usize, length: Duration) -> Scenario {
    let mut scenario = Scenario::plain(length);
    let first = scenario.rules[0].clone();
    scenario.rules = (0..count)
        .map(|index| RuleScript {
            name: format!("Rule{index}"),
            hold: Duration::ZERO,
            ..first.clone()
        })
        .collect();
    // All spans end with the calm, which comes sooner without a `for`.
    let calm_from = scenario.calm_from();
    for rule in &mut scenario.rules {
        rule.instances[0][0].1 = calm_from;
    }
    scenario
}

/// Three alerts that hold back each other in a circle: one of them is told, not none and not all.
#[tokio::test(start_paused = true)]
async fn a_circle_of_inhibition_tells_one() {
    let mut scenario = rules(3, 8 * MINUTE);
    for (index, rule) in scenario.rules.iter_mut().enumerate() {
        rule.instances[0][0].0 = MINUTE + 20 * SECOND * index as u32;
    }
    let circle = |setup: &mut Setup| {
        setup.plan.inhibitions = (0..3)
            .map(|index| Inhibition {
                name: format!("inhibition-{index}"),
                while_firing: vec![AlertSelector::of_alert(&format!("Rule{index}"))],
                hold_back: vec![AlertSelector::of_alert(&format!("Rule{}", (index + 1) % 3))],
                equal: Vec::new(),
                at: Location::default(),
            })
            .collect();
    };
    let record = run_with(&scenario, None, circle).await;
    let firing = record.attempts.iter().filter(|own| own.status == "firing");
    let incidents: Vec<i64> = firing.map(|attempt| attempt.incident).collect();
    assert_eq!(
        incidents,
        [1],
        "the oldest alert is told: {:?}",
        pages(&record)
    );
}

/// A window opens at 09:05 for ten minutes; the run begins at 09:00 in UTC.
#[tokio::test(start_paused = true)]
async fn a_maintenance_window_holds_back_and_tells_again() {
    let mut scenario = rules(1, 30 * MINUTE);
    scenario.rules[0].instances[0][0].0 = 2 * MINUTE;
    let window = |setup: &mut Setup| {
        setup.plan.maintenance_windows = vec![MaintenanceWindow {
            name: "nightly".to_owned(),
            reason: "work".to_owned(),
            alerts: vec![AlertSelector::of_alert("Rule0")],
            days: Vec::new(),
            from: Time::constant(9, 5, 0, 0),
            length: 10 * MINUTE,
            zone: TimeZone::UTC,
            at: Location::default(),
        }];
    };
    let record = run_with(&scenario, None, window).await;
    let expect = [
        (120, "ada", "escalation"),
        (15 * 60, "ada", "hold_ended"),
        // 15 minutes after it opened and ten of rest.
        (27 * 60, "lea", "escalation"),
    ];
    assert_eq!(pages(&record)[..3], expect);
}
