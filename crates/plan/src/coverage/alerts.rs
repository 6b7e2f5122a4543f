//! Alerts that cannot fire because nothing emits what they read, roles that nobody fills, pages that nobody receives.

use std::collections::{BTreeMap, BTreeSet};

use promql::SelectorRef;

use super::observed::{Exposed, LastDelivery, Observed, ObservedTarget, TargetState};
use super::reads::{Declared, demanded_labels};
use super::report::{Hole, HoleKind, Report, Share, Since};
use crate::series::{COVERAGE_HOLE_SINCE, COVERAGE_RATIO};
use crate::{AlertRule, Contacts, Plan};

/// Belfry's own series that exist only once there is something to say: that they are not there is no fault.
const OWN_OCCASIONAL: [&str; 6] = [
    "ALERTS",
    "ALERTS_FOR_STATE",
    "log_lines_total",
    "belfry_objective_value",
    COVERAGE_RATIO,
    COVERAGE_HOLE_SINCE,
];

/// Series that come with every scrape.
const OF_EVERY_SCRAPE: [&str; 3] = ["up", "scrape_duration_seconds", "scrape_samples_scraped"];

/// Labels of a scraped series that its exposition does not show.
const ADDED_LABELS: [&str; 4] = ["job", "instance", "le", "quantile"];

pub(super) fn add(plan: &Plan, contacts: &Contacts, observed: &Observed, report: &mut Report) {
    let declared = Declared::of(plan);
    let mut fed = Vec::new();
    for (_, rule) in plan.rules() {
        let unfed = unfed(&declared, observed, rule);
        fed.push(match &unfed {
            Fed::Yes => Some(true),
            Fed::Unknown => None,
            Fed::No(_) => Some(false),
        });
        if let Fed::No(why) = unfed {
            report.holes.push(on_nothing(rule, why));
        }
    }
    report
        .shares
        .push(Share::of("alerts", "fed", None, fed.into_iter()));
    add_roles(plan, contacts, report);
    add_pages(contacts, observed, report);
}

/// Whether what an alert reads is emitted.
enum Fed {
    Yes,
    Unknown,
    /// Why not, in a sentence.
    No(String),
}

fn unfed(declared: &Declared<'_>, observed: &Observed, rule: &AlertRule) -> Fed {
    let mut worst = Fed::Yes;
    for selector in rule.expr.parsed.selectors() {
        match selector_fed(declared, observed, &selector) {
            Fed::Yes => {}
            Fed::Unknown => worst = Fed::Unknown,
            Fed::No(why) => return Fed::No(why),
        }
    }
    worst
}

fn selector_fed(declared: &Declared<'_>, observed: &Observed, selector: &SelectorRef<'_>) -> Fed {
    // Which series a selector without a name finds, only a query can tell.
    let Some(name) = selector.name else {
        return Fed::Unknown;
    };
    match labels_emitted(observed, name) {
        Some(labels) => {
            let lacks = |label: &&str| !labels.contains(*label);
            match demanded_labels(selector).find(lacks) {
                // A family that has no series yet shows no labels.
                Some(label) if !labels.is_empty() => {
                    Fed::No(format!("no series of {name} has the label {label}"))
                }
                _ => Fed::Yes,
            }
        }
        None if is_unknown(declared, observed, name) => Fed::Unknown,
        None => Fed::No(format!("nothing emits {name} now")),
    }
}

/// The labels of the series of a name, wherever they come from; `None` when nothing emits it.
fn labels_emitted(observed: &Observed, name: &str) -> Option<BTreeSet<String>> {
    let mut labels: Option<BTreeSet<String>> = None;
    let up = |target: &&ObservedTarget| target.state == TargetState::Up;
    for target in observed.targets.iter().filter(up) {
        let Some((family, series)) = exposed(&target.exposed, name) else {
            continue;
        };
        let labels = labels.get_or_insert_default();
        if series > 0 {
            labels.extend(family.iter().cloned());
            labels.extend(ADDED_LABELS.map(str::to_owned));
        }
    }
    if let Some(own) = observed.own.get(name) {
        labels
            .get_or_insert_default()
            .extend(own.labels.iter().cloned());
    }
    if OF_EVERY_SCRAPE.contains(&name) && !observed.targets.is_empty() {
        labels
            .get_or_insert_default()
            .extend(["job", "instance"].map(str::to_owned));
    }
    labels
}

/// The labels and the number of series of the family that a series name belongs to.
fn exposed<'e>(exposed: &'e Exposed, name: &str) -> Option<(&'e BTreeSet<String>, usize)> {
    let mut stems = ["_bucket", "_sum", "_count", "_total", "_info"]
        .iter()
        .filter_map(|suffix| name.strip_suffix(suffix));
    let with_kind = |stem: &&str| {
        let family = exposed.families.get(*stem);
        family.is_some_and(|family| {
            let kinds: &[&str] = match &name[stem.len()..] {
                "_bucket" => &["histogram", "gaugehistogram"],
                "_sum" | "_count" => &["histogram", "summary"],
                "_total" => &["counter"],
                _ => &["info"],
            };
            kinds.contains(&family.kind.as_str())
        })
    };
    let stem = stems.find(with_kind);
    // A counter of OpenMetrics is read under the name of its samples.
    let family = exposed.families.get(name);
    let family = family.or_else(|| exposed.families.get(stem?))?;
    Some((&family.labels, family.series))
}

/// Whether nobody can say that a name is not emitted: its source does not answer, or was not asked yet.
fn is_unknown(declared: &Declared<'_>, observed: &Observed, name: &str) -> bool {
    let source = declared.metric(name).and_then(|own| own.source.as_deref());
    match source {
        Some(job) => {
            let mut of_job = observed.targets.iter().filter(|own| own.job == job);
            of_job.any(|own| own.state != TargetState::Up || own.exposed.left_out > 0)
        }
        // What a health answer says is not said while there is no answer.
        None if name.starts_with("probe_") && observed.probes.values().any(|own| !own.answered) => {
            true
        }
        None => observed.is_early() || OWN_OCCASIONAL.contains(&name),
    }
}

fn on_nothing(rule: &AlertRule, why: String) -> Hole {
    Hole {
        kind: HoleKind::AlertOnNothing,
        about: rule.name.clone(),
        place: String::new(),
        what: format!("this alert cannot fire: {why}"),
        to_do: "correct the expression, or expose what it reads".to_owned(),
        since: None,
        at: Some(rule.at),
    }
}

/// Roles of levels that some rule escalates through.
fn add_roles(plan: &Plan, contacts: &Contacts, report: &mut Report) {
    let mut filled = Vec::new();
    for policy in &plan.escalation_policies {
        let used = |rule: &AlertRule| rule.escalation.as_ref() == Some(&policy.name);
        let Some((_, first)) = plan.rules().find(|(_, rule)| used(rule)) else {
            continue;
        };
        for (index, level) in policy.levels.iter().enumerate() {
            for role in &level.roles {
                let can = contacts.can_fill(role);
                filled.push(Some(can));
                if can {
                    continue;
                }
                let number = index + 1;
                report.holes.push(Hole {
                    kind: HoleKind::RoleReachesNobody,
                    about: role.clone(),
                    place: format!("{} level {number}", policy.name),
                    what: format!(
                        "nobody fills the role {role}, which level {number} of {} tells",
                        policy.name
                    ),
                    to_do: "give the role to a person or a rota in the contacts".to_owned(),
                    since: None,
                    at: Some(first.at),
                });
            }
        }
    }
    let share = Share::of("alerts", "reaching", None, filled.into_iter());
    report.shares.push(share);
}

/// People whose last page failed by every channel that was tried. Whoever was never paged is not known to be out of reach.
fn add_pages(contacts: &Contacts, observed: &Observed, report: &mut Report) {
    let mut by_person: BTreeMap<&str, Vec<&LastDelivery>> = BTreeMap::new();
    for last in &observed.deliveries {
        if contacts.person(&last.person).is_some() {
            by_person.entry(&last.person).or_default().push(last);
        }
    }
    let received = |all: &Vec<&LastDelivery>| all.iter().any(|last| last.error.is_none());
    let outcomes = by_person.values().map(|all| Some(received(all)));
    let share = Share::of("alerts", "received", None, outcomes);
    report.shares.push(share);
    for (person, all) in by_person.iter().filter(|(_, all)| !received(all)) {
        let failed: Vec<String> = all
            .iter()
            .map(|last| {
                let why = last.error.as_deref().unwrap_or("failed");
                format!("{} ({why})", last.channel)
            })
            .collect();
        let since = all.iter().filter_map(|last| last.failing_since).min();
        report.holes.push(Hole {
            kind: HoleKind::PagesNotReceived,
            about: (*person).to_owned(),
            place: String::new(),
            what: format!("the last page to {person} failed by {}", failed.join(", ")),
            to_do: "correct the channel in the contacts and send a test page".to_owned(),
            since: since.map(|at| Since {
                at,
                or_earlier: false,
            }),
            at: None,
        });
    }
}
