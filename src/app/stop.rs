//! Being asked to stop. A face listens: to signals, to a key, to a request.

use tokio::sync::{mpsc, watch};

use crate::engine::Signal;

/// Whether somebody has asked this process to stop.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// The other end: whoever holds it may ask.
pub(crate) type Asking = watch::Sender<bool>;

impl Stop {
    /// Nobody has asked yet.
    pub(crate) fn new() -> (Asking, Self) {
        let (asking, asked) = watch::channel(false);
        (asking, Self(asked))
    }

    /// Whether it was asked.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked; for ever where nobody can ask any more.
    pub(crate) async fn asked(&self) {
        let mut asked = self.0.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Hands the word on to an engine, for as long as that listens; `handed` is told when it does. Whoever has the
    /// sender may speak to it as well.
    pub(crate) fn for_engine(
        &self,
        handed: impl FnOnce() + Send + 'static,
    ) -> (mpsc::Sender<Signal>, mpsc::Receiver<Signal>) {
        let stop = self.clone();
        let (sender, receiver) = mpsc::channel(2);
        let word = sender.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.asked() => {
                    handed();
                    sender.try_send(Signal::Stop).ok();
                }
                () = sender.closed() => {}
            }
        });
        (word, receiver)
    }
}
