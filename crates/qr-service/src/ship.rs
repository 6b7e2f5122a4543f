//! Sends log lines to a monitor: batches of JSON lines by HTTP POST.
//!
//! Lines wait in a bounded queue. A batch goes every second, or as soon as it is full. A receiver that is away or busy is
//! tried again with growing pauses; one that refuses a batch will refuse it again, so the batch is dropped and counted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use telemetry::log::ShipQueue;
use telemetry::{Children, Counter, Registry};
use tokio::sync::Notify;
use world::{HttpRequest, World};

use crate::tasks::Stop;

const BATCH_LINES_MAX: usize = 500;
const BATCH_BYTES_MAX: usize = 512 * 1024;
const BATCH_EVERY: Duration = Duration::from_secs(1);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const RESPONSE_BYTES_MAX: usize = 16 * 1024;
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Where a monitor takes lines, used when the address has no path of its own.
const DEFAULT_PATH: &str = "/api/v1/logs";

/// How the last batch fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ShipState {
    /// Nothing was sent yet.
    #[default]
    Untried,
    /// The receiver took it.
    Good,
    /// It did not; why.
    Failing(String),
}

/// The sender. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shipper {
    queue: ShipQueue,
    full: Arc<Notify>,
    url: Arc<str>,
    state: Arc<Mutex<ShipState>>,
    batches_taken: Counter,
    batches_later: Counter,
    batches_refused: Counter,
}

enum Outcome {
    Taken,
    /// Try again, not before this.
    Later(Option<Duration>, String),
    /// Never.
    Refused(String),
}

impl Shipper {
    pub(crate) fn new(url: &str, registry: &Registry) -> Shipper {
        let full = Arc::new(Notify::new());
        let wake = full.clone();
        let batches = registry.counter_family(
            "log_ship_batches_total",
            "Batches of log lines sent, by the receiver's answer.",
            &["result"],
            Children::Closed(&[&["taken"], &["later"], &["refused"]]),
        );
        Shipper {
            batches_taken: batches.handle(&["taken"]),
            batches_later: batches.handle(&["later"]),
            batches_refused: batches.handle(&["refused"]),
            queue: ShipQueue::new(registry, BATCH_LINES_MAX, move || wake.notify_one()),
            full,
            url: with_path(url).into(),
            state: Arc::default(),
        }
    }

    pub(crate) fn queue(&self) -> &ShipQueue {
        &self.queue
    }

    pub(crate) fn state(&self) -> ShipState {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sends until the service stops, then once more what is left.
    pub(crate) async fn run(self, world: World, mut stop: Stop) {
        loop {
            tokio::select! {
                // The end first; then a full batch before the second is over.
                biased;
                () = stop.wait() => break,
                () = self.full.notified() => {}
                () = world.clock.sleep(BATCH_EVERY) => {}
            }
            let mut pause = PAUSE_MIN;
            while let Some(batch) = self.next_batch() {
                if !self.deliver(&world, batch, &mut pause, &mut stop).await {
                    break;
                }
            }
        }
        self.flush(&world).await;
    }

    /// Tries one batch until it is taken or refused; `false` when the service stops first.
    async fn deliver(
        &self,
        world: &World,
        batch: Batch,
        pause: &mut Duration,
        stop: &mut Stop,
    ) -> bool {
        loop {
            match self.send(world, &batch).await {
                Outcome::Taken => {
                    *pause = PAUSE_MIN;
                    self.taken(&batch);
                    return true;
                }
                Outcome::Refused(why) => {
                    self.refused(&batch, why);
                    return true;
                }
                Outcome::Later(after, why) => {
                    self.set_state(ShipState::Failing(why));
                    let wait = after.unwrap_or(*pause).min(PAUSE_MAX);
                    *pause = (*pause * 2).min(PAUSE_MAX);
                    let is_stopping = tokio::select! {
                        biased;
                        () = stop.wait() => true,
                        () = world.clock.sleep(wait) => false,
                    };
                    if is_stopping {
                        // One last try for the batch in hand; the queue's rest follows in `flush`.
                        self.send_last(world, &batch).await;
                        return false;
                    }
                }
            }
        }
    }

    async fn flush(&self, world: &World) {
        while let Some(batch) = self.next_batch() {
            if !self.send_last(world, &batch).await {
                // The receiver is away and we must go: what is left is lost, and counted.
                while let Some(lost) = self.next_batch() {
                    self.queue.count_refused(lost.lines);
                }
            }
        }
    }

    async fn send_last(&self, world: &World, batch: &Batch) -> bool {
        match self.send(world, batch).await {
            Outcome::Taken => {
                self.taken(batch);
                true
            }
            Outcome::Later(_, why) | Outcome::Refused(why) => {
                self.refused(batch, why);
                false
            }
        }
    }

    fn taken(&self, batch: &Batch) {
        self.queue.count_shipped(batch.lines);
        self.set_state(ShipState::Good);
    }

    fn refused(&self, batch: &Batch, why: String) {
        self.queue.count_refused(batch.lines);
        self.set_state(ShipState::Failing(why));
    }

    fn set_state(&self, state: ShipState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn next_batch(&self) -> Option<Batch> {
        let lines = self.queue.take(BATCH_LINES_MAX, BATCH_BYTES_MAX);
        if lines.is_empty() {
            return None;
        }
        let mut body = lines.join("\n");
        body.push('\n');
        Some(Batch {
            lines: lines.len(),
            body: body.into(),
        })
    }

    async fn send(&self, world: &World, batch: &Batch) -> Outcome {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-ndjson"),
        );
        let request = HttpRequest {
            method: Method::POST,
            url: self.url.to_string(),
            headers,
            body: batch.body.clone(),
            timeout: REQUEST_TIMEOUT,
            response_max: RESPONSE_BYTES_MAX,
        };
        let outcome = match world.net.http(request).await {
            Ok(response) => outcome(response.status, &response.headers),
            Err(world::HttpError::BadRequest(why)) => Outcome::Refused(why),
            Err(error) => Outcome::Later(None, error.to_string()),
        };
        match &outcome {
            Outcome::Taken => self.batches_taken.inc(),
            Outcome::Later(..) => self.batches_later.inc(),
            Outcome::Refused(_) => self.batches_refused.inc(),
        }
        outcome
    }
}

#[derive(Clone)]
struct Batch {
    lines: usize,
    body: Bytes,
}

fn outcome(status: StatusCode, headers: &HeaderMap) -> Outcome {
    let why = format!("the receiver answered {}", status.as_u16());
    if status.is_success() {
        return Outcome::Taken;
    }
    if status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
    {
        let after = headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        return Outcome::Later(after, why);
    }
    Outcome::Refused(why)
}

/// The address with the monitor's own path, where it names none.
fn with_path(url: &str) -> String {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    match authority.split_once('/') {
        None => format!("{url}{DEFAULT_PATH}"),
        Some((_, "")) => format!("{}{DEFAULT_PATH}", url.trim_end_matches('/')),
        Some(_) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use telemetry::log::Level;
    use world::HttpResponse;
    use world::sim::SimWorld;

    use super::*;
    use crate::tasks::Tasks;

    #[test]
    fn paths() {
        let check = |url: &str, expect: &str| assert_eq!(with_path(url), expect);
        check("http://127.0.0.1:9765", "http://127.0.0.1:9765/api/v1/logs");
        check(
            "http://127.0.0.1:9765/",
            "http://127.0.0.1:9765/api/v1/logs",
        );
        check("http://h/own/path", "http://h/own/path");
    }

    fn answer(status: u16) -> HttpResponse {
        HttpResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// What arrived at a receiver that answers with these statuses, the last one for ever, and what was dropped.
    async fn ship(statuses: &'static [u16], lines: usize) -> (usize, f64) {
        let sim = SimWorld::new(1, UNIX_EPOCH);
        let world = sim.world();
        let arrived = Arc::new(Mutex::new((0usize, 0usize)));
        let kept = arrived.clone();
        sim.net.host("monitor:1", move |request| {
            let kept = kept.clone();
            Box::pin(async move {
                let mut kept = kept.lock().unwrap();
                let status = statuses[kept.0.min(statuses.len() - 1)];
                kept.0 += 1;
                if status == 200 {
                    kept.1 += request.body.iter().filter(|byte| **byte == b'\n').count();
                }
                Ok(answer(status))
            })
        });
        let registry = Registry::new();
        let shipper = Shipper::new("http://monitor:1", &registry);
        let tasks = Tasks::new();
        tasks.spawn(
            "ship",
            shipper.clone().run(world.clone(), tasks.stop_signal()),
        );
        for number in 0..lines {
            shipper
                .queue()
                .push(Level::Info, &format!("{{\"n\":{number}}}"));
        }
        world.clock.sleep(Duration::from_secs(20)).await;
        tasks.stop_and_join(Duration::from_secs(30)).await;
        let text = registry.render(telemetry::Format::Text004);
        let refused = text
            .lines()
            .find_map(|line| line.strip_prefix("log_ship_lines_dropped_total{reason=\"refused\"} "))
            .and_then(|value| value.parse().ok())
            .unwrap();
        let arrived = arrived.lock().unwrap().1;
        (arrived, refused)
    }

    #[tokio::test(start_paused = true)]
    async fn everything_arrives_once() {
        assert_eq!(ship(&[200], 1700).await, (1700, 0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_receiver_is_tried_again() {
        assert_eq!(ship(&[503, 429, 500, 200], 700).await, (700, 0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_batch_is_dropped_and_counted() {
        assert_eq!(ship(&[400, 200], 700).await, (200, 500.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_stays_away_costs_lines_not_memory() {
        assert_eq!(ship(&[503], 700).await, (0, 700.0));
    }
}
