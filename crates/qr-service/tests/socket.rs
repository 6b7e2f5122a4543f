//! The real program and real sockets: a kill -9 loses no account, a signal drains, logs reach a receiver.
#![expect(clippy::unwrap_used, reason = "test helpers: a panic is the failure")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::routing::post;
use qr_service::{App, Config};
use telemetry::log::Level;
use tokio::net::TcpListener;
use world::inbound::{Drained, ServeOptions};
use world::{HttpRequest, HttpResponse, World};

const ADA: &str = r#"{"name":"ada","password":"correct horse"}"#;
const PATIENCE: Duration = Duration::from_secs(20);

async fn ask(world: &World, method: Method, url: &str, body: &'static str) -> Option<HttpResponse> {
    let mut request = HttpRequest::get(url, Duration::from_secs(5), 1 << 20);
    request.method = method;
    request.body = body.into();
    request.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    world.net.http(request).await.ok()
}

/// Asks until the answer has this status.
async fn wait_for(world: &World, url: &str, status: u16) {
    let waiting = async {
        loop {
            let answer = ask(world, Method::GET, url, "").await;
            if answer.is_some_and(|answer| answer.status == status) {
                return;
            }
            world.clock.sleep(Duration::from_millis(30)).await;
        }
    };
    world::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("{url} never answered {status}"));
}

/// A free port: bound and given back, so that the program can take it.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// The program, ended with the test.
struct Program(Child);

impl Program {
    fn start(port: u16, folder: &Path) -> Program {
        let child = Command::new(env!("CARGO_BIN_EXE_qr-service"))
            .args(["--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(folder)
            .args(["--drain-grace-ms", "700"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Program(child)
    }

    fn terminate(&self) {
        let id = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_survive_kill_9_and_a_signal_drains() {
    let world = World::real().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().await;
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let mut program = Program::start(port, folder.path());
    wait_for(&world, &url("/ready"), 200).await;
    let made = ask(&world, Method::POST, &url("/api/v1/accounts"), ADA).await;
    assert_eq!(made.map(|made| made.status), Some(StatusCode::CREATED));
    // SIGKILL, at once.
    program.0.kill().unwrap();
    program.0.wait().unwrap();

    let mut program = Program::start(port, folder.path());
    wait_for(&world, &url("/ready"), 200).await;
    let signed_in = ask(&world, Method::POST, &url("/api/v1/sessions"), ADA).await;
    assert_eq!(
        signed_in.map(|answer| answer.status),
        Some(StatusCode::CREATED)
    );
    program.terminate();
    wait_for(&world, &url("/ready"), 503).await;
    let health = ask(&world, Method::GET, &url("/health"), "").await;
    assert_eq!(
        health.map(|answer| answer.status),
        Some(StatusCode::OK),
        "while it drains it still answers"
    );
    let ended = world.run_blocking(move || program.0.wait()).await.unwrap();
    assert!(ended.success(), "{ended}");
}

/// A receiver that refuses the first two batches as busy.
async fn receiver(lines: Arc<Mutex<Vec<String>>>) -> (u16, tokio::sync::oneshot::Sender<()>) {
    let tries = Arc::new(Mutex::new(0));
    let take = move |body: String| {
        let (lines, tries) = (lines.clone(), tries.clone());
        async move {
            let mut tries = tries.lock().unwrap();
            *tries += 1;
            if *tries <= 2 {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            lines
                .lock()
                .unwrap()
                .extend(body.lines().map(str::to_owned));
            StatusCode::NO_CONTENT
        }
    };
    let router = Router::new().route("/api/v1/logs", post(take));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = world::inbound::serve(listener, router, ServeOptions::default(), async {
        let _ = stopped.await;
    });
    #[expect(clippy::disallowed_methods, reason = "a test's own receiver")]
    tokio::spawn(serving);
    (port, stop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_lines_reach_a_receiver_once_each() {
    let world = World::real().unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (receiver_port, _stop) = receiver(lines.clone()).await;
    let config = Config {
        ship_logs: Some(format!("http://127.0.0.1:{receiver_port}")),
        drain_grace: Duration::ZERO,
        data_dir: None::<PathBuf>,
        ..Config::default()
    };
    let app = App::build(world.clone(), config, Level::Debug, Vec::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let asking = async {
        app.start().await.unwrap();
        for number in 0..40 {
            let url = format!("http://127.0.0.1:{port}/api/v1/qr?type=text&data={number}");
            let answer = ask(&world, Method::GET, &url, "").await.unwrap();
            assert_eq!(answer.status, 200);
        }
        world.clock.sleep(Duration::from_secs(3)).await;
        let _ = stop.send(());
    };
    let serving = app.serve(listener, async {
        let _ = stopped.await;
    });
    let (drained, ()) = tokio::join!(serving, asking);
    assert_eq!(drained, Drained::Whole);
    let lines = lines.lock().unwrap();
    let count = |message: &str| {
        let part = format!("\"message\":\"{message}\"");
        lines.iter().filter(|line| line.contains(&part)).count()
    };
    assert_eq!(count("qr code generated"), 40);
    assert_eq!(count("cache miss"), 40);
    assert_eq!(count("ready"), 1);
    assert_eq!(
        count("stopped"),
        1,
        "the last lines are sent before the end"
    );
    assert!(
        lines
            .iter()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
}
