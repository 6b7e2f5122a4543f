//! A rule file's groups and rules, with their places. Rule files come bare and as Kubernetes objects (`spec:`).

use crate::context::Context;
use crate::limits::NODES_MAX;
use crate::node::{Node, Value};
use crate::syntax;

/// A group as it is written.
pub(super) struct Group {
    pub(super) file: String,
    pub(super) name: String,
    pub(super) interval: String,
    pub(super) rules: Vec<Rule>,
    /// Keys of the group that mean nothing in a plan.
    pub(super) others: Vec<String>,
}

/// A rule as it is written.
pub(super) struct Rule {
    pub(super) line: usize,
    /// The alert's or the recorded series' name.
    pub(super) name: String,
    pub(super) records: bool,
    pub(super) expr: String,
    pub(super) hold: String,
    pub(super) keep_firing: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) annotations: Vec<(String, String)>,
}

/// The groups of a file, or why it has none.
pub(super) fn groups(file: &str, text: &str) -> Result<Vec<Group>, String> {
    let mut context = Context::new(file, text);
    let root = syntax::read(&mut context.report, 0, NODES_MAX);
    let place = |node: &Node| context.report.files.location(node.span.start).line;
    let found = root.as_ref().and_then(groups_node).map(|nodes| {
        let groups = nodes.iter().map(|node| group(file, node, &place));
        groups.collect::<Vec<Group>>()
    });
    if let Some(groups) = found {
        return Ok(groups);
    }
    let why = match root {
        Some(_) => "it has no list `groups`".to_owned(),
        None => {
            let (_, said) = context.report.finish::<()>(None);
            said.first()
                .map_or("it is no YAML".to_owned(), ToString::to_string)
        }
    };
    Err(why)
}

fn groups_node(root: &Node) -> Option<&[Node]> {
    let groups = get(root, "groups").or_else(|| get(get(root, "spec")?, "groups"))?;
    match &groups.value {
        Value::List(nodes) => Some(nodes),
        Value::Null | Value::Text(_) | Value::Map(_) => None,
    }
}

fn group(file: &str, node: &Node, place: &dyn Fn(&Node) -> usize) -> Group {
    let known = ["name", "interval", "rules", "labels"];
    let entries = entries(node);
    let others = entries
        .iter()
        .map(|(key, _)| key.text.clone())
        .filter(|key| !known.contains(&key.as_str()));
    let group_labels = get(node, "labels").map_or(Vec::new(), texts);
    let rules = match get(node, "rules").map(|node| &node.value) {
        Some(Value::List(rules)) => rules
            .iter()
            .map(|node| rule(node, &group_labels, place))
            .collect(),
        Some(_) | None => Vec::new(),
    };
    Group {
        file: file.to_owned(),
        name: text(node, "name"),
        interval: text(node, "interval"),
        rules,
        others: others.collect(),
    }
}

fn rule(node: &Node, group_labels: &[(String, String)], place: &dyn Fn(&Node) -> usize) -> Rule {
    let record = text(node, "record");
    let mut labels = get(node, "labels").map_or(Vec::new(), texts);
    for (name, value) in group_labels {
        if !labels.iter().any(|(own, _)| own == name) {
            labels.push((name.clone(), value.clone()));
        }
    }
    Rule {
        line: place(node),
        records: !record.is_empty(),
        name: if record.is_empty() {
            text(node, "alert")
        } else {
            record
        },
        expr: text(node, "expr"),
        hold: text(node, "for"),
        keep_firing: text(node, "keep_firing_for"),
        labels,
        annotations: get(node, "annotations").map_or(Vec::new(), texts),
    }
}

fn entries(node: &Node) -> &[(crate::node::Key, Node)] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Text(_) | Value::List(_) => &[],
    }
}

fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    entries(node)
        .iter()
        .find(|(own, _)| own.text == key)
        .map(|(_, value)| value)
}

fn text(node: &Node, key: &str) -> String {
    get(node, key).map_or(String::new(), |node| match &node.value {
        Value::Text(text) => text.trim().to_owned(),
        Value::Null | Value::List(_) | Value::Map(_) => String::new(),
    })
}

fn texts(node: &Node) -> Vec<(String, String)> {
    let own = entries(node)
        .iter()
        .map(|(key, _)| (key.text.clone(), text(node, &key.text)));
    own.collect()
}
