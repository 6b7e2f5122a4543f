//! A whole Belfry over a folder of its own: real files, simulated time, a simulated network; asked without a socket.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use monitor::app::{App, Config, StartError};
use monitor::incident::{IncidentStore, SqliteIncidents};
use monitor::self_metrics::SelfMetrics;
use serde_json::Value;
use telemetry::log::Logger;
use tempfile::TempDir;
use tower::ServiceExt;
use world::sim::{SimNet, SimWorld};
use world::{HttpRequest, HttpResponse, OsDisk, World};

/// 2026-11-23T09:00:00Z
pub(crate) const EPOCH_SECONDS: u64 = 1_795_424_400;

pub(crate) const HOST: &str = "127.0.0.1:9765";

/// A plan of a service that nobody has heard of.
pub(crate) const PLAN: &str = include_str!("plan.yaml");

const CONTACTS: &str = "
format: 1
people:
  - name: ada
    roles: [on-call]
    channels: [{type: webhook, url: 'http://pager.test:80/ada'}]
  - name: lea
    roles: [team-lead]
    channels: [{type: webhook, url: 'http://pager.test:80/lea'}]
";

pub(crate) fn epoch() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(EPOCH_SECONDS)
}

/// A simulated world over the machine's files.
pub(crate) fn world_over_files(sim: &SimWorld) -> World {
    World {
        disk: Arc::new(OsDisk),
        ..sim.world()
    }
}

/// A Belfry that watches one shop.
pub(crate) struct Belfry {
    pub(crate) sim: SimWorld,
    pub(crate) folder: TempDir,
    /// What the shop exposes; empty text: it answers 500.
    exposed: Arc<Mutex<String>>,
    /// Bodies that the pager took.
    pages: Arc<Mutex<Vec<Value>>>,
    app: Option<Arc<App>>,
    router: Router,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    /// Panics unless this is problem details of this status; returns its detail.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{status}: {}",
            self.body
        );
        let body = self.json();
        assert_eq!(body["status"], status, "{body}");
        assert!(
            body["title"].is_string() && body["type"].is_string(),
            "{body}"
        );
        body["detail"].as_str().expect("a detail").to_owned()
    }
}

impl Belfry {
    /// A Belfry that runs [`PLAN`].
    pub(crate) async fn start() -> Belfry {
        Belfry::start_with(PLAN, |_| {}, in_folder).await
    }

    pub(crate) async fn start_with<S: IncidentStore + 'static>(
        plan: &str,
        change: impl FnOnce(&mut World),
        incidents: impl FnOnce(&TempDir) -> S,
    ) -> Belfry {
        let folder = tempfile::tempdir().unwrap();
        let sim = SimWorld::new(5, epoch());
        let exposed = Arc::new(Mutex::new("orders_total 1\nstock 5\n".to_owned()));
        let pages = Arc::new(Mutex::new(Vec::new()));
        plug_in_shop(&sim.net, exposed.clone());
        plug_in_pager(&sim.net, pages.clone());
        write(&folder, "plan.yaml", &with_folder(plan, &folder));
        write(&folder, "contacts.yaml", CONTACTS);
        let mut world = world_over_files(&sim);
        change(&mut world);
        let store = incidents(&folder);
        let app = started(world, &folder, store).await;
        let router = app.router();
        Belfry {
            sim,
            folder,
            exposed,
            pages,
            app: Some(app),
            router,
        }
    }

    /// Tries to start over a folder with this plan, as the binary does.
    pub(crate) async fn try_start(plan: &str, contacts: &str) -> Result<Arc<App>, StartError> {
        let folder = tempfile::tempdir().unwrap();
        let sim = SimWorld::new(5, epoch());
        write(&folder, "plan.yaml", plan);
        write(&folder, "contacts.yaml", contacts);
        App::build(
            world_over_files(&sim),
            config(&folder),
            Arc::new(environment),
            Logger::silent(),
            SelfMetrics::new(),
        )
        .await
    }

    /// Lets programs of the simulated network ask this Belfry at its own address.
    pub(crate) fn answer_the_network(&self) {
        let router = self.router.clone();
        self.sim.net.host(HOST, move |request: HttpRequest| {
            let router = router.clone();
            Box::pin(async move {
                let mut asked = Request::builder()
                    .method(request.method)
                    .uri(&request.url)
                    .header(header::HOST, HOST);
                for (name, value) in &request.headers {
                    asked = asked.header(name, value);
                }
                let asked = asked.body(Body::from(request.body)).unwrap();
                let (head, body) = router.oneshot(asked).await.unwrap().into_parts();
                Ok(HttpResponse {
                    status: head.status,
                    headers: head.headers,
                    body: to_bytes(body, usize::MAX).await.unwrap(),
                })
            })
        });
    }

    /// Ends it as a kill would, and starts it again over the same folder.
    pub(crate) async fn kill_and_start(&mut self) {
        let killed = self.app.take().expect("it runs");
        killed.abort().await;
        self.router = Router::new();
        drop(killed);
        let world = world_over_files(&self.sim);
        let app = started(world, &self.folder, in_folder(&self.folder)).await;
        self.router = app.router();
        self.app = Some(app);
    }

    /// The same, for whoever owns it.
    pub(crate) async fn restart(mut self) -> Belfry {
        self.kill_and_start().await;
        self
    }

    /// Pages that arrived, whole.
    pub(crate) fn pages_whole(&self) -> Vec<Value> {
        self.pages.lock().unwrap().clone()
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.sim
            .world()
            .clock
            .sleep(Duration::from_secs(seconds))
            .await;
    }

    /// What the shop exposes from now on.
    pub(crate) fn expose(&self, text: &str) {
        *self.exposed.lock().unwrap() = text.to_owned();
    }

    /// Replaces the plan's file.
    pub(crate) fn write_plan(&self, plan: &str) {
        write(&self.folder, "plan.yaml", &with_folder(plan, &self.folder));
    }

    /// Replaces the contacts' file.
    pub(crate) fn write_contacts(&self, contacts: &str) {
        write(&self.folder, "contacts.yaml", contacts);
    }

    /// The first page about an alert, whole.
    pub(crate) fn page_of(&self, alert: &str) -> Value {
        let pages = self.pages.lock().unwrap();
        let own = |page: &&Value| page["groupLabels"]["alertname"] == alert;
        pages.iter().find(own).expect("a page").clone()
    }

    /// Pages that arrived: `status alert person level`.
    pub(crate) fn pages(&self) -> Vec<String> {
        let pages = self.pages.lock().unwrap();
        let text = |page: &Value| {
            format!(
                "{} {} {} {}",
                page["status"].as_str().unwrap(),
                page["groupLabels"]["alertname"].as_str().unwrap(),
                page["receiver"].as_str().unwrap(),
                page["incident"]["level"]
            )
        };
        pages.iter().map(text).collect()
    }

    /// `METHOD /path` with a JSON body unless it is empty.
    pub(crate) async fn ask(&self, line: &str, body: &str) -> Answer {
        let kind = if body.is_empty() {
            vec![]
        } else {
            vec![("content-type", "application/json")]
        };
        self.ask_with(line, body, &kind).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask(&format!("GET {path}"), "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    pub(crate) async fn ask_with(
        &self,
        line: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header(header::HOST, HOST);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Belfry's own metric: the value of one series (name with its labels) on `/metrics`.
    pub(crate) async fn own_metric(&self, series: &str) -> f64 {
        let text = self.ask("GET /metrics", "").await.body;
        own_metric(&text, series)
    }
}

async fn started(
    world: World,
    folder: &TempDir,
    incidents: impl IncidentStore + 'static,
) -> Arc<App> {
    let (config, environment) = (config(folder), Arc::new(environment));
    let (log, metrics) = (Logger::silent(), SelfMetrics::new());
    let app = App::build_with(world, config, environment, log, metrics, incidents).await;
    let app = app.unwrap();
    app.start().await;
    app
}

/// The value of one series in a text exposition.
pub(crate) fn own_metric(text: &str, series: &str) -> f64 {
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
        .unwrap_or_else(|| panic!("{series} is not exposed:\n{text}"))
}

/// Incidents in a file of the folder.
pub(crate) fn in_folder(folder: &TempDir) -> SqliteIncidents {
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    SqliteIncidents::open(&folder.path().join("data/incidents.sqlite")).unwrap()
}

/// An answer with a status, a content type and a body.
pub(crate) fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    HttpResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.into().into(),
    }
}

fn plug_in_shop(net: &SimNet, exposed: Arc<Mutex<String>>) {
    net.host("shop.test:80", move |request: HttpRequest| {
        let text = exposed.lock().unwrap().clone();
        Box::pin(async move {
            if request.url.ends_with("/health") {
                return Ok(answer(
                    200,
                    "application/health+json",
                    r#"{"status":"pass","checks":{"database:ping":[{"status":"pass"}]}}"#,
                ));
            }
            let status = if text.is_empty() { 500 } else { 200 };
            Ok(answer(status, "text/plain", text))
        })
    });
}

fn plug_in_pager(net: &SimNet, pages: Arc<Mutex<Vec<Value>>>) {
    net.host("pager.test:80", move |request: HttpRequest| {
        let page = serde_json::from_slice(&request.body).unwrap();
        pages.lock().unwrap().push(page);
        Box::pin(async move { Ok(answer(200, "text/plain", "")) })
    });
}

/// One variable is set, for plans that ask for it.
fn environment(name: &str) -> Option<String> {
    (name == "SHOP_ADDRESS").then(|| "shop.test:80".to_owned())
}

fn config(folder: &TempDir) -> Config {
    Config {
        plan_path: folder.path().join("plan.yaml"),
        contacts_path: Some(folder.path().join("contacts.yaml")),
        data: folder.path().join("data"),
        listen: HOST.parse().unwrap(),
    }
}

fn with_folder(plan: &str, folder: &TempDir) -> String {
    plan.replace("FOLDER", folder.path().to_str().unwrap())
}

pub(crate) fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}
