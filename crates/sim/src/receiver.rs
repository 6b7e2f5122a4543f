//! Where pages arrive: a webhook receiver that can refuse, hang, and remembers what it accepted.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use model::Timestamp;
use serde_json::Value;
use world::sim::SimNet;
use world::{Clock, HttpError, HttpRequest, HttpResponse};

/// How a receiver answers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes every page.
    Accept,
    /// Answers 500.
    Refuse,
    /// Never answers.
    Hang,
}

/// A page that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSeen {
    /// When.
    pub at: Timestamp,
    /// Who was told.
    pub person: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// The alert.
    pub alert: String,
    /// The escalation level.
    pub level: i64,
    /// The key by which a receiver tells a repetition from a new page.
    pub key: String,
}

/// All receivers of a scene.
#[derive(Clone)]
pub struct Inbox {
    state: Arc<Mutex<State>>,
}

struct State {
    behaviour: Behaviour,
    pages: Vec<PageSeen>,
    attempts: usize,
}

impl Inbox {
    /// Puts the receivers on the network, as `receiver.test:80`.
    pub fn plug_in(net: &SimNet, clock: Arc<dyn Clock>) -> Inbox {
        let state = State {
            behaviour: Behaviour::Accept,
            pages: Vec::new(),
            attempts: 0,
        };
        let inbox = Inbox {
            state: Arc::new(Mutex::new(state)),
        };
        let own = inbox.clone();
        net.host("receiver.test:80", move |request| {
            let (own, clock) = (own.clone(), clock.clone());
            Box::pin(async move {
                // A real network takes time, and a page must not depend on it taking none.
                clock.sleep(Duration::from_millis(20)).await;
                own.receive(request, &*clock).await
            })
        });
        inbox
    }

    /// How the receivers answer from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.lock().behaviour = behaviour;
    }

    /// Pages that were accepted, in order.
    pub fn pages(&self) -> Vec<PageSeen> {
        self.lock().pages.clone()
    }

    /// How often somebody tried.
    pub fn attempts(&self) -> usize {
        self.lock().attempts
    }

    async fn receive(
        &self,
        request: HttpRequest,
        clock: &dyn Clock,
    ) -> Result<HttpResponse, HttpError> {
        let behaviour = {
            let mut state = self.lock();
            state.attempts += 1;
            state.behaviour
        };
        let status = match behaviour {
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Refuse => StatusCode::INTERNAL_SERVER_ERROR,
            Behaviour::Accept => {
                let page = read(&request, Timestamp::from(clock.now()));
                self.lock().pages.push(page);
                StatusCode::OK
            }
        };
        Ok(HttpResponse {
            status,
            headers: HeaderMap::new(),
            body: Default::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

fn read(request: &HttpRequest, at: Timestamp) -> PageSeen {
    let body: Value = serde_json::from_slice(&request.body).expect("Belfry sends JSON");
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let key = request
        .headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned();
    PageSeen {
        at,
        person: text(&body["receiver"]),
        status: text(&body["status"]),
        alert: text(&body["groupLabels"]["alertname"]),
        level: body["incident"]["level"].as_i64().unwrap_or(0),
        key,
    }
}
