//! A contact as vCard 3.0 (RFC 2426). Version 4 says little more here, and more phones read 3.

use super::content_line::{escaped, push_raw, push_text};
use super::fields::Fields;
use super::{FieldError, FieldSpec, email, optional, phone, required, uri};

pub(super) const FIELDS: &[FieldSpec] = &[
    required("name", "the name to show, as Ada Lovelace"),
    optional("first_name", "given name, to sort by"),
    optional("last_name", "family name, to sort by"),
    optional("organization", "company or institution"),
    optional("title", "position in it"),
    optional("phone", "number, best as +49 30 123456"),
    optional("email", "address, as ada@example.com"),
    optional("url", "web page, as https://example.com"),
    optional("address", "postal address; may have several lines"),
    optional("note", "anything else"),
];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let name = fields
        .short_text("name")?
        .ok_or_else(|| FieldError::new("name", "must be given"))?;
    let first_name = fields.short_text("first_name")?;
    let last_name = fields.short_text("last_name")?;
    let mut card = String::from("BEGIN:VCARD\r\nVERSION:3.0\r\n");
    // N is mandatory. Names are not split by guess: without parts the whole name is the family name.
    let (family, given) = match (last_name, first_name) {
        (None, None) => (name, ""),
        (family, given) => (family.unwrap_or(""), given.unwrap_or("")),
    };
    push_raw(
        &mut card,
        "N",
        &format!("{};{};;;", escaped(family), escaped(given)),
    );
    push_text(&mut card, "FN", name);
    if let Some(organization) = fields.short_text("organization")? {
        push_text(&mut card, "ORG", organization);
    }
    if let Some(title) = fields.short_text("title")? {
        push_text(&mut card, "TITLE", title);
    }
    if let Some(number) = fields.optional("phone") {
        push_raw(&mut card, "TEL", &phone::number("phone", number)?);
    }
    if let Some(address) = fields.optional("email") {
        push_text(&mut card, "EMAIL", email::address("email", address)?);
    }
    if let Some(address) = fields.optional("url") {
        uri::check_web_address("url", address)?;
        push_raw(&mut card, "URL", address);
    }
    if let Some(address) = fields.long_text("address")? {
        // One text cannot be told apart into its seven parts: all of it is the street, which readers show as given.
        push_raw(&mut card, "ADR", &format!(";;{};;;;", escaped(address)));
    }
    if let Some(note) = fields.long_text("note")? {
        push_text(&mut card, "NOTE", note);
    }
    card.push_str("END:VCARD\r\n");
    Ok(card)
}
