//! Any text, unchanged.

use super::fields::Fields;
use super::{FieldError, FieldSpec, required};

/// The most characters that any symbol holds: 7089 digits in 40-L. The encoder refuses what is too long for its kind.
pub const TEXT_BYTES_MAX: usize = 7089;

pub(super) const FIELDS: &[FieldSpec] = &[required("data", "any text")];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let text = fields.required("data")?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(FieldError::new(
            "data",
            format!("must be at most {TEXT_BYTES_MAX} bytes"),
        ));
    }
    Ok(text.to_owned())
}
