//! The only source of randomness.
//!
//! `main` seeds one [`Entropy`] from the operating system and hands it down; a test seeds it with a
//! number, so that every draw can be had again.

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use crate::domain::{AttemptId, RunId};

/// So many attempt ids share their first bits.
const IDS_TOGETHER: u32 = 1024;

/// A stream of random bits, cryptographically strong when seeded by the operating system.
#[derive(Debug)]
pub struct Entropy {
    rng: StdRng,
    /// The first bits of the attempt ids of this moment, and how many more ids they are for.
    prefix: ([u8; 4], u32),
}

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        Self::of(StdRng::from_os_rng())
    }

    /// Seeded by a number: the same number gives the same draws.
    pub fn seeded(seed: u64) -> Self {
        Self::of(StdRng::seed_from_u64(seed))
    }

    fn of(rng: StdRng) -> Self {
        Self {
            rng,
            prefix: ([0; 4], 0),
        }
    }

    /// An attempt id: 128 random bits, so that nobody can guess one. The first 32 are drawn anew
    /// every [`IDS_TOGETHER`] ids: the ids of a moment then lie together in an index, which would
    /// otherwise rewrite a page for each. The other 96 are drawn for each id.
    pub fn attempt_id(&mut self) -> AttemptId {
        if self.prefix.1 == 0 {
            self.rng.fill_bytes(&mut self.prefix.0);
            self.prefix.1 = IDS_TOGETHER;
        }
        self.prefix.1 -= 1;
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.prefix.0);
        self.rng.fill_bytes(&mut bytes[4..]);
        AttemptId::from_bytes(bytes)
    }

    /// A run id: 48 random bits, short enough to type the beginning of.
    pub fn run_id(&mut self) -> RunId {
        RunId::new(format!("{:012x}", self.rng.next_u64() >> 16))
    }

    /// Another stream as strong as this one, for one of several engines in turn.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self::of(StdRng::from_rng(&mut self.rng))
    }

    /// A key for a keyed hash.
    pub fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        self.rng.fill_bytes(&mut key);
        key
    }

    /// A seed for something that wants its own stream.
    pub fn seed(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        // 53 bits are all that a double can tell apart.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let fraction = (self.rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        fraction
    }
}
