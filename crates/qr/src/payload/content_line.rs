//! Content lines, which vCard (RFC 2426) and iCalendar (RFC 5545) share: `NAME:value` ended by CR LF.
//!
//! Lines are not folded at 75 octets. Both RFCs say SHOULD; each fold would cost three bytes of a symbol's few, and
//! some phones show the fold instead of removing it.

use super::uri::with_lf;

/// Appends a line whose value is free text.
pub(super) fn push_text(out: &mut String, name: &str, value: &str) {
    push_raw(out, name, &escaped(value));
}

/// Appends a line whose value is already in its final form, such as a URI or a date.
pub(super) fn push_raw(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push(':');
    out.push_str(value);
    out.push_str("\r\n");
}

/// Text with backslash, comma, semicolon and line break escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in with_lf(text).chars() {
        match character {
            '\\' | ',' | ';' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out
}
