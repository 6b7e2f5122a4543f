//! The grammar as a page for people: every section with its keys and an example that is checked.

use std::fmt::Write;

use super::ADDED_MEANING;
use super::example::{EXAMPLE_CONTACTS, EXAMPLE_PLAN, section};
use super::{CONTACTS, Key, PLAN, Shape, describe, reached};
use crate::diagnostics::either;

const HEAD: &str = "\
# Reference of the plan and contacts files

Every key, with its value, its default and what it means. [plan.md](plan.md) is the guide; this page is for looking things up.
It is made from the grammar by which Belfry reads these files, and a test compares it: after a change of the grammar
`UPDATE_EXPECT=1 cargo nextest run -p plan generated` writes it anew. Editors that know JSON Schema complete and explain
the same keys with [plan.schema.json](plan.schema.json) and [contacts.schema.json](contacts.schema.json).

**Bold** keys must be there. Where another key is absent its default holds; where none stands, nothing does.

";

/// The reference of both files, as it stands in `docs/plan-reference.md`.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let _ = write!(
        page,
        "Any map of a plan may have `added`. {ADDED_MEANING}\n\n"
    );
    file(&mut page, "The plan file", &PLAN, EXAMPLE_PLAN);
    page.push('\n');
    file(&mut page, "The contacts file", &CONTACTS, EXAMPLE_CONTACTS);
    page
}

fn file(page: &mut String, title: &str, root: &'static Shape, example: &'static str) {
    let _ = write!(page, "## {title}\n\n{}\n\n", root.meaning);
    table(page, root);
    for key in root.keys {
        if let Some(shape) = key.value.shape() {
            let _ = write!(page, "\n### {}\n\n", key.name);
            described(page, shape);
            for inner in reached(shape).into_iter().skip(1) {
                let _ = write!(page, "\n#### {}\n\n", heading(inner));
                described(page, inner);
            }
            let shown = section(example, key.name);
            if !shown.is_empty() {
                let _ = write!(page, "\nFor example:\n\n```yaml\n{shown}\n```\n");
            }
        }
    }
}

fn described(page: &mut String, shape: &'static Shape) {
    let _ = write!(page, "{}\n\n", shape.meaning);
    table(page, shape);
    for rule in shape.rules {
        let _ = write!(page, "\n{}\n", describe::rule(rule));
    }
    if let Some(variants) = shape.variants {
        let words: Vec<&str> = variants.shapes.iter().map(|(word, _)| *word).collect();
        let _ = write!(page, "\nWith {} it has the keys below.\n", either(&words));
    }
}

fn table(page: &mut String, shape: &Shape) {
    page.push_str("| key | value | default | what |\n|---|---|---|---|\n");
    for key in shape.keys {
        let name = if key.required {
            format!("**{}**", key.name)
        } else {
            key.name.to_owned()
        };
        let cells = [
            name,
            cell_value(key),
            describe::default(key.default),
            key.meaning.to_owned(),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}

fn cell_value(key: &Key) -> String {
    match key.value.shape() {
        None => describe::value(&key.value),
        Some(shape) => {
            let whole = describe::value(&key.value);
            whole.replace(
                shape.noun,
                &format!("[{}](#{})", shape.noun, anchor(shape, key)),
            )
        }
    }
}

/// Where a shape is described: under its section's key, or under its own noun.
fn anchor(shape: &Shape, key: &Key) -> String {
    let is_section = [&PLAN, &CONTACTS].iter().any(|root| {
        let own = root.keys.iter().find(|own| own.name == key.name);
        own.and_then(|own| own.value.shape())
            .is_some_and(|own| own.noun == shape.noun)
    });
    if is_section {
        return key.name.to_owned();
    }
    heading(shape)
        .to_lowercase()
        .replace(' ', "-")
        .replace('\'', "")
}

/// A noun at the beginning of a line: "A rule".
fn heading(shape: &Shape) -> String {
    let mut letters = shape.noun.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
