//! The store against the plainest store there is: a map. Whatever happens in between, both must answer alike.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is the report"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, MatchOp, Matcher, Selection, Series, SeriesSource, SourceError, Timestamp};
use proptest::prelude::*;
use storage::tsdb::{Options, Tsdb};
use world::sim::SimDisk;

const SPAN_MS: i64 = 1000;
const DELAY_MS: i64 = 300;

#[derive(Clone, Debug)]
enum Step {
    /// Series, distance to the newest time, choice of value.
    Append(Vec<(usize, i64, u8)>),
    /// A long run of one scrape, so that chunks are sealed.
    Scrapes(u8),
    Maintain(i64),
    DropBefore(i64),
    Reopen,
    LosePower,
    Query {
        from: i64,
        length: i64,
        matchers: usize,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((0usize..8, -400i64..400, any::<u8>()), 1..12).prop_map(Step::Append),
        2 => any::<u8>().prop_map(Step::Scrapes),
        3 => (-500i64..3000).prop_map(Step::Maintain),
        1 => (-6000i64..0).prop_map(Step::DropBefore),
        2 => Just(Step::Reopen),
        1 => Just(Step::LosePower),
        5 => (-5000i64..500, 0i64..6000, 0usize..9)
            .prop_map(|(from, length, matchers)| Step::Query { from, length, matchers }),
    ]
}

fn labels(series: usize) -> Labels {
    let mut pairs = vec![
        ("__name__", if series < 5 { "up" } else { "down" }),
        ("job", "shop"),
    ];
    if series % 2 == 1 {
        pairs.push(("zone", "a"));
    }
    let number = series.to_string();
    pairs.push(("n", &number));
    Labels::from_pairs(pairs)
}

fn matchers(number: usize) -> Vec<Matcher> {
    let make = |name: &str, op, value: &str| Matcher::new(name, op, value).unwrap();
    match number {
        0 => vec![make("__name__", MatchOp::Equal, "up")],
        1 => vec![make("__name__", MatchOp::NotEqual, "up")],
        2 => vec![make("zone", MatchOp::Equal, "")],
        3 => vec![make("zone", MatchOp::NotEqual, "")],
        4 => vec![
            make("zone", MatchOp::Regex, "a|"),
            make("n", MatchOp::Regex, "[0-5]"),
        ],
        5 => vec![
            make("n", MatchOp::NotRegex, "[0-3]"),
            make("zone", MatchOp::NotEqual, "a"),
        ],
        6 => vec![make("absent", MatchOp::Equal, "x")],
        7 => vec![
            make("absent", MatchOp::NotEqual, "x"),
            make("n", MatchOp::Equal, "7"),
        ],
        _ => Vec::new(),
    }
}

fn value(choice: u8, at: i64) -> f64 {
    match choice % 8 {
        0 => model::stale_marker(),
        1 => f64::NAN,
        2 => -0.0,
        3 => f64::INFINITY,
        4 => at as f64 / 3.0,
        5 => at as f64 / 100.0,
        _ => f64::from(choice),
    }
}

/// The map, with the rules of acceptance spelled out a second time.
#[derive(Default)]
struct Model {
    samples: BTreeMap<Labels, BTreeMap<i64, f64>>,
    last: BTreeMap<Labels, (i64, u64)>,
    min_valid: i64,
    /// The newest time of each block.
    blocks: Vec<i64>,
    newest: i64,
}

impl Model {
    fn append(&mut self, labels: &Labels, at: i64, value: f64) -> &'static str {
        if at < self.min_valid {
            return "too old";
        }
        match self.last.get(labels) {
            Some((last, bits)) if *last == at && *bits == value.to_bits() => return "repeated",
            Some((last, _)) if *last == at => return "duplicate",
            Some((last, _)) if *last > at => return "out of order",
            _ => {}
        }
        self.last.insert(labels.clone(), (at, value.to_bits()));
        self.samples
            .entry(labels.clone())
            .or_default()
            .insert(at, value);
        self.newest = self.newest.max(at);
        "stored"
    }

    fn times(&self) -> impl Iterator<Item = i64> + '_ {
        let min_valid = self.min_valid;
        self.samples
            .values()
            .flat_map(|series| series.keys().copied())
            .filter(move |at| *at >= min_valid)
    }

    fn maintain(&mut self, now: i64) {
        while let Some(oldest) = self.times().min() {
            let end = oldest - oldest.rem_euclid(SPAN_MS) + SPAN_MS;
            if end + DELAY_MS > now {
                break;
            }
            let newest = self.times().filter(|at| *at < end).max().unwrap();
            self.min_valid = newest + 1;
            self.blocks.push(newest);
        }
    }

    /// A restart forgets what was dropped: only the blocks that are left say what is too old.
    fn forget(&mut self) {
        self.min_valid = self
            .blocks
            .iter()
            .max()
            .map_or(i64::MIN, |newest| newest + 1);
        let min_valid = self.min_valid;
        self.last = BTreeMap::new();
        for (labels, samples) in &self.samples {
            if let Some((at, value)) = samples.range(min_valid..).next_back() {
                self.last.insert(labels.clone(), (*at, value.to_bits()));
            }
        }
    }

    fn select(&self, matchers: &[Matcher], from: i64, to: i64) -> Vec<(Labels, Vec<(i64, u64)>)> {
        self.samples
            .iter()
            .filter(|(labels, _)| {
                matchers
                    .iter()
                    .all(|m| m.matches(labels.get(m.name()).unwrap_or("")))
            })
            .map(|(labels, samples)| {
                let inside = samples.iter().filter(|(at, _)| (from..=to).contains(*at));
                (
                    labels.clone(),
                    inside
                        .map(|(at, value)| (*at, value.to_bits()))
                        .collect::<Vec<_>>(),
                )
            })
            .filter(|(_, samples)| !samples.is_empty())
            .collect()
    }
}

fn plain(series: Vec<Series>) -> Vec<(Labels, Vec<(i64, u64)>)> {
    series
        .into_iter()
        .map(|series| {
            let samples = series.timestamps.iter().zip(&series.values);
            (
                series.labels.clone(),
                samples
                    .map(|(at, value)| (at.as_millis(), value.to_bits()))
                    .collect(),
            )
        })
        .collect()
}

struct Pair {
    disk: Arc<SimDisk>,
    tsdb: Tsdb,
    model: Model,
}

impl Pair {
    fn new() -> Pair {
        let disk = Arc::new(SimDisk::new(7));
        let tsdb = Pair::open(&disk);
        Pair {
            disk,
            tsdb,
            model: Model {
                min_valid: i64::MIN,
                ..Model::default()
            },
        }
    }

    fn open(disk: &Arc<SimDisk>) -> Tsdb {
        let options = Options {
            block_span: Duration::from_millis(SPAN_MS as u64),
            cut_delay: Duration::from_millis(DELAY_MS as u64),
            segment_bytes: 2000,
            index_cache_bytes: 1500,
            ..Options::default()
        };
        let (tsdb, recovery) =
            Tsdb::open(disk.clone(), Path::new("d"), options, Timestamp::MIN).unwrap();
        assert_eq!(
            (recovery.blocks_quarantined, recovery.wal_records_damaged),
            (0, 0)
        );
        tsdb
    }

    fn append(&mut self, batch: &[(usize, i64, f64)]) {
        let mut expect: BTreeMap<&str, u64> = BTreeMap::new();
        for (series, at, value) in batch {
            *expect
                .entry(self.model.append(&labels(*series), *at, *value))
                .or_default() += 1;
        }
        let batch: Vec<_> = batch
            .iter()
            .map(|(series, at, value)| (labels(*series), Timestamp::from_millis(*at), *value))
            .collect();
        let appended = self.tsdb.append_labels(&batch).unwrap();
        let of = |what: &str| expect.get(what).copied().unwrap_or(0);
        let got = (
            appended.stored,
            appended.repeated,
            appended.duplicate,
            appended.too_old,
            appended.out_of_order,
        );
        assert_eq!(
            got,
            (
                of("stored"),
                of("repeated"),
                of("duplicate"),
                of("too old"),
                of("out of order")
            )
        );
    }

    fn query(&self, from: i64, to: i64, matchers: &[Matcher]) {
        let expect = self.model.select(matchers, from, to);
        let count: usize = expect.iter().map(|(_, samples)| samples.len()).sum();
        let mut selection = Selection {
            matchers,
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(to),
            samples_max: count,
        };
        assert_eq!(plain(self.tsdb.select(&selection).unwrap()), expect);
        if count > 0 {
            selection.samples_max = count - 1;
            let limit = count - 1;
            assert_eq!(
                self.tsdb.select(&selection).unwrap_err(),
                SourceError::TooManySamples { limit }
            );
        }
        let listed = self.tsdb.series(matchers, selection.from, selection.to);
        assert!(expect.iter().all(|(labels, _)| listed.contains(labels)));
        for (labels, samples) in &expect {
            if samples
                .last()
                .is_some_and(|(at, _)| *at >= self.model.min_valid)
                && to >= self.model.newest
            {
                let last = self.tsdb.last_sample(labels).unwrap();
                assert_eq!(
                    Some(&(last.at.as_millis(), last.value.to_bits())),
                    samples.last()
                );
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let newest = self.model.newest;
        match step {
            Step::Append(batch) => {
                let batch: Vec<_> = batch
                    .iter()
                    .map(|(s, offset, choice)| {
                        (*s, newest + offset, value(*choice, newest + offset))
                    })
                    .collect();
                self.append(&batch);
            }
            Step::Scrapes(choice) => {
                for scrape in 0..150 {
                    let at = newest + 1 + scrape * 7;
                    let batch: Vec<_> = (0..3)
                        .map(|s| (s, at, value(choice.wrapping_add(s as u8), at)))
                        .collect();
                    self.append(&batch);
                }
            }
            Step::Maintain(offset) => {
                self.tsdb
                    .maintain(Timestamp::from_millis(newest + offset))
                    .unwrap();
                self.model.maintain(newest + offset);
            }
            Step::DropBefore(offset) => {
                // Blocks go whole, so the model follows what the store still has and checks that nothing newer went.
                self.tsdb
                    .drop_before(Timestamp::from_millis(newest + offset))
                    .unwrap();
                self.follow_drop(newest + offset);
            }
            Step::Reopen => {
                self.tsdb = Pair::open(&self.disk);
                self.model.forget();
            }
            Step::LosePower => {
                self.tsdb.sync().unwrap();
                self.disk.lose_power();
                self.tsdb = Pair::open(&self.disk);
                self.model.forget();
            }
            Step::Query {
                from,
                length,
                matchers: number,
            } => {
                self.query(newest + from, newest + from + length, &matchers(*number));
            }
        }
    }

    fn follow_drop(&mut self, before: i64) {
        let selection = Selection {
            matchers: &[],
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            samples_max: usize::MAX,
        };
        let left: BTreeMap<Labels, Vec<(i64, u64)>> = plain(self.tsdb.select(&selection).unwrap())
            .into_iter()
            .collect();
        let whole_spans_before = before - before.rem_euclid(SPAN_MS);
        let dropped_from_head = self
            .model
            .times()
            .filter(|at| *at < whole_spans_before)
            .max();
        for (labels, samples) in &mut self.model.samples {
            let left = left.get(labels).map(Vec::as_slice).unwrap_or_default();
            samples.retain(|at, value| {
                let found = left.contains(&(*at, value.to_bits()));
                assert!(
                    found || *at < before,
                    "{labels} at {at} went though it is not before {before}"
                );
                found
            });
        }
        self.model.blocks.retain(|newest| *newest >= before);
        if let Some(newest) = dropped_from_head {
            self.model.min_valid = newest + 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_like_a_map(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.step(step);
        }
        for number in 0..9 {
            pair.query(-100_000, 10_000_000, &matchers(number));
        }
    }
}
