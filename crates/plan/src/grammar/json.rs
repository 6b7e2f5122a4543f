//! JSON whose maps keep their order. `serde_json`'s order depends on a feature that any crate of a build may switch on,
//! and a file that is compared to the letter must not.

use std::fmt::Write;

/// A JSON value.
pub(super) enum Json {
    /// A number, a boolean: what is written as it is.
    Plain(String),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    pub(super) fn plain(value: impl ToString) -> Json {
        Json::Plain(value.to_string())
    }

    pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Json {
        Json::List(texts.into_iter().map(Json::text).collect())
    }

    pub(super) fn map<const N: usize>(entries: [(&str, Json); N]) -> Json {
        let entries = entries.into_iter();
        Json::Map(
            entries
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    /// The value on several lines, with a line break at its end.
    pub(super) fn pretty(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text.push('\n');
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        match self {
            Json::Plain(written) => text.push_str(written),
            Json::Text(own) => text.push_str(&quoted(own)),
            Json::List(items) if items.iter().all(Json::is_short) => {
                let items: Vec<String> = items.iter().map(Json::short).collect();
                let _ = write!(text, "[{}]", items.join(", "));
            }
            Json::List(items) => {
                let items = items.iter().map(|item| (String::new(), item));
                write_lines(text, depth, ('[', ']'), items);
            }
            Json::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (format!("{}: ", quoted(key)), value));
                write_lines(text, depth, ('{', '}'), entries);
            }
        }
    }

    fn is_short(&self) -> bool {
        matches!(self, Json::Plain(_) | Json::Text(_))
    }

    fn short(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }
}

fn write_lines<'j>(
    text: &mut String,
    depth: usize,
    (open, close): (char, char),
    items: impl ExactSizeIterator<Item = (String, &'j Json)>,
) {
    text.push(open);
    let last = items.len();
    for (number, (before, item)) in items.enumerate() {
        let _ = write!(text, "\n{}{before}", "  ".repeat(depth + 1));
        item.write(text, depth + 1);
        if number + 1 < last {
            text.push(',');
        }
    }
    if last > 0 {
        let _ = write!(text, "\n{}", "  ".repeat(depth));
    }
    text.push(close);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_its_order() {
        let value = Json::map([
            ("b", Json::text("\"")),
            ("a", Json::List(vec![Json::plain(1), Json::plain(true)])),
            (
                "c",
                Json::List(vec![Json::map([("d", Json::Map(Vec::new()))])]),
            ),
        ]);
        let expect = "{\n  \"b\": \"\\\"\",\n  \"a\": [1, true],\n  \"c\": [\n    {\n      \"d\": {}\n    }\n  ]\n}\n";
        assert_eq!(value.pretty(), expect);
    }
}
