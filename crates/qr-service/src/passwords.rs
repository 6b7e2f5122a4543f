//! Password hashing: Argon2id with 19 MiB, two passes, one lane (OWASP's first choice for interactive sign-in).
//!
//! At most two hashes run at once, because each takes 19 MiB and a core: a crowd at the door must not push the service
//! out of its memory. A bounded number waits; the rest is told to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use world::World;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASHES_AT_ONCE: usize = 2;
/// Those that wait for a turn: at 30 ms a hash the last of them waits half a second.
const WAITING_MAX: usize = 32;

/// Names the function and its parameters in the database, so that they can be raised later.
pub(crate) const KIND: &str = "argon2id-v19-m19456-t2-p1";

/// A stored password.
#[derive(Clone, Debug)]
pub(crate) struct StoredPassword {
    pub(crate) salt: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// Too many people sign in at once. Try again shortly.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// The hashers.
pub(crate) struct Passwords {
    world: World,
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    /// What an unknown name is checked against, so that it takes as long as a known one.
    nobody: StoredPassword,
}

impl Passwords {
    pub(crate) fn new(world: World) -> Passwords {
        let mut salt = vec![0; 16];
        let mut hash = vec![0; 32];
        world.entropy.fill(&mut salt);
        world.entropy.fill(&mut hash);
        Passwords {
            world,
            slots: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            waiting: Arc::default(),
            nobody: StoredPassword { salt, hash },
        }
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<StoredPassword, Busy> {
        let mut salt = vec![0; 16];
        self.world.entropy.fill(&mut salt);
        let hash = self.compute(password, salt.clone()).await?;
        Ok(StoredPassword { salt, hash })
    }

    /// Whether the password is the stored one. `None` takes as long and is always wrong.
    pub(crate) async fn verify(
        &self,
        password: String,
        stored: Option<StoredPassword>,
    ) -> Result<bool, Busy> {
        let is_known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let hash = self.compute(password, stored.salt).await?;
        Ok(bool::from(hash.ct_eq(&stored.hash)) && is_known)
    }

    /// Hashes when it is this request's turn. The turn and the place in the queue end with the work, not with the
    /// request: a client that hangs up and comes again must not have two hashes in memory.
    async fn compute(&self, password: String, salt: Vec<u8>) -> Result<Vec<u8>, Busy> {
        let waiting = Waiting::enter(&self.waiting)?;
        let slot = self
            .slots
            .clone()
            .acquire_owned()
            .await
            .expect("this semaphore is never closed");
        let hash = move || {
            let _ends_with_the_work = (waiting, slot);
            argon2id(password.as_bytes(), &salt)
        };
        Ok(self.world.run_blocking(hash).await)
    }
}

/// A place in the queue, given back when the request ends, however it ends.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn enter(count: &Arc<AtomicUsize>) -> Result<Waiting, Busy> {
        let waiting = Waiting(count.clone());
        if count.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX + HASHES_AT_ONCE {
            return Err(Busy);
        }
        Ok(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2id(password: &[u8], salt: &[u8]) -> Vec<u8> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32))
        .expect("the constants above are within Argon2's bounds");
    let mut hash = vec![0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, &mut hash)
        .expect("the salt has 16 bytes and the password is bounded by the API");
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_wrong_and_nobody() {
        let passwords = Passwords::new(World::real().unwrap());
        let stored = passwords.hash("correct horse".to_owned()).await.unwrap();
        let verify = |password: &str, stored| passwords.verify(password.to_owned(), stored);
        assert_eq!(
            verify("correct horse", Some(stored.clone())).await,
            Ok(true)
        );
        assert_eq!(verify("wrong horse", Some(stored)).await, Ok(false));
        assert_eq!(verify("anything", None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_crowd_is_turned_away() {
        let passwords = Passwords::new(World::real().unwrap());
        passwords
            .waiting
            .store(WAITING_MAX + HASHES_AT_ONCE, Ordering::Relaxed);
        assert!(matches!(passwords.hash("x".to_owned()).await, Err(Busy)));
        passwords.waiting.store(0, Ordering::Relaxed);
        assert!(passwords.hash("x".to_owned()).await.is_ok());
        assert_eq!(passwords.waiting.load(Ordering::Relaxed), 0);
    }
}
