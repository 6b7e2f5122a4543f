//! The real program, killed fifty times under load: nothing that it had acknowledged or shown is lost, one continuous firing
//! stays one incident, and of the incidents that come and go in between each is told, and its end is told once.
//!
//! A target and a pager on loopback are served by the test. While `belfry` runs, one loop sends log lines and remembers those
//! answered with 2xx, another reads samples and remembers them. SIGKILL comes at moments drawn from a seed, half of them
//! just after a page arrived and before its receiver answered. `BELFRY_KILLS=500` makes a soak of it.
#![expect(clippy::unwrap_used, reason = "test helpers: a panic is the failure")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test writes the files of the program that it starts, and is told the number of kills by the environment"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Method, header};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use world::inbound::{ServeOptions, serve};
use world::sim::SeededEntropy;
use world::{Clock, HttpRequest, World};

/// Kills, unless `BELFRY_KILLS` says otherwise.
const KILLS: u64 = 50;
/// A job fails in the first part of each of these, so that incidents come and go.
const JOB_EVERY: Duration = Duration::from_secs(5);
const JOB_FAILS_FOR: Duration = Duration::from_secs(2);
/// How long the pager takes to answer once it has a page: room for a kill in between.
const PAGER_ANSWERS_AFTER: Duration = Duration::from_millis(40);
/// A page that came so shortly before a kill may come again after it.
const IN_FLIGHT: Duration = Duration::from_secs(1);
/// How long the last pages may take, summaries included.
const SETTLED_WITHIN: Duration = Duration::from_secs(40);
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
  - {name: job_failed, type: gauge, meaning: One failed run of a job., group: application, labels: [run]}
rule_groups:
  - name: load
    interval: 1s
    rules:
      - {alert: Always, expr: 'load_requests_total >= 0', severity: critical, escalation: fast, summary: It always fires.}
      - {alert: JobFailed, expr: 'job_failed > 0', severity: critical, escalation: once, summary: A job failed.}
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
  - name: once
    levels:
      - {after: 0, roles: [jobs]}
";

const CONTACTS: &str = "
format: 1
people:
  - {name: ada, roles: [one], channels: [{type: webhook, url: 'http://127.0.0.1:PORT/page'}]}
  - {name: lea, roles: [two], channels: [{type: webhook, url: 'http://127.0.0.1:PORT/page'}]}
  - {name: max, roles: [three], channels: [{type: webhook, url: 'http://127.0.0.1:PORT/page'}]}
  - {name: job, roles: [jobs], channels: [{type: webhook, url: 'http://127.0.0.1:PORT/page'}]}
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
    /// Pages as they came.
    pages: Vec<Arrived>,
    /// When the program was killed.
    kills: Vec<Duration>,
    /// Samples that were shown with two values: there must be none.
    changed: Vec<String>,
}

/// A page that the pager took.
struct Arrived {
    at: Duration,
    key: String,
    alert: String,
    status: String,
    level: i64,
    incident: i64,
    /// Incidents that a summary lists, and whether it says that they are over.
    summary_of: Vec<(i64, bool)>,
}

impl Arrived {
    fn read(headers: &HeaderMap, body: &str, at: Duration) -> Arrived {
        let page: Value = serde_json::from_str(body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let line = |line: &Value| (line["id"].as_i64().unwrap(), line["state"] == "resolved");
        let listed = page["incident"]["summaryOf"].as_array();
        Arrived {
            at,
            key: headers["idempotency-key"].to_str().unwrap().to_owned(),
            alert: text(&page["groupLabels"]["alertname"]),
            status: text(&page["status"]),
            level: page["incident"]["level"].as_i64().unwrap(),
            incident: page["incident"]["id"].as_i64().unwrap(),
            summary_of: listed.map_or_else(Vec::new, |list| list.iter().map(line).collect()),
        }
    }

    /// Whether it says of an incident that it fires, or that it is over.
    fn says(&self, incident: i64, over: bool) -> bool {
        if self.summary_of.is_empty() {
            self.incident == incident && (self.status == "resolved") == over
        } else {
            self.summary_of.contains(&(incident, over))
        }
    }
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
                let ids = of_alert(&list, "Always");
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

/// Numbers of the incidents of an alert in a list.
fn of_alert<'a>(list: &'a [Value], alert: &'a str) -> impl Iterator<Item = i64> + 'a {
    list.iter()
        .filter(move |incident| incident["alert"] == alert)
        .filter_map(|incident| incident["id"].as_i64())
}

/// What is scraped, probed and paged: on one port.
fn outside(memory: Memory, jobs_fail: Arc<AtomicBool>, clock: Arc<dyn Clock>) -> Router {
    let requests = Arc::new(AtomicU64::new(0));
    let scraped_at = clock.clone();
    let expose = move || async move {
        let count = requests.fetch_add(1, Ordering::Relaxed);
        let now = scraped_at.monotonic();
        let run = now.as_secs() / JOB_EVERY.as_secs();
        let since = now - JOB_EVERY * run as u32;
        let fails = since < JOB_FAILS_FOR && jobs_fail.load(Ordering::Relaxed);
        let failed = u8::from(fails);
        (
            [(header::CONTENT_TYPE, "text/plain")],
            format!("load_requests_total {count}\njob_failed{{run=\"{run}\"}} {failed}\n"),
        )
    };
    let take = move |headers: HeaderMap, body: String| async move {
        let page = Arrived::read(&headers, &body, clock.monotonic());
        memory.lock().unwrap().pages.push(page);
        clock.sleep(PAGER_ANSWERS_AFTER).await;
    };
    Router::new()
        .route("/metrics", get(expose))
        .route("/ready", get(|| async { "ok" }))
        .route("/page", post(take))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_lose_nothing() {
    let memory = Memory::default();
    let world = World::real().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outside_port = listener.local_addr().unwrap().port();
    let jobs_fail = Arc::new(AtomicBool::new(true));
    let serving = serve(
        listener,
        outside(memory.clone(), jobs_fail.clone(), world.clock.clone()),
        ServeOptions::default(),
        std::future::pending(),
    );
    let test = kill_again_and_again(world, outside_port, &memory, &jobs_fail);
    tokio::select! {
        biased;
        () = test => {}
        _ = serving => unreachable!("it serves for ever"),
    }
}

fn kills_wanted() -> u64 {
    let told = std::env::var("BELFRY_KILLS").ok();
    told.map_or(KILLS, |text| {
        text.parse().expect("BELFRY_KILLS is a number")
    })
}

async fn kill_again_and_again(
    world: World,
    outside_port: u16,
    memory: &Memory,
    jobs_fail: &AtomicBool,
) {
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
    let client = Client {
        world: world.clone(),
        base: format!("http://127.0.0.1:{port}"),
    };
    let entropy = SeededEntropy::new(SEED);
    let kills = kills_wanted();
    let mut slowest = Duration::ZERO;
    for life in 1..=kills {
        let program = Program::start(folder, port);
        // Load begins before the program answers, and some kills come while it still starts.
        let while_starting = life % 5 == 0;
        let moment = Duration::from_millis(if while_starting {
            40 + entropy.below(200)
        } else {
            150 + entropy.below(1_000)
        });
        let killed = async {
            if !while_starting {
                slowest = slowest.max(client.started(folder).await);
            }
            if life % 2 == 0 {
                // The next page decides, if one comes in time.
                let _ = world::timeout(moment, next_page(&world, memory)).await;
            } else {
                world.clock.sleep(moment).await;
            }
            program.kill();
            memory.lock().unwrap().kills.push(world.clock.monotonic());
        };
        tokio::select! {
            biased;
            () = killed => {}
            () = client.send_lines(life, memory) => {}
            () = client.send_lines(life + kills, memory) => {}
            () = client.read_samples(memory) => {}
        }
        if life % 50 == 0 {
            println!("{life} kills");
        }
    }
    jobs_fail.store(false, Ordering::Relaxed);
    let _program = Program::start(folder, port);
    slowest = slowest.max(client.started(folder).await);
    check(&client, memory).await;
    let summary = check_pages(&client, memory).await;
    let remembered = memory.lock().unwrap();
    println!(
        "{} lines and {} samples survived {kills} kills; {summary}; the slowest start took {slowest:?}",
        remembered.lines.values().map(BTreeSet::len).sum::<usize>(),
        remembered.samples.len(),
    );
}

/// Waits until another page is with the pager.
async fn next_page(world: &World, memory: &Memory) {
    let count = || memory.lock().unwrap().pages.len();
    let before = count();
    while count() == before {
        world.clock.sleep(Duration::from_millis(2)).await;
    }
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
    let list = list.as_array().unwrap();
    let ids: Vec<i64> = of_alert(list, "Always").collect();
    assert_eq!(
        ids.len(),
        1,
        "one continuous firing is one incident: {ids:?}"
    );
    let of_it = list.iter().find(|own| own["id"] == ids[0]).unwrap();
    assert_eq!(of_it["state"], "open");
    let memory = memory.lock().unwrap();
    assert_eq!(
        memory.incidents,
        BTreeSet::from_iter(ids),
        "and never was another"
    );
    let own = memory.pages.iter().filter(|page| page.alert == "Always");
    let levels: BTreeMap<&str, i64> = own.map(|page| (page.key.as_str(), page.level)).collect();
    let mut levels: Vec<i64> = levels.into_values().collect();
    levels.sort_unstable();
    assert_eq!(levels, [1, 2, 3], "each level once, by its key");
}

/// Each incident that came and went was told, its end was told once and last, and what came twice was under way at a kill.
async fn check_pages(client: &Client, memory: &Memory) -> String {
    let mut last = String::new();
    let clock = &client.world.clock;
    let from = clock.monotonic();
    let ids = loop {
        let list = client
            .get("/api/belfry/v1/incidents?state=all")
            .await
            .unwrap();
        let list = list.as_array().unwrap();
        let open = list
            .iter()
            .any(|own| own["alert"] == "JobFailed" && own["state"] != "resolved");
        let ids: Vec<i64> = of_alert(list, "JobFailed").collect();
        let untold = untold(&memory.lock().unwrap().pages, &ids);
        if untold.is_empty() && !open {
            break ids;
        }
        if clock.monotonic() - from > SETTLED_WITHIN {
            let first = untold.first().map_or(0, |(id, _)| *id);
            let path = format!("/api/belfry/v1/incidents/{first}");
            last = client.get(&path).await.unwrap_or_default().to_string();
        }
        assert!(
            last.is_empty(),
            "lost: {untold:?}, open: {open}; the first: {last}"
        );
        clock.sleep(Duration::from_millis(200)).await;
    };
    assert!(ids.len() >= 3, "incidents came and went: {ids:?}");
    let memory = memory.lock().unwrap();
    let mut ends: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for id in &ids {
        let over = memory.pages.iter().filter(|page| page.says(*id, true));
        ends.insert(*id, over.map(|page| page.key.as_str()).collect());
        let ended = memory
            .pages
            .iter()
            .position(|page| page.says(*id, true))
            .unwrap();
        let late = memory.pages[ended..]
            .iter()
            .find(|page| page.says(*id, false));
        let late = late.map(|page| &page.key);
        assert_eq!(late, None, "incident {id} fires after its end");
    }
    ends.retain(|_, keys| keys.len() != 1);
    assert!(ends.is_empty(), "exactly one end each: {ends:?}");
    let mut by_key: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for page in &memory.pages {
        by_key.entry(&page.key).or_default().push(page.at);
    }
    for (key, times) in &by_key {
        for pair in times.windows(2) {
            let killed = |at: &Duration| pair[0] <= *at && *at <= pair[0] + IN_FLIGHT;
            let was_killed = memory.kills.iter().any(killed);
            assert!(
                was_killed,
                "{key} came twice without a kill in between: {times:?}"
            );
        }
    }
    let twice = memory.pages.len() - by_key.len();
    assert!(twice <= memory.kills.len(), "{twice} pages came again");
    format!(
        "{} incidents, {} pages, {twice} of them again after a kill",
        ids.len(),
        memory.pages.len()
    )
}

/// Incidents of which the beginning (`false`) or the end (`true`) did not arrive.
fn untold(pages: &[Arrived], ids: &[i64]) -> Vec<(i64, bool)> {
    let sides = ids.iter().flat_map(|id| [(*id, false), (*id, true)]);
    sides
        .filter(|(id, over)| !pages.iter().any(|page| page.says(*id, *over)))
        .collect()
}
