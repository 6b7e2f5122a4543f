//! JSON text that stays on one line, whatever it holds.
//!
//! Written by hand for the log: besides control characters it escapes what some readers take for the end of a line
//! (U+0085, U+2028, U+2029), which a general library leaves as it is.

use std::fmt::Write;

/// Appends `raw` as a JSON string.
pub(crate) fn string(text: &mut String, raw: &str) {
    text.push('"');
    for letter in raw.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            letter if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}

/// Appends a number; JSON has none for NaN and the infinities, which become strings.
pub(crate) fn number(text: &mut String, value: f64) {
    if value.is_finite() {
        let _ = write!(text, "{value}");
    } else {
        let _ = write!(text, "\"{value}\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_on_one_line_and_read_back() {
        let raw = "a\"b\\c\nd\re\tf\u{0}g\u{85}h\u{2028}i\u{2029}j\u{7f}k é 🙂";
        let mut text = String::new();
        string(&mut text, raw);
        assert!(!text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\0']));
        assert_eq!(
            serde_json::from_str::<String>(&text).ok().as_deref(),
            Some(raw)
        );
    }
}
