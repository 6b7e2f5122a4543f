//! Monitoring plans that were written for people, as plans that run; and Prometheus' rule files.
//!
//! Promise: total and honest. Any text gives a plan that [`crate::parse`] accepts (unless the caller's own names are none), and
//! an account in which every line stands once: mapped, explained, or unread. What the document leaves open and the import
//! chooses is announced with its reason; what cannot be known is left out rather than made up.
//!
//! Reading order: `document` turns text into lines with titles and topics; one file a section (`metrics`, `alerts`, `logs`,
//! `health`, `response`, `dashboards`, `targets`, `coverage`) reads those of its topic; `assemble` makes an `outline` of what was found, and
//! `writer` writes it. What the plan's own reader then refuses is taken out again, and its lines are unread for that reason.

mod account;
mod alerts;
mod assemble;
mod clean;
mod coverage;
mod dashboards;
mod document;
mod guess;
mod health;
mod logs;
mod matching;
mod metrics;
mod outline;
mod phrases;
mod quantities;
mod reading;
mod response;
mod rule_files;
mod targets;
mod topic;
mod words;
mod writer;
mod written_rules;

use std::collections::BTreeMap;

pub use account::{Account, Fate, LineAccount, Remark, Weight};
pub use rule_files::{Fidelity, RuleAccount, RulesImport, Verdict, rule_files};

use crate::Diagnostic;
use crate::diagnostics::quote;
use crate::limits::TEXT_BYTES_MAX;
use crate::series::{Writer, writer as writer_of};

use document::{Kind, LINES_MAX};
use guess::Read;
use outline::Map;
use reading::{MetricDraft, Reading};

/// The most rounds of taking out what the plan's own reader refuses. Each takes out at least one item and most take all.
const ROUNDS_MAX: usize = 50;
const SERVICE_DEFAULT: &str = "service";
const BASE_URL_DEFAULT: &str = "http://127.0.0.1:8080";
/// Words that could stand over any plan and so name no service.
const GENERIC: [&str; 29] = [
    "how",
    "we",
    "monitor",
    "monitored",
    "what",
    "production",
    "prod",
    "monitoring",
    "metrics",
    "metric",
    "plan",
    "plans",
    "observability",
    "alerting",
    "alerts",
    "strategy",
    "document",
    "documentation",
    "guide",
    "spec",
    "specification",
    "overview",
    "and",
    "the",
    "for",
    "of",
    "our",
    "a",
    "runbook",
];

/// What the caller knows and the document may not.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What comments call the document.
    pub file: String,
    /// The service's name; else the document's title is asked.
    pub service: Option<String>,
    /// Where the service answers, without a path: `http://shop.example.org:8080`.
    pub base_url: Option<String>,
}

/// A plan made from a document.
#[derive(Clone, Debug)]
pub struct Import {
    /// The plan's text.
    pub yaml: String,
    /// What became of each line.
    pub account: Account,
    /// Errors that the plan's text still has: about names that the caller gave. Empty for any document.
    pub refused: Vec<Diagnostic>,
}

/// A Markdown document as a plan.
pub fn document(bytes: &[u8], options: &Options) -> Import {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let (read, beyond) = text.split_at(end_of_what_is_read(text));
    let lines = document::read(read);
    let mut reading = Reading::new(&lines, options);
    if let Some(damaged) = lines.iter().position(|line| line.damaged) {
        let count = lines.iter().filter(|line| line.damaged).count();
        let which = if count == 1 {
            "letters of this line were damaged; it".to_owned()
        } else {
            format!("letters of {count} lines were damaged; this one")
        };
        let text = format!("{which} is read as \"{}\"", lines[damaged].text);
        reading.note(Some(damaged), text);
    }
    name_service(&mut reading);
    metrics::read(&mut reading);
    alerts::read(&mut reading);
    logs::read(&mut reading);
    health::read(&mut reading);
    response::read_levels(&mut reading);
    response::read_procedures(&mut reading);
    dashboards::read(&mut reading);
    targets::read(&mut reading);
    coverage::read(&mut reading);
    let mut outline = assemble::plan(&mut reading);
    let (yaml, refused) = accepted(&mut outline, |lines, reason| {
        let first = lines.first().copied();
        let about = first.map_or(String::new(), |at| quote(&reading.lines[at].raw));
        reading.warn(first, format!("left out: {about} {reason}"));
        for line in lines {
            reading.refuse(*line, reason);
        }
    });
    let mut account = reading.account();
    account
        .lines
        .extend(beyond.lines().enumerate().map(|(at, line)| LineAccount {
            number: lines.len() + at + 1,
            text: line.trim().to_owned(),
            fate: Fate::Unread(format!(
                "past {TEXT_BYTES_MAX} bytes or {LINES_MAX} lines nothing is read"
            )),
        }));
    Import {
        yaml,
        account,
        refused,
    }
}

/// Where reading ends: a document's first lines up to its bounds.
fn end_of_what_is_read(text: &str) -> usize {
    let ends = text
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .chain([text.len()]);
    ends.take(LINES_MAX)
        .take_while(|end| *end <= TEXT_BYTES_MAX)
        .last()
        .unwrap_or(0)
}

/// The service's name and the plan's title, from the caller or the document's first heading.
fn name_service(reading: &mut Reading<'_>) {
    // The first heading names the document only where it stands above all others.
    let heading = reading
        .lines
        .iter()
        .position(|line| line.kind == Kind::Heading)
        .filter(|at| !reading.lines[*at].raw.starts_with("##"));
    let title = heading.map_or(String::new(), |at| clean::title(&reading.lines[at].text));
    let named: Vec<&str> = title
        .split_whitespace()
        .filter(|word| {
            words::split(word)
                .iter()
                .any(|part| !GENERIC.contains(&part.as_str()))
        })
        .collect();
    let slug = words::slug(&named.join(" "), 60);
    if let Some(at) = heading {
        if slug.is_empty() {
            reading.explain(
                at,
                "it says what kind of document this is and names no service",
            );
        } else if at == 0
            || reading.lines[..at]
                .iter()
                .all(|line| line.kind == Kind::Blank)
        {
            reading.map(at, "title");
            reading.title = title;
        }
    }
    reading.service = match (&reading.options.service, reading.title.is_empty()) {
        (Some(given), _) => given.clone(),
        (None, false) => {
            reading.note(
                heading,
                format!("the service is named `{slug}` by the title; `--service` says another"),
            );
            slug
        }
        (None, true) => {
            let text = format!(
                "the document names no service; `{SERVICE_DEFAULT}` stands for it. Give its name with `--service`"
            );
            reading.warn(None, text);
            SERVICE_DEFAULT.to_owned()
        }
    };
}

/// Where the service answers; announced where nobody said so.
fn base_url(reading: &mut Reading<'_>) -> String {
    if let Some(given) = &reading.options.base_url {
        return given.trim_end_matches('/').to_owned();
    }
    let text = format!(
        "the document names no address; {BASE_URL_DEFAULT} stands for it. Give it with `--base-url`"
    );
    reading.warn(None, text);
    BASE_URL_DEFAULT.to_owned()
}

/// Declares a metric that an expression reads and the document does not list.
fn declare(reading: &mut Reading<'_>, line: Option<usize>, reader: &str, read: &Read) {
    let whole = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| read.name.strip_suffix(suffix));
    reading.needs_host |= read.name.starts_with("host_");
    let known = reading
        .metric(&read.name)
        .or_else(|| whole.and_then(|whole| reading.metric(whole)));
    if known.is_some() || writer_of(&read.name) != Writer::Target {
        return;
    }
    let (name, metric_type) = (&read.name, read.metric_type);
    let text = format!(
        "{reader} reads `{name}`, which no list of metrics has; it is declared as a {}, because {}",
        metric_type.as_str(),
        read.why
    );
    reading.warn(line, text);
    reading.metrics.push(MetricDraft {
        name: name.clone(),
        metric_type,
        labels: Vec::new(),
        group: crate::MetricGroup::Application,
        unit: guess::unit(name, metric_type).name,
        meaning: String::new(),
        line: None,
        under: "Read by alerts, but in no list of the document".to_owned(),
    });
}

/// The plan's text, without what the plan's own reader refuses. `left_out` hears what an item that goes came from, and why.
fn accepted(
    outline: &mut Map,
    mut left_out: impl FnMut(&[usize], &str),
) -> (String, Vec<Diagnostic>) {
    let (mut text, mut ranges) = writer::write(outline);
    for _ in 0..ROUNDS_MAX {
        let errors = errors(&text);
        let mut refused: BTreeMap<usize, String> = BTreeMap::new();
        for error in &errors {
            let at = error.span.at.line;
            // The innermost map comes last. The first is the whole plan.
            let innermost = ranges.iter().rposition(|lines| lines.contains(&at));
            if let Some(number) = innermost.filter(|number| *number > 0) {
                refused
                    .entry(number)
                    .or_insert_with(|| format!("the plan does not take it: {}", error.message));
            }
        }
        if refused.is_empty() {
            return (text, errors);
        }
        for (number, from) in outline.prune(&refused.keys().copied().collect()) {
            left_out(&from, refused.get(&number).map_or("", String::as_str));
        }
        (text, ranges) = writer::write(outline);
    }
    let errors = errors(&text);
    (text, errors)
}

fn errors(text: &str) -> Vec<Diagnostic> {
    let (_, found) = crate::parse("the imported plan", text);
    found.into_iter().filter(Diagnostic::is_error).collect()
}

/// Lines of the document as people count them: `7-10, 12`.
fn spans(lines: &[usize]) -> String {
    let mut sorted: Vec<usize> = lines.iter().map(|at| at + 1).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for line in sorted {
        match spans.last_mut() {
            Some((_, end)) if *end + 1 == line => *end = line,
            _ => spans.push((line, line)),
        }
    }
    let shown = spans.into_iter().map(|(start, end)| {
        if start == end {
            start.to_string()
        } else {
            format!("{start}-{end}")
        }
    });
    shown.collect::<Vec<String>>().join(", ")
}

/// "Line 7" or "Lines 7-10", for a comment.
fn lines_in_words(lines: &[usize]) -> String {
    let spans = spans(lines);
    if spans.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("Line {spans}")
    } else {
        format!("Lines {spans}")
    }
}
