//! The simulator's world in the place of HTTP, on a clock that is moved on: the same bodies go in, and the
//! same answers are read, but no socket is between.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::clock::{Clock as _, VirtualClock};
use crate::domain::{
    AttemptId, CallId, Callout, NotSent, Observation, Reaction, Side, Uncertainty, Verdict,
};
use crate::engine::Platform;
use crate::simulator::{Delivery, Options, World, ledger_csv};
use crate::sinch::answer::{Answer, retry_after};
use crate::sinch::callouts::CalloutRequest;

/// A platform in this process.
#[derive(Debug)]
pub(super) struct InProcess {
    world: Mutex<World>,
    cli_required: bool,
    clock: Arc<VirtualClock>,
}

impl InProcess {
    /// A platform that nobody has called yet.
    pub(super) fn new(options: Options, clock: Arc<VirtualClock>) -> Self {
        let cli_required = options.cli_required;
        Self {
            world: Mutex::new(World::new(options, clock.wall())),
            cli_required,
            clock,
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
