//! The text of a line without what belongs to Markdown or to damage: emphasis, links, code marks, and letters that went
//! through a program which took UTF-8 for Windows-1252.

/// The characters that Windows-1252 has in the places 0x80 to 0x9F; a place that it leaves free stands for itself.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text with damaged letters repaired where they can be, and whether any were damaged.
///
/// Each run of letters beyond ASCII is written back as the bytes that it was read from; where those are UTF-8, that is
/// what the author wrote. Real letters of European languages do not make UTF-8, so they stay.
pub(super) fn repaired(text: &str) -> (String, bool) {
    let mut whole = String::with_capacity(text.len());
    let mut run = String::new();
    let mut damaged = false;
    for letter in text.chars().chain(['\n']) {
        if !letter.is_ascii() {
            run.push(letter);
            continue;
        }
        match original(&run) {
            Some(written) => {
                whole.push_str(&written);
                damaged = true;
            }
            None => whole.push_str(&run),
        }
        run.clear();
        whole.push(letter);
    }
    whole.pop();
    // What stands where a letter could not be read at all is no letter.
    if whole.contains('\u{fffd}') {
        whole.retain(|letter| letter != '\u{fffd}');
        damaged = true;
    }
    (whole, damaged)
}

fn original(run: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = run.chars().map(byte_1252).collect();
    let written = String::from_utf8(bytes?).ok()?;
    (!written.is_empty()).then_some(written)
}

fn byte_1252(letter: char) -> Option<u8> {
    if let Some(at) = WINDOWS_1252.iter().position(|own| *own == letter) {
        return u8::try_from(0x80 + at).ok();
    }
    u8::try_from(letter).ok()
}

/// Without emphasis, code marks, link targets and check boxes.
pub(super) fn plain(text: &str) -> String {
    let text = text.trim();
    let text = ["[ ] ", "[x] ", "[X] "]
        .iter()
        .find_map(|mark| text.strip_prefix(mark))
        .unwrap_or(text);
    let text = without_links(&text.replace("**", "").replace('`', ""));
    text.trim().to_owned()
}

/// `[words](address)` as `words`.
fn without_links(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(words, target)| {
            let (_, behind) = target.split_once(')')?;
            (!words.contains(['[', ']'])).then_some((words, behind))
        });
        whole.push_str(before);
        match link {
            Some((words, behind)) => {
                whole.push_str(words);
                rest = behind;
            }
            None => {
                whole.push('[');
                rest = after;
            }
        }
    }
    whole.push_str(rest);
    whole
}

/// A title without the picture or number before it and without what stands behind it in parentheses.
pub(super) fn title(text: &str) -> String {
    let start = text.find(char::is_alphanumeric).unwrap_or(text.len());
    let text = &text[start..];
    let text = text
        .split_once('(')
        .map_or(text, |(before, _)| before)
        .trim();
    text.trim_end_matches([':', '.', ' ']).to_owned()
}

/// What stands before the first colon that ends a word, and behind it: `Level 1 (0-15 min): who`.
pub(super) fn at_colon(text: &str) -> Option<(&str, &str)> {
    let (before, after) = text.split_once(": ").or_else(|| {
        let before = text.strip_suffix(':')?;
        Some((before, ""))
    })?;
    Some((before.trim(), after.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_repaired_and_letters_stay() {
        let check = |text: &str, expect: &str, damaged: bool| {
            assert_eq!(repaired(text), (expect.to_owned(), damaged), "{text}");
        };
        check("Ã¼ber â€“ alles", "über – alles", true);
        check("ðŸ“ˆ Load", "📈 Load", true);
        check("über – alles 📈 µs", "über – alles 📈 µs", false);
        check("a\u{fffd}b", "ab", true);
        check("", "", false);
    }

    #[test]
    fn marks_of_markdown_go() {
        let check = |text: &str, expect: &str| assert_eq!(plain(text), expect, "{text}");
        check("**Uptime**: > 99%", "Uptime: > 99%");
        check("[x] `up` [see](http://x/a) [1]", "up see [1]");
        check("[a [b](c)", "[a b");
        check("[unfinished](", "[unfinished](");
    }
}
