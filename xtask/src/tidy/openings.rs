//! Every Rust file opens with `//!`, which says what it is for: a newcomer reads a file's first lines, then its code.

use super::{Finding, SourceFile};

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let opens = file.text.strip_prefix("//!");
    let says_something =
        opens.is_some_and(|rest| !rest.lines().next().unwrap_or("").trim().is_empty());
    if !file.is_rust() || says_something {
        return Vec::new();
    }
    vec![file.finding(1, "open the file with `//! what it is for`")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn a_file_must_say_what_it_is_for() {
        assert!(check(&sample("crates/a/src/lib.rs", "//! Why.\nfn a() {}\n")).is_empty());
        assert!(check(&sample("crates/a/a.ts", "let a;\n")).is_empty());
        for text in ["", "fn a() {}\n//! Late.\n", "// Why.\n", "//!\n//! Why.\n"] {
            assert_eq!(
                check(&sample("crates/a/src/lib.rs", text)).len(),
                1,
                "{text:?}"
            );
        }
    }
}
