//! Types, defaults and rules in words, for the reference and for editors.

use std::time::Duration;

use super::{Default, Rule, Type};
use crate::diagnostics::{all, either};
use crate::limits::{
    BODY_BYTES_MAX, CLASS_NAME_CHARS_MAX, DURATION_MAX, DURATION_MIN, NAME_CHARS_MAX,
    TEMPLATE_BYTES_MAX,
};
use crate::values::with_article;

/// What a value is: "a length of time, at least `1s`".
pub(super) fn value(value: &Type) -> String {
    match value {
        Type::Text => "text".to_owned(),
        Type::Format => "`1`".to_owned(),
        Type::Name => format!("a name: 1 to {NAME_CHARS_MAX} of `A-Z a-z 0-9 - _ .`"),
        Type::ClassName => format!("a name: 1 to {CLASS_NAME_CHARS_MAX} of `A-Z a-z 0-9 - _`"),
        Type::MetricName => "a metric name".to_owned(),
        Type::Label => "a label's name".to_owned(),
        Type::Reference(kind) => format!("the name of {}", with_article(kind.noun())),
        Type::Duration(least, most) => duration(*least, *most),
        Type::Count(least, most) => format!("a whole number from {least} to {most}"),
        Type::Number => "a number".to_owned(),
        Type::Share => "a share: `90%` or `0.9`".to_owned(),
        Type::Boolean => "`true` or `false`".to_owned(),
        Type::Word(words) => either(words),
        Type::Day => "a day: `mon` to `sun`".to_owned(),
        Type::Vector => "PromQL that gives an instant vector".to_owned(),
        Type::VectorOrScalar => "PromQL that gives an instant vector or a scalar".to_owned(),
        Type::Selector => {
            "a selector: an alert's name, or matchers as in `'{severity=\"warning\"}'`".to_owned()
        }
        Type::LogSearch => "a log search".to_owned(),
        Type::Target => "`<` or `>` and a value, as in `\"< 500ms\"`".to_owned(),
        Type::Template => format!("a template of at most {} KiB", TEMPLATE_BYTES_MAX / 1024),
        Type::Url => "an address with `http://` or `https://`".to_owned(),
        Type::Request => {
            "a method and an address, as in `POST http://127.0.0.1:8000/admin`".to_owned()
        }
        Type::Authority => "`host:port`".to_owned(),
        Type::Host => "a host".to_owned(),
        Type::MailAddress => "a mail address".to_owned(),
        Type::Json => format!("JSON between quotes, at most {} KiB", BODY_BYTES_MAX / 1024),
        Type::Path => "a path".to_owned(),
        Type::Environment => "the name of an environment variable".to_owned(),
        Type::Time => "a time of day, as in `\"03:00\"`".to_owned(),
        Type::HandOver => "`Mon 09:00`, or `\"09:00\"` for any day".to_owned(),
        Type::Date => "a date, as in `2026-01-05`".to_owned(),
        Type::DateTime => "a date and a time, as in `2026-12-24 09:00`".to_owned(),
        Type::Zone => "a time zone by its IANA name, as in `Europe/Berlin`".to_owned(),
        Type::Turn => "`day`, `week`, `2 weeks`, `14d`, …".to_owned(),
        Type::Code => "a code, as in `BF0101`".to_owned(),
        Type::List(of, least, most) => list(of, *least, *most),
        Type::OneOrMore(of, most) => format!("{}, or a list of at most {most}", self::value(of)),
        Type::Labels => "a map of labels and their values".to_owned(),
        Type::Map(shape) => shape.noun.to_owned(),
    }
}

fn duration(least: Duration, most: Duration) -> String {
    let mut text = "a length of time".to_owned();
    if least == Duration::ZERO {
        text.push_str(" or `0`");
    } else if least > DURATION_MIN {
        text.push_str(&format!(", at least `{}`", model::format_duration(least)));
    }
    if most < DURATION_MAX {
        text.push_str(&format!(", at most `{}`", model::format_duration(most)));
    }
    text
}

fn list(of: &Type, least: usize, most: Option<usize>) -> String {
    let how_many = match (least, most) {
        (0, None) => "a list".to_owned(),
        (0, Some(most)) => format!("a list of at most {most}"),
        (least, None) => format!("a list of at least {least}"),
        (least, Some(most)) => format!("a list of {least} to {most}"),
    };
    format!("{how_many}, each {}", value(of))
}

/// What stands for an absent key, in Markdown; nothing where nothing does.
pub(super) fn default(default: Default) -> String {
    match default {
        Default::Nothing => String::new(),
        Default::Words(words) => words.to_owned(),
        Default::Duration(length) if length.is_zero() => "`0`".to_owned(),
        Default::Duration(length) => format!("`{}`", model::format_duration(length)),
        Default::Count(count) => format!("`{count}`"),
        Default::Boolean(value) => format!("`{value}`"),
        Default::Word(word) => format!("`{word}`"),
    }
}

/// A rule between keys, as a sentence.
pub(super) fn rule(rule: &Rule) -> String {
    match rule {
        Rule::OneOf(keys) => format!("Exactly one of {} stands there.", all(keys)),
        Rule::AtMostOneOf(keys) => format!("At most one of {} stands there.", all(keys)),
        Rule::Only([key], owner) => format!("`{key}` stands beside `{owner}` alone."),
        Rule::Only(keys, owner) => format!("{} stand beside `{owner}` alone.", all(keys)),
        Rule::Needs(key, others) => format!("`{key}` needs {}.", either(others)),
        Rule::Forms(one, other) => {
            format!("Either {} stand there, or {}.", all(one), all(other))
        }
    }
}
