//! The simulator's world in the place of HTTP, on a clock that is moved on: the same bodies go in, and the
//! same answers are read, but no socket is between.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::app::DEMO_KEY;
use crate::app::receive::{BEEP_WAIT_MAX, hold, message};
use crate::clock::{Clock as _, VirtualClock};
use crate::domain::{
    AttemptId, CallId, Callout, CalloutBody, Digits, EventNumber, FlowCallout, InCall, News,
    NotSent, Observation, Reaction, Says, Side, Signalled, Suppression, Uncertainty, Verdict,
};
use crate::engine::{Incoming, Noes, Platform, press};
use crate::serve::{Talk, reply, talk};
use crate::simulator::{Delivery, Options, World, ledger_csv};
use crate::sinch::answer::{Answer, retry_after};
use crate::sinch::callouts::CalloutRequest;
use crate::sinch::events::Event;
use crate::sinch::svaml::Svaml;
use crate::store::StoreError;

/// What is heard in a call that goes on is told after so long at the latest.
const HEARD_WAITS_MAX: Duration = Duration::from_secs(30);

/// A platform in this process.
#[derive(Debug)]
pub(super) struct InProcess {
    world: Mutex<World>,
    cli_required: bool,
    clock: Arc<VirtualClock>,
    /// Events that came so far.
    told: AtomicI64,
    /// Calls in which people are asked something.
    asking: Mutex<Asking>,
    /// Who said that they are never to be called again.
    noes: Arc<Noes>,
}

/// Calls in which people are asked something.
#[derive(Debug, Default)]
struct Asking {
    /// What is asked, by attempt, until the call is over.
    flows: HashMap<AttemptId, FlowCallout>,
    /// Attempts whose calls were connected to somebody else.
    connected: HashSet<AttemptId>,
    /// Machines whose beep is waited for: until when, and what is said then; none once it is said.
    beeps: HashMap<CallId, Option<(Timestamp, Svaml)>>,
    /// What was heard while calls go on, since when: it is told together with the end of one of them, because each
    /// telling costs as much as a call.
    heard: Vec<(EventNumber, News)>,
    heard_since: Option<Timestamp>,
}

impl Asking {
    fn hear(&mut self, number: EventNumber, news: News, now: Timestamp) {
        self.heard_since.get_or_insert(now);
        self.heard.push((number, news));
    }

    /// What is told now.
    fn heard_by(&mut self, now: Timestamp) -> Vec<(EventNumber, News)> {
        let ended = |(_, news): &(EventNumber, News)| matches!(news.says, Says::Ended(_));
        let waited = self.tells_at().is_some_and(|at| at <= now);
        if waited || self.heard.iter().any(ended) {
            self.heard_since = None;
            return std::mem::take(&mut self.heard);
        }
        Vec::new()
    }

    /// When what was heard is told at the latest.
    fn tells_at(&self) -> Option<Timestamp> {
        self.heard_since?.checked_add(HEARD_WAITS_MAX).ok()
    }

    /// When something is to be done though no event is due.
    fn next_at(&self) -> Option<Timestamp> {
        let beeps = self.beeps.values().flatten().map(|(until, _)| *until);
        beeps.chain(self.tells_at()).min()
    }
}

impl InProcess {
    /// A platform that nobody has called yet.
    pub(super) fn new(options: Options, clock: Arc<VirtualClock>, noes: Arc<Noes>) -> Self {
        let cli_required = options.cli_required;
        Self {
            world: Mutex::new(World::new(options, clock.wall())),
            cli_required,
            clock,
            told: AtomicI64::new(0),
            asking: Mutex::default(),
            noes,
        }
    }

    /// Every phone that rang, as CSV.
    pub(super) fn ledger_csv(&self) -> String {
        ledger_csv(&self.world().ledger())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asking(&self) -> MutexGuard<'_, Asking> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an event is answered with, as a receiver does.
    fn answer_to(&self, event: &Event, now: Timestamp) -> Cow<'static, str> {
        let mut asking = self.asking();
        let Some(attempt) = event.attempt() else {
            return reply(event);
        };
        let connected = asking.connected.contains(&attempt);
        let Some(flow) = asking.flows.get(&attempt) else {
            return reply(event);
        };
        if matches!(event, Event::Dice(_)) {
            if let Some(call) = &event.common().call {
                asking.beeps.remove(call);
            }
            if !connected {
                asking.flows.remove(&attempt);
            }
            return reply(event);
        }
        if event
            .common()
            .call
            .as_ref()
            .is_some_and(|call| asking.beeps.contains_key(call))
        {
            return Talk::go_on().next;
        }
        let Some(talk) = talk(&flow.flow, &flow.cli, connected, event) else {
            return reply(event);
        };
        if talk.first
            && let Some(press) = press(&event.news(), attempt, Some(&flow.flow.outline()), now)
        {
            if let (Some(list), Some(number)) =
                (&press.suppress, Digits::of(&flow.destination.endpoint))
            {
                self.noes
                    .add(number, Suppression::pressed(list, "this", attempt, now));
            }
            if press.makes.has(InCall::CONNECTED) {
                asking.connected.insert(attempt);
            }
        }
        talk.next
    }

    /// Follows a machine that is to be left a message after its beep. Returns what it is told at once.
    fn follow(&self, event: &Event, now: Timestamp) -> Option<(CallId, Svaml)> {
        let call = event.common().call.clone()?;
        let mut asking = self.asking();
        let flow = &asking.flows.get(&event.attempt()?)?.flow;
        let message = message(flow)?;
        match event.signal()?.what {
            Signalled::AnsweredBy(by) if flow.is_machine(by) => {
                let until = now.checked_add(BEEP_WAIT_MAX).unwrap_or(now);
                if asking.beeps.contains_key(&call) {
                    return None;
                }
                asking.beeps.insert(call.clone(), Some((until, message)));
                Some((call, hold()))
            }
            Signalled::Beep => match asking.beeps.insert(call.clone(), None) {
                // It is said already.
                Some(None) => None,
                Some(Some(_)) | None => Some((call, message)),
            },
            Signalled::AnsweredBy(_) | Signalled::Menu { .. } => None,
        }
    }

    /// Machines that did not beep in time are left their message.
    fn speak_without_beep(&self, now: Timestamp) {
        let mut due = Vec::new();
        for (call, beep) in &mut self.asking().beeps {
            if let Some((_, message)) = beep.take_if(|(until, _)| *until <= now) {
                due.push((call.clone(), message));
            }
        }
        // In an order that a seed decides alone.
        due.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        for (call, message) in due {
            self.world()
                .manage(call.as_str(), message.to_inline().as_bytes(), now);
        }
    }

    /// What the API's client would have read; an error where nothing came back. Answers that are late
    /// over sockets come in time here.
    fn answer(&self, delivery: Delivery) -> Result<Answer, &'static str> {
        let answer = match delivery {
            Delivery::After(_, answer) => answer,
            Delivery::Hang(_) => return Err("timed out"),
            Delivery::Close => return Err("the connection was closed without an answer"),
            Delivery::Reset => return Err("the connection was reset"),
        };
        let wait = answer
            .header
            .filter(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
            .and_then(|(_, value)| retry_after(&value, self.clock.wall()));
        Ok(Answer {
            status: answer.status,
            retry_after: wait,
            date: None,
            body: answer.body,
            cut: answer
                .cut_short
                .then(|| "the answer was cut short".to_owned()),
        })
    }
}

#[async_trait]
impl Platform for InProcess {
    async fn post(&self, callout: &Callout, id: AttemptId) -> Verdict {
        let body = match serde_json::to_vec(&CalloutRequest::new(callout, id)) {
            Ok(body) => body,
            Err(error) => {
                return Verdict::NotSent(NotSent {
                    side: Side::Ours,
                    why: error.to_string(),
                    reaction: Reaction::Configuration,
                });
            }
        };
        if let CalloutBody::Flow(flow) = &callout.body {
            self.asking().flows.insert(id, flow.clone());
        }
        let mut order = World::read(&body, self.cli_required);
        if let Ok(order) = &mut order {
            let headers = callout.headers.iter();
            order.headers = headers.map(|h| (h.name.clone(), h.value.clone())).collect();
        }
        let delivery = self.world().post(order, self.clock.wall());
        match self.answer(delivery) {
            Ok(answer) => answer.verdict(),
            Err(why) => Verdict::Uncertain(Uncertainty {
                side: Side::Network,
                why: why.into(),
                accepted: false,
            }),
        }
    }

    async fn get(&self, call: &CallId) -> Observation {
        let delivery = self.world().call(call.as_str(), self.clock.wall());
        match self.answer(delivery) {
            Ok(Answer { cut: Some(why), .. }) => Observation::Again { why, wait: None },
            Ok(answer) => answer.observation(call),
            Err(why) => Observation::Again {
                why: why.into(),
                wait: None,
            },
        }
    }

    async fn hang_up(&self, call: &CallId) -> bool {
        self.world().hang_up_by_id(call.as_str(), self.clock.wall())
    }
}

/// Events are steps of the same clock: each is read as soon as it is due, and answered as a receiver does.
#[async_trait]
impl Incoming for InProcess {
    async fn read(&self, _: EventNumber) -> Result<Vec<(EventNumber, News)>, StoreError> {
        let now = self.clock.wall();
        self.speak_without_beep(now);
        let due = self.world().events_due(now, DEMO_KEY);
        for sent in due {
            let Ok(event) = Event::parse(&sent.body) else {
                continue;
            };
            let answer = self.answer_to(&event, now);
            let mut world = self.world();
            world.event_answered(sent.number, (200, answer.as_bytes()), Duration::ZERO, now);
            if let Some((call, svaml)) = self.follow(&event, now) {
                world.manage(call.as_str(), svaml.to_inline().as_bytes(), now);
            }
            let number = self.told.fetch_add(1, Ordering::Relaxed) + 1;
            self.asking().hear(EventNumber(number), event.news(), now);
        }
        Ok(self.asking().heard_by(now))
    }

    async fn handled(&self, _: Vec<EventNumber>) -> Result<(), StoreError> {
        Ok(())
    }

    fn next_at(&self) -> Option<Duration> {
        let asking = self.asking().next_at();
        let at = self
            .world()
            .next_event_at()
            .into_iter()
            .chain(asking)
            .min()?;
        let wait = at.duration_since(self.clock.wall());
        Some(self.clock.monotonic() + Duration::try_from(wait).unwrap_or_default())
    }
}
