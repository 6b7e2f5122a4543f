//! Random bytes.

use std::fmt::Write;

/// Where random bytes come from.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer)
            .expect("the operating system's random generator answers on every supported platform");
    }
}

/// `bytes` random bytes as hexadecimal text: ids and tokens.
pub fn random_hex(entropy: &dyn Entropy, bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    entropy.fill(&mut buffer);
    buffer
        .iter()
        .fold(String::with_capacity(bytes * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
