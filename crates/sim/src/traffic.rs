//! Requests of users: a steady stream of mixed ones, so that every metric of the plan has something to say.

use std::time::Duration;

use world::sim::SeededEntropy;
use world::{HttpRequest, World};

/// The pause between two requests.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends requests for ever. What is asked for repeats, so that most of it comes from the cache.
pub(crate) async fn run(world: World, base: String, seed: u64) {
    let entropy = SeededEntropy::new(seed);
    loop {
        world.clock.sleep(PAUSE).await;
        let number = entropy.below(8);
        let path = match entropy.below(20) {
            0 => "/api/v1/qr?type=wifi&ssid=&format=svg".to_owned(),
            1 => "/".to_owned(),
            2..=5 => format!("/api/v1/qr?type=text&data=hello{number}&format=png"),
            _ => {
                format!("/api/v1/qr?type=url&data=https%3A%2F%2Fexample.org%2F{number}&format=svg")
            }
        };
        let request = HttpRequest::get(&format!("{base}{path}"), Duration::from_secs(30), 1 << 20);
        // What comes back is the service's matter; its own metrics count it.
        let _ = world.net.http(request).await;
    }
}
