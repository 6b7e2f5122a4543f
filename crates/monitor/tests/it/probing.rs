//! Probes: what an answer means, as samples and on the board, and when nothing is known any more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use monitor::metrics::{EmbeddedMetrics, MetricsBackend, Recorder};
use monitor::probe::{ProbeBoard, Prober};
use monitor::self_metrics::SelfMetrics;
use plan::{Location, Probe, ProbeKind};
use promql::Value;
use world::sim::SimWorld;
use world::{HttpError, HttpResponse};

use super::harness::{answer, epoch};

const HEALTH: &str = "application/health+json";

struct Bench {
    sim: SimWorld,
    backend: Arc<EmbeddedMetrics>,
    prober: Prober,
    at: Timestamp,
}

impl Bench {
    fn new() -> Bench {
        let sim = SimWorld::new(3, epoch());
        let retention = Duration::from_secs(3600);
        let (backend, _) =
            EmbeddedMetrics::open(&sim.world(), Path::new("metrics"), retention).unwrap();
        let backend = Arc::new(backend);
        let probe = Probe {
            name: "door".to_owned(),
            kind: ProbeKind::Readiness,
            url: "http://shop.test:80/ready".to_owned(),
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            dependencies: Vec::new(),
            service: None,
            at: Location::default(),
        };
        let prober = Prober {
            probe,
            world: sim.world(),
            recorder: Arc::new(Recorder::new(backend.clone())),
            board: Arc::new(ProbeBoard::default()),
            metrics: Arc::new(SelfMetrics::new()),
        };
        Bench {
            sim,
            backend,
            prober,
            at: Timestamp::from(epoch()),
        }
    }

    async fn probe(&mut self, response: Result<HttpResponse, HttpError>) {
        self.sim.net.host("shop.test:80", move |_| {
            let response = response.clone();
            Box::pin(async move { response })
        });
        self.at = self.at + Duration::from_secs(10);
        self.prober.probe_once(self.at).await;
    }

    /// `state http_status "output" dependency=verdict…`
    fn shown(&self) -> String {
        let status = self.prober.board.probes().remove(0);
        let code = status
            .http_status
            .map_or("-".to_owned(), |code| code.to_string());
        let dependencies = status
            .dependencies
            .iter()
            .map(|own| format!(" {}={}", own.name, own.verdict.as_str()));
        format!(
            "{} {code} {:?}{}",
            status.state(self.at).as_str(),
            status.output,
            dependencies.collect::<String>()
        )
    }

    async fn value(&self, query: &str) -> Option<f64> {
        let expr = Arc::new(promql::parse(query).unwrap());
        match self.backend.query(expr, self.at).await.unwrap().value {
            Value::Vector(samples) => samples.first().map(|sample| sample.value),
            other => panic!("{query}: {other:?}"),
        }
    }
}

/// What comes, how it is shown, and the values of success, status code and the database.
type Case<'a> = (
    Result<HttpResponse, HttpError>,
    &'a str,
    f64,
    f64,
    Option<f64>,
);

#[tokio::test(start_paused = true)]
async fn answers_mean_this() {
    let sick = r#"{"status":"fail","checks":{"database:ping":[{"status":"fail","output":"gone"}],"cache:size":[{"status":"pass"}]}}"#;
    let cases: [Case; 9] = [
        (
            Ok(answer(200, "text/plain", "ok")),
            "pass 200 \"\"",
            1.0,
            200.0,
            None,
        ),
        (
            Ok(answer(200, HEALTH, r#"{"status":"pass"}"#)),
            "pass 200 \"\"",
            1.0,
            200.0,
            None,
        ),
        (
            Ok(answer(200, HEALTH, r#"{"status":"warn","output":"slow"}"#)),
            "warn 200 \"slow\"",
            1.0,
            200.0,
            None,
        ),
        (
            Ok(answer(200, HEALTH, r#"{"status":"fail"}"#)),
            "fail 200 \"\"",
            0.0,
            200.0,
            None,
        ),
        (
            Ok(answer(503, HEALTH, sick)),
            "fail 503 \"answered 503\" cache=pass database=fail",
            0.0,
            503.0,
            Some(0.0),
        ),
        (
            Ok(answer(
                200,
                HEALTH,
                r#"{"status":"pass","checks":{"database:ping":[{"status":"warn"}]}}"#,
            )),
            "pass 200 \"\" database=warn",
            1.0,
            200.0,
            Some(1.0),
        ),
        (
            Ok(answer(200, HEALTH, r#"{"status":"pa"#)),
            "pass 200 \"\"",
            1.0,
            200.0,
            None,
        ),
        (
            Ok(answer(404, "text/plain", "no")),
            "fail 404 \"answered 404\"",
            0.0,
            404.0,
            None,
        ),
        (
            Err(HttpError::Connect("refused".to_owned())),
            "fail - \"cannot connect: refused\"",
            0.0,
            0.0,
            None,
        ),
    ];
    for (response, shown, success, code, database) in cases {
        let mut bench = Bench::new();
        bench.probe(response).await;
        assert_eq!(bench.shown(), shown);
        assert_eq!(
            bench
                .value("probe_success{probe=\"door\",kind=\"readiness\"}")
                .await,
            Some(success),
            "{shown}"
        );
        assert_eq!(
            bench.value("probe_http_status_code").await,
            Some(code),
            "{shown}"
        );
        assert_eq!(
            bench
                .value("probe_dependency_up{dependency=\"database\"}")
                .await,
            database,
            "{shown}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_service_fails_after_the_timeout() {
    let mut bench = Bench::new();
    bench
        .sim
        .net
        .host("shop.test:80", |_| Box::pin(std::future::pending()));
    bench.at = bench.at + Duration::from_secs(10);
    bench.prober.probe_once(bench.at).await;
    assert_eq!(bench.shown(), "fail - \"no answer within 5000 ms\"");
    assert_eq!(bench.value("probe_duration_seconds").await, Some(5.0));
}

/// The last green is never shown as if it were now.
#[tokio::test(start_paused = true)]
async fn unknown_after_three_intervals() {
    let mut bench = Bench::new();
    bench
        .probe(Ok(answer(200, HEALTH, r#"{"status":"pass"}"#)))
        .await;
    let last = bench.at;
    for (seconds, state) in [
        (0, "pass"),
        (10, "pass"),
        (30, "pass"),
        (31, "unknown"),
        (3600, "unknown"),
    ] {
        bench.at = last + Duration::from_secs(seconds);
        assert!(
            bench.shown().starts_with(state),
            "after {seconds} s: {}",
            bench.shown()
        );
    }
    bench.probe(Ok(answer(503, "text/plain", ""))).await;
    assert!(bench.shown().starts_with("fail"));
    let recent: Vec<bool> = bench.prober.board.probes()[0]
        .recent
        .iter()
        .map(|(_, ok)| *ok)
        .collect();
    assert_eq!(recent, [true, false]);
}

/// The board is bounded; the store has the rest.
#[tokio::test(start_paused = true)]
async fn only_the_last_sixty_outcomes_are_kept() {
    let mut bench = Bench::new();
    for number in 0..70 {
        let status = if number < 65 { 200 } else { 503 };
        bench.probe(Ok(answer(status, "text/plain", ""))).await;
    }
    let recent = &bench.prober.board.probes()[0].recent;
    assert_eq!(recent.len(), 60);
    assert_eq!(recent.iter().filter(|(_, ok)| !ok).count(), 5);
}
