//! `make traffic`: bounded, realistic traffic for the QR service, so that every panel of the plan moves. Some visitors ask
//! again and again for few codes and seldom for many (as the web does), sign in, mistype, ask for what cannot be made; one
//! of them now and then asks far too fast. The seed decides what each visitor does; only the clock decides when.

mod payloads;
mod tally;
mod visitor;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::http_client::{Client, loopback};
use crate::repository::SERVICE_ADDRESS;
use crate::signals::StopRequests;
use payloads::Catalogue;
pub(crate) use tally::Tally;
use visitor::Visitor;

/// Visitors at once, each with a connection. Registering and signing in all of them stays under the service's burst for
/// sign-ins (20).
const VISITORS: u32 = 6;
/// A day: long enough for any look at the panels, and traffic that somebody forgot ends by itself.
const SECONDS_MAX: u64 = 24 * 60 * 60;
/// What one connection after the other can reach on two cores with the service beside it.
const RATE_MAX: f64 = 500.0;

/// What to send, where and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    pub(crate) seconds: u64,
    /// Requests a second of all visitors together, bursts aside.
    pub(crate) rate: f64,
    pub(crate) seed: u64,
}

pub(crate) fn command(mut arguments: Arguments) -> Result<ExitCode> {
    let base = arguments.value("--base", format!("http://{SERVICE_ADDRESS}"))?;
    let settings = Settings {
        address: loopback(&base)?,
        seconds: arguments.value("--seconds", 300)?,
        rate: arguments.value("--rate", 20.0)?,
        seed: arguments.value("--seed", 1)?,
    };
    arguments.done()?;
    if Client::new(settings.address).get("/ready").is_err() {
        bail!("no service answers on {base}: start it with `make run`");
    }
    let tally = run(&settings, &StopRequests::listen()?)?;
    print!("\n{}", tally.table());
    Ok(ExitCode::SUCCESS)
}

/// Sends traffic until the time is over or we are asked to stop.
pub(crate) fn run(settings: &Settings, stop: &StopRequests) -> Result<Arc<Tally>> {
    if !(settings.rate > 0.0 && settings.rate <= RATE_MAX) {
        bail!("--rate must be more than 0 and at most {RATE_MAX}");
    }
    if settings.seconds == 0 || settings.seconds > SECONDS_MAX {
        bail!("--seconds must be from 1 to {SECONDS_MAX}");
    }
    let tally = Arc::new(Tally::default());
    let catalogue = Arc::new(Catalogue::new(settings.seed));
    let end = Instant::now() + Duration::from_secs(settings.seconds);
    let visitors: Vec<_> = (0..VISITORS)
        .map(|number| {
            let visitor = Visitor::new(number, settings, &catalogue, &tally);
            let stop = stop.clone();
            let pace = Duration::from_secs_f64(f64::from(VISITORS) / settings.rate);
            thread::spawn(move || visitor.stay(pace, end, &stop))
        })
        .collect();
    show_progress(settings, &tally, end, stop);
    for visitor in visitors {
        if visitor.join().is_err() {
            bail!("a visitor panicked");
        }
    }
    if tally.answered() == 0 {
        bail!("nothing on {} answered", settings.address);
    }
    Ok(tally)
}

/// One line that is rewritten on a terminal, and now and then a line elsewhere.
fn show_progress(settings: &Settings, tally: &Tally, end: Instant, stop: &StopRequests) {
    let live = std::io::stdout().is_terminal();
    let every = Duration::from_secs(if live { 1 } else { 10 });
    let mut shown = Instant::now();
    while Instant::now() < end && !stop.asked() {
        thread::sleep(Duration::from_millis(100));
        if shown.elapsed() < every {
            continue;
        }
        shown = Instant::now();
        let left = end.saturating_duration_since(shown).as_secs();
        let line = format!("{} · {} s left · {}", settings.address, left, tally.line());
        if live {
            print!("\r{line}   ");
            // A line that is not seen at once does no harm.
            let _ = std::io::stdout().flush();
        } else {
            println!("{line}");
        }
    }
    if live {
        println!();
    }
}
