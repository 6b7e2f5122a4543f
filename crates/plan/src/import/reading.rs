//! What the readers of the sections share: the lines, what became of them, and what has been found so far.

use crate::{MetricGroup, MetricType};

use super::account::{Account, Fate, LineAccount, Remark, Weight};
use super::document::{Kind, LINE_BYTES_MAX, Line};
use super::outline::Map;
use super::topic::Topic;
use super::{Options, words};

/// The most items of one kind that are read. Past it a document is a generated table, and its plan is one nobody reviews.
pub(super) const ITEMS_MAX: usize = 500;

/// A metric of the document, or one that its expressions read.
pub(super) struct MetricDraft {
    pub(super) name: String,
    pub(super) metric_type: MetricType,
    pub(super) labels: Vec<String>,
    pub(super) group: MetricGroup,
    pub(super) unit: &'static str,
    pub(super) meaning: String,
    /// Its line; `None` for what only expressions name.
    pub(super) line: Option<usize>,
    /// The title right above it.
    pub(super) under: String,
}

/// An alert of the document.
pub(super) struct AlertDraft {
    pub(super) name: String,
    pub(super) expr: String,
    pub(super) hold: String,
    pub(super) keep_firing: String,
    pub(super) critical: bool,
    pub(super) labels: Vec<(String, String)>,
    pub(super) summary: String,
    pub(super) description: String,
    /// The rule group that it stands in.
    pub(super) group: String,
    pub(super) lines: Vec<usize>,
    /// What somebody should know who reads the rule.
    pub(super) remarks: Vec<String>,
}

/// A probe of the document.
pub(super) struct ProbeDraft {
    /// `liveness`, `readiness` or `health`: its name and its kind.
    pub(super) kind: &'static str,
    pub(super) path: String,
    pub(super) interval: String,
    pub(super) dependencies: Vec<String>,
    pub(super) lines: Vec<usize>,
}

/// A procedure of the document.
pub(super) struct ProcedureDraft {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) steps: Vec<Map>,
    pub(super) lines: Vec<usize>,
}

/// The state of one import.
pub(super) struct Reading<'d> {
    pub(super) lines: &'d [Line],
    pub(super) options: &'d Options,
    fates: Vec<Option<Fate>>,
    remarks: Vec<Remark>,

    pub(super) service: String,
    pub(super) title: String,
    pub(super) metrics: Vec<MetricDraft>,
    pub(super) alerts: Vec<AlertDraft>,
    pub(super) probes: Vec<ProbeDraft>,
    /// Lines that name dependencies of the service.
    pub(super) dependency_lines: Vec<usize>,
    pub(super) procedures: Vec<ProcedureDraft>,
    pub(super) dashboards: Vec<Map>,
    pub(super) objectives: Vec<Map>,
    pub(super) log_classes: Vec<Map>,
    pub(super) log_categories: Vec<Map>,
    pub(super) levels: Vec<Map>,
    pub(super) critical_paths: Vec<Map>,
    pub(super) coverage: Map,
    pub(super) metrics_path: String,
    pub(super) scrape_interval: String,
    pub(super) metrics_retention: String,
    /// Whether something reads the machine's own figures.
    pub(super) needs_host: bool,
}

impl<'d> Reading<'d> {
    pub(super) fn new(lines: &'d [Line], options: &'d Options) -> Reading<'d> {
        Reading {
            lines,
            options,
            fates: vec![None; lines.len()],
            remarks: Vec::new(),
            service: String::new(),
            title: String::new(),
            metrics: Vec::new(),
            alerts: Vec::new(),
            probes: Vec::new(),
            dependency_lines: Vec::new(),
            procedures: Vec::new(),
            dashboards: Vec::new(),
            objectives: Vec::new(),
            log_classes: Vec::new(),
            log_categories: Vec::new(),
            levels: Vec::new(),
            critical_paths: Vec::new(),
            coverage: Map::new(),
            metrics_path: "/metrics".to_owned(),
            scrape_interval: String::new(),
            metrics_retention: String::new(),
            needs_host: false,
        }
    }

    /// The items and rows of a topic that nothing has read yet.
    pub(super) fn statements(&self, topic: Topic) -> Vec<usize> {
        self.open(topic, |line| matches!(line.kind, Kind::Item | Kind::Row))
    }

    /// The lines of a topic that hold content and that nothing has read yet.
    pub(super) fn content(&self, topic: Topic) -> Vec<usize> {
        self.open(topic, |line| {
            matches!(line.kind, Kind::Item | Kind::Row | Kind::Code | Kind::Prose)
        })
    }

    fn open(&self, topic: Topic, wanted: fn(&Line) -> bool) -> Vec<usize> {
        let lines = self.lines.iter().enumerate();
        lines
            .filter(|(at, line)| line.topic == topic && wanted(line) && self.fates[*at].is_none())
            .map(|(at, _)| at)
            .collect()
    }

    /// The line stands in the plan here (and where else it was said to).
    pub(super) fn map(&mut self, line: usize, place: impl Into<String>) {
        let place = place.into();
        match &mut self.fates[line] {
            Some(Fate::Mapped(places)) if places.contains(&place) => {}
            Some(Fate::Mapped(places)) => places.push(place),
            fate => *fate = Some(Fate::Mapped(vec![place])),
        }
    }

    /// The line does not stand in the plan, and that is right. What was decided before stays.
    pub(super) fn explain(&mut self, line: usize, reason: impl Into<String>) {
        let fate = &mut self.fates[line];
        fate.get_or_insert_with(|| Fate::Explained(reason.into()));
    }

    /// The line should stand in the plan. What was decided before stays.
    pub(super) fn unread(&mut self, line: usize, reason: impl Into<String>) {
        let fate = &mut self.fates[line];
        fate.get_or_insert_with(|| Fate::Unread(reason.into()));
    }

    /// The line was mapped, but what it gave was refused by the plan's own reader.
    pub(super) fn refuse(&mut self, line: usize, reason: &str) {
        self.fates[line] = Some(Fate::Unread(reason.to_owned()));
    }

    pub(super) fn note(&mut self, line: Option<usize>, text: impl Into<String>) {
        self.remark(line, Weight::Note, text.into());
    }

    pub(super) fn warn(&mut self, line: Option<usize>, text: impl Into<String>) {
        self.remark(line, Weight::Warning, text.into());
    }

    fn remark(&mut self, line: Option<usize>, weight: Weight, text: String) {
        let line = line.map(|at| at + 1);
        self.remarks.push(Remark { line, weight, text });
    }

    /// Whether there is room for one more of a kind; says so of the line where there is none.
    pub(super) fn room(&mut self, line: usize, taken: usize) -> bool {
        if taken >= ITEMS_MAX {
            self.unread(line, format!("more than {ITEMS_MAX} items of this kind"));
        }
        taken < ITEMS_MAX
    }

    /// A metric by its name.
    pub(super) fn metric(&self, name: &str) -> Option<&MetricDraft> {
        self.metrics.iter().find(|own| own.name == name)
    }

    /// Where a probe of this kind stands.
    pub(super) fn probe_of(&self, kinds: &[&str]) -> Option<&ProbeDraft> {
        kinds
            .iter()
            .find_map(|kind| self.probes.iter().find(|own| own.kind == *kind))
    }

    /// How often the service is scraped, and with it everything that follows its samples.
    pub(super) fn interval(&self) -> &str {
        if self.scrape_interval.is_empty() {
            "15s"
        } else {
            &self.scrape_interval
        }
    }

    /// A name that none of these has yet: with a number behind it where one has.
    pub(super) fn fresh(wanted: String, taken: impl Fn(&str) -> bool) -> String {
        if !taken(&wanted) {
            return wanted;
        }
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        numbered
            .into_iter()
            .find(|name| !taken(name))
            .unwrap_or(wanted)
    }

    /// The account, after everything was read. What nothing has read yet is explained by what it is.
    pub(super) fn account(mut self) -> Account {
        for at in 0..self.lines.len() {
            self.settle(at);
        }
        let settled = self.lines.iter().zip(self.fates).enumerate();
        let lines = settled.map(|(at, (line, fate))| LineAccount {
            number: at + 1,
            text: line.raw.clone(),
            fate: fate.unwrap_or_else(|| Fate::Unread("nothing reads such a line".to_owned())),
        });
        let lines = lines.collect();
        let mut remarks = self.remarks;
        remarks.sort_by_key(|remark| remark.line);
        Account { lines, remarks }
    }

    fn settle(&mut self, at: usize) {
        let lines = self.lines;
        let line = &lines[at];
        match line.kind {
            Kind::Blank => self.explain(at, "blank"),
            Kind::Fence => self.explain(at, "start or end of a block"),
            Kind::Rule => self.explain(at, "rule"),
            Kind::Heading => self.explain(at, "heading"),
            Kind::Title => self.explain(at, "title of what follows"),
            Kind::TableHead => self.explain(at, "head of a table"),
            Kind::TooLong => self.unread(at, format!("a line of more than {LINE_BYTES_MAX} bytes")),
            Kind::Prose => self.explain(at, "text for people; the plan has no place for it"),
            Kind::Item | Kind::Row | Kind::Code if line.topic == Topic::None => {
                let above = line.titles.first().map_or("no heading", String::as_str);
                self.explain(
                    at,
                    format!("no part of a plan is about what stands under \"{above}\""),
                );
            }
            Kind::Item | Kind::Row | Kind::Code => {
                self.unread(
                    at,
                    format!(
                        "nothing in it says what it is as part of {}",
                        line.topic.noun()
                    ),
                );
            }
        }
    }
}

/// Whether two texts are the same words.
pub(super) fn same_words(one: &str, other: &str) -> bool {
    words::split(one) == words::split(other)
}
