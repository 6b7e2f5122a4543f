//! How logs come in, are classed and kept.

use std::ops::Range;

use model::Level;

use super::{at, text_or_empty};
use crate::context::{Context, Kind};
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::limits::CLASS_NAME_CHARS_MAX;
use crate::node::Node;
use crate::{Code, FollowedFile, LogCategory, LogClass, Logs, values};

pub(super) const LEVELS: [(&str, Level); 4] = [
    ("DEBUG", Level::Debug),
    ("INFO", Level::Info),
    ("WARN", Level::Warn),
    ("ERROR", Level::Error),
];

pub(super) fn logs(context: &mut Context<'_>, node: &Node) -> Option<Logs> {
    let mut fields = Fields::open(context, node, "the logs section")?;
    let follow = super::section(context, &mut fields, "follow", followed);
    let classes_node =
        fields.required(context, "classes", "list a class with its `keep` per level");
    let mut claims = Vec::new();
    let classes = classes_node.map(|node| {
        super::items(context, node, |context, node| {
            class(context, node, &mut claims)
        })
    });
    if let Some(node) = classes_node {
        every_level_once(context, node, &claims);
    }
    let categories = super::section(context, &mut fields, "categories", category);
    fields.finish(context);
    Some(Logs {
        follow,
        classes: classes?,
        categories,
    })
}

fn followed(context: &mut Context<'_>, node: &Node) -> Option<FollowedFile> {
    let mut fields = Fields::open(context, node, "a followed file")?;
    let path = fields.required(context, "path", "write the file's path");
    let path = path.and_then(|node| values::text(context, node));
    let service = fields.required(context, "service", "name the service that writes it");
    let service = service.and_then(|node| values::name(context, node));
    fields.finish(context);
    Some(FollowedFile {
        path: path?.to_owned(),
        service: service?,
    })
}

/// A level that a class takes, and where the text says so.
type Claim = (Level, Range<usize>);

fn class(context: &mut Context<'_>, node: &Node, claims: &mut Vec<Claim>) -> Option<LogClass> {
    let mut fields = Fields::open(context, node, "a log class")?;
    let name = fields.required(context, "name", "name the class, as in `name: DEBUG`");
    let name = name.and_then(|node| class_name(context, node));
    let level_node = fields.optional("level");
    let level = level_node.and_then(|node| values::word(context, node, "a log level", &LEVELS));
    if let (Some(level), Some(node)) = (level, level_node) {
        claims.push((level, node.span.clone()));
    }
    let category_node = fields.optional("category");
    let category = category_node.and_then(|node| values::name(context, node));
    if level_node.is_some() == category_node.is_some() {
        let message = "a log class takes either a level or a category";
        let help = "write one of `level:` and `category:`";
        context.error(Code::OneOf, &fields.span().clone(), message, "", help);
    }
    let keep = fields.required(
        context,
        "keep",
        "write how long its lines are kept, as in `keep: 30d`",
    );
    let keep = keep.and_then(|node| values::duration(context, node));
    let at = at(context, &fields);
    fields.finish(context);
    Some(LogClass {
        name: name?,
        level,
        category,
        keep: keep?,
        at,
    })
}

/// A class is a folder on disk and a word in addresses, so its name is narrower than others.
fn class_name(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let written = values::text(context, node)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if written.len() <= CLASS_NAME_CHARS_MAX && written.bytes().all(allowed) {
        context.declare(Kind::LogClass, written, node);
        return Some(written.to_owned());
    }
    let message = format!("{} cannot name a log class", quote(written));
    let help = format!("use 1 to {CLASS_NAME_CHARS_MAX} of A-Z, a-z, 0-9, `-` and `_`");
    context.error(Code::InvalidName, &node.span, message, "", help);
    None
}

/// Every line has one level, so every level needs one class and no more.
fn every_level_once(context: &mut Context<'_>, classes: &Node, claims: &[Claim]) {
    for level in Level::ALL {
        let mut of_level = claims.iter().filter(|(own, _)| *own == level);
        if of_level.next().is_none() {
            let message = format!("no log class takes the level {level}");
            let help = format!("add a class with `level: {level}`");
            context.error(Code::LevelClasses, &classes.span, message, "", help);
        }
        for (_, span) in of_level {
            let message = format!("two log classes take the level {level}");
            let help = "leave the level to one class";
            context.error(Code::LevelClasses, span, message, "again", help);
        }
    }
}

fn category(context: &mut Context<'_>, node: &Node) -> Option<LogCategory> {
    let mut fields = Fields::open(context, node, "a log category")?;
    let name = fields.required(context, "name", "name the category");
    let name = name.and_then(|node| values::new_name(context, Kind::LogCategory, node));
    let class = fields.required(context, "class", "name the class that its lines fall into");
    let class = class.and_then(|node| values::reference(context, Kind::LogClass, node));
    let meaning = text_or_empty(context, &mut fields, "meaning");
    fields.finish(context);
    Some(LogCategory {
        name: name?,
        class: class?,
        meaning,
    })
}
