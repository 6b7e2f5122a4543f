//! Exports of the real plan, judged by the tools that they are for: Debian's promtool and amtool.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::checks::Checks;
use crate::repository::PLAN;

const CONTACTS: &str = "plans/contacts.example.yaml";

/// Each format with the files that it gives.
const FORMATS: [(&str, &[&str]); 7] = [
    ("prometheus", &["rules.yml"]),
    ("alertmanager", &["alertmanager.yml"]),
    (
        "grafana",
        &["cache-performance.json", "request-overview.json"],
    ),
    ("loki", &["loki-retention.yaml"]),
    (
        "kubernetes",
        &["deployment-probes.yaml", "servicemonitor.yaml"],
    ),
    ("openslo", &["openslo.yaml"]),
    ("blackbox", &["blackbox.yml", "prometheus-scrapes.yml"]),
];

/// Where exports come from and go to, and their judges.
pub(super) struct Exports<'a> {
    pub(super) root: &'a Path,
    pub(super) belfry: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) promtool: Option<PathBuf>,
    pub(super) amtool: Option<PathBuf>,
}

impl Checks {
    pub(super) fn exports(&mut self, exports: &Exports<'_>) {
        for (format, files) in FORMATS {
            self.check(&format!("belfry export {format} writes its files"), |_| {
                exports.write(format)?;
                for file in files {
                    let path = exports.folder.join(format).join(file);
                    let text = fs::read_to_string(&path)
                        .with_context(|| format!("{} is not there", path.display()))?;
                    ensure!(!text.is_empty(), "{file} is empty");
                }
                Ok(())
            });
        }
        let judges: [(&str, &Option<PathBuf>, &[&str], &str); 3] = [
            (
                "promtool takes the exported rules",
                &exports.promtool,
                &["check", "rules"],
                "prometheus/rules.yml",
            ),
            (
                "amtool takes the exported configuration",
                &exports.amtool,
                &["check-config"],
                "alertmanager/alertmanager.yml",
            ),
            (
                "promtool takes the exported scrapes",
                &exports.promtool,
                &["check", "config", "--syntax-only"],
                "blackbox/prometheus-scrapes.yml",
            ),
        ];
        for (name, judge, words, file) in judges {
            self.check(name, |_| {
                let judge = judge
                    .as_ref()
                    .context("it is missing: `cargo run -p xtask -- tools` fetches it")?;
                run(Command::new(judge)
                    .args(words)
                    .arg(exports.folder.join(file)))
            });
        }
    }
}

impl Exports<'_> {
    fn write(&self, format: &str) -> Result<()> {
        let mut command = Command::new(&self.belfry);
        command
            .args(["export", format, PLAN, "--contacts", CONTACTS, "--out"])
            .arg(self.folder.join(format))
            .current_dir(self.root);
        run(&mut command)
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    bail!("{}{}", text(&output.stdout), text(&output.stderr))
}
