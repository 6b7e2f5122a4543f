//! A difference between two plans as text, as Markdown and for programs: one list of sentences, three faces.

use std::collections::BTreeMap;
use std::time::Duration;

use plan::diff::{Change, ChangeKind, CoverageEffect, Part, PlanDiff, PropertyChange};
use serde_json::{Value, json};

use super::backtest::short;
use super::diff::Replayed;
use crate::backtest::RuleFirings;

/// Longer texts (steps, panels, descriptions) are cut: where two differ is what counts.
const TEXT_CHARS_MAX: usize = 160;

/// For people at a terminal.
pub(super) fn as_text(diff: &PlanDiff, replayed: Option<&Replayed>) -> String {
    if diff.is_empty() {
        return "the plans mean the same\n".to_owned();
    }
    let mut text = String::new();
    for change in &diff.changes {
        text += &format!("{} {}\n", sign(&change.kind), title(change));
        for line in details(change) {
            text += &format!("    {line}\n");
        }
    }
    for (heading, lines) in sections(diff, replayed) {
        text += &format!("\n{heading}\n");
        for line in lines {
            text += &format!("  {line}\n");
        }
    }
    text
}

/// For a comment on a change.
pub(super) fn as_markdown(diff: &PlanDiff, replayed: Option<&Replayed>) -> String {
    if diff.is_empty() {
        return "The plans mean the same.\n".to_owned();
    }
    let mut text = "### What changes in the monitoring plan\n\n".to_owned();
    for change in &diff.changes {
        text += &format!("- {} **{}**\n", word(&change.kind), escaped(&title(change)));
        for line in details(change) {
            text += &format!("  - {}\n", escaped(&line));
        }
    }
    for (heading, lines) in sections(diff, replayed) {
        text += &format!("\n#### {}\n\n", capital(&heading));
        for line in lines {
            text += &format!("- {}\n", escaped(&line));
        }
    }
    text
}

/// For programs.
pub(super) fn as_json(diff: &PlanDiff, replayed: Option<&Replayed>) -> Value {
    let change = |own: &Change| {
        let (added, changed) = match &own.kind {
            ChangeKind::Added(properties) => (properties.clone(), Vec::new()),
            ChangeKind::Removed => (Vec::new(), Vec::new()),
            ChangeKind::Changed(changed) => (Vec::new(), changed.clone()),
        };
        let changed = changed.iter().map(|own| {
            json!({
                "property": own.property,
                "old": own.old,
                "new": own.new,
                "consequence": own.consequence,
            })
        });
        json!({
            "part": own.part.noun(),
            "name": own.name,
            "change": word(&own.kind),
            "properties": added.into_iter().collect::<BTreeMap<_, _>>(),
            "changed": changed.collect::<Vec<_>>(),
        })
    };
    let coverage = &diff.coverage;
    let side = |own: &plan::diff::Guarded| {
        json!({
            "metrics": own.declared.len(),
            "guarded_by_alerts": own.by_alerts.len(),
            "on_dashboards": own.on_dashboards.len(),
        })
    };
    json!({
        "equal": diff.is_empty(),
        "changes": diff.changes.iter().map(change).collect::<Vec<_>>(),
        "coverage": {
            "old": side(&coverage.old),
            "new": side(&coverage.new),
            "unguarded": coverage.unguarded().collect::<Vec<_>>(),
            "not_on_a_dashboard": coverage.unshown().collect::<Vec<_>>(),
        },
        "backtest": replayed.map(|own| json!({
            "old": super::backtest::as_json(&own.old),
            "new": super::backtest::as_json(&own.new),
        })),
    })
}

fn sign(kind: &ChangeKind) -> char {
    match kind {
        ChangeKind::Added(_) => '+',
        ChangeKind::Removed => '-',
        ChangeKind::Changed(_) => '~',
    }
}

fn word(kind: &ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added(_) => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed(_) => "changed",
    }
}

fn title(change: &Change) -> String {
    format!("{} {}", change.part.noun(), change.name)
        .trim_end()
        .to_owned()
}

fn details(change: &Change) -> Vec<String> {
    match &change.kind {
        // What is new is read in the plan; an alert's essence is worth a look here.
        ChangeKind::Added(properties) if change.part == Part::Alert => {
            let essence = ["expression", "for", "severity", "who is paged"];
            let own = properties.iter().filter(|(name, _)| essence.contains(name));
            own.map(|(name, text)| format!("{name}: {text}")).collect()
        }
        ChangeKind::Added(_) | ChangeKind::Removed => Vec::new(),
        ChangeKind::Changed(changed) => changed.iter().map(property).collect(),
    }
}

fn property(change: &PropertyChange) -> String {
    let shown = |text: &str| match text {
        "" => "nothing".to_owned(),
        text if text.chars().count() > TEXT_CHARS_MAX => {
            let cut: String = text.chars().take(TEXT_CHARS_MAX).collect();
            format!("{cut}…")
        }
        text => text.to_owned(),
    };
    let (old, new) = (shown(&change.old), shown(&change.new));
    let consequence = match change.consequence.as_str() {
        "" => String::new(),
        text => format!(" ({text})"),
    };
    let name = change.property;
    if old == new {
        // They differ past the cut.
        return format!("{name} changed{consequence}");
    }
    format!("{name}: {old} -> {new}{consequence}")
}

/// What the difference does, under headings.
fn sections(diff: &PlanDiff, replayed: Option<&Replayed>) -> Vec<(String, Vec<String>)> {
    let mut sections = Vec::new();
    let coverage = coverage(&diff.coverage);
    if !coverage.is_empty() {
        sections.push(("coverage".to_owned(), coverage));
    }
    if let Some(replayed) = replayed {
        let span = replayed.new.span;
        let length = short(span.until.since(span.from));
        sections.push((format!("over the last {length}"), firings(replayed)));
    }
    sections
}

fn coverage(effect: &CoverageEffect) -> Vec<String> {
    let mut lines = Vec::new();
    let (old, new) = (&effect.old, &effect.new);
    let shares = [
        ("alert coverage", old.alerted_share(), new.alerted_share()),
        ("dashboard coverage", old.shown_share(), new.shown_share()),
    ];
    for (name, old, new) in shares {
        let points = (new - old) * 100.0;
        if points != 0.0 {
            let verb = if points < 0.0 { "loses" } else { "gains" };
            let points = crate::rules::readable(points.abs());
            let share = crate::rules::readable(new * 100.0);
            lines.push(format!(
                "{verb} {points} % of {name}: {share} % of the metrics now"
            ));
        }
    }
    let leaves = effect
        .unguarded()
        .map(|name| format!("leaves {name} unguarded"));
    lines.extend(leaves);
    let hides = effect
        .unshown()
        .map(|name| format!("leaves {name} on no dashboard"));
    lines.extend(hides);
    lines
}

/// How much more or less fires and pages.
fn firings(replayed: &Replayed) -> Vec<String> {
    let (old, new) = (&replayed.old, &replayed.new);
    let by_name = |rules: &[RuleFirings]| -> BTreeMap<String, (usize, Duration)> {
        let of_rule = |rule: &RuleFirings| {
            let figures = (rule.firings.len(), rule.length(new.span));
            (rule.rule.clone(), figures)
        };
        rules.iter().map(of_rule).collect()
    };
    let (before, after) = (by_name(&old.rules), by_name(&new.rules));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let mut lines = Vec::new();
    for name in names {
        let was = before.get(name).copied().unwrap_or_default();
        let is = after.get(name).copied().unwrap_or_default();
        if was != is {
            let count = more_or_less(was.0, is.0, "fires", "time");
            let (was, is) = (short(was.1), short(is.1));
            lines.push(format!("{name} {count}, {is} in all instead of {was}"));
        }
    }
    if lines.is_empty() {
        lines.push("everything fires as before".to_owned());
    }
    let all = more_or_less(old.pages(), new.pages(), "it sends", "page");
    lines.push(all);
    lines
}

/// `fires 3 more times (2 before)`.
fn more_or_less(old: usize, new: usize, verb: &str, noun: &str) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    match new.abs_diff(old) {
        0 => format!("{verb} as many {noun}s ({old})"),
        by if new > old => format!("{verb} {by} more {noun}{} ({old} before)", plural(by)),
        by => format!("{verb} {by} fewer {noun}{} ({old} before)", plural(by)),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Signs that Markdown would take for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '#' | '|') {
            escaped.push('\\');
        }
        escaped.push(if letter == '\n' { ' ' } else { letter });
    }
    escaped
}

#[cfg(test)]
mod tests {
    use plan::diff::diff;

    use super::*;

    const PLAN: &str = "
format: 1
service: shop
targets: [{job: shop, url: 'http://shop.test:80/metrics'}]
metrics:
  - {name: stock, type: gauge, meaning: goods, group: application}
  - {name: heat, type: gauge, meaning: how hot it is, group: application}
rule_groups:
  - name: shop
    rules:
      - {alert: NoStock, expr: stock < 1, for: 2m, severity: critical, escalation: ladder}
      - {alert: Hot, expr: heat > 40, severity: warning, escalation: ladder}
escalation_policies: [{name: ladder, levels: [{after: 0, roles: [on-call]}]}]
";

    fn changed() -> PlanDiff {
        let read = |text: &str| plan::parse("plan.yaml", text).0.unwrap();
        let hot = "      - {alert: Hot, expr: heat > 40, severity: warning, escalation: ladder}";
        let cold = "      - {alert: Cold, expr: stock < 0, severity: warning, escalation: ladder}";
        let new = PLAN
            .replacen("for: 2m", "for: 5m", 1)
            .replacen(hot, cold, 1);
        diff(&read(PLAN), &read(&new))
    }

    #[test]
    fn as_people_read_it() {
        let expect = "\
+ alert Cold
    expression: stock < 0
    severity: warning
    who is paged: on-call, once
- alert Hot
~ alert NoStock
    for: 2m -> 5m

coverage
  loses 50 % of alert coverage: 50 % of the metrics now
  leaves heat unguarded
";
        assert_eq!(as_text(&changed(), None), expect);
    }

    #[test]
    fn as_a_comment() {
        let text = as_markdown(&changed(), None);
        assert!(
            text.contains("- changed **alert NoStock**\n  - for: 2m -> 5m\n"),
            "{text}"
        );
        assert!(text.contains("  - expression: stock \\< 0\n"), "{text}");
        assert!(text.contains("#### Coverage\n\n- loses 50 %"), "{text}");
    }

    #[test]
    fn as_a_program_reads_it() {
        let json = as_json(&changed(), None);
        assert_eq!(json["equal"], false);
        assert_eq!(json["changes"][1]["change"], "removed");
        assert_eq!(json["changes"][2]["changed"][0]["new"], "5m");
        assert_eq!(json["coverage"]["unguarded"][0], "heat");
    }

    #[test]
    fn more_and_fewer() {
        let check = |old, new, expect: &str| {
            assert_eq!(more_or_less(old, new, "fires", "time"), expect);
        };
        check(2, 5, "fires 3 more times (2 before)");
        check(5, 4, "fires 1 fewer time (5 before)");
        check(4, 4, "fires as many times (4)");
        check(0, 1, "fires 1 more time (0 before)");
    }
}
