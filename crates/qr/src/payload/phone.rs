//! A number to call: `tel:` (RFC 3966).
//!
//! Numbers without `+` are accepted without the `phone-context` that the RFC wants for them, because phones dial them as
//! they are and do not know the parameter. `*` and `#` are refused: scanning must not be able to dial a control code.

use super::fields::Fields;
use super::{FieldError, FieldSpec, required};

/// Fewest digits: emergency numbers have three.
pub const PHONE_DIGITS_MIN: usize = 3;
/// Most digits of an international number (ITU-T E.164).
pub const PHONE_DIGITS_MAX: usize = 15;

pub(super) const FIELDS: &[FieldSpec] = &[required("number", "number, best as +49 30 123456")];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let number = number("number", fields.required("number")?)?;
    Ok(format!("tel:{number}"))
}

/// A number without the separators that people write for the eye.
pub(super) fn number(field: &'static str, text: &str) -> Result<String, FieldError> {
    let trimmed = text.trim();
    let (plus, rest) = match trimmed.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", trimmed),
    };
    let separators = [' ', '\u{A0}', '-', '.', '/', '(', ')'];
    let digits: String = rest.chars().filter(|c| !separators.contains(c)).collect();
    let valid = (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    match valid {
        true => Ok(format!("{plus}{digits}")),
        false => Err(FieldError::new(
            field,
            format!(
                "must be {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} digits, best with + and country code"
            ),
        )),
    }
}
