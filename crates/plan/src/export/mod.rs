//! The plan in the words of other tools: what runs on Prometheus, Alertmanager, Grafana, Loki, Kubernetes, OpenSLO and the
//! blackbox exporter, for whoever keeps them beside Belfry or leaves it.
//!
//! Each format takes what it can carry and says in notes what it cannot: silence would pass for agreement. Pure: the plan in,
//! texts out. YAML is written by hand (`yaml`), since people read and keep these files, with comments, and no serialiser of
//! ours writes those.

mod alertmanager;
mod alertmanager_receivers;
mod blackbox;
mod go_template;
mod grafana;
mod kubernetes;
mod loki;
mod mute_times;
mod openslo;
mod prometheus;
mod yaml;

use crate::expression::names_read;
use crate::series::{Writer, writer};
use crate::{Contacts, Expression, Plan};

/// A format that a plan can be exported to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A rule file.
    Prometheus,
    /// Alertmanager's configuration.
    Alertmanager,
    /// Dashboards, a file each.
    Grafana,
    /// Retention of log streams.
    Loki,
    /// Probes of a container, and ServiceMonitors.
    Kubernetes,
    /// Objectives with their indicators and alerts.
    OpenSlo,
    /// Modules of the blackbox exporter, and the scrapes that ask it.
    Blackbox,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [ExportFormat; 7] = [
        ExportFormat::Prometheus,
        ExportFormat::Alertmanager,
        ExportFormat::Grafana,
        ExportFormat::Loki,
        ExportFormat::Kubernetes,
        ExportFormat::OpenSlo,
        ExportFormat::Blackbox,
    ];

    /// Its word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            ExportFormat::Prometheus => "prometheus",
            ExportFormat::Alertmanager => "alertmanager",
            ExportFormat::Grafana => "grafana",
            ExportFormat::Loki => "loki",
            ExportFormat::Kubernetes => "kubernetes",
            ExportFormat::OpenSlo => "openslo",
            ExportFormat::Blackbox => "blackbox",
        }
    }
}

/// A plan in another tool's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// The files, each with the name that it usually has.
    pub files: Vec<ExportedFile>,
    /// What the format cannot carry, a sentence each.
    pub notes: Vec<String>,
}

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its name, without folders.
    pub name: String,
    /// All of it.
    pub text: String,
}

impl Export {
    fn file(&mut self, name: impl Into<String>, text: String) {
        let name = name.into();
        self.files.push(ExportedFile { name, text });
    }

    /// Notes a sentence once.
    fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The plan in a format. Contacts matter where people do; without any nobody is told.
pub fn export(format: ExportFormat, plan: &Plan, contacts: &Contacts) -> Export {
    match format {
        ExportFormat::Prometheus => prometheus::export(plan),
        ExportFormat::Alertmanager => alertmanager::export(plan, contacts),
        ExportFormat::Grafana => grafana::export(plan),
        ExportFormat::Loki => loki::export(plan),
        ExportFormat::Kubernetes => kubernetes::export(plan),
        ExportFormat::OpenSlo => openslo::export(plan),
        ExportFormat::Blackbox => blackbox::export(plan),
    }
}

/// Series that Prometheus itself or the blackbox exporter write under the same names.
const ALSO_WRITTEN_BY_PROMETHEUS: [&str; 5] = [
    "up",
    "scrape_",
    "ALERTS",
    "probe_success",
    "probe_duration_seconds",
];

/// Names that an expression reads and that nothing but Belfry writes, each once.
fn written_by_belfry_only(plan: &Plan, expression: &Expression) -> Vec<String> {
    let mut names: Vec<String> = names_read(expression).into_iter().flatten().collect();
    names.retain(|name| {
        let declared = plan.metrics.iter().find(|metric| metric.name == *name);
        let is_belfrys = match declared {
            Some(metric) => metric.source.is_none(),
            None => writer(name) != Writer::Target,
        };
        is_belfrys
            && !ALSO_WRITTEN_BY_PROMETHEUS
                .iter()
                .any(|own| name.starts_with(own))
    });
    names.sort();
    names.dedup();
    names
}

/// Names in a row: `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A name in the characters that Kubernetes and OpenSLO take: small letters, digits and `-`, not at the ends.
fn dns_label(name: &str) -> String {
    let small = name.to_ascii_lowercase();
    let label: String = small
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    label.trim_matches('-').to_owned()
}
