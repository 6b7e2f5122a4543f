//! `make drill`: both programs on free ports, the service with its fault switch and traffic, and every alert and procedure of the plan
//! tried: alerts by their fault where the plan declares one and virtually else, side by side; then each procedure, its changing
//! steps too, since this service is nobody's.

mod procedures;
mod receiver;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::e2e::setting::{Extra, Setting};
use crate::http_client::Client;
use crate::program::{self, Program};
use crate::repository;
use crate::signals::StopRequests;
use receiver::Receiver;

/// The fault switch; a limit that the plan's memory fault passes; and no limits for visitors, who all come from one address.
const SERVICE_FLAGS: [&str; 9] = [
    "--faults",
    "--memory-limit",
    "320M",
    "--rate-address",
    "0",
    "--rate-session",
    "0",
    "--rate-sign-in",
    "0",
];
/// Programs that send traffic, each with visitors of its own: one alone is slowed down by the faults.
const TRAFFIC_PROGRAMS: u64 = 2;
/// Requests a second of each.
const TRAFFIC_RATE: &str = "22";
/// How long traffic goes on at most: longer than everything here takes.
const TRAFFIC_SECONDS: &str = "3600";
/// How long it may take until no alert is pending: a cold cache has a low hit rate for a while.
const CALM_MAX: Duration = Duration::from_secs(10 * 60);
/// Traffic before anything is judged: a scrape must have seen it.
const WARM_UP: Duration = Duration::from_secs(45);

pub(crate) fn command(mut arguments: Arguments) -> Result<ExitCode> {
    let release = arguments.switch("--release");
    arguments.done()?;
    let stop = StopRequests::listen()?;
    let root = repository::root()?;
    let receiver = Receiver::listen()?;
    let extra = Extra {
        service: SERVICE_FLAGS.to_vec(),
        contacts: Some(receiver.contacts()),
    };
    let started = Instant::now();
    let mut setting = Setting::start(&root, release, &extra, &stop)?;
    let mut traffic = start_traffic(&setting)?;
    let outcome = run(&setting, &receiver, &stop);
    for program in &mut traffic {
        program.drain(&stop);
    }
    let drained = setting.stop(&stop);
    let is_well = outcome? && drained.iter().all(|(_, drained)| *drained);
    println!("took {} min", started.elapsed().as_secs() / 60);
    if is_well {
        setting.remove_folder();
    } else {
        println!("data and logs are kept in {}", setting.folder.display());
    }
    Ok(ExitCode::from(u8::from(!is_well)))
}

/// Alerts, then procedures; whether all went well.
fn run(setting: &Setting, receiver: &Receiver, stop: &StopRequests) -> Result<bool> {
    let mut belfry = Client::new(setting.belfry_address);
    wait_until_calm(&mut belfry, stop)?;
    let drilled = Command::new(setting.programs.join("belfry"))
        .args(["drill", "--all", "--mode", "best", "--by", "make drill"])
        .arg("--url")
        .arg(format!("http://{}", setting.belfry_address))
        .status()
        .context("belfry drill cannot be started")?;
    if stop.asked() {
        bail!("stopped");
    }
    println!("\npages that people got meanwhile, by alert (drills page nobody):");
    for (alert, count) in receiver.pages() {
        println!("  {alert:<24} {count}");
    }
    let followed = procedures::run(&mut belfry, stop)?;
    Ok(drilled.success() && followed)
}

fn start_traffic(setting: &Setting) -> Result<Vec<Program>> {
    let own = std::env::current_exe().context("where this program is")?;
    (1..=TRAFFIC_PROGRAMS)
        .map(|seed| {
            let mut command = Command::new(&own);
            command
                .args(["traffic", "--rate", TRAFFIC_RATE])
                .args(["--seconds", TRAFFIC_SECONDS])
                .args(["--seed", &seed.to_string()])
                .args(["--base", &format!("http://{}", setting.service_address)]);
            let log = setting.folder.join(format!("traffic-{seed}.log"));
            Program::start("traffic", &mut command, &log)
        })
        .collect()
}

/// Waits until no alert is pending or fires: what is there before a drill is real, and a drill of it would be refused.
fn wait_until_calm(belfry: &mut Client, stop: &StopRequests) -> Result<()> {
    println!("waiting until the traffic has warmed the cache and no alert is pending");
    let started = Instant::now();
    loop {
        if stop.asked() {
            bail!("stopped");
        }
        let answer = belfry.get("/api/belfry/v1/alerts")?;
        let alerts: Value = serde_json::from_slice(&answer.body).context("no list of alerts")?;
        let busy: Vec<&str> = alerts
            .as_array()
            .into_iter()
            .flatten()
            .filter(|own| own["state"] != "inactive")
            .filter_map(|own| own["name"].as_str())
            .collect();
        if busy.is_empty() && started.elapsed() > WARM_UP {
            return Ok(());
        }
        if started.elapsed() > CALM_MAX {
            bail!("still pending or firing: {}", busy.join(", "));
        }
        program::pause();
    }
}
