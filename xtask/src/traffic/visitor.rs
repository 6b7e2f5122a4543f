//! One visitor: a connection, an account, and habits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::Settings;
use super::payloads::{Catalogue, Code};
use super::tally::Tally;
use crate::http_client::{Answer, Client, Request};
use crate::random::Random;
use crate::signals::StopRequests;

/// How often each errand is run, in parts of a thousand; signing in and out comes beside them.
const ERRANDS: [(Errand, u32); 6] = [
    (Errand::KnownCode, 740),
    (Errand::Revisit, 40),
    (Errand::PostedCode, 60),
    (Errand::NewCode, 50),
    (Errand::Page, 70),
    (Errand::Mistake, 40),
];
/// Registrations and sign-ins a second of all visitors together, at most: the service allows one in two seconds for an
/// address in the long run.
const ACCOUNT_RATE_MAX: f64 = 0.4;
/// The largest share of account errands, where traffic is thin.
const ACCOUNT_SHARE_MAX: f64 = 0.03;
/// When the first burst comes and how long it is until the next.
const BURST_FIRST: Duration = Duration::from_secs(5);
const BURST_EVERY: Duration = Duration::from_secs(40);
/// Requests of a burst: well past the service's 100 at once for an address.
const BURST_CODES: u32 = 300;
/// Guesses of a burst: past the service's 20 at once for sign-ins.
const BURST_GUESSES: u32 = 30;
/// The visitor who has no patience.
const IMPATIENT: u32 = 0;
/// Codes that nobody asked for before have numbers from here, far from the catalogue's and short enough for every field.
const NEW_FROM: u64 = 100_000_000;
/// Parameters that stand in a body by themselves.
const OPTIONS: [&str; 8] = [
    "type",
    "format",
    "size",
    "ec",
    "dark",
    "light",
    "quiet_zone",
    "image_title",
];
/// How long a visitor sleeps before it looks whether it shall stop.
const NAP: Duration = Duration::from_millis(100);

#[derive(Clone, Copy)]
enum Errand {
    KnownCode,
    Revisit,
    PostedCode,
    NewCode,
    Page,
    Mistake,
}

pub(super) struct Visitor {
    number: u32,
    name: String,
    address: SocketAddr,
    account_share: f64,
    client: Client,
    random: Random,
    catalogue: Arc<Catalogue>,
    tally: Arc<Tally>,
    cookie: Option<String>,
    /// Path and ETag of the code that was seen last.
    seen: Option<(String, String)>,
    bursts: u32,
}

impl Visitor {
    pub(super) fn new(
        number: u32,
        settings: &Settings,
        catalogue: &Arc<Catalogue>,
        tally: &Arc<Tally>,
    ) -> Visitor {
        Visitor {
            number,
            name: format!("visitor-{}-{number}", settings.seed),
            address: settings.address,
            account_share: (ACCOUNT_RATE_MAX / settings.rate).min(ACCOUNT_SHARE_MAX),
            client: Client::new(settings.address),
            random: Random::new(settings.seed.wrapping_mul(1_000_003) + u64::from(number)),
            catalogue: Arc::clone(catalogue),
            tally: Arc::clone(tally),
            cookie: None,
            seen: None,
            bursts: 0,
        }
    }

    /// Comes, runs errands until the end, and leaves.
    pub(super) fn stay(mut self, pace: Duration, end: Instant, stop: &StopRequests) {
        let came = Instant::now();
        let mut next = came + pace.mul_f64(self.random.fraction());
        self.register();
        self.sign_in();
        loop {
            while Instant::now() < next && !stop.asked() {
                let left = next.saturating_duration_since(Instant::now());
                thread::sleep(left.min(NAP));
            }
            if Instant::now() >= end || stop.asked() {
                break;
            }
            let burst_due = came + BURST_FIRST + BURST_EVERY * self.bursts;
            if self.number == IMPATIENT && Instant::now() >= burst_due {
                self.burst(stop);
            }
            self.errand();
            let wait = pace.mul_f64(0.5 + self.random.fraction());
            // Behind time after a burst: go on from now instead of catching up.
            next = (next + wait).max(Instant::now());
        }
        self.sign_out();
    }

    fn errand(&mut self) {
        if self.random.fraction() < self.account_share {
            return self.account_errand();
        }
        let weights = ERRANDS.map(|(_, weight)| weight);
        let (errand, _) = ERRANDS[self.random.weighted(&weights)];
        match errand {
            Errand::KnownCode => {
                let path = self.catalogue.draw(&mut self.random).path();
                self.known_code(path);
            }
            Errand::Revisit => self.revisit(),
            Errand::NewCode => {
                let number = NEW_FROM + self.random.next() % NEW_FROM;
                let code = Code::random(&mut self.random, number);
                self.ask("code, new", Request::get(code.path()));
            }
            Errand::PostedCode => {
                let body = posted(self.catalogue.draw(&mut self.random));
                self.ask("code, posted", Request::post_json("/api/v1/qr", &body));
            }
            Errand::Page => {
                let pages = [
                    "/",
                    "/",
                    "/assets/app.css",
                    "/assets/app.js",
                    "/api/v1/types",
                ];
                let path = *self.random.one_of(&pages);
                self.ask("page", Request::get(path));
            }
            Errand::Mistake => {
                let request = mistake(&mut self.random);
                self.ask("mistake", request);
            }
        }
    }

    fn known_code(&mut self, path: String) {
        let answer = self.ask("code", Request::get(path.clone()));
        let etag = answer.as_ref().and_then(|answer| answer.header("etag"));
        self.seen = etag.map(|etag| (path, etag.to_owned()));
    }

    /// Asks whether the code that was seen last is still the same, as a browser does.
    fn revisit(&mut self) {
        let Some((path, etag)) = self.seen.clone() else {
            return self.known_code(self.catalogue.favourite().path());
        };
        let mut request = Request::get(path);
        request.headers.push(("If-None-Match", etag));
        self.ask("code, revisited", request);
    }

    fn account_errand(&mut self) {
        match (self.cookie.is_some(), self.random.below(4)) {
            (true, 0 | 1) => {
                self.ask("own account", Request::get("/api/v1/me"));
            }
            (true, _) => self.sign_out(),
            (false, 0) => {
                let request = sign_in(&self.name, "not the password");
                self.ask("wrong password", request);
            }
            (false, _) => self.sign_in(),
        }
    }

    fn register(&mut self) {
        let body = json!({"name": self.name, "password": password(&self.name)});
        self.ask(
            "registration",
            Request::post_json("/api/v1/accounts", &body),
        );
    }

    fn sign_in(&mut self) {
        let request = sign_in(&self.name, &password(&self.name));
        let answer = self.ask("sign-in", request);
        self.cookie = answer.as_ref().and_then(cookie_of);
    }

    fn sign_out(&mut self) {
        if self.cookie.is_none() {
            return;
        }
        let request = Request {
            method: "DELETE",
            path: "/api/v1/sessions/current".to_owned(),
            ..Request::default()
        };
        self.ask("sign-out", request);
        self.cookie = None;
    }

    /// Far too fast for anybody: the same code without a session, or passwords for an account that does not exist.
    fn burst(&mut self, stop: &StopRequests) {
        self.sign_out();
        let codes = self.bursts.is_multiple_of(2);
        self.bursts += 1;
        let count = if codes { BURST_CODES } else { BURST_GUESSES };
        for guess in 0..count {
            if stop.asked() {
                return;
            }
            if codes {
                let path = self.catalogue.favourite().path();
                self.ask("burst of codes", Request::get(path));
            } else {
                let request = sign_in("nobody-we-know", &format!("guess number {guess}"));
                self.ask("burst of guesses", request);
            }
        }
    }

    fn ask(&mut self, what: &'static str, mut request: Request) -> Option<Answer> {
        if let Some(cookie) = &self.cookie {
            request.headers.push(("Cookie", cookie.clone()));
        }
        if request.method != "GET" {
            request
                .headers
                .push(("Origin", format!("http://{}", self.address)));
        }
        let answer = self.client.send(&request).ok();
        let status = answer.as_ref().map(|answer| answer.status);
        self.tally.add(what, status);
        if status == Some(401) {
            self.cookie = None;
        }
        answer
    }
}

fn sign_in(name: &str, password: &str) -> Request {
    let body = json!({"name": name, "password": password});
    Request::post_json("/api/v1/sessions", &body)
}

fn password(name: &str) -> String {
    format!("the password of {name}")
}

/// `name=value` of the first cookie that is set.
fn cookie_of(answer: &Answer) -> Option<String> {
    let set = answer.header("set-cookie")?;
    set.split(';').next().map(|pair| pair.trim().to_owned())
}

/// The body of a POST: options beside `type`, what the payload holds under `fields`.
fn posted(code: &Code) -> Value {
    let mut body = Map::new();
    let mut fields = Map::new();
    for (name, value) in &code.parameters {
        let place = if OPTIONS.contains(name) {
            &mut body
        } else {
            &mut fields
        };
        place.insert((*name).to_owned(), Value::from(value.clone()));
    }
    body.insert("fields".to_owned(), Value::Object(fields));
    Value::Object(body)
}

/// What people and programs get wrong.
fn mistake(random: &mut Random) -> Request {
    let path = *random.one_of(&[
        "/api/v1/qr?type=url",
        "/api/v1/qr?type=barcode&data=x",
        "/api/v1/qr?type=url&data=not%20an%20address",
        "/api/v1/qr?type=text&data=x&format=gif",
        "/api/v1/qr?type=geo&latitude=91&longitude=0",
        "/api/v1/qr?type=wifi&ssid=x&password=short",
        "/api/v1/qr?type=text&data=x&surprise=1",
        "/favicon.ico",
        "/api/v2/qr?type=text&data=x",
        "DELETE /api/v1/qr",
        "POST /api/v1/qr",
        "TOO LONG",
    ]);
    match path {
        "DELETE /api/v1/qr" => Request {
            method: "DELETE",
            path: "/api/v1/qr".to_owned(),
            ..Request::default()
        },
        "POST /api/v1/qr" => Request {
            method: "POST",
            path: "/api/v1/qr".to_owned(),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: b"{\"type\": \"text\", ".to_vec(),
        },
        "TOO LONG" => Request::get(format!("/api/v1/qr?type=text&data={}", "x".repeat(3_000))),
        path => Request::get(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::payloads::option_names;

    #[test]
    fn options_stand_beside_the_fields_of_a_body() {
        let parameters = vec![
            ("type", "text".to_owned()),
            ("data", "hello".to_owned()),
            ("ec", "H".to_owned()),
        ];
        assert_eq!(
            posted(&Code { parameters }),
            json!({"type": "text", "ec": "H", "fields": {"data": "hello"}})
        );
        for name in option_names() {
            assert!(OPTIONS.contains(&name), "{name}");
        }
    }
}
