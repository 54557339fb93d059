//! The methods around callouts: each request is dispatched, worded and written down here.
//!
//! What the methods mean is in `manage`, `conference`, `recording`, `numbers`, `callbacks` and
//! `query`; this is the one place that has all of them and the world.

use jiff::Timestamp;
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

use super::answer::{Answer, ApiError};
use super::call::Phase;
use super::call_id::CallId;
use super::chance::{Purpose, draw};
use super::conference::{self, Command};
use super::endpoint::EndpointKind;
use super::faults;
use super::manage::{self, Wish};
use super::numbers::Applications;
use super::percent;
use super::query;
use super::recording::Scene;
use super::requests::{Head, Notes, RequestRow};
use super::routes::Method;
use super::script;
use super::wording::Wording;
use super::world::World;

/// One request around callouts, read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) head: Head<'a>,
    pub(super) method: Method<'a>,
    pub(super) body: &'a [u8],
    /// The application that signs.
    pub(super) application: &'a str,
}

/// How one request is answered: its wording, and what is noted against it.
struct Desk {
    wording: Wording,
    notes: Notes,
    rng: StdRng,
    now: Timestamp,
}

impl World {
    /// Answers a request around callouts which arrived at `now`, and writes it down. Nothing is done
    /// for a request without `standing`.
    pub(super) fn ask(
        &mut self,
        asked: Asked<'_>,
        standing: Result<(), ApiError>,
        mut notes: Notes,
        now: Timestamp,
    ) -> Answer {
        let nth = self.requests.count();
        let mut rng = draw(self.options.seed, Purpose::Wording, asked.head.path, nth);
        let suggested = asked.method.suggested_path();
        if suggested != asked.head.path {
            notes.add(format!("the path is {suggested}"));
        }
        let mut desk = Desk {
            wording: Wording::draw(self.options.shape, &mut rng),
            notes,
            rng,
            now,
        };
        let answer = standing
            .and_then(|()| self.outage(asked, &mut desk))
            .and_then(|outage| outage.map_or_else(|| self.answer(asked, &mut desk), Ok))
            .unwrap_or_else(|error| desk.wording.error(&error));
        self.record(asked.head, answer.status, desk.notes, now);
        answer
    }

    /// Writes down a request that something else than a method of the API answered.
    pub(super) fn record(&mut self, head: Head<'_>, status: u16, notes: Notes, now: Timestamp) {
        self.requests.note(head, status, notes, now);
    }

    /// Every request around callouts so far, in order.
    pub fn requests(&self) -> Vec<RequestRow> {
        self.requests.rows()
    }

    /// A failure of the platform's own, drawn: as the method's documents word it, or as some machine
    /// on the way does.
    fn outage(&self, asked: Asked<'_>, desk: &mut Desk) -> Result<Option<Answer>, ApiError> {
        let share = self.options.other_server_error;
        if share == 0.0 || !desk.rng.random_bool(share) {
            return Ok(None);
        }
        if desk.rng.random_bool(0.5) {
            return Ok(Some(faults::outage(&mut desk.rng, "")));
        }
        let message = match asked.method {
            Method::AssignNumbers | Method::UnassignNumber => "Unable to update number",
            Method::GetCallbacks(_) => "Unable to get configuration",
            Method::SetCallbacks(_) => "Unable to update configuration",
            _ => "Internal error",
        };
        Err(ApiError::new(50000, message))
    }

    fn answer(&mut self, asked: Asked<'_>, desk: &mut Desk) -> Result<Answer, ApiError> {
        let now = desk.now;
        let scene = Scene {
            calls: &self.calls,
            time_scale: self.options.time_scale,
            now,
        };
        let applications = Applications {
            ours: asked.application,
            others: &self.options.other_applications,
        };
        let (wording, notes) = (&desk.wording, &mut desk.notes);
        let done = || Ok(wording.done());
        match asked.method {
            Method::ManageCall { id, leg } => self.manage_call(id, leg, asked.body, desk),
            Method::GetConference(id) => {
                let there = self.conferences.participants(&percent::decode(id), scene)?;
                Ok(told(&conference::tell(&there, scene.calls, wording)))
            }
            Method::KickAll(id) => {
                let there = self.conferences.participants(&percent::decode(id), scene)?;
                for (index, _) in there {
                    self.kick(index, now);
                }
                Ok(Answer::empty(204))
            }
            Method::CommandParticipant { conference, call } => {
                let command = Command::read(&object(asked.body)?, notes)?;
                let conference = percent::decode(conference);
                let index = self.conferences.participant(&conference, call, scene)?;
                let managed = self.calls[index].managed();
                managed.times += 1;
                command.apply(managed);
                Ok(wording.commanded())
            }
            Method::KickParticipant { conference, call } => {
                let conference = percent::decode(conference);
                let index = self.conferences.participant(&conference, call, scene)?;
                self.kick(index, now);
                Ok(desk.wording.kicked())
            }
            Method::ListRecordings => {
                let head = asked.head;
                let page = self.recordings.list(head, scene, wording, notes)?;
                Ok(told(&page))
            }
            Method::DownloadRecording(key) => {
                self.recordings.download(&percent::decode(key), scene)
            }
            Method::DeleteRecording(key) => {
                self.recordings.delete(&percent::decode(key), scene)?;
                done()
            }
            Method::ListNumbers => Ok(told(&self.numbers.list(applications, wording))),
            Method::AssignNumbers => {
                self.numbers
                    .assign(&object(asked.body)?, applications, notes)?;
                done()
            }
            Method::UnassignNumber => {
                self.numbers
                    .unassign(&object(asked.body)?, applications, notes)?;
                done()
            }
            Method::GetCallbacks(key) => {
                let holder = applications.find(&percent::decode(key))?;
                Ok(told(&self.callbacks.get(&holder, wording)))
            }
            Method::SetCallbacks(key) => {
                let holder = applications.find(&percent::decode(key))?;
                self.callbacks.set(holder, &object(asked.body)?, notes)?;
                done()
            }
            Method::QueryNumber(number) => self.query_number(number, desk),
        }
    }

    /// Has a call do something else at `now`, as a PATCH with this body does. Returns whether it is taken.
    pub fn manage(&mut self, id: &str, body: &[u8], now: Timestamp) -> bool {
        let mut rng = draw(self.options.seed, Purpose::Wording, id, 0);
        let mut desk = Desk {
            wording: Wording::draw(self.options.shape, &mut rng),
            notes: Notes::default(),
            rng,
            now,
        };
        self.manage_call(id, None, body, &mut desk).is_ok()
    }

    fn manage_call(
        &mut self,
        id: &str,
        leg: Option<&str>,
        body: &[u8],
        desk: &mut Desk,
    ) -> Result<Answer, ApiError> {
        let body = object(body)?;
        let wishes = manage::read(&body, &mut desk.notes)?;
        leg.map_or(Ok(()), manage::check_leg)?;
        let time_scale = self.options.time_scale;
        let index = CallId::parse(&percent::decode(id))
            .and_then(|id| self.calls_by_id.get(&id).copied())
            .filter(|index| self.calls[*index].phase(desk.now, time_scale) != Phase::Over)
            .ok_or_else(|| ApiError::new(40400, "Call not found"))?;
        let call = &mut self.calls[index];
        if call.endpoint_kind == EndpointKind::Username {
            let message = "the call is neither from nor to PSTN or SIP";
            return Err(ApiError::invalid(message));
        }
        call.managed().times += 1;
        let id = call.id;
        let script = script::script(&Value::Object(body), None);
        let is_played = script.is_some_and(|script| self.play_into(index, script, desk.now));
        for wish in wishes {
            match wish {
                Wish::HangUp if is_played => {}
                Wish::HangUp => self.hang_up(index, desk.now),
                Wish::StartRecording(destination) => {
                    let destination = destination.as_deref();
                    self.recordings.start(index, id, destination, desk.now);
                }
                Wish::StopRecording => self.recordings.stop(index, desk.now),
            }
        }
        Ok(desk.wording.managed(leg.is_some()))
    }

    fn query_number(&self, sent: &str, desk: &mut Desk) -> Result<Answer, ApiError> {
        let number = query::normalise(&percent::decode(sent), &mut desk.notes)?;
        let tariff = &self.options.tariff;
        let standing = query::Standing {
            restricted: self.is_forbidden(&number),
            rate: tariff.rate(&number),
            currency: &tariff.currency,
        };
        Ok(told(&query::tell(&number, &standing, &desk.wording)))
    }

    fn kick(&mut self, index: usize, now: Timestamp) {
        self.calls[index].managed().times += 1;
        self.hang_up(index, now);
    }
}

fn told(value: &Value) -> Answer {
    Answer::json(200, value.to_string())
}

/// The body as the object that every body of these methods is.
fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::invalid("the body is not an object")),
        Err(_) => Err(ApiError::invalid("the body is not JSON")),
    }
}
