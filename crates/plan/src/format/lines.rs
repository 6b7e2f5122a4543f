//! One line of YAML: how far it is indented, and where its parts end.

/// A line of the text.
#[derive(Copy, Clone)]
pub(super) struct Line<'t> {
    /// The column of its first character, in blanks.
    pub(super) indent: usize,
    /// What stands there, without the white space around it.
    pub(super) text: &'t str,
    /// The line as it is.
    pub(super) raw: &'t str,
}

impl<'t> Line<'t> {
    pub(super) fn new(raw: &'t str) -> Line<'t> {
        let text = raw.trim_start_matches(' ');
        Line {
            indent: raw.len() - text.len(),
            text: text.trim_end(),
            raw,
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether it says nothing to YAML: a comment, or the sign before a document.
    pub(super) fn is_comment(&self) -> bool {
        self.text.starts_with('#') || self.raw == "---"
    }

    /// Whether it begins an item of a list.
    pub(super) fn is_item(&self) -> bool {
        self.text == "-" || self.text.starts_with("- ")
    }
}

/// A key at the beginning of a line, and what comes after its colon.
pub(super) fn split_key(text: &str) -> Option<(&str, &str)> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let end = text.find(|letter: char| !plain(letter))?;
    let rest = text[end..].strip_prefix(':')?;
    let named = end > 0 && (rest.is_empty() || rest.starts_with(' '));
    named.then_some((&text[..end], rest.trim_start()))
}

/// Where a value of one line ends, as far as its first character tells.
pub(super) enum End {
    /// After so many bytes.
    At(usize),
    /// On a further line.
    Further,
}

/// The end of a value that begins at the beginning of `text`.
pub(super) fn value_end(text: &str) -> End {
    match text.chars().next() {
        Some('"' | '\'') => quoted_end(text).map_or(End::Further, End::At),
        Some('[' | '{') => flow_end(text).map_or(End::Further, End::At),
        _ => End::At(comment_start(text)),
    }
}

/// The end of a quoted scalar, past its closing quote.
pub(super) fn quoted_end(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut rest = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = rest.next() {
        if quote == '"' && letter == '\\' {
            rest.next();
        } else if letter == quote {
            let doubled = quote == '\'' && rest.peek().is_some_and(|(_, next)| *next == '\'');
            if !doubled {
                return Some(at + 1);
            }
            rest.next();
        }
    }
    None
}

/// The end of a collection in brackets, past the last of them; nothing where it goes on, or where a comment cuts it.
fn flow_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let begins_token = text[..at].ends_with([' ', '[', '{', ',', ':']);
        match letter {
            '"' | '\'' if begins_token => {
                at += quoted_end(&text[at..])?;
                continue;
            }
            '#' if text[..at].ends_with(' ') => return None,
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += letter.len_utf8();
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Where the comment of a line begins, with the blanks before it; the line's end where it has none.
fn comment_start(text: &str) -> usize {
    if text.starts_with('#') {
        return 0;
    }
    let start = text.find(" #").or_else(|| text.find("\t#"));
    start.map_or(text.len(), |at| text[..at].trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_where_values_end() {
        let check = |text: &str, expect: Option<&str>| {
            let found = match value_end(text) {
                End::At(end) => Some(&text[..end]),
                End::Further => None,
            };
            assert_eq!(found, expect, "{text}");
        };
        check("plain # comment", Some("plain"));
        check("plain#text", Some("plain#text"));
        check("# comment", Some(""));
        check(r#""a \" # b" # c"#, Some(r#""a \" # b""#));
        check("'it''s' x", Some("'it''s'"));
        check("\"open", None);
        check("[a, 'b]', {c: \"]\"}] # d", Some("[a, 'b]', {c: \"]\"}]"));
        check("[it's, b]", Some("[it's, b]"));
        check("[a, # b", None);
        check("[a,", None);
        check("\"é\" x", Some("\"é\""));
    }

    #[test]
    fn splits_keys() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            assert_eq!(split_key(text), expect, "{text}");
        };
        check("a_b: c", Some(("a_b", "c")));
        check("a:", Some(("a", "")));
        check("http://x", None);
        check("plain text: c", None);
        check("? a", None);
        check(": a", None);
    }
}
