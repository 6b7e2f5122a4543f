//! A place: `geo:latitude,longitude` (RFC 5870), with the `?q=` that map programs understand.

use super::fields::Fields;
use super::uri::percent_encode;
use super::{FieldError, FieldSpec, optional, required};

/// Degrees north or south.
pub const LATITUDE_MAX: f64 = 90.0;
/// Degrees east or west.
pub const LONGITUDE_MAX: f64 = 180.0;
/// Most digits after the point: ten already tell apart hundredths of a millimetre.
pub const DECIMALS_MAX: usize = 10;

pub(super) const FIELDS: &[FieldSpec] = &[
    required("latitude", "degrees north, as 52.5163; south is negative"),
    required("longitude", "degrees east, as 13.3777; west is negative"),
    optional("query", "a name or address to look for there"),
];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let latitude = coordinate("latitude", fields.required("latitude")?, LATITUDE_MAX)?;
    let longitude = coordinate("longitude", fields.required("longitude")?, LONGITUDE_MAX)?;
    match fields.short_text("query")? {
        None => Ok(format!("geo:{latitude},{longitude}")),
        Some(query) => Ok(format!(
            "geo:{latitude},{longitude}?q={}",
            percent_encode(query, "")
        )),
    }
}

/// The number as written: RFC 5870 has neither a plus sign nor an exponent.
fn coordinate<'a>(field: &'static str, text: &'a str, max: f64) -> Result<&'a str, FieldError> {
    let text = text.trim();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = match unsigned.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (unsigned, None),
    };
    let are_digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let well_formed =
        are_digits(whole, 3) && decimals.is_none_or(|decimals| are_digits(decimals, DECIMALS_MAX));
    let in_range = text
        .parse::<f64>()
        .is_ok_and(|degrees| degrees.abs() <= max);
    match well_formed && in_range {
        true => Ok(text),
        false => Err(FieldError::new(
            field,
            format!(
                "must be a decimal number from -{max} to {max} with at most {DECIMALS_MAX} decimals"
            ),
        )),
    }
}
