//! The dead-man's switch: an address outside that is called while every loop makes progress. When the calls stop, for whatever
//! reason (a stalled loop, a dead process, a machine without power), whoever runs that address raises the alarm.

use std::sync::Weak;
use std::time::Duration;

use plan::SwitchAddress;
use telemetry::log::Logger;
use world::{HttpRequest, World};

use crate::app::App;
use crate::setup::read_secret;

/// How often the loops are looked at where no switch is configured: `belfry_loops_stalled` is shown all the same.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How long one call may take: less than the shortest interval that the contacts may ask for would let calls pile up.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The most of an answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Looks at the loops and calls the switch until dropped, or until the program that it watches is gone.
pub(crate) async fn run(watched: Weak<App>, world: World, log: Logger) {
    let mut interval = LOOK_EVERY;
    loop {
        world.clock.sleep(interval).await;
        let Some(app) = watched.upgrade() else { return };
        let switch = app.setup.get().contacts.dead_mans_switch.clone();
        interval = switch.as_ref().map_or(LOOK_EVERY, |own| own.interval);
        let trouble = app.trouble();
        app.metrics.loops_stalled.set(trouble.len() as f64);
        if !trouble.is_empty() {
            log.error("loops make no progress; the dead-man's switch is not called")
                .field("loops", trouble.join(", ").as_str())
                .emit();
            continue;
        }
        let Some(switch) = switch else { continue };
        match call(&app, &world, &switch.url).await {
            Ok(()) => app.metrics.switch_calls.inc(),
            Err(why) => {
                app.metrics.switch_failures.inc();
                log.warn("the dead-man's switch could not be called")
                    .field("error", why.as_str())
                    .emit();
            }
        }
    }
}

async fn call(app: &App, world: &World, address: &SwitchAddress) -> Result<(), String> {
    let url = match address {
        SwitchAddress::Plain(url) => url.clone(),
        SwitchAddress::Secret(source) => read_secret(source, &*world.disk, &app.environment)?,
    };
    let request = HttpRequest::get(&url, CALL_TIMEOUT, ANSWER_BYTES_MAX);
    match world.net.http(request).await {
        Ok(response) if response.status.is_success() => Ok(()),
        Ok(response) => Err(format!("it answered {}", response.status)),
        Err(error) => Err(error.to_string()),
    }
}
