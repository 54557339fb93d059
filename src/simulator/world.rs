//! The simulated platform: takes callouts, places calls, tells how they go, and keeps the ledger.
//!
//! Pure: no socket, no task and no clock; the time is an argument and everything drawn follows from
//! the seed. What an endpoint meets depends on how often it was posted to and called, never on the
//! order in which endpoints arrive. `http` holds the one lock around it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;
use rand::rngs::StdRng;
use rust_decimal::Decimal;

use super::answer::{Answer, ApiError, Delivery};
use super::book::{Book, TokenId};
use super::call::{Call, Phase};
use super::call_id::CallId;
use super::callbacks::Callbacks;
use super::callout::{self, Order, Rejected};
use super::chance::{Purpose, draw};
use super::conference::Conferences;
use super::event::Told;
use super::events::{Events, second_call};
use super::fate::{CallResult, Fate};
use super::faults::{self, Fault};
use super::ledger::{AnswerRow, BadAnswers, LedgerRow, LegRow, PlayedRow, PostRow, PressedRow};
use super::numbers::Numbers;
use super::options::Options;
use super::recording::Recordings;
use super::requests::{Notes, Requests};
use super::shape::{self, Telling};
use super::tariff::Tariff;

/// The platform's state.
#[derive(Debug)]
pub struct World {
    pub(super) options: Options,
    pub(super) book: Book,
    pub(super) calls: Vec<Call>,
    pub(super) calls_by_id: HashMap<CallId, usize>,
    pub(super) conferences: Conferences,
    pub(super) recordings: Recordings,
    pub(super) numbers: Numbers,
    pub(super) callbacks: Callbacks,
    pub(super) events: Events,
    pub(super) requests: Requests,
    /// Arrivals of the last second that were not refused by the rate.
    recent: VecDeque<Timestamp>,
    pub(super) spent: Decimal,
    pub(super) bad_answers: BadAnswers,
}

/// What becomes of one POST.
struct Handled {
    delivery: Delivery,
    fault: Option<Fault>,
    placed: bool,
}

impl Handled {
    fn refused(answer: Answer) -> Self {
        Self {
            delivery: answer.into(),
            fault: None,
            placed: false,
        }
    }
}

impl World {
    /// A platform that nobody has called yet.
    pub fn new(options: Options, started: Timestamp) -> Self {
        Self {
            book: Book::new(started),
            calls: Vec::new(),
            calls_by_id: HashMap::new(),
            conferences: Conferences::default(),
            recordings: Recordings::new(options.seed, options.recordings, started),
            numbers: Numbers::new(options.numbers.clone()),
            callbacks: Callbacks::new(options.callback_url.as_deref()),
            events: Events::new(options.time_scale),
            requests: Requests::new(started),
            options,
            recent: VecDeque::new(),
            spent: Decimal::ZERO,
            bad_answers: BadAnswers::default(),
        }
    }

    /// What the world was told to be like.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Reads the body of a callout: pure and without the world, so that it needs no lock.
    pub fn read(body: &[u8], cli_required: bool) -> Result<Order, Rejected> {
        callout::read(body, cli_required)
    }

    /// `POST /calling/v1/callouts`, authorised and read, which arrived at `now`.
    pub fn post(&mut self, order: Result<Order, Rejected>, now: Timestamp) -> Delivery {
        let (custom, notes) = match &order {
            Ok(order) => (&order.custom, order.notes.clone()),
            Err(rejected) => (&rejected.custom, rejected.notes.clone()),
        };
        let token = self.book.token(custom);
        let verdict = self.decide(order, token, now);
        self.note(token, now, &verdict, &notes);
        verdict.delivery
    }

    /// A POST of a callout that the HTTP face itself refused: counted, never placed.
    pub(super) fn refuse(
        &mut self,
        custom: &str,
        answer: Answer,
        notes: &Notes,
        now: Timestamp,
    ) -> Delivery {
        let token = self.book.token(custom);
        let verdict = Handled::refused(answer);
        self.note(token, now, &verdict, notes);
        verdict.delivery
    }

    /// `GET /calling/v1/calls/id/{callId}` at `now`.
    pub fn call(&mut self, id: &str, now: Timestamp) -> Delivery {
        let not_found = || ApiError::new(40400, "Call not found").answer(id).into();
        let Some(call) = CallId::parse(id)
            .and_then(|id| self.calls_by_id.get(&id))
            .and_then(|index| self.calls.get_mut(*index))
        else {
            return not_found();
        };
        let options = &self.options;
        let nth = call.gets;
        call.gets = call.gets.saturating_add(1);
        let age = now.duration_since(call.accepted_at);
        if nth < options.get_not_found_first || is_within(age, options.get_not_found_for) {
            return not_found();
        }
        let mut rng = draw(options.seed, Purpose::Get, id, nth.into());
        if rng.random_bool(options.get_lost) {
            return Delivery::Close;
        }
        if rng.random_bool(options.get_server_error) {
            return faults::outage(&mut rng, id).into();
        }
        let mut view = call.view(id, now, options.time_scale, &options.tariff.currency);
        if call.final_served < options.debit_after {
            view.debit = None;
        }
        let (is_final, mut body) = (view.is_final, call.telling.call(&view));
        if is_final && call.final_served == 0 && !options.odd.is_empty() {
            body = shape::told_otherwise(&body, &options.odd);
        }
        call.final_served += u32::from(is_final);
        Answer::json(200, body).into()
    }

    /// Hangs a call up at `now`, as a PATCH does. Returns whether the call is known.
    pub fn hang_up_by_id(&mut self, id: &str, now: Timestamp) -> bool {
        let known = CallId::parse(id).and_then(|id| self.calls_by_id.get(&id));
        let Some(index) = known.copied() else {
            return false;
        };
        self.hang_up_unless_over(index, now);
        true
    }

    pub(super) fn hang_up_unless_over(&mut self, call: usize, now: Timestamp) {
        if self.calls[call].phase(now, self.options.time_scale) != Phase::Over {
            self.hang_up(call, now);
        }
    }

    /// Every phone that rang so far, in order.
    pub fn ledger(&self) -> Vec<LedgerRow> {
        let rang = self.calls.iter().filter(|call| call.rings);
        rang.map(|call| self.row(call)).collect()
    }

    /// What was played so far, and what people did, call by call; nothing of calls in which nothing is played.
    pub fn played(&self) -> Vec<PlayedRow> {
        let id = |index: usize| self.calls[index].id.to_string();
        let row = |call: &Call| {
            let record = &call.course.as_ref()?.record;
            let apart = record.legs.iter().map(|leg| LegRow {
                call_id: Some(id(*leg)),
                debit: self.calls[*leg].debit,
            });
            let within = record.legs_within.iter().map(|debit| LegRow {
                call_id: None,
                debit: *debit,
            });
            Some(PlayedRow {
                call_id: call.id.to_string(),
                attempt: self.book.count(call.token).token.to_string(),
                destination: call.endpoint.to_string(),
                leg_of: call.leg_of.map(id),
                machine: record.is_machine,
                heard: record.heard.iter().map(|(_, text)| text.clone()).collect(),
                pressed: record.pressed.iter().map(PressedRow::from).collect(),
                errors: record.errors,
                answers: record.answers.iter().map(AnswerRow::from).collect(),
                legs: apart.chain(within).collect(),
            })
        };
        self.calls.iter().filter_map(row).collect()
    }

    /// Every POST received so far, in order.
    pub fn posts(&self) -> Vec<PostRow> {
        self.book.posts()
    }

    fn decide(
        &mut self,
        order: Result<Order, Rejected>,
        token: TokenId,
        now: Timestamp,
    ) -> Handled {
        if self.is_too_fast(now) {
            return Handled::refused(self.too_many());
        }
        let reference = &*Arc::clone(&self.book.count(token).token);
        let refused = |error: ApiError| Handled::refused(error.answer(reference));
        let order = match order {
            Ok(order) => order,
            Err(rejected) => return refused(rejected.error),
        };
        if let Some(code) = self.options.refuse_with
            && self.calls.len() >= self.options.refuse_after
        {
            return refused(ApiError::new(code, "Refused"));
        }
        if self.is_forbidden(&order.endpoint) {
            return refused(ApiError::new(40300, "Destination is forbidden"));
        }
        if self
            .options
            .credit
            .is_some_and(|credit| self.spent >= credit)
        {
            return refused(ApiError::new(40200, "Not enough credit"));
        }
        let (fault, mut rng) = self.draw_fault(&order.endpoint);
        let rings = !order.never_rings;
        let taken = match fault {
            Some(Fault::Reset | Fault::TooMany | Fault::Redirect) => false,
            Some(Fault::ServerError | Fault::Unclear) => rng.random_bool(0.5),
            Some(Fault::Lost | Fault::Hang | Fault::Slow | Fault::ErrorWithId | Fault::Garbage)
            | None => true,
        };
        let call = taken.then(|| self.place(order, token, fault, now));
        Handled {
            delivery: self.deliver(fault, call, &mut rng, reference),
            fault,
            placed: taken && rings,
        }
    }

    /// What the client gets to see under `fault`.
    fn deliver(
        &self,
        fault: Option<Fault>,
        call: Option<usize>,
        rng: &mut StdRng,
        reference: &str,
    ) -> Delivery {
        let call = call.map(|index| &self.calls[index]);
        let id = call.map_or_else(String::new, |call| call.id.to_string());
        let accepted = || {
            let body = call.map_or_else(String::new, |call| call.telling.accepted(&id));
            Answer::json(200, body)
        };
        let told = call.and_then(|call| call.told.as_ref());
        let held = told.map_or(Duration::ZERO, |told| told.held);
        match fault {
            None => Delivery::After(held, accepted()),
            Some(Fault::Slow) => Delivery::After(self.options.faults.slow_by.max(held), accepted()),
            Some(Fault::Lost) => Delivery::Close,
            Some(Fault::Reset) => Delivery::Reset,
            Some(Fault::Hang) => Delivery::Hang(self.options.faults.hang_for),
            Some(Fault::ServerError) => faults::outage(rng, reference).into(),
            Some(Fault::Unclear) => faults::unclear(rng).into(),
            Some(Fault::ErrorWithId) => faults::error_with_id(rng, &id).into(),
            Some(Fault::Garbage) => faults::garbage(rng, &id).into(),
            Some(Fault::TooMany) => self.too_many().into(),
            Some(Fault::Redirect) => Answer::json(307, "")
                .with_header("location", "/calling/v1/callouts")
                .into(),
        }
    }

    /// Places a call: from here on a phone rings, if there is any to ring.
    fn place(
        &mut self,
        order: Order,
        token: TokenId,
        fault: Option<Fault>,
        now: Timestamp,
    ) -> usize {
        let seed = self.options.seed;
        let (endpoint, count) = self.book.endpoint(&order.endpoint);
        let nth = count.calls;
        count.calls += 1;
        let mut identity = draw(seed, Purpose::Identity, &endpoint, nth);
        let id = CallId(identity.random());
        let fate = Fate::draw(
            &self.options,
            &order,
            &mut draw(seed, Purpose::Fate, &endpoint, nth),
        );
        let rate = self.options.tariff.rate(&endpoint);
        let debit = Tariff::debit(rate, fate.talk_s);
        self.spent += debit;
        let rings = !order.never_rings;
        let attempt = if rings {
            self.book.ring(token)
        } else {
            Arc::clone(&self.book.count(token).token)
        };
        let custom = if *order.custom == *attempt {
            attempt
        } else {
            order.custom.into()
        };
        let wanted = order.wanted.filter(|wanted| wanted.is_any());
        let urls = wanted.and_then(|wanted| wanted.urls(self.callbacks.url()));
        let told = urls.map(|urls| {
            let twin = second_call(&self.options, &endpoint, nth).map(|(id, _)| id);
            Box::new(Told::new(urls, nth, twin))
        });
        let index = self.calls.len();
        self.calls_by_id.insert(id, index);
        if let Some(conference) = order.conference {
            self.conferences.join(conference, index);
        }
        let is_answered = rings && fate.result == CallResult::Answered;
        let plays = order.plays.filter(|_| is_answered);
        let call = Call {
            id,
            token,
            endpoint,
            endpoint_kind: order.endpoint_kind,
            cli: order.cli.map(|cli| self.book.cli(&cli)),
            custom,
            headers: order.headers,
            accepted_at: now,
            fate,
            rings,
            rate,
            debit,
            fault,
            telling: Telling::draw(self.options.shape, &mut identity),
            gets: 0,
            final_served: 0,
            told,
            nth,
            leg_of: None,
            course: None,
            managed: None,
        };
        self.calls.push(call);
        if let Some(plays) = plays {
            self.begin(index, *plays);
        } else {
            let call = &mut self.calls[index];
            self.events.place(index, call, &self.options);
        }
        index
    }

    /// Ends a call now: what it does not cost after all is there to be spent again.
    pub(super) fn hang_up(&mut self, call: usize, now: Timestamp) {
        let hung_up = &mut self.calls[call];
        self.spent -= hung_up.hang_up(now, self.options.time_scale);
        self.events.end(call, hung_up, &self.options);
        self.hang_up_others(call, now);
    }

    /// Whether the platform's own limit is reached; an arrival that is let in counts from now on.
    fn is_too_fast(&mut self, now: Timestamp) -> bool {
        let Some(limit) = self.options.refuse_above else {
            return false;
        };
        let second = SignedDuration::from_secs(1);
        while self
            .recent
            .front()
            .is_some_and(|first| now.duration_since(*first) >= second)
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return true;
        }
        self.recent.push_back(now);
        false
    }

    fn too_many(&self) -> Answer {
        let nth = u64::try_from(self.book.posts_count()).unwrap_or(u64::MAX);
        let told = draw(self.options.seed, Purpose::Refusal, "", nth)
            .random_bool(self.options.retry_after_share);
        faults::too_many(told.then_some(self.options.retry_after_s))
    }

    /// Forbidden destinations are so for good: the draw is about the endpoint alone.
    pub(super) fn is_forbidden(&self, endpoint: &str) -> bool {
        let options = &self.options;
        options
            .forbidden_prefixes
            .iter()
            .any(|prefix| endpoint.starts_with(prefix.as_str()))
            || !endpoint.is_empty()
                && options.forbidden_share > 0.0
                && draw(options.seed, Purpose::Forbidden, endpoint, 0)
                    .random_bool(options.forbidden_share)
    }

    fn draw_fault(&mut self, endpoint: &str) -> (Option<Fault>, StdRng) {
        let seed = self.options.seed;
        let (endpoint, count) = self.book.endpoint(endpoint);
        let nth = count.posts;
        count.posts += 1;
        let mut rng = draw(seed, Purpose::Fault, &endpoint, nth);
        (self.options.faults.pick(rng.random()), rng)
    }

    fn note(&mut self, token: TokenId, now: Timestamp, verdict: &Handled, notes: &Notes) {
        let fate = (verdict.fault, verdict.placed);
        self.book
            .note(token, now, &verdict.delivery, fate, notes.as_str());
    }

    fn row(&self, call: &Call) -> LedgerRow {
        let attempt = self.book.count(call.token);
        LedgerRow {
            attempt: attempt.token.to_string(),
            destination: call.endpoint.to_string(),
            call_id: call.id.to_string(),
            accepted_at: call.accepted_at,
            posts: attempt.posts,
            rung: attempt.rung,
            result: call.fate.result.as_str(),
            reason: call.fate.reason,
            duration_s: call.fate.talk_s,
            debit: call.debit,
            currency: self.options.tariff.currency.clone(),
            fault: call.fault,
            final_served: call.final_served,
            gets: call.gets,
            managed: call.managed.as_ref().map_or(0, |managed| managed.times),
            leg_of: call
                .leg_of
                .map_or_else(String::new, |first| self.calls[first].id.to_string()),
            headers: call.headers.clone(),
        }
    }
}

fn is_within(age: SignedDuration, limit: Duration) -> bool {
    !limit.is_zero() && age.unsigned_abs() < limit
}
