//! Both programs from outside, as a user starts them, on free ports and a data folder of their own: what unit tests and
//! the simulation cannot see, such as the binaries' flags, real sockets, real pages and promtool's opinion.

mod alert_senders;
mod checks;
mod coverage;
mod exports;
mod newcomer;
pub(crate) mod setting;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::signals::StopRequests;
use crate::traffic;
use crate::{repository, tools};
use checks::Checks;
use exports::Exports;
use setting::{Extra, Setting};

/// How long traffic flows before anything is checked: two scrapes (15 s apart) see it, and the first burst is in it.
const TRAFFIC_SECONDS: u64 = 20;

pub(crate) fn command(mut arguments: Arguments) -> Result<ExitCode> {
    let release = arguments.switch("--release");
    let seconds = arguments.value("--seconds", TRAFFIC_SECONDS)?;
    arguments.done()?;
    let stop = StopRequests::listen()?;
    let root = repository::root()?;
    let mut setting = Setting::start(&root, release, &Extra::default(), &stop)?;
    println!("traffic for {seconds} s");
    let wanted = traffic::Settings {
        address: setting.service_address,
        seconds,
        rate: 30.0,
        seed: 1,
    };
    let sent = traffic::run(&wanted, &stop)?;
    print!("{}", sent.table());

    let mut checks = Checks::new(&setting);
    checks.traffic(&sent);
    checks.service_metrics(tools::program(&root, "promtool")?.as_deref());
    checks.belfry_metrics(tools::program(&root, "promtool")?.as_deref());
    checks.health();
    checks.targets();
    checks.alert_expressions();
    checks.drills(&setting);
    checks.logs(&setting.folder);
    checks.coverage(&setting.programs);
    checks.exports(&Exports {
        root: &root,
        belfry: setting.programs.join("belfry"),
        folder: setting.folder.join("exports"),
        promtool: tools::program(&root, "promtool")?,
        amtool: tools::program(&root, "amtool")?,
    });
    if stop.asked() {
        anyhow::bail!("stopped");
    }
    checks.pages(
        &root,
        tools::chromium()
            .filter(|_| !tools::skips_browser())
            .as_deref(),
    );
    // Their alerts open incidents, which the pages' checks do not expect.
    checks.amtool(tools::program(&root, "amtool")?.as_deref());
    let prometheus = tools::program(&root, "prometheus")?;
    checks.prometheus(prometheus.as_deref(), &setting.folder, &stop);
    checks.newcomer(
        &root,
        &setting.programs.join("belfry"),
        &setting.folder,
        &stop,
    );
    let mut counts = checks.counts;
    for (name, drained) in setting.stop(&stop) {
        counts += checks::told(&format!("{name} drains and ends with 0"), drained);
    }
    if counts.failed == 0 {
        setting.remove_folder();
    } else {
        println!("data and logs are kept in {}", setting.folder.display());
    }
    println!("{} passed, {} failed", counts.passed, counts.failed);
    Ok(ExitCode::from(u8::from(counts.failed > 0)))
}
