//! The binary: makes the world, hands it down, decides nothing.

use std::process::ExitCode;
use std::sync::Arc;

use callout::cli::{self, World};
use callout::clock::SystemClock;
use callout::entropy::Entropy;

fn main() -> ExitCode {
    cli::main(World {
        clock: Arc::new(SystemClock::start()),
        entropy: Entropy::from_os(),
    })
}
