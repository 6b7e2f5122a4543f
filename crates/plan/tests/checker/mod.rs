//! A checker of texts against the schemas. It knows the keywords that the schemas use and fails on any other: a whole
//! validator would bring some forty crates for two dozen keywords.

use std::cell::RefCell;
use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

/// One of the two schemas.
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn of_plans() -> Schema {
        Schema(serde_json::from_str(&plan::plan_schema()).expect("a schema is JSON"))
    }

    pub(crate) fn of_contacts() -> Schema {
        Schema(serde_json::from_str(&plan::contacts_schema()).expect("a schema is JSON"))
    }

    /// Checks a text; the error says where and by which keyword, or that the text is not YAML.
    pub(crate) fn check(&self, text: &str) -> Result<(), String> {
        check(&self.0, &self.0, &value(text)?, "")
    }
}

/// A text as an editor's language server sees it, by YAML 1.2: `yes` is text.
fn value(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// Checks a value; the error says where and by which keyword.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = schema.as_object().expect("a schema is a map");
    for (keyword, rule) in schema {
        check_keyword(root, (keyword, rule), schema, value, at)
            .map_err(|why| format!("{at}: {keyword}: {why}"))?;
    }
    Ok(())
}

fn check_keyword(
    root: &Value,
    (keyword, rule): (&str, &Value),
    schema: &serde_json::Map<String, Value>,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let holds = |rule: &Value| check(root, rule, value, at).is_ok();
    let rules = || rule.as_array().expect("a list of schemas").iter();
    let object = value.as_object();
    let has =
        |key: &Value| object.is_some_and(|own| own.contains_key(key.as_str().expect("a key")));
    let fits =
        match keyword {
            "$schema" | "$comment" | "$defs" | "title" | "description" | "default" | "examples"
            | "then" => true,
            "$ref" => {
                let pointer = rule.as_str().expect("text").trim_start_matches('#');
                let target = root.pointer(pointer).expect("the definition is there");
                return check(root, target, value, at);
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|own| is_of_type(value, own)),
                own => is_of_type(value, own),
            },
            "enum" => rule.as_array().expect("a list").contains(value),
            "const" => rule == value,
            "pattern" => {
                let pattern = rule.as_str().expect("text");
                value.as_str().is_none_or(|text| matches(pattern, text))
            }
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() >= number(rule)),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() <= number(rule)),
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() >= number(rule)),
            "maxItems" => value
                .as_array()
                .is_none_or(|items| items.len() <= number(rule)),
            "minimum" => value.as_f64().is_none_or(|own| Some(own) >= rule.as_f64()),
            "maximum" => value.as_f64().is_none_or(|own| Some(own) <= rule.as_f64()),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}/{number}"))?;
                }
                true
            }
            "properties" => {
                for (key, rule) in rule.as_object().expect("a map") {
                    if let Some(own) = object.and_then(|own| own.get(key)) {
                        check(root, rule, own, &format!("{at}/{key}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let declared = schema.get("properties").and_then(Value::as_object);
                let further = object.into_iter().flatten();
                let mut further =
                    further.filter(|(key, _)| declared.is_none_or(|own| !own.contains_key(*key)));
                match rule {
                    Value::Bool(false) => further.next().is_none(),
                    rule => further.all(|(_, own)| check(root, rule, own, at).is_ok()),
                }
            }
            "propertyNames" => {
                let mut names = object.into_iter().flatten().map(|(key, _)| key.as_str());
                names.all(|key| check(root, rule, &Value::from(key), at).is_ok())
            }
            "required" => object.is_none() || rules().all(has),
            "allOf" => {
                for rule in rules() {
                    check(root, rule, value, at)?;
                }
                true
            }
            "anyOf" => rules().any(holds),
            "oneOf" => rules().filter(|rule| holds(rule)).count() == 1,
            "not" => !holds(rule),
            "if" => !holds(rule) || holds(&schema["then"]),
            "dependentRequired" => rule.as_object().expect("a map").iter().all(|(key, needs)| {
                let needs = needs.as_array().expect("a list");
                object.is_none_or(|own| !own.contains_key(key)) || needs.iter().all(has)
            }),
            "dependentSchemas" => rule.as_object().expect("a map").iter().all(|(key, needs)| {
                object.is_none_or(|own| !own.contains_key(key)) || holds(needs)
            }),
            other => panic!("the schemas use `{other}`, which this checker does not know"),
        };
    fits.then_some(())
        .ok_or_else(|| format!("{rule} refuses {value}"))
}

fn is_of_type(value: &Value, expected: &Value) -> bool {
    match expected.as_str().expect("a type is text") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the schemas use the type `{other}`, which this checker does not know"),
    }
}

fn number(rule: &Value) -> usize {
    let number = rule.as_u64().expect("a bound is a number");
    usize::try_from(number).expect("a bound is small")
}

/// Whether a text fits a pattern; each pattern is compiled once a test.
fn matches(pattern: &str, text: &str) -> bool {
    thread_local! {
        static COMPILED: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
    }
    COMPILED.with_borrow_mut(|compiled| {
        let own = compiled.entry(pattern.to_owned());
        let own = own.or_insert_with(|| Regex::new(pattern).expect("a pattern"));
        own.is_match(text)
    })
}
