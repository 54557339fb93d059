//! What an engine asks of a store, in memory.

use async_trait::async_trait;
use callout::domain::retry::PerNumber;
use callout::domain::{
    AttemptEvent, AttemptId, AttemptKey, AttemptState, CallId, Charges, Disposition, Hold, InCall,
    Outcome, PauseReason, RecipientId, RecipientState, RunEvent, RunId, RunState, Stage, Stands,
    Suppressions, Terms, Word, after_attempt, closed, heard_late,
};
use callout::store::{
    Begun, Cursor, Due, DueAt, DuePage, EngineStatus, EngineStore, Fact, Heard, Intent, Latest,
    Observed, OpenCall, Press, Recovery, Refused, RunEnd, StoreError, Taken, Was, Whose, Wish,
};
use jiff::{SignedDuration, Timestamp};

use super::{Attempt, HELD, Memory, Recipient, Tables};

/// Answers that a start looks at.
const LATEST: usize = 50;
/// For so long an uncertain attempt may matter to the engine's pacing.
const LATELY: SignedDuration = SignedDuration::from_mins(1);

#[async_trait]
impl EngineStore for Memory {
    async fn compare(&self) -> Result<(), StoreError> {
        // Nothing is known of it outside of it.
        Ok(())
    }

    async fn watch(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn take_run(&self, run: &RunId) -> Result<(), StoreError> {
        self.as_engine()?.at_work = Some(run.clone());
        Ok(())
    }

    async fn recover(&self, run: &RunId, now: Timestamp) -> Result<Recovery, StoreError> {
        let mut tables = self.as_engine()?;
        let aside = std::mem::take(&mut tables.aside);
        for (run, facts) in &aside {
            tables.read_back(run, facts);
        }
        let facts = tables.unanswered(run, now);
        tables.commit(run, &[], &facts)?;
        let uncertain = |attempt: &Attempt| match attempt.state {
            AttemptState::Uncertain(_) => attempt.answered_at,
            _ => None,
        };
        let since = tables.attempts_of(run).filter_map(|(_, a, _)| uncertain(a));
        Ok(Recovery {
            became_uncertain: u64::try_from(facts.len() / 2).unwrap(),
            read_back: u64::try_from(aside.len()).unwrap(),
            uncertain_since: since
                .filter(|since| now.duration_since(*since) < LATELY)
                .collect(),
            next_key: tables.attempts.keys().last().map_or(1, |key| key + 1),
            latest: tables.latest(run),
        })
    }

    async fn open_calls(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<OpenCall>, StoreError> {
        let tables = self.tables();
        let open = tables.attempts_of(run).filter_map(open_call);
        let open = open.map(|call| OpenCall {
            heard: tables.heard(call.key, call.recipient),
            ..call
        });
        let mut open: Vec<_> = open.filter(|call| call.recipient > after).collect();
        open.sort_by_key(|call| call.recipient);
        open.truncate(usize::try_from(limit).unwrap());
        Ok(open)
    }

    async fn due_page(
        &self,
        run: &RunId,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u32,
        per_number: Option<PerNumber>,
    ) -> Result<DuePage, StoreError> {
        let tables = self.tables();
        let mut due: Vec<(i64, i64)> = tables
            .recipients_of(run)
            .filter(|(_, who)| who.is_to_call())
            .map(|(id, who)| (who.due_at, id))
            .collect();
        due.sort_unstable();
        let behind = match after.map(Cursor::place) {
            Some([due_at, recipient]) => (*due_at, *recipient),
            _ => (i64::MIN, 0),
        };
        due.retain(|place| *place > behind);
        let limit = usize::try_from(limit).unwrap();
        let ready = |(at, _): &&(i64, i64)| *at <= now.as_millisecond();
        let count = due.iter().take(limit).take_while(ready).count();
        let next_due = due.get(count).map(|(at, _)| match *at {
            HELD => DueAt::Held,
            at => DueAt::At(Timestamp::from_millisecond(at).unwrap()),
        });
        due.truncate(count);
        let rests = |who: &Recipient| {
            let until = tables.rests_until(who, per_number?)?;
            (until > now).then_some(until)
        };
        Ok(DuePage {
            next_due,
            end: due.last().map(|(at, id)| Cursor::new(&[*at, *id])),
            due: due
                .iter()
                .map(|(_, id)| {
                    let who = &tables.recipients[id];
                    due_of(*id, who, rests(who))
                })
                .collect(),
        })
    }

    async fn intend(
        &self,
        run: &RunId,
        intents: &[Intent],
        facts: &[Fact],
    ) -> Result<Vec<AttemptKey>, StoreError> {
        self.tables().commit(run, intents, facts)?;
        Ok(intents.iter().map(|intent| intent.key).collect())
    }

    async fn record(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        self.tables().commit(run, &[], facts)
    }

    fn keep_aside(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        let mut tables = self.as_engine()?;
        tables.aside.push((run.clone(), facts.to_vec()));
        Ok(())
    }

    async fn charges(&self, run: &RunId) -> Result<Vec<Charges>, StoreError> {
        let tables = self.tables();
        let attempts = tables.attempts_of(run).map(|(_, attempt, _)| attempt);
        Ok(Tables::charges(attempts.filter(|a| a.hold.is_some())))
    }

    async fn charges_within(
        &self,
        campaign: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Charges>, StoreError> {
        let tables = self.tables();
        let within = |attempt: &&Attempt| (from..until).contains(&attempt.intended_at);
        Ok(Tables::charges(tables.of_campaign(campaign).filter(within)))
    }

    async fn charges_ahead(
        &self,
        campaign: &str,
        (_, until): (Timestamp, Timestamp),
    ) -> Result<Vec<Charges>, StoreError> {
        let tables = self.tables();
        // Nobody accepts a clock here.
        let ahead = |attempt: &&Attempt| attempt.intended_at >= until && attempt.hold.is_some();
        Ok(Tables::charges(tables.of_campaign(campaign).filter(ahead)))
    }

    async fn intended_from(
        &self,
        campaign: &str,
        from: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let tables = self.tables();
        let moments = tables.of_campaign(campaign).map(|a| a.intended_at);
        Ok(moments.filter(|at| *at >= from).min())
    }

    async fn suppressions_since(&self, revision: i64) -> Result<Option<Suppressions>, StoreError> {
        // It has no suppression lists, and so they never change.
        let none = Suppressions::default();
        Ok((none.revision() != revision).then_some(none))
    }

    async fn begin_work(&self, run: &RunId, now: Timestamp) -> Result<Begun, StoreError> {
        let mut tables = self.tables();
        let run = tables.run_mut(run)?;
        run.state = after(run.state, RunEvent::Begun)?;
        run.started_at = run.started_at.or(Some(now));
        (run.ended_at, run.why, run.money, run.refused_with) = (None, None, false, None);
        Ok(Begun {
            campaign: run.campaign.clone(),
            expires_at: run.expires_at,
            wish: run.wish,
        })
    }

    async fn end_run(&self, run: &RunId, end: &RunEnd, now: Timestamp) -> Result<u64, StoreError> {
        self.tables().end_run(run, end, now)
    }

    async fn asked(&self, run: &RunId) -> Result<Option<Wish>, StoreError> {
        Ok(self.tables().run(run)?.wish)
    }

    async fn whose(
        &self,
        named: &[(Option<AttemptId>, Option<CallId>)],
    ) -> Result<Vec<Option<Whose>>, StoreError> {
        let tables = self.tables();
        let whose = |(id, call): &(Option<AttemptId>, Option<CallId>)| {
            let by = |is: &dyn Fn(&Attempt) -> bool| {
                let mut all = tables.attempts.iter();
                all.find(|(_, attempt)| is(attempt))
            };
            let by_id = id.and_then(|id| by(&|attempt| attempt.id == id));
            let by_call = || {
                let call = call.as_ref()?;
                by(&|attempt| attempt.call() == Some(call))
            };
            let (key, attempt) = by_id.or_else(by_call)?;
            Some(Whose {
                key: AttemptKey(*key),
                attempt: attempt.id,
                run: tables.recipients[&attempt.recipient.0].listed.run.clone(),
                recipient: attempt.recipient,
            })
        };
        Ok(named.iter().map(whose).collect())
    }

    async fn observe(&self, run: &RunId, heard: &[Heard]) -> Result<Vec<Observed>, StoreError> {
        let mut tables = self.tables();
        let at_work = tables.at_work.as_ref();
        if !self.is_engine && at_work.is_some_and(|other| other == run || other.as_str().is_empty())
        {
            return Ok(vec![Observed::InHand; heard.len()]);
        }
        Ok(heard
            .iter()
            .map(|heard| tables.observe(run, heard))
            .collect())
    }

    async fn pressed(&self, presses: &[Press]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for press in presses {
            let mut all = tables.attempts.iter();
            let found = all.find(|(_, attempt)| attempt.id == press.attempt);
            let machine = press.makes.has(InCall::MACHINE);
            // There are no lists here, and nobody reads words.
            if let (Some((key, attempt)), Some(nth)) = (found, press.nth.or(machine.then_some(0))) {
                let (once, makes) = ((*key, nth), (attempt.recipient, press.makes));
                tables.heard.entry(once).or_insert(makes);
            }
        }
        Ok(())
    }

    async fn report_status(&self, run: &RunId, telling: &EngineStatus) -> Result<(), StoreError> {
        self.tables().run_mut(run)?.telling = Some(telling.clone());
        Ok(())
    }
}

impl Attempt {
    fn call(&self) -> Option<&CallId> {
        match &self.state {
            AttemptState::Accepted(call) => Some(call),
            AttemptState::Final { call, .. } => call.as_ref(),
            _ => None,
        }
    }
}

impl Tables {
    /// What was heard in the call of an attempt, and what its recipient pressed in others.
    fn heard(&self, key: AttemptKey, recipient: RecipientId) -> InCall {
        let mut all = InCall::NOTHING;
        for ((attempt, _), (whose, makes)) in &self.heard {
            if *attempt == key.0 {
                all = all.and(*makes);
            } else if *whose == recipient {
                all = all.and(makes.stays());
            }
        }
        all
    }

    /// Takes the platform's word on an attempt into account that no engine has in hand.
    fn observe(&mut self, run: &RunId, heard: &Heard) -> Observed {
        let mut of_run = self.attempts_of(run);
        let Some((key, attempt, who)) = of_run.find(|(_, attempt, _)| attempt.id == heard.attempt)
        else {
            return Observed::Unknown;
        };
        let (attempt, latest, was) = (attempt.clone(), who.attempt == Some(key), who.clone());
        drop(of_run);
        let run_state = self.run(run).unwrap().state;
        let event = heard.event.as_ref();
        let second = event.is_some_and(|event| attempt.state.second_call(event).is_some());
        let terms = Terms {
            retry: &heard.retry,
            wanted: heard.wanted,
            heard: self.heard(key, attempt.recipient),
            closing: run_state.closing(),
            chance: heard.chance,
        };
        let after_all = matches!(attempt.state, AttemptState::NotSent(_)) && !latest;
        let mut taken = Taken {
            key,
            recipient: attempt.recipient,
            before: attempt.state.stage(),
            state: attempt.state.clone(),
            hold: attempt.hold,
            intended_at: attempt.intended_at,
            was: was.state,
            moved: None,
            heard: terms.heard,
            leg: None,
            alarm: (second || after_all).then(|| format!("{}: two calls", attempt.id)),
        };
        let followed = latest && run_state.unfinished();
        let mut state = attempt.state.clone();
        if let Some(event) = event
            && !second
            && (followed || !matches!(event, AttemptEvent::Seen(_)))
        {
            state = state.clone().after(event.clone()).unwrap_or(state);
        }
        let decided = matches!(&attempt.state, AttemptState::Final { outcome, word: Word::Platform, .. }
            if outcome.result.is_some());
        if state != attempt.state && latest && !decided {
            let follow = after_attempt(&state, was.tried, terms);
            let who = self.recipients.get_mut(&attempt.recipient.0).unwrap();
            who.follow(follow, was.tried, heard.at);
            taken.moved = Some(who.state);
            if who.is_to_call() {
                let run = self.run_mut(run).unwrap();
                run.state = run.state.after(RunEvent::Reopened).unwrap_or(run.state);
            }
        } else {
            let over = (!run_state.unfinished()).then_some(Disposition::Unreached);
            let closing = terms.closing.or(over);
            let called = self.attempts.iter().any(|(other, other_attempt)| {
                let live = other_attempt.state.stage().is_live();
                *other != key.0 && other_attempt.recipient == attempt.recipient && live
            });
            let stands = Stands {
                state: was.state,
                reason: was.reason.as_deref(),
                tried: was.tried,
                tried_before: was.tried_before,
                latest,
                called,
            };
            if let Some(follow) = heard_late(&state, stands, Terms { closing, ..terms }) {
                let before = if was.is_to_call() {
                    was.tried_before
                } else {
                    was.tried
                };
                let who = self.recipients.get_mut(&attempt.recipient.0).unwrap();
                who.follow(follow, before, heard.at);
                taken.moved = Some(who.state);
            }
        }
        let attempt = self.attempts.get_mut(&key.0).unwrap();
        attempt.take(&state, heard.at);
        taken.state = state;
        Observed::Taken(Box::new(taken))
    }

    /// What becomes of attempts whose engine died, and of whom they are on: two facts each.
    fn unanswered(&self, run: &RunId, now: Timestamp) -> Vec<Fact> {
        let intended = self.attempts_of(run);
        let intended = intended.filter(|(_, attempt, _)| attempt.state == AttemptState::Intended);
        let facts = intended.map(|(key, attempt, _)| {
            let state = AttemptState::Intended.after(AttemptEvent::Recovered);
            let state = state.unwrap();
            let reason = match &state {
                AttemptState::Uncertain(uncertainty) => Some(uncertainty.why.clone()),
                _ => None,
            };
            let uncertain = Fact::Attempt {
                key,
                from: Stage::Intended,
                state,
                at: now,
            };
            let done = Fact::Done {
                recipient: attempt.recipient,
                from: Was::InFlight,
                disposition: Disposition::Uncertain,
                reason,
            };
            [uncertain, done]
        });
        facts.flatten().collect()
    }

    /// The latest answers to callouts, and how calls ended.
    fn latest(&self, run: &RunId) -> Latest {
        let stand = self.attempts_of(run).rev().filter(|(_, attempt, who)| {
            let refused = who.state == RecipientState::Done(Disposition::Refused);
            match attempt.state.stage() {
                Stage::Accepted | Stage::Final => true,
                Stage::Refused => refused,
                _ => false,
            }
        });
        let mut latest: Vec<_> = stand.take(LATEST).collect();
        latest.reverse();
        let answers = latest.iter().map(|(key, attempt, who)| {
            let refusal = attempt.refusal.clone()?;
            Some(Refused {
                key: *key,
                recipient: attempt.recipient,
                tried: who.tried,
                refusal,
            })
        });
        let ends = latest.iter().filter_map(|(_, attempt, _)| {
            let AttemptState::Final { outcome, .. } = &attempt.state else {
                return None;
            };
            Some(Outcome {
                reason: outcome.reason.clone(),
                ..Outcome::default()
            })
        });
        Latest {
            answers: answers.collect(),
            ends: ends.collect(),
        }
    }

    /// Until when a number rests by a rule on calls per number, whoever called it.
    fn rests_until(&self, whom: &Recipient, rule: PerNumber) -> Option<Timestamp> {
        let same = |attempt: &&Attempt| {
            let who = &self.recipients[&attempt.recipient.0];
            who.listed.endpoint == whom.listed.endpoint && attempt.state.may_have_rung()
        };
        let mut calls: Vec<&Attempt> = self.attempts.values().filter(same).collect();
        calls.sort_by_key(|attempt| std::cmp::Reverse(attempt.intended_at));
        let nth = usize::try_from(rule.calls).unwrap() - 1;
        let call = calls.get(nth)?;
        let at = call.answered_at.unwrap_or(call.intended_at);
        at.checked_add(rule.within).ok()
    }

    /// The attempts of all runs of a campaign.
    fn of_campaign<'t>(&'t self, campaign: &'t str) -> impl Iterator<Item = &'t Attempt> {
        let runs = self.runs.iter().filter(move |run| run.campaign == campaign);
        runs.flat_map(|run| self.attempts_of(&run.id).map(|(_, attempt, _)| attempt))
    }

    pub(super) fn end_run(
        &mut self,
        run: &RunId,
        end: &RunEnd,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let left = self.recipients_of(run).any(|(_, who)| who.is_to_call());
        let left = left && *end == RunEnd::Completed;
        let event = if left { RunEvent::Paused } else { end.event() };
        let state = after(self.run(run)?.state, event)?;
        let closed = match state.closing() {
            Some(disposition) => self.close(run, disposition),
            None => 0,
        };
        let run = self.run_mut(run)?;
        let why = match end {
            RunEnd::Paused(why) => Some(why),
            _ => None,
        };
        run.state = state;
        run.why = if left {
            Some("somebody is to be called again".into())
        } else {
            why.map(ToString::to_string)
        };
        run.money = why.is_some_and(PauseReason::is_money);
        run.refused_with = why.and_then(PauseReason::refused_with);
        run.suspect = run.refused_with.or(run.suspect);
        run.ended_at = Some(now);
        if state.closing().is_some() || why == Some(&PauseReason::Asked) {
            run.wish = None;
        }
        Ok(closed)
    }

    /// Nobody who is still to be called is called any more. Returns how many there were.
    pub(super) fn close(&mut self, run: &RunId, disposition: Disposition) -> u64 {
        let all = self.recipients.values_mut();
        let left = all.filter(|who| who.listed.run == *run && who.is_to_call());
        let closed = left.map(|who| {
            who.state = RecipientState::Done(closed(who.tried, disposition));
        });
        u64::try_from(closed.count()).unwrap()
    }
}

pub(super) fn after(state: RunState, event: RunEvent) -> Result<RunState, StoreError> {
    let after = state.after(event);
    after.map_err(|illegal| StoreError::Diverged(illegal.to_string()))
}

fn due_of(id: i64, who: &Recipient, rests_until: Option<Timestamp>) -> Due {
    Due {
        recipient: RecipientId(id),
        endpoint: who.listed.endpoint.clone().unwrap_or_default(),
        cells: who.listed.cells.clone(),
        zones: who.listed.zones.clone(),
        hold: who.listed.hold,
        tried: who.tried,
        rests_until,
    }
}

/// The call of an attempt, where it goes on.
fn open_call((key, attempt, who): (AttemptKey, &Attempt, &Recipient)) -> Option<OpenCall> {
    let AttemptState::Accepted(call) = &attempt.state else {
        return None;
    };
    let hold = attempt.hold.zip(who.listed.hold);
    Some(OpenCall {
        heard: InCall::NOTHING,
        key,
        recipient: attempt.recipient,
        call: call.clone(),
        intended_at: attempt.intended_at,
        accepted_at: attempt.answered_at.unwrap_or(attempt.intended_at),
        hold: hold.map(|(amount, listed)| Hold { amount, ..listed }),
        tried: who.tried,
    })
}
