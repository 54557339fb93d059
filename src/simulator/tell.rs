//! The platform tells by itself: the events that are due, written, and what an answer to one changes.
//!
//! Pure as the rest of the world: whoever holds it asks when the next event is due, and carries it.

use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use super::call::{Call, Phase};
use super::endpoint::EndpointKind;
use super::event::{EventKind, Mark};
use super::events::Planned;
use super::ledger::EventRow;
use super::shape::{Money, domain, money};
use super::svaml;
use super::world::World;

/// An event on its way to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingEvent {
    /// By which [`World::event_answered`] knows it.
    pub number: usize,
    /// Whom it is for.
    pub url: Arc<str>,
    /// The JSON that is posted there.
    pub body: Vec<u8>,
    /// Its call's place among all calls: what is told of one call is sent in order.
    pub call: usize,
}

#[derive(Serialize)]
struct Address<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    endpoint: &'a str,
}

#[derive(Serialize)]
struct Header<'a> {
    key: &'a str,
    value: &'a str,
}

/// All that an event may have, in the order of the API's samples.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    event: &'static str,
    callid: &'a str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    version: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    custom: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    debit: Option<Money<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rate: Option<Money<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cli: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Address<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'static str>,
    application_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origination_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    call_headers: Vec<Header<'a>>,
}

impl World {
    /// When the next event is due, if any will be: a hang-up may yet bring the end of a call forward.
    pub fn next_event_at(&mut self) -> Option<Timestamp> {
        self.events.next_at(&self.calls)
    }

    /// Takes the events that are due at `now`, in order, as told to the application of this key.
    pub fn events_due(&mut self, now: Timestamp, application: &str) -> Vec<OutgoingEvent> {
        let mut due = Vec::new();
        while let Some((number, planned)) = self.events.pop(&self.calls, now) {
            let call = &self.calls[planned.call];
            let told = call.told.as_ref();
            if let Some(url) = told.and_then(|told| told.url(planned.kind))
                && !planned.marks.has(Mark::Lost)
            {
                due.push(OutgoingEvent {
                    number,
                    url: Arc::clone(url),
                    body: body(call, planned, application, &self.options.tariff.currency),
                    call: planned.call,
                });
            }
        }
        due
    }

    /// Writes down that an event was answered with this status at `now`, and does what the answer
    /// says: SVAML with `hangup` ends a call that is beginning or was answered. Everything else lets it go on.
    pub fn event_answered(&mut self, number: usize, status: u16, answer: &[u8], now: Timestamp) {
        let Some(sent) = self.events.sent.get_mut(number) else {
            return;
        };
        sent.status = status;
        let (call, kind) = (sent.call, sent.kind);
        let is_second = sent.marks.has(Mark::SecondCall);
        let is_asked = kind != EventKind::Dice && !is_second && (200..300).contains(&status);
        let is_over = self.calls[call].phase(now, self.options.time_scale) == Phase::Over;
        if is_asked && !is_over && svaml::hangs_up(answer) {
            self.hang_up(call, now);
        }
    }

    /// Writes down why an event was not sent.
    pub fn event_not_sent(&mut self, number: usize, why: &'static str) {
        if let Some(sent) = self.events.sent.get_mut(number) {
            sent.unsent = why;
        }
    }

    /// Every event that was due so far, in order, the lost ones with it.
    pub fn events(&self) -> Vec<EventRow> {
        let sent = self.events.sent.iter();
        sent.map(|sent| {
            let call = &self.calls[sent.call];
            EventRow {
                call_id: told_id(call, sent.marks.has(Mark::SecondCall)),
                attempt: self.book.count(call.token).token.to_string(),
                event: sent.kind.as_str(),
                sent_at: sent.at,
                status: sent.status,
                fault: sent.marks.to_string(),
                unsent: sent.unsent,
            }
        })
        .collect()
    }
}

/// The call's own id, or that of the second call that is told with it.
fn told_id(call: &Call, is_second: bool) -> String {
    let twin = call.told.as_ref().and_then(|told| told.twin);
    let id = twin.filter(|_| is_second).unwrap_or(call.id);
    id.to_string()
}

/// The event as JSON. Numbers have no plus here, though the API's answers have one.
fn body(call: &Call, planned: Planned, application: &str, currency: &str) -> Vec<u8> {
    let Planned { kind, marks, .. } = planned;
    let (is_ice, is_dice) = (kind == EventKind::Ice, kind == EventKind::Dice);
    let cli = call.cli.as_deref().map(without_plus);
    let price = |amount: Decimal| money(amount, currency);
    let has_debit = is_dice && !marks.has(Mark::WithoutDebit);
    let to = (kind != EventKind::Ace && !call.endpoint.is_empty()).then(|| Address {
        kind: match call.endpoint_kind {
            EndpointKind::Number => "number",
            EndpointKind::Username => "username",
            EndpointKind::Sip => "sip",
        },
        endpoint: without_plus(&call.endpoint),
    });
    let headers = call.headers.iter().filter(|_| kind != EventKind::Ace);
    let event = Body {
        event: kind.as_str(),
        callid: &told_id(call, marks.has(Mark::SecondCall)),
        timestamp: planned.moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        reason: is_dice.then_some(call.fate.reason),
        result: is_dice.then_some(call.fate.result.as_str()),
        version: 1,
        custom: &call.custom,
        debit: has_debit.then(|| price(call.debit)),
        user_rate: to.is_some().then(|| price(call.rate)),
        cli: cli.filter(|_| is_ice),
        to,
        domain: is_ice.then(|| domain(call.endpoint_kind)),
        application_key: application,
        origination_type: is_ice.then_some("SERVER"),
        duration: is_dice.then_some(call.fate.talk_s),
        from: cli.filter(|_| is_dice),
        call_headers: headers.map(|(key, value)| Header { key, value }).collect(),
    };
    serde_json::to_vec(&event).expect("text, whole numbers and decimals can be written as JSON")
}

fn without_plus(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}
