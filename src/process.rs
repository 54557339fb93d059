//! This process: its signals, its limits, its runtime.
//!
//! SIGINT, SIGTERM and a closed terminal ask to stop; a second SIGINT or SIGTERM leaves at
//! once, which is as safe as a kill.
//!
//! A terminal that closes sends SIGHUP, often twice: once from its shell and once from the system. It
//! therefore only ever asks. Where SIGHUP was ignored when we started (`nohup`), it stays ignored.

use std::io::{self, IsTerminal as _};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::app::Stop;

/// Open files that a fast run may need: its connections, and some.
const FILES_WANTED: u64 = 4096;

/// Tasks share one thread: the work is waiting, and what is shared between threads costs more than
/// a second core brings. SQLite and the simulator have threads of their own.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// A fast run has many connections: take as many files as the system lets us.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(FILES_WANTED);
    if limit
        .current
        .is_some_and(|current| current < FILES_WANTED.min(most))
    {
        let raised = Rlimit {
            current: Some(FILES_WANTED.min(most)),
            maximum: limit.maximum,
        };
        // A refusal costs speed at most.
        setrlimit(Resource::Nofile, raised).ok();
    }
}

/// Keys and numbers are in this process's memory, so none of it is written to disk when it dies, and no
/// other process of the user looks into it.
pub(crate) fn keep_memory_to_ourselves() {
    let none = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Core).maximum,
    };
    // A system that does not let us is no reason not to work.
    setrlimit(Resource::Core, none).ok();
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    }
}

/// Listens to signals from now on. One for the whole process.
pub(crate) fn listen() -> io::Result<Stop> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = if hangup_was_ignored() {
        None
    } else {
        Some(signal(SignalKind::hangup())?)
    };
    let (asking, stop) = Stop::new();
    tokio::spawn(async move {
        loop {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            let again = tokio::select! {
                _ = interrupt.recv() => asking.send_replace(true),
                _ = terminate.recv() => asking.send_replace(true),
                _ = hung_up => {
                    asking.send_replace(true);
                    false
                }
            };
            if again {
                leave_at_once();
            }
        }
    });
    Ok(stop)
}

/// Whether whoever started us wants us to outlive the terminal. Where the system does not say so, it is
/// what `nohup` leaves behind: no terminal at all.
fn hangup_was_ignored() -> bool {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        return ignores_hangup(&status);
    }
    let terminals = [
        io::stdin().is_terminal(),
        io::stdout().is_terminal(),
        io::stderr().is_terminal(),
    ];
    !terminals.contains(&true)
}

/// Reads the mask of ignored signals, in hexadecimal; SIGHUP is its lowest bit.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

/// Makes a limit on the size of files an error of the write that meets it: unheard, its signal ends the
/// process in the middle of its calls. Needs a runtime.
pub(crate) fn outlive_file_size_limit() -> io::Result<()> {
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // Once heard, a signal keeps its handler until the process ends.
    drop(signal(kind)?);
    Ok(())
}

#[expect(
    clippy::exit,
    reason = "the second signal means at once; the database is safe anyway"
)]
fn leave_at_once() -> ! {
    std::process::exit(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_is_ignored_where_its_bit_is_set() {
        let status =
            |mask: &str| format!("Name:\tcallout\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(ignores_hangup(&status("0000000000000001")));
        assert!(ignores_hangup(&status("0000000000001003")));
        assert!(!ignores_hangup(&status("0000000000001000")));
        assert!(!ignores_hangup("") && !ignores_hangup("SigIgn:\tx"));
    }
}
