//! The dashboards of a document: items that name panels in words, below items or headings that name a dashboard.

use super::document::Kind;
use super::outline::Map;
use super::phrases::{self, Drawn};
use super::reading::Reading;
use super::topic::Topic;
use super::{clean, words};

/// Words at the end of a title that every dashboard could have.
const GENERIC: [&str; 6] = [
    "metrics",
    "dashboard",
    "dashboards",
    "panel",
    "panels",
    "graphs",
];
const NAME_CHARS_MAX: usize = 60;

struct Board {
    id: String,
    title: String,
    lines: Vec<usize>,
    panels: Vec<Map>,
}

pub(super) fn read(reading: &mut Reading<'_>) {
    let mut boards: Vec<Board> = Vec::new();
    let mut panels = 0;
    for at in reading.statements(Topic::Dashboards) {
        let line = &reading.lines[at];
        let title = match line.parent {
            Some(parent) => clean::title(&reading.lines[parent].text),
            None if has_items_below(reading, at) => clean::title(&line.text),
            None => line
                .titles
                .first()
                .map_or(String::new(), |title| clean::title(title)),
        };
        let Some(board) = board_of(reading, &mut boards, without_kind(&title), at) else {
            continue;
        };
        if line.parent.is_none() && has_items_below(reading, at) {
            reading.map(at, format!("dashboards.{}", boards[board].id));
            boards[board].lines.push(at);
        } else if reading.room(at, panels) {
            let drawn = panels_of(reading, at, &boards[board].id);
            panels += drawn.len();
            boards[board].panels.extend(drawn);
        }
    }
    let drawn = boards.into_iter().filter(|board| !board.panels.is_empty());
    let maps = drawn.map(|board| {
        let map = Map::new()
            .from(board.lines)
            .text("id", board.id)
            .text("title", board.title);
        map.maps("panels", board.panels)
    });
    reading.dashboards = maps.collect();
}

fn has_items_below(reading: &Reading<'_>, at: usize) -> bool {
    let below = reading.lines[at + 1..]
        .iter()
        .find(|own| own.kind != Kind::Blank);
    below.is_some_and(|own| own.parent == Some(at))
}

/// "Dashboard: Sending" is titled "Sending".
fn without_kind(title: &str) -> &str {
    match clean::at_colon(title) {
        Some((kind, rest)) if words::has(kind, &["dashboard", "panel"]) && !rest.is_empty() => rest,
        Some(_) | None => title,
    }
}

/// The place of the dashboard with this title, which is opened where it is new.
fn board_of(
    reading: &mut Reading<'_>,
    boards: &mut Vec<Board>,
    title: &str,
    at: usize,
) -> Option<usize> {
    if let Some(known) = boards.iter().position(|own| own.title == title) {
        return Some(known);
    }
    if title.is_empty() {
        reading.unread(at, "nothing above it names a dashboard");
        return None;
    }
    if !reading.room(at, boards.len()) {
        return None;
    }
    let words: Vec<&str> = title.split_whitespace().collect();
    let kept = match words.split_last() {
        Some((last, before)) if !before.is_empty() && words::has(last, &GENERIC) => {
            before.join(" ")
        }
        _ => title.to_owned(),
    };
    let slug = words::slug(&kept, NAME_CHARS_MAX);
    let wanted = if slug.is_empty() {
        "dashboard".to_owned()
    } else {
        slug
    };
    let id = Reading::fresh(wanted, |id| boards.iter().any(|own| own.id == id));
    boards.push(Board {
        id,
        title: title.to_owned(),
        lines: Vec::new(),
        panels: Vec::new(),
    });
    Some(boards.len() - 1)
}

/// The panels that a line names: mostly one; two where it joins what has different units ("Queue size and utilization").
fn panels_of(reading: &mut Reading<'_>, at: usize, board: &str) -> Vec<Map> {
    let line = &reading.lines[at];
    let text = line
        .cells
        .first()
        .map_or(line.text.as_str(), |(_, cell)| cell);
    let phrase = clean::at_colon(text).map_or(text, |(before, _)| before);
    let parts: Vec<(String, Result<Drawn, String>)> = parts(phrase)
        .into_iter()
        .map(|part| (phrases::drawn(reading, &part), part))
        .map(|(drawn, part)| (part, drawn))
        .collect();
    let mut maps = Vec::new();
    for (part, drawn) in parts {
        match drawn {
            Ok(drawn) => {
                reading.map(at, format!("dashboards.{board}.{part}"));
                reading.needs_host |= drawn.reads_host;
                reading.note(
                    Some(at),
                    format!("the panel \"{part}\" draws {}", drawn.why),
                );
                maps.push(panel(at, part, drawn));
            }
            Err(reason) => {
                reading.warn(Some(at), format!("there is no panel \"{part}\": {reason}"));
            }
        }
    }
    if maps.is_empty() {
        reading.unread(at, "no declared metric speaks of what it names");
    }
    maps
}

fn panel(at: usize, title: String, drawn: Drawn) -> Map {
    let queries = drawn.queries.into_iter();
    let queries =
        queries.map(|(expr, legend)| Map::new().text("expr", expr).text("legend", legend));
    Map::new()
        .from([at])
        .text("title", title)
        .text("kind", drawn.kind)
        .text("unit", drawn.unit)
        .maps("queries", queries.collect())
}

/// "Queue size and utilization" as "Queue size" and "Queue utilization".
fn parts(phrase: &str) -> Vec<String> {
    let joined = phrase
        .split_once(" and ")
        .or_else(|| phrase.split_once(" & "));
    let Some((first, second)) = joined else {
        return vec![phrase.to_owned()];
    };
    let (first, second) = (first.trim(), second.trim());
    let about = first.rsplit_once(' ').map_or("", |(about, _)| about);
    let second = if second.contains(' ') || about.is_empty() {
        words::capitalised(second)
    } else {
        format!("{about} {second}")
    };
    vec![first.to_owned(), second]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_panels_are_parted() {
        let check =
            |phrase: &str, expect: &str| assert_eq!(parts(phrase).join(" | "), expect, "{phrase}");
        check(
            "Queue size and utilization",
            "Queue size | Queue utilization",
        );
        check("Request rate & error rate", "Request rate | Error rate");
        check("CPU and memory", "CPU | Memory");
        check("Demand", "Demand");
    }
}
