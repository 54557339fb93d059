//! SIGINT and SIGTERM: the first asks to stop, the second leaves at once, which is as safe as a kill.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::exit::Failure;
use super::output;
use crate::engine::Signal;

/// Whether somebody has asked this process to stop. One for the whole process.
#[derive(Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self, Failure> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (asking, asked) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if asking.send_replace(true) {
                    leave_at_once();
                }
            }
        });
        Ok(Self(asked))
    }

    /// Whether it was asked.
    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub(super) async fn asked(&self) {
        let mut asked = self.0.clone();
        // The sender lives as long as the process.
        drop(asked.wait_for(|asked| *asked).await);
    }

    /// Hands the word on to an engine, for as long as that listens.
    pub(super) fn for_engine(&self) -> mpsc::Receiver<Signal> {
        let stop = Self(self.0.clone());
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            tokio::select! {
                () = stop.asked() => {
                    output::tell(
                        "stopping: nothing new is dialled, requests in flight finish (a minute at \
                         most); once more to leave at once",
                    );
                    sender.try_send(Signal::Stop).ok();
                }
                () = sender.closed() => {}
            }
        });
        receiver
    }
}

#[expect(
    clippy::exit,
    reason = "the second signal means at once; the database is safe anyway"
)]
fn leave_at_once() -> ! {
    std::process::exit(3)
}
