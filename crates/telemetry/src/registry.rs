//! All instruments of a program, by name, and what it takes to show them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Histogram;
use crate::family::{Children, Family};
use crate::format::{self, Format};
use crate::instrument::{Counter, FloatCounter, Gauge, Instrument, Kind, Reading};

/// The name under which families report refused label sets; see [`Registry::new`].
const REFUSED_NAME: &str = "telemetry_label_sets_refused_total";
const REFUSED_HELP: &str = "Label sets that a metric refused because its bound was reached.";

/// The instruments of a program. Cheap to clone; all clones are one registry.
#[derive(Clone, Default)]
pub struct Registry(Arc<Inner>);

#[derive(Default)]
struct Inner {
    metrics: Mutex<BTreeMap<&'static str, Metric>>,
    collectors: Mutex<Vec<Collector>>,
}

type Collector = Arc<dyn Fn(&mut Collected) + Send + Sync>;

#[derive(Clone)]
struct Metric {
    help: &'static str,
    kind: Kind,
    labels: Vec<&'static str>,
    read: Arc<dyn Fn() -> Vec<(Vec<String>, Reading)> + Send + Sync>,
    /// Label sets refused, where the metric is a family with a bound.
    refused: Option<Counter>,
}

/// One metric with all its children, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) help: String,
    pub(crate) kind: Kind,
    pub(crate) samples: Vec<(Vec<(String, String)>, Reading)>,
}

impl Registry {
    /// A registry. It shows one metric of its own, `telemetry_label_sets_refused_total{metric}`, for the families that are bounded rather than closed.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Declares a counter of whole things.
    ///
    /// # Panics
    /// Like all declarations here: when the name is taken or is not a metric name, both mistakes in the program.
    pub fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        self.single(name, help, Counter::detached())
    }

    /// Declares a counter of amounts that are not whole.
    pub fn float_counter(&self, name: &'static str, help: &'static str) -> FloatCounter {
        self.single(name, help, FloatCounter::detached())
    }

    /// Declares a gauge.
    pub fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        self.single(name, help, Gauge::detached())
    }

    /// Declares a histogram with these inclusive upper bounds.
    pub fn histogram(&self, name: &'static str, help: &'static str, bounds: &[f64]) -> Histogram {
        self.single(name, help, Histogram::detached(bounds))
    }

    /// Declares counters that differ in labels.
    pub fn counter_family(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        children: Children<'_>,
    ) -> Family<Counter> {
        self.family(name, help, labels, children, Counter::detached)
    }

    /// Declares gauges that differ in labels.
    pub fn gauge_family(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        children: Children<'_>,
    ) -> Family<Gauge> {
        self.family(name, help, labels, children, Gauge::detached)
    }

    /// Declares histograms that differ in labels.
    pub fn histogram_family(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        children: Children<'_>,
        bounds: &[f64],
    ) -> Family<Histogram> {
        let bounds = bounds.to_vec();
        self.family(name, help, labels, children, move || {
            Histogram::detached(&bounds)
        })
    }

    /// Declares constants as labels of a metric that is always 1; the name ends in `_info`.
    pub fn info(&self, name: &'static str, help: &'static str, values: &[(&'static str, &str)]) {
        assert!(name.ends_with("_info"), "{name} ends in _info");
        let texts: Vec<String> = values
            .iter()
            .map(|(_, value)| (*value).to_owned())
            .collect();
        self.insert(
            name,
            Metric {
                help,
                kind: Kind::Info,
                labels: values.iter().map(|(label, _)| *label).collect(),
                read: Arc::new(move || vec![(texts.clone(), Reading::Integer(1))]),
                refused: None,
            },
        );
    }

    /// Adds a function that is asked at every scrape: for values that live elsewhere (the kernel, the allocator, a cache).
    pub fn collector(&self, collect: impl Fn(&mut Collected) + Send + Sync + 'static) {
        lock(&self.0.collectors).push(Arc::new(collect));
    }

    /// The exposition text: metrics by name, their children by label values.
    pub fn render(&self, format: Format) -> String {
        format::render(format, &self.snapshot())
    }

    /// The names and kinds of everything shown now, in order: what a test compares with a plan.
    pub fn names(&self) -> Vec<(String, Kind)> {
        self.snapshot()
            .into_iter()
            .map(|(name, metric)| (name, metric.kind))
            .collect()
    }

    fn single<T: Instrument>(&self, name: &'static str, help: &'static str, instrument: T) -> T {
        let shown = instrument.clone();
        self.insert(
            name,
            Metric {
                help,
                kind: T::KIND,
                labels: Vec::new(),
                read: Arc::new(move || vec![(Vec::new(), shown.read())]),
                refused: None,
            },
        );
        instrument
    }

    fn family<T: Instrument>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        children: Children<'_>,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Family<T> {
        // A closed family refuses only what a bug asks for; a series for each of them would be noise.
        let is_open = matches!(children, Children::AtMost(_));
        let family = Family::new(name, labels, children, make);
        let shown = family.clone();
        self.insert(
            name,
            Metric {
                help,
                kind: T::KIND,
                labels: labels.to_vec(),
                read: Arc::new(move || shown.read()),
                refused: is_open.then(|| family.refused_counter()),
            },
        );
        family
    }

    fn insert(&self, name: &'static str, metric: Metric) {
        assert!(is_metric_name(name), "{name:?} is a metric name");
        for label in &metric.labels {
            assert!(is_label_name(label), "{label:?} is a label name");
        }
        let before = lock(&self.0.metrics).insert(name, metric);
        assert!(before.is_none(), "the metric {name} is declared once");
    }

    fn snapshot(&self) -> BTreeMap<String, Snapshot> {
        // Both lists are cloned so that no lock is held while collectors run: one of them may declare a metric.
        let metrics = lock(&self.0.metrics).clone();
        let collectors = lock(&self.0.collectors).clone();
        let mut collected = Collected::default();
        for (name, metric) in &metrics {
            let samples = (metric.read)()
                .into_iter()
                .map(|(values, reading)| (pair(&metric.labels, values), reading))
                .collect();
            collected.metrics.insert(
                (*name).to_owned(),
                Snapshot {
                    help: metric.help.to_owned(),
                    kind: metric.kind,
                    samples,
                },
            );
        }
        for (name, metric) in &metrics {
            if let Some(refused) = &metric.refused {
                collected.counter_with(
                    REFUSED_NAME,
                    REFUSED_HELP,
                    &[("metric", name)],
                    refused.get(),
                );
            }
        }
        for collect in collectors {
            collect(&mut collected);
        }
        collected.metrics
    }
}

/// What collectors add to one scrape.
#[derive(Default)]
pub struct Collected {
    metrics: BTreeMap<String, Snapshot>,
}

impl Collected {
    /// Adds a gauge.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.add(name, help, Kind::Gauge, &[], Reading::Float(value));
    }

    /// Adds a gauge with labels.
    pub fn gauge_with(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.add(name, help, Kind::Gauge, labels, Reading::Float(value));
    }

    /// Adds a counter.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.add(name, help, Kind::Counter, &[], Reading::Integer(value));
    }

    /// Adds a counter with labels.
    pub fn counter_with(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        self.add(name, help, Kind::Counter, labels, Reading::Integer(value));
    }

    /// Adds a counter of amounts that are not whole.
    pub fn float_counter(&mut self, name: &str, help: &str, value: f64) {
        self.add(name, help, Kind::Counter, &[], Reading::Float(value));
    }

    fn add(
        &mut self,
        name: &str,
        help: &str,
        kind: Kind,
        labels: &[(&str, &str)],
        reading: Reading,
    ) {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.metrics
            .entry(name.to_owned())
            .or_insert_with(|| Snapshot {
                help: help.to_owned(),
                kind,
                samples: Vec::new(),
            })
            .samples
            .push((labels, reading));
    }
}

fn pair(labels: &[&'static str], values: Vec<String>) -> Vec<(String, String)> {
    labels
        .iter()
        .map(|label| (*label).to_owned())
        .zip(values)
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is a single insert or push: a panic elsewhere leaves them whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_metric_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    name.bytes().next().is_some_and(letter)
        && name
            .bytes()
            .all(|byte| letter(byte) || byte.is_ascii_digit())
}

fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':') && !name.starts_with("__") && name != "le"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "declared once")]
    fn a_name_is_declared_once() {
        let registry = Registry::new();
        registry.counter("a_total", "A.");
        registry.gauge("a_total", "B.");
    }

    #[test]
    #[should_panic(expected = "is a metric name")]
    fn a_name_is_a_name() {
        Registry::new().counter("a-total", "A.");
    }

    #[test]
    fn refusals_are_shown() {
        let registry = Registry::new();
        let family = registry.counter_family("a_total", "A.", &["x"], Children::AtMost(0));
        family.handle(&["1"]).inc();
        let text = registry.render(Format::Text004);
        assert!(
            text.contains("telemetry_label_sets_refused_total{metric=\"a_total\"} 1\n"),
            "{text}"
        );
    }
}
