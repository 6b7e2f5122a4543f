//! The plan language as data: every map of a plan and of a contacts file as a [`Shape`], with each key's type, default
//! and meaning.
//!
//! The converters read by these shapes (`fields`), editors complete by the schema that is made of them, people read the
//! reference that is made of them, and `belfry fmt` orders keys by them. So there is one place where a key can be
//! added, and nothing that describes the language can be older than what reads it.

mod collection;
mod contacts;
mod describe;
mod drills;
mod example;
mod incoming;
mod json;
mod logs;
mod plan;
mod procedures;
mod promises;
mod reference;
mod response;
mod rules;
mod schema;
mod tests;
mod words;

pub(crate) use collection::{HOST, METRIC, PROBE, TARGET};
pub(crate) use contacts::{
    CHANNEL, CONTACTS, DEAD_MANS_SWITCH, MAIL_SERVER, OVERRIDE, PAGERDUTY_URL, PERSON, ROTA, SHIFT,
    SHORT_FORM,
};
pub(crate) use drills::{DRILLS, FAULT, FAULT_REQUEST};
pub(crate) use incoming::{DEPLOYMENTS, HEARTBEAT, INCOMING_ALERTS};
pub(crate) use logs::{FOLLOWED_FILE, LOG_CATEGORY, LOG_CLASS, LOGS};
pub(crate) use plan::{PLAN, WAIVER};
pub(crate) use procedures::{PROCEDURE, REQUEST_KEYS, STEP};
pub(crate) use promises::{BURN_ALERTS, BURN_WINDOW, COVERAGE, CRITICAL_PATH, EVENTS, OBJECTIVE};
pub use reference::reference;
pub(crate) use response::{
    ESCALATION_LEVEL, ESCALATION_POLICY, INCIDENTS, INHIBITION, MAINTENANCE_WINDOW, MESSAGES,
};
pub(crate) use rules::{DASHBOARD, PANEL, QUERY, RULE, RULE_GROUP, THRESHOLD};
pub use schema::{contacts_schema, plan_schema};
pub(crate) use tests::{
    ALERT_CHECK, ANY_NAMES, EXPECTED_ALERT, EXPECTED_PAGE, EXPECTED_SAMPLE, EXPRESSION_CHECK,
    FILE_GROUP, FILE_RULE, RULE_FILE, TEST_ACKNOWLEDGEMENT, TEST_CASE, TEST_FILE, TEST_LOG_LINES,
    TEST_SERIES,
};
pub(crate) use words::*;

use std::time::Duration;

use crate::context::Kind;

/// What `added` says, which any map of a plan may have.
pub(crate) const ADDED_MEANING: &str = "Marks what does not stand in the document that the plan was made from: \
    `true` for the whole of this, or a list of its keys. Coverage reports show it apart.";

/// A map of the text: what it is, and which keys it has.
pub(crate) struct Shape {
    /// What one is called, with its article: "a target".
    pub(crate) noun: &'static str,
    /// What it is for, in whole sentences.
    pub(crate) meaning: &'static str,
    /// Its keys, in the order in which they are written best.
    pub(crate) keys: &'static [Key],
    /// Which keys go together and which do not.
    pub(crate) rules: &'static [Rule],
    /// Further shapes, by the word that one of the keys has.
    pub(crate) variants: Option<Variants>,
}

/// A map whose keys depend on a word in it.
#[derive(Copy, Clone)]
pub(crate) struct Variants {
    /// The key that has the word.
    pub(crate) key: &'static str,
    /// The shape for each word; it holds the key too.
    pub(crate) shapes: &'static [(&'static str, &'static Shape)],
}

/// One key of a map.
#[derive(Copy, Clone)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What its value is.
    pub(crate) value: Type,
    pub(crate) required: bool,
    pub(crate) default: Default,
    /// What it means, in a sentence or two.
    pub(crate) meaning: &'static str,
}

/// What stands for a key that is absent.
#[derive(Copy, Clone)]
pub(crate) enum Default {
    /// Nothing, or what the meaning says of it.
    Nothing,
    /// What follows from other keys, in words: "the service's name".
    Words(&'static str),
    Duration(Duration),
    Count(usize),
    Boolean(bool),
    Word(&'static str),
}

/// What a value is.
#[derive(Copy, Clone)]
pub(crate) enum Type {
    /// Any text that is not empty.
    Text,
    /// The version of the format.
    Format,
    /// A name in the characters of names.
    Name,
    /// The name of a log class, which is a folder's too.
    ClassName,
    /// A name in the characters of metric names.
    MetricName,
    /// The name of a label.
    Label,
    /// A reference to something by its name.
    Reference(Kind),
    /// A length of time from the least to the most. A least of zero allows `0`.
    Duration(Duration, Duration),
    /// A whole number from the least to the most.
    Count(usize, usize),
    /// A number.
    Number,
    /// A share of the whole: `90%` or `0.9`.
    Share,
    /// `true` or `false`.
    Boolean,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A day of the week, whatever the case of its letters.
    Day,
    /// PromQL that gives an instant vector.
    Vector,
    /// PromQL that gives an instant vector or a scalar.
    VectorOrScalar,
    /// An alert's name, or matchers between braces.
    Selector,
    /// A search in the logs.
    LogSearch,
    /// An objective's target: `< 500ms`.
    Target,
    /// A message template.
    Template,
    /// An HTTP address.
    Url,
    /// A method and an HTTP address.
    Request,
    /// `host:port`.
    Authority,
    /// A name or an IP address.
    Host,
    /// A mail address.
    MailAddress,
    /// JSON between quotes.
    Json,
    /// The path of a file.
    Path,
    /// The name of an environment variable.
    Environment,
    /// A time of day: `09:00`.
    Time,
    /// A day and a time, or a time: `Mon 09:00`.
    HandOver,
    /// `2026-01-05`.
    Date,
    /// `2026-12-24 09:00`.
    DateTime,
    /// An IANA name.
    Zone,
    /// The length of a turn: `2 weeks`.
    Turn,
    /// The code of a finding that can be waived.
    Code,
    /// A list: of what, at least how many, at most how many.
    List(&'static Type, usize, Option<usize>),
    /// One item, or a list of at least one and at most so many.
    OneOrMore(&'static Type, usize),
    /// Labels and their values.
    Labels,
    /// A map of a shape.
    Map(&'static Shape),
}

/// What holds between the keys of one map.
#[derive(Copy, Clone)]
pub(crate) enum Rule {
    /// Exactly one of these stands there.
    OneOf(&'static [&'static str]),
    /// At most one of these stands there.
    AtMostOneOf(&'static [&'static str]),
    /// The first mean something only beside the second.
    Only(&'static [&'static str], &'static str),
    /// The first needs one of the second.
    Needs(&'static str, &'static [&'static str]),
    /// All of the first, or all of the second; never keys of both.
    Forms(&'static [&'static str], &'static [&'static str]),
}

/// A shape and all shapes inside it, each once, in the order in which the keys name them.
pub(crate) fn reached(root: &'static Shape) -> Vec<&'static Shape> {
    let mut found: Vec<&'static Shape> = Vec::new();
    let mut open = vec![root];
    while let Some(shape) = open.pop() {
        if found.iter().any(|own| own.noun == shape.noun) {
            continue;
        }
        found.push(shape);
        let inner = shape.keys.iter().filter_map(|key| key.value.shape());
        let variants = shape.variants.iter().flat_map(|own| own.shapes);
        let inner: Vec<&'static Shape> = inner.chain(variants.map(|(_, own)| *own)).collect();
        open.extend(inner.into_iter().rev());
    }
    found
}

impl Shape {
    /// A map without rules between its keys.
    pub(crate) const fn new(
        noun: &'static str,
        meaning: &'static str,
        keys: &'static [Key],
    ) -> Shape {
        Shape {
            noun,
            meaning,
            keys,
            rules: &[],
            variants: None,
        }
    }

    /// With rules between its keys.
    pub(crate) const fn with(self, rules: &'static [Rule]) -> Shape {
        Shape { rules, ..self }
    }

    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The shape of a map whose keys depend on a word, which `word` gives by its key; the shape itself where none does.
    pub(crate) fn variant<'w>(
        &'static self,
        word: impl Fn(&str) -> Option<&'w str>,
    ) -> Option<&'static Shape> {
        let Some(variants) = self.variants else {
            return Some(self);
        };
        let word = word(variants.key)?;
        let found = variants.shapes.iter().find(|(own, _)| *own == word);
        found.map(|(_, shape)| *shape)
    }

    /// Whether a key must stand in one of the forms that the map has.
    pub(crate) fn is_of_a_form(&self, name: &str) -> bool {
        let forms = |rule: &Rule| match rule {
            Rule::Forms(one, other) => one.contains(&name) || other.contains(&name),
            Rule::OneOf(_) | Rule::AtMostOneOf(_) | Rule::Only(..) | Rule::Needs(..) => false,
        };
        self.rules.iter().any(forms)
    }

    /// What it is called without its article, as one word: `log-class`.
    pub(crate) fn id(&self) -> String {
        let articles = ["a ", "an ", "the "];
        let bare = articles
            .iter()
            .find_map(|article| self.noun.strip_prefix(article));
        let plain = |letter: char| match letter {
            ' ' => Some('-'),
            '\'' => None,
            other => Some(other.to_ascii_lowercase()),
        };
        bare.unwrap_or(self.noun)
            .chars()
            .filter_map(plain)
            .collect()
    }
}

impl Key {
    /// A key that must be there.
    pub(crate) const fn required(name: &'static str, value: Type, meaning: &'static str) -> Key {
        Key {
            name,
            value,
            required: true,
            default: Default::Nothing,
            meaning,
        }
    }

    /// A key that may be absent.
    pub(crate) const fn optional(name: &'static str, value: Type, meaning: &'static str) -> Key {
        Key {
            name,
            value,
            required: false,
            default: Default::Nothing,
            meaning,
        }
    }

    /// With what stands for it where it is absent.
    pub(crate) const fn or(self, default: Default) -> Key {
        Key { default, ..self }
    }
}

impl Type {
    /// A list that may hold any number.
    pub(crate) const fn list(of: &'static Type) -> Type {
        Type::List(of, 0, None)
    }

    /// A list that must hold at least one.
    pub(crate) const fn some(of: &'static Type) -> Type {
        Type::List(of, 1, None)
    }

    /// The shape of the maps inside, however deep.
    pub(crate) fn shape(&self) -> Option<&'static Shape> {
        match self {
            Type::Map(shape) => Some(shape),
            Type::List(of, ..) | Type::OneOrMore(of, _) => of.shape(),
            _ => None,
        }
    }
}
