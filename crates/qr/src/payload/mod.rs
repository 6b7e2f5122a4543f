//! Typed payloads: validated fields in, the text that readers act on out. One file for each kind, named for it.
//!
//! Builders are strict, because a symbol is printed once and cannot be corrected: what a reader would misunderstand is
//! refused with the field's name and the rule. An optional field that is empty counts as absent, as web forms send it.

mod content_line;
mod email;
mod event;
mod fields;
mod geo;
mod phone;
mod sms;
mod text;
mod uri;
mod url;
mod vcard;
mod wifi;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::ec_level::ParseNameError;
use fields::Fields;

pub use email::{ADDRESS_BYTES_MAX, RECIPIENTS_MAX};
pub use fields::{LONG_TEXT_BYTES_MAX, SHORT_TEXT_BYTES_MAX};
pub use geo::{DECIMALS_MAX, LATITUDE_MAX, LONGITUDE_MAX};
pub use phone::{PHONE_DIGITS_MAX, PHONE_DIGITS_MIN};
pub use sms::SMS_MESSAGE_CHARS_MAX;
pub use text::TEXT_BYTES_MAX;
pub use uri::URL_BYTES_MAX;
pub use wifi::{
    SAE_PASSWORD_BYTES_MAX, SSID_BYTES_MAX, WPA_PASSPHRASE_LENGTHS, WPA_PSK_HEX_DIGITS,
};

/// What a symbol is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadKind {
    /// A web address.
    Url,
    /// Any text, taken as it is.
    Text,
    /// Access to a wireless network.
    Wifi,
    /// A contact.
    Vcard,
    /// A prepared e-mail message.
    Email,
    /// A prepared text message.
    Sms,
    /// A number to call.
    Phone,
    /// A place.
    Geo,
    /// A calendar entry.
    Event,
}

impl PayloadKind {
    /// Every kind, in the order in which a menu shows them.
    pub const ALL: [PayloadKind; 9] = [
        PayloadKind::Url,
        PayloadKind::Text,
        PayloadKind::Wifi,
        PayloadKind::Vcard,
        PayloadKind::Email,
        PayloadKind::Sms,
        PayloadKind::Phone,
        PayloadKind::Geo,
        PayloadKind::Event,
    ];

    /// The name in API and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PayloadKind::Url => "url",
            PayloadKind::Text => "text",
            PayloadKind::Wifi => "wifi",
            PayloadKind::Vcard => "vcard",
            PayloadKind::Email => "email",
            PayloadKind::Sms => "sms",
            PayloadKind::Phone => "phone",
            PayloadKind::Geo => "geo",
            PayloadKind::Event => "event",
        }
    }
}

impl fmt::Display for PayloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PayloadKind {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PayloadKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(ParseNameError {
                expected: "one of url, text, wifi, vcard, email, sms, phone, geo, event",
            })
    }
}

/// A field that a kind takes, for forms and reference pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Name in the API.
    pub name: &'static str,
    /// Whether the payload cannot be built without it.
    pub required: bool,
    /// What to write in it, with an example.
    pub hint: &'static str,
}

const fn required(name: &'static str, hint: &'static str) -> FieldSpec {
    FieldSpec {
        name,
        required: true,
        hint,
    }
}

const fn optional(name: &'static str, hint: &'static str) -> FieldSpec {
    FieldSpec {
        name,
        required: false,
        hint,
    }
}

/// A field that cannot be used. Fix the request: `rule` says how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Which field; `fields` where the set of fields itself is wrong.
    pub field: &'static str,
    /// The rule that it broke, to be read after the field's name.
    pub rule: String,
}

impl FieldError {
    fn new(field: &'static str, rule: impl Into<String>) -> FieldError {
        FieldError {
            field,
            rule: rule.into(),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}`: {}", self.field, self.rule)
    }
}

impl std::error::Error for FieldError {}

/// The fields that a kind takes.
#[must_use]
pub fn fields(kind: PayloadKind) -> &'static [FieldSpec] {
    match kind {
        PayloadKind::Url => url::FIELDS,
        PayloadKind::Text => text::FIELDS,
        PayloadKind::Wifi => wifi::FIELDS,
        PayloadKind::Vcard => vcard::FIELDS,
        PayloadKind::Email => email::FIELDS,
        PayloadKind::Sms => sms::FIELDS,
        PayloadKind::Phone => phone::FIELDS,
        PayloadKind::Geo => geo::FIELDS,
        PayloadKind::Event => event::FIELDS,
    }
}

/// Builds the text of a payload from its fields.
///
/// # Errors
/// When a field is missing, unknown or breaks its rule.
pub fn build(kind: PayloadKind, fields: &BTreeMap<String, String>) -> Result<String, FieldError> {
    let fields = Fields::new(kind, fields)?;
    match kind {
        PayloadKind::Url => url::build(&fields),
        PayloadKind::Text => text::build(&fields),
        PayloadKind::Wifi => wifi::build(&fields),
        PayloadKind::Vcard => vcard::build(&fields),
        PayloadKind::Email => email::build(&fields),
        PayloadKind::Sms => sms::build(&fields),
        PayloadKind::Phone => phone::build(&fields),
        PayloadKind::Geo => geo::build(&fields),
        PayloadKind::Event => event::build(&fields),
    }
}
