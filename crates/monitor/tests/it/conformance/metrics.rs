//! The suite of [`MetricsBackend`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, MatchOp, Matcher, Timestamp, stale_marker};
use monitor::metrics::{Appended, BackendError, EmbeddedMetrics, MetricsBackend};
use promql::Value;
use world::World;
use world::sim::SimWorld;

use crate::harness::{epoch, world_over_files};

/// A fresh backend whenever it is called with `true`; the same content again with `false`.
type Open<'a> = &'a mut dyn FnMut(bool) -> Arc<dyn MetricsBackend>;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from(epoch()) + Duration::from_secs(seconds)
}

fn labels(name: &str, a: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("a", a)])
}

async fn put(backend: &dyn MetricsBackend, rows: &[(&str, &str, u64, f64)]) -> Appended {
    let row = |(name, a, seconds, value): &(&str, &str, u64, f64)| {
        (
            backend.resolve(&labels(name, a)).unwrap(),
            at(*seconds),
            *value,
        )
    };
    backend
        .append(rows.iter().map(row).collect())
        .await
        .unwrap()
}

/// `series value` lines of an instant query, sorted.
async fn ask(backend: &dyn MetricsBackend, query: &str, seconds: u64) -> Vec<String> {
    let answer = backend
        .query(Arc::new(promql::parse(query).unwrap()), at(seconds))
        .await
        .unwrap();
    let Value::Vector(samples) = answer.value else {
        panic!("{query}: {:?}", answer.value)
    };
    let mut lines: Vec<String> = samples
        .iter()
        .map(|sample| format!("{} {}", sample.labels, sample.value))
        .collect();
    lines.sort();
    lines
}

async fn conforms(open: Open<'_>) {
    handles_name_series(&*open(true)).await;
    batches_are_accounted_for(&*open(true)).await;
    queries_answer(&*open(true)).await;
    errors_say_what_to_do(&*open(true)).await;
    series_are_found(&*open(true)).await;
    staleness_ends_a_series(&*open(true)).await;
    what_was_appended_survives(open).await;
}

async fn handles_name_series(backend: &dyn MetricsBackend) {
    let first = backend.resolve(&labels("m", "1")).unwrap();
    assert_eq!(
        first,
        backend.resolve(&labels("m", "1")).unwrap(),
        "one series, one handle"
    );
    assert_ne!(first, backend.resolve(&labels("m", "2")).unwrap());
    assert_eq!(
        ask(backend, "m", 0).await,
        [""; 0],
        "a handle is not a sample"
    );
    // A handle holds for as long as the backend, whatever is sealed and forgotten meanwhile.
    backend.append(vec![(first, at(0), 1.0)]).await.unwrap();
    backend.maintain(at(40 * 86_400)).await.unwrap();
    backend.maintain(at(40 * 86_400 + 1)).await.unwrap();
    let late = 40 * 86_400 + 2;
    assert_eq!(
        backend
            .append(vec![(first, at(late), 2.0)])
            .await
            .unwrap()
            .stored,
        1
    );
    assert_eq!(ask(backend, "m", late).await, ["m{a=\"1\"} 2"]);
}

async fn batches_are_accounted_for(backend: &dyn MetricsBackend) {
    let appended = |stored, refused| Appended { stored, refused };
    assert_eq!(put(backend, &[]).await, appended(0, 0));
    assert_eq!(
        put(backend, &[("m", "1", 10, 1.0), ("m", "2", 10, 2.0)]).await,
        appended(2, 0)
    );
    // Older than the newest, and another value at the same time; the others of the batch are stored.
    let mixed = [("m", "1", 9, 5.0), ("m", "2", 10, 5.0), ("m", "3", 10, 3.0)];
    assert_eq!(put(backend, &mixed).await, appended(1, 2));
    assert_eq!(
        put(backend, &[("m", "1", 10, 1.0)]).await.refused,
        0,
        "the same again is no conflict"
    );
    assert_eq!(
        ask(backend, "m", 10).await,
        ["m{a=\"1\"} 1", "m{a=\"2\"} 2", "m{a=\"3\"} 3"]
    );
    assert_eq!(
        put(backend, &[("n", "1", 10, 1.0), ("n", "1", 11, 2.0)]).await,
        appended(2, 0)
    );
    assert_eq!(
        ask(backend, "n", 11).await,
        ["n{a=\"1\"} 2"],
        "one batch may hold several times"
    );
}

async fn queries_answer(backend: &dyn MetricsBackend) {
    for step in 0..=20 {
        put(
            backend,
            &[
                ("c", "1", step * 15, step as f64 * 30.0),
                ("c", "2", step * 15, 0.0),
            ],
        )
        .await;
    }
    assert_eq!(
        ask(backend, "rate(c[5m])", 300).await,
        ["{a=\"1\"} 2", "{a=\"2\"} 0"]
    );
    assert_eq!(ask(backend, "sum(c)", 300).await, ["{} 600"]);
    assert_eq!(ask(backend, "c > 0", 300).await, ["c{a=\"1\"} 600"]);
    assert_eq!(
        ask(backend, "c", 300 + 299).await.len(),
        2,
        "five minutes of look-back"
    );
    assert_eq!(ask(backend, "c", 300 + 301).await, [""; 0]);
    let expr = Arc::new(promql::parse("c{a=\"1\"}").unwrap());
    let answer = backend
        .query_range(expr, at(0), at(45), Duration::from_secs(15))
        .await
        .unwrap();
    let Value::Matrix(found) = answer.value else {
        panic!("a range query gives a matrix")
    };
    let points: Vec<(u64, f64)> = found[0]
        .points
        .iter()
        .map(|(when, value)| (when.since(at(0)).as_secs(), *value))
        .collect();
    assert_eq!(points, [(0, 0.0), (15, 30.0), (30, 60.0), (45, 90.0)]);
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        f64::MIN_POSITIVE,
        f64::MAX,
        5e-324,
        0.1,
    ];
    for (number, value) in odd.into_iter().enumerate() {
        put(backend, &[("v", &number.to_string(), 5, value)]).await;
        let found = ask(backend, &format!("v{{a=\"{number}\"}}"), 5).await;
        assert_eq!(found, [format!("v{{a=\"{number}\"}} {value}")]);
    }
    let long = "l".repeat(10_000);
    assert_eq!(put(backend, &[("v", &long, 5, 1.0)]).await.stored, 1);
    assert_eq!(
        ask(backend, &format!("v{{a=\"{long}\"}}"), 5).await.len(),
        1
    );
}

async fn errors_say_what_to_do(backend: &dyn MetricsBackend) {
    put(
        backend,
        &[
            ("x", "1", 0, 1.0),
            ("x", "2", 0, 1.0),
            ("y", "1", 0, 1.0),
            ("y", "2", 0, 1.0),
        ],
    )
    .await;
    let expr = |text: &str| Arc::new(promql::parse(text).unwrap());
    let error = backend.query(expr("x + on() y"), at(0)).await.unwrap_err();
    assert!(matches!(error, BackendError::BadQuery(_)), "{error:?}");
    let error = backend
        .query_range(expr("x"), at(0), at(10_000_000), Duration::from_millis(1))
        .await
        .unwrap_err();
    assert!(matches!(error, BackendError::TooMuch(_)), "{error:?}");
    let error = backend
        .query_range(expr("x"), at(10), at(0), Duration::from_secs(1))
        .await
        .unwrap_err();
    assert!(matches!(error, BackendError::BadQuery(_)), "{error:?}");
}

async fn series_are_found(backend: &dyn MetricsBackend) {
    put(
        backend,
        &[
            ("s", "1", 0, 1.0),
            ("s", "2", 100, 1.0),
            ("t", "1", 50, 1.0),
        ],
    )
    .await;
    let find = async |matchers: Vec<Matcher>, from: u64, to: u64| {
        let found = backend.series(matchers, at(from), at(to)).await.unwrap();
        found.iter().map(Labels::to_string).collect::<Vec<_>>()
    };
    let equal = |name: &str, value: &str| Matcher::new(name, MatchOp::Equal, value).unwrap();
    let name = |value: &str| vec![equal("__name__", value)];
    assert_eq!(find(name("s"), 0, 100).await, ["s{a=\"1\"}", "s{a=\"2\"}"]);
    assert_eq!(find(name("s"), 0, 99).await, ["s{a=\"1\"}"]);
    assert_eq!(find(name("s"), 1, 99).await, [""; 0]);
    assert_eq!(
        find(vec![], 0, 100).await.len(),
        3,
        "no matcher restricts nothing"
    );
    assert_eq!(
        find(vec![equal("a", "1")], 0, 100).await,
        ["s{a=\"1\"}", "t{a=\"1\"}"]
    );
}

async fn staleness_ends_a_series(backend: &dyn MetricsBackend) {
    put(backend, &[("e", "1", 0, 1.0)]).await;
    put(backend, &[("e", "1", 15, stale_marker())]).await;
    assert_eq!(ask(backend, "e", 14).await, ["e{a=\"1\"} 1"]);
    assert_eq!(ask(backend, "e", 16).await, [""; 0]);
    put(backend, &[("e", "1", 30, 2.0)]).await;
    assert_eq!(ask(backend, "e", 30).await, ["e{a=\"1\"} 2"]);
}

async fn what_was_appended_survives(open: Open<'_>) {
    let backend = open(true);
    put(&*backend, &[("k", "1", 0, 1.0), ("k", "2", 0, 2.0)]).await;
    // The end of the process, not of the power: without a sync.
    drop(backend);
    let backend = open(false);
    assert_eq!(
        ask(&*backend, "k", 0).await,
        ["k{a=\"1\"} 1", "k{a=\"2\"} 2"]
    );
    put(&*backend, &[("k", "1", 15, 3.0)]).await;
    backend.sync().await.unwrap();
    let figures = backend.figures();
    assert_eq!(figures.series, 2);
    assert!(figures.bytes > 0);
    assert_eq!(figures.oldest, Some(at(0)));
    drop(backend);
    let backend = open(false);
    assert_eq!(
        ask(&*backend, "k", 15).await,
        ["k{a=\"1\"} 3", "k{a=\"2\"} 2"]
    );
}

/// The own store in a world's files.
async fn embedded(world: World, root: &Path) {
    let mut number = 0;
    let mut open = |fresh: bool| {
        number += u32::from(fresh);
        let dir = root.join(format!("metrics-{number}"));
        let (backend, _) =
            EmbeddedMetrics::open(&world, &dir, Duration::from_secs(30 * 86_400)).unwrap();
        Arc::new(backend) as Arc<dyn MetricsBackend>
    };
    conforms(&mut open).await;
}

#[tokio::test(start_paused = true)]
async fn adapters() {
    let folder = tempfile::tempdir().unwrap();
    let sim = SimWorld::new(1, epoch());
    embedded(sim.world(), Path::new("data")).await;
    embedded(world_over_files(&sim), folder.path()).await;
}
