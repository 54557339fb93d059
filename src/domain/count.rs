//! How far something is that takes a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A count that whoever does something raises, and whoever shows it reads meanwhile. Clones are the same
/// count.
#[derive(Debug, Clone, Default)]
pub struct Count(Arc<AtomicU64>);

impl Count {
    /// So many more are done.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// How many are done.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
