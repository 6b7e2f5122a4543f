//! The metrics of a document: `name (type by label)` in lists and blocks, or rows of a table.

use crate::{MetricGroup, MetricType};

use super::document::Line;
use super::reading::{MetricDraft, Reading};
use super::topic::Topic;
use super::{guess, words};

/// Words of titles that say to which group of coverage metrics belong. The nearest title with one of them decides.
const GROUPS: [(&[&str], MetricGroup); 3] = [
    (
        &[
            "business",
            "user",
            "users",
            "customer",
            "customers",
            "feature",
            "features",
            "engagement",
            "product",
            "revenue",
        ],
        MetricGroup::Business,
    ),
    (
        &[
            "performance",
            "application",
            "service",
            "request",
            "requests",
            "api",
            "traffic",
            "throughput",
        ],
        MetricGroup::Application,
    ),
    (
        &[
            "memory",
            "system",
            "resource",
            "resources",
            "infrastructure",
            "host",
            "node",
            "runtime",
            "cpu",
            "disk",
            "network",
        ],
        MetricGroup::Infrastructure,
    ),
];

const TYPES: [(&str, MetricType); 4] = [
    ("counter", MetricType::Counter),
    ("gauge", MetricType::Gauge),
    ("histogram", MetricType::Histogram),
    ("summary", MetricType::Summary),
];

pub(super) fn read(reading: &mut Reading<'_>) {
    for at in reading.content(Topic::Metrics) {
        let line = &reading.lines[at];
        let Some(written) = Written::of(line) else {
            continue;
        };
        if !reading.room(at, reading.metrics.len()) {
            continue;
        }
        if reading.metric(&written.name).is_some() {
            let name = &written.name;
            reading.warn(
                Some(at),
                format!("`{name}` stands in the document more than once; the first is taken"),
            );
            reading.explain(at, format!("again `{name}`, which is read already"));
            continue;
        }
        take(reading, at, written);
    }
}

fn take(reading: &mut Reading<'_>, at: usize, written: Written) {
    let Written {
        name,
        metric_type,
        labels,
        meaning,
    } = written;
    let metric_type = metric_type.unwrap_or_else(|| {
        let metric_type = guess::type_by_name(&name);
        let text = format!(
            "`{name}` has no type; taken for a {} by its name",
            metric_type.as_str()
        );
        reading.warn(Some(at), text);
        metric_type
    });
    let titles = &reading.lines[at].titles;
    let group = titles.iter().find_map(|title| {
        let decisive = GROUPS
            .iter()
            .find(|(decisive, _)| words::has(title, decisive));
        decisive.map(|(_, group)| *group)
    });
    let under = titles.first().cloned().unwrap_or_default();
    let group = group.unwrap_or_else(|| {
        let text = format!(
            "no title above `{name}` says to which group it belongs; it counts as application"
        );
        reading.note(Some(at), text);
        MetricGroup::Application
    });
    let unit = guess::unit(&name, metric_type);
    if let Some(why) = unit.why {
        reading.note(
            Some(at),
            format!("`{name}` is taken in {}: {why}", unit.name),
        );
    }
    reading.map(at, format!("metrics.{name}"));
    reading.metrics.push(MetricDraft {
        name,
        metric_type,
        labels,
        group,
        unit: unit.name,
        meaning,
        line: Some(at),
        under,
    });
}

/// A metric as a line names it.
struct Written {
    name: String,
    metric_type: Option<MetricType>,
    labels: Vec<String>,
    meaning: String,
}

impl Written {
    fn of(line: &Line) -> Option<Written> {
        if line.cells.is_empty() {
            Written::of_text(&line.text)
        } else {
            Written::of_row(line)
        }
    }

    /// `name (type by label, label) - meaning`, `name: type, meaning`, `name`.
    fn of_text(text: &str) -> Option<Written> {
        let end = text.find(|letter: char| letter.is_whitespace() || "(:{,".contains(letter));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        let rest = rest.trim();
        let (inside, behind) = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((inside, behind)) => (inside, behind),
            None => match rest.strip_prefix([':', '-', '–', '—']) {
                Some(behind) => match behind
                    .trim_start()
                    .split_once(['-', '–', '—', ',', ';', '.'])
                {
                    Some((first, meaning)) if type_of(first).is_some() => (first, meaning),
                    _ if type_of(behind).is_some() => (behind, ""),
                    _ => ("", behind),
                },
                None => ("", ""),
            },
        };
        let metric_type = type_of(inside);
        // Without a type only what can be nothing but a metric's name is one: "- requests" is a word.
        let sure = metric_type.is_some() || name.contains('_');
        let alone =
            metric_type.is_some() || rest.is_empty() || rest.starts_with([':', '-', '–', '—', '(']);
        (model::is_metric_name(name) && sure && alone).then(|| Written {
            name: name.to_owned(),
            metric_type,
            labels: labels_of(inside),
            meaning: behind
                .trim_start_matches([':', '-', '–', '—', ' '])
                .trim()
                .to_owned(),
        })
    }

    fn of_row(line: &Line) -> Option<Written> {
        let name = line
            .cell(&["metric", "name"])
            .or_else(|| line.cells.first().map(|(_, cell)| cell.as_str()))?;
        let type_cell = line.cell(&["type", "kind"]).unwrap_or("");
        let mut written = Written::of_text(name)?;
        written.metric_type = written.metric_type.or_else(|| type_of(type_cell));
        let labels = line
            .cell(&["labels", "label", "dimensions", "tags"])
            .unwrap_or("");
        written.labels.extend(labels_of(&format!("by {labels}")));
        written.labels.extend(labels_of(type_cell));
        let meaning = line.cell(&["description", "meaning", "help", "purpose", "what"]);
        written.meaning = meaning.unwrap_or(&written.meaning).to_owned();
        Some(written)
    }
}

fn type_of(text: &str) -> Option<MetricType> {
    let words = words::split(text);
    let found = TYPES
        .iter()
        .find(|(word, _)| words.iter().any(|own| own == word));
    found.map(|(_, metric_type)| *metric_type)
}

/// Names behind "by", "labels" or "per": `counter by method, status`.
fn labels_of(text: &str) -> Vec<String> {
    const BEFORE: [&str; 7] = [
        "by", "labels", "label", "per", "labelled", "labeled", "with",
    ];
    let names = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let mut names = names.filter(|name| !name.is_empty());
    if !names.any(|word| BEFORE.contains(&word.to_ascii_lowercase().as_str())) {
        return Vec::new();
    }
    let mut labels: Vec<String> = Vec::new();
    for name in names {
        let joins = BEFORE.contains(&name) || name == "and";
        if !joins && model::is_label_name(name) && !labels.iter().any(|own| own == name) {
            labels.push(name.to_owned());
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_as_people_write_them() {
        let check = |text: &str, expect: &str| {
            let found = Written::of_text(text).map(|own| {
                let metric_type = own.metric_type.map_or("?", MetricType::as_str);
                format!(
                    "{} {metric_type} [{}] {}",
                    own.name,
                    own.labels.join(" "),
                    own.meaning
                )
            });
            assert_eq!(
                found.as_deref().map_or("-", str::trim_end),
                expect,
                "{text}"
            );
        };
        check("orders_total (counter)", "orders_total counter []");
        check(
            "orders_total (Counter by shop and kind)",
            "orders_total counter [shop kind]",
        );
        check(
            "orders_total (counter, labels: shop, kind): Orders taken.",
            "orders_total counter [shop kind] Orders taken.",
        );
        check(
            "orders_total - counter - Orders taken",
            "orders_total counter [] Orders taken",
        );
        check(
            "queue_length: gauge, what waits",
            "queue_length gauge [] what waits",
        );
        check("queue_length: what waits", "queue_length ? [] what waits");
        check("queue_length", "queue_length ? []");
        check("up (gauge)", "up gauge []");
        check("requests", "-");
        check("See the orders (counter)", "-");
        check("orders_total is what we sell", "-");
        check("", "-");
    }
}
