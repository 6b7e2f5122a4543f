//! `belfry simulate PLAN --alert NAME --at TIME`: who would be told what, when and by which channel.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use alerting::Silence;
use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan, Zoned};
use model::{Labels, MatchOp, Matcher, Timestamp};
use plan::RotaOverride;
use serde_json::{Value, json};
use world::{Clock, SystemClock};

use super::ask::ask;
use super::reading::read;
use crate::incident::StoredOverride;
use crate::rehearsal::{Happening, Script, ladder_length, rehearse, unreachable_levels};

/// Where somebody asks for no length: at least this much is shown.
const LENGTH_MIN: Duration = Duration::from_secs(60 * 60);
/// The longest rehearsal.
const LENGTH_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

#[derive(Args)]
pub(super) struct SimulateArguments {
    /// The plan's file.
    plan: PathBuf,
    /// The contacts' file. Without it nobody can be told, and the rehearsal says so.
    #[arg(long)]
    contacts: Option<PathBuf>,
    /// The alert that fires.
    #[arg(long)]
    alert: String,
    /// When: `now`, `Sun 03:00`, `03:00` (the next one), or RFC 3339.
    #[arg(long, default_value = "now")]
    at: String,
    /// The zone of `--at` and of the times that are shown.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Nobody acknowledges. This is so unless --acknowledged-after is given; the flag says it aloud.
    #[arg(long, conflicts_with = "acknowledged_after")]
    nobody_acks: bool,
    /// How long after the alert fired somebody acknowledges, as in `10m`.
    #[arg(long)]
    acknowledged_after: Option<String>,
    /// How long after the alert fired its condition ends, as in `20m`.
    #[arg(long)]
    ends_after: Option<String>,
    /// How much is shown; the whole ladder and an hour at least, if not given.
    #[arg(long)]
    length: Option<String>,
    /// A label of the alert's series, as `name=value`; may be repeated.
    #[arg(long)]
    label: Vec<String>,
    /// A running Belfry whose silences and exceptions to rotas are taken into account.
    #[arg(long)]
    url: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn simulate(arguments: &SimulateArguments) -> anyhow::Result<ExitCode> {
    let (plan, contacts) = read(&arguments.plan, arguments.contacts.as_deref())?;
    let zone = TimeZone::get(&arguments.zone)
        .with_context(|| format!("`{}` is not a time zone", arguments.zone))?;
    let at = parse_at(&arguments.at, &zone, SystemClock::default().now().into())?;
    let duration = |text: &Option<String>| {
        text.as_deref()
            .map(|text| model::parse_duration(text).map_err(|error| anyhow::anyhow!("{error}")))
            .transpose()
    };
    let length = duration(&arguments.length)?
        .unwrap_or_else(|| ladder_length(&plan, &arguments.alert).max(LENGTH_MIN));
    if length > LENGTH_MAX {
        bail!("a rehearsal shows a month at most");
    }
    let (silences, overrides) = match &arguments.url {
        Some(url) => (silences_of(url)?, overrides_of(url)?),
        None => (Vec::new(), Vec::new()),
    };
    let script = Script {
        alert: arguments.alert.clone(),
        labels: labels(&arguments.label)?,
        at,
        acknowledged_after: duration(&arguments.acknowledged_after)?,
        ends_after: duration(&arguments.ends_after)?,
        length,
        silences,
        overrides,
    };
    let unreachable = unreachable_levels(&plan, &contacts, &script.alert);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let happenings = runtime.block_on(rehearse(plan, contacts, &script))?;
    if arguments.json {
        println!("{}", as_json(&script, &happenings, &unreachable));
    } else {
        show(&script, &happenings, &unreachable, &zone);
    }
    Ok(ExitCode::SUCCESS)
}

/// The silences of a running Belfry that hold or will.
fn silences_of(url: &str) -> anyhow::Result<Vec<Silence>> {
    let answer = ask(url, "/api/belfry/v1/silences", &[("state", "active")])?;
    let silence = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let time = |name: &str| {
            crate::time_text::parse_time(&text(name))
                .with_context(|| format!("a silence without `{name}`"))
        };
        let matchers = row["matchers"].as_array().into_iter().flatten();
        let matchers = matchers
            .map(|own| {
                let part = |name: &str| own[name].as_str().unwrap_or_default();
                let op = MatchOp::from_symbol(part("op")).context("an unknown operator")?;
                Ok(Matcher::new(part("name"), op, part("value"))?)
            })
            .collect::<anyhow::Result<Vec<Matcher>>>()?;
        Ok(Silence {
            id: text("id"),
            matchers,
            starts_at: time("starts_at")?,
            ends_at: time("ends_at")?,
            author: text("by"),
            reason: text("reason"),
            updated_at: time("updated_at")?,
        })
    };
    answer
        .as_array()
        .into_iter()
        .flatten()
        .map(silence)
        .collect()
}

/// The exceptions to rotas that were made in a running Belfry.
fn overrides_of(url: &str) -> anyhow::Result<Vec<StoredOverride>> {
    let answer = ask(url, "/api/belfry/v1/on-call", &[])?;
    let mut found = Vec::new();
    for rota in answer["rotas"].as_array().into_iter().flatten() {
        let name = rota["name"].as_str().unwrap_or_default();
        for row in rota["overrides"].as_array().into_iter().flatten() {
            // Those of the contacts' file are read from there.
            let Some(id) = row["id"].as_i64() else {
                continue;
            };
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            found.push(StoredOverride {
                id,
                rota: name.to_owned(),
                turn: RotaOverride {
                    person: text("person").to_owned(),
                    from: text("from").parse()?,
                    until: text("until").parse()?,
                },
                by: text("by").to_owned(),
                reason: text("reason").to_owned(),
            });
        }
    }
    Ok(found)
}

/// Labels from `name=value` texts.
pub(super) fn labels(written: &[String]) -> anyhow::Result<Labels> {
    let pairs = written
        .iter()
        .map(|text| {
            text.split_once('=')
                .with_context(|| format!("`{text}` is not `name=value`"))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Labels::from_pairs(pairs))
}

/// A time as a person says it: `now`, a weekday and an hour, an hour, or RFC 3339.
fn parse_at(text: &str, zone: &TimeZone, now: Timestamp) -> anyhow::Result<Timestamp> {
    if text == "now" {
        return Ok(now);
    }
    if let Ok(instant) = text.parse::<Instant>() {
        return Ok(Timestamp::from_millis(instant.as_millisecond()));
    }
    let (day, hour) = match text.split_once(' ') {
        Some((day, hour)) => (Some(weekday(day)?), hour),
        None => (None, text),
    };
    let time: Time = hour
        .parse()
        .with_context(|| format!("`{text}` is no time; write `Sun 03:00` or RFC 3339"))?;
    let here = Instant::from_millisecond(now.as_millis())?.to_zoned(zone.clone());
    // The next such time: at most a week ahead.
    for days in 0..=7 {
        let date = here.date().checked_add(days.days())?;
        let candidate: Zoned = date.to_datetime(time).to_zoned(zone.clone())?;
        let is_day = day.is_none_or(|day| date.weekday() == day);
        if is_day && candidate > here {
            return Ok(Timestamp::from_millis(
                candidate.timestamp().as_millisecond(),
            ));
        }
    }
    bail!("`{text}` does not come within a week")
}

fn weekday(text: &str) -> anyhow::Result<Weekday> {
    let days = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let lower = text.to_lowercase();
    days.into_iter()
        .find(|(name, _)| lower.starts_with(name))
        .map(|(_, day)| day)
        .with_context(|| format!("`{text}` is no weekday"))
}

fn show(script: &Script, happenings: &[Happening], unreachable: &[String], zone: &TimeZone) {
    println!(
        "{} fires at {} ({}); nothing is sent.",
        script.alert,
        clock_text(script.at, zone),
        zone.iana_name().unwrap_or("UTC")
    );
    for text in unreachable {
        println!("WARNING  {text}");
    }
    println!();
    for happening in happenings {
        println!(
            "{:>8}  {}  {:<12}  {}",
            after_text(happening.at.since(script.at)),
            clock_text(happening.at, zone),
            happening.kind.replace('_', " "),
            happening.text
        );
    }
    let pages = happenings.iter().filter(|own| own.kind == "page").count();
    println!(
        "\n{pages} page{} within {}.",
        if pages == 1 { "" } else { "s" },
        model::format_duration(script.length)
    );
}

fn clock_text(at: Timestamp, zone: &TimeZone) -> String {
    Instant::from_millisecond(at.as_millis()).map_or_else(
        |_| at.to_string(),
        |instant| {
            instant
                .to_zoned(zone.clone())
                .strftime("%a %Y-%m-%d %H:%M:%S")
                .to_string()
        },
    )
}

fn after_text(length: Duration) -> String {
    let seconds = length.as_secs();
    format!("+{}:{:02}", seconds / 60, seconds % 60)
}

fn as_json(script: &Script, happenings: &[Happening], unreachable: &[String]) -> serde_json::Value {
    json!({
        "alert": script.alert,
        "at": crate::time_text::rfc3339(script.at),
        "unreachable": unreachable,
        "happenings": happenings.iter().map(|own| json!({
            "at": crate::time_text::rfc3339(own.at),
            "after_seconds": own.at.since(script.at).as_secs(),
            "kind": own.kind,
            "text": own.text,
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_say_them() {
        // Tuesday, 2026-11-24 15:00 UTC.
        let now: Timestamp = Timestamp::from_millis(1_795_532_400_000);
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let check = |text: &str, zone: &TimeZone, expect: Option<&str>| {
            let found = parse_at(text, zone, now)
                .ok()
                .map(crate::time_text::rfc3339);
            assert_eq!(found.as_deref(), expect, "{text}");
        };
        check("now", &TimeZone::UTC, Some("2026-11-24T15:00:00Z"));
        check("Sun 03:00", &TimeZone::UTC, Some("2026-11-29T03:00:00Z"));
        check("sunday 03:00", &berlin, Some("2026-11-29T02:00:00Z"));
        check("Tue 14:00", &TimeZone::UTC, Some("2026-12-01T14:00:00Z"));
        check("Tue 16:00", &TimeZone::UTC, Some("2026-11-24T16:00:00Z"));
        check("03:00", &TimeZone::UTC, Some("2026-11-25T03:00:00Z"));
        check(
            "2026-01-01T00:00:00Z",
            &berlin,
            Some("2026-01-01T00:00:00Z"),
        );
        check("someday 03:00", &berlin, None);
        check("25:00", &berlin, None);
    }
}
