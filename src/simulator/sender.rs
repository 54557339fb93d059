//! Carries events to the application: signs them, posts them, and tells the world what was answered.
//!
//! There is no second try: what is not taken is gone, as it is with the platform. Nothing is awaited
//! under the world's lock.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::course::ANSWER_WAIT_MS;
use super::http::{Shared, is_loopback};
use super::tell::OutgoingEvent;
use crate::sinch::auth::{self, Scheme};

/// Events on their way at one time. Those of one call follow each other, and an answer that takes long keeps the
/// others of its lane waiting.
const LANES: usize = 256;
/// The longest that an answer is waited for.
const ANSWER_WAIT_MAX: Duration = Duration::from_millis(ANSWER_WAIT_MS);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long an idle connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// The clock is handed in and may be set: how long an event waits at most without looking at it again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

type Http = Client<HttpConnector, Full<Bytes>>;

/// Sends every event when it is due, until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let http: Http = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_MAX)
        .build_http();
    // The lanes end with this task, which owns them.
    let mut tasks = JoinSet::new();
    let mut lanes = Vec::with_capacity(LANES);
    loop {
        let (due, next) = {
            let now = shared.now();
            let mut world = shared.world();
            let due = world.events_due(now, shared.credentials().key());
            (due, world.next_event_at())
        };
        if lanes.is_empty() && !due.is_empty() {
            lanes.extend((0..LANES).map(|_| {
                let (lane, events) = mpsc::unbounded_channel();
                tasks.spawn(carry(http.clone(), Arc::clone(&shared), events));
                lane
            }));
        }
        for event in due {
            // A lane that is gone has gone with the runtime.
            drop(lanes[event.call % LANES].send(event));
        }
        let wait = next.map(|next| next.duration_since(shared.now()));
        let wait = wait.map(|wait| Duration::try_from(wait).unwrap_or_default().min(LOOK_AGAIN));
        tokio::select! {
            () = shared.woken() => {}
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
        }
    }
}

async fn carry(
    http: Http,
    shared: Arc<Shared>,
    mut events: mpsc::UnboundedReceiver<OutgoingEvent>,
) {
    while let Some(event) = events.recv().await {
        let number = event.number;
        match request(event, &shared) {
            Ok(request) => {
                let begun = tokio::time::Instant::now();
                let answer = tokio::time::timeout(ANSWER_WAIT_MAX, post(&http, request)).await;
                let (took, now) = (begun.elapsed(), shared.now());
                shared.act(|world| match answer {
                    Ok(Some((status, body))) => {
                        world.event_answered(number, (status, &body), took, now);
                    }
                    Ok(None) => world.event_unanswered(number, false, now),
                    Err(_) => world.event_unanswered(number, true, now),
                });
            }
            Err(why) => {
                let now = shared.now();
                shared.act(|world| world.event_not_sent(number, why, now));
            }
        }
    }
}

/// The event as a request, signed for this moment; or why it is not sent.
fn request(event: OutgoingEvent, shared: &Shared) -> Result<Request<Full<Bytes>>, &'static str> {
    const TYPE: &str = "application/json";
    let uri: Uri = event.url.parse().map_err(|_| "the URL is none")?;
    if uri.scheme_str() != Some("http") {
        return Err("the URL is not http");
    }
    let host = uri.authority().map_or("", |authority| authority.as_str());
    if !shared.calls_others() && !is_loopback(host) {
        return Err("the URL is not on this machine");
    }
    let signed = auth::Request {
        method: "POST",
        path: uri.path(),
        content_type: TYPE,
        body: &event.body,
    };
    let made = shared
        .credentials()
        .authorization(Scheme::Signed, &signed, shared.now())
        .map_err(|_| "the secret cannot sign")?;
    Request::post(uri)
        .header(CONTENT_TYPE, TYPE)
        .header(AUTHORIZATION, made.authorization)
        .header("x-timestamp", made.x_timestamp.unwrap_or_default())
        .body(Full::new(event.body.into()))
        .map_err(|_| "the URL makes no request")
}

/// The status and the body of the answer, if one came.
async fn post(http: &Http, request: Request<Full<Bytes>>) -> Option<(u16, Bytes)> {
    let answer = http.request(request).await.ok()?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
    // A body that breaks or is too long says nothing.
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    Some((status, body))
}
