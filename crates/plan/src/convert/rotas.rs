//! Whose turn it is to fill a role.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::context::{Context, Kind};
use crate::diagnostics::{either, quote};
use crate::fields::Fields;
use crate::limits::{OVERRIDES_MAX, SHIFT_PEOPLE_MAX, SHIFTS_MAX, TURN_DAYS_MAX};
use crate::node::Node;
use crate::{Code, Rota, RotaOverride, Shift, civil, grammar, values};

const DAYS_PER_WEEK: u32 = 7;

pub(super) fn rota(context: &mut Context<'_>, node: &Node) -> Option<Rota> {
    let mut fields = Fields::open(context, node, &grammar::ROTA)?;
    let role_node = fields.required(context, "role", "name the role that it fills");
    let role = role_node.and_then(|node| values::name(context, node));
    let name = match fields.optional("name") {
        Some(node) => values::new_title(context, Kind::Rota, node),
        None => role_node.zip(role.as_deref()).map(|(node, role)| {
            context.declare(Kind::Rota, role, node);
            role.to_owned()
        }),
    };
    let shifts = match fields.optional("shifts") {
        Some(node) => long_form(context, &mut fields, node),
        None => short_form(context, &mut fields).map(|shift| vec![shift]),
    };
    // Where the shifts are broken nothing is known of their zone, but the rest of an override can still be read.
    let zone = shifts.as_ref().and_then(|shifts| shifts.first());
    let zone = zone.map_or(TimeZone::UTC, |shift| shift.zone.clone());
    let limit = (OVERRIDES_MAX, "overrides");
    let overrides =
        super::section_up_to(context, &mut fields, "overrides", limit, |context, node| {
            exception(context, node, &zone)
        });
    fields.finish(context);
    Some(Rota {
        name: name?,
        role: role?,
        shifts: shifts?,
        overrides,
    })
}

/// `shifts:`, one item for each.
fn long_form(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    node: &Node,
) -> Option<Vec<Shift>> {
    let short = grammar::SHORT_FORM.map(|key| fields.refused(key).map(|_| key));
    if let Some(key) = short.into_iter().flatten().next() {
        let message = format!("this rota has `shifts` and `{key}` beside them");
        let help = "write them inside each shift, or leave `shifts` out";
        context.error(Code::OneOf, &fields.span().clone(), message, "", help);
    }
    super::needs_one(context, node, "a rota needs at least one shift");
    let shifts = super::items_up_to(context, node, (SHIFTS_MAX, "shifts"), shift);
    (!shifts.is_empty()).then_some(shifts)
}

fn short_form(context: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Shift> {
    if grammar::SHORT_FORM
        .iter()
        .all(|key| fields.optional(key).is_none())
    {
        let message = "this rota says neither when its turns begin nor who takes them";
        let help = "write `hand_over`, `every`, `since`, `people` and `zone`, or `shifts`";
        context.error(Code::OneOf, &fields.span().clone(), message, "", help);
        return None;
    }
    let help = "write when a turn begins, as in `hand_over: \"Mon 09:00\"`";
    let hand_over = fields.required(context, "hand_over", help);
    let hand_over = hand_over.and_then(|node| civil::day_and_time(context, node));
    let days = hand_over.map(|(day, _)| day.into_iter().collect());
    shift_of(
        context,
        fields,
        String::new(),
        hand_over.map(|(_, time)| time),
        days,
    )
}

fn shift(context: &mut Context<'_>, node: &Node) -> Option<Shift> {
    let mut fields = Fields::open(context, node, &grammar::SHIFT)?;
    let name = super::text_or_empty(context, &mut fields, "name");
    let from = fields.required(context, "from", "write when it takes over, as in \"08:00\"");
    let from = from.and_then(|node| civil::time(context, node));
    let days = super::days(context, &mut fields);
    let shift = shift_of(context, &mut fields, name, from, days);
    fields.finish(context);
    shift
}

/// What both forms say alike.
fn shift_of(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    name: String,
    hand_over: Option<Time>,
    days: Option<Vec<Weekday>>,
) -> Option<Shift> {
    let help = "say whose clocks show the hour, as in `zone: Europe/Berlin`";
    let zone = fields.required(context, "zone", help);
    let zone = zone.and_then(|node| civil::zone(context, node));
    let every = fields.required(context, "every", "write `day`, `week`, `2 weeks` or `14d`");
    let turn_days = every.and_then(|node| turn(context, node, days.as_deref()));
    let help =
        "write the day on which the first person's first turn begins, as in `since: 2026-01-05`";
    let since_node = fields.required(context, "since", help);
    let since = since_node.and_then(|node| civil::date(context, node));
    if let (Some(node), Some(since), Some(days)) = (since_node, since, &days) {
        check_since(context, node, since, days);
    }
    let people = fields.required(context, "people", "list who takes turns, in their order");
    let people = people.map(|node| {
        super::needs_one(context, node, "a rota needs at least one person");
        let limit = (SHIFT_PEOPLE_MAX, "people");
        super::items_up_to(context, node, limit, |context, node| {
            values::reference(context, Kind::Person, node)
        })
    });
    Some(Shift {
        name,
        zone: zone?,
        hand_over: hand_over?,
        days: days?,
        turn_days: turn_days?,
        since: since?,
        people: people?,
    })
}

/// How long a turn is, in days. Where turns begin on one day of the week, they last whole weeks.
fn turn(context: &mut Context<'_>, node: &Node, days: Option<&[Weekday]>) -> Option<u32> {
    let written = values::text(context, node)?;
    let Some(turn) = read_turn(written).filter(|days| (1..=TURN_DAYS_MAX).contains(days)) else {
        let message = format!("{} is not the length of a turn", quote(written));
        let help = format!(
            "write `day`, `week`, `2 weeks` or whole days such as `14d`, at most {TURN_DAYS_MAX} days"
        );
        context.error(Code::InvalidDuration, &node.span, message, "", help);
        return None;
    };
    if let Some([day]) = days
        && turn % DAYS_PER_WEEK != 0
    {
        let day = civil::day_name(*day);
        let message = format!("turns that begin on a {day} cannot take {turn}d each");
        let help = "write whole weeks, such as `week`, or leave the day out";
        context.error(Code::InvalidTime, &node.span, message, "", help);
        return None;
    }
    Some(turn)
}

fn read_turn(written: &str) -> Option<u32> {
    let (count, unit) = match written.split_once(' ') {
        Some((count, unit)) => (count.parse::<u32>().ok()?, unit.trim_start()),
        None => (1, written),
    };
    let unit_days = match unit {
        "day" | "days" => Some(1),
        "week" | "weeks" => Some(DAYS_PER_WEEK),
        _ => None,
    };
    if let Some(unit_days) = unit_days {
        return count.checked_mul(unit_days);
    }
    let seconds = model::parse_duration(written).ok()?.as_secs_f64();
    let days = seconds / 86_400.0;
    // Ten years of days are far below what either type holds exactly.
    (days.fract() == 0.0 && days <= f64::from(TURN_DAYS_MAX)).then_some(days as u32)
}

/// Reports a first day on which no turn begins.
fn check_since(context: &mut Context<'_>, node: &Node, since: Date, days: &[Weekday]) {
    let begins = |date: Date| days.contains(&date.weekday());
    if days.is_empty() || begins(since) {
        return;
    }
    let names: Vec<&str> = days.iter().map(|day| civil::day_name(*day)).collect();
    let message = format!(
        "{since} is a {}, but turns begin on {}",
        civil::day_name(since.weekday()),
        either(&names).replace('`', "")
    );
    let near = (1..7).flat_map(|away: i64| [-away, away]);
    let near = near.filter_map(|away| since.checked_add(away.days()).ok());
    let help = near
        .into_iter()
        .find(|date| begins(*date))
        .map_or(String::new(), |date| format!("write `{date}`"));
    context.error(Code::InvalidTime, &node.span, message, "", help);
}

fn exception(context: &mut Context<'_>, node: &Node, zone: &TimeZone) -> Option<RotaOverride> {
    let mut fields = Fields::open(context, node, &grammar::OVERRIDE)?;
    let person = fields.required(context, "person", "name who takes over");
    let person = person.and_then(|node| values::reference(context, Kind::Person, node));
    let from = fields.required(context, "from", "write when, as in \"2026-12-24 09:00\"");
    let from = from.and_then(|node| civil::date_and_time(context, node));
    let until_node = fields.required(
        context,
        "until",
        "write the end, as in \"2026-12-27 09:00\"",
    );
    let until = until_node.and_then(|node| civil::date_and_time(context, node));
    fields.finish(context);
    let (from, until) = (instant(zone, from?), instant(zone, until?));
    if let (Some(node), true) = (until_node, until <= from) {
        let message = "this override ends before it begins";
        let help = "write a time after `from`";
        context.error(Code::InvalidTime, &node.span, message, "", help);
    }
    Some(RotaOverride {
        person: person?,
        from,
        until,
    })
}

/// The instant at which the clocks of a zone show a time: the first of two, and past a gap as far as it goes.
fn instant(zone: &TimeZone, shown: DateTime) -> Timestamp {
    let exact = zone.to_timestamp(shown);
    exact.expect("the years of dates are far from the ends of time")
}
