//! The HTTP face of the world: reads a request, checks who sent it, asks the world, performs what
//! the world says.
//!
//! It decides nothing about calls. Whatever comes in, it answers or closes; it never panics and never
//! holds the world's lock across an await. `server` brings the connections, `routes` the table.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Request, Response, StatusCode};
use jiff::Timestamp;
use tokio::sync::Notify;

use super::answer::{Answer, ApiError, Delivery, plain};
use super::callout::{Order, Rejected};
use super::ledger::{events_csv, ledger_csv, played_json, posts_csv, requests_csv};
use super::methods::Asked;
use super::payload::{Broken, Payload};
use super::percent;
use super::requests::{Head, Notes};
use super::routes::{self, Method, Miss, Page, Route};
use super::socket::ResetFlag;
use super::world::World;
use crate::sinch::auth::{self, AuthError, Credentials, ReceivedHeaders};

/// Where the simulator reads the time, handed in.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Bytes in a request's body; a callout has a few hundred.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest wait for the rest of a body.
const BODY_WAIT_MAX: Duration = Duration::from_secs(10);
/// The platform keeps this many `X-CB-` headers and discards the rest (seed 001).
const CALLBACK_HEADERS_MAX: usize = 5;

/// What all connections share.
pub(super) struct Shared {
    world: Mutex<World>,
    credentials: Credentials,
    clock: Clock,
    gate: Gate,
    /// Wakes the sender of events.
    wake: Notify,
}

/// The options that are needed outside the lock.
struct Gate {
    tolerance: Duration,
    accept_basic: bool,
    cli_required: bool,
    answer_after: Duration,
    allow_remote: bool,
}

impl Shared {
    pub(super) fn new(world: World, credentials: Credentials, clock: Clock) -> Self {
        let options = world.options();
        let gate = Gate {
            tolerance: options.timestamp_tolerance,
            accept_basic: options.accept_basic,
            cli_required: options.cli_required,
            answer_after: options.answer_after,
            allow_remote: options.allow_remote,
        };
        Self {
            world: Mutex::new(world),
            credentials,
            clock,
            gate,
            wake: Notify::new(),
        }
    }

    /// The world, for as long as one decision takes.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the world decide, and wakes the sender where an event is due earlier for it.
    pub(super) fn act<T>(&self, decide: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        let before = world.next_event_at();
        let decided = decide(&mut world);
        let after = world.next_event_at();
        drop(world);
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.wake.notify_one();
        }
        decided
    }

    /// Returns once an event may be due earlier than it was.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whether events go to other machines, too.
    pub(super) fn calls_others(&self) -> bool {
        self.gate.allow_remote
    }

    /// Serves one request. An error closes the connection without an answer.
    pub(super) async fn serve(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        reset: &ResetFlag,
    ) -> Result<Response<Payload>, Broken> {
        let now = self.now();
        let (parts, body) = request.into_parts();
        let delivery = match routes::find(parts.method.as_str(), parts.uri.path()) {
            Ok(Route::Callout) => self.callout(&parts, body, now).await?,
            Ok(Route::Call(id)) => self.call(&parts, body, id, now).await?,
            Ok(Route::Own(page)) => self.own_page(page, &parts, peer).into(),
            Ok(Route::Other(method)) => self.other(&parts, body, method, now).await?.into(),
            Err(miss) => self.missed(&parts, miss, now).into(),
        };
        self.perform(delivery, reset).await
    }

    async fn callout(
        &self,
        parts: &Parts,
        body: Incoming,
        now: Timestamp,
    ) -> Result<Delivery, Broken> {
        let mut notes = notes(&parts.headers);
        if parts.uri.path() != routes::CALLOUTS {
            notes.add(format!("the path is {}", routes::CALLOUTS));
        }
        let body = match read_body(body).await? {
            Ok(body) => body,
            Err(answer) => return Ok(self.world().refuse("", answer, &notes, now)),
        };
        let mut order = World::read(&body, self.gate.cli_required);
        let refusal = match self.authorise(parts, &body, now, &mut notes) {
            Err(error) => Some(error.answer("")),
            Ok(()) if !is_json(&parts.headers) => Some(plain(415, "Unsupported media type")),
            Ok(()) => None,
        };
        let (Ok(Order { notes: read, .. }) | Err(Rejected { notes: read, .. })) = &mut order;
        notes.append(read);
        *read = notes;
        if let Some(answer) = refusal {
            let (Ok(Order { custom, notes, .. }) | Err(Rejected { custom, notes, .. })) = &order;
            return Ok(self.world().refuse(custom, answer, notes, now));
        }
        if let Ok(order) = &mut order {
            order.headers = callback_headers(&parts.headers);
        }
        Ok(self.act(|world| world.post(order, now)))
    }

    async fn call(
        &self,
        parts: &Parts,
        body: Incoming,
        id: &str,
        now: Timestamp,
    ) -> Result<Delivery, Broken> {
        // Some clients sign and send an empty JSON body here; whatever it is, it is signed.
        let body = match read_body(body).await? {
            Ok(body) => body,
            Err(answer) => return Ok(answer.into()),
        };
        // Polls are counted and not written down.
        Ok(
            match self.authorise(parts, &body, now, &mut Notes::default()) {
                Ok(()) => self.world().call(id, now),
                Err(error) => error.answer(id).into(),
            },
        )
    }

    async fn other(
        &self,
        parts: &Parts,
        body: Incoming,
        method: Method<'_>,
        now: Timestamp,
    ) -> Result<Answer, Broken> {
        let head = head(parts);
        let mut notes = notes(&parts.headers);
        let refuse = |answer: Answer, notes| {
            self.world().record(head, answer.status, notes, now);
            Ok(answer)
        };
        let body = match read_body(body).await? {
            Ok(body) => body,
            Err(answer) => return refuse(answer, notes),
        };
        let standing = self.authorise(parts, &body, now, &mut notes);
        if standing.is_ok() && method.has_body() && !is_json(&parts.headers) {
            return refuse(plain(415, "Unsupported media type"), notes);
        }
        let asked = Asked {
            head,
            method,
            body: &body,
            application: self.credentials.key(),
        };
        Ok(self.act(|world| world.ask(asked, standing, notes, now)))
    }

    /// A path or a verb that is not there, which is a deviation in itself.
    fn missed(&self, parts: &Parts, miss: Miss, now: Timestamp) -> Answer {
        let mut notes = notes(&parts.headers);
        let answer = match miss {
            Miss::Path => {
                notes.add("the path is in no document");
                ApiError::new(40400, "Resource not found").answer("")
            }
            Miss::Verb(allowed) => {
                notes.add(format!("the path is for {allowed}"));
                plain(405, "Method not allowed").with_header("allow", allowed)
            }
        };
        self.world().record(head(parts), answer.status, notes, now);
        answer
    }

    /// The simulator's own pages: no authorisation, but for this machine alone.
    fn own_page(&self, page: Page, parts: &Parts, peer: SocketAddr) -> Answer {
        if !peer.ip().to_canonical().is_loopback() {
            return plain(403, "The simulator's own pages answer loopback alone");
        }
        // A browser on this machine may be led here by any name that somebody makes point here.
        let mut hosts = parts.headers.get_all(HOST).iter();
        if !hosts.all(|host| host.to_str().is_ok_and(is_loopback)) {
            return plain(
                403,
                "The simulator's own pages answer to localhost and 127.0.0.1 alone",
            );
        }
        // Rows are copied under the lock and written outside it.
        let csv = match page {
            Page::Ledger => {
                let rows = self.world().ledger();
                ledger_csv(&rows)
            }
            Page::Posts => {
                let rows = self.world().posts();
                posts_csv(&rows)
            }
            Page::Requests => {
                let rows = self.world().requests();
                requests_csv(&rows)
            }
            Page::Events => {
                let rows = self.world().events();
                events_csv(&rows)
            }
            Page::Played => {
                let (rows, bad) = {
                    let world = self.world();
                    (world.played(), world.bad_answers())
                };
                return Answer::json(200, played_json(&rows, bad));
            }
        };
        Answer::new(200, "text/csv; charset=utf-8", csv)
    }

    /// Who sent this, in the platform's codes (`FACTS` §8). The documents do not say in which form
    /// the path is signed where it has to be encoded: as it is sent, or as it was before that; one SDK
    /// does this, two do that, and both are taken.
    fn authorise(
        &self,
        parts: &Parts,
        body: &[u8],
        now: Timestamp,
        notes: &mut Notes,
    ) -> Result<(), ApiError> {
        let authorization = text(&parts.headers, &AUTHORIZATION);
        let scheme = authorization.and_then(|value| value.split(' ').next());
        let is_basic = scheme.is_some_and(|word| word.eq_ignore_ascii_case("basic"));
        let verdict = if is_basic && self.gate.accept_basic {
            self.credentials.verify_basic(authorization)
        } else {
            let sent = parts.uri.path();
            let headers = ReceivedHeaders {
                authorization,
                x_timestamp: text(&parts.headers, &HeaderName::from_static("x-timestamp")),
            };
            let verify = |path: &str| {
                let request = auth::Request {
                    method: parts.method.as_str(),
                    path,
                    content_type: text(&parts.headers, &CONTENT_TYPE).unwrap_or_default(),
                    body,
                };
                let tolerance = self.gate.tolerance;
                self.credentials.verify(&request, &headers, now, tolerance)
            };
            match verify(sent) {
                Err(AuthError::BadSignature) if sent.contains('%') => {
                    verify(&percent::decode(sent))
                        .inspect(|()| notes.add("the path is signed as it was before encoding"))
                }
                verdict => verdict,
            }
        };
        verdict.map_err(|error| auth_error(error, is_basic))
    }

    async fn perform(
        &self,
        delivery: Delivery,
        reset: &ResetFlag,
    ) -> Result<Response<Payload>, Broken> {
        match delivery {
            Delivery::After(wait, answer) => {
                let wait = wait.saturating_add(self.gate.answer_after);
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                Ok(response(answer))
            }
            Delivery::Hang(wait) => {
                tokio::time::sleep(wait).await;
                Err(Broken)
            }
            Delivery::Close => Err(Broken),
            Delivery::Reset => {
                reset.store(true, Ordering::Relaxed);
                Err(Broken)
            }
        }
    }
}

fn auth_error(error: AuthError, is_basic: bool) -> ApiError {
    match error {
        AuthError::MissingAuthorization => ApiError::new(40100, "Authorization header required"),
        AuthError::MissingTimestamp
        | AuthError::BadTimestamp
        | AuthError::TooOld
        | AuthError::TooNew => ApiError::new(40101, "Timestamp header"),
        AuthError::WrongScheme => {
            ApiError::new(40301, "Invalid authorization scheme for calling the method")
        }
        AuthError::UnknownKey => ApiError::new(40108, "Invalid credentials"),
        AuthError::Malformed | AuthError::BadSignature if is_basic => {
            ApiError::new(40108, "Invalid credentials")
        }
        AuthError::Malformed | AuthError::BadSignature => ApiError::new(40102, "Invalid Signature"),
    }
}

/// The body, or the answer to one that is too large or too slow. A connection that broke is an error.
async fn read_body(body: Incoming) -> Result<Result<Bytes, Answer>, Broken> {
    let limited = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_WAIT_MAX, limited).await {
        Ok(Ok(collected)) => Ok(Ok(collected.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Ok(Err(plain(413, "Payload too large")))
        }
        Ok(Err(_)) => Err(Broken),
        Err(_) => Ok(Err(plain(408, "Request timeout"))),
    }
}

fn response(answer: Answer) -> Response<Payload> {
    let payload = if answer.cut_short {
        Payload::cut(answer.body)
    } else {
        Payload::whole(answer.body)
    };
    let mut response = Response::new(payload);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !answer.content_type.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    }
    if let Some((name, value)) = answer.header
        && let Ok(value) = HeaderValue::try_from(value)
    {
        headers.insert(HeaderName::from_static(name), value);
    }
    response
}

/// A header's value where it is text; one that is not counts as absent.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn head(parts: &Parts) -> Head<'_> {
    Head {
        verb: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        host: text(&parts.headers, &HOST).unwrap_or_default(),
    }
}

/// What the headers have in another form than suggested: the scheme's case (`FACTS` §12, row 30).
fn notes(headers: &HeaderMap) -> Notes {
    let mut notes = Notes::default();
    let scheme = text(headers, &AUTHORIZATION).and_then(|value| value.split(' ').next());
    for suggested in ["Application", "Basic"] {
        if let Some(sent) = scheme.filter(|sent| sent.eq_ignore_ascii_case(suggested)) {
            notes.spelling(sent, suggested);
        }
    }
    notes
}

/// `application/json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn callback_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-cb-"))
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .take(CALLBACK_HEADERS_MAX)
        .collect()
}

/// Whether a host names this machine by a name that nobody else can make point to it.
pub(super) fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}
