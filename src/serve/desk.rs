//! What all connections share: reads a request, has it judged, has it kept, answers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{ALLOW, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use jiff::SignedDuration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tracing::error;

use super::answers::Found;
use super::door::{Doors, Good, Headers};
use super::refusal::{Reason, Refused};
use super::reply::{HANG_UP, reply, reply_to_nobodys};
use super::setup::Setup;
use crate::sinch::auth::ReceivedHeaders;
use crate::sinch::events::Event;
use crate::store::{Arrival, StoreError};

/// Bytes in a body; an event has one or two thousand.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest time from a request's head to the last byte of its body, and from there to its answer.
const REQUEST_WAIT_MAX: Duration = Duration::from_secs(10);
/// The longest time that whoever is on the line waits for what is said next.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(2);
/// How often it is tried to keep what was heard in a call, a second apart.
const KEEP_TRIES: u32 = 60;
/// How often the secrets are read anew and refusals are written down.
const ROUND: Duration = Duration::from_secs(1);
/// How many rounds go by before it is said again that somebody receives, and how long that is good for.
const PRESENT_ROUNDS: u64 = 2;
const PRESENT: SignedDuration = SignedDuration::from_secs(10);
/// How many rounds there are between two tidyings of the inbox: an hour.
const TIDY_ROUNDS: u64 = 3600;

/// What all connections share.
pub(super) struct Desk {
    setup: Setup,
    doors: Mutex<Arc<Doors>>,
    /// Refusals that are not written down yet.
    refused: Mutex<BTreeMap<Reason, u64>>,
}

impl Desk {
    pub(super) fn new(setup: Setup, doors: Doors) -> Self {
        Self {
            setup,
            doors: Mutex::new(Arc::new(doors)),
            refused: Mutex::default(),
        }
    }

    /// Serves one request. `working` is true from the last byte of its body on.
    pub(super) async fn serve(
        &self,
        request: Request<Incoming>,
        working: &AtomicBool,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let answer = match self.take(request, working).await {
            Ok(answer) => good(answer),
            Err(refused) => {
                self.note(refused.reason);
                if let Some(late) = refused.late {
                    self.keep_late(*late).await;
                }
                bad(refused.reason)
            }
        };
        working.store(false, Ordering::Relaxed);
        Ok(answer)
    }

    async fn take(
        &self,
        request: Request<Incoming>,
        working: &AtomicBool,
    ) -> Result<Cow<'static, str>, Refused> {
        let (parts, body) = request.into_parts();
        let doors = Arc::clone(&self.doors.lock().unwrap_or_else(PoisonError::into_inner));
        let uri = &parts.uri;
        let door = doors.find(parts.method.as_str(), uri.path(), uri.query())?;
        let headers = Headers {
            content_type: only(&parts.headers, CONTENT_TYPE.as_str())?.unwrap_or_default(),
            signed: ReceivedHeaders {
                authorization: only(&parts.headers, AUTHORIZATION.as_str())?,
                x_timestamp: only(&parts.headers, "x-timestamp")?,
            },
        };
        let body = read(body).await?;
        working.store(true, Ordering::Relaxed);
        let good = door.judge(&headers, &body, self.setup.clock.wall())?;
        self.answer(good).await.map_err(Refused::from)
    }

    /// Keeps an event and finds what follows in its call, at once; the answer waits for both.
    async fn answer(&self, good: Good) -> Result<Cow<'static, str>, Reason> {
        let Good { arrival, event } = good;
        let mut kept = self.keep(arrival);
        if matches!(event, Event::Dice(_) | Event::Notify(_) | Event::Other(_)) {
            wait(&mut kept).await?;
            self.setup.answers.told(&event);
            return Ok(reply(&event));
        }
        let until = Instant::now() + ANSWER_WAIT_MAX;
        let attempt = event.attempt().map(tracing::field::display);
        let found = timeout_at(until, self.setup.answers.find(&event));
        let (found, durable) = tokio::join!(found, timeout_at(until, &mut kept));
        let durable = matches!(durable, Ok(Ok(Ok(()))));
        let late = |_| Err("it took too long".to_owned());
        match found.unwrap_or_else(late) {
            Ok(Found::Talk(talk)) if !durable => {
                error!(
                    attempt.id = attempt,
                    "what was heard in a call could not be kept in time"
                );
                Ok(talk.in_doubt)
            }
            Ok(Found::Talk(talk)) if talk.first && !self.take_into_account(&event, until).await => {
                Ok(HANG_UP.into())
            }
            Ok(Found::Talk(talk)) => Ok(talk.next),
            Ok(Found::Plain) => {
                if !durable {
                    wait(&mut kept).await?;
                }
                Ok(reply(&event))
            }
            Ok(Found::Nobodys) => Ok(reply_to_nobodys(&event)),
            Ok(Found::Forgotten) => {
                self.take_into_account(&event, until).await;
                Ok(reply_to_nobodys(&event))
            }
            // Whoever is on the line hears no fault of ours.
            Err(why) => {
                error!(attempt.id = attempt, "{why}: the call ends");
                Ok(reply_to_nobodys(&event))
            }
        }
    }

    /// Takes what was pressed into account before it is answered. Returns whether that is done in time.
    async fn take_into_account(&self, event: &Event, until: Instant) -> bool {
        let attempt = event.attempt();
        let why = match timeout_at(until, self.setup.answers.take(event)).await {
            Ok(Ok(())) => return true,
            Ok(Err(why)) => why,
            Err(_) => "it took too long".to_owned(),
        };
        error!(
            attempt.id = attempt.map(tracing::field::display),
            "what was pressed could not be taken into account in time ({why}): it is later, and the call ends"
        );
        false
    }

    /// Keeps an event, whoever waits for that. What was heard in a call, and answered, is tried again where it cannot
    /// be kept at once.
    fn keep(&self, arrival: Arrival) -> oneshot::Receiver<Result<(), Reason>> {
        let (tell, kept) = oneshot::channel();
        let inbox = Arc::clone(&self.setup.inbox);
        tokio::spawn(async move {
            let mut tell = Some(tell);
            let tries = if arrival.is_answered() { KEEP_TRIES } else { 1 };
            for _ in 0..tries {
                let told = match inbox.keep(arrival.clone()).await {
                    Ok(_) => Ok(()),
                    Err(error) => {
                        error!(%error, "an event could not be kept");
                        Err(Reason::NotKept)
                    }
                };
                if let Some(tell) = tell.take() {
                    tell.send(told).ok();
                }
                if told.is_ok() {
                    return;
                }
                tokio::time::sleep(ROUND).await;
            }
        });
        kept
    }

    /// Counts a refusal.
    fn note(&self, reason: Reason) {
        tracing::debug!(reason = reason.as_str(), "a request was refused");
        let mut counts = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(reason).or_default() += 1;
    }

    /// Keeps an event that is refused for its age alone, to have its call asked about.
    async fn keep_late(&self, late: Arrival) {
        let kept = self.setup.inbox.keep(late);
        if !matches!(
            tokio::time::timeout(REQUEST_WAIT_MAX, kept).await,
            Ok(Ok(_))
        ) {
            tracing::warn!(
                "an event that is too old could not be kept: its call is asked about later"
            );
        }
    }

    /// Reads the secrets anew and writes refusals down, for ever.
    pub(super) async fn keep_house(&self) {
        for round in 0_u64.. {
            if round % TIDY_ROUNDS == 0
                && let Err(error) = self.setup.inbox.tidy(self.setup.clock.wall()).await
            {
                tracing::warn!(%error, "the inbox could not be tidied");
            }
            if round % PRESENT_ROUNDS == 0 {
                self.be_present().await;
            }
            tokio::time::sleep(ROUND).await;
            self.write_refusals().await;
            self.read_secrets().await;
        }
    }

    /// Says that somebody receives.
    async fn be_present(&self) {
        if let Err(error) = say_present(&self.setup).await {
            tracing::warn!(%error, "that events are received could not be written down");
        }
    }

    async fn read_secrets(&self) {
        let now = self.setup.clock.wall();
        let secrets = match self.setup.inbox.callback_secrets(now).await {
            Ok(secrets) => secrets,
            Err(error) => return tracing::warn!(%error, "the callback secrets could not be read"),
        };
        // The credentials and the path were good before.
        if let Ok(doors) = Doors::new(&self.setup.credentials, &self.setup.public_path, &secrets) {
            *self.doors.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(doors);
        }
    }

    /// Writes down what was refused since this was last done.
    pub(super) async fn write_refusals(&self) {
        let new = self.refused.lock();
        let new = std::mem::take(&mut *new.unwrap_or_else(PoisonError::into_inner));
        if new.is_empty() {
            return;
        }
        let of = |reason| new.get(&reason).copied().unwrap_or_default();
        let (old, future) = (of(Reason::Old), of(Reason::Future));
        if old + future > 0 {
            tracing::warn!(
                old,
                future,
                "events were refused for their age although their signature is good: this machine's clock is \
                 wrong, or somebody repeats what was sent before"
            );
        }
        let signature = of(Reason::Signature);
        if signature > 0 {
            tracing::warn!(
                signature,
                "events came to the right path whose signature is not good: the path of the public address is \
                 another one than the platform calls, or somebody knows the path and not the secret"
            );
        }
        let counts: Vec<(&'static str, u64)> = new
            .iter()
            .map(|(reason, n)| (reason.as_str(), *n))
            .collect();
        let now = self.setup.clock.wall();
        if let Err(error) = self.setup.inbox.count_refused(&counts, now).await {
            tracing::warn!(%error, "refused requests could not be counted");
        }
    }
}

/// Says that somebody receives, until it is said again.
pub(super) async fn say_present(setup: &Setup) -> Result<(), StoreError> {
    let until = setup.clock.wall() + PRESENT;
    setup.inbox.receiver_until(until).await
}

/// Waits until an event is durable.
async fn wait(kept: &mut oneshot::Receiver<Result<(), Reason>>) -> Result<(), Reason> {
    if let Ok(Ok(done)) = tokio::time::timeout(REQUEST_WAIT_MAX, kept).await {
        return done;
    }
    error!("an event could not be kept in time, so it is not acknowledged");
    Err(Reason::NotKept)
}

/// The only header of a name. One that is there twice could be read in two ways.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Reason> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Reason::Header),
        (Some(_), Some(_)) => Err(Reason::Header),
    }
}

/// The body, unless it is too long or too slow. One that breaks off is too slow.
async fn read(body: Incoming) -> Result<Bytes, Reason> {
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(Reason::TooLong);
    }
    let limited = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(REQUEST_WAIT_MAX, limited).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Reason::TooLong),
        Ok(Err(_)) | Err(_) => Err(Reason::TooSlow),
    }
}

fn good(answer: Cow<'static, str>) -> Response<Full<Bytes>> {
    let is_svaml = !answer.is_empty();
    let bytes = match answer {
        Cow::Borrowed(answer) => Bytes::from_static(answer.as_bytes()),
        Cow::Owned(answer) => Bytes::from(answer),
    };
    let mut response = Response::new(Full::new(bytes));
    if is_svaml {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
    }
    response
}

fn bad(reason: Reason) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let status = StatusCode::from_u16(reason.status());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if reason == Reason::Method {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    // Whatever else such a sender has to say is not waited for. A platform that could not be served comes again.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
