//! A whole service, asked without a socket: in a simulated world unless the test needs real files or threads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use qr_service::{App, Config, app};
use serde_json::Value;
use telemetry::log::Sink;
use tower::ServiceExt;
use world::World;
use world::inbound::PeerAddr;
use world::sim::SimWorld;

/// 2026-11-23T09:00:00Z
const EPOCH_SECONDS: u64 = 1_795_424_400;

pub(crate) struct Service {
    pub(crate) app: App,
    world: World,
    router: Router,
    log: Arc<Mutex<Vec<Value>>>,
    cookie: Mutex<Option<String>>,
    peer: Mutex<SocketAddr>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }
}

impl Service {
    pub(crate) async fn start(config: Config) -> Service {
        let sim = SimWorld::new(7, UNIX_EPOCH + Duration::from_secs(EPOCH_SECONDS));
        Service::start_in(sim.world(), config).await
    }

    pub(crate) async fn start_in(world: World, config: Config) -> Service {
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        let sink = Sink::closure(move |_, line| {
            let line = serde_json::from_str(line).expect("every line is JSON");
            kept.lock().unwrap().push(line);
        });
        let (app, router) = app(world.clone(), config, vec![sink]).await.unwrap();
        Service {
            app,
            world,
            router,
            log,
            cookie: Mutex::default(),
            peer: Mutex::new(SocketAddr::from(([127, 0, 0, 1], 40_000))),
        }
    }

    /// Asks with `METHOD /path`, a JSON body unless it is empty, and the cookie of the last sign-in.
    pub(crate) async fn ask(&self, line: &str, body: &str) -> Answer {
        self.ask_with(line, body, &[]).await
    }

    pub(crate) async fn ask_with(
        &self,
        line: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (method, path) = line.split_once(' ').expect("METHOD /path");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .extension(PeerAddr(*self.peer.lock().unwrap()));
        // What changes something is JSON, also without a body.
        let is_json = !body.is_empty() || (method == "POST" && path.starts_with("/admin/"));
        if is_json && headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(cookie) = self.cookie.lock().unwrap().as_ref() {
            request = request.header(header::COOKIE, cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        };
        if let Some((cookie, _)) = answer.header("set-cookie").split_once(';') {
            *self.cookie.lock().unwrap() = Some(cookie.to_owned());
        }
        answer
    }

    pub(crate) fn forget_cookie(&self) {
        *self.cookie.lock().unwrap() = None;
    }

    pub(crate) fn come_from(&self, address: [u8; 4]) {
        *self.peer.lock().unwrap() = SocketAddr::from((address, 40_000));
    }

    pub(crate) async fn pass(&self, length: Duration) {
        self.world.clock.sleep(length).await;
    }

    /// The value of one series (name with its labels) on `/metrics`.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let text = self.ask("GET /metrics", "").await.body;
        text.lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or_else(|| panic!("{series} is on /metrics:\n{text}"))
    }

    /// Log lines with this message.
    pub(crate) fn logged(&self, message: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter(|line| line["message"] == message)
            .cloned()
            .collect()
    }

    /// The whole log as text.
    pub(crate) fn log_text(&self) -> String {
        let log = self.log.lock().unwrap();
        log.iter().map(|line| format!("{line}\n")).collect()
    }
}

pub(crate) fn with_faults() -> Config {
    Config {
        faults: true,
        ..Config::default()
    }
}
