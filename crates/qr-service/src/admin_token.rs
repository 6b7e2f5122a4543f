//! The operators' token: who shows it may use the admin endpoints from anywhere.
//!
//! Only its digest is kept, so that neither a log line nor a dump of the settings can hold it. Digests have one length,
//! so comparing them in constant time tells nothing about the token's own.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// 128 bits in hexadecimal: nothing that a person would make up, and nothing that can be guessed.
const TOKEN_CHARS_MIN: usize = 32;
/// Well within what a request's headers may have.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// A token, known by its digest.
#[derive(Clone)]
pub struct AdminToken {
    digest: [u8; 32],
}

/// Why a text is no token. Write another one, for example with `openssl rand -hex 32`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AdminTokenError {
    /// It could be guessed.
    TooShort,
    /// No header would hold it.
    TooLong,
    /// A header could not hold it.
    NotPlain,
}

impl fmt::Display for AdminTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdminTokenError::TooShort => write!(
                f,
                "the admin token must have at least {TOKEN_CHARS_MIN} characters: openssl rand -hex 32 makes one"
            ),
            AdminTokenError::TooLong => {
                write!(
                    f,
                    "the admin token must have at most {TOKEN_BYTES_MAX} bytes"
                )
            }
            AdminTokenError::NotPlain => {
                f.write_str("the admin token must be one line of ASCII without spaces")
            }
        }
    }
}

impl std::error::Error for AdminTokenError {}

impl AdminToken {
    /// Takes a token as its file holds it: white space around it does not count.
    ///
    /// # Errors
    /// When it is too short, too long, or cannot stand in a header.
    pub fn parse(file: &[u8]) -> Result<AdminToken, AdminTokenError> {
        let token = file.trim_ascii();
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AdminTokenError::TooLong);
        }
        if !token.iter().all(u8::is_ascii_graphic) {
            return Err(AdminTokenError::NotPlain);
        }
        if token.len() < TOKEN_CHARS_MIN {
            return Err(AdminTokenError::TooShort);
        }
        Ok(AdminToken {
            digest: Sha256::digest(token).into(),
        })
    }

    pub(crate) fn matches(&self, presented: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        digest.ct_eq(&self.digest).into()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let text = "0123456789abcdef0123456789abcdef";
        let token = AdminToken::parse(format!(" {text}\n").as_bytes()).unwrap();
        assert!(token.matches(text.as_bytes()));
        for wrong in ["", "0123456789abcdef", &format!("{text}0"), &text[1..]] {
            assert!(!token.matches(wrong.as_bytes()), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "AdminToken", "no secret in it");
        let error = |text: &str| AdminToken::parse(text.as_bytes()).err();
        assert_eq!(error(""), Some(AdminTokenError::TooShort));
        assert_eq!(error(&text[1..]), Some(AdminTokenError::TooShort));
        assert_eq!(
            error(&format!("{text}\n{text}")),
            Some(AdminTokenError::NotPlain)
        );
        assert_eq!(error(&format!("{text}ü")), Some(AdminTokenError::NotPlain));
        assert_eq!(error(&"x".repeat(4097)), Some(AdminTokenError::TooLong));
    }
}
