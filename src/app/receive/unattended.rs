//! Events of runs that no engine works on, and of nobody: they are taken into account here.
//!
//! What an engine has in hand is left to it. An event that names no attempt, and a call that nobody knows, may be
//! ahead of the answer that names the call: it waits a moment before it is nobody's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use super::ear::news;
use crate::app::reconcile::KeptRules;
use crate::clock::Clock;
use crate::domain::{EventNumber, RunId};
use crate::engine::{Platform, learned, press};
use crate::entropy::Entropy;
use crate::store::{Heard, Observed, Owner, Received, Store, StoreError, Whose};

/// Events read at a time.
const PAGE: u32 = 500;
/// How often all that is left is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// An event that is younger is left to an engine that may be at work on its run.
const ENGINES_FIRST: SignedDuration = SignedDuration::from_secs(2);
/// A call that nobody knows by then is nobody's.
const NOBODYS: SignedDuration = SignedDuration::from_secs(60);

/// Whoever takes events into account that no engine does.
pub(super) struct Unattended {
    pub(super) store: Arc<dyn Store>,
    pub(super) platform: Arc<dyn Platform>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Entropy,
    /// The rules of runs that were read.
    pub(super) rules: HashMap<RunId, KeptRules>,
}

impl Unattended {
    /// Goes on until it is stopped, or another database has come into the place of this one: what is read
    /// after that would be said of calls in a file that nobody finds.
    pub(super) async fn work(mut self) -> StoreError {
        loop {
            let mut after = EventNumber(0);
            loop {
                if let Err(gone) = self.store.watch().await {
                    error!("{gone}: events are not read any more");
                    return gone;
                }
                match self.turn(after).await {
                    Ok(Some(last)) => after = last,
                    Ok(None) => break,
                    Err(error) => {
                        warn!("{error}: events of runs that no engine works on wait");
                        break;
                    }
                }
            }
            self.rules.clear();
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Takes a page into account. Returns its end; none where nothing is left.
    async fn turn(&mut self, after: EventNumber) -> Result<Option<EventNumber>, StoreError> {
        let page = self.store.pending(after, PAGE).await?;
        let Some(last) = page.last().map(|received| received.number) else {
            return Ok(None);
        };
        let now = self.clock.wall();
        let old = |received: &Received| now.duration_since(received.arrival.at) >= ENGINES_FIRST;
        let page: Vec<Received> = page.into_iter().filter(old).collect();
        let named = page.iter().map(|received| {
            let arrival = &received.arrival;
            (arrival.attempt, arrival.call.clone())
        });
        let whose = self.store.whose(&named.collect::<Vec<_>>()).await?;
        let mut done = Vec::new();
        let mut of_runs: HashMap<RunId, Vec<(Whose, Received)>> = HashMap::new();
        for (received, whose) in page.into_iter().zip(whose) {
            match whose {
                Some(whose) => {
                    let of_run = of_runs.entry(whose.run.clone()).or_default();
                    of_run.push((whose, received));
                }
                None => done.extend(nobodys(&received, now)),
            }
        }
        let unknown = done
            .iter()
            .filter(|(_, owner)| *owner == Owner::UnknownAttempt);
        match unknown.count() {
            0 => {}
            unknown => warn!(
                unknown,
                "events of attempts that this database does not know: an older copy of it may have been put in \
                 its place"
            ),
        }
        for (run, events) in of_runs {
            let observed = self.observe(&run, events).await?;
            done.extend(observed.into_iter().map(|n| (n, Owner::Run(run.clone()))));
        }
        self.store.handled(&done, now).await?;
        Ok(Some(last))
    }

    async fn rules_of(&mut self, run: &RunId) -> Result<KeptRules, StoreError> {
        if let Some(rules) = self.rules.get(run) {
            return Ok(rules.clone());
        }
        let rules = KeptRules::of(&self.store.run(run).await?);
        self.rules.insert(run.clone(), rules.clone());
        Ok(rules)
    }

    /// Takes events of a run into account, unless its engine does. Returns those that are done with.
    async fn observe(
        &mut self,
        run: &RunId,
        events: Vec<(Whose, Received)>,
    ) -> Result<Vec<EventNumber>, StoreError> {
        if self.store.is_worked_on(run).await? {
            return Ok(Vec::new());
        }
        let rules = self.rules_of(run).await?;
        let (mut numbers, mut heard, mut done) = (Vec::new(), Vec::new(), Vec::new());
        let mut presses = Vec::new();
        for (whose, received) in events {
            let (number, at) = (received.number, received.arrival.at);
            let news = news(received);
            let pressed = press(&news, whose.attempt, rules.flow.as_deref(), at);
            let event = learned(self.platform.as_ref(), news).await;
            if event.is_none() && pressed.is_none() {
                done.push(number);
                continue;
            }
            presses.extend(pressed);
            numbers.push(number);
            heard.push(Heard {
                attempt: whose.attempt,
                event,
                at: self.clock.wall(),
                retry: rules.retry.clone(),
                wanted: rules.wanted(),
                chance: self.entropy.fraction(),
            });
        }
        self.store.pressed(&presses).await?;
        let observed = self.store.observe(run, &heard).await?;
        for (number, observed) in numbers.into_iter().zip(observed) {
            match observed {
                Observed::InHand => continue,
                Observed::Unknown => {}
                Observed::Taken(taken) => {
                    if let Some(alarm) = taken.alarm {
                        error!(run.id = %run, "{alarm}");
                    }
                }
            }
            done.push(number);
        }
        Ok(done)
    }
}

/// Whose an event is of which the database knows neither attempt nor call; nobody's yet where that may change.
fn nobodys(received: &Received, now: Timestamp) -> Option<(EventNumber, Owner)> {
    let arrival = &received.arrival;
    let owner = match arrival.attempt {
        Some(_) => Owner::UnknownAttempt,
        None if arrival.call.is_some() && now.duration_since(arrival.at) < NOBODYS => return None,
        None => Owner::Nobody,
    };
    Some((received.number, owner))
}
