//! The only source of randomness.
//!
//! `main` seeds one [`Entropy`] from the operating system and hands it down; a test seeds it with a
//! number, so that every draw can be had again.

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use crate::domain::{AttemptId, RunId};

/// A stream of random bits, cryptographically strong when seeded by the operating system.
#[derive(Debug)]
pub struct Entropy(StdRng);

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        Self(StdRng::from_os_rng())
    }

    /// Seeded by a number: the same number gives the same draws.
    pub fn seeded(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// An attempt id: 128 random bits, so that nobody can guess one.
    pub fn attempt_id(&mut self) -> AttemptId {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        AttemptId::from_bytes(bytes)
    }

    /// A run id: 48 random bits, short enough to type the beginning of.
    pub fn run_id(&mut self) -> RunId {
        RunId::new(format!("{:012x}", self.0.next_u64() >> 16))
    }

    /// A seed for something that wants its own stream.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        // 53 bits are all that a double can tell apart.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let fraction = (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        fraction
    }
}
