//! Files that a plan includes: read one after another, each once, and filled with values from the environment.
//!
//! What comes out is one tree of all of them, so that converters see a plan and not its files. When one of the files
//! cannot be read there is none: whatever it declares would be missed in the others, and nothing said about that would help.

use crate::context::Context;
use crate::convert;
use crate::diagnostics::quote;
use crate::fields::{report_repeated, stands_in_two_files};
use crate::joining::join;
use crate::limits::{
    ALL_TEXTS_BYTES_MAX, FILES_MAX, INCLUSION_DEPTH_MAX, NODES_MAX, PATH_BYTES_MAX,
};
use crate::node::{Key, Node, Value};
use crate::variables::{self, Filler};
use crate::{Code, Sources, syntax, values};

/// The key under which a file lists others.
pub(crate) const INCLUDE: &str = "include";

/// Keys that say something about an included file, and not about the plan.
const FORMAT: &str = "format";
const SERVICE: &str = "service";
const TITLE: &str = "title";

/// The tree of a plan with all that it includes.
pub(crate) fn read(context: &mut Context<'_>, sources: &mut dyn Sources) -> Option<Node> {
    let mut reader = Reader {
        context,
        sources,
        filler: Filler::default(),
        came_from: vec![None],
        nodes: 0,
        is_whole: true,
    };
    let mut root = reader.tree(0)?;
    if let Value::Map(entries) = &mut root.value {
        let service = text_of(entries, SERVICE).unwrap_or("").to_owned();
        reader.context.services.begin(&service);
        for included in reader.included(0, entries) {
            join(entries, included);
        }
    }
    reader.is_whole.then_some(root)
}

/// The keys of an included file.
type Entries = Vec<(Key, Node)>;

struct Reader<'r, 't> {
    context: &'r mut Context<'t>,
    sources: &'r mut dyn Sources,
    filler: Filler,
    /// For each file the one that includes it.
    came_from: Vec<Option<usize>>,
    /// The nodes of all trees so far.
    nodes: usize,
    /// Whether every file could be read.
    is_whole: bool,
}

impl Reader<'_, '_> {
    /// A file's tree, with values from the environment.
    fn tree(&mut self, file: usize) -> Option<Node> {
        let nodes_max = NODES_MAX.saturating_sub(self.nodes).max(1);
        let mut root = syntax::read(&mut self.context.report, file, nodes_max)?;
        self.nodes += root.count();
        if let Value::Map(entries) = &mut root.value {
            for (_, value) in entries.iter_mut().filter(|(key, _)| key.text != INCLUDE) {
                self.filler.fill(self.context, value, self.sources);
            }
        }
        Some(root)
    }

    /// What the files add to the plan that a file includes, each followed by what it includes itself.
    fn included(&mut self, file: usize, entries: &Entries) -> Vec<Entries> {
        let mut found = Vec::new();
        let list = entries.iter().find(|(key, _)| key.text == INCLUDE);
        let Some((_, list)) = list else {
            return found;
        };
        if matches!(list.value, Value::Text(_) | Value::Map(_)) {
            self.is_whole = false;
        }
        for node in convert::nodes_up_to(self.context, list, (FILES_MAX, "files")) {
            let Some((index, entries)) = self.file(file, node) else {
                self.is_whole = false;
                continue;
            };
            let further = self.included(index, &entries);
            found.push(entries);
            found.extend(further);
        }
        found
    }

    /// A file that another includes: its index, and what it adds to the plan.
    fn file(&mut self, includer: usize, node: &Node) -> Option<(usize, Entries)> {
        let index = self.open(includer, node)?;
        let root = self.tree(index)?;
        let Value::Map(entries) = root.value else {
            let shape = root.value.shape();
            let message = format!("a plan is a map of keys, but this is {shape}");
            let help = "write sections of the plan here, such as `rule_groups:`";
            self.context
                .error(Code::WrongShape, &root.span, message, "not a map", help);
            return None;
        };
        Some((index, self.of_file(index, entries)))
    }

    /// Reads the text of a file that another includes; its index.
    fn open(&mut self, file: usize, node: &Node) -> Option<usize> {
        let path = path(self.context, node)?;
        let name = beside(self.context.report.files.name(file), path);
        self.is_new(file, node, &name)?;
        let text = match self.sources.file(&name) {
            Ok(text) => text,
            Err(why) => {
                let message = format!("{} cannot be read: {why}", quote(&name));
                let help = "paths count from the file that they stand in";
                self.context
                    .error(Code::UnreadableFile, &node.span, message, "", help);
                return None;
            }
        };
        let files = &mut self.context.report.files;
        if files.bytes() + text.len() > ALL_TEXTS_BYTES_MAX {
            let message = format!("with {} the plan's files are too long", quote(&name));
            let help = format!("they may have {ALL_TEXTS_BYTES_MAX} bytes in all");
            self.context
                .error(Code::TextTooLarge, &node.span, message, "", help);
            return None;
        }
        let index = files.add(name, text);
        self.came_from.push(Some(file));
        self.context.services.inherit(file);
        Some(index)
    }

    /// Reports a file that is part of the plan already, or one more than a plan may have.
    fn is_new(&mut self, file: usize, node: &Node, name: &str) -> Option<()> {
        let files = &self.context.report.files;
        let chain = self.chain(file);
        let known = (0..files.count()).find(|index| normal(files.name(*index)) == name);
        let (code, message, help) = if let Some(known) = known {
            let (message, way) = if chain.contains(&known) {
                let message = format!("{} would include itself", quote(name));
                (message, format!("{} → {name}", self.shown(&chain)))
            } else {
                let message = format!("{} is part of the plan already", quote(name));
                (message, self.shown(&self.chain(known)))
            };
            let help = format!("take it out here or there; it comes in by {way}");
            (Code::IncludedAgain, message, help)
        } else if chain.len() > INCLUSION_DEPTH_MAX {
            let message = format!("files are included more than {INCLUSION_DEPTH_MAX} deep here");
            let help = format!("include it further up: {}", self.shown(&chain));
            (Code::TooMany, message, help)
        } else if files.count() >= FILES_MAX {
            let message = format!("a plan of more than {FILES_MAX} files is too many");
            let help = "join some of them".to_owned();
            (Code::TooMany, message, help)
        } else {
            return Some(());
        };
        self.context.error(code, &node.span, message, "", help);
        None
    }

    /// The files from the main one to this one, each included by the one before it.
    fn chain(&self, file: usize) -> Vec<usize> {
        let mut chain = vec![file];
        let mut at = file;
        while let Some(Some(includer)) = self.came_from.get(at) {
            at = *includer;
            chain.push(at);
        }
        chain.reverse();
        chain
    }

    fn shown(&self, chain: &[usize]) -> String {
        let files = &self.context.report.files;
        let names: Vec<&str> = chain.iter().map(|file| files.name(*file)).collect();
        names.join(" → ")
    }

    /// What an included file says about itself is taken in; the rest of its keys, each once, is the plan's.
    fn of_file(&mut self, file: usize, entries: Entries) -> Entries {
        report_repeated(self.context, &entries);
        self.name_service(file, &entries);
        let mut kept: Entries = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (key, node) in entries {
            if !seen.insert(key.text.clone()) {
                continue;
            }
            match key.text.as_str() {
                FORMAT => convert::check_format(self.context, &node),
                SERVICE => {}
                TITLE if self.context.services.other_of(file).is_some() => {
                    self.name_title(file, &key, &node);
                }
                _ => kept.push((key, node)),
            }
        }
        kept
    }

    fn name_service(&mut self, file: usize, entries: &Entries) {
        let written = entries.iter().find(|(key, _)| key.text == SERVICE);
        if let Some((_, node)) = written
            && let Some(name) = values::name(self.context, node)
        {
            self.context.services.name(file, &name, &node.span);
        }
    }

    fn name_title(&mut self, file: usize, key: &Key, node: &Node) {
        let Some(title) = values::text(self.context, node) else {
            return;
        };
        let Some(service) = self.context.services.other_of(file) else {
            return;
        };
        let Some((_, first)) = &service.title else {
            service.title = Some((title.to_owned(), key.span.clone()));
            return;
        };
        let first = first.start;
        let line = self
            .context
            .report
            .files
            .line_seen_from(first, key.span.start);
        stands_in_two_files(self.context, key, &line);
    }
}

fn text_of<'n>(entries: &'n Entries, wanted: &str) -> Option<&'n str> {
    let (_, node) = entries.iter().find(|(key, _)| key.text == wanted)?;
    match &node.value {
        Value::Text(text) => Some(text.trim_end()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// A path as it may stand in a plan. It names the same file wherever the plan is read, so that a reviewer knows which.
fn path<'n>(context: &mut Context<'_>, node: &'n Node) -> Option<&'n str> {
    let path = values::text(context, node)?;
    let wrong = if variables::has_any(path) {
        "it takes a value from the environment"
    } else if path.starts_with('/') {
        "it does not begin at the file that it stands in"
    } else if path.len() > PATH_BYTES_MAX {
        "it is too long"
    } else if path.contains(char::is_control) || normal(path).is_empty() || path.ends_with('/') {
        "it names no file"
    } else {
        return Some(path);
    };
    let message = format!("{} cannot be included: {wrong}", quote(path));
    let help = "write a path from here, as in `parts/rules.yaml`: whoever reads the plan must know its files";
    context.error(Code::InvalidPath, &node.span, message, "", help);
    None
}

/// The name of a file that another includes by a path from its own folder.
fn beside(includer: &str, path: &str) -> String {
    match includer.rsplit_once('/') {
        Some((folder, _)) => normal(&format!("{folder}/{path}")),
        None => normal(path),
    }
}

/// A path without detours, by its words alone: one file has one name.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // Above the root there is nothing.
            ".." if path.starts_with('/') => {}
            _ => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_file_they_stand_in() {
        let check = |includer: &str, path: &str, expect: &str| {
            assert_eq!(beside(includer, path), expect, "{includer} {path}");
        };
        check("plan.yaml", "rules.yaml", "rules.yaml");
        check("./plan.yaml", "parts/./rules.yaml", "parts/rules.yaml");
        check("plans/shop.yaml", "../shared/a.yaml", "shared/a.yaml");
        check("plan.yaml", "../../a.yaml", "../../a.yaml");
        check("../plan.yaml", "../a.yaml", "../../a.yaml");
        check("/etc/belfry/plan.yaml", "a//b.yaml", "/etc/belfry/a/b.yaml");
        check("/plan.yaml", "../../a.yaml", "/a.yaml");
    }
}
