//! The platform tells by itself: the events that are due, written, and what an answer to one changes.
//!
//! Pure as the rest of the world: whoever holds it asks when the next event is due, and carries it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use super::call::{Call, Phase};
use super::conduct::Unanswered;
use super::course::{Detection, Item};
use super::endpoint::EndpointKind;
use super::event::{EventKind, Mark, Planned};
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
    /// Whether the call waits for the answer: until [`World::event_answered`], [`World::event_unanswered`] or
    /// [`World::event_not_sent`] nothing more happens in it. Others may be answered, and need not be.
    pub asks: bool,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    menu_result: Option<MenuTold<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amd: Option<AmdTold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_msg: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MenuTold<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    menu_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_method: Option<&'static str>,
}

#[derive(Serialize)]
struct AmdTold {
    status: &'static str,
    reason: &'static str,
    duration: u64,
}

impl From<Detection> for AmdTold {
    fn from(found: Detection) -> Self {
        Self {
            status: found.status,
            reason: found.reason,
            duration: found.duration_s,
        }
    }
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
            if planned.kind == EventKind::Step {
                self.take_step(planned.call, now);
                continue;
            }
            if planned.kind == EventKind::Dice && !planned.marks.has(Mark::SecondCall) {
                self.forget(planned.call, now);
            }
            if planned.marks.has(Mark::Lost) {
                continue;
            }
            let asks = !planned.marks.has(Mark::SecondCall)
                && self.asked(planned.call, (planned.kind, planned.item), number);
            let call = &self.calls[planned.call];
            let told = call.told.as_ref();
            if let Some(url) = told.and_then(|told| told.url(planned.kind)) {
                due.push(OutgoingEvent {
                    number,
                    url: Arc::clone(url),
                    body: body(call, planned, application, &self.options.tariff.currency),
                    call: planned.call,
                    asks,
                });
            }
        }
        due
    }

    /// Writes down that an event was answered with this status at `now`, `took` after it was sent, and does what
    /// the answer says: a call that waits for it plays it. Else SVAML with `hangup` ends a call that is
    /// beginning, and what answers ACE of a spoken or a conference callout is played in its place.
    pub fn event_answered(
        &mut self,
        number: usize,
        (status, answer): (u16, &[u8]),
        took: Duration,
        now: Timestamp,
    ) {
        let Some(sent) = self.events.sent.get_mut(number) else {
            return;
        };
        sent.status = status;
        let (call, kind, marks) = (sent.call, sent.kind, sent.marks);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        if self.heard((call, number), (status, answer), took_ms, now) {
            return;
        }
        let is_heard = !marks.has(Mark::SecondCall) && (200..300).contains(&status);
        let is_over = self.calls[call].phase(now, self.options.time_scale) == Phase::Over;
        if !is_heard || is_over {
            return;
        }
        match kind {
            EventKind::Ice if svaml::hangs_up(answer) => self.hang_up(call, now),
            EventKind::Ace if self.calls[call].course.is_none() => self.replace(call, answer, now),
            _ => {}
        }
    }

    /// Writes down that an event was sent and not answered, or not in time: a call that waits for it goes on
    /// without.
    pub fn event_unanswered(&mut self, number: usize, is_late: bool, now: Timestamp) {
        let why = if is_late {
            Unanswered::Late
        } else {
            Unanswered::Failed
        };
        let call = self.events.sent.get(number).map(|sent| sent.call);
        if let Some(call) = call.filter(|call| self.waits_for(*call, number).is_some()) {
            self.unanswered(call, why, now);
        }
    }

    /// Writes down why an event was not sent: a call that waits for its answer goes on without.
    pub fn event_not_sent(&mut self, number: usize, why: &'static str, now: Timestamp) {
        if let Some(sent) = self.events.sent.get_mut(number) {
            sent.unsent = why;
        }
        self.event_unanswered(number, false, now);
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
    let is_leg = is_ice || is_dice;
    let to = (is_leg && !call.endpoint.is_empty()).then(|| Address {
        kind: match call.endpoint_kind {
            EndpointKind::Number => "number",
            EndpointKind::Username => "username",
            EndpointKind::Sip => "sip",
        },
        endpoint: without_plus(&call.endpoint),
    });
    let headers = call.headers.iter().filter(|_| is_leg);
    let happened = planned.moment.strftime("%Y-%m-%dT%H:%M:%SZ");
    let said = Said::of(call, planned);
    let event = Body {
        event: kind.as_str(),
        callid: &told_id(call, marks.has(Mark::SecondCall)),
        // Notifications have none.
        timestamp: (kind != EventKind::Notify).then(|| happened.to_string()),
        kind: said.kind,
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
        menu_result: said.menu,
        amd: said.amd,
        error_code: said.error.map(|(code, _)| code),
        error_msg: said.error.map(|(_, message)| message),
    };
    serde_json::to_vec(&event).expect("text, whole numbers and decimals can be written as JSON")
}

/// What an event of a call's course says beside what every event does.
#[derive(Default)]
struct Said<'a> {
    kind: Option<&'static str>,
    menu: Option<MenuTold<'a>>,
    amd: Option<AmdTold>,
    error: Option<(u32, &'static str)>,
}

impl<'a> Said<'a> {
    fn of(call: &'a Call, planned: Planned) -> Self {
        let mut said = Self::default();
        let Some(course) = &call.course else {
            return said;
        };
        match planned.kind {
            EventKind::Ace if !planned.marks.has(Mark::SecondCall) => {
                let amd = course.ace.as_ref().and_then(|ace| ace.amd);
                said.amd = amd.map(AmdTold::from);
            }
            EventKind::Pie | EventKind::Notify => match course.said(planned.item) {
                Some(Item::Menu(result)) => {
                    said.menu = Some(MenuTold {
                        kind: result.kind,
                        value: result.value.as_deref(),
                        menu_id: &result.menu,
                        input_method: result.is_keyed.then_some("dtmf"),
                    });
                }
                Some(Item::Amd(kind, found)) => {
                    said.kind = Some(*kind);
                    said.amd = Some((*found).into());
                }
                Some(Item::Error(code, message)) => {
                    said.kind = Some("callingerror");
                    said.error = Some((*code, *message));
                }
                Some(Item::Void) | None => {}
            },
            _ => {}
        }
        said
    }
}

fn without_plus(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}
