//! The simulator over real HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::app::Error;
use crate::clock::Clock;
use crate::simulator::{Options, Simulator};

/// The simulator on a thread of its own, so that it does not share the engine's.
pub(super) struct ServedSimulator {
    pub(super) url: String,
    /// Dropping it ends the thread.
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl ServedSimulator {
    pub(super) fn start(options: Options, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (started, start) = std::sync::mpsc::channel();
        let credentials = super::credentials()?;
        std::thread::spawn(move || {
            let serve = async {
                let address = SocketAddr::from(([127, 0, 0, 1], 0));
                let wall = Arc::new(move || clock.wall());
                match Simulator::start(options, credentials, address, wall) {
                    Ok(simulator) => {
                        drop(started.send(Ok(simulator.url())));
                        drop(stopped.await);
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(serve),
                Err(error) => drop(started.send(Err(error))),
            }
        });
        let url = start
            .recv()
            .map_err(|e| Error::failed(format!("start the simulator: {e}")))?
            .map_err(|e| Error::failed(format!("start the simulator: {e}")))?;
        Ok(Self { url, _stop: stop })
    }
}
