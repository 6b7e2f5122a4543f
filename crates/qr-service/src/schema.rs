//! The database's schema, versioned from the first day.
//!
//! `PRAGMA user_version` counts the migrations that were run; each runs in a transaction of its own and is never changed
//! once released. A database of a later version is refused: an old program must not write into it.

use rusqlite::{Connection, Transaction};

use crate::database::DatabaseError;

/// Marks a file as this service's database ("QRSV").
const APPLICATION_ID: i64 = 0x5152_5356;

const MIGRATIONS: [&str; 2] = [
    // 1: accounts and sessions. Of a session's token only the digest is kept, so that a copy of the file signs nobody in.
    "CREATE TABLE account (
        id            INTEGER PRIMARY KEY,
        name          TEXT NOT NULL UNIQUE,
        password_kind TEXT NOT NULL,
        password_salt BLOB NOT NULL,
        password_hash BLOB NOT NULL,
        created_ms    INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE session (
        token_digest  BLOB PRIMARY KEY,
        public_id     TEXT NOT NULL UNIQUE,
        account_id    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
        started_ms    INTEGER NOT NULL,
        seen_ms       INTEGER NOT NULL,
        expires_ms    INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX session_by_expiry ON session (expires_ms);",
    // 2: the starts of the service, in the order of their numbers: a clock may go back.
    "CREATE TABLE deployments (
        id            INTEGER PRIMARY KEY,
        version       TEXT NOT NULL,
        revision      TEXT NOT NULL,
        started_ms    INTEGER NOT NULL,
        is_change     INTEGER NOT NULL
     ) STRICT;",
];

/// The newest version that this program knows.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Sets a connection up and brings the schema to [`VERSION`].
pub(crate) fn prepare(connection: &mut Connection) -> Result<(), DatabaseError> {
    // WAL with FULL: a commit that was acknowledged survives kill -9 and power loss, and readers never block.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if !(0..=VERSION).contains(&found) {
        return Err(DatabaseError::TooNew { found });
    }
    for version in found..VERSION {
        let transaction = connection.transaction()?;
        migrate(&transaction, version)?;
        transaction.commit()?;
    }
    Ok(())
}

fn migrate(transaction: &Transaction<'_>, version: i64) -> rusqlite::Result<()> {
    transaction.execute_batch(MIGRATIONS[version as usize])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_gets_the_newest_version_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection).unwrap();
        prepare(&mut connection).unwrap();
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(version, VERSION);
    }

    /// The fixture is what the program of schema version 1 left, as `sqlite3 .dump` writes it.
    #[test]
    fn a_database_of_version_1_opens_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(include_str!("../tests/fixtures/schema-1.sql"))
            .unwrap();
        prepare(&mut connection).unwrap();
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(version, VERSION);
        let count = |sql: &str| -> i64 { connection.query_row(sql, (), |row| row.get(0)).unwrap() };
        assert_eq!(count("SELECT count(*) FROM account WHERE name = 'ada'"), 1);
        assert_eq!(
            count("SELECT count(*) FROM session WHERE account_id = 1"),
            1
        );
        assert_eq!(count("SELECT count(*) FROM deployments"), 0);
    }

    #[test]
    fn a_later_version_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "user_version", VERSION + 1)
            .unwrap();
        assert!(matches!(
            prepare(&mut connection),
            Err(DatabaseError::TooNew { found }) if found == VERSION + 1
        ));
    }
}
