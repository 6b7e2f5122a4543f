//! Groups of rule files as an outline of a plan.

use std::collections::BTreeMap;

use crate::MetricType;
use crate::series::{Writer, writer};

use super::super::guess::{self, Read};
use super::super::outline::Map;
use super::super::reading::{ITEMS_MAX, Reading};
use super::super::response::POLICY;
use super::super::{BASE_URL_DEFAULT, Options, alerts, words};
use super::annotations::converted;
use super::expand::Records;
use super::read::{Group, Rule};
use super::{Fidelity, RuleAccount, Verdict};

/// How often Prometheus evaluates a group that does not say, unless its configuration does.
const INTERVAL_DEFAULT: &str = "1m";
const NAME_CHARS_MAX: usize = 60;
/// Labels that Belfry sets itself.
const LABELS_RESERVED: [&str; 3] = ["alertname", "severity", "alertstate"];

/// What carrying gathers.
#[derive(Default)]
struct Carried {
    groups: Vec<(String, Map)>,
    alerts: Vec<String>,
    metrics: BTreeMap<String, Read>,
    jobs: Vec<String>,
    any_critical: bool,
}

pub(super) fn plan(groups: &[Group], options: &Options, fidelity: &mut Fidelity) -> Map {
    let mut records = Records::new(groups);
    let mut carried = Carried::default();
    for own in groups {
        group(own, &mut records, &mut carried, fidelity);
    }
    settle_records(&records, fidelity);
    let service = service(options, &carried, fidelity);
    let base_url = options.base_url.as_deref().map_or_else(
        || {
            fidelity.warn(format!("rule files name no address; {BASE_URL_DEFAULT} stands for it. Give it with `--base-url`"));
            BASE_URL_DEFAULT
        },
        |given| given.trim_end_matches('/'),
    );
    let target = Map::new()
        .text("job", service.as_str())
        .text("url", format!("{base_url}/metrics"));
    let head = format!(
        "Made of rule files of Prometheus ({}) by `belfry import`. docs/plan.md describes the keys.",
        options.file
    );
    let level = Map::new()
        .text("after", "0")
        .texts("roles", vec!["on-call".to_owned()]);
    let policy = Map::new().text("name", POLICY).maps("levels", vec![level]);
    let policies = if carried.alerts.is_empty() {
        Vec::new()
    } else {
        vec![policy]
    };
    if carried.any_critical {
        fidelity.warn("rule files do not say who is told; whoever is `on-call` is paged at once, and nobody after them");
    }
    let metrics = metrics(&carried, &service, fidelity);
    Map::new()
        .comment(head)
        .text("format", "1")
        .text("service", service)
        .section("targets", "What is scraped.", vec![target])
        .section(
            "metrics",
            "What the rules read. Types are guessed from how it is read.",
            metrics,
        )
        .section(
            "rule_groups",
            "Alerts.",
            carried.groups.into_iter().map(|(_, map)| map).collect(),
        )
        .section("escalation_policies", "Who is told when.", policies)
}

/// The caller's name, else the one job that all expressions select.
fn service(options: &Options, carried: &Carried, fidelity: &mut Fidelity) -> String {
    if let Some(given) = &options.service {
        return given.clone();
    }
    match carried.jobs.as_slice() {
        [only] if !words::slug(only, NAME_CHARS_MAX).is_empty() => {
            let name = words::slug(only, NAME_CHARS_MAX);
            fidelity.note(format!(
                "the service is named `{name}`, after the one job that the rules select"
            ));
            name
        }
        _ => {
            fidelity.warn("rule files name no service; `service` stands for it. Give its name with `--service`");
            "service".to_owned()
        }
    }
}

fn group(own: &Group, records: &mut Records, carried: &mut Carried, fidelity: &mut Fidelity) {
    let slug = words::slug(&own.name, NAME_CHARS_MAX);
    let wanted = if slug.is_empty() {
        "group".to_owned()
    } else {
        slug
    };
    let name = Reading::fresh(wanted, |name| {
        carried.groups.iter().any(|(known, _)| known == name)
    });
    let mut rules = Vec::new();
    for rule in &own.rules {
        let index = fidelity.rules.len();
        fidelity.rules.push(RuleAccount {
            file: own.file.clone(),
            line: rule.line,
            group: own.name.clone(),
            name: rule.name.clone(),
            records: rule.records,
            verdict: Verdict::Exactly,
        });
        if rule.records {
            continue;
        }
        let verdict = match alert(rule, index, records, carried) {
            Ok((map, changes)) => {
                rules.push(map);
                if changes.is_empty() {
                    Verdict::Exactly
                } else {
                    Verdict::Changed(changes)
                }
            }
            Err(reason) => Verdict::NotCarried(reason),
        };
        fidelity.rules[index].verdict = verdict;
    }
    for key in &own.others {
        fidelity.warn(format!(
            "`{key}` of the group {} has no counterpart in the plan",
            own.name
        ));
    }
    if rules.is_empty() {
        return;
    }
    let mut interval = own.interval.as_str();
    if interval.is_empty() {
        let name = &own.name;
        fidelity.note(format!(
            "the group {name} does not say how often it is evaluated; {INTERVAL_DEFAULT}, as Prometheus does"
        ));
        interval = INTERVAL_DEFAULT;
    }
    let map = Map::new()
        .text("name", name.as_str())
        .text("interval", interval)
        .maps("rules", rules);
    carried.groups.push((name, map));
}

/// A rule of the plan and what was changed for it; or why there is none.
fn alert(
    rule: &Rule,
    index: usize,
    records: &mut Records,
    carried: &mut Carried,
) -> Result<(Map, Vec<String>), String> {
    if rule.expr.is_empty() || rule.name.is_empty() {
        return Err("it has no name or no expression".to_owned());
    }
    if carried.alerts.len() >= ITEMS_MAX {
        return Err(format!("more than {ITEMS_MAX} alerts"));
    }
    let mut changes = Vec::new();
    let (expr, expanded) = records.expand(&rule.expr)?;
    for name in expanded {
        changes.push(format!(
            "the recorded series `{name}` is written out as its expression"
        ));
    }
    let critical = severity(rule, &mut changes);
    let name = name(rule, critical, carried, &mut changes)?;
    note_reads(&expr, carried);
    let labels = labels(rule, &mut changes);
    let (summary, description) = texts(rule, &mut changes);
    let map = Map::new()
        .from([index])
        .text("alert", name.as_str())
        .text("expr", expr)
        .text("for", rule.hold.as_str())
        .text("keep_firing_for", rule.keep_firing.as_str())
        .text("severity", if critical { "critical" } else { "warning" })
        .map("labels", "", labels)
        .text("summary", summary)
        .text("description", description)
        .text("escalation", POLICY);
    carried.any_critical |= critical;
    carried.alerts.push(name);
    Ok((map, changes))
}

fn severity(rule: &Rule, changes: &mut Vec<String>) -> bool {
    let written = rule
        .labels
        .iter()
        .find(|(name, _)| name == "severity")
        .map_or("", |(_, value)| value);
    let critical = alerts::severity(written).unwrap_or(false);
    let word = if critical { "critical" } else { "warning" };
    if written.is_empty() {
        changes.push(format!(
            "it has no severity; `{word}`, since nothing says that it must wake somebody"
        ));
    } else if written != word {
        changes.push(format!("the severity `{written}` became `{word}`"));
    }
    critical
}

/// Names of alerts are unique in a plan: of several of one name the others carry their severity, or a number.
fn name(
    rule: &Rule,
    critical: bool,
    carried: &Carried,
    changes: &mut Vec<String>,
) -> Result<String, String> {
    let taken = |name: &str| carried.alerts.iter().any(|own| own == name);
    let mut name = rule.name.clone();
    if !model::is_metric_name(&name) {
        name = words::camel(&name);
    }
    if !model::is_metric_name(&name) {
        return Err("its name has no letters that a plan's names may have".to_owned());
    }
    if taken(&name) {
        let tail = if critical { "Critical" } else { "Warning" };
        let named = format!("{name}{tail}");
        let numbered = (2..=ITEMS_MAX).map(|number| format!("{named}{number}"));
        let free = std::iter::once(named.clone())
            .chain(numbered)
            .find(|name| !taken(name));
        name = free.ok_or_else(|| "too many alerts have its name".to_owned())?;
    }
    if name != rule.name {
        changes.push(format!(
            "it is named `{name}`: a plan's alerts have names of their own, without blanks"
        ));
    }
    Ok(name)
}

fn labels(rule: &Rule, changes: &mut Vec<String>) -> Map {
    let mut labels = Map::new();
    for (name, value) in &rule.labels {
        if name == "severity" {
            continue;
        }
        if value.contains("{{") {
            changes.push(format!(
                "the label `{name}` is left out: a plan's labels are no templates"
            ));
        } else if LABELS_RESERVED.contains(&name.as_str())
            || !model::is_label_name(name)
            || name == model::METRIC_NAME
        {
            changes.push(format!(
                "the label `{name}` is left out: Belfry sets it itself, or it is no label's name"
            ));
        } else {
            labels = labels.text(name, value.as_str());
        }
    }
    labels
}

/// Summary and description. What a plan has no key for becomes a line of the description.
fn texts(rule: &Rule, changes: &mut Vec<String>) -> (String, String) {
    let mut summary = String::new();
    let mut description = String::new();
    let mut further = Vec::new();
    for (key, text) in &rule.annotations {
        let (written, changed) = converted(text);
        changes.extend(
            changed
                .into_iter()
                .map(|change| format!("in `{key}`: {change}")),
        );
        match key.as_str() {
            "summary" => summary = written.split_whitespace().collect::<Vec<&str>>().join(" "),
            "description" => description = written,
            "message"
                if description.is_empty()
                    && !rule.annotations.iter().any(|(own, _)| own == "description") =>
            {
                changes.push("`message` became the description".to_owned());
                description = written;
            }
            "runbook_url" | "runbook" => further.push(("Runbook", key, written)),
            "dashboard_url" | "dashboard" => further.push(("Dashboard", key, written)),
            other => changes.push(format!("the annotation `{other}` is left out")),
        }
    }
    for (word, key, text) in further {
        changes.push(format!("`{key}` became a line of the description"));
        if !description.is_empty() {
            description.push('\n');
        }
        description.push_str(&format!("{word}: {text}"));
    }
    (summary, description)
}

fn note_reads(expr: &str, carried: &mut Carried) {
    let Ok(parsed) = promql::parse(expr) else {
        return;
    };
    for selector in parsed.selectors() {
        for matcher in selector.matchers {
            let fixed = matcher.name() == "job" && matcher.op() == model::MatchOp::Equal;
            if fixed && !carried.jobs.iter().any(|job| job == matcher.value()) {
                carried.jobs.push(matcher.value().to_owned());
            }
        }
    }
    for read in guess::metrics_read(&parsed) {
        match carried.metrics.get(&read.name) {
            Some(known) if guess::rank(known.metric_type) >= guess::rank(read.metric_type) => {}
            Some(_) | None => {
                carried.metrics.insert(read.name.clone(), read);
            }
        }
    }
}

fn metrics(carried: &Carried, service: &str, fidelity: &mut Fidelity) -> Vec<Map> {
    let mut maps = Vec::new();
    for (name, read) in &carried.metrics {
        if writer(name) != Writer::Target || part_of_another(name, carried) {
            continue;
        }
        fidelity.note(format!(
            "`{name}` is declared as a {}, because {}",
            read.metric_type.as_str(),
            read.why
        ));
        let map = Map::new()
            .text("name", name.as_str())
            .text("type", read.metric_type.as_str());
        let map = map
            .text("unit", guess::unit(name, read.metric_type).name)
            .text("group", "application");
        maps.push(map.text("required", "false"));
    }
    if !maps.is_empty() {
        fidelity.note("no metric is required: rules say what is read, not what must be there");
    }
    for job in carried.jobs.iter().filter(|job| *job != service) {
        fidelity.note(format!("the rules select the job `{job}`; series have it only if a target of the plan is named so"));
    }
    maps
}

/// Whether a name is the sum or the count of a histogram or summary that is declared itself.
fn part_of_another(name: &str, carried: &Carried) -> bool {
    let whole = ["_sum", "_count"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix));
    let declared = whole.and_then(|whole| carried.metrics.get(whole));
    declared
        .is_some_and(|own| matches!(own.metric_type, MetricType::Histogram | MetricType::Summary))
}

/// Records have no place of their own in a plan.
fn settle_records(records: &Records, fidelity: &mut Fidelity) {
    for rule in fidelity.rules.iter_mut().filter(|rule| rule.records) {
        rule.verdict = if records.is_used(&rule.name) {
            Verdict::Changed(vec![
                "no rule of its own: its expression stands where an alert reads it".to_owned(),
            ])
        } else {
            Verdict::NotCarried(
                "a plan records no series, and no carried alert reads it".to_owned(),
            )
        };
    }
}
