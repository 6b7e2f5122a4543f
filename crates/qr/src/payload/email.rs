//! A prepared message: `mailto:` (RFC 6068).

use super::fields::Fields;
use super::uri::{percent_encode, with_crlf};
use super::{FieldError, FieldSpec, optional, required};

/// Longest address (RFC 5321, 4.5.3.1.3, without its angle brackets).
pub const ADDRESS_BYTES_MAX: usize = 254;
/// Most recipients. The bound is ours: more would not fit a symbol that a phone reads.
pub const RECIPIENTS_MAX: usize = 10;
/// Longest part before the @ (RFC 5321, 4.5.3.1.1).
const LOCAL_PART_BYTES_MAX: usize = 64;
/// Characters of an address, besides unreserved ones, that RFC 6068 leaves unencoded.
const ADDRESS_KEPT: &str = "@!$'*+";

pub(super) const FIELDS: &[FieldSpec] = &[
    required("to", "address, as ada@example.com; several with commas"),
    optional("subject", "subject of the message"),
    optional("body", "text of the message"),
];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let mut recipients = Vec::new();
    for recipient in fields.required("to")?.split(',') {
        if recipients.len() == RECIPIENTS_MAX {
            return Err(FieldError::new(
                "to",
                format!("must have at most {RECIPIENTS_MAX} addresses"),
            ));
        }
        recipients.push(percent_encode(address("to", recipient)?, ADDRESS_KEPT));
    }
    let mut headers = Vec::new();
    if let Some(subject) = fields.short_text("subject")? {
        headers.push(format!("subject={}", percent_encode(subject, "")));
    }
    if let Some(body) = fields.long_text("body")? {
        headers.push(format!("body={}", percent_encode(&with_crlf(body), "")));
    }
    let recipients = recipients.join(",");
    match headers.is_empty() {
        true => Ok(format!("mailto:{recipients}")),
        false => Ok(format!("mailto:{recipients}?{}", headers.join("&"))),
    }
}

/// Checks one address, without its surrounding spaces. Quoted local parts and address literals are refused: hardly
/// anybody has one, and readers get them wrong.
pub(super) fn address<'a>(field: &'static str, text: &'a str) -> Result<&'a str, FieldError> {
    let address = text.trim();
    let valid = address.len() <= ADDRESS_BYTES_MAX
        && address
            .split_once('@')
            .is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
    match valid {
        true => Ok(address),
        false => Err(FieldError::new(
            field,
            "must be an e-mail address, as ada@example.com",
        )),
    }
}

fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= LOCAL_PART_BYTES_MAX
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(allowed))
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    })
}
