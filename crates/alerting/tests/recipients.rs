//! Who is told: contacts as text, the roles of a level, and the names that follow.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use alerting::recipients;
use jiff::Timestamp as Instant;
use jiff::civil::{Time, date};
use jiff::tz::TimeZone;
use model::Timestamp;
use plan::{Channel, Contacts, Person, Rota, RotaOverride, Shift};

/// Two rotas fill `on-call`, one fills `database`; `ada`'s turn is on even days of January 2026, `alan`'s on odd ones.
/// A name with a star is on call.
#[test]
fn who_fills_the_roles() {
    check("", 5, "");
    check("nobody", 5, "");
    // Those who list the role, in the contacts' order.
    check("lead", 5, "grace ada");
    // Whoever's turn it is in any of its rotas.
    check("on-call", 5, "alan* eve*");
    check("on-call", 6, "ada* eve*");
    // Each once, whether by several roles or by a list and a rota.
    check("on-call lead", 6, "grace ada* eve*");
    check("lead on-call lead boss", 5, "grace ada alan* eve*");
    // A rota of another role brings nobody.
    check("boss", 6, "grace");
    // `bob` is on call for the database and fills `silent`, but cannot be reached.
    check("database", 5, "");
    check("silent", 5, "");
}

#[test]
fn overrides_made_at_run_time_go_to_their_rota() {
    let extra = |rota: &str, person: &str| {
        let exception = RotaOverride {
            person: person.to_owned(),
            from: instant("2026-01-05T00:00:00Z"),
            until: instant("2026-01-06T00:00:00Z"),
        };
        BTreeMap::from([(rota.to_owned(), vec![exception])])
    };
    check_with(&extra("first", "grace"), "on-call", 5, "grace* eve*");
    check_with(&extra("second", "grace"), "on-call", 5, "grace* alan*");
    check_with(&extra("first", "grace"), "on-call", 6, "ada* eve*");
    check_with(&extra("on-call", "grace"), "on-call", 5, "alan* eve*");
    check_with(&extra("first", "eve"), "on-call", 5, "eve*");
    check_with(&extra("first", "a stranger"), "on-call", 5, "eve*");
}

fn check(roles: &str, day: i8, expect: &str) {
    check_with(&BTreeMap::new(), roles, day, expect);
}

fn check_with(extra: &BTreeMap<String, Vec<RotaOverride>>, roles: &str, day: i8, expect: &str) {
    let contacts = contacts();
    let roles: Vec<String> = roles.split_whitespace().map(str::to_owned).collect();
    let noon = instant(&format!("2026-01-{day:02}T12:00:00Z"));
    let now = Timestamp::from_millis(noon.as_millisecond());
    let found: Vec<String> = recipients(&contacts, extra, &roles, now)
        .iter()
        .map(|recipient| {
            let star = if recipient.on_call { "*" } else { "" };
            format!("{}{star}", recipient.person.name)
        })
        .collect();
    assert_eq!(found.join(" "), expect, "{roles:?} on {day} January");
}

fn contacts() -> Contacts {
    let person = |name: &str, roles: &str, channels: Vec<Channel>| Person {
        name: name.to_owned(),
        roles: roles.split_whitespace().map(str::to_owned).collect(),
        channels,
    };
    let rota = |name: &str, role: &str, people: &str| Rota {
        name: name.to_owned(),
        role: role.to_owned(),
        shifts: vec![Shift {
            name: String::new(),
            zone: TimeZone::get("UTC").unwrap(),
            hand_over: Time::midnight(),
            days: Vec::new(),
            turn_days: 1,
            since: date(2026, 1, 2),
            people: people.split_whitespace().map(str::to_owned).collect(),
        }],
        overrides: Vec::new(),
    };
    Contacts {
        people: vec![
            person("grace", "lead boss", vec![Channel::Log]),
            person("ada", "lead", vec![Channel::Log, Channel::Log]),
            person("alan", "", vec![Channel::Log]),
            person("bob", "silent", vec![]),
            person("eve", "", vec![Channel::Log]),
        ],
        rotas: vec![
            rota("first", "on-call", "ada alan"),
            rota("second", "on-call", "eve"),
            rota("third", "database", "bob"),
        ],
        mail_server: None,
        dead_mans_switch: None,
    }
}

fn instant(text: &str) -> Instant {
    text.parse::<Instant>().unwrap()
}
