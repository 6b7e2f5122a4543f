//! Where pages arrive: one webhook for each channel of each person, each failing as its script says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use world::sim::SimNet;
use world::{Clock, HttpError, HttpRequest, HttpResponse};

use super::faulty_store::Placed;
use super::record::AttemptSeen;
use super::scenario::Scenario;
use super::watch::Watch;

/// Half of the way to a receiver and back.
const LATENCY: Duration = Duration::from_millis(10);
/// How long a receiver takes that answers byte by byte: just within the time that an attempt has.
const DRIPPING: Duration = Duration::from_millis(9_500);

/// How a receiver answers while it fails.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With 500.
    Error,
    /// Never, and takes nothing.
    Hang,
    /// Well, but so slowly that it is almost too late.
    Drip,
    /// With a redirect.
    Redirect,
    /// Not at all: the connection is refused.
    Refuse,
    /// Never, though it took the page: whoever sends cannot know.
    TakeAndHang,
}

/// How long it fails.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Until then.
    Until(Duration),
    /// For so many requests, until then at the latest.
    Requests(u32, Duration),
}

/// One failure of a channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ChannelFault {
    /// From when.
    pub from: Duration,
    /// How.
    pub answer: Answer,
    /// How long.
    pub lasting: Lasting,
}

/// The address of a channel.
pub(super) fn authority(person: &str, channel: usize) -> String {
    format!("{person}-{channel}.test:80")
}

/// Puts everybody's receivers on the network.
pub(super) fn plug_in(
    scenario: &Scenario,
    net: &SimNet,
    clock: &Arc<dyn Clock>,
    watch: &Arc<Watch>,
) {
    for person in &scenario.people {
        for (index, faults) in person.channels.iter().enumerate() {
            let receiver = Arc::new(Receiver {
                person: person.name.clone(),
                channel: index,
                faults: Mutex::new(faults.clone()),
                clock: clock.clone(),
                watch: watch.clone(),
            });
            net.host(&authority(&person.name, index), move |request| {
                let receiver = receiver.clone();
                Box::pin(async move { receiver.receive(request).await })
            });
        }
    }
}

struct Receiver {
    person: String,
    channel: usize,
    faults: Mutex<Vec<ChannelFault>>,
    clock: Arc<dyn Clock>,
    watch: Arc<Watch>,
}

impl Receiver {
    async fn receive(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.watch.is_dead() {
            return std::future::pending().await;
        }
        let answer = self.answer();
        let seen = self.read(&request);
        let index = self.watch.attempted(seen);
        self.clock.sleep(LATENCY).await;
        match answer {
            Some(Answer::Error) => return self.says(StatusCode::INTERNAL_SERVER_ERROR).await,
            Some(Answer::Redirect) => return self.says(StatusCode::FOUND).await,
            Some(Answer::Hang) => return std::future::pending().await,
            Some(Answer::Refuse) => return Err(HttpError::Connect("refused".to_owned())),
            Some(Answer::Drip) => self.clock.sleep(DRIPPING).await,
            Some(Answer::TakeAndHang) | None => {}
        }
        self.watch.accepted(index, self.clock.monotonic());
        if answer == Some(Answer::TakeAndHang) || self.watch.dies(Placed::Accepted) {
            return std::future::pending().await;
        }
        let response = self.says(StatusCode::OK).await;
        self.watch.answered(index);
        response
    }

    async fn says(&self, status: StatusCode) -> Result<HttpResponse, HttpError> {
        self.clock.sleep(LATENCY).await;
        Ok(HttpResponse {
            status,
            headers: HeaderMap::new(),
            body: Default::default(),
        })
    }

    /// How this request fails; `None`: it does not.
    fn answer(&self) -> Option<Answer> {
        let now = self.clock.monotonic();
        let mut faults = self
            .faults
            .lock()
            .expect("no code panics while it holds this lock");
        let holds = |fault: &&mut ChannelFault| {
            let until = match fault.lasting {
                Lasting::Until(until) => until,
                Lasting::Requests(0, _) => Duration::ZERO,
                Lasting::Requests(_, until) => until,
            };
            fault.from <= now && now < until
        };
        let fault = faults.iter_mut().find(holds)?;
        if let Lasting::Requests(left, _) = &mut fault.lasting {
            *left -= 1;
        }
        Some(fault.answer)
    }

    fn read(&self, request: &HttpRequest) -> AttemptSeen {
        let body: Value = serde_json::from_slice(&request.body).expect("Belfry sends JSON");
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let key = request.headers.get("idempotency-key");
        let incident = &body["incident"];
        let line = |line: &Value| {
            let id = line["id"].as_i64().expect("an incident has a number");
            (id, text(&line["state"]))
        };
        let listed = incident["summaryOf"].as_array();
        AttemptSeen {
            sequence: 0,
            at: self.clock.monotonic(),
            person: self.person.clone(),
            channel: self.channel,
            key: key
                .and_then(|value| value.to_str().ok())
                .unwrap_or("")
                .to_owned(),
            status: text(&body["status"]),
            level: incident["level"].as_u64().unwrap_or(0) as usize,
            reason: text(&incident["reason"]),
            incident: incident["id"].as_i64().unwrap_or(0),
            summary_of: listed.map_or_else(Vec::new, |list| list.iter().map(line).collect()),
            accepted: None,
            answered: false,
        }
    }
}
