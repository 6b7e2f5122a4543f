//! No registry host and no path of somebody's machine: both work where they were written and nowhere else. A lock file
//! with download addresses, for one, breaks for everybody who uses a mirror.

use super::{Finding, SourceFile};

/// In two parts each, so that this file does not break its own rule.
const HOSTS: &[&str] = &[
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("deb.", "debian.org"),
    concat!("archive.", "ubuntu.com"),
    concat!("files.python", "hosted.org"),
    concat!("proxy.", "golang.org"),
];
/// Where home folders and checkouts begin. A path that goes on from another name (`a/work/b`) is not meant.
const FOLDERS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.lines() {
        for host in HOSTS.iter().filter(|host| line.contains(**host)) {
            findings.push(file.finding(at, format!("names the registry host {host}")));
        }
        for folder in FOLDERS.iter().filter(|folder| holds_path(line, folder)) {
            findings.push(file.finding(at, format!("holds a path of a machine, under {folder}")));
        }
    }
    findings
}

fn holds_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let relative = before.is_some_and(|c| c.is_alphanumeric() || "._-}~*".contains(c));
        let after = line[at + folder.len()..].chars().next();
        !relative && after.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn hosts_and_paths_are_found() {
        for line in [
            format!("\"resolved\": \"https://{}/vite\"", HOSTS[0]),
            format!("let data = \"{}main\";", FOLDERS[0]),
            format!("cd {}ada/src", FOLDERS[2]),
        ] {
            let findings = check(&sample("docs/a.md", &format!("\n{line}\n")));
            assert_eq!(findings.len(), 1, "{line}");
            assert_eq!(findings[0].line, 2);
        }
    }

    #[test]
    fn relative_paths_and_addresses_pass() {
        for line in [
            format!("https://example.com{}x", FOLDERS[0]),
            format!("..{}x", FOLDERS[0]),
            format!("the folder {} itself", FOLDERS[2]),
        ] {
            assert!(check(&sample("docs/a.md", &line)).is_empty(), "{line}");
        }
    }
}
