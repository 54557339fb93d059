//! Who is let in: so many connections at a time. Where all seats are taken, whoever sat longest without an
//! event in hand makes room for a new one, so that slow senders cannot lock others out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::desk::Desk;

/// Connections at one time.
const CONNECTIONS_MAX: usize = 1024;
/// The longest a connection takes for a request's head, idle time between requests included.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(5);
/// Bytes in a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The pause after a failed accept, which is a lack of file descriptors and passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// How long events in hand may still be kept and answered when the receiver stops.
const GRACE: Duration = Duration::from_secs(2);

/// One connection.
struct Seat {
    /// The place in the order of coming.
    nth: u64,
    /// Whether a whole request is being judged, kept or answered.
    working: Arc<AtomicBool>,
    handle: AbortHandle,
}

impl Seat {
    fn is_working(&self) -> bool {
        self.working.load(Ordering::Relaxed)
    }
}

/// Lets people in until it is told to stop, or nobody can tell it any more.
pub(super) async fn accept(
    listener: TcpListener,
    desk: Arc<Desk>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    let mut seats: HashMap<Id, Seat> = HashMap::new();
    for nth in 0.. {
        let victim = longest_idle(&seats);
        let room = seats.len() < CONNECTIONS_MAX || victim.is_some();
        tokio::select! {
            _ = &mut stopped => break,
            Some(ended) = connections.join_next_with_id() => leave(&mut seats, &ended),
            peer = listener.accept(), if room => match peer {
                Ok((stream, _)) => {
                    // Since it was chosen it may have begun to work.
                    if let Some(id) = victim
                        && seats.get(&id).is_some_and(|seat| !seat.is_working())
                        && let Some(seat) = seats.remove(&id)
                    {
                        seat.handle.abort();
                    }
                    let working = Arc::new(AtomicBool::new(false));
                    let (desk, in_hand) = (Arc::clone(&desk), Arc::clone(&working));
                    let handle = connections.spawn(serve(stream, desk, in_hand));
                    seats.insert(handle.id(), Seat { nth, working, handle });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    for seat in seats.values() {
        if !seat.is_working() {
            seat.handle.abort();
        }
    }
    let all = async { while connections.join_next().await.is_some() {} };
    // Who is not answered by then was not acknowledged.
    tokio::time::timeout(GRACE, all).await.ok();
    connections.shutdown().await;
}

/// Where all seats are taken, whoever sat longest without an event in hand.
fn longest_idle(seats: &HashMap<Id, Seat>) -> Option<Id> {
    if seats.len() < CONNECTIONS_MAX {
        return None;
    }
    let idle = seats.iter().filter(|(_, seat)| !seat.is_working());
    idle.min_by_key(|(_, seat)| seat.nth).map(|(id, _)| *id)
}

fn leave(seats: &mut HashMap<Id, Seat>, ended: &Result<(Id, ()), JoinError>) {
    let id = match ended {
        Ok((id, ())) => *id,
        Err(error) => error.id(),
    };
    seats.remove(&id);
}

async fn serve(stream: TcpStream, desk: Arc<Desk>, working: Arc<AtomicBool>) {
    // Answers are small and waited for; without this the last one waits for an acknowledgement.
    drop(stream.set_nodelay(true));
    let service = service_fn(|request| desk.serve(request, &working));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever leaves in the middle, or is no client at all, ends up here.
    drop(connection.await);
}
