//! The grammar as JSON Schema (draft 2020-12), for editors: they complete keys, explain them, and mark what is wrong
//! before `belfry check` is run.
//!
//! A schema cannot say everything: references, PromQL and what holds across sections stay with `belfry check`. What it
//! refuses Belfry refuses too, with one exception: Belfry takes a key without a value for absent, while an editor marks it.

use super::describe;
use super::example::Examples;
use super::json::Json;
use super::{
    ADDED_MEANING, CONTACTS, Default, Key, METHODS, PLAN, Rule, Shape, Type, Variants, reached,
};
use crate::fields::ADDED;
use crate::limits::{
    CLASS_NAME_CHARS_MAX, MAIL_ADDRESS_CHARS_MAX, METRIC_NAME_CHARS_MAX, NAME_CHARS_MAX,
};
use crate::node::{Node, Value};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of plans, as it stands in `docs/plan.schema.json`.
pub fn plan_schema() -> String {
    document(&PLAN, "plan")
}

/// The schema of contacts files, as it stands in `docs/contacts.schema.json`.
pub fn contacts_schema() -> String {
    document(&CONTACTS, "contacts")
}

fn document(root: &'static Shape, name: &str) -> String {
    let examples = Examples::read();
    let inner = reached(root).into_iter().skip(1);
    let definitions = inner.map(|shape| (shape.id(), object(shape, root, &examples)));
    let comment = format!("Made by `belfry schema {name}` from the grammar of the language.");
    let mut entries = vec![
        ("$schema".to_owned(), Json::text(DIALECT)),
        ("$comment".to_owned(), Json::text(comment)),
    ];
    if let Json::Map(own) = object(root, root, &examples) {
        entries.extend(own);
    }
    entries.push(("$defs".to_owned(), Json::Map(definitions.collect())));
    Json::Map(entries).pretty()
}

/// A map with its keys.
fn object(shape: &'static Shape, root: &'static Shape, examples: &Examples) -> Json {
    let keys = shape.keys.iter();
    let own = keys.map(|key| (key.name.to_owned(), property(shape, key, examples)));
    let of_plans = (root.noun == PLAN.noun).then(|| (ADDED.to_owned(), added()));
    let properties = own.chain(of_plans);
    let mut entries = vec![
        ("title".to_owned(), Json::text(shape.noun)),
        ("description".to_owned(), Json::text(shape.meaning)),
        ("type".to_owned(), Json::text("object")),
        ("properties".to_owned(), Json::Map(properties.collect())),
    ];
    let required = shape.keys.iter().filter(|key| key.required);
    let required: Vec<&str> = required.map(|key| key.name).collect();
    if !required.is_empty() {
        entries.push(("required".to_owned(), Json::texts(required)));
    }
    let mut rules: Vec<Json> = shape.rules.iter().map(rule).collect();
    match shape.variants {
        Some(variants) => rules.extend(cases(variants)),
        None => entries.push(("additionalProperties".to_owned(), Json::plain(false))),
    }
    if !rules.is_empty() {
        entries.push(("allOf".to_owned(), Json::List(rules)));
    }
    Json::Map(entries)
}

/// What any map of a plan may say of itself.
fn added() -> Json {
    let names = Json::map([
        ("type", Json::text("array")),
        ("items", scalar(r"\S")),
        ("minItems", Json::plain(1)),
    ]);
    let whole = Json::map([("type", Json::text("boolean"))]);
    Json::map([
        ("description", Json::text(ADDED_MEANING)),
        ("anyOf", Json::List(vec![whole, names])),
    ])
}

fn property(shape: &Shape, key: &Key, examples: &Examples) -> Json {
    let mut description = key.meaning.to_owned();
    if key.value.shape().is_none() {
        description.push_str(&format!(" Value: {}.", describe::value(&key.value)));
    }
    let default = describe::default(key.default);
    if !default.is_empty() {
        description.push_str(&format!(" Default: {default}."));
    }
    let mut entries = vec![("description".to_owned(), Json::text(description))];
    if let Json::Map(own) = value(&key.value) {
        entries.extend(own);
    }
    if let Some(default) = default_value(key.default) {
        entries.push(("default".to_owned(), default));
    }
    let example = examples.of(shape, key.name);
    if let Some(example) = example.and_then(|node| example_value(&key.value, node)) {
        entries.push(("examples".to_owned(), Json::List(vec![example])));
    }
    Json::Map(entries)
}

/// The schema of a value.
fn value(value: &Type) -> Json {
    match value {
        Type::Text
        | Type::Reference(_)
        | Type::Vector
        | Type::VectorOrScalar
        | Type::Selector
        | Type::LogSearch
        | Type::Template
        | Type::Host
        | Type::Json
        | Type::Path
        | Type::Zone
        | Type::Turn => scalar(r"\S"),
        Type::Format => Json::map([("enum", Json::List(vec![Json::plain(1), Json::text("1")]))]),
        Type::Name => scalar(&format!("^[A-Za-z0-9._-]{{1,{NAME_CHARS_MAX}}}\\s*$")),
        Type::ClassName => scalar(&format!("^[A-Za-z0-9_-]{{1,{CLASS_NAME_CHARS_MAX}}}\\s*$")),
        Type::MetricName => {
            let rest = METRIC_NAME_CHARS_MAX - 1;
            scalar(&format!("^[a-zA-Z_:][a-zA-Z0-9_:]{{0,{rest}}}\\s*$"))
        }
        Type::Label | Type::Environment => scalar(r"^[a-zA-Z_][a-zA-Z0-9_]*\s*$"),
        Type::Duration(least, _) => duration(least.is_zero()),
        Type::Count(least, most) => Json::map([
            ("type", Json::text("integer")),
            ("minimum", Json::plain(least)),
            ("maximum", Json::plain(most)),
        ]),
        Type::Number => Json::map([("type", Json::text("number"))]),
        Type::Share => any_of(vec![
            Json::map([
                ("type", Json::text("number")),
                ("minimum", Json::plain(0)),
                ("maximum", Json::plain(1)),
            ]),
            text(r"^[0-9.]+\s*%\s*$"),
        ]),
        Type::Boolean => Json::map([("type", Json::text("boolean"))]),
        Type::Word(words) => Json::map([("enum", Json::texts(words.iter().copied()))]),
        Type::Day => any_of(vec![
            Json::map([("enum", Json::texts(super::DAYS.map(|(day, _)| day)))]),
            text("^[A-Za-z]{3}$"),
        ]),
        Type::Target => text(r"^[<>]\s*\S"),
        Type::Url => text(r"^https?://\S+\s*$"),
        Type::Request => {
            let methods = METHODS.map(|(method, _)| method).join("|");
            text(&format!(r"^(({methods})\s+)?https?://\S+\s*$"))
        }
        Type::Authority => text(r"^\S+:[0-9]+\s*$"),
        Type::MailAddress => Json::map([
            ("type", Json::text("string")),
            ("pattern", Json::text(r"^[^@\s]+@[^@\s]+\s*$")),
            ("maxLength", Json::plain(MAIL_ADDRESS_CHARS_MAX)),
        ]),
        Type::Time => text(r"^[0-9]{2}:[0-9]{2}\s*$"),
        Type::HandOver => text(r"^([A-Za-z]{3} +)?[0-9]{2}:[0-9]{2}\s*$"),
        Type::Date => text(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$"),
        Type::DateTime => text(r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}\s*$"),
        Type::Code => text("^BF[0-9]{4}$"),
        Type::List(of, least, most) => list(of, *least, *most),
        Type::OneOrMore(of, most) => any_of(vec![self::value(of), list(of, 1, Some(*most))]),
        Type::Labels => Json::map([
            ("type", Json::text("object")),
            (
                "propertyNames",
                Json::map([("pattern", Json::text("^[a-zA-Z_][a-zA-Z0-9_]*$"))]),
            ),
            ("additionalProperties", scalar(r"\S")),
        ]),
        Type::Map(shape) => Json::map([("$ref", Json::text(format!("#/$defs/{}", shape.id())))]),
    }
}

/// Text by Belfry's reading: YAML may well take `name: no` or `version: 1.0` for something else.
fn scalar(pattern: &str) -> Json {
    Json::map([
        ("type", Json::texts(["string", "number", "boolean"])),
        ("pattern", Json::text(pattern)),
    ])
}

fn text(pattern: &str) -> Json {
    Json::map([
        ("type", Json::text("string")),
        ("pattern", Json::text(pattern)),
    ])
}

fn any_of(choices: Vec<Json>) -> Json {
    Json::map([("anyOf", Json::List(choices))])
}

fn duration(or_zero: bool) -> Json {
    let units = ["y", "w", "d", "h", "m", "s", "ms"];
    let parts = units.map(|unit| format!("([0-9]+{unit})?")).concat();
    let length = Json::map([
        ("type", Json::text("string")),
        ("pattern", Json::text(format!("^{parts}\\s*$"))),
        ("minLength", Json::plain(2)),
    ]);
    if !or_zero {
        return length;
    }
    let zero = Json::map([("enum", Json::List(vec![Json::plain(0), Json::text("0")]))]);
    any_of(vec![zero, length])
}

fn list(of: &Type, least: usize, most: Option<usize>) -> Json {
    let mut entries = vec![
        ("type".to_owned(), Json::text("array")),
        ("items".to_owned(), value(of)),
    ];
    if least > 0 {
        entries.push(("minItems".to_owned(), Json::plain(least)));
    }
    if let Some(most) = most {
        entries.push(("maxItems".to_owned(), Json::plain(most)));
    }
    Json::Map(entries)
}

/// A rule between keys.
fn rule(rule: &Rule) -> Json {
    match rule {
        Rule::OneOf(keys) => Json::map([("oneOf", Json::List(each_required(keys)))]),
        Rule::AtMostOneOf(keys) => {
            let mut choices = each_required(keys);
            choices.push(none_of(keys));
            Json::map([("oneOf", Json::List(choices))])
        }
        Rule::Only(keys, owner) => {
            let owners = keys
                .iter()
                .map(|key| ((*key).to_owned(), Json::texts([*owner])));
            Json::map([("dependentRequired", Json::Map(owners.collect()))])
        }
        Rule::Needs(key, others) => Json::map([(
            "dependentSchemas",
            Json::map([(*key, any_of(each_required(others)))]),
        )]),
        Rule::Forms(one, other) => {
            let form = |own: &[&'static str], others: &[&'static str]| {
                let required = ("required", Json::texts(own.iter().copied()));
                Json::map([required, ("not", any_of(each_required(others)))])
            };
            Json::map([(
                "oneOf",
                Json::List(vec![form(one, other), form(other, one)]),
            )])
        }
    }
}

fn each_required(keys: &[&'static str]) -> Vec<Json> {
    let required = |key: &&'static str| Json::map([("required", Json::texts([*key]))]);
    keys.iter().map(required).collect()
}

fn none_of(keys: &[&'static str]) -> Json {
    Json::map([("not", any_of(each_required(keys)))])
}

/// What further holds for each word that decides on the keys.
fn cases(variants: Variants) -> impl Iterator<Item = Json> {
    variants.shapes.iter().map(move |(word, shape)| {
        let is_word = Json::map([("const", Json::text(*word))]);
        let condition = Json::map([
            ("properties", Json::map([(variants.key, is_word)])),
            ("required", Json::texts([variants.key])),
        ]);
        Json::map([("if", condition), ("then", value(&Type::Map(shape)))])
    })
}

fn default_value(default: Default) -> Option<Json> {
    match default {
        Default::Nothing | Default::Words(_) => None,
        Default::Duration(length) if length.is_zero() => Some(Json::plain(0)),
        Default::Duration(length) => Some(Json::text(model::format_duration(length))),
        Default::Count(count) => Some(Json::plain(count)),
        Default::Boolean(value) => Some(Json::plain(value)),
        Default::Word(word) => Some(Json::text(word)),
    }
}

/// An example as JSON; maps have none, since their keys have.
fn example_value(value: &Type, node: &Node) -> Option<Json> {
    match (&node.value, value) {
        (Value::Text(text), Type::Count(..) | Type::Number | Type::Boolean | Type::Format) => {
            Some(Json::plain(text))
        }
        (Value::Text(text), Type::Duration(..)) if text == "0" => Some(Json::plain(0)),
        (Value::Text(text), Type::OneOrMore(of, _)) => {
            example_value(of, node).or(Some(Json::text(text)))
        }
        (Value::Text(text), _) => Some(Json::text(text)),
        (Value::List(items), Type::List(of, ..) | Type::OneOrMore(of, _)) => {
            let items = items.iter().filter_map(|item| example_value(of, item));
            Some(Json::List(items.collect()))
        }
        (Value::Map(entries), Type::Labels) => {
            let entries = entries.iter().filter_map(|(key, value)| {
                Some((key.text.clone(), example_value(&Type::Text, value)?))
            });
            Some(Json::Map(entries.collect()))
        }
        (Value::Null | Value::List(_) | Value::Map(_), _) => None,
    }
}
