//! Every `select!` begins with `biased;`. Without it tokio polls the branches in random order, and a simulation no longer
//! gives the same trace for the same seed.

use super::source_text::code_of;
use super::{Finding, SourceFile};

const MACRO: &str = "select!";

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = code_of(&file.text);
    let mut findings = Vec::new();
    for (at, _) in code.match_indices(MACRO) {
        let part_of_a_name = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let body = code[at + MACRO.len()..].trim_start();
        let inside = body.strip_prefix(['{', '(', '[']).map(str::trim_start);
        let biased = inside.is_some_and(|inside| inside.starts_with("biased;"));
        if !part_of_a_name && !biased {
            let line = code[..at].matches('\n').count() + 1;
            findings.push(file.finding(line, "write `biased;` first and say why in this order"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn an_unbiased_select_is_found() {
        let fair = "fn a() {\n    tokio::select! {\n        x = y => {}\n    }\n}\n";
        let findings = check(&sample("crates/a/src/a.rs", fair));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
        let hidden = "select! { // biased;\n x = y => {} }";
        assert_eq!(check(&sample("crates/a/src/a.rs", hidden)).len(), 1);
    }

    #[test]
    fn biased_selects_and_mere_mentions_pass() {
        for text in [
            "select! {\n    // Shutdown first.\n    biased;\n    x = y => {} }",
            "select!(biased; x = y => {})",
            "// never a bare select! { x = y }",
            "let text = \"select! { x = y }\";",
            "my_select! { x }",
        ] {
            assert!(
                check(&sample("crates/a/src/a.rs", text)).is_empty(),
                "{text}"
            );
        }
    }
}
