//! A machine with the QR service, a Belfry and the people that it pages.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use model::Timestamp;
use monitor::app::{App, Config};
use monitor::incident::SqliteIncidents;
use monitor::self_metrics::SelfMetrics;
use serde_json::Value;
use telemetry::log::Logger;
use tokio::task::JoinHandle;
use world::inbound::PeerAddr;
use world::sim::{SimNet, SimWorld};
use world::{Disk, HttpError, HttpRequest, HttpResponse};

use crate::receiver::Inbox;
use crate::traffic;

const SERVICE: &str = "127.0.0.1:8765";
const BELFRY: &str = "127.0.0.1:9765";

/// Monday, 2026-11-23 09:00:00 UTC.
const EPOCH_SECONDS: u64 = 1_795_424_400;

const CONTACTS: &str = r"
format: 1
people:
  - name: ada
    roles: [on-call]
    channels: [{type: webhook, url: 'http://receiver.test:80/ada'}]
  - name: lea
    roles: [team-lead]
    channels: [{type: webhook, url: 'http://receiver.test:80/lea'}]
  - name: max
    roles: [management]
    channels: [{type: webhook, url: 'http://receiver.test:80/max'}]
";

/// What a scene is made of.
#[derive(Copy, Clone, Debug)]
pub struct SceneOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// Whether users send requests.
    pub traffic: bool,
}

/// Both programs in one simulated world.
pub struct Scene {
    /// Time, disk and network.
    pub sim: SimWorld,
    /// Where pages arrive.
    pub inbox: Inbox,
    started: Timestamp,
    service: qr_service::App,
    service_router: Router,
    belfry: Option<Arc<App>>,
    incidents: PathBuf,
    /// SQLite forgets a shared database in memory with its last connection; this one outlives Belfry's restarts.
    _incidents_keeper: SqliteIncidents,
    traffic: Option<JoinHandle<()>>,
}

impl Scene {
    /// Starts both programs and, if wanted, users. Call in a runtime with one thread and a paused clock.
    ///
    /// # Panics
    /// When a program does not start: every scene begins with a working machine.
    pub async fn start(options: SceneOptions) -> Scene {
        let sim = SimWorld::new(
            options.seed,
            SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH_SECONDS),
        );
        let world = sim.world();
        let inbox = Inbox::plug_in(&sim.net, world.clock.clone());
        write_file(
            &*world.disk,
            "plan.yaml",
            include_str!("../../../plans/qr-service.yaml"),
        );
        write_file(&*world.disk, "contacts.yaml", CONTACTS);
        let config = qr_service::Config {
            faults: true,
            ..qr_service::Config::default()
        };
        let (service, service_router) = qr_service::app(world.clone(), config, Vec::new())
            .await
            .expect("the service starts");
        plug_in(&sim.net, SERVICE, service_router.clone());
        let incidents = PathBuf::from(format!(
            "file:sim-{:p}?mode=memory&cache=shared",
            Arc::as_ptr(&sim.clock)
        ));
        let keeper = SqliteIncidents::open(&incidents).expect("SQLite has memory");
        let mut scene = Scene {
            started: Timestamp::from(world.clock.now()),
            inbox,
            service,
            service_router,
            belfry: None,
            incidents,
            _incidents_keeper: keeper,
            traffic: None,
            sim,
        };
        scene.start_belfry().await;
        if options.traffic {
            let users = traffic::run(scene.sim.world(), format!("http://{SERVICE}"), options.seed);
            scene.traffic = Some(spawn(users));
        }
        scene
    }

    /// Lets time pass.
    pub async fn pass(&self, length: Duration) {
        self.sim.world().clock.sleep(length).await;
    }

    /// Time since the scene began.
    pub fn elapsed(&self) -> Duration {
        Timestamp::from(self.sim.world().clock.now()).since(self.started)
    }

    /// Minutes and seconds since the scene began, of a time.
    pub fn offset(&self, at: Timestamp) -> Duration {
        at.since(self.started)
    }

    /// Sets the service's faults, as an operator would.
    pub async fn faults(&self, faults: &str) {
        let response = self
            .ask(
                &self.service_router,
                "PUT",
                SERVICE,
                "/admin/faults",
                faults,
            )
            .await;
        assert!(response.0 < 300, "the fault switch answers: {response:?}");
    }

    /// Puts other contacts in force, as an operator would: a new file and a reload.
    pub async fn contacts(&self, text: &str) {
        write_file(&*self.sim.world().disk, "contacts.yaml", text);
        let (status, _) = self.belfry("POST", "/-/reload", "").await;
        assert_eq!(status, 200, "the contacts are accepted");
    }

    /// Asks Belfry.
    pub async fn belfry(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let belfry = self.belfry.as_ref().expect("Belfry runs");
        self.ask(&belfry.router(), method, BELFRY, path, body).await
    }

    /// The one incident of an alert, if there is one; the newest of several.
    pub async fn incident(&self, alert: &str) -> Option<Value> {
        let (_, list) = self
            .belfry("GET", "/api/belfry/v1/incidents?state=all", "")
            .await;
        let id = list
            .as_array()?
            .iter()
            .find(|incident| incident["alert"] == alert)?["id"]
            .as_i64()?;
        Some(
            self.belfry("GET", &format!("/api/belfry/v1/incidents/{id}"), "")
                .await
                .1,
        )
    }

    /// Kills Belfry as `kill -9` would: no drain, no sync.
    pub async fn kill_belfry(&mut self) {
        if let Some(belfry) = self.belfry.take() {
            belfry.abort().await;
        }
    }

    /// Starts Belfry over what the last one left on the disk.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_belfry(&mut self) {
        let config = Config {
            plan_path: "plan.yaml".into(),
            contacts_path: Some("contacts.yaml".into()),
            data: "belfry".into(),
            listen: BELFRY.parse().expect("a socket address"),
        };
        let incidents = SqliteIncidents::open(&self.incidents).expect("SQLite has memory");
        let environment: monitor::setup::Environment = Arc::new(|_| None);
        let app = App::build_with(
            self.sim.world(),
            config,
            environment,
            Logger::silent(),
            SelfMetrics::new(),
            incidents,
        )
        .await
        .expect("Belfry starts over whatever a crash left");
        app.start().await;
        self.belfry = Some(app);
    }

    /// Takes the service off the network.
    pub fn unplug_service(&self) {
        self.sim.net.unplug(SERVICE);
    }

    /// Puts it back.
    pub fn plug_in_service(&self) {
        plug_in(&self.sim.net, SERVICE, self.service_router.clone());
    }

    /// Ends users and both programs.
    pub async fn stop(mut self) {
        if let Some(traffic) = self.traffic.take() {
            traffic.abort();
        }
        if let Some(belfry) = self.belfry.take() {
            belfry.drain().await;
        }
        self.service.stop().await;
    }

    async fn ask(
        &self,
        router: &Router,
        method: &str,
        host: &str,
        path: &str,
        body: &str,
    ) -> (u16, Value) {
        let mut request = HttpRequest::get(
            &format!("http://{host}{path}"),
            Duration::from_secs(60),
            16 << 20,
        );
        request.method = method.parse().expect("a method");
        request.headers.insert(
            "content-type",
            "application/json".parse().expect("a header value"),
        );
        request.body = body.to_owned().into();
        let response = call(router.clone(), request)
            .await
            .expect("the router answers");
        (
            response.status.as_u16(),
            serde_json::from_slice(&response.body).unwrap_or(Value::Null),
        )
    }
}

fn write_file(disk: &dyn Disk, path: &str, text: &str) {
    world::write_atomically(disk, Path::new(path), text.as_bytes())
        .expect("a new simulated disk takes files");
}

fn plug_in(net: &SimNet, authority: &str, router: Router) {
    net.host(authority, move |request| {
        Box::pin(call(router.clone(), request))
    });
}

/// Calls a router as a connection would.
async fn call(router: Router, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let uri: axum::http::Uri = request
        .url
        .parse()
        .map_err(|_| HttpError::BadRequest(request.url.clone()))?;
    let mut built = Request::new(Body::from(request.body));
    *built.method_mut() = request.method;
    *built.headers_mut() = request.headers;
    let host = uri
        .authority()
        .map(|authority| authority.as_str().to_owned())
        .unwrap_or_default();
    built.headers_mut().insert(
        "host",
        host.parse()
            .map_err(|_| HttpError::BadRequest(host.clone()))?,
    );
    *built.uri_mut() = uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .parse()
        .expect("a path is a URI");
    built
        .extensions_mut()
        .insert(PeerAddr(SocketAddr::from(([127, 0, 0, 1], 40_000))));
    let response = tower::ServiceExt::oneshot(router, built)
        .await
        .unwrap_or_else(|never| match never {});
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20)
        .await
        .map_err(|error| HttpError::Broken(error.to_string()))?;
    Ok(HttpResponse {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "users are not one of the programs' tasks"
)]
fn spawn(users: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(users)
}
