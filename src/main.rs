//! The binary: makes the world, hands it down, decides nothing.

use std::process::ExitCode;
use std::sync::Arc;

use callout::app::Sources;
use callout::cli;
use callout::clock::SystemClock;
use callout::entropy::Entropy;

fn main() -> ExitCode {
    cli::main(Sources {
        clock: Arc::new(SystemClock::start()),
        entropy: Entropy::from_os(),
    })
}
