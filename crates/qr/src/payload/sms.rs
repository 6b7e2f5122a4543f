//! A prepared text message: `SMSTO:number:message`.
//!
//! No standard's form: the `sms:` URI of RFC 5724 is one, but phones disagree on its body, and all of them read SMSTO.

use super::fields::Fields;
use super::{FieldError, FieldSpec, optional, phone, required};

/// Longest message: ten parts of 153 characters, as many as networks reliably join.
pub const SMS_MESSAGE_CHARS_MAX: usize = 1530;

pub(super) const FIELDS: &[FieldSpec] = &[
    required("number", "number, best as +49 170 1234567"),
    optional("message", "text of the message"),
];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let number = phone::number("number", fields.required("number")?)?;
    let message = fields.long_text("message")?.unwrap_or("");
    if message.chars().count() > SMS_MESSAGE_CHARS_MAX {
        return Err(FieldError::new(
            "message",
            format!("must be at most {SMS_MESSAGE_CHARS_MAX} characters"),
        ));
    }
    match message.is_empty() {
        true => Ok(format!("SMSTO:{number}")),
        false => Ok(format!("SMSTO:{number}:{message}")),
    }
}
