//! What was asked and what came back, counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts by what was asked and by status; `None` when nothing came back.
type Counts = BTreeMap<(&'static str, Option<u16>), u64>;

#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

impl Tally {
    pub(crate) fn add(&self, asked: &'static str, status: Option<u16>) {
        *self.counts().entry((asked, status)).or_default() += 1;
    }

    /// Requests that got any answer.
    pub(crate) fn answered(&self) -> u64 {
        self.sum(|_, status| status.is_some())
    }

    /// Requests of one kind with one status.
    pub(crate) fn of(&self, asked: &str, status: u16) -> u64 {
        self.sum(|known, got| known == asked && got == Some(status))
    }

    /// Requests that the service failed or did not answer.
    pub(crate) fn failures(&self) -> u64 {
        self.sum(|_, status| status.is_none_or(|status| status >= 500))
    }

    /// A short view while it goes on.
    pub(crate) fn line(&self) -> String {
        let mut classes: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, status), count) in self.counts().iter() {
            let class = status.map_or("no answer".to_owned(), |status| {
                format!("{}xx", status / 100)
            });
            *classes.entry(class).or_default() += count;
        }
        let all: u64 = classes.values().sum();
        let parts = classes
            .iter()
            .map(|(class, count)| format!("{class} {count}"));
        format!("{all} requests: {}", parts.collect::<Vec<_>>().join(", "))
    }

    /// One row for each kind of request, one column for each status.
    pub(crate) fn table(&self) -> String {
        let counts = self.counts();
        let rows: BTreeSet<&str> = counts.keys().map(|(asked, _)| *asked).collect();
        let columns: BTreeSet<Option<u16>> = counts.keys().map(|(_, status)| *status).collect();
        let mut table = format!("{:<24}", "");
        for column in &columns {
            let title = column.map_or("none".to_owned(), |status| status.to_string());
            table.push_str(&format!("{title:>8}"));
        }
        table.push_str(&format!("{:>8}\n", "all"));
        let mut write_row = |title: &str, of_row: &dyn Fn(&str) -> bool| {
            table.push_str(&format!("{title:<24}"));
            let mut all = 0;
            for column in &columns {
                let matching = counts
                    .iter()
                    .filter(|((asked, status), _)| of_row(asked) && status == column);
                let sum: u64 = matching.map(|(_, count)| count).sum();
                all += sum;
                table.push_str(&format!("{sum:>8}"));
            }
            table.push_str(&format!("{all:>8}\n"));
        };
        for row in rows {
            write_row(row, &|asked| asked == row);
        }
        write_row("all", &|_| true);
        table
    }

    fn sum(&self, wanted: impl Fn(&str, Option<u16>) -> bool) -> u64 {
        self.counts()
            .iter()
            .filter(|((asked, status), _)| wanted(asked, *status))
            .map(|(_, count)| count)
            .sum()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A visitor that panicked leaves whole counts behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_by_row_and_column() {
        let tally = Tally::default();
        tally.add("code", Some(200));
        tally.add("code", Some(200));
        tally.add("code", Some(429));
        tally.add("page", None);
        assert_eq!(tally.answered(), 3);
        assert_eq!(tally.of("code", 200), 2);
        assert_eq!(tally.failures(), 1);
        assert_eq!(tally.line(), "4 requests: 2xx 2, 4xx 1, no answer 1");
        let table = tally.table();
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[0], ["none", "200", "429", "all"]);
        assert_eq!(rows[1], ["code", "0", "2", "1", "3"]);
        assert_eq!(rows[3], ["all", "1", "2", "1", "4"]);
    }
}
