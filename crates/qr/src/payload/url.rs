//! A web address (RFC 3986, as RFC 3987 widens it), as it is.

use super::fields::Fields;
use super::{FieldError, FieldSpec, required, uri};

pub(super) const FIELDS: &[FieldSpec] =
    &[required("data", "the address, as https://example.com/menu")];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let address = fields.required("data")?.trim();
    uri::check_web_address("data", address)?;
    Ok(address.to_owned())
}
