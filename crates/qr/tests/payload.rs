//! Payload builders against `data/payloads.txt`: to add a case, add two lines there.

use std::collections::BTreeMap;

use proptest::prelude::*;
use qr::PayloadKind;
use qr::payload::{self, FieldError};

#[test]
fn payloads_are_built_as_the_corpus_says() {
    let mut lines = include_str!("data/payloads.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut cases = 0;
    while let (Some(request), Some(want)) = (lines.next(), lines.next()) {
        check(request, want);
        cases += 1;
    }
    assert!(cases > 60, "the corpus was read to its end");
}

fn check(request: &str, want: &str) {
    let (kind, rest) = request.split_once(' ').unwrap_or((request, ""));
    let kind: PayloadKind = kind
        .parse()
        .unwrap_or_else(|_| panic!("no kind: {request}"));
    let fields: BTreeMap<String, String> = rest
        .split(" | ")
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name.to_owned(), unescaped(value)))
        .collect();
    let got = match payload::build(kind, &fields) {
        Ok(payload) => payload,
        Err(FieldError { field, rule }) => format!("! {field}: {rule}"),
    };
    assert_eq!(got, unescaped(want), "{request}");
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                other => other.expect("an escaped character"),
            },
            other => other,
        });
    }
    out
}

#[test]
fn kinds_and_their_fields_are_listed() {
    for kind in PayloadKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(
            payload::fields(kind).iter().any(|spec| spec.required),
            "{kind}"
        );
        assert!(
            payload::fields(kind)
                .iter()
                .all(|spec| !spec.hint.is_empty())
        );
    }
    assert!("pdf".parse::<PayloadKind>().is_err());
}

proptest! {
    #[test]
    fn no_fields_make_a_builder_panic(
        kind in prop::sample::select(PayloadKind::ALL.to_vec()),
        values in prop::collection::vec(prop::option::of("\\PC*|[0-9TZ:. +-]{0,24}"), 10),
    ) {
        let fields = payload::fields(kind)
            .iter()
            .zip(values)
            .filter_map(|(spec, value)| Some((spec.name.to_owned(), value?)))
            .collect();
        if let Err(error) = payload::build(kind, &fields) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
