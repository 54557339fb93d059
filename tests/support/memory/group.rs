//! A group of intents and facts: whole, or nothing of it. And what was kept aside of one.

use std::collections::BTreeMap;

use callout::domain::{AttemptState, Follow, RecipientId, RecipientState, RunId, Tried};
use callout::store::{DueAt, Fact, Intent, StoreError, Was};
use jiff::Timestamp;

use super::{Attempt, HELD, Recipient, Tables};

/// What a group makes of the rows that it touches, until all of it has proved right.
struct Draft<'t> {
    tables: &'t Tables,
    attempts: BTreeMap<i64, Attempt>,
    recipients: BTreeMap<i64, Recipient>,
}

impl Tables {
    /// Writes a group, intents first; where anything is not where it was left, nothing.
    pub(super) fn commit(
        &mut self,
        run: &RunId,
        intents: &[Intent],
        facts: &[Fact],
    ) -> Result<(), StoreError> {
        let mut draft = Draft {
            tables: self,
            attempts: BTreeMap::new(),
            recipients: BTreeMap::new(),
        };
        for intent in intents {
            draft.intend(run, intent).map_err(StoreError::Diverged)?;
        }
        for fact in facts {
            draft.learn(fact).map_err(StoreError::Diverged)?;
        }
        let Draft {
            attempts,
            recipients,
            ..
        } = draft;
        self.attempts.extend(attempts);
        self.recipients.extend(recipients);
        Ok(())
    }

    /// Writes what of a group that was kept aside is not there yet: attempts that are not over move, and
    /// whom they are on with them.
    pub(super) fn read_back(&mut self, run: &RunId, facts: &[Fact]) {
        let mut moved: Vec<RecipientId> = Vec::new();
        // What happened to one of them last is what it comes to; it was answered first.
        let mut attempts: BTreeMap<i64, (&AttemptState, Timestamp)> = BTreeMap::new();
        for fact in facts {
            if let Fact::Attempt { key, state, at, .. } = fact {
                attempts.entry(key.0).or_insert((state, *at)).0 = state;
            }
        }
        for (key, (state, at)) in attempts {
            let Some(attempt) = self.attempts.get_mut(&key) else {
                continue;
            };
            let recipient = attempt.recipient;
            let of_run = self.recipients[&recipient.0].listed.run == *run;
            if of_run && attempt.state.stage().is_live() {
                attempt.take(state, at);
                moved.push(recipient);
            }
        }
        let last: BTreeMap<_, _> = facts
            .iter()
            .filter_map(|fact| Some((fact.moved()?, fact)))
            .collect();
        for (recipient, fact) in last {
            let who = self.recipients.get_mut(&recipient.0);
            if let Some(who) = who
                && moved.contains(&recipient)
                && who.state == RecipientState::InFlight
            {
                who.take(fact);
            }
        }
    }
}

impl Draft<'_> {
    fn attempt(&mut self, key: i64) -> Option<&mut Attempt> {
        if !self.attempts.contains_key(&key) {
            self.attempts
                .insert(key, self.tables.attempts.get(&key)?.clone());
        }
        self.attempts.get_mut(&key)
    }

    fn recipient(&mut self, recipient: RecipientId) -> Result<&mut Recipient, String> {
        let id = recipient.0;
        if !self.recipients.contains_key(&id) {
            let who = self.tables.recipients.get(&id);
            let who = who.ok_or_else(|| format!("{recipient:?} is nobody"))?;
            self.recipients.insert(id, who.clone());
        }
        let who = self.recipients.get_mut(&id);
        who.ok_or_else(|| format!("{recipient:?} is nobody"))
    }

    fn intend(&mut self, run: &RunId, intent: &Intent) -> Result<(), String> {
        let (key, recipient) = (intent.key, intent.recipient);
        let who = self.recipient(recipient)?;
        let before = who.attempt.replace(key);
        if who.listed.run != *run || !who.is_to_call() {
            return Err(format!(
                "{recipient:?} is {} and intended",
                who.state.as_str()
            ));
        }
        who.state = RecipientState::InFlight;
        let before = before.and_then(|before| self.attempt(before.0));
        if before.is_some_and(|before| before.state.stage().is_live())
            || self.attempt(key.0).is_some()
        {
            return Err(format!("a second attempt on {recipient:?}"));
        }
        let attempt = Attempt {
            id: intent.id,
            recipient,
            hold: intent.hold,
            state: AttemptState::Intended,
            intended_at: intent.at,
            answered_at: None,
            refusal: None,
        };
        self.attempts.insert(key.0, attempt);
        Ok(())
    }

    fn learn(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Attempt {
                key,
                from,
                state,
                at,
            } => match self.attempt(key.0) {
                Some(attempt) if attempt.state.stage() == *from => {
                    attempt.take(state, *at);
                    Ok(())
                }
                _ => Err(format!(
                    "attempt {key:?} is not {from} and moves to {state:?}"
                )),
            },
            Fact::SecondCall { .. } | Fact::Leg { .. } => Ok(()),
            Fact::Due {
                recipient, from, ..
            }
            | Fact::Done {
                recipient, from, ..
            } => {
                let who = self.recipient(*recipient)?;
                if !who.is(*from) {
                    let state = who.state.as_str();
                    return Err(format!("{recipient:?} is {state} and moves: {fact:?}"));
                }
                who.take(fact);
                Ok(())
            }
        }
    }
}

impl Attempt {
    pub(super) fn take(&mut self, state: &AttemptState, at: Timestamp) {
        self.answered_at = self.answered_at.or(Some(at));
        if let AttemptState::Refused(refusal) = state {
            self.refusal = Some(refusal.clone());
        }
        self.state = state.clone();
    }
}

impl Recipient {
    /// Whether they are where a change left them.
    fn is(&self, was: Was) -> bool {
        use callout::domain::Disposition::Refused;
        match was {
            Was::ToCall => self.is_to_call(),
            Was::InFlight => self.state == RecipientState::InFlight,
            Was::Refused => self.state == RecipientState::Done(Refused),
        }
    }

    /// What follows for them, who were tried so before the attempt.
    pub(super) fn follow(&mut self, follow: Follow, before: Tried, now: Timestamp) {
        let now = now.as_millisecond();
        self.reason = None;
        (self.tried, self.due_at) = (before, 0);
        self.state = match follow {
            Follow::InFlight => RecipientState::InFlight,
            Follow::Due => {
                self.due_at = now;
                RecipientState::Pending
            }
            Follow::Waits { wait, tried, .. } => {
                (self.tried, self.tried_before) = (tried, before);
                self.due_at = now + i64::try_from(wait.as_millis()).unwrap();
                RecipientState::Waiting
            }
            Follow::Done {
                disposition,
                reason,
            } => {
                self.reason = reason;
                RecipientState::Done(disposition)
            }
        };
    }

    fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::Attempt { .. } | Fact::SecondCall { .. } | Fact::Leg { .. } => {}
            Fact::Due { at, waiting, .. } => {
                self.due_at = match at {
                    DueAt::At(at) => at.as_millisecond(),
                    DueAt::Held => HELD,
                };
                self.state = RecipientState::Pending;
                if let Some(waiting) = waiting {
                    if waiting.tried != self.tried {
                        self.tried_before = self.tried;
                    }
                    self.tried = waiting.tried;
                    self.state = RecipientState::Waiting;
                }
            }
            Fact::Done {
                disposition,
                reason,
                ..
            } => {
                self.state = RecipientState::Done(*disposition);
                self.reason = reason.clone().or(self.reason.take());
            }
        }
    }
}
