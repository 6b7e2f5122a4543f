//! Rules and escapes of URIs (RFC 3986) that several kinds share.

use super::FieldError;

/// Longest web address. Everything that reads addresses takes this much.
pub const URL_BYTES_MAX: usize = 2048;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Checks an `http` or `https` address. Other schemes are refused: a symbol cannot be looked at before it is scanned,
/// so `javascript:` and its like must not come from a builder; whoever needs another scheme uses the kind `text`.
pub(super) fn check_web_address(field: &'static str, address: &str) -> Result<(), FieldError> {
    if address.len() > URL_BYTES_MAX {
        return Err(FieldError::new(
            field,
            format!("must be at most {URL_BYTES_MAX} bytes"),
        ));
    }
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    if !["http", "https"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
    {
        return Err(FieldError::new(
            field,
            "must start with https:// or http://",
        ));
    }
    // Characters beyond ASCII are left alone: readers take IRIs (RFC 3987), and encoding them would not be undone.
    let forbidden = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    if let Some(character) = address.chars().find(|&c| forbidden(c)) {
        return Err(FieldError::new(
            field,
            format!(
                "must not hold `{}`: percent-encode it",
                character.escape_debug()
            ),
        ));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    if host.is_empty() || host.starts_with(':') {
        return Err(FieldError::new(
            field,
            "must name a host, as https://example.com",
        ));
    }
    Ok(())
}

/// Percent-encodes all but unreserved characters and those in `kept`.
pub(super) fn percent_encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || kept.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 0xF)]));
        }
    }
    encoded
}

/// Line breaks of any kind as CR LF, as RFC 6068 and others want them.
pub(super) fn with_crlf(text: &str) -> String {
    with_lf(text).replace('\n', "\r\n")
}

/// Line breaks of any kind as LF.
pub(super) fn with_lf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
