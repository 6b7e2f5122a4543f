//! The pipeline campaign: seeds by the thousand, none of which may break a promise.
//!
//! `BELFRY_SIM_SEED=123` runs one seed again and prints what it is made of; `BELFRY_SIM_SEEDS=10000..20000` runs a range
//! (a part of a soak). An even seed is judged for safety, an odd one for liveness.

use std::ops::Range;
use std::time::{Duration, Instant};

use sim::pipeline::{Mode, Scenario, check, run};

fn mode(seed: u64) -> Mode {
    if seed.is_multiple_of(2) {
        Mode::Safety
    } else {
        Mode::Liveness
    }
}

/// Runs a future on one thread with a paused clock.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts")
        .block_on(future)
}

/// What is wrong with a seed, in words; nothing if nothing is.
fn judge(seed: u64) -> Option<String> {
    let scenario = Scenario::draw(seed, mode(seed));
    let record = block_on(run(&scenario, None));
    let violations = check(&scenario, &record);
    (!violations.is_empty()).then(|| {
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        format!(
            "seed {seed}:\n  {}\nrun it again: BELFRY_SIM_SEED={seed} cargo nextest run -p sim --test pipeline one_seed --no-capture\n",
            lines.join("\n  "),
        )
    })
}

/// Runs seeds until they are done or the time is up; fails with every broken promise of the first few bad seeds.
#[expect(clippy::disallowed_methods, reason = "the budget is real time")]
fn campaign(seeds: Range<u64>, budget: Duration) -> u64 {
    let started = Instant::now();
    let (mut count, mut bad) = (0, Vec::new());
    for seed in seeds.clone() {
        bad.extend(judge(seed));
        count += 1;
        if started.elapsed() >= budget || bad.len() >= 5 {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{count} seeds from {} on in {seconds:.1} s ({:.0} a second), {} bad",
        seeds.start,
        count as f64 / seconds,
        bad.len()
    );
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    count
}

#[expect(clippy::disallowed_methods, reason = "a test is told its seeds by the environment")]
fn told(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

#[test]
fn one_seed() {
    let Some(seed) = told("BELFRY_SIM_SEED") else {
        return;
    };
    let seed: u64 = seed.parse().expect("BELFRY_SIM_SEED is a number");
    let scenario = Scenario::draw(seed, mode(seed));
    println!("{scenario:#?}");
    let record = block_on(run(&scenario, None));
    if told("BELFRY_SIM_TRACE").is_some() {
        println!("{}", record.trace());
    }
    let violations: Vec<String> = check(&scenario, &record)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn a_range() {
    let Some(range) = told("BELFRY_SIM_SEEDS") else {
        return;
    };
    let ends = range.split_once("..").expect("BELFRY_SIM_SEEDS is a range");
    let number = |text: &str| text.parse::<u64>().expect("BELFRY_SIM_SEEDS is a range of numbers");
    campaign(number(ends.0)..number(ends.1), Duration::from_secs(3600));
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let scenario = Scenario::draw(seed, mode(seed));
        let trace = || block_on(run(&scenario, None)).trace();
        let first = trace();
        assert!(first == trace(), "seed {seed} ran differently the second time");
    }
}
