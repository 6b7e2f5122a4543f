//! Reading the fields of a request: which are known, which are missing, and the rules that several kinds share.

use std::collections::BTreeMap;

use super::{FieldError, PayloadKind, fields};

/// Longest one-line text, such as a name or a subject. Twice what any reader shows.
pub const SHORT_TEXT_BYTES_MAX: usize = 256;
/// Longest text of several lines. The largest symbol holds 2953 bytes at level L.
pub const LONG_TEXT_BYTES_MAX: usize = 2048;
/// How much of an unknown field's name an error repeats.
const ECHO_CHARS_MAX: usize = 40;

/// Fields whose names were checked against the kind's list.
pub(super) struct Fields<'a> {
    values: &'a BTreeMap<String, String>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        kind: PayloadKind,
        values: &'a BTreeMap<String, String>,
    ) -> Result<Fields<'a>, FieldError> {
        let known = fields(kind);
        let unknown = values
            .keys()
            .find(|name| known.iter().all(|spec| spec.name != **name));
        if let Some(name) = unknown {
            let names: Vec<&str> = known.iter().map(|spec| spec.name).collect();
            let echo: String = name.chars().take(ECHO_CHARS_MAX).collect();
            return Err(FieldError::new(
                "fields",
                format!(
                    "`{}` is not a field of {kind}, which takes: {}",
                    echo.escape_debug(),
                    names.join(", ")
                ),
            ));
        }
        Ok(Fields { values })
    }

    /// The value, if there is one that is not empty.
    pub(super) fn optional(&self, name: &'static str) -> Option<&'a str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&'a str, FieldError> {
        self.optional(name)
            .ok_or_else(|| FieldError::new(name, "must be given"))
    }

    /// One line of text.
    pub(super) fn short_text(&self, name: &'static str) -> Result<Option<&'a str>, FieldError> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        if value.len() > SHORT_TEXT_BYTES_MAX {
            return Err(FieldError::new(
                name,
                format!("must be at most {SHORT_TEXT_BYTES_MAX} bytes"),
            ));
        }
        if value.chars().any(char::is_control) {
            return Err(FieldError::new(
                name,
                "must be one line without control characters",
            ));
        }
        Ok(Some(value))
    }

    /// Text of several lines.
    pub(super) fn long_text(&self, name: &'static str) -> Result<Option<&'a str>, FieldError> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        if value.len() > LONG_TEXT_BYTES_MAX {
            return Err(FieldError::new(
                name,
                format!("must be at most {LONG_TEXT_BYTES_MAX} bytes"),
            ));
        }
        let allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        if !value.chars().all(allowed) {
            return Err(FieldError::new(
                name,
                "must hold no control characters but line breaks and tabs",
            ));
        }
        Ok(Some(value))
    }
}
