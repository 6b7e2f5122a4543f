//! The real program, killed ten times under load: nothing that it had acknowledged or shown is lost, and one continuous
//! firing stays one incident.
//!
//! A target and a pager on loopback are served by the test. While `belfry` runs, one loop sends log lines and remembers those
//! answered with 2xx, another reads samples and remembers them. SIGKILL comes at moments drawn from a seed.
#![expect(clippy::unwrap_used, reason = "test helpers: a panic is the failure")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test writes the files of the program that it starts"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Method, header};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use world::inbound::{ServeOptions, serve};
use world::sim::SeededEntropy;
use world::{HttpRequest, World};

const KILLS: u64 = 10;
const SEED: u64 = 20_261_123;
/// From the start of the program to the first good answer, in a debug build on a busy machine.
const START_MAX: Duration = Duration::from_secs(8);
/// Lines of one batch, and the pause after it: a search answers with at most 5,000 lines of one life.
const BATCH: u64 = 20;
const BATCH_PAUSE: Duration = Duration::from_millis(25);
const READ_PAUSE: Duration = Duration::from_millis(60);

const PLAN: &str = "
format: 1
service: load
targets:
  - {job: load, url: 'http://127.0.0.1:PORT/metrics', interval: 1s, timeout: 1s}
metrics:
  - {name: load_requests_total, type: counter, meaning: Counts up., group: application}
rule_groups:
  - name: load
    interval: 1s
    rules:
      - {alert: Always, expr: 'load_requests_total >= 0', severity: critical, escalation: fast, summary: It always fires.}
probes:
  - {name: door, kind: readiness, url: 'http://127.0.0.1:PORT/ready', interval: 1s, timeout: 1s}
logs:
  classes:
    - {name: LOW, level: DEBUG, keep: 7d}
    - {name: INFO, level: INFO, keep: 30d}
    - {name: WARN, level: WARN, keep: 90d}
    - {name: ERROR, level: ERROR, keep: 1y}
escalation_policies:
  - name: fast
    levels:
      - {after: 0, roles: [one]}
      - {after: 4s, roles: [two]}
      - {after: 9s, roles: [three]}
";

const CONTACTS: &str = "
format: 1
people:
  - {name: ada, roles: [one], channels: [{type: webhook, url: 'http://127.0.0.1:PORT/page'}]}
  - {name: lea, roles: [two], channels: [{type: webhook, url: 'http://127.0.0.1:PORT/page'}]}
  - {name: max, roles: [three], channels: [{type: webhook, url: 'http://127.0.0.1:PORT/page'}]}
";

/// What must be there in the end.
#[derive(Default)]
struct Remembered {
    /// Numbers of lines answered with 2xx, by the life in which they were.
    lines: BTreeMap<u64, BTreeSet<u64>>,
    /// (series, time) with its value, as text.
    samples: BTreeMap<(String, String), String>,
    /// Numbers of incidents that a list showed.
    incidents: BTreeSet<i64>,
    /// Idempotency key with its level and how often it came.
    pages: BTreeMap<String, (i64, u64)>,
    /// Samples that were shown with two values: there must be none.
    changed: Vec<String>,
}

type Memory = Arc<Mutex<Remembered>>;

/// The program, ended with the test.
struct Program(Child);

impl Program {
    fn start(folder: &Path, port: u16) -> Program {
        let child = Command::new(env!("CARGO_BIN_EXE_belfry"))
            .arg("run")
            .arg(folder.join("plan.yaml"))
            .args(["--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(folder.join("data"))
            .arg("--contacts")
            .arg(folder.join("contacts.yaml"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("stderr.log")).unwrap())
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

/// A client of the program under test.
#[derive(Clone)]
struct Client {
    world: World,
    base: String,
}

impl Client {
    async fn ask(&self, method: Method, path: &str, body: String) -> Option<(u16, Value)> {
        let mut request = HttpRequest::get(
            &format!("{}{path}", self.base),
            Duration::from_secs(10),
            64 << 20,
        );
        request.method = method;
        request
            .headers
            .insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        request.body = body.into();
        let response = self.world.net.http(request).await.ok()?;
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Some((response.status.as_u16(), body))
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let (status, body) = self.ask(Method::GET, path, String::new()).await?;
        (status == 200).then_some(body)
    }

    /// Waits until the program answers; how long it took.
    async fn started(&self, folder: &Path) -> Duration {
        let clock = &self.world.clock;
        let from = clock.monotonic();
        while self.get("/api/belfry/v1/plan").await.is_none() {
            let said = || std::fs::read_to_string(folder.join("stderr.log")).unwrap_or_default();
            let waited = clock.monotonic() - from;
            assert!(waited < START_MAX, "no answer after {waited:?}: {}", said());
            clock.sleep(Duration::from_millis(20)).await;
        }
        clock.monotonic() - from
    }

    async fn send_lines(&self, life: u64, memory: &Memory) {
        for batch in 0.. {
            let numbers = batch * BATCH..(batch + 1) * BATCH;
            let line = |number: u64| {
                let level = if number.is_multiple_of(2) {
                    "INFO"
                } else {
                    "WARN"
                };
                json!({"level": level, "message": "load", "life": life, "number": number})
                    .to_string()
            };
            let body: Vec<String> = numbers.clone().map(line).collect();
            if let Some((200, report)) = self
                .ask(Method::POST, "/api/v1/logs", body.join("\n"))
                .await
            {
                assert_eq!(report["accepted"], BATCH, "{report}");
                memory
                    .lock()
                    .unwrap()
                    .lines
                    .entry(life)
                    .or_default()
                    .extend(numbers);
            }
            self.world.clock.sleep(BATCH_PAUSE).await;
        }
    }

    async fn read_samples(&self, memory: &Memory) {
        loop {
            if let Some(shown) = self.samples("20s").await {
                let mut memory = memory.lock().unwrap();
                for (key, value) in shown {
                    let first = memory.samples.entry(key.clone()).or_insert(value.clone());
                    if *first != value {
                        let text = format!("{key:?}: {first}, then {value}");
                        memory.changed.push(text);
                    }
                }
            }
            if let Some(Value::Array(list)) = self.get("/api/belfry/v1/incidents?state=all").await {
                let ids = list.iter().filter_map(|incident| incident["id"].as_i64());
                memory.lock().unwrap().incidents.extend(ids);
            }
            self.world.clock.sleep(READ_PAUSE).await;
        }
    }

    /// Raw samples of the last while.
    async fn samples(&self, window: &str) -> Option<BTreeMap<(String, String), String>> {
        let query = format!(
            "/api/v1/query?query=%7B__name__=~%22load_requests_total|up|probe_success%22%7D[{window}]"
        );
        let answer = self.get(&query).await?;
        let mut samples = BTreeMap::new();
        for series in answer["data"]["result"].as_array()? {
            for point in series["values"].as_array()? {
                let key = (series["metric"].to_string(), point[0].to_string());
                samples.insert(key, point[1].to_string());
            }
        }
        Some(samples)
    }

    /// Numbers of the stored lines of one life.
    async fn stored_lines(&self, life: u64) -> BTreeSet<u64> {
        let path = format!("/api/belfry/v1/logs?q=life%3D{life}&limit=5000");
        let found = self.get(&path).await.unwrap();
        assert_eq!(found["truncated"], false, "one search shows a whole life");
        let number = |entry: &Value| entry["fields"]["number"].as_str().unwrap().parse().unwrap();
        found["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect()
    }
}

/// What is scraped, probed and paged: on one port.
fn outside(memory: Memory) -> Router {
    let requests = Arc::new(AtomicU64::new(0));
    let expose = move || async move {
        let count = requests.fetch_add(1, Ordering::Relaxed);
        (
            [(header::CONTENT_TYPE, "text/plain")],
            format!("load_requests_total {count}\n"),
        )
    };
    let take = move |headers: HeaderMap, body: String| async move {
        let page: Value = serde_json::from_str(&body).unwrap();
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        let level = page["incident"]["level"].as_i64().unwrap();
        memory
            .lock()
            .unwrap()
            .pages
            .entry(key)
            .or_insert((level, 0))
            .1 += 1;
    };
    Router::new()
        .route("/metrics", get(expose))
        .route("/ready", get(|| async { "ok" }))
        .route("/page", post(take))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_under_load_lose_nothing() {
    let memory = Memory::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outside_port = listener.local_addr().unwrap().port();
    let serving = serve(
        listener,
        outside(memory.clone()),
        ServeOptions::default(),
        std::future::pending(),
    );
    let test = ten_kills(outside_port, &memory);
    tokio::select! {
        biased;
        () = test => {}
        _ = serving => unreachable!("it serves for ever"),
    }
}

async fn ten_kills(outside_port: u16, memory: &Memory) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let port_text = outside_port.to_string();
    std::fs::write(folder.join("plan.yaml"), PLAN.replace("PORT", &port_text)).unwrap();
    std::fs::write(
        folder.join("contacts.yaml"),
        CONTACTS.replace("PORT", &port_text),
    )
    .unwrap();
    // Bound and given back, so that every life of the program takes the same one.
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let world = World::real().unwrap();
    let client = Client {
        world: world.clone(),
        base: format!("http://127.0.0.1:{port}"),
    };
    let entropy = SeededEntropy::new(SEED);
    let mut slowest = Duration::ZERO;
    for life in 1..=KILLS {
        let program = Program::start(folder, port);
        // Load begins before the program answers, and some kills come while it still starts.
        let moment = Duration::from_millis(if life % 5 == 0 {
            40 + entropy.below(200)
        } else {
            400 + entropy.below(2_200)
        });
        let killed = async {
            if life % 5 != 0 {
                slowest = slowest.max(client.started(folder).await);
            }
            world.clock.sleep(moment).await;
            program.kill();
        };
        tokio::select! {
            biased;
            () = killed => {}
            () = client.send_lines(life, memory) => {}
            () = client.send_lines(life + 100, memory) => {}
            () = client.read_samples(memory) => {}
        }
    }
    let _program = Program::start(folder, port);
    slowest = slowest.max(client.started(folder).await);
    check(&client, memory).await;
    let remembered = memory.lock().unwrap();
    println!(
        "{} lines and {} samples survived {KILLS} kills; {} pages; the slowest start took {slowest:?}",
        remembered.lines.values().map(BTreeSet::len).sum::<usize>(),
        remembered.samples.len(),
        remembered.pages.len(),
    );
}

async fn check(client: &Client, memory: &Memory) {
    let (lines, samples) = {
        let memory = memory.lock().unwrap();
        (memory.lines.clone(), memory.samples.clone())
    };
    let acknowledged: usize = lines.values().map(BTreeSet::len).sum();
    assert!(
        acknowledged >= 1_000,
        "there was load: {acknowledged} lines"
    );
    for (life, numbers) in lines {
        let stored = client.stored_lines(life).await;
        let lost: Vec<&u64> = numbers.difference(&stored).collect();
        assert!(
            lost.is_empty(),
            "life {life} lost {} of {}: {lost:?}",
            lost.len(),
            numbers.len()
        );
    }
    let shown = client.samples("10m").await.unwrap();
    assert!(samples.len() >= 20, "there were samples: {}", samples.len());
    for (key, value) in &samples {
        assert_eq!(shown.get(key), Some(value), "{key:?}");
    }
    assert_eq!(
        memory.lock().unwrap().changed,
        [""; 0],
        "no shown sample changes"
    );

    // The last level may still be due.
    client.world.clock.sleep(Duration::from_secs(2)).await;
    let list = client
        .get("/api/belfry/v1/incidents?state=all")
        .await
        .unwrap();
    let ids: Vec<i64> = list
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|incident| incident["id"].as_i64())
        .collect();
    assert_eq!(ids, [1], "one continuous firing is one incident: {list}");
    assert_eq!(list[0]["state"], "open");
    let memory = memory.lock().unwrap();
    assert_eq!(
        memory.incidents,
        BTreeSet::from([1]),
        "and never was another"
    );
    let mut levels: Vec<i64> = memory.pages.values().map(|(level, _)| *level).collect();
    levels.sort_unstable();
    assert_eq!(
        levels,
        [1, 2, 3],
        "each level once, by its key: {:?}",
        memory.pages
    );
}
