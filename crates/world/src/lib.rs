//! The only way out: clock, disk, network, mail, local programs, entropy and blocking work, each real or simulated.
//!
//! Promise: whoever takes these from a [`World`] behaves the same for the same seed. A month of monitoring then runs
//! in seconds on tokio's paused clock, and a failure found by a simulation is replayed from its seed.
//!
//! Reading order: [`World`], [`Clock`] with [`Ticker`], [`Disk`], [`Outbound`], [`Mail`], [`Commands`], [`Entropy`], [`Blocking`]; then the
//! real forms ([`World::real`]), the simulated ones ([`sim`]) and the accept loop for servers ([`inbound`]).

mod address;
mod blocking;
mod clock;
mod commands;
mod disk;
mod entropy;
pub mod inbound;
mod mail;
mod outbound;
pub mod sim;

use std::sync::Arc;

pub use blocking::{Blocking, ThreadPool};
pub use clock::{Clock, Elapsed, SystemClock, Tick, Ticker, timeout};
pub use commands::{CommandError, CommandOutput, CommandRequest, Commands, Exit, OsCommands};
pub use disk::{AppendFile, Disk, OsDisk, Space, write_atomically};
pub use entropy::{Entropy, OsEntropy, random_hex};
pub use mail::{Mail, MailError, MailLogin, MailRequest, MailSecurity, Smtp};
pub use outbound::{HttpError, HttpRequest, HttpResponse, Network, Outbound};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything through which the outside reaches a program, passed by value (cheap to clone).
#[derive(Clone)]
pub struct World {
    /// What time it is, and waiting.
    pub clock: Arc<dyn Clock>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// Requests to other machines.
    pub net: Arc<dyn Outbound>,
    /// Mail.
    pub mail: Arc<dyn Mail>,
    /// Local programs.
    pub commands: Arc<dyn Commands>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Work that blocks a thread.
    pub blocking: Arc<dyn Blocking>,
}

impl World {
    /// The real world. Call inside a tokio runtime.
    ///
    /// # Errors
    /// When the HTTP client cannot be built: the machine has no usable TLS set-up. Stop.
    pub fn real() -> Result<World, HttpError> {
        Ok(World {
            clock: Arc::new(SystemClock::default()),
            disk: Arc::new(OsDisk),
            net: Arc::new(Network::new()?),
            mail: Arc::new(Smtp),
            commands: Arc::new(OsCommands::default()),
            entropy: Arc::new(OsEntropy),
            blocking: Arc::new(ThreadPool),
        })
    }

    /// Runs blocking work off the async threads (inline in simulation) and returns its result.
    pub async fn run_blocking<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.blocking
            .run(Box::new(move || {
                // The receiver lives in this very future; it is gone only if the caller was cancelled.
                let _ = sender.send(work());
            }))
            .await;
        receiver
            .await
            .expect("the work ran to its end and sent its result")
    }
}
