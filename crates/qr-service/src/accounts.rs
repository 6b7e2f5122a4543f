//! Accounts: a name and a password.

use rusqlite::OptionalExtension;

use crate::database::{Database, DatabaseError};
use crate::passwords::{KIND, StoredPassword};

/// Names are short and plain, so that no two of them look the same.
pub(crate) const NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=64;
/// Long enough to resist guessing at the door's rate limit; bounded, because hashing reads all of it.
pub(crate) const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=256;

/// An account as sign-in needs it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) password: StoredPassword,
}

/// Whether a text may be a name: small letters, digits and `._@+-`.
pub(crate) fn is_name(text: &str) -> bool {
    NAME_CHARS.contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._@+-".contains(&byte)
        })
}

/// Makes an account; `None` when the name is taken.
pub(crate) async fn create(
    database: &Database,
    name: String,
    password: StoredPassword,
    now_ms: i64,
) -> Result<Option<i64>, DatabaseError> {
    database
        .run(move |connection| {
            let made = connection.execute(
                "INSERT INTO account (name, password_kind, password_salt, password_hash, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO NOTHING",
                (&name, KIND, &password.salt, &password.hash, now_ms),
            )?;
            Ok((made == 1).then(|| connection.last_insert_rowid()))
        })
        .await
}

/// The account of a name.
pub(crate) async fn find(
    database: &Database,
    name: String,
) -> Result<Option<Account>, DatabaseError> {
    database
        .run(move |connection| {
            connection
                .query_row(
                    "SELECT id, password_salt, password_hash FROM account WHERE name = ?1",
                    [&name],
                    |row| {
                        Ok(Account {
                            id: row.get(0)?,
                            password: StoredPassword {
                                salt: row.get(1)?,
                                hash: row.get(2)?,
                            },
                        })
                    },
                )
                .optional()
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, expect) in [
            ("ada", true),
            ("ada@example.com", true),
            ("ab", false),
            ("Ada", false),
            ("ad a", false),
            ("zoë", false),
        ] {
            assert_eq!(is_name(text), expect, "{text}");
        }
        assert!(!is_name(&"a".repeat(65)));
    }
}
