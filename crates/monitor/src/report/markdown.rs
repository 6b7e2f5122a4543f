//! The bits of Markdown that the reports are made of. What people and other programs wrote is text, never markup: a title
//! must not become a link, nor a label an HTML element.

use model::Timestamp;

/// Characters that could begin markup inside of a line (CommonMark, and the tables and strike-outs of GitHub's dialect).
const MARKUP: [char; 12] = ['\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '#'];

/// Text of one line that shows as it is. Line breaks become `<br>`, which tables can hold; other control characters are
/// replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' => shown.push_str("<br>"),
            '\r' => {}
            c if c.is_control() => shown.push('\u{fffd}'),
            c if MARKUP.contains(&c) => shown.extend(['\\', c]),
            c => shown.push(c),
        }
    }
    shown
}

/// A row of a table; the cells are markup already.
pub(super) fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table.
pub(super) fn head(names: &[&str]) -> String {
    format!("{}|{}\n", row(names), "---|".repeat(names.len()))
}

/// A time in UTC to the second, as people read it in a table.
pub(super) fn utc(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(instant) => instant.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let check = |text: &str, expect: &str| assert_eq!(escaped(text), expect, "{text:?}");
        check("plain. text - here!", "plain. text - here!");
        check("a|b", r"a\|b");
        check("<img src=x>", r"\<img src=x\>");
        check("[x](javascript:y)", r"\[x\](javascript:y)");
        check(
            "*a* _b_ `c` ~d~ # &lt;",
            r"\*a\* \_b\_ \`c\` \~d\~ \# \&lt;",
        );
        check("\\|", r"\\\|");
        check("one\r\ntwo\n", "one<br>two");
        check("\u{1b}[31m", "\u{fffd}\\[31m");
    }
}
