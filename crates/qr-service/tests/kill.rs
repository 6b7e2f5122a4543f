//! The real program, killed ten times under load: it starts again at once, and no account and no session that was
//! answered with 201 is lost.
#![expect(clippy::unwrap_used, reason = "test helpers: a panic is the failure")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{Method, header};
use tokio::net::TcpListener;
use world::sim::SeededEntropy;
use world::{HttpRequest, HttpResponse, World};

const KILLS: u64 = 10;
const SEED: u64 = 20_261_123;
/// From the start of the program to the first good answer, in a debug build on a busy machine.
const START_MAX: Duration = Duration::from_secs(8);
const PASSWORD: &str = "correct horse";

/// The program, ended with the test.
struct Program(Child);

impl Program {
    fn start(folder: &Path, port: u16) -> Program {
        let child = Command::new(env!("CARGO_BIN_EXE_qr-service"))
            .args(["--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(folder)
            .args([
                "--rate-address",
                "0",
                "--rate-session",
                "0",
                "--rate-sign-in",
                "0",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Program(child)
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What was answered with 201.
#[derive(Default)]
struct Acknowledged {
    accounts: Vec<String>,
    /// Names with their cookies.
    sessions: Vec<(String, String)>,
}

struct Client {
    world: World,
    base: String,
    acknowledged: Mutex<Acknowledged>,
}

impl Client {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: String,
        cookie: &str,
    ) -> Option<HttpResponse> {
        let url = format!("{}{path}", self.base);
        let mut request = HttpRequest::get(&url, Duration::from_secs(10), 1 << 20);
        request.method = method;
        request.body = body.into();
        let headers = &mut request.headers;
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        if !cookie.is_empty() {
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        self.world.net.http(request).await.ok()
    }

    async fn get(&self, path: &str) -> Option<u16> {
        let answer = self.ask(Method::GET, path, String::new(), "").await?;
        Some(answer.status.as_u16())
    }

    /// Waits until the program is ready; how long it took.
    async fn started(&self) -> Duration {
        let clock = &self.world.clock;
        let from = clock.monotonic();
        while self.get("/ready").await != Some(200) {
            let waited = clock.monotonic() - from;
            assert!(waited < START_MAX, "not ready after {waited:?}");
            clock.sleep(Duration::from_millis(20)).await;
        }
        clock.monotonic() - from
    }

    async fn register(&self, life: u64) {
        for number in 0.. {
            let name = format!("user-{life}-{number}");
            let body = format!(r#"{{"name":"{name}","password":"{PASSWORD}"}}"#);
            let made = self
                .ask(Method::POST, "/api/v1/accounts", body.clone(), "")
                .await;
            if made.is_some_and(|made| made.status == 201) {
                self.acknowledged
                    .lock()
                    .unwrap()
                    .accounts
                    .push(name.clone());
                let signed_in = self.ask(Method::POST, "/api/v1/sessions", body, "").await;
                if let Some(answer) = signed_in.filter(|answer| answer.status == 201) {
                    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
                    let cookie = cookie.split(';').next().unwrap().to_owned();
                    self.acknowledged
                        .lock()
                        .unwrap()
                        .sessions
                        .push((name, cookie));
                }
            }
            self.world.clock.sleep(Duration::from_millis(20)).await;
        }
    }

    async fn make_codes(&self) {
        for number in 0_u64.. {
            let path = format!("/api/v1/qr?type=text&data={}&format=png", number % 50);
            // Load, nothing more.
            let _ = self.get(&path).await;
            self.world.clock.sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_under_load_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Bound and given back, so that every life of the program takes the same one.
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let world = World::real().unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let client = Client {
        world: world.clone(),
        base,
        acknowledged: Mutex::default(),
    };
    let entropy = SeededEntropy::new(SEED);
    let mut slowest = Duration::ZERO;
    for life in 1..=KILLS {
        let program = Program::start(folder.path(), port);
        let early = life % 5 == 0;
        let moment = Duration::from_millis(if early {
            10 + entropy.below(80)
        } else {
            300 + entropy.below(1_000)
        });
        let killed = async {
            // Some kills come while it still starts.
            if !early {
                slowest = slowest.max(client.started().await);
            }
            world.clock.sleep(moment).await;
            program.kill();
        };
        tokio::select! {
            biased;
            () = killed => {}
            () = client.register(life) => {}
            () = client.make_codes() => {}
        }
    }
    let _program = Program::start(folder.path(), port);
    slowest = slowest.max(client.started().await);
    let Acknowledged { accounts, sessions } =
        std::mem::take(&mut *client.acknowledged.lock().unwrap());
    assert!(
        accounts.len() >= 20,
        "there was load: {} accounts",
        accounts.len()
    );
    for (name, cookie) in &sessions {
        let me = client
            .ask(Method::GET, "/api/v1/me", String::new(), cookie)
            .await
            .unwrap();
        assert_eq!(me.status, 200, "the session of {name}");
        assert!(String::from_utf8_lossy(&me.body).contains(name.as_str()));
    }
    let without = accounts
        .iter()
        .filter(|name| sessions.iter().all(|(own, _)| own != *name));
    for name in without.chain(accounts.iter().step_by(10)) {
        let body = format!(r#"{{"name":"{name}","password":"{PASSWORD}"}}"#);
        let signed_in = client
            .ask(Method::POST, "/api/v1/sessions", body, "")
            .await
            .unwrap();
        assert_eq!(signed_in.status, 201, "the account {name}");
    }
    println!(
        "{} accounts and {} sessions survived {KILLS} kills; the slowest start took {slowest:?}",
        accounts.len(),
        sessions.len()
    );
}
