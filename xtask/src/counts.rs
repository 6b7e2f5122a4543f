//! How many checks passed and failed, read from what each tool prints. Every stage names its tool's form: a search for
//! "passed" in all output would also count what a test itself prints.

use std::ops::AddAssign;

/// A tool's way to report.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Report {
    /// It counts nothing: it works or it does not.
    None,
    /// `Summary [ 1.2s] 10 tests run: 9 passed (1 slow), 1 failed, 0 skipped`
    Nextest,
    /// `test result: ok. 3 passed; 0 failed; 0 ignored; …`
    CargoTest,
    /// `# pass 3` and `# fail 0`, with another mark on a terminal.
    NodeTest,
    /// `3 passed, 0 failed`
    Plain,
}

/// Checks that passed and failed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.passed += more.passed;
        self.failed += more.failed;
    }
}

impl Report {
    /// What one line of output adds.
    pub(crate) fn read(self, line: &str) -> Counts {
        let line = without_colours(line);
        let line = line.trim();
        let counted = match self {
            Report::None => None,
            Report::Nextest => nextest(line),
            Report::CargoTest => cargo_test(line),
            Report::NodeTest => node_test(line),
            Report::Plain => plain(line),
        };
        counted.unwrap_or_default()
    }
}

fn nextest(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("Summary [")?;
    let (_, results) = rest.split_once(" run: ")?;
    let mut counts = Counts::default();
    for result in without_brackets(results).split(',') {
        let (number, what) = result.trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what.trim() {
            "passed" => counts.passed += number,
            "skipped" => {}
            // Failed, timed out, could not be started: all the same to whoever reads the sum.
            _ => counts.failed += number,
        }
    }
    Some(counts)
}

fn cargo_test(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, results) = rest.split_once(". ")?;
    let number = |what: &str| {
        let mut parts = results.split("; ");
        parts.find_map(|part| part.strip_suffix(what)?.trim().parse().ok())
    };
    Some(Counts {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

fn node_test(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix(['#', 'ℹ'])?.trim();
    let (what, number) = rest.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let mut counts = Counts::default();
    match what {
        "pass" => counts.passed = number,
        "fail" | "cancelled" => counts.failed = number,
        _ => return None,
    }
    Some(counts)
}

fn plain(line: &str) -> Option<Counts> {
    let (passed, failed) = line.split_once(", ")?;
    Some(Counts {
        passed: passed.strip_suffix(" passed")?.parse().ok()?,
        failed: failed.strip_suffix(" failed")?.parse().ok()?,
    })
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Without the escape sequences that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut in_sequence = false;
    for c in line.chars() {
        match c {
            '\u{1b}' => in_sequence = true,
            _ if in_sequence => in_sequence = !c.is_ascii_alphabetic(),
            _ => kept.push(c),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let cases = [
            (
                Report::Nextest,
                "     Summary [   1.2s] 3 tests run: 3 passed, 0 skipped",
                (3, 0),
            ),
            (
                Report::Nextest,
                "Summary [ 9s] 4/9 tests run: 2 passed (1 slow, 1 flaky), 1 failed, 1 timed out, 3 skipped",
                (2, 2),
            ),
            (
                Report::Nextest,
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m passed, 0 skipped",
                (1, 0),
            ),
            (
                Report::CargoTest,
                "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
                (3, 2),
            ),
            (Report::NodeTest, "# pass 5", (5, 0)),
            (Report::NodeTest, "ℹ fail 2", (0, 2)),
            (Report::NodeTest, "# tests 7", (0, 0)),
            (Report::Plain, "12 passed, 1 failed", (12, 1)),
            (Report::Plain, "I think 12 passed, 1 failed", (0, 0)),
            (Report::Nextest, "a test printed: 12 passed", (0, 0)),
            (Report::None, "12 passed, 1 failed", (0, 0)),
        ];
        for (report, line, (passed, failed)) in cases {
            assert_eq!(report.read(line), Counts { passed, failed }, "{line}");
        }
    }
}
