//! The receiver as something that runs: a thread with a runtime of its own, so that events are answered
//! whatever else this process is busy with.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

use super::desk::{self, Desk};
use super::door::Doors;
use super::seats;
use super::setup::Setup;
use crate::sinch::verify::VerifierError;
use crate::store::StoreError;

/// Connections that the kernel keeps for us.
const BACKLOG: u32 = 1024;

/// Why nothing can be received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// The address cannot be listened on.
    #[error("listen on {address}: {why}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        why: io::Error,
    },
    /// Signatures cannot be checked.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
    /// The secrets cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no thread.
    #[error("start the receiver: {0}")]
    Thread(io::Error),
}

/// A running receiver. Dropping it stops it.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Receiver {
    /// Starts a receiver: when this returns it listens.
    ///
    /// # Errors
    /// [`ReceiverError`]; then nothing listens.
    pub async fn start(setup: Setup) -> Result<Self, ReceiverError> {
        desk::say_present(&setup).await?;
        let secrets = setup.inbox.callback_secrets(setup.clock.wall()).await?;
        let doors = Doors::new(&setup.credentials, &setup.public_path, &secrets)?;
        let address = setup.address;
        let (stop, stopped) = oneshot::channel();
        let (started, start) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ReceiverError::Thread)?;
        let thread = std::thread::Builder::new().name("receiver".into());
        let spawned = thread.spawn(move || {
            runtime.block_on(async {
                match listen(address).and_then(|l| Ok((l.local_addr()?, l))) {
                    Ok((address, listener)) => {
                        drop(started.send(Ok(address)));
                        run(listener, Desk::new(setup, doors), stopped).await;
                    }
                    Err(why) => drop(started.send(Err(why))),
                }
            });
            drop(end);
        });
        spawned.map_err(ReceiverError::Thread)?;
        let listens = start
            .await
            .unwrap_or_else(|_| Err(io::Error::other("it ended")));
        let address = listens.map_err(|why| ReceiverError::Listen { address, why })?;
        Ok(Self {
            address,
            stop,
            ended,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it: what is in hand is still kept and answered, and refusals are written down.
    pub async fn stop(self) {
        drop(self.stop);
        // Nothing is sent: the thread has ended, however it did.
        drop(self.ended.await);
    }
}

async fn run(listener: TcpListener, desk: Desk, stopped: oneshot::Receiver<()>) {
    let desk = Arc::new(desk);
    tokio::select! {
        () = seats::accept(listener, Arc::clone(&desk), stopped) => {}
        () = desk.keep_house() => {}
    }
    desk.write_refusals().await;
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // One that is killed and started again gets its port back at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
