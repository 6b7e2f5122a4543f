//! Texts of alerts: Go templates in rule files, two placeholders in a plan.

/// A text in the plan's placeholders, and what was changed for that.
pub(super) fn converted(text: &str) -> (String, Vec<String>) {
    let mut whole = String::new();
    let mut changes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        whole.push_str(before);
        let Some((inside, behind)) = after.split_once("}}") else {
            whole.push_str("{{");
            rest = after;
            continue;
        };
        let inside = inside
            .trim()
            .trim_start_matches('-')
            .trim_end_matches('-')
            .trim();
        match action(inside) {
            Action::Same => whole.push_str(&format!("{{{{ {inside} }}}}")),
            Action::Other(other) => {
                changes.push(format!("`{{{{ {inside} }}}}` became `{other}`"));
                whole.push_str(&other);
            }
            Action::None => changes.push(format!(
                "`{{{{ {inside} }}}}` has no counterpart and is left out"
            )),
        }
        rest = behind;
    }
    whole.push_str(rest);
    (whole.trim().to_owned(), changes)
}

enum Action {
    /// The plan writes it the same.
    Same,
    /// The plan writes it like this.
    Other(String),
    /// The plan has nothing like it.
    None,
}

fn action(inside: &str) -> Action {
    if inside.starts_with("/*") {
        return Action::Other(String::new());
    }
    let words: Vec<&str> = inside.split_whitespace().collect();
    let label = |word: &str| {
        let name = word
            .strip_prefix("$labels.")
            .or_else(|| word.strip_prefix(".Labels."))?;
        model::is_label_name(name).then(|| format!("{{{{ $labels.{name} }}}}"))
    };
    if ["if", "else", "end", "range", "with", "template", "define"]
        .contains(words.first().unwrap_or(&""))
    {
        return Action::None;
    }
    if inside == "$value" || words == ["$value", "|", "humanizePercentage"] {
        return Action::Same;
    }
    if inside.starts_with("$labels.") && label(inside).is_some() {
        return Action::Same;
    }
    // A label stays itself through what only makes it prettier.
    let labels: Vec<String> = words.iter().filter_map(|word| label(word)).collect();
    if let [only] = labels.as_slice() {
        return Action::Other(only.clone());
    }
    let value = words.iter().any(|word| ["$value", ".Value"].contains(word)) && labels.is_empty();
    if value && words.contains(&"humanizePercentage") {
        return Action::Other("{{ $value | humanizePercentage }}".to_owned());
    }
    if value && !words.contains(&"query") {
        return Action::Other("{{ $value }}".to_owned());
    }
    Action::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders() {
        let check = |text: &str, expect: &str, changes: usize| {
            let (written, changed) = converted(text);
            assert_eq!(
                (written.as_str(), changed.len()),
                (expect, changes),
                "{text}: {changed:?}"
            );
        };
        check(
            "{{ $labels.job }} is at {{$value}}",
            "{{ $labels.job }} is at {{ $value }}",
            0,
        );
        check(
            "{{ $value | humanizePercentage }}",
            "{{ $value | humanizePercentage }}",
            0,
        );
        check("{{ .Labels.job }}", "{{ $labels.job }}", 1);
        check("{{ printf \"%.2f\" $value }}%", "{{ $value }}%", 1);
        check("{{ $value | humanize }}", "{{ $value }}", 1);
        check(
            "{{ reReplaceAll \"a\" \"b\" $labels.job }}",
            "{{ $labels.job }}",
            1,
        );
        check(
            "{{ with query \"up\" }}{{ . | first | value }}{{ end }}",
            "",
            3,
        );
        check("open {{ end", "open {{ end", 0);
        check("{{- $value -}}", "{{ $value }}", 0);
    }
}
