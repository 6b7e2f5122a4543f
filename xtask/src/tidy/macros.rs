//! No macro that stands for work not done, tests included, where clippy's lints on them are lifted.

use super::source_text::code_of;
use super::{Finding, SourceFile};

const BANNED: &[&str] = &["todo!", "unimplemented!", "dbg!"];

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = code_of(&file.text);
    let mut findings = Vec::new();
    for (at, line) in code.lines().enumerate() {
        for name in BANNED {
            if uses(line, name) {
                findings.push(file.finding(at + 1, format!("`{name}` must not be committed")));
            }
        }
    }
    findings
}

fn uses(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn unfinished_work_is_found() {
        let file = sample(
            "xtask/src/a.rs",
            "//! Why.\nfn a() { todo!() }\nfn b() { std::dbg!(1); }\n",
        );
        let lines: Vec<usize> = check(&file).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 3]);
        assert_eq!(check(&sample("a.rs", "unimplemented!(\"x\")")).len(), 1);
    }

    #[test]
    fn mentions_and_other_names_pass() {
        let text = "// todo! later\nlet a = \"dbg!\"; my_todo!();\n";
        assert!(check(&sample("a.rs", text)).is_empty());
    }
}
