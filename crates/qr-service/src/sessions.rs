//! Sessions: from sign-in to sign-out or expiry.
//!
//! A session ends a fixed time after its last request. The browser holds a random token, the database only its digest.

use rusqlite::OptionalExtension;
use sha2::{Digest, Sha256};
use world::{World, random_hex};

use crate::database::{Database, DatabaseError};

const TOKEN_BYTES: usize = 32;
const PUBLIC_ID_BYTES: usize = 12;
/// "Last seen" is written at most this often: a write for every request would cost a sync each.
const SEEN_EVERY_MS: i64 = 60_000;
/// Sessions ended in one sweep at most, so that a sweep stays short; the next one goes on.
const SWEEP_MAX: usize = 1000;

/// What a browser presents.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// Reads a token; `None` when it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Token> {
        let is_token =
            text.len() == TOKEN_BYTES * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_token.then(|| Token(text.to_owned()))
    }

    /// For the cookie alone; a token has no other way to text, so that none reaches a log.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    fn digest(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

/// A session that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) public_id: String,
    pub(crate) account_id: i64,
    pub(crate) account_name: String,
    pub(crate) expires_ms: i64,
}

/// Starts a session.
pub(crate) async fn start(
    world: &World,
    database: &Database,
    account_id: i64,
    now_ms: i64,
    length_ms: i64,
) -> Result<(Token, String, i64), DatabaseError> {
    let token = Token(random_hex(world.entropy.as_ref(), TOKEN_BYTES));
    let public_id = random_hex(world.entropy.as_ref(), PUBLIC_ID_BYTES);
    let expires_ms = now_ms + length_ms;
    let (digest, id) = (token.digest(), public_id.clone());
    database
        .run(move |connection| {
            connection.execute(
                "INSERT INTO session (token_digest, public_id, account_id, started_ms, seen_ms, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
                (&digest, &id, account_id, now_ms, expires_ms),
            )
        })
        .await?;
    Ok((token, public_id, expires_ms))
}

/// The session of a token, if it holds; notes that it was seen.
pub(crate) async fn find(
    database: &Database,
    token: &Token,
    now_ms: i64,
    length_ms: i64,
) -> Result<Option<Session>, DatabaseError> {
    let digest = token.digest();
    database
        .run(move |connection| {
            let found = connection
                .prepare_cached(
                    "SELECT s.public_id, s.account_id, a.name, s.expires_ms, s.seen_ms
                     FROM session s JOIN account a ON a.id = s.account_id
                     WHERE s.token_digest = ?1 AND s.expires_ms > ?2",
                )?
                .query_row((&digest, now_ms), |row| {
                    let session = Session {
                        public_id: row.get(0)?,
                        account_id: row.get(1)?,
                        account_name: row.get(2)?,
                        expires_ms: row.get(3)?,
                    };
                    Ok((session, row.get::<_, i64>(4)?))
                })
                .optional()?;
            let Some((mut session, seen_ms)) = found else {
                return Ok(None);
            };
            // A tenth of the length keeps short sessions alive too.
            if now_ms - seen_ms >= SEEN_EVERY_MS.min(length_ms / 10) {
                session.expires_ms = now_ms + length_ms;
                connection.execute(
                    "UPDATE session SET seen_ms = ?2, expires_ms = ?3 WHERE token_digest = ?1",
                    (&digest, now_ms, session.expires_ms),
                )?;
            }
            Ok(Some(session))
        })
        .await
}

/// Ends a session; its length in milliseconds, if there was one.
pub(crate) async fn end(
    database: &Database,
    token: &Token,
    now_ms: i64,
) -> Result<Option<i64>, DatabaseError> {
    let digest = token.digest();
    database
        .run(move |connection| {
            connection
                .query_row(
                    "DELETE FROM session WHERE token_digest = ?1 RETURNING min(?2, expires_ms) - started_ms",
                    (&digest, now_ms),
                    |row| row.get(0),
                )
                .optional()
        })
        .await
}

/// Ends sessions that expired; their lengths in milliseconds.
pub(crate) async fn sweep(database: &Database, now_ms: i64) -> Result<Vec<i64>, DatabaseError> {
    database
        .run(move |connection| {
            let mut statement = connection.prepare_cached(
                "DELETE FROM session WHERE token_digest IN
                     (SELECT token_digest FROM session WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)
                 RETURNING expires_ms - started_ms",
            )?;
            statement
                .query_map((now_ms, SWEEP_MAX as i64), |row| row.get(0))?
                .collect()
        })
        .await
}
