//! Ten thousand alerts in a minute: nobody is buried, nothing is lost, what is critical does not wait.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::Labels;
use monitor::incident::ReceivedAlert;
use plan::Severity;
use sim::pipeline::{AttemptSeen, Record, RuleScript, Scenario, run};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Of other programs, each of so many alerts.
const GROUPS: usize = 160;
const ALERTS_EACH: usize = 50;
/// Of the plan: so many rules of so many instances.
const RULES: usize = 40;
const INSTANCES: usize = 50;

fn storm(severity: &str) -> Scenario {
    let mut scenario = Scenario::plain(3 * MINUTE);
    let calm_from = scenario.length + 3 * MINUTE;
    scenario.rules = (0..RULES)
        .map(|index| RuleScript {
            name: format!("Rule{index}"),
            severity: Severity::Critical,
            hold: Duration::ZERO,
            instances: vec![vec![(MINUTE + SECOND * index as u32, calm_from)]; INSTANCES],
            missing: Vec::new(),
        })
        .collect();
    let batch = |index: usize| {
        let alert = |instance: usize| ReceivedAlert {
            labels: Labels::from_pairs([
                ("alertname", format!("Foreign{index}").as_str()),
                ("instance", instance.to_string().as_str()),
                ("severity", severity),
            ]),
            ..ReceivedAlert::default()
        };
        let at = MINUTE + MINUTE / GROUPS as u32 * index as u32;
        (at, (0..ALERTS_EACH).map(alert).collect())
    };
    scenario.received = (0..GROUPS).map(batch).collect();
    scenario
}

fn accepted<'a>(
    record: &'a Record,
    person: &'a str,
) -> impl Iterator<Item = (Duration, &'a AttemptSeen)> {
    let own = record
        .attempts
        .iter()
        .filter(move |attempt| attempt.person == person);
    own.filter_map(|attempt| Some((attempt.accepted?.1, attempt)))
}

/// Sends a storm and judges what arrives.
async fn weathered(severity: &str) {
    let scenario = storm(severity);
    let record = run(&scenario, None).await;
    assert_eq!(record.incidents.len(), GROUPS + RULES);
    let alerts: usize = record
        .incidents
        .iter()
        .map(|own| own.incident.members.len())
        .sum();
    assert_eq!(alerts, GROUPS * ALERTS_EACH + RULES * INSTANCES);

    // When ada first read of each incident, and how many pages she got in any five minutes.
    let mut first: BTreeMap<i64, Duration> = BTreeMap::new();
    let mut times = Vec::new();
    let mut summaries = 0;
    for (at, page) in accepted(&record, "ada") {
        if page.reason == "summary" {
            summaries += 1;
            for (id, _) in &page.summary_of {
                first.entry(*id).or_insert(at);
            }
        } else {
            times.push(at);
            first.entry(page.incident).or_insert(at);
        }
    }
    let most = times
        .iter()
        .map(|from| {
            times
                .iter()
                .filter(|at| *from <= **at && **at < *from + 5 * MINUTE)
                .count()
        })
        .max();
    assert!(most <= Some(20), "{most:?} pages in five minutes");
    let all: BTreeSet<i64> = record
        .incidents
        .iter()
        .map(|own| own.incident.id().0)
        .collect();
    let known: BTreeSet<i64> = first.keys().copied().collect();
    assert_eq!(known, all, "each incident is in a page or a summary");

    let mut waits: Vec<Duration> = record
        .states
        .iter()
        .filter(|seen| {
            let detail = record.incident(seen.incident);
            detail.is_some_and(|own| own.incident.head.severity == Severity::Critical)
        })
        .filter(|seen| first.contains_key(&seen.incident))
        .fold(
            BTreeMap::new(),
            |mut opened: BTreeMap<i64, Duration>, seen| {
                opened.entry(seen.incident).or_insert(seen.at);
                opened
            },
        )
        .into_iter()
        .map(|(id, opened)| first[&id].saturating_sub(opened))
        .collect();
    waits.sort_unstable();
    let p99 = waits[(waits.len() * 99 / 100).min(waits.len() - 1)];
    println!(
        "{severity}: {} pages, {summaries} summaries, critical p99 {p99:?}",
        times.len()
    );
    assert!(p99 <= MINUTE, "critical incidents wait {p99:?}");
}

#[tokio::test(start_paused = true)]
async fn of_warnings_with_some_critical_alerts() {
    weathered("warning").await;
}

#[tokio::test(start_paused = true)]
async fn of_critical_alerts_alone() {
    weathered("critical").await;
}
