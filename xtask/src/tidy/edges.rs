//! Which crate may depend on which: the promises of ARCHITECTURE.md, held against the real manifests.
//!
//! A test may reach further than the code it tests, so dev-dependencies are free, but nothing at all depends on `sim`,
//! which knows everything.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Finding, SourceFile};

/// May depend on every crate of the workspace.
const EVERYTHING: &[&str] = &["*"];

/// Crate, and the crates of this workspace that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("telemetry", &[]),
    ("qr", &[]),
    ("qr-service", &["telemetry", "qr", "world"]),
    ("model", &[]),
    ("world", &[]),
    ("promql", &["model"]),
    ("logql", &["model"]),
    ("storage", &["model", "world"]),
    ("plan", &["model", "promql", "logql"]),
    ("alerting", &["model", "plan"]),
    (
        "monitor",
        &[
            "telemetry",
            "model",
            "world",
            "promql",
            "logql",
            "storage",
            "plan",
            "alerting",
        ],
    ),
    ("sim", EVERYTHING),
    ("xtask", &[]),
];

/// The crate on which nothing may depend, tests included.
const LEAF: &str = "sim";

/// What a manifest says.
pub(super) struct Package {
    name: String,
    manifest: SourceFile,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    for_tests_only: bool,
}

/// Reads `cargo metadata`.
pub(super) fn packages(metadata: &Value, files: &[SourceFile]) -> Result<Vec<Package>> {
    let listed = metadata["packages"].as_array().context("no packages")?;
    listed.iter().map(|one| package(one, files)).collect()
}

fn package(one: &Value, files: &[SourceFile]) -> Result<Package> {
    let name = one["name"].as_str().context("a package without a name")?;
    let path = one["manifest_path"].as_str().context("no manifest path")?;
    let manifest = files
        .iter()
        .find(|file| file.path.contains('/') && path.ends_with(&format!("/{}", file.path)))
        .with_context(|| format!("{path} is not committed"))?;
    let dependencies = one["dependencies"]
        .as_array()
        .context("a package without dependencies")?
        .iter()
        .map(|dependency| Dependency {
            name: dependency["name"].as_str().unwrap_or_default().to_owned(),
            for_tests_only: dependency["kind"].as_str() == Some("dev"),
        })
        .collect();
    Ok(Package {
        name: name.to_owned(),
        manifest: SourceFile {
            path: manifest.path.clone(),
            text: manifest.text.clone(),
        },
        dependencies,
    })
}

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .flat_map(|package| check_package(package, packages))
        .collect()
}

fn check_package(package: &Package, packages: &[Package]) -> Vec<Finding> {
    let row = ALLOWED.iter().find(|(name, _)| *name == package.name);
    let Some((_, allowed)) = row else {
        let what = "this crate has no row in xtask/src/tidy/edges.rs: give it a promise first";
        return vec![package.manifest.finding(1, what)];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let ours = packages.iter().any(|known| known.name == name);
        let fine = dependency.for_tests_only || *allowed == EVERYTHING || allowed.contains(&name);
        if ours && (name == LEAF || !fine) {
            let what = format!("`{}` must not depend on `{name}`", package.name);
            findings.push(package.manifest.finding(line_of(package, name), what));
        }
    }
    findings
}

fn line_of(package: &Package, dependency: &str) -> usize {
    let names = |line: &str| {
        line.strip_prefix(dependency)
            .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    let found = package.manifest.lines().find(|(_, line)| names(line));
    found.map_or(1, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let lines = dependencies
            .iter()
            .map(|(name, _)| format!("{name}.workspace = true\n"));
        let text = format!("[dependencies]\n{}", lines.collect::<String>());
        Package {
            name: name.to_owned(),
            manifest: sample(&format!("crates/{name}/Cargo.toml"), &text),
            dependencies: dependencies
                .iter()
                .map(|(name, for_tests_only)| Dependency {
                    name: (*name).to_owned(),
                    for_tests_only: *for_tests_only,
                })
                .collect(),
        }
    }

    fn workspace(changed: Package) -> Vec<String> {
        let mut packages: Vec<Package> = ["model", "qr", "sim", "world"]
            .into_iter()
            .filter(|name| *name != changed.name)
            .map(|name| package(name, &[]))
            .collect();
        packages.push(changed);
        check(&packages).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn allowed_edges_and_foreign_crates_pass() {
        assert!(workspace(package("storage", &[("model", false), ("zstd", false)])).is_empty());
        assert!(workspace(package("model", &[("world", true)])).is_empty());
        assert!(workspace(package("sim", &[("qr", false)])).is_empty());
    }

    #[test]
    fn forbidden_edges_are_found_at_their_line() {
        assert_eq!(
            workspace(package("storage", &[("model", false), ("qr", false)])),
            ["crates/storage/Cargo.toml:3: `storage` must not depend on `qr`"]
        );
        assert_eq!(workspace(package("model", &[("sim", true)])).len(), 1);
        assert_eq!(workspace(package("util", &[])).len(), 1);
    }
}
