//! Belfry learns of the application from the plan alone, so no word of it stands in a crate of the monitor: not in code,
//! not in comments, not in fixtures, not in file names.

use super::{Finding, SourceFile};

/// Crates of the monitor; all their files are looked at, the web app's included.
const CRATES: &[&str] = &[
    "alerting", "logql", "model", "monitor", "plan", "promql", "storage", "world",
];
/// Written by npm, full of checksums that may spell anything.
const GENERATED: &str = "package-lock.json";

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let mut parts = file.path.split('/');
    let in_monitor = parts.next() == Some("crates")
        && parts.next().is_some_and(|name| CRATES.contains(&name))
        && !file.path.ends_with(GENERATED);
    if !in_monitor {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if names_application(&file.path) {
        findings.push(file.finding(1, "the file's name is a word of the application"));
    }
    for (at, line) in file.lines() {
        if names_application(line) {
            let what = format!("a word of the application: {}", line.trim());
            findings.push(file.finding(at, what));
        }
    }
    findings
}

fn names_application(line: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric())
        .flat_map(camel_parts)
        .any(|part| {
            let part = part.to_lowercase();
            part == "qr" || part.starts_with("qrcode")
        })
}

/// `QrService` is `Qr` and `Service`; `QRCode` is `QR` and `Code`.
fn camel_parts(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut parts = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && !letters[at - 1].is_uppercase();
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && at > 0 && (after_lower || before_lower) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(*letter);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn words_of_the_application_are_found() {
        for line in [
            "use qr::encode;",
            "// the QR service",
            "struct QrService;",
            "fn make_qr_code()",
            "let x = QRCode;",
            "qrcode",
            "\"qr_codes_generated_total\"",
        ] {
            let file = sample(
                "crates/monitor/ui/src/App.svelte",
                &format!("first\n{line}\n"),
            );
            let findings = check(&file);
            assert_eq!(findings.len(), 1, "{line}");
            assert_eq!(findings[0].line, 2);
        }
        assert_eq!(
            check(&sample("crates/plan/tests/qr-plan.yaml", "")).len(),
            1
        );
    }

    #[test]
    fn other_words_and_other_crates_pass() {
        assert!(
            check(&sample(
                "crates/monitor/src/a.rs",
                "query, sqrt, Iqr0, squire"
            ))
            .is_empty()
        );
        assert!(check(&sample("crates/qr-service/src/a.rs", "use qr::encode;")).is_empty());
        assert!(check(&sample("crates/sim/src/a.rs", "qr_service::app()")).is_empty());
    }
}
