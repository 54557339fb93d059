//! What is said next in calls that ask: from the run's own copy of its campaign and of the recipient's row.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::beeps::Beeps;
use crate::campaign::{Campaign, Script};
use crate::clock::Clock;
use crate::domain::{
    AttemptId, CallFlow, Destination, DestinationKind, Digits, FlowCallout, RunId, Signalled,
    Suppression, Suppressions,
};
use crate::engine::{Noes, press};
use crate::serve::{Answers, Found, Talk, talk};
use crate::sinch::events::Event;
use crate::store::{Called, Press, Store};

/// So many that pressed something are taken into account together, at most.
const TOGETHER_MAX: usize = 256;
/// Runs whose definitions are kept at hand.
const RUNS_MAX: usize = 64;

/// Whoever knows what is said next in the calls of a database.
pub(super) struct Talks {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// Who opted out while this process answered.
    pub(super) noes: Arc<Noes>,
    /// Machines that are waited for.
    pub(super) beeps: Beeps,
    /// Where what was pressed waits to be taken into account.
    waiting: OnceLock<mpsc::Sender<Taking>>,
    /// Who must not be called, as it was when that mattered last.
    lists: tokio::sync::Mutex<Suppressions>,
    /// Runs that were read; none for one whose calls ask nothing.
    runs: Mutex<HashMap<RunId, Option<Arc<OfRun>>>>,
}

/// A run whose calls ask.
struct OfRun {
    script: Script,
    outline: CallFlow<()>,
    kind: DestinationKind,
}

impl fmt::Debug for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talks").finish_non_exhaustive()
    }
}

impl Talks {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, noes: Arc<Noes>) -> Self {
        Self {
            store,
            clock,
            noes,
            beeps: Beeps::default(),
            waiting: OnceLock::new(),
            lists: tokio::sync::Mutex::default(),
            runs: Mutex::default(),
        }
    }

    /// What the calls of a run ask; none where they ask nothing.
    async fn of_run(&self, run: &RunId) -> Result<Option<Arc<OfRun>>, String> {
        let runs = || self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = runs().get(run) {
            return Ok(known.clone());
        }
        let read = self.store.run(run).await.map_err(|e| e.to_string())?;
        let dates = read.blackout_file.as_deref();
        // A definition that was deleted with the people asks nothing.
        let campaign = Campaign::parse_kept(&read.definition, &read.definition_path, dates).ok();
        let flow = campaign.and_then(|campaign| Some((campaign.outline()?, campaign)));
        let of_run = match (flow, &read.header) {
            (Some((outline, campaign)), Some(header)) => {
                let script = campaign.bind(header, &campaign.recipients.file);
                Some(Arc::new(OfRun {
                    script: script.map_err(|faults| faults.to_string())?,
                    outline,
                    kind: read.destination_kind,
                }))
            }
            _ => None,
        };
        let mut runs = runs();
        if runs.len() >= RUNS_MAX {
            runs.clear();
        }
        runs.insert(run.clone(), of_run.clone());
        Ok(of_run)
    }

    /// The attempt that an event is about.
    async fn attempt_of(&self, event: &Event) -> Result<Option<AttemptId>, String> {
        if let Some(attempt) = event.attempt() {
            return Ok(Some(attempt));
        }
        let Some(call) = event.common().call.clone() else {
            return Ok(None);
        };
        let whose = self.store.whose(&[(None, Some(call))]).await;
        let whose = whose.map_err(|e| e.to_string())?;
        Ok(whose
            .into_iter()
            .next()
            .flatten()
            .map(|whose| whose.attempt))
    }

    async fn called(&self, attempt: AttemptId) -> Result<Option<Called>, String> {
        let called = self.store.called(attempt).await;
        called.map_err(|e| e.to_string())
    }

    /// On whom an attempt is whose call asks, and what it asks; none where it is not known, or asks nothing.
    async fn asked(&self, attempt: AttemptId) -> Result<Option<(Called, Arc<OfRun>)>, String> {
        let Some(called) = self.called(attempt).await? else {
            return Ok(None);
        };
        let of_run = self.of_run(&called.run).await?;
        Ok(of_run.map(|of_run| (called, of_run)))
    }

    /// The callout of a recipient whose call asks, with its texts.
    fn callout(of_run: &OfRun, called: &Called) -> Result<Option<FlowCallout>, String> {
        let Some(endpoint) = &called.endpoint else {
            return Ok(None);
        };
        let cells: Vec<String> =
            serde_json::from_str(&called.cells).map_err(|e| format!("the stored row: {e}"))?;
        let destination = Destination {
            kind: of_run.kind,
            endpoint: endpoint.clone(),
        };
        let flow = of_run.script.flow(&destination, &cells);
        flow.map_err(|fault| fault.reason)
    }

    /// Somebody opted out whose row is gone: the platform still knows whom it called.
    async fn suppress_forgotten(
        &self,
        event: &Event,
        list: &str,
        whose: (&RunId, AttemptId),
    ) -> Result<(), String> {
        let call = event.common().call.as_ref();
        let (Some(call), Some(line)) = (call, self.beeps.line()) else {
            return Err("nobody knows the number any more".to_owned());
        };
        let number = line.number_of(call).await;
        let number = number.and_then(|e164| Digits::of(&e164));
        let number = number.ok_or("the platform does not say whose call it was")?;
        let reason = self.bar(number, list, whose);
        let numbers = std::iter::once(number.value()).collect();
        let added = self.store.suppress(&reason, &numbers).await;
        added.map(drop).map_err(|e| e.to_string())
    }

    /// What was pressed by the word of an event, and what that means.
    fn press_of(&self, event: &Event, of_run: &OfRun, attempt: AttemptId) -> Option<Press> {
        let flow = Some(&of_run.outline);
        press(&event.news(), attempt, flow, self.clock.wall())
    }

    /// Takes what was pressed into account.
    async fn take(&self, event: &Event) -> Result<(), String> {
        let Some(attempt) = event.attempt() else {
            return Ok(());
        };
        let Some((called, of_run)) = self.asked(attempt).await? else {
            return Ok(());
        };
        let Some(press) = self.press_of(event, &of_run, attempt) else {
            return Ok(());
        };
        if let (Some(list), None) = (&press.suppress, &called.endpoint) {
            let whose = (&called.run, attempt);
            self.suppress_forgotten(event, list, whose).await?;
        }
        let (tell, taken) = oneshot::channel();
        let waiting = self.waiting.get_or_init(|| {
            let (waiting, presses) = mpsc::channel(TOGETHER_MAX);
            tokio::spawn(take_together(Arc::clone(&self.store), presses));
            waiting
        });
        waiting
            .send((press, tell))
            .await
            .map_err(|e| e.to_string())?;
        taken.await.map_err(|e| e.to_string())?
    }

    /// Whether a number must not be called.
    async fn is_listed(&self, e164: &str) -> Result<bool, String> {
        let mut lists = self.lists.lock().await;
        let changed = self.store.suppressions_since(lists.revision()).await;
        if let Some(changed) = changed.map_err(|e| e.to_string())? {
            *lists = changed;
        }
        let listed = lists.contains(e164, self.clock.wall()).is_some();
        Ok(listed || self.noes.of(e164).is_some())
    }

    /// From now on no engine of this process dials the number.
    fn bar(&self, number: Digits, list: &str, (run, attempt): (&RunId, AttemptId)) -> Suppression {
        let reason = Suppression::pressed(list, run.as_str(), attempt, self.clock.wall());
        self.noes.add(number, reason.clone());
        reason
    }

    /// Follows a machine that is to be left a message after its beep.
    async fn follow(&self, event: &Event) -> Result<(), String> {
        let Some(signal) = event.signal() else {
            return Ok(());
        };
        let Some(call) = event.common().call.clone() else {
            return Ok(());
        };
        let Some(attempt) = self.attempt_of(event).await? else {
            return Ok(());
        };
        let Some((called, of_run)) = self.asked(attempt).await? else {
            return Ok(());
        };
        if !of_run.outline.waits_for_beep() {
            return Ok(());
        }
        let beeped = match signal.what {
            Signalled::AnsweredBy(by) if of_run.outline.is_machine(by) => false,
            Signalled::Beep => true,
            Signalled::AnsweredBy(_) | Signalled::Menu { .. } => return Ok(()),
        };
        if let Some(flow) = Self::callout(&of_run, &called)? {
            self.beeps.follow(call, &flow.flow, beeped);
        }
        Ok(())
    }
}

/// Something pressed, and who waits until it is taken into account.
type Taking = (Press, oneshot::Sender<Result<(), String>>);

/// Takes what was pressed into account: whoever waits for the database waits together.
async fn take_together(store: Arc<dyn Store>, mut presses: mpsc::Receiver<Taking>) {
    let mut together = Vec::new();
    while presses.recv_many(&mut together, TOGETHER_MAX).await > 0 {
        let (pressed, waiting): (Vec<Press>, Vec<_>) = together.drain(..).unzip();
        let taken = store.pressed(&pressed).await.map_err(|e| e.to_string());
        for tell in waiting {
            tell.send(taken.clone()).ok();
        }
    }
}

/// The same, shared by whoever answers.
#[derive(Debug, Clone)]
pub(super) struct Shared(pub(super) Arc<Talks>);

#[async_trait]
impl Answers for Shared {
    async fn find(&self, event: &Event) -> Result<Found, String> {
        let talks = &self.0;
        let Some(attempt) = event.attempt() else {
            return Ok(Found::Plain);
        };
        let Some(called) = talks.called(attempt).await? else {
            return Ok(Found::Nobodys);
        };
        let Some(of_run) = talks.of_run(&called.run).await? else {
            return Ok(Found::Plain);
        };
        if let (Some(press), Some(number)) = (
            talks.press_of(event, &of_run, attempt),
            called.endpoint.as_deref().and_then(Digits::of),
        ) && let Some(list) = &press.suppress
        {
            // Whatever becomes of the answer: no engine of this process dials them any more.
            talks.bar(number, list, (&called.run, attempt));
        }
        let call = event.common().call.as_ref();
        if call.is_some_and(|call| talks.beeps.waits(call)) {
            // The platform tells how the menu was left from which it was called away.
            return Ok(Found::Talk(Talk::go_on()));
        }
        let Some(flow) = Talks::callout(&of_run, &called)? else {
            return Ok(Found::Forgotten);
        };
        let Some(talk) = talk(&flow.flow, &flow.cli, called.connected, event) else {
            return Ok(Found::Plain);
        };
        match &talk.connects {
            Some(number) if talks.is_listed(number).await? => {
                warn!(
                    attempt.id = %attempt,
                    "whom the call would be connected to is on a suppression list: it is not"
                );
                Ok(Found::Talk(talk.instead()))
            }
            _ => Ok(Found::Talk(talk)),
        }
    }

    async fn take(&self, event: &Event) -> Result<(), String> {
        let (talks, event) = (Arc::clone(&self.0), event.clone());
        // Who waits may go away, and a commit is not to be cut off by that.
        let taken = tokio::spawn(async move { talks.take(&event).await });
        taken.await.map_err(|e| e.to_string())?
    }

    fn told(&self, event: &Event) {
        if !matches!(event, Event::Notify(_)) {
            return;
        }
        let (talks, event) = (Arc::clone(&self.0), event.clone());
        tokio::spawn(async move {
            if let Err(why) = talks.follow(&event).await {
                warn!("{why}: a machine may be left no message");
            }
        });
    }
}
