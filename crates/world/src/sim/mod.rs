//! The simulated world: time that a test drives, a disk that loses what was not synced, a network, mail servers
//! and programs of functions, seeded entropy, blocking work run inline.
//!
//! Ordinary public code, not behind a feature: the stores' crash tests and the `sim` crate share it.

mod clock;
mod commands;
mod disk;
mod mail;
mod net;

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

pub use clock::SimClock;
pub use commands::SimCommands;
pub use disk::{DiskFault, SimDisk};
pub use mail::SimMail;
pub use net::SimNet;

use crate::{Blocking, BoxFuture, Entropy, World};

/// A simulated world and the handles that drive it.
#[derive(Clone)]
pub struct SimWorld {
    /// Jumps.
    pub clock: Arc<SimClock>,
    /// Crashes and faults.
    pub disk: Arc<SimDisk>,
    /// Hosts and their answers.
    pub net: Arc<SimNet>,
    /// Mail servers and their answers.
    pub mail: Arc<SimMail>,
    /// Programs and what they do.
    pub commands: Arc<SimCommands>,
    seed: u64,
}

impl SimWorld {
    /// A world that starts at `epoch`. Call inside a tokio runtime whose clock is paused.
    pub fn new(seed: u64, epoch: SystemTime) -> SimWorld {
        SimWorld {
            clock: Arc::new(SimClock::starting_at(epoch)),
            disk: Arc::new(SimDisk::new(seed)),
            net: Arc::new(SimNet::default()),
            mail: Arc::new(SimMail::default()),
            commands: Arc::new(SimCommands::default()),
            seed,
        }
    }

    /// The world as programs see it.
    pub fn world(&self) -> World {
        World {
            clock: self.clock.clone(),
            disk: self.disk.clone(),
            net: self.net.clone(),
            mail: self.mail.clone(),
            commands: self.commands.clone(),
            entropy: Arc::new(SeededEntropy::new(self.seed)),
            blocking: Arc::new(Inline),
        }
    }
}

/// A small fast generator with a seed (SplitMix64: Steele, Lea, Flood 2014).
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// The generator of a seed.
    pub fn new(seed: u64) -> SeededEntropy {
        SeededEntropy(Mutex::new(seed))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let mut state = self
            .0
            .lock()
            .expect("no code panics while it holds this lock");
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be zero.
    pub fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// Runs blocking work where it stands: the one order that is the same in every run.
pub struct Inline;

impl Blocking for Inline {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        work();
        Box::pin(std::future::ready(()))
    }
}
