//! What is made from the grammar and kept in `docs`: the reference and the schemas. `UPDATE_EXPECT=1` writes them anew.

use std::path::Path;

#[test]
fn the_reference_is_as_the_grammar_says() {
    check("plan-reference.md", &plan::reference());
}

#[test]
fn the_schemas_are_as_the_grammar_says() {
    check("plan.schema.json", &plan::plan_schema());
    check("contacts.schema.json", &plan::contacts_schema());
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pages are part of the source tree, and a developer may write them anew"
)]
fn check(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var("UPDATE_EXPECT").is_ok() {
        std::fs::write(&path, made).expect("the source tree can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept
        .lines()
        .zip(made.lines())
        .position(|(own, new)| own != new);
    assert!(
        kept == made,
        "docs/{name} is older than the grammar (line {:?}); write it anew with UPDATE_EXPECT=1",
        differs.map(|at| at + 1)
    );
}
