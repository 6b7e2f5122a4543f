//! How diagnostics look on a terminal. Few cases: the words are pinned by `reject.rs`, this pins the drawing.

#[expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the source tree"
)]
fn rendered(case: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/reject");
    let text = std::fs::read_to_string(format!("{folder}/{case}"))
        .expect("the case is part of the corpus");
    let (_, found) = plan::parse(case, &text);
    plan::render(&found, &text, case)
}

#[test]
fn a_word_and_its_neighbour() {
    insta::assert_snapshot!(rendered("metric-type.yaml"));
}

#[test]
fn all_errors_of_an_item() {
    insta::assert_snapshot!(rendered("metric-all-wrong.yaml"));
}

#[test]
fn a_place_inside_a_block_scalar() {
    insta::assert_snapshot!(rendered("rule-syntax-block.yaml"));
}

#[test]
fn a_whole_expression_of_the_wrong_type() {
    insta::assert_snapshot!(rendered("rule-range-vector.yaml"));
}

#[test]
fn broken_yaml() {
    insta::assert_snapshot!(rendered("yaml-indentation.yaml"));
}

#[test]
fn a_warning() {
    insta::assert_snapshot!(rendered("warn-belfry-series.yaml"));
}

#[test]
fn a_place_inside_a_template() {
    insta::assert_snapshot!(rendered("template-syntax.yaml"));
}

#[test]
fn a_place_inside_a_selector() {
    insta::assert_snapshot!(rendered("inhibition-selectors.yaml"));
}

#[test]
fn a_place_inside_a_request() {
    insta::assert_snapshot!(rendered("step-request.yaml"));
}
