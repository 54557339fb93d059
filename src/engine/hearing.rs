//! What the platform tells by itself, on its way from where it came to the core and to the store.
//!
//! Events of the run at work are read here alone. What they tell of calls in hand is the core's; what is not in
//! hand any more goes through the store. An event is done with when what follows from it is durable: until then
//! whoever begins anew reads it again, which changes nothing that it changed before.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::core::{Event, Heard};
use super::ear::{Hearing, Page};
use super::engine::{Engine, Report};
use super::incoming::Incoming;
use super::platform::Platform;
use super::timeline::Kind;
use crate::domain::{
    AttemptEvent, AttemptId, AttemptState, CallFlow, EventNumber, InCall, Keyed, News, Observation,
    RecipientId, RunId, Says, Signalled,
};
use crate::store::{self, Observed, Press, StoreError, Whose};

/// How often it is looked whether anything came.
const EVERY: Duration = Duration::from_millis(200);
/// So many events at once, and it is looked at once whether there are more.
const MANY: usize = 100;
/// How often it is written down which events are done with.
const WRITE_DONE_EVERY: Duration = Duration::from_secs(1);

impl Engine {
    /// Looks whether anything came, where it is time to.
    pub(super) fn listen(&mut self, now: Duration) {
        self.write_done(now);
        let wall = self.assignment.time.wall();
        let live = self.timeline.is_live();
        let Some(hearing) = &mut self.hearing else {
            return;
        };
        if self.aside.is_some() || hearing.wake_at(live).is_none_or(|at| at > now) {
            return;
        }
        hearing.reading = true;
        hearing.look_at = now + EVERY;
        hearing.looked_at = now;
        let (incoming, after) = (Arc::clone(&hearing.incoming), hearing.after);
        let store = Arc::clone(&self.assignment.store);
        let (run, flow) = (
            self.assignment.run.clone(),
            self.assignment.rules.flow.clone(),
        );
        self.timeline.start(Kind::Look, async move {
            let page = async {
                let events = incoming.read(after).await?;
                if events.is_empty() {
                    return Ok(Vec::new());
                }
                let named = events
                    .iter()
                    .map(|(_, news)| (news.attempt, news.call.clone()));
                let named: Vec<_> = named.collect();
                let whose = store.whose(&named).await?;
                let heard = |((_, news), whose): (&(_, News), &Option<Whose>)| {
                    // Of another run it is known elsewhere what it means.
                    let whose = whose.as_ref().filter(|whose| whose.run == run)?;
                    press(news, whose.attempt, flow.as_deref(), wall)
                };
                let heard = events.iter().zip(&whose).filter_map(heard);
                store.pressed(&heard.collect::<Vec<_>>()).await?;
                let page = events.into_iter().zip(whose);
                Ok(page
                    .map(|((number, news), whose)| (number, news, whose))
                    .collect())
            };
            Report::Heard(page.await)
        });
    }

    /// A page of events came: those of this run are the core's.
    pub(super) fn heard(&mut self, page: Result<Page, StoreError>) {
        let Some(hearing) = &mut self.hearing else {
            return;
        };
        hearing.reading = false;
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                // Nothing is lost by it: calls that are not told are asked about.
                warn!(run.id = %self.assignment.run, "{error}: events wait");
                return;
            }
        };
        if let Some((last, ..)) = page.last() {
            hearing.after = hearing.after.max(*last);
            if page.len() >= MANY {
                hearing.look_at = Duration::ZERO;
            }
        }
        if page.is_empty() && hearing.open.is_empty() {
            let at = hearing.looked_at;
            return self.step(Event::Quiet(at));
        }
        let run = self.assignment.run.clone();
        for (number, news, whose) in page {
            if let Some(whose) = whose.filter(|whose| whose.run == run) {
                let Whose {
                    key,
                    attempt: id,
                    recipient,
                    ..
                } = whose;
                let flow = self.assignment.rules.flow.as_deref();
                let pressed = press(&news, id, flow, self.assignment.time.wall());
                let heard = Heard {
                    number,
                    key,
                    id,
                    recipient,
                    makes: pressed.map_or(InCall::NOTHING, |press| press.makes),
                    news,
                };
                if let Some(hearing) = &mut self.hearing {
                    hearing.open.insert(number, heard.clone());
                }
                self.step(Event::Heard(heard));
            }
        }
    }

    /// An event is done with as soon as what was recorded before is durable.
    pub(super) fn handled(&mut self, number: EventNumber) {
        if let Some(hearing) = &mut self.hearing {
            hearing.open.remove(&number);
        }
        if self.aside.is_none() {
            self.group_begins();
            self.group.events.push(number);
        }
    }

    /// What events told is durable. That they are done with may be written down later: to read one again changes
    /// nothing.
    pub(super) fn events_are_durable(&mut self, events: Vec<EventNumber>) {
        if let Some(hearing) = &mut self.hearing {
            hearing.done.extend(events);
        }
    }

    /// Writes down which events are done with, where it is time to.
    fn write_done(&mut self, now: Duration) {
        let Some(hearing) = &mut self.hearing else {
            return;
        };
        if hearing.done.is_empty() || hearing.write_done_at > now {
            return;
        }
        hearing.write_done_at = now + WRITE_DONE_EVERY;
        let events = std::mem::take(&mut hearing.done);
        let (incoming, run) = (Arc::clone(&hearing.incoming), self.assignment.run.clone());
        self.timeline.start(Kind::Look, async move {
            write_done(incoming.as_ref(), &run, events).await;
            Report::Nothing
        });
    }

    /// The same when nothing else is to be done.
    pub(super) async fn write_all_done(&mut self) {
        if let Some(hearing) = &mut self.hearing
            && !hearing.done.is_empty()
        {
            let events = std::mem::take(&mut hearing.done);
            write_done(hearing.incoming.as_ref(), &self.assignment.run, events).await;
        }
    }

    /// An event about an attempt that is not in hand goes through the store, once that has what was recorded.
    pub(super) fn observe_later(&mut self, number: EventNumber) {
        if self.aside.is_none() {
            self.group_begins();
            self.group.observes.push(number);
        }
    }

    /// Whether events wait for the store to take them into account, or it is about to.
    pub(super) fn is_observing(&self) -> bool {
        let waits = |hearing: &Hearing| hearing.observing || !hearing.waiting.is_empty();
        self.aside.is_none() && self.hearing.as_ref().is_some_and(waits)
    }

    /// What the core recorded of these events' attempts is durable: the store takes them into account.
    pub(super) fn observe(&mut self, events: Vec<EventNumber>) {
        if let Some(hearing) = &mut self.hearing {
            hearing.waiting.extend(events);
        }
        self.observe_next();
    }

    fn observe_next(&mut self) {
        let now = self.assignment.time.wall();
        let Some(hearing) = &mut self.hearing else {
            return;
        };
        if hearing.observing || self.aside.is_some() {
            return;
        }
        let Some(number) = hearing.waiting.pop_front() else {
            return;
        };
        let Some(heard) = hearing.open.get(&number).cloned() else {
            return self.observe_next();
        };
        if self.core.has_in_hand(heard.key) {
            // An event before it brought its call back.
            self.step(Event::Heard(heard));
            return self.observe_next();
        }
        if self.committing || self.group.is_about(heard.key, heard.recipient) {
            // What the core recorded of it meanwhile comes first.
            self.observe_later(number);
            return self.observe_next();
        }
        let Some(hearing) = &mut self.hearing else {
            return;
        };
        let Heard {
            id: attempt,
            recipient,
            news,
            makes,
            ..
        } = heard;
        self.core.set_aside(recipient);
        let rules = &self.assignment.rules;
        let wanted = rules.flow.as_ref().map(|flow| flow.wanted());
        let (retry, chance) = (rules.retry.clone(), hearing.entropy.fraction());
        let (store, platform, run) = (
            Arc::clone(&self.assignment.store),
            Arc::clone(&self.assignment.platform),
            self.assignment.run.clone(),
        );
        hearing.observing = true;
        self.timeline.start(Kind::Commit, async move {
            let event = learned(platform.as_ref(), news).await;
            if event.is_none() && makes == InCall::NOTHING {
                return Report::Observed(number, Ok(Vec::new()), Ok(Vec::new()));
            }
            let heard = store::Heard {
                attempt,
                event,
                at: now,
                retry,
                wanted: wanted.unwrap_or_default(),
                chance,
            };
            let observed = store.observe(&run, &[heard]).await;
            let opened = match observed.as_deref() {
                Ok([Observed::Taken(taken)])
                    if matches!(taken.state, AttemptState::Accepted(_))
                        && taken.moved.is_some() =>
                {
                    // Its call goes on, and is followed like those of an earlier process.
                    let before = RecipientId(taken.recipient.0 - 1);
                    store.open_calls(&run, before, 1).await
                }
                _ => Ok(Vec::new()),
            };
            Report::Observed(number, observed, opened)
        });
    }

    /// The store has taken an event into account, or could not.
    pub(super) fn observed(
        &mut self,
        number: EventNumber,
        observed: Result<Vec<Observed>, StoreError>,
        opened: Result<Vec<store::OpenCall>, StoreError>,
    ) {
        if let Some(hearing) = &mut self.hearing {
            hearing.observing = false;
        }
        let taken = match observed {
            Ok(observed) => observed.into_iter().next(),
            Err(error) => return self.store_failed(&error, Vec::new()),
        };
        match (taken, opened) {
            (Some(Observed::Taken(taken)), Ok(opened)) => {
                self.step(Event::Observed(*taken, opened));
            }
            (_, Ok(_)) => self.core.put_back(false),
            (_, Err(error)) => return self.store_failed(&error, Vec::new()),
        }
        self.handled(number);
        self.observe_next();
    }
}

/// What an event says of an attempt that is not in hand. One that is worth nothing but a question is one, and one
/// that does not tell the price leads to one: what the platform says of a call that is over.
pub async fn learned(platform: &dyn Platform, news: News) -> Option<AttemptEvent> {
    let asks = match &news.says {
        Says::Ask => true,
        Says::Ended(outcome) => outcome.lacks_price(),
        Says::GoesOn => false,
    };
    let call = news.call.clone().filter(|_| asks);
    let told = news.event();
    let Some(call) = call else {
        return told;
    };
    match (platform.get(&call).await, told) {
        (Observation::Final(asked), Some(AttemptEvent::Ended(call, told))) => {
            Some(AttemptEvent::Ended(call, told.completed(asked)))
        }
        (Observation::Final(asked), _) => Some(AttemptEvent::Ended(Some(call), asked)),
        (_, told) => told,
    }
}

/// What was heard in a call by the word of an event, as the run's flow reads it; none where that says nothing. Without
/// a flow whatever was pressed is kept as it came, and nothing follows from it. `now` stands in for a moment that
/// was not told.
pub fn press(
    news: &News,
    attempt: AttemptId,
    flow: Option<&CallFlow<()>>,
    now: Timestamp,
) -> Option<Press> {
    let signal = news.signal.as_ref()?;
    let nothing = Press {
        attempt,
        at: signal.at.unwrap_or(now),
        nth: None,
        value: None,
        makes: InCall::NOTHING,
        suppress: None,
    };
    match (&signal.what, flow) {
        (Signalled::Menu { id, keyed }, Some(flow)) => {
            let chosen = flow.chosen(flow.visit(id.as_deref()?)?, keyed)?;
            Some(Press {
                nth: Some(chosen.nth),
                value: Some(chosen.response),
                makes: chosen.makes,
                suppress: chosen.suppress.map(str::to_owned),
                ..nothing
            })
        }
        (Signalled::AnsweredBy(by), Some(flow)) => {
            let machine = flow.looks_for_machines() && flow.is_machine(*by);
            machine.then_some(Press {
                makes: InCall::MACHINE,
                ..nothing
            })
        }
        (
            Signalled::Menu {
                keyed: Keyed::Pressed(value),
                ..
            },
            None,
        ) => Some(Press {
            value: Some(value.clone()),
            ..nothing
        }),
        _ => None,
    }
}

/// Writes down which events are done with.
async fn write_done(incoming: &dyn Incoming, run: &RunId, events: Vec<EventNumber>) {
    if let Err(error) = incoming.handled(events).await {
        warn!(run.id = %run, "{error}: events are read again at the next start");
    }
}
