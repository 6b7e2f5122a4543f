//! Loki's retention: a period for each class of lines, by the labels `level` and `category`.

use std::time::Duration;

use model::format_duration;

use super::yaml::{Map, document, plain};
use super::{Export, listed};
use crate::{LogClass, Plan};

/// Loki's index has a table a day, and it refuses periods below.
const PERIOD_MIN: Duration = Duration::from_secs(24 * 3600);

/// A category's class goes before the level's.
const PRIORITY_LEVEL: u32 = 1;
const PRIORITY_CATEGORY: u32 = 2;

const HEAD: &str = "How long Loki keeps the lines of SERVICE, written by `belfry export loki`. Merge it into Loki's configuration.
Lines must carry `level` (and `category` where the plan has classes by category) as labels of their stream: retention
looks at labels only, not at structured metadata and not into the line.";

pub(super) fn export(plan: &Plan) -> Export {
    let mut export = Export::default();
    let classes = &plan.logs.classes;
    let Some(longest) = classes.iter().map(|class| class.keep).max() else {
        export.note("the plan has no log classes, so there is nothing to keep");
        return export;
    };
    let streams: Vec<Map> = classes.iter().map(|own| stream(own, &mut export)).collect();
    let mut limits = Map::new();
    limits
        .comment("What no stream below selects is kept as long as the longest class: too long rather than too short.")
        .put("retention_period", plain(format_duration(period(longest))))
        .put("retention_stream", streams);
    let mut map = Map::new();
    map.put("limits_config", limits);
    map.comment("Without the compactor's retention Loki deletes nothing.");
    let mut compactor = Map::new();
    compactor
        .put("retention_enabled", plain(true))
        .comment("Where requests to delete are kept: the store that Loki writes to.")
        .put("delete_request_store", "filesystem");
    map.put("compactor", compactor);
    export.file(
        "loki-retention.yaml",
        document(&HEAD.replace("SERVICE", &plan.service), map),
    );
    notes(plan, &mut export);
    export
}

fn stream(class: &LogClass, export: &mut Export) -> Map {
    let selector = match (&class.level, &class.category) {
        (_, Some(category)) => format!("{{category={category:?}}}"),
        // Shippers write levels in small letters or in large ones.
        (Some(level), None) => {
            format!("{{level=~\"(?i){}\"}}", level.as_str().to_ascii_lowercase())
        }
        (None, None) => "{level=\"\"}".to_owned(),
    };
    if class.keep < PERIOD_MIN {
        export.note(format!(
            "{} is kept for {}, but Loki keeps nothing for less than {}, which is written instead",
            class.name,
            format_duration(class.keep),
            format_duration(PERIOD_MIN)
        ));
    }
    let priority = match class.category {
        Some(_) => PRIORITY_CATEGORY,
        None => PRIORITY_LEVEL,
    };
    let mut map = Map::new();
    map.comment(&class.name)
        .put("selector", selector)
        .put("priority", plain(priority))
        .put("period", plain(format_duration(period(class.keep))));
    map
}

fn period(keep: Duration) -> Duration {
    keep.max(PERIOD_MIN)
}

fn notes(plan: &Plan, export: &mut Export) {
    let by_category: Vec<String> = plan
        .logs
        .classes
        .iter()
        .filter_map(|class| class.category.clone())
        .collect();
    if !by_category.is_empty() {
        export.note(format!(
            "the class of {} needs a label `category` on its streams; lines without it are kept as their level says",
            listed(&by_category)
        ));
    }
    let names = plan
        .logs
        .categories
        .iter()
        .map(|category| category.name.clone());
    let without_label: Vec<String> = names.filter(|name| !by_category.contains(name)).collect();
    if !without_label.is_empty() {
        export.note(format!(
            "the categories {} have no label that Loki could tell apart; their lines are kept as their class says, and whether they arrive is not checked",
            listed(&without_label)
        ));
    }
    for file in &plan.logs.follow {
        export.note(format!(
            "{} is followed by Belfry; a collector must read it for Loki and set the labels `level` and `category`",
            file.path
        ));
    }
}
