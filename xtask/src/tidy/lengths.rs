//! Long files, as a warning: one idea a file, and few ideas need this many lines.

use super::{Finding, SourceFile};

const LINES_MAX: usize = 600;
/// What people write; fixtures and documents may be as long as they are.
const SUFFIXES: &[&str] = &[".rs", ".ts", ".mjs", ".js", ".svelte", ".css", ".sh"];

pub(super) fn check(file: &SourceFile) -> Option<Finding> {
    let written = SUFFIXES.iter().any(|suffix| file.path.ends_with(suffix));
    let lines = file.text.lines().count();
    (written && lines > LINES_MAX)
        .then(|| file.finding(lines, format!("{lines} lines, more than {LINES_MAX}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn long_sources_are_listed() {
        let text = "x\n".repeat(LINES_MAX);
        assert!(check(&sample("a.rs", &text)).is_none());
        let text = text + "x\n";
        assert!(check(&sample("a.rs", &text)).is_some());
        assert!(check(&sample("a.yaml", &text)).is_none());
    }
}
