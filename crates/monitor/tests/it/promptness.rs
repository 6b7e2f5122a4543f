//! How long it takes from a value's change to the first page. A rule is judged right after the scrape that brought the value, so
//! what is left is the wait for that scrape: at most the interval of 15 s, half of it at the median.

use super::harness::{Belfry, PLAN, in_folder};

/// The bounds that the product promises for a rule without `for`, in seconds.
const MEDIAN_MAX: u64 = 10;
const WORST_MAX: u64 = 17;

#[tokio::test(start_paused = true)]
async fn a_first_page_leaves_right_after_the_scrape() {
    // A group's name decides its place on the grid, where groups that read several targets still run: by chance one of them
    // would lie just behind the scrape.
    for name in ["shop", "a", "stock", "orders"] {
        check(name).await;
    }
}

async fn check(group: &str) {
    let plan = PLAN.replace(
        "  - name: shop\n    interval",
        &format!("  - name: {group}\n    interval"),
    );
    let belfry = Belfry::start_with(&plan, |_| {}, in_folder).await;
    let mut waits = Vec::new();
    for round in 0..12 {
        belfry.expose("stock 5\n");
        // Another place between two scrapes each time.
        belfry.pass(60 + round * 7 % 15).await;
        let before = firing(&belfry);
        // Another series each time: one that came and went twelve times would be damped as flapping.
        belfry.expose(&format!("stock{{shelf=\"{round}\"}} 2\n"));
        let mut waited = 0;
        while firing(&belfry) == before {
            belfry.pass(1).await;
            waited += 1;
            assert!(
                waited <= WORST_MAX,
                "round {round}: no page after {waited} s"
            );
        }
        waits.push(waited);
    }
    waits.sort_unstable();
    let median = waits[waits.len() / 2];
    assert!(median <= MEDIAN_MAX, "median {median} s of {waits:?}");
    assert!(
        waits[0] < median,
        "the rounds fall on different places: {waits:?}"
    );
}

fn firing(belfry: &Belfry) -> usize {
    belfry
        .pages()
        .iter()
        .filter(|page| page.starts_with("firing LowStock"))
        .count()
}
