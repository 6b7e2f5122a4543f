//! `make soak`: what takes too long for `make test`, in parts of at most an hour: ten thousand seeds of the pipeline campaign
//! on both cores, and five hundred kills of the real program. Each part stands alone and can be run again by its number.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::repository;

/// Seeds in one part; two processes share them.
const SEEDS_EACH: u64 = 5_000;
/// Kills of the last part.
const KILLS: u64 = 500;
/// Parts that run seeds; the one after them kills.
const SEED_PARTS: u64 = 2;

/// Runs one part, all of them, or a range of seeds.
pub(crate) fn command(mut arguments: Arguments) -> Result<ExitCode> {
    let part: u64 = arguments.value("--part", 0)?;
    let seeds: String = arguments.value("--seeds", String::new())?;
    arguments.done()?;
    if !seeds.is_empty() {
        let (from, until) = seeds.split_once("..").context("--seeds is FROM..UNTIL")?;
        return Ok(code(run_seeds(from.parse()?, until.parse()?)?));
    }
    let parts = match part {
        0 => 1..=SEED_PARTS + 1,
        part if part <= SEED_PARTS + 1 => part..=part,
        _ => bail!("there are {} parts", SEED_PARTS + 1),
    };
    let mut is_well = true;
    for part in parts {
        println!("=== part {part} of {}", SEED_PARTS + 1);
        let went_well = if part <= SEED_PARTS {
            run_seeds((part - 1) * SEEDS_EACH, part * SEEDS_EACH)?
        } else {
            run_kills()?
        };
        let word = if went_well { "ok" } else { "FAILED" };
        println!("--- part {part}: {word} (again: make soak SOAK='--part {part}')");
        is_well &= went_well;
    }
    Ok(code(is_well))
}

fn code(is_well: bool) -> ExitCode {
    ExitCode::from(u8::from(!is_well))
}

/// Both halves of a range beside each other; whether no promise was broken.
fn run_seeds(from: u64, until: u64) -> Result<bool> {
    succeeds(&mut test("sim", "pipeline", &["--no-run"]))?;
    let middle = from + (until - from) / 2;
    let mut halves = Vec::new();
    for (from, until) in [(from, middle), (middle, until)] {
        let mut command = test("sim", "pipeline", &["a_range", "--", "--nocapture"]);
        command.env("BELFRY_SIM_SEEDS", format!("{from}..{until}"));
        halves.push(command.spawn().context("cargo cannot be started")?);
    }
    let mut is_well = true;
    for mut half in halves {
        is_well &= half.wait()?.success();
    }
    Ok(is_well)
}

fn run_kills() -> Result<bool> {
    let mut command = test("monitor", "kill", &["--", "--nocapture"]);
    succeeds(command.env("BELFRY_KILLS", KILLS.to_string()))
}

fn test(package: &str, target: &str, rest: &[&str]) -> Command {
    let mut command = Command::new(repository::cargo());
    command
        .args(["test", "--quiet", "--package", package, "--test", target])
        .args(rest);
    command
}

fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.status().context("cargo cannot be started")?;
    Ok(status.success())
}
