//! The health endpoints of a document and how often what is asked: `GET /path` lines with what stands below them, and
//! "Every 30 seconds".

use super::document::{Kind, Line};
use super::reading::{ProbeDraft, Reading};
use super::topic::Topic;
use super::{clean, quantities, words};

/// Words behind the name of a dependency: "Database connectivity" is about the database.
const OF_DEPENDENCY: [&str; 11] = [
    "connection",
    "connections",
    "connectivity",
    "availability",
    "available",
    "reachable",
    "reachability",
    "status",
    "health",
    "check",
    "ping",
];
/// What a program has of its own: no dependency.
const OWN: [&str; 9] = [
    "memory",
    "cpu",
    "disk",
    "application",
    "service",
    "external",
    "dependencies",
    "uptime",
    "version",
];

/// The kinds of probes in the order in which people think of them.
const ORDER: [&str; 3] = ["liveness", "readiness", "health"];

pub(super) fn read(reading: &mut Reading<'_>) {
    let mut current: Option<Endpoint> = None;
    for at in reading.content(Topic::Health) {
        let line = &reading.lines[at];
        match path_of(line) {
            Some(path) => current = endpoint(reading, at, path),
            None => below(reading, current, at),
        }
    }
    hand_over(reading);
    for at in reading.statements(Topic::Intervals) {
        interval(reading, at);
    }
    reading
        .probes
        .sort_by_key(|own| ORDER.iter().position(|kind| *kind == own.kind));
    for probe in 0..reading.probes.len() {
        if reading.probes[probe].interval.is_empty() {
            let kind = reading.probes[probe].kind;
            reading.note(
                None,
                format!("the document does not say how often {kind} is asked; every 15 s is taken"),
            );
        }
    }
}

/// What the lines below belong to.
#[derive(Copy, Clone)]
enum Endpoint {
    Probe(usize),
    Metrics,
}

/// The path that a line names: `GET /health`, `/ready`, a row with one.
fn path_of(line: &Line) -> Option<String> {
    let statement = line.statement();
    let is_path = |word: &&str| word.len() > 1 && word.starts_with('/') && !word.starts_with("//");
    let words = statement
        .split_whitespace()
        .map(|word| word.trim_end_matches([':', ',', ';', '.', ')']));
    let words = words.map(|word| word.trim_start_matches('('));
    let mut found = words.filter(is_path);
    let path = found.next()?;
    // A sentence that mentions a path is about it, not the path itself.
    let leads = statement
        .split_whitespace()
        .take(3)
        .any(|word| word.trim_end_matches([':', ',']) == path)
        || !line.cells.is_empty();
    let fits = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~%?=&".contains(&byte));
    (leads && fits).then(|| path.to_owned())
}

fn endpoint(reading: &mut Reading<'_>, at: usize, path: String) -> Option<Endpoint> {
    let line = &reading.lines[at];
    if words::has(&path, &["metrics", "prometheus"]) {
        reading.map(at, format!("targets.{}.url", reading.service));
        reading.metrics_path = path;
        if let Some(length) = every(&line.statement()) {
            scrape_interval(reading, at, length);
        }
        return Some(Endpoint::Metrics);
    }
    let title = line
        .titles
        .first()
        .filter(|_| line.in_code)
        .map_or("", String::as_str);
    let Some(kind) = kind_of(&format!("{} {title}", line.statement())) else {
        reading.unread(
            at,
            "neither its path nor its title says whether it is liveness, readiness or health",
        );
        return None;
    };
    if reading.probe_of(&[kind]).is_some() {
        reading.warn(
            Some(at),
            format!("there is already a {kind} endpoint; the first is probed"),
        );
        reading.explain(at, format!("a second {kind} endpoint"));
        return None;
    }
    reading.map(at, format!("probes.{kind}.url"));
    let interval = every(&line.statement()).unwrap_or_default();
    reading.probes.push(ProbeDraft {
        kind,
        path,
        interval,
        dependencies: Vec::new(),
        lines: vec![at],
    });
    Some(Endpoint::Probe(reading.probes.len() - 1))
}

fn kind_of(text: &str) -> Option<&'static str> {
    let has = |wanted: &[&str]| words::has(text, wanted);
    if has(&["ready", "readiness", "readyz"]) {
        Some("readiness")
    } else if has(&[
        "detailed",
        "detail",
        "details",
        "deep",
        "full",
        "dependencies",
        "dashboard",
    ]) {
        Some("health")
    } else if has(&[
        "live",
        "liveness",
        "livez",
        "alive",
        "ping",
        "basic",
        "health",
        "healthz",
        "healthcheck",
        "status",
        "up",
    ]) {
        Some("liveness")
    } else {
        None
    }
}

/// A line below an endpoint: what its answer tells.
fn below(reading: &mut Reading<'_>, current: Option<Endpoint>, at: usize) {
    let line = &reading.lines[at];
    if !matches!(line.kind, Kind::Item | Kind::Row | Kind::Code) {
        return;
    }
    let Some(current) = current else {
        return interval(reading, at);
    };
    let Endpoint::Probe(probe) = current else {
        return reading.explain(at, "what the metrics endpoint answers is read from it");
    };
    if every(&line.text).is_some() {
        return interval(reading, at);
    }
    let kind = reading.probes[probe].kind;
    let (head, rest) = clean::at_colon(&line.text).unwrap_or(("", &line.text));
    if words::has(
        head,
        &["response", "returns", "status", "expect", "expected"],
    ) {
        let ok = quantities::quantities(rest)
            .iter()
            .any(|own| own.number == "200");
        let reason = if ok {
            "a probe succeeds with any answer of 200 to 299"
        } else {
            "a probe succeeds with an answer of 200 to 299, whatever its body says"
        };
        return reading.explain(at, reason);
    }
    if kind == "readiness" {
        return reading.explain(
            at,
            "what the endpoint answers for itself; the plan asks only whether it says ready",
        );
    }
    let named: Vec<String> = rest.split([',', ';']).filter_map(dependency).collect();
    if named.is_empty() {
        return reading.explain(
            at,
            "names no dependency of the service; the detailed answer tells about it",
        );
    }
    let place = "probes.health.dependencies";
    for name in named {
        if !reading.probes[probe].dependencies.contains(&name) {
            reading.probes[probe].dependencies.push(name);
        }
    }
    reading.dependency_lines.push(at);
    reading.map(at, place);
}

/// The dependency that a few words are about, as a name.
fn dependency(text: &str) -> Option<String> {
    let words = words::split(text);
    let metrics = words.len() == 3 && words[1..] == ["performance", "metrics"];
    let behind = words
        .last()
        .is_some_and(|last| OF_DEPENDENCY.contains(&last.as_str()));
    let first = words.first()?;
    if OWN.contains(&first.as_str()) || !(metrics || (behind && words.len() > 1)) {
        return None;
    }
    let count = if metrics { 1 } else { words.len() - 1 };
    Some(words::slug(&words[..count].join("-"), 64)).filter(|name| !name.is_empty())
}

/// Only the detailed answer tells of dependencies one by one: those that another endpoint looks at go to it.
fn hand_over(reading: &mut Reading<'_>) {
    let mut all: Vec<String> = Vec::new();
    for probe in 0..reading.probes.len() {
        for name in std::mem::take(&mut reading.probes[probe].dependencies) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
    }
    if all.is_empty() {
        return;
    }
    let lines = std::mem::take(&mut reading.dependency_lines);
    let Some(health) = reading.probes.iter_mut().find(|own| own.kind == "health") else {
        let reason =
            "no endpoint answers in detail, so its dependencies are not followed one by one";
        for at in lines {
            reading.refuse(at, reason);
        }
        return reading.warn(None, reason);
    };
    let names = all.join("`, `");
    health.dependencies = all;
    health.lines.extend(lines);
    let text = format!(
        "dependencies are looked for in the detailed answer under the names `{names}`; correct them if it calls them otherwise"
    );
    reading.note(None, text);
}

/// How often, where a text says so with "every" or as nothing but a length.
fn every(text: &str) -> Option<String> {
    let says = words::has(text, &["every", "interval", "hourly", "minutely", "each"]);
    quantities::first_length(text).filter(|_| says)
}

/// "Readiness Probe: Every 10 seconds".
fn interval(reading: &mut Reading<'_>, at: usize) {
    let statement = reading.lines[at].statement();
    let (what, often) = clean::at_colon(&statement).unwrap_or((&statement, &statement));
    let Some(length) = quantities::first_length(often) else {
        return;
    };
    let has = |wanted: &[&str]| words::has(what, wanted);
    let kinds: &[&str] = if has(&["readiness", "ready"]) {
        &["readiness"]
    } else if has(&["liveness", "live"]) {
        &["liveness"]
    } else if has(&["health", "dashboard"]) {
        &["health", "liveness"]
    } else if has(&[
        "metrics",
        "metric",
        "scrape",
        "scraping",
        "collection",
        "prometheus",
    ]) {
        return scrape_interval(reading, at, length);
    } else {
        return reading.unread(
            at,
            "it does not say what is done so often: liveness, readiness, health or metrics",
        );
    };
    let found = kinds
        .iter()
        .find_map(|kind| reading.probes.iter().position(|own| own.kind == *kind));
    let Some(probe) = found else {
        reading.warn(
            Some(at),
            format!(
                "the document names no {} endpoint to ask so often",
                kinds[0]
            ),
        );
        return reading.unread(at, "no endpoint is named that could be asked so often");
    };
    let kind = reading.probes[probe].kind;
    reading.map(at, format!("probes.{kind}.interval"));
    reading.probes[probe].interval = length;
    reading.probes[probe].lines.push(at);
}

fn scrape_interval(reading: &mut Reading<'_>, at: usize, length: String) {
    reading.map(at, format!("targets.{}.interval", reading.service));
    reading.note(
        Some(at),
        format!(
            "rules are evaluated every {length} too: as often as there is something new to see"
        ),
    );
    reading.scrape_interval = length;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_by_name() {
        let check = |text: &str, expect: &str| {
            assert_eq!(dependency(text).as_deref().unwrap_or("-"), expect, "{text}")
        };
        check("Database connectivity", "database");
        check("message queue availability", "message-queue");
        check("Cache performance metrics", "cache");
        check("Memory usage status", "-");
        check("External service dependencies", "-");
        check("All is well", "-");
        check("connection", "-");
    }
}
