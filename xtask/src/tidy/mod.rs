//! Rules on the sources that no compiler checks. Each is a function from what it reads to findings, and each has a test
//! with a small sample that breaks it: a rule that cannot fail guards nothing.

mod addresses;
mod edges;
mod lengths;
mod macros;
mod openings;
mod selects;
mod source_text;
mod words;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::repository;

/// A committed text file.
pub(crate) struct SourceFile {
    /// From the root, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }

    fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            what: what.into(),
        }
    }
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

type FileRule = fn(&SourceFile) -> Vec<Finding>;

/// Rules that look at one file at a time.
const FILE_RULES: [(&str, FileRule); 5] = [
    ("no word of the application in the monitor", words::check),
    ("every Rust file opens with //!", openings::check),
    ("every select! is biased", selects::check),
    ("no unfinished macro", macros::check),
    ("no registry host, no path of a machine", addresses::check),
];

/// `xtask tidy`: one line for each rule, findings below it.
pub(crate) fn command() -> Result<ExitCode> {
    let root = repository::root()?;
    let files = read(&root)?;
    let mut broken = 0;
    for (rule, findings) in check(&root, &files)? {
        println!(
            "{} {rule}",
            if findings.is_empty() {
                "ok    "
            } else {
                "BROKEN"
            }
        );
        broken += usize::from(!findings.is_empty());
        for finding in findings {
            println!("         {finding}");
        }
    }
    for finding in files.iter().filter_map(lengths::check) {
        println!("long   {finding}");
    }
    println!(
        "{} rules hold, {broken} are broken",
        FILE_RULES.len() + 1 - broken
    );
    Ok(ExitCode::from(u8::from(broken > 0)))
}

fn check(root: &Path, files: &[SourceFile]) -> Result<Vec<(&'static str, Vec<Finding>)>> {
    let packages = edges::packages(&repository::metadata(root)?, files)?;
    let mut report = vec![(
        "crates depend only where the architecture allows",
        edges::check(&packages),
    )];
    for (rule, check_file) in FILE_RULES {
        report.push((rule, files.iter().flat_map(check_file).collect()));
    }
    Ok(report)
}

/// Every committed file that is text.
fn read(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for path in repository::files(root)? {
        let bytes = fs::read(root.join(&path)).with_context(|| format!("{path} cannot be read"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(SourceFile { path, text });
        }
    }
    Ok(files)
}

#[cfg(test)]
fn sample(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_rules() {
        let root = repository::root().unwrap();
        let report = check(&root, &read(&root).unwrap()).unwrap();
        let findings: Vec<String> = report
            .iter()
            .flat_map(|(rule, findings)| findings.iter().map(move |one| format!("{rule}: {one}")))
            .collect();
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }
}
