//! What happens when an alert fires: who is told when (levels of an escalation), and what the responder does (procedures).

use super::document::Kind;
use super::outline::Map;
use super::phrases::CPU_UTILIZATION;
use super::reading::{ProcedureDraft, Reading, same_words};
use super::topic::Topic;
use super::{clean, quantities, words};

/// The one policy that a document's levels make.
pub(super) const POLICY: &str = "standard";
/// Words around a role that are not part of its name.
const AROUND: [&str; 21] = [
    "automated",
    "automatic",
    "alert",
    "alerts",
    "notification",
    "notifications",
    "notify",
    "notified",
    "escalation",
    "escalate",
    "escalates",
    "engineer",
    "page",
    "paged",
    "pages",
    "email",
    "sms",
    "call",
    "to",
    "the",
    "is",
];
/// Words of a step that changes something.
const CHANGES: [&str; 22] = [
    "restart", "scale", "rollback", "roll", "failover", "fail", "revert", "redeploy", "clear",
    "flush", "increase", "decrease", "disable", "enable", "kill", "drain", "block", "purge",
    "restore", "switch", "reboot", "delete",
];
const STEPS_MAX: usize = 50;
const NAME_CHARS_MAX: usize = 60;

pub(super) fn read_levels(reading: &mut Reading<'_>) {
    let mut last: Option<std::time::Duration> = None;
    for at in reading.statements(Topic::Escalation) {
        let line = &reading.lines[at];
        let statement = line.statement();
        let Some((when, who)) = clean::at_colon(&statement) else {
            continue;
        };
        let inside = when.split_once('(').map_or(when, |(_, inside)| inside);
        let cell = line.cell(&["time", "when", "after", "window", "timeframe"]);
        let written = cell
            .and_then(quantities::start)
            .or_else(|| quantities::start(inside));
        let who = line
            .cell(&[
                "who",
                "role",
                "roles",
                "contact",
                "notify",
                "action",
                "responder",
                "team",
            ])
            .unwrap_or(who);
        let Some(after) = written.or_else(|| reading.levels.is_empty().then(|| "0".to_owned()))
        else {
            reading.unread(at, "it does not say when the level is told");
            continue;
        };
        let roles = roles(reading, at, who);
        if roles.is_empty() {
            reading.unread(at, "it does not say who is told");
            continue;
        }
        let Some(after) = in_order(reading, at, after, last) else {
            continue;
        };
        last = model::parse_duration(&after).ok();
        let number = reading.levels.len() + 1;
        reading.map(at, format!("escalation_policies.{POLICY}.levels.{number}"));
        reading.levels.push(
            Map::new()
                .from([at])
                .text("after", after)
                .texts("roles", roles),
        );
    }
    if reading.levels.is_empty() && reading.alerts.iter().any(|alert| alert.critical) {
        let level = Map::new()
            .text("after", "0")
            .texts("roles", vec!["on-call".to_owned()]);
        reading.levels.push(level);
        reading.warn(None, "the document does not say who is told; whoever is `on-call` is paged at once, and nobody after them");
    }
}

/// A level that is told later than the one before it; the first is told at once.
fn in_order(
    reading: &mut Reading<'_>,
    at: usize,
    after: String,
    last: Option<std::time::Duration>,
) -> Option<String> {
    let length = model::parse_duration(&after).ok()?;
    match last {
        None if !length.is_zero() => {
            reading.warn(Some(at), format!("the first level is told at once, not after {after}: nobody else is there before it"));
            Some("0".to_owned())
        }
        Some(last) if length <= last => {
            reading.unread(at, "it is not later than the level before it");
            None
        }
        None | Some(_) => Some(after),
    }
}

fn roles(reading: &mut Reading<'_>, at: usize, who: &str) -> Vec<String> {
    let mut roles: Vec<String> = Vec::new();
    for part in who
        .split([',', ';', '+', '/', '&'])
        .flat_map(|part| part.split(" and "))
    {
        // `on-call` is one word here.
        let all: Vec<&str> = part.split_whitespace().collect();
        let named =
            |word: &&&str| !AROUND.contains(&word.to_ascii_lowercase().trim_end_matches('.'));
        let kept: Vec<&str> = all.iter().filter(named).copied().collect();
        // An "engineer" alone is a role, an "alert" alone is not.
        let engineer = kept.is_empty() && words::has(part, &["engineer"]);
        let role = if engineer {
            "engineer".to_owned()
        } else {
            words::slug(&kept.join(" "), NAME_CHARS_MAX)
        };
        if role.is_empty() {
            if !part.trim().is_empty() {
                reading.note(
                    Some(at),
                    format!("\"{}\" is no role: pages go out by themselves", part.trim()),
                );
            }
        } else if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles
}

pub(super) fn read_procedures(reading: &mut Reading<'_>) {
    for at in reading.statements(Topic::Procedures) {
        let line = &reading.lines[at];
        let below = reading.lines[at + 1..]
            .iter()
            .find(|own| own.kind != Kind::Blank);
        let leads = below.is_some_and(|own| own.parent == Some(at));
        let statement = line.statement();
        let (title, steps) = match (line.parent, clean::at_colon(&statement)) {
            (Some(parent), _) => (
                clean::title(&reading.lines[parent].statement()),
                statement.as_str(),
            ),
            (None, Some((title, steps))) if !title.is_empty() => (clean::title(title), steps),
            (None, _) if leads => (clean::title(&statement), ""),
            (None, _) => (
                line.titles
                    .first()
                    .map_or(String::new(), |title| clean::title(title)),
                statement.as_str(),
            ),
        };
        if title.is_empty() {
            reading.unread(at, "nothing names the procedure that it belongs to");
            continue;
        }
        let Some(procedure) = procedure_of(reading, &title, at) else {
            continue;
        };
        let parts: Vec<&str> = if line.parent.is_none() && !steps.is_empty() && steps != statement {
            steps.split([',', ';']).collect()
        } else if steps.is_empty() {
            Vec::new()
        } else {
            vec![steps]
        };
        let id = reading.procedures[procedure].id.clone();
        reading.map(at, format!("procedures.{id}"));
        reading.procedures[procedure].lines.push(at);
        for part in parts {
            step(reading, procedure, part, at);
        }
    }
    drop_empty(reading);
}

/// The place of the procedure with this title, which is opened where it is new.
fn procedure_of(reading: &mut Reading<'_>, title: &str, at: usize) -> Option<usize> {
    if let Some(known) = reading.procedures.iter().position(|own| own.title == title) {
        return Some(known);
    }
    if !reading.room(at, reading.procedures.len()) {
        return None;
    }
    let slug = words::slug(title, NAME_CHARS_MAX);
    let wanted = if slug.is_empty() {
        "procedure".to_owned()
    } else {
        slug
    };
    let id = Reading::fresh(wanted, |id| {
        reading.procedures.iter().any(|own| own.id == id)
    });
    let title = title.to_owned();
    reading.procedures.push(ProcedureDraft {
        id,
        title,
        steps: Vec::new(),
        lines: Vec::new(),
    });
    Some(reading.procedures.len() - 1)
}

/// A step, with what Belfry can do for the responder where its words ask for that.
fn step(reading: &mut Reading<'_>, procedure: usize, text: &str, at: usize) {
    let text = words::capitalised(text.trim().trim_end_matches('.'));
    if text.is_empty() {
        return;
    }
    let ProcedureDraft { id, steps, .. } = &reading.procedures[procedure];
    if steps.len() >= STEPS_MAX {
        let text = format!("`{id}` has more than {STEPS_MAX} steps; the others are left out");
        return reading.warn(Some(at), text);
    }
    let has = |wanted: &[&str]| words::has(&text, wanted);
    let map = Map::new().from([at]).text("do", text.as_str());
    let id = id.clone();
    let help = |reading: &mut Reading<'_>, what: &str| {
        reading.note(
            Some(at),
            format!("the step \"{text}\" of `{id}` shows {what}"),
        );
    };
    let map = if has(&CHANGES) {
        map.text("changes", "true")
    } else if has(&[
        "deployment",
        "deployments",
        "deploy",
        "deploys",
        "release",
        "releases",
    ]) {
        help(reading, "what was deployed in the hour before");
        map.text("deployments", "1h")
    } else if has(&["log", "logs"]) {
        help(reading, "the log lines of the level ERROR");
        map.text("logs", "level:ERROR")
    } else if has(&["resource", "resources", "cpu"]) {
        reading.needs_host = true;
        help(reading, "the utilization of the machine's processors");
        map.text("query", CPU_UTILIZATION)
    } else if has(&["health", "healthy"])
        && let Some(probe) = reading
            .probe_of(&["health", "readiness", "liveness"])
            .map(|own| own.kind)
    {
        help(reading, &format!("the answer of the {probe} endpoint"));
        map.text("check", probe)
    } else {
        map
    };
    reading.procedures[procedure].steps.push(map);
}

fn drop_empty(reading: &mut Reading<'_>) {
    let (kept, empty) = std::mem::take(&mut reading.procedures)
        .into_iter()
        .partition(|own| !own.steps.is_empty());
    let empty: Vec<ProcedureDraft> = empty;
    reading.procedures = kept;
    for procedure in empty {
        for at in procedure.lines {
            reading.refuse(at, "a procedure without any step");
        }
    }
}

/// The procedure of each alert: the one whose title is the alert's name in words. No other is guessed.
pub(super) fn assign_procedures(reading: &mut Reading<'_>) -> Vec<Option<String>> {
    let mut found = Vec::new();
    for alert in &reading.alerts {
        let own = reading
            .procedures
            .iter()
            .find(|own| same_words(&own.title, &alert.name));
        found.push(own.map(|own| own.id.clone()));
    }
    if reading.procedures.is_empty() {
        return found;
    }
    let alerts: Vec<(usize, String)> = reading
        .alerts
        .iter()
        .map(|own| (own.lines[0], own.name.clone()))
        .collect();
    for ((at, name), procedure) in alerts.into_iter().zip(&found) {
        let text = match procedure {
            Some(id) => format!("`{name}` gets the procedure `{id}`, whose title is its name"),
            None => format!(
                "`{name}` has no procedure: no title is its name, and none is guessed; write `procedure:` with the fitting one"
            ),
        };
        reading.note(Some(at), text);
    }
    for own in 0..reading.procedures.len() {
        let ProcedureDraft {
            id, title, lines, ..
        } = &reading.procedures[own];
        if !found.iter().flatten().any(|used| used == id) {
            let (line, text) = (
                lines.first().copied(),
                format!(
                    "no alert is named like the procedure \"{title}\"; it is in the plan, and no alert leads to it yet"
                ),
            );
            reading.note(line, text);
        }
    }
    found
}
