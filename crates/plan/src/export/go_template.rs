//! Texts of the plan as Go templates. Belfry fills three forms between braces and leaves the rest as written; Go would fail on
//! the rest, so it is quoted.

/// A summary or description as Prometheus' template, which gives what Belfry gives: values with four digits.
pub(super) fn annotation(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let after = &rest[start + 2..];
        let known = after
            .find("}}")
            .and_then(|end| Some((action(after[..end].trim())?, &after[end + 2..])));
        match known {
            Some((action, behind)) => {
                out.push_str(&action);
                rest = behind;
            }
            None => {
                out.push_str(BRACES);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Text in which nothing is filled.
pub(super) fn literal(text: &str) -> String {
    text.replace("{{", BRACES)
}

/// Two braces, as a template writes them.
const BRACES: &str = "{{ \"{{\" }}";

fn action(inside: &str) -> Option<String> {
    if inside == "$value" {
        return Some("{{ printf \"%.4g\" $value }}".to_owned());
    }
    if let Some(label) = inside.strip_prefix("$labels.") {
        return model::is_label_name(label).then(|| format!("{{{{ $labels.{label} }}}}"));
    }
    let (left, right) = inside.split_once('|')?;
    let is_percentage = (left.trim(), right.trim()) == ("$value", "humanizePercentage");
    is_percentage.then(|| "{{ $value | humanizePercentage }}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belfry_fills_is_filled_and_the_rest_is_quoted() {
        let check = |text: &str, expect: &str| assert_eq!(annotation(text), expect);
        check("{{$value}} s", "{{ printf \"%.4g\" $value }} s");
        check("{{ $labels.job }}!", "{{ $labels.job }}!");
        check(
            "{{ $value | humanizePercentage }}",
            "{{ $value | humanizePercentage }}",
        );
        check(
            "{{ $value | humanize }}",
            "{{ \"{{\" }} $value | humanize }}",
        );
        check("{{ $labels.a b }}", "{{ \"{{\" }} $labels.a b }}");
        check("a {{ b", "a {{ \"{{\" }} b");
        check("{{{ $value }}", "{{ \"{{\" }}{ $value }}");
        check("}} {", "}} {");
        assert_eq!(literal("sum{a=\"{{x}}\"}"), "sum{a=\"{{ \"{{\" }}x}}\"}");
    }
}
