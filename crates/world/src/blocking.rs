//! Work that blocks a thread: file writes with sync, SQL, password hashing.
//!
//! A seam of its own because the order in which a thread pool finishes is not deterministic: simulation runs such
//! work inline.

use crate::BoxFuture;

/// Where blocking work runs. Use [`World::run_blocking`](crate::World::run_blocking), which returns the result.
pub trait Blocking: Send + Sync {
    /// Runs `work` to its end.
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;
}

/// tokio's pool of blocking threads.
pub struct ThreadPool;

impl Blocking for ThreadPool {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Err(error) = tokio::task::spawn_blocking(work).await
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        })
    }
}
