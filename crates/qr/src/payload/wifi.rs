//! Access to a wireless network: `WIFI:T:WPA;S:name;P:password;H:true;;`.
//!
//! The form that ZXing began and WPA3 Specification 3.x, section 7 wrote down. A name or password that looks like a
//! hexadecimal number is not put in quotes, as ZXing's page suggests: current phones would take the quotes for part of it.

use std::ops::RangeInclusive;

use super::fields::Fields;
use super::{FieldError, FieldSpec, optional, required};

/// Longest network name (IEEE 802.11).
pub const SSID_BYTES_MAX: usize = 32;
/// Lengths of a WPA passphrase (IEEE 802.11 annex J).
pub const WPA_PASSPHRASE_LENGTHS: RangeInclusive<usize> = 8..=63;
/// Digits of a WPA key that is given directly.
pub const WPA_PSK_HEX_DIGITS: usize = 64;
/// Longest WPA3 password. The standard has no limit; this bound is ours, above what people type.
pub const SAE_PASSWORD_BYTES_MAX: usize = 128;
/// Lengths of WEP keys as text and as hexadecimal digits.
const WEP_TEXT_LENGTHS: [usize; 2] = [5, 13];
const WEP_HEX_LENGTHS: [usize; 2] = [10, 26];

pub(super) const FIELDS: &[FieldSpec] = &[
    required("ssid", "name of the network, 1 to 32 bytes"),
    optional("password", "password; leave it out for an open network"),
    optional(
        "encryption",
        "WPA (for WPA2 and WPA3 too), SAE (for WPA3 alone), WEP or nopass",
    ),
    optional("hidden", "true if the network does not show its name"),
];

#[derive(Clone, Copy)]
enum Encryption {
    Wpa,
    Sae,
    Wep,
    Nopass,
}

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let ssid = fields.required("ssid")?;
    if ssid.len() > SSID_BYTES_MAX {
        return Err(FieldError::new("ssid", "must be 1 to 32 bytes"));
    }
    if ssid.chars().any(char::is_control) {
        return Err(FieldError::new("ssid", "must hold no control characters"));
    }
    let password = fields.optional("password");
    let encryption = encryption(fields.optional("encryption"), password)?;
    check_password(encryption, password)?;
    let hidden = hidden(fields.optional("hidden"))?;

    let kind = match encryption {
        Encryption::Wpa => "WPA",
        Encryption::Sae => "SAE",
        Encryption::Wep => "WEP",
        Encryption::Nopass => "nopass",
    };
    let mut payload = format!("WIFI:T:{kind};S:{};", escaped(ssid));
    if let Some(password) = password {
        payload.push_str(&format!("P:{};", escaped(password)));
    }
    if hidden {
        payload.push_str("H:true;");
    }
    payload.push(';');
    Ok(payload)
}

fn encryption(text: Option<&str>, password: Option<&str>) -> Result<Encryption, FieldError> {
    match text.map(str::to_ascii_uppercase).as_deref() {
        Some("WPA") => Ok(Encryption::Wpa),
        Some("SAE") => Ok(Encryption::Sae),
        Some("WEP") => Ok(Encryption::Wep),
        Some("NOPASS") => Ok(Encryption::Nopass),
        Some(_) => Err(FieldError::new(
            "encryption",
            "must be WPA, SAE, WEP or nopass",
        )),
        // What a person means who leaves it out.
        None if password.is_some() => Ok(Encryption::Wpa),
        None => Ok(Encryption::Nopass),
    }
}

fn hidden(text: Option<&str>) -> Result<bool, FieldError> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(FieldError::new("hidden", "must be true or false")),
    }
}

fn check_password(encryption: Encryption, password: Option<&str>) -> Result<(), FieldError> {
    let length = password.map_or(0, str::len);
    let text = password.unwrap_or("");
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (valid, rule) = match encryption {
        Encryption::Wpa => (
            printable && WPA_PASSPHRASE_LENGTHS.contains(&length)
                || hex && length == WPA_PSK_HEX_DIGITS,
            "must be 8 to 63 printable ASCII characters, or 64 hexadecimal digits, for WPA",
        ),
        Encryption::Sae => (
            (1..=SAE_PASSWORD_BYTES_MAX).contains(&length) && !text.chars().any(char::is_control),
            "must be 1 to 128 bytes without control characters for SAE",
        ),
        Encryption::Wep => (
            printable && WEP_TEXT_LENGTHS.contains(&length)
                || hex && WEP_HEX_LENGTHS.contains(&length),
            "must be 5 or 13 characters, or 10 or 26 hexadecimal digits, for WEP",
        ),
        Encryption::Nopass => (length == 0, "must be left out when encryption is nopass"),
    };
    match valid {
        true => Ok(()),
        false => Err(FieldError::new("password", rule)),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for character in text.chars() {
        if matches!(character, '\\' | ';' | ',' | ':' | '"') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
