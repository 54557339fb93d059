//! The simulator as something that runs: an address, an accept loop, and the ledger to ask.
//!
//! The accept loop is our own because the limits are: hyper's header timeout works only with a timer,
//! and connections are counted.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::http::{Clock, Shared};
use super::ledger::{
    BadAnswers, EventRow, LedgerRow, PlayedRow, PostRow, events_csv, ledger_csv, posts_csv,
    requests_csv,
};
use super::options::Options;
use super::requests::RequestRow;
use super::sender;
use super::socket::Socket;
use super::world::World;
use crate::sinch::auth::Credentials;

/// Connections at one time; more wait in the backlog.
const CONNECTIONS_MAX: usize = 4096;
/// Connections that the kernel keeps for us.
const BACKLOG: u32 = 4096;
/// The longest a connection takes for a request's head, idle time between requests included.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(30);
/// Bytes in a request's head; the callout client sends a few hundred.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// The pause after a failed accept, which is a lack of file descriptors and passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A running simulator. Dropping it stops it, and every connection with it.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts a simulator on the current tokio runtime. Port 0 takes any free port.
    ///
    /// Fails with `InvalidInput` on options that describe no platform, and on an address that is not
    /// loopback unless [`Options::allow_remote`] says so.
    pub fn start(
        options: Options,
        credentials: Credentials,
        address: SocketAddr,
        clock: Clock,
    ) -> io::Result<Self> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        options.check().map_err(|e| invalid(e.to_string()))?;
        if !address.ip().is_loopback() && !options.allow_remote {
            let message = "the simulator listens on loopback only, unless told otherwise";
            return Err(invalid(message.to_owned()));
        }
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        let world = World::new(options, clock());
        let shared = Arc::new(Shared::new(world, credentials, clock));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, Arc::clone(&shared), stopped));
        Ok(Self {
            shared,
            address,
            stop: Some(stop),
            task: Some(task),
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base for `SINCH_CALLING_URL` and `SINCH_CONFIGURATION_URL`: scheme, host and port.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call placed so far.
    pub fn ledger(&self) -> Vec<LedgerRow> {
        self.shared.world().ledger()
    }

    /// Every call placed so far, as CSV; the same as `GET /simulator/ledger`.
    pub fn ledger_csv(&self) -> String {
        let rows = self.ledger();
        ledger_csv(&rows)
    }

    /// What was played so far, and what people did, call by call; the same as `GET /simulator/played`.
    pub fn played(&self) -> Vec<PlayedRow> {
        self.shared.world().played()
    }

    /// Answers to ACE and PIE so far that were no good.
    pub fn bad_answers(&self) -> BadAnswers {
        self.shared.world().bad_answers()
    }

    /// Every POST of a callout received so far.
    pub fn posts(&self) -> Vec<PostRow> {
        self.shared.world().posts()
    }

    /// Every POST received so far, as CSV; the same as `GET /simulator/posts`.
    pub fn posts_csv(&self) -> String {
        let rows = self.posts();
        posts_csv(&rows)
    }

    /// Every request received so far that was neither a POST of a callout nor a GET of a call.
    pub fn requests(&self) -> Vec<RequestRow> {
        self.shared.world().requests()
    }

    /// Those requests as CSV; the same as `GET /simulator/requests`.
    pub fn requests_csv(&self) -> String {
        let rows = self.requests();
        requests_csv(&rows)
    }

    /// Every event that was due so far.
    pub fn events(&self) -> Vec<EventRow> {
        self.shared.world().events()
    }

    /// Those events as CSV; the same as `GET /simulator/events`.
    pub fn events_csv(&self) -> String {
        let rows = self.events();
        events_csv(&rows)
    }

    /// Stops listening and drops every connection; the ledger can still be read.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            // An accept loop that was cancelled with its runtime has stopped, too.
            drop(task.await);
        }
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("address", &self.address)
            .field("running", &self.task.is_some())
            .finish_non_exhaustive()
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A simulator that is killed and started again gets its port back at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    connections.spawn(sender::run(Arc::clone(&shared)));
    loop {
        let seat_and_peer = async {
            let seat = Arc::clone(&seats).acquire_owned().await;
            (seat, listener.accept().await)
        };
        tokio::select! {
            // Resolves when the handle is dropped or told to stop: either way nothing is sent.
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            (seat, peer) = seat_and_peer => match peer {
                Ok((stream, peer)) => {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move {
                        serve(stream, peer, shared).await;
                        drop(seat);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let reset = Arc::new(AtomicBool::new(false));
    // Answers are small and waited for; without this the last one waits for an acknowledgement.
    drop(stream.set_nodelay(true));
    let socket = Socket::new(stream, Arc::clone(&reset));
    let service = service_fn(|request| shared.serve(request, peer, &reset));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(socket), service);
    // Peers that leave in the middle and connections broken on purpose both end up here.
    drop(connection.await);
}
