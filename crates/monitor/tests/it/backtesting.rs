//! A backtest of the plan in force, over its own API, finds what the live engine wrote into its history: every change of
//! every alert, to the millisecond. The shop sells, stalls, restarts, loses metrics and dies, hour after hour.

use monitor::backtest::{self, BacktestReport, HttpPast, Span, Variant};
use monitor::incident::HistoryEntry;
use serde_json::Value;
use world::sim::SeededEntropy;

use crate::harness::{Belfry, HOST, epoch, in_folder};

const PLAN: &str = include_str!("backtesting.yaml");

/// How long the shop is watched.
const HOURS: u64 = 2;

/// One change of an alert: when, which, what.
type Change = (String, String, String, String);

#[tokio::test(start_paused = true)]
async fn a_backtest_finds_what_the_live_engine_recorded() {
    for seed in [1, 2] {
        let belfry = Belfry::start_with(PLAN, |_| {}, in_folder).await;
        belfry.answer_the_network();
        Shop::new(seed).live(&belfry, HOURS * 3600).await;
        let live = live_history(&belfry).await;
        for kind in [
            "pending",
            "firing",
            "calmed",
            "no_data",
            "data_back",
            "resolved",
        ] {
            let count = live.iter().filter(|change| change.3 == kind).count();
            assert!(
                count >= 3,
                "the shop is too quiet to show anything: {count} {kind}"
            );
        }
        let report = replay(&belfry, HOURS * 3600 + 60).await;
        let replayed: Vec<Change> = report.history.iter().map(change).collect();
        let only_live: Vec<_> = live.iter().filter(|own| !replayed.contains(own)).collect();
        let only_replayed: Vec<_> = replayed.iter().filter(|own| !live.contains(own)).collect();
        assert!(
            only_live.is_empty() && only_replayed.is_empty(),
            "seed {seed}, of {} changes\n  only live: {only_live:#?}\n  only replayed: {only_replayed:#?}",
            live.len()
        );
        assert_eq!(live.len(), replayed.len());
        assert_eq!(report.failed, 0);
        assert!(
            report.rules.iter().any(|rule| rule.flapped >= 3),
            "nothing flapped: {:?}",
            report.rules
        );
        let live_pages = belfry.pages();
        let firing = live_pages.iter().filter(|page| page.starts_with("firing"));
        assert_eq!(
            report.pages(),
            firing.count(),
            "{:?}\n{live_pages:?}",
            report.pages
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_that_fails_at_some_instants_fails_there_and_nowhere_else() {
    let belfry = Belfry::start_with(PLAN, |_| {}, in_folder).await;
    belfry.answer_the_network();
    belfry.expose("stock 5\nclash{side=\"left\"} 1\n");
    belfry.pass(300).await;
    belfry.expose("stock 5\nclash{side=\"left\"} 1\nclash{side=\"right\"} 1\n");
    belfry.pass(60).await;
    belfry.expose("stock 5\nclash{side=\"left\"} 1\n");
    belfry.pass(300).await;
    let live = live_history(&belfry).await;
    let report = replay(&belfry, 700).await;
    assert_eq!(report.failed, 4, "of {}", report.evaluations);
    let replayed: Vec<Change> = report.history.iter().map(change).collect();
    assert_eq!(live, replayed);
}

async fn replay(belfry: &Belfry, seconds: u64) -> BacktestReport {
    let (plan, diagnostics) = plan::parse("plan.yaml", PLAN);
    let plan = plan.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let past = HttpPast::new(belfry.sim.world(), &format!("http://{HOST}"));
    let from = model::Timestamp::from(epoch());
    let span = Span {
        from,
        until: from + std::time::Duration::from_secs(seconds),
        step: None,
    };
    let variant = Variant {
        name: "the plan".to_owned(),
        plan,
        only: None,
        contacts: None,
    };
    let reports = backtest::run(&past, vec![variant], span, &mut |_| {}).await;
    reports.unwrap().remove(0)
}

async fn live_history(belfry: &Belfry) -> Vec<Change> {
    let rows = belfry.get("/api/belfry/v1/alerts/history?limit=5000").await;
    let mut changes: Vec<Change> = rows.as_array().unwrap().iter().map(of_row).collect();
    assert!(changes.len() < 5000, "the answer is cut");
    changes.reverse();
    changes
}

fn of_row(row: &Value) -> Change {
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    (
        text("at"),
        text("rule"),
        row["labels"].to_string(),
        text("kind"),
    )
}

fn change(entry: &HistoryEntry) -> Change {
    let labels: std::collections::BTreeMap<_, _> = entry.labels.iter().collect();
    let at = jiff::Timestamp::from_millisecond(entry.at.as_millis()).unwrap();
    (
        at.to_string(),
        entry.rule.clone(),
        serde_json::to_string(&labels).unwrap(),
        entry.kind.clone(),
    )
}

/// A shop with moods, drawn from a seed.
struct Shop {
    entropy: SeededEntropy,
    orders: u64,
}

impl Shop {
    fn new(seed: u64) -> Shop {
        Shop {
            entropy: SeededEntropy::new(seed),
            orders: 0,
        }
    }

    fn draw(&self, below: u64) -> u64 {
        self.entropy.next() % below
    }

    async fn live(&mut self, belfry: &Belfry, seconds: u64) {
        let mut passed = 0;
        belfry.expose("stock 20\norders_total 0\nheat{room=\"a\"} 20\n");
        while passed < seconds {
            let length = 7 + self.draw(150);
            let length = length.min(seconds - passed);
            let mood = self.draw(12);
            for _ in 0..length {
                if mood == 0 {
                    // Answers nothing but errors.
                    belfry.expose("");
                } else {
                    belfry.expose(&self.exposition(mood));
                }
                belfry.pass(1).await;
            }
            passed += length;
        }
    }

    fn exposition(&mut self, mood: u64) -> String {
        let mut text = String::new();
        match mood {
            1 => self.orders = 0,
            2 | 3 => {}
            _ => self.orders += 1,
        }
        // A metric that vanishes, while the scrapes are whole.
        if mood != 4 {
            text += &format!("stock {}\n", if mood.is_multiple_of(2) { 2 } else { 9 });
        }
        text += &format!("orders_total {}\n", self.orders);
        for room in ["a", "b"] {
            let is_hot = mood > 8 && (room == "a" || mood == 10);
            text += &format!("heat{{room=\"{room}\"}} {}\n", if is_hot { 80 } else { 20 });
        }
        text
    }
}
