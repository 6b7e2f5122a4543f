//! Six planted defects of the pipeline. Each is caught by one placed scenario and by the campaign, under the name of the
//! promise that it breaks; without it the same runs are clean.

use std::time::Duration;

use sim::pipeline::{
    Action, Answer, ChannelFault, Crash, CrashPoint, Event, Invariant, Lasting, Missing, Mode,
    Mutant, Scenario, Violation, check, run,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The campaign must find a mutant within so many seeds; `make test` runs more without one.
const SEEDS_MAX: u64 = 600;

fn violations(scenario: &Scenario, mutant: Option<Mutant>) -> Vec<Violation> {
    let record = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts")
        .block_on(run(scenario, mutant));
    check(scenario, &record)
}

/// The placed scenario of a mutant. In all of them the alert fires after two minutes.
fn placed(mutant: Mutant) -> (Scenario, Invariant) {
    let mut scenario = Scenario::plain(8 * MINUTE);
    let mut fails = |answer, requests| {
        scenario.people[0].channels[0].push(ChannelFault {
            from: MINUTE,
            answer,
            lasting: Lasting::Requests(requests, 8 * MINUTE),
        });
    };
    let invariant = match mutant {
        Mutant::CommitBeforeSend => {
            // While the first page is on its way.
            scenario.crashes.push(Crash {
                point: CrashPoint::At(2 * MINUTE + Duration::from_millis(5)),
                pause: 20 * SECOND,
            });
            Invariant::NothingLost
        }
        Mutant::UnboundedBackOff => {
            fails(Answer::Hang, 5);
            Invariant::FirstPage
        }
        Mutant::ResolveOnMissingData => {
            let missing = ((4 * MINUTE, 5 * MINUTE), Missing::Incomplete);
            scenario.rules[0].missing.push(missing);
            Invariant::NoFalseResolve
        }
        Mutant::LevelSkippedAfterDowntime => {
            scenario = Scenario::plain(35 * MINUTE);
            scenario.crashes.push(Crash {
                point: CrashPoint::At(10 * MINUTE),
                pause: 10 * MINUTE,
            });
            Invariant::NoLevelSkipped
        }
        Mutant::AcknowledgeDoesNotStop => {
            scenario = Scenario::plain(20 * MINUTE);
            scenario.events.push(Event {
                at: 4 * MINUTE,
                action: Action::Acknowledge(0),
                first: true,
            });
            Invariant::AcknowledgementStops
        }
        Mutant::DuplicateAfterRetry => {
            fails(Answer::Error, 1);
            Invariant::Duplicates
        }
    };
    (scenario, invariant)
}

fn dies(mutant: Mutant) {
    let (scenario, invariant) = placed(mutant);
    let clean = violations(&scenario, None);
    assert_eq!(clean, [], "the product keeps its promises here");
    let found = violations(&scenario, Some(mutant));
    assert!(
        found
            .iter()
            .any(|violation| violation.invariant == invariant),
        "the placed scenario of {mutant:?} breaks {invariant}: {found:#?}"
    );
    let catches = |seed: &u64| {
        let mode = if seed.is_multiple_of(2) {
            Mode::Safety
        } else {
            Mode::Liveness
        };
        let scenario = Scenario::draw(*seed, mode);
        let breaks = |planted| {
            let found = violations(&scenario, planted);
            found
                .iter()
                .any(|violation| violation.invariant == invariant)
        };
        breaks(Some(mutant)) && !breaks(None)
    };
    let seed = (0..SEEDS_MAX).find(catches);
    println!("{mutant:?} breaks {invariant}: placed, and at seed {seed:?}");
    assert!(seed.is_some(), "the campaign does not find {mutant:?}");
}

#[test]
fn commit_before_send() {
    dies(Mutant::CommitBeforeSend);
}

#[test]
fn unbounded_back_off() {
    dies(Mutant::UnboundedBackOff);
}

#[test]
fn resolve_on_missing_data() {
    dies(Mutant::ResolveOnMissingData);
}

#[test]
fn level_skipped_after_downtime() {
    dies(Mutant::LevelSkippedAfterDowntime);
}

#[test]
fn acknowledge_that_does_not_stop() {
    dies(Mutant::AcknowledgeDoesNotStop);
}

#[test]
fn duplicate_after_retry() {
    dies(Mutant::DuplicateAfterRetry);
}
