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

/// What one test of `make test` does at least, however slow the machine is …
const SEEDS_MIN: u64 = 500;
/// … and for how long it goes on.
const BUDGET: Duration = Duration::from_secs(50);
/// One part of a soak: an hour, with room for the build.
const PART: Duration = Duration::from_secs(55 * 60);
/// So many bad seeds are enough to begin with.
const BAD_MAX: usize = 5;
/// How often a soak says how far it is.
const PROGRESS_EVERY: u64 = 250;

/// Runs seeds until they are done, or the time is up and so many were run; fails with every broken promise of the first few
/// bad seeds.
#[expect(clippy::disallowed_methods, reason = "the budget is real time")]
fn campaign(seeds: Range<u64>, least: u64, budget: Duration) {
    let started = Instant::now();
    let (mut count, mut bad) = (0, Vec::new());
    for seed in seeds.clone() {
        if let Some(text) = judge(seed) {
            println!("{text}");
            bad.push(text);
        }
        count += 1;
        let is_up = started.elapsed() >= budget && count >= least;
        if is_up || bad.len() >= BAD_MAX {
            break;
        }
        if count % PROGRESS_EVERY == 0 {
            println!("{count} seeds, up to {seed}; {} bad", bad.len());
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{count} seeds from {} on in {seconds:.1} s ({:.1} a second), {} bad",
        seeds.start,
        count as f64 / seconds,
        bad.len()
    );
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    if seeds.start + count < seeds.end && least == 0 {
        println!("go on with --seeds {}..{}", seeds.start + count, seeds.end);
    }
}

#[test]
fn promises_hold_in_the_first_half_of_the_seeds() {
    campaign(0..100_000, SEEDS_MIN, BUDGET);
}

#[test]
fn promises_hold_in_the_second_half_of_the_seeds() {
    campaign(100_000..200_000, SEEDS_MIN, BUDGET);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told its seeds by the environment"
)]
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
    let number = |text: &str| {
        text.parse::<u64>()
            .expect("BELFRY_SIM_SEEDS is a range of numbers")
    };
    campaign(number(ends.0)..number(ends.1), 0, PART);
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let scenario = Scenario::draw(seed, mode(seed));
        let trace = || block_on(run(&scenario, None)).trace();
        let first = trace();
        assert!(
            first == trace(),
            "seed {seed} ran differently the second time"
        );
    }
}
