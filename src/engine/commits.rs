//! What is recorded becomes durable: one group at a time, or aside where the store has failed.
//!
//! One commit is under way at a time; what is recorded meanwhile waits together for the next, which is
//! how a sync serves many attempts.

use std::sync::Arc;
use std::time::Duration;

use tracing::error;

use super::core::Event;
use super::engine::{Engine, Report};
use super::group::Group;
use super::timeline::Kind;
use crate::domain::AttemptKey;
use crate::store::{Fact, Intent, StoreError};

/// Below this rate a group waits a moment for more, which costs a third of the syncs and wake-ups;
/// above it groups fill by themselves.
const GATHER_BELOW_RATE: f64 = 2_000.0;
/// How long a group gathers; well below the lead of an intent before its POST.
const GATHER: Duration = Duration::from_millis(5);
/// How long a group without an intent gathers in virtual time, where nobody waits for it: a commit costs
/// as much there as anywhere.
const GATHER_VIRTUAL: Duration = Duration::from_secs(5);

impl Engine {
    /// Puts an intent into the group that waits. Where the store has failed it is nowhere: it was never
    /// `POSTed`, and the core proves it not sent.
    pub(super) fn intend(&mut self, intent: Intent) {
        if self.aside.is_some() {
            return;
        }
        self.group_begins();
        self.group.intents.push(intent);
    }

    /// Puts a fact into the group that waits; aside where the store has failed.
    pub(super) fn record(&mut self, fact: Fact) {
        if let Some(aside) = &mut self.aside {
            aside.push(fact);
            return;
        }
        self.group_begins();
        self.group.facts.push(fact);
    }

    /// Remembers since when the group waits.
    pub(super) fn group_begins(&mut self) {
        if self.group.is_empty() {
            self.group_since = self.assignment.time.monotonic();
        }
    }

    /// Starts the next commit, if none is under way and the group has gathered.
    pub(super) fn commit(&mut self, now: Duration) {
        let gathered = now >= self.group_since + self.gather();
        if self.committing || self.group.is_empty() || self.aside.is_some() || !gathered {
            return;
        }
        self.committing = true;
        let group = std::mem::take(&mut self.group);
        let (store, run) = (
            Arc::clone(&self.assignment.store),
            self.assignment.run.clone(),
        );
        self.timeline.start(Kind::Commit, async move {
            let result = group.commit(store.as_ref(), &run).await;
            Report::Group { result, group }
        });
    }

    /// A commit has ended. What it made durable goes to the core, which lets intents leave that stand.
    pub(super) fn group_committed(
        &mut self,
        result: Result<Vec<AttemptKey>, StoreError>,
        group: Group,
    ) {
        self.committing = false;
        let stand = match result {
            Ok(stand) => stand,
            Err(error) => return self.store_failed(&error, group.facts),
        };
        let fallen = group.intents.len().saturating_sub(stand.len());
        let dues = group.facts.iter().filter_map(|fact| match fact {
            Fact::Due { at, .. } => Some(*at),
            _ => None,
        });
        self.events_are_durable(group.events);
        self.observe(group.observes);
        self.step(Event::Committed {
            intents: stand,
            dues: dues.clone().count(),
            next_due: dues.min(),
            moved: group.facts.iter().filter_map(Fact::moved).collect(),
        });
        if fallen > 0 {
            // Whose they are now is not known here.
            let error = StoreError::Diverged(format!("{fallen} intents do not stand"));
            self.store_failed(&error, Vec::new());
        }
    }

    /// When the group is to be committed; none while one is under way or nothing waits.
    pub(super) fn group_at(&self) -> Option<Duration> {
        let waits = !self.committing && !self.group.is_empty();
        waits.then(|| self.group_since + self.gather())
    }

    /// How long the group waits for more since its first change.
    fn gather(&self) -> Duration {
        if !self.timeline.is_live() && self.finish.is_none() && self.group.intents.is_empty() {
            return GATHER_VIRTUAL;
        }
        let slow = self.assignment.pace.calls_per_second < GATHER_BELOW_RATE;
        if slow && self.finish.is_none() {
            GATHER
        } else {
            Duration::ZERO
        }
    }

    /// From here on nothing is dialled and nothing is committed; what comes in is kept aside.
    pub(super) fn store_failed(&mut self, error: &StoreError, facts: Vec<Fact>) {
        let mut aside = self.aside.take().unwrap_or_default();
        // An intent of a failed group was never POSTed: the core proves it not sent.
        aside.extend(facts);
        aside.append(&mut std::mem::take(&mut self.group).facts);
        self.aside = Some(aside);
        self.step(Event::StoreFailed(error.to_string()));
    }

    /// Keeps aside what came in since the store failed, at once: a second signal may follow.
    pub(super) fn flush_aside(&mut self) {
        let Some(aside) = &mut self.aside else { return };
        if aside.is_empty() {
            return;
        }
        if let Err(error) = self
            .assignment
            .store
            .keep_aside(&self.assignment.run, aside)
        {
            error!(run.id = %self.assignment.run, "{error}: what came in last stays uncertain");
        }
        aside.clear();
    }
}
