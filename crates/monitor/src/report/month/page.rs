//! The report as one HTML file: inline style and pictures, no script, made to be printed or sent.

use std::time::Duration;

use minijinja::{Environment, Value, context};
use model::{Timestamp, format_duration};

use super::facts::{MonthFacts, Promise};
use super::picture;
use super::quality::{RuleQuality, Standing, quality};
use crate::report::conformance::{Conformance, Kept, conformance};
use crate::report::markdown::utc;

const TEMPLATE: &str = include_str!("month.html");
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The page.
pub(crate) fn month_html(facts: &MonthFacts) -> String {
    let rules = quality(facts);
    let incidents = facts.incidents.iter();
    let with_pages = incidents.map(|detail| (&detail.incident, detail.pages.as_slice()));
    let escalation = conformance(with_pages, facts.now);
    let mut environment = Environment::new();
    environment
        .add_template("month.html", TEMPLATE)
        .expect("the page's own template parses: a test renders it");
    let page = environment
        .get_template("month.html")
        .and_then(|template| template.render(values(facts, &rules, &escalation)));
    page.expect("the page's own template names what is there: a test renders it")
}

fn values(facts: &MonthFacts, rules: &[RuleQuality], escalation: &Conformance) -> Value {
    let kept = facts
        .promises
        .iter()
        .filter(|own| own.kept() == Some(true))
        .count();
    let unproven = rules
        .iter()
        .filter(|own| own.standing == Standing::Unproven)
        .count();
    context! {
        title => facts.title.as_str(),
        month => facts.month.as_str(),
        made_at => utc(facts.now),
        is_over => facts.now >= facts.until,
        promises => facts.promises.iter().map(|own| promise(own, facts)).collect::<Vec<_>>(),
        promises_kept => kept,
        incidents => incidents(facts),
        incident_days => Value::from_safe_string(picture::days(&per_day(facts), "Incidents a day")),
        escalation => context! {
            told => kept_text(escalation.told),
            accepted => kept_text(escalation.accepted),
            acknowledged => kept_text(escalation.acknowledged),
            latest => escalation.latest.map(seconds),
        },
        rules => rules.iter().map(rule).collect::<Vec<_>>(),
        unproven => unproven,
        history_cut => facts.history_cut,
        coverage => coverage(facts),
        retention => retention(facts),
    }
}

fn promise(own: &Promise, facts: &MonthFacts) -> Value {
    let sign = if own.below { "<" } else { ">" };
    let picture = picture::course(&own.course, own.target, facts.from, facts.until, &own.title);
    context! {
        title => own.title.as_str(),
        target => format!("{sign} {}", with_unit(own.target, &own.unit)),
        value => own.value().map(|value| with_unit(value, &own.unit)),
        kept => own.kept(),
        picture => Value::from_safe_string(picture),
    }
}

fn incidents(facts: &MonthFacts) -> Vec<Value> {
    let shown = facts.incidents.iter().map(|detail| {
        let incident = &detail.incident;
        let opened = incident.head.opened_at;
        let after = |at: Timestamp| seconds(at.since(opened));
        context! {
            id => incident.id().0,
            title => incident.head.title.as_str(),
            severity => incident.head.severity.as_str(),
            opened => utc(opened),
            acknowledged_after => incident.first_acknowledged_at.map(after),
            resolved_after => incident.resolved.as_ref().map(|own| after(own.at)),
            levels_told => incident.levels_told,
        }
    });
    shown.collect()
}

/// How many incidents opened on each day of the month.
fn per_day(facts: &MonthFacts) -> Vec<usize> {
    let length = facts.until.since(facts.from).as_secs() / DAY.as_secs();
    let mut days = vec![0; usize::try_from(length).unwrap_or(0)];
    for detail in &facts.incidents {
        let into = detail.incident.head.opened_at.since(facts.from).as_secs() / DAY.as_secs();
        if let Some(day) = usize::try_from(into).ok().and_then(|day| days.get_mut(day)) {
            *day += 1;
        }
    }
    days
}

fn rule(own: &RuleQuality) -> Value {
    context! {
        name => own.name.as_str(),
        severity => own.severity.as_str(),
        fired => own.fired,
        incidents => own.incidents,
        acknowledged => own.acknowledged,
        acted_on => own.acted_on,
        flapped => own.flapped,
        drilled => own.drilled.map(utc),
        standing => own.standing.as_str(),
        worrying => matches!(own.standing, Standing::Flapping | Standing::Unproven | Standing::NotActedOn),
    }
}

fn coverage(facts: &MonthFacts) -> Vec<Value> {
    let groups = facts.coverage.iter().map(|own| {
        let last = own
            .course
            .iter()
            .rev()
            .map(|(_, value)| *value)
            .find(|value| !value.is_nan());
        let picture = picture::course(&own.course, own.target, facts.from, facts.until, &own.group);
        context! {
            group => own.group.as_str(),
            target => with_unit(own.target, "ratio"),
            value => last.map(|value| with_unit(value, "ratio")),
            // Of shares made by counting: 0.9999… is a rounding and not a hole.
            kept => last.map(|value| value + 1e-9 >= own.target),
            picture => Value::from_safe_string(picture),
        }
    });
    groups.collect()
}

fn retention(facts: &MonthFacts) -> Vec<Value> {
    let classes = facts.retention.iter().map(|own| {
        let oldest = own
            .oldest
            .map(|at| Timestamp::from_millis(at.as_nanos() / 1_000_000));
        let age = oldest.map(|at| facts.now.since(at));
        // Files hold a day, and go within an hour of their time.
        let kept = age
            .zip(own.keep)
            .map(|(age, keep)| age <= keep + DAY + DAY / 24);
        context! {
            class => own.class.as_str(),
            promised => own.keep.map(format_duration),
            oldest => oldest.map(utc),
            age => age.map(|age| format_duration(Duration::from_secs(age.as_secs() / 3600 * 3600))),
            lines => own.lines,
            bytes => with_unit(own.bytes as f64, "bytes"),
            next_deletion => own.next_deletion.map(utc),
            kept => kept,
        }
    });
    classes.collect()
}

fn kept_text(kept: Kept) -> Option<String> {
    let share = kept.ratio()?;
    Some(format!(
        "{} of {} ({:.1} %)",
        kept.in_time,
        kept.of,
        share * 100.0
    ))
}

/// A length of time to the second.
fn seconds(length: Duration) -> String {
    format_duration(Duration::from_secs(length.as_secs()))
}

/// A value as people read it.
fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{} %", digits(value * 100.0)),
        "seconds" if value < 1.0 => format!("{} ms", digits(value * 1000.0)),
        "seconds" => format!("{} s", digits(value)),
        "bytes" if value >= 1e9 => format!("{} GB", digits(value / 1e9)),
        "bytes" if value >= 1e6 => format!("{} MB", digits(value / 1e6)),
        "bytes" if value >= 1e3 => format!("{} kB", digits(value / 1e3)),
        "" | "count" => digits(value),
        other => format!("{} {}", digits(value), other.replace('_', " ")),
    }
}

/// At most three digits behind the point, and none that say nothing.
fn digits(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_people_read_them() {
        let check = |value: f64, unit: &str, expect: &str| {
            assert_eq!(with_unit(value, unit), expect, "{value} {unit}");
        };
        check(0.999, "ratio", "99.9 %");
        check(0.001, "ratio", "0.1 %");
        check(0.5, "seconds", "500 ms");
        check(2.0, "seconds", "2 s");
        check(1_234_567.0, "bytes", "1.235 MB");
        check(100.0, "count", "100");
        check(3.0, "per_second", "3 per second");
    }
}
