//! Names: unique within their kind, and there when something refers to them.

use std::collections::{BTreeMap, BTreeSet};

use crate::Code;
use crate::context::{Context, Kind, Named};
use crate::diagnostics::{all, quote};
use crate::suggest::did_you_mean;
use crate::values::with_article;

/// The most names that a message lists as possible.
const LISTED_MAX: usize = 8;

/// Reports names that stand twice and references into nothing.
pub(crate) fn names(context: &mut Context<'_>) {
    let declared = std::mem::take(&mut context.declared);
    let referred = std::mem::take(&mut context.referred);
    repeated(context, &declared);
    let known: BTreeSet<(Kind, &str)> = declared
        .iter()
        .map(|named| (named.kind, named.name.as_str()))
        .collect();
    for reference in &referred {
        if !known.contains(&(reference.kind, reference.name.as_str())) {
            unknown(context, reference, &declared);
        }
    }
    context.declared = declared;
}

fn repeated(context: &mut Context<'_>, declared: &[Named]) {
    let mut first_of = BTreeMap::new();
    for named in declared {
        let Some(first) = first_of.get(&(named.kind, named.name.as_str())) else {
            first_of.insert((named.kind, named.name.as_str()), named.span.start);
            continue;
        };
        let files = &context.report.files;
        let line = files.line_seen_from(*first, named.span.start);
        let noun = with_article(named.kind.noun());
        let message = format!("there is already {noun} named {}", quote(&named.name));
        let help = format!("give one of them another name; the first is on {line}");
        context.error(Code::DuplicateName, &named.span, message, "again", help);
    }
}

fn unknown(context: &mut Context<'_>, reference: &Named, declared: &[Named]) {
    let kind = reference.kind;
    let of_kind = declared
        .iter()
        .filter(|named| named.kind == kind)
        .map(|named| &*named.name);
    let names: Vec<&str> = of_kind.collect();
    let meant = did_you_mean(&reference.name, names.iter().copied());
    let help = if !meant.is_empty() {
        meant
    } else if names.is_empty() {
        let noun = with_article(kind.noun());
        format!("declare {noun}; the {} has none", kind.file())
    } else if names.len() <= LISTED_MAX {
        format!("the {} has {}", kind.file(), all(&names))
    } else {
        format!(
            "declare it, or refer to one of the {}'s {} others",
            kind.file(),
            names.len()
        )
    };
    let message = format!(
        "there is no {} named {}",
        kind.noun(),
        quote(&reference.name)
    );
    context.error(Code::UnknownReference, &reference.span, message, "", help);
}
