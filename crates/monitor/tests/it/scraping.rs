//! Scraping: a scrape is whole or it failed with a reason; what vanished is stale.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use model::{Labels, Timestamp};
use monitor::metrics::{EmbeddedMetrics, MetricsBackend};
use monitor::scrape::{ScrapeBoard, Scraper, TargetHealth, TargetStatus};
use monitor::self_metrics::SelfMetrics;
use plan::{Location, Target};
use promql::Value;
use telemetry::Format;
use tokio::net::TcpListener;
use world::inbound::{ServeOptions, serve};
use world::sim::SimWorld;
use world::{HttpError, HttpResponse, World};

use super::harness::{answer, epoch, own_metric};

const TEXT: &str = "text/plain; version=0.0.4";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";
const SAMPLE_LIMIT: usize = 5;

/// One scraper with a store of its own.
struct Bench {
    sim: SimWorld,
    backend: Arc<EmbeddedMetrics>,
    board: Arc<ScrapeBoard>,
    metrics: Arc<SelfMetrics>,
    scraper: Scraper,
    at: Timestamp,
}

impl Bench {
    fn new() -> Bench {
        let sim = SimWorld::new(3, epoch());
        let world = sim.world();
        Bench::over(sim, world, "http://shop.test:80/metrics")
    }

    fn over(sim: SimWorld, world: World, url: &str) -> Bench {
        let retention = Duration::from_secs(3600);
        // Samples are kept in the simulated world whatever the network is.
        let (backend, _) =
            EmbeddedMetrics::open(&sim.world(), Path::new("metrics"), retention).unwrap();
        let (backend, board, metrics) = (
            Arc::new(backend),
            Arc::new(ScrapeBoard::default()),
            Arc::new(SelfMetrics::new()),
        );
        let target = Target {
            job: "shop".to_owned(),
            instance: "shop.test:80".to_owned(),
            url: url.to_owned(),
            interval: Duration::from_secs(15),
            timeout: Duration::from_secs(5),
            sample_limit: SAMPLE_LIMIT,
            service: None,
            at: Location::default(),
        };
        let scraper = Scraper::new(
            target,
            world,
            backend.clone(),
            board.clone(),
            metrics.clone(),
        );
        Bench {
            sim,
            backend,
            board,
            metrics,
            scraper,
            at: Timestamp::from(epoch()),
        }
    }

    /// What the target answers from now on.
    fn serves(&self, response: Result<HttpResponse, HttpError>) {
        self.sim.net.host("shop.test:80", move |_| {
            let response = response.clone();
            Box::pin(async move { response })
        });
    }

    /// One scrape, 15 s after the last.
    async fn scrape(&mut self) -> TargetStatus {
        self.at = self.at + Duration::from_secs(15);
        self.scraper.scrape_once(self.at).await;
        self.board.targets().remove(0)
    }

    /// All series of a query at the time of the last scrape: `{labels} value`, in order, without what scrapes add.
    async fn query(&self, query: &str) -> Vec<String> {
        let expr = Arc::new(promql::parse(query).unwrap());
        let Value::Vector(samples) = self.backend.query(expr, self.at).await.unwrap().value else {
            panic!("{query} is an instant vector");
        };
        let shown = |labels: &Labels| labels.without("job").without("instance").to_string();
        let mut lines: Vec<String> = samples
            .iter()
            .map(|sample| format!("{} {}", shown(&sample.labels), sample.value))
            .collect();
        lines.sort();
        lines
    }

    fn own(&self, series: &str) -> f64 {
        own_metric(&self.metrics.registry.render(Format::Text004), series)
    }
}

/// After a good scrape with `kept`, this answer fails for this reason with these words; nothing of it is stored, `kept` is
/// stale and `up` is 0.
async fn fails(response: Result<HttpResponse, HttpError>, reason: &str, words: &str) {
    let mut bench = Bench::new();
    bench.serves(Ok(answer(200, TEXT, "kept 1\n")));
    assert_eq!(bench.scrape().await.health, TargetHealth::Up);
    assert_eq!(bench.query("kept").await, ["kept 1"]);
    bench.serves(response);
    let status = bench.scrape().await;
    let error = status.last_error.unwrap_or_default();
    assert_eq!(status.health, TargetHealth::Down, "{reason}");
    assert!(error.contains(words), "{reason}: `{error}`");
    assert_eq!(bench.query("up").await, ["up 0"], "{reason}");
    assert_eq!(
        bench.query("{__name__=~\"kept|x.*\"}").await,
        [""; 0],
        "{reason}: nothing of it is stored"
    );
    assert_eq!(
        bench.query("scrape_samples_scraped").await,
        ["scrape_samples_scraped 0"],
        "{reason}"
    );
    assert_eq!(
        bench.own(&format!(
            "belfry_scrape_failures_total{{reason=\"{reason}\"}}"
        )),
        1.0,
        "{reason}"
    );
    assert_eq!(bench.own("belfry_scrape_iterations_total"), 1.0, "{reason}");
    // And it recovers.
    bench.serves(Ok(answer(200, TEXT, "kept 2\n")));
    assert_eq!(bench.scrape().await.health, TargetHealth::Up, "{reason}");
    assert_eq!(bench.query("kept").await, ["kept 2"], "{reason}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_whole_fails() {
    let many: String = (0..=SAMPLE_LIMIT).map(|n| format!("x{n} 1\n")).collect();
    let cases: [(Result<HttpResponse, HttpError>, &str, &str); 15] = [
        (
            Ok(answer(200, TEXT, "x1 1\nx2 one\n")),
            "malformed",
            "line 2: `one` is not a number",
        ),
        (
            Ok(answer(200, TEXT, "x1 1\nx2{a=\"b} 1\n")),
            "malformed",
            "line 2",
        ),
        (
            Ok(answer(200, TEXT, "x1{a=\"1\",a=\"2\"} 1\n")),
            "malformed",
            "line 1",
        ),
        (
            Ok(answer(200, TEXT, b"x1 1\nx2{a=\"\xff\"} 1\n".to_vec())),
            "malformed",
            "not UTF-8",
        ),
        (
            Ok(answer(200, OPEN_METRICS, "x1 1\n")),
            "malformed",
            "must end in `# EOF`",
        ),
        (
            Ok(answer(200, OPEN_METRICS, "x1 1\n# EOF\nx2 1\n")),
            "malformed",
            "after `# EOF`",
        ),
        (
            Ok(answer(200, TEXT, many)),
            "sample_limit",
            "exposes 6 samples, more than its limit of 5",
        ),
        (
            Ok(answer(200, TEXT, "x".repeat((32 << 20) + 1))),
            "too_large",
            "larger than",
        ),
        (
            Ok(answer(200, "application/json", "{}")),
            "content_type",
            "`application/json` is neither",
        ),
        (
            Ok(answer(200, "text/html", "x1 1\n")),
            "content_type",
            "`text/html` is neither",
        ),
        (Ok(answer(500, TEXT, "x1 1\n")), "status", "answered 500"),
        (Ok(answer(404, TEXT, "")), "status", "answered 404"),
        (Ok(answer(302, TEXT, "")), "status", "answered 302"),
        (
            Err(HttpError::Connect("refused".to_owned())),
            "connect",
            "cannot connect",
        ),
        (
            Err(HttpError::Broken("reset".to_owned())),
            "broken",
            "broke",
        ),
    ];
    for (response, reason, words) in cases {
        fails(response, reason, words).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_target_times_out() {
    let mut bench = Bench::new();
    let clock = bench.sim.world().clock;
    bench.sim.net.host("shop.test:80", move |_| {
        let clock = clock.clone();
        Box::pin(async move {
            clock.sleep(Duration::from_secs(6)).await;
            Ok(answer(200, TEXT, "x1 1\n"))
        })
    });
    let status = bench.scrape().await;
    assert_eq!(
        status.last_error.as_deref(),
        Some("no answer within 5000 ms")
    );
    assert_eq!(status.duration, Duration::from_secs(5));
    assert_eq!(
        bench.own("belfry_scrape_failures_total{reason=\"timeout\"}"),
        1.0
    );
    assert_eq!(bench.query("up").await, ["up 0"]);
    assert_eq!(
        bench.query("scrape_duration_seconds").await,
        ["scrape_duration_seconds 5"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_there_is_down() {
    let mut bench = Bench::new();
    assert_eq!(bench.scrape().await.health, TargetHealth::Down);
    assert_eq!(
        bench.own("belfry_scrape_failures_total{reason=\"connect\"}"),
        1.0
    );
}

/// A series that one scrape lacks ends there: no query shows its last value for five more minutes.
#[tokio::test(start_paused = true)]
async fn vanished_series_are_stale_at_once() {
    let mut bench = Bench::new();
    let steps = [
        (
            "x{a=\"1\"} 1\nx{a=\"2\"} 2\n",
            vec!["x{a=\"1\"} 1", "x{a=\"2\"} 2"],
        ),
        ("x{a=\"2\"} 3\n", vec!["x{a=\"2\"} 3"]),
        // Written otherwise it is the same series.
        ("x{ a = \"2\" , } 4\n", vec!["x{a=\"2\"} 4"]),
        (
            "x{a=\"1\"} 5\nx{a=\"2\"} 6\n",
            vec!["x{a=\"1\"} 5", "x{a=\"2\"} 6"],
        ),
        ("", vec![]),
        ("x{a=\"2\"} 7\n", vec!["x{a=\"2\"} 7"]),
    ];
    for (body, expect) in steps {
        bench.serves(Ok(answer(200, TEXT, body)));
        assert_eq!(bench.scrape().await.health, TargetHealth::Up, "{body}");
        assert_eq!(bench.query("x").await, expect, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn labels_of_the_target_win_and_its_own_are_kept() {
    let mut bench = Bench::new();
    let body = "x{job=\"inner\",instance=\"one\",a=\"b\"} 1\n";
    bench.serves(Ok(answer(200, TEXT, body)));
    bench.scrape().await;
    let expect = "x{a=\"b\", exported_instance=\"one\", exported_job=\"inner\"} 1";
    assert_eq!(
        bench
            .query("x{job=\"shop\",instance=\"shop.test:80\"}")
            .await,
        [expect]
    );
}

#[tokio::test(start_paused = true)]
async fn both_formats_are_read() {
    let mut bench = Bench::new();
    let open = "# TYPE x counter\n# UNIT y seconds\nx_total{a=\"b\"} 5 # {id=\"7\"} 1\ny_seconds 1.5\n# EOF\n";
    bench.serves(Ok(answer(200, OPEN_METRICS, open)));
    let status = bench.scrape().await;
    assert_eq!(
        (status.health, status.samples),
        (TargetHealth::Up, 2),
        "{:?}",
        status.last_error
    );
    assert_eq!(
        bench.query("{__name__=~\"x.*|y.*\"}").await,
        ["x_total{a=\"b\"} 5", "y_seconds 1.5"]
    );
    assert!(status.names.contains("x_total"), "{:?}", status.names);
    bench.serves(Ok(answer(
        200,
        TEXT,
        "# TYPE x counter\nx_total{a=\"b\"} 6 1795424429000\nn NaN\ni +Inf\n",
    )));
    assert_eq!(bench.scrape().await.samples, 3);
    assert_eq!(bench.query("x_total").await, ["x_total{a=\"b\"} 6"]);
    assert_eq!(
        bench.query("n").await,
        ["n NaN"],
        "an ordinary NaN is a value"
    );
    assert_eq!(bench.query("i").await, ["i inf"]);
    assert_eq!(
        bench.own("belfry_scrape_samples_total"),
        2.0 + 3.0 + 3.0 + 1.0 + 3.0,
        "samples, a marker, three of its own each"
    );
}

/// Compression is the real client's matter, so this one goes over a real socket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_answer_is_read() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(b"x{a=\"b\"} 1\n").unwrap();
    let packed = packer.finish().unwrap();
    let headers = [
        (header::CONTENT_TYPE, TEXT),
        (header::CONTENT_ENCODING, "gzip"),
    ];
    let router = Router::new().route("/metrics", get(move || async move { (headers, packed) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let mut bench = Bench::over(SimWorld::new(3, epoch()), World::real().unwrap(), &url);
    let scraping = bench.scrape();
    let serving = serve(
        listener,
        router,
        ServeOptions::default(),
        std::future::pending(),
    );
    let status = tokio::select! {
        biased;
        status = scraping => status,
        _ = serving => panic!("the server ended"),
    };
    assert_eq!(status.health, TargetHealth::Up, "{:?}", status.last_error);
    assert_eq!(bench.query("x").await, ["x{a=\"b\"} 1"]);
}
