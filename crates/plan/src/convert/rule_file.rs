//! Rule files of Prometheus.

use std::time::Duration;

use super::at;
use crate::context::{Context, Kind};
use crate::expression::{self, Allowed};
use crate::fields::Fields;
use crate::limits::RULE_LABELS_MAX;
use crate::node::{Node, Value};
use crate::{Code, FileAlert, FileRule, RuleFile, RuleFileGroup, grammar, values};

/// The largest `limit` of a group: more alerts of one rule than any store holds series for it.
const GROUP_LIMIT_MAX: usize = 1_000_000_000;

/// Whether a text is a rule file and not a plan.
pub(crate) fn is_rule_file(root: &Node) -> bool {
    matches!(&root.value, Value::Map(entries) if entries.iter().any(|(key, _)| key.text == "groups"))
}

/// The whole file.
pub(crate) fn rule_file(context: &mut Context<'_>, root: &Node) -> Option<RuleFile> {
    let mut fields = Fields::open(context, root, &grammar::RULE_FILE)?;
    let groups = super::section(context, &mut fields, "groups", group);
    fields.finish(context);
    Some(RuleFile { groups })
}

fn group(context: &mut Context<'_>, node: &Node) -> Option<RuleFileGroup> {
    let mut fields = Fields::open(context, node, &grammar::FILE_GROUP)?;
    let name = fields.required(context, "name", "name the group");
    let name = name.and_then(|node| values::new_title(context, Kind::RuleGroup, node));
    // Tests evaluate at their own interval.
    let interval = fields.optional("interval");
    interval.map(|node| values::duration(context, node));
    let limit = fields.optional("limit");
    let limit = limit.and_then(|node| values::count(context, node, 0..=GROUP_LIMIT_MAX));
    let group_labels = text_map(context, &mut fields, "labels");
    let mut rules = super::section(context, &mut fields, "rules", rule);
    fields.finish(context);
    for rule in &mut rules {
        let own = std::mem::take(&mut rule.labels);
        let of_group = group_labels.iter().flatten();
        let of_group = of_group.filter(|(name, _)| own.iter().all(|(other, _)| other != name));
        rule.labels = of_group.cloned().collect();
        rule.labels.extend(own);
    }
    Some(RuleFileGroup {
        name: name?,
        limit: limit.unwrap_or(0),
        rules,
    })
}

fn rule(context: &mut Context<'_>, node: &Node) -> Option<FileRule> {
    let mut fields = Fields::open(context, node, &grammar::FILE_RULE)?;
    let alert = fields.optional("alert");
    let record = fields.optional("record");
    let name = match (alert, record) {
        (Some(node), None) => values::text(context, node),
        (None, Some(node)) => values::text(context, node),
        (Some(_), Some(_)) | (None, None) => {
            let message = "a rule either alerts or records";
            let help = "write one of `alert` and `record`";
            context.error(Code::OneOf, fields.span(), message, "", help);
            None
        }
    };
    let expr = fields.required(context, "expr", "write the PromQL that is evaluated");
    let expr =
        expr.and_then(|node| expression::read(context, node, "a rule", Allowed::VectorOrScalar));
    let hold = length(context, &mut fields, "for");
    let keep_firing = length(context, &mut fields, "keep_firing_for");
    let labels = text_map(context, &mut fields, "labels").unwrap_or_default();
    let annotations = text_map(context, &mut fields, "annotations").unwrap_or_default();
    let at = at(context, &fields);
    fields.finish(context);
    Some(FileRule {
        name: name?.to_owned(),
        expr: expr?,
        labels,
        alert: alert.is_some().then_some(FileAlert {
            hold,
            keep_firing,
            annotations,
        }),
        at,
    })
}

fn length(context: &mut Context<'_>, fields: &mut Fields<'_>, key: &'static str) -> Duration {
    let length = fields.optional(key);
    let length = length.and_then(|node| values::duration_or_zero(context, node));
    length.unwrap_or_default()
}

/// A map of texts, each to the letter: empty ones and line breaks at the end are kept, since tests compare them. `None` where
/// the key is absent.
pub(super) fn text_map(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<Vec<(String, String)>> {
    let node = fields.optional(key)?;
    let Value::Map(entries) = &node.value else {
        let message = format!("`{key}` is a map, but this is {}", node.value.shape());
        let help = "write `name: text` lines";
        context.error(Code::WrongShape, &node.span, message, "", help);
        return None;
    };
    if let Some((past, _)) = entries.get(RULE_LABELS_MAX) {
        let message = format!("{} entries are too many", entries.len());
        let help = format!("write at most {RULE_LABELS_MAX}");
        context.error(Code::TooMany, &past.span, message, "", help);
        return None;
    }
    // Opening the map reports repeated keys; any name may stand in it.
    Fields::open(context, node, &grammar::ANY_NAMES);
    let mut texts = Vec::new();
    for (key, value) in entries {
        let text = match &value.value {
            Value::Text(text) => text.clone(),
            Value::Null => String::new(),
            Value::List(_) | Value::Map(_) => {
                let message = format!("text belongs here, but this is {}", value.value.shape());
                context.error(
                    Code::WrongShape,
                    &value.span,
                    message,
                    "",
                    "write one value",
                );
                continue;
            }
        };
        texts.push((key.text.clone(), text));
    }
    Some(texts)
}
