//! The simulator's world in the place of HTTP, on a clock that is moved on: the same bodies go in, and the
//! same answers are read, but no socket is between.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::app::DEMO_KEY;
use crate::clock::{Clock as _, VirtualClock};
use crate::domain::{
    AttemptId, CallId, Callout, EventNumber, News, NotSent, Observation, Reaction, Side,
    Uncertainty, Verdict,
};
use crate::engine::{Incoming, Platform};
use crate::serve::reply;
use crate::simulator::{Delivery, Options, World, ledger_csv};
use crate::sinch::answer::{Answer, retry_after};
use crate::sinch::callouts::CalloutRequest;
use crate::sinch::events::Event;
use crate::store::StoreError;

/// A platform in this process.
#[derive(Debug)]
pub(super) struct InProcess {
    world: Mutex<World>,
    cli_required: bool,
    clock: Arc<VirtualClock>,
    /// Events that came so far.
    told: AtomicI64,
}

impl InProcess {
    /// A platform that nobody has called yet.
    pub(super) fn new(options: Options, clock: Arc<VirtualClock>) -> Self {
        let cli_required = options.cli_required;
        Self {
            world: Mutex::new(World::new(options, clock.wall())),
            cli_required,
            clock,
            told: AtomicI64::new(0),
        }
    }

    /// Every phone that rang, as CSV.
    pub(super) fn ledger_csv(&self) -> String {
        ledger_csv(&self.world().ledger())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut world = self.world();
        let now = self.clock.wall();
        let mut heard = Vec::new();
        for sent in world.events_due(now, DEMO_KEY) {
            let Ok(event) = Event::parse(&sent.body) else {
                continue;
            };
            let answer = reply(&event);
            world.event_answered(sent.number, 200, answer.as_bytes(), now);
            let number = self.told.fetch_add(1, Ordering::Relaxed) + 1;
            heard.push((EventNumber(number), event.news()));
        }
        Ok(heard)
    }

    async fn handled(&self, _: Vec<EventNumber>) -> Result<(), StoreError> {
        Ok(())
    }

    fn next_at(&self) -> Option<Duration> {
        let at = self.world().next_event_at()?;
        let wait = at.duration_since(self.clock.wall());
        Some(self.clock.monotonic() + Duration::try_from(wait).unwrap_or_default())
    }
}
