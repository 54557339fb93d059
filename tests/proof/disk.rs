//! A store of the seeded world, by hand: what an engine asks of one, one call after the other, and what was
//! not committed is forgotten.

use std::collections::{BTreeMap, HashMap, HashSet};

use callout::domain::{
    AttemptId, AttemptKey, AttemptState, Budget, Charges, Disposition, RecipientId, Side, Spend,
    SpendAccount, Standing, Tried, Uncertainty,
};
use callout::store::{
    Cursor, Due, DueAt, DuePage, Fact, Intent, Latest, OpenCall, Recovery, Refused, Was,
};
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::nature::{UNCERTAIN_COUNTS, hold_of, zones_of};

/// The due time of whoever is held: after everybody else.
const HELD: i64 = i64::MAX;

/// Where a recipient stands on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    Due(i64),
    InFlight,
    Done(Disposition),
}

/// An attempt on disk.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: AttemptId,
    pub(crate) recipient: RecipientId,
    pub(crate) hold: Option<Decimal>,
    pub(crate) state: AttemptState,
    intended_at: Timestamp,
    pub(crate) since: Timestamp,
}

/// What is on disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    pub(crate) rows: BTreeMap<i64, Row>,
    pub(crate) tried: HashMap<i64, Tried>,
    pub(crate) attempts: BTreeMap<i64, Kept>,
    /// Recipients with an attempt that is not over.
    live: HashSet<RecipientId>,
    /// The side file.
    aside: Vec<Fact>,
}

impl Disk {
    /// A list of so many people, who are all due.
    pub(crate) fn imported(recipients: i64) -> Self {
        Self {
            rows: (1..=recipients).map(|id| (id, Row::Due(0))).collect(),
            ..Self::default()
        }
    }

    fn is_live(state: &AttemptState) -> bool {
        use AttemptState as S;
        matches!(state, S::Intended | S::Accepted(_) | S::Uncertain(_))
    }

    /// Makes a group durable, one by one; says of each that found its row elsewhere than it was left.
    pub(crate) fn commit(&mut self, intents: &[Intent], facts: &[Fact]) -> Vec<String> {
        let intended: Vec<_> = intents.iter().map(|intent| self.intend(intent)).collect();
        let learned = facts.iter().map(|fact| self.apply(fact));
        let applied = intended.into_iter().chain(learned);
        applied.filter_map(Result::err).collect()
    }

    /// Writes facts that could not be committed to the side file.
    pub(crate) fn keep_aside(&mut self, facts: impl IntoIterator<Item = Fact>) {
        self.aside.extend(facts);
    }

    /// A kill before the side file was on the disk.
    pub(crate) fn lose_aside(&mut self) {
        self.aside.clear();
    }

    fn intend(&mut self, intent: &Intent) -> Result<(), String> {
        let (key, recipient) = (intent.key, intent.recipient);
        if !self.live.insert(recipient) || self.attempts.contains_key(&key.0) {
            return Err(format!("a second attempt on {recipient:?}"));
        }
        let kept = Kept {
            id: intent.id,
            recipient,
            hold: intent.hold,
            state: AttemptState::Intended,
            intended_at: intent.at,
            since: intent.at,
        };
        self.attempts.insert(key.0, kept);
        self.move_row(recipient, Was::ToCall, Row::InFlight)
    }

    fn apply(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Attempt {
                key,
                from,
                state,
                at,
            } => match self.attempts.get_mut(&key.0) {
                Some(kept) if kept.state.stage() == *from => {
                    if !Self::is_live(state) {
                        self.live.remove(&kept.recipient);
                    }
                    (kept.state, kept.since) = (state.clone(), *at);
                    Ok(())
                }
                _ => Err(format!(
                    "attempt {key:?} is not {from} and moves to {state:?}"
                )),
            },
            Fact::Due {
                recipient,
                from,
                at,
                waiting,
            } => {
                if let Some(waiting) = waiting {
                    self.tried.insert(recipient.0, waiting.tried);
                }
                let at = match at {
                    DueAt::At(at) => at.as_millisecond(),
                    DueAt::Held => HELD,
                };
                self.move_row(*recipient, *from, Row::Due(at))
            }
            Fact::Done {
                recipient,
                from,
                disposition,
                ..
            } => self.move_row(*recipient, *from, Row::Done(*disposition)),
        }
    }

    fn move_row(&mut self, recipient: RecipientId, was: Was, to: Row) -> Result<(), String> {
        let row = self.rows.get_mut(&recipient.0).unwrap();
        let as_left = match was {
            Was::ToCall => matches!(row, Row::Due(_)),
            Was::InFlight => matches!(row, Row::InFlight),
            Was::Refused => matches!(row, Row::Done(Disposition::Refused)),
        };
        if !as_left {
            return Err(format!("{recipient:?} is {row:?} and moves to {to:?}"));
        }
        *row = to;
        Ok(())
    }

    /// The people who are due, by due time, those behind `after`.
    pub(crate) fn due(&self, now: Timestamp, after: Option<&Cursor>, limit: u32) -> DuePage {
        let mut due: Vec<(i64, i64)> = self
            .rows
            .iter()
            .filter_map(|(id, row)| match row {
                Row::Due(at) => Some((*at, *id)),
                _ => None,
            })
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
        let next = due.get(count).map(|(at, _)| match *at {
            HELD => DueAt::Held,
            at => DueAt::At(Timestamp::from_millisecond(at).unwrap()),
        });
        due.truncate(count);
        let end = due.last().map(|(at, id)| Cursor::new(&[*at, *id]));
        let due = due.into_iter().map(|(_, id)| Due {
            recipient: RecipientId(id),
            endpoint: format!("+{id}"),
            cells: "[]".into(),
            zones: Some(zones_of(id)),
            hold: Some(hold_of(id)),
            tried: self.tried_of(RecipientId(id)),
            rests_until: None,
        });
        DuePage {
            due: due.collect(),
            next_due: next,
            end,
        }
    }

    /// The latest answers to callouts.
    fn latest(&self) -> Vec<Option<Refused>> {
        let answer = |(key, kept): (&i64, &Kept)| match &kept.state {
            AttemptState::Accepted(_) | AttemptState::Final { .. } => Some(None),
            AttemptState::Refused(refusal) => Some(Some(Refused {
                key: AttemptKey(*key),
                recipient: kept.recipient,
                tried: self.tried_of(kept.recipient),
                refusal: refusal.clone(),
            })),
            _ => None,
        };
        let mut latest: Vec<_> = self
            .attempts
            .iter()
            .rev()
            .filter_map(answer)
            .take(50)
            .collect();
        latest.reverse();
        latest
    }

    fn charges(&self, day: Option<(Timestamp, Timestamp)>) -> Vec<Charges> {
        let within = |kept: &&Kept| {
            day.is_none_or(|(from, until)| (from..until).contains(&kept.intended_at))
        };
        let charge = |kept: &Kept| Charges {
            standing: Standing::from(&kept.state),
            hold: kept.hold,
            attempts: 1,
        };
        self.attempts.values().filter(within).map(charge).collect()
    }

    /// What counts against the cap.
    pub(crate) fn committed(&self, spend: Option<&Spend>) -> Decimal {
        spend.map_or(Decimal::ZERO, |spend| {
            SpendAccount::of(spend, &self.charges(None)).committed()
        })
    }

    /// What may still be spent: as an engine reads it from the store.
    pub(crate) fn budget(&self, spend: Option<&Spend>, now: Timestamp) -> Option<Budget> {
        let spend = spend?;
        let days = Budget::days_that_matter(spend, now);
        let days = days.into_iter().map(|(day, from, until)| {
            let charges = self.charges(Some((from, until)));
            (day, SpendAccount::of(spend, &charges).committed())
        });
        let committed = self.committed(Some(spend));
        Some(Budget::new(spend.clone(), committed, days, now))
    }

    /// What a start finds: what is aside is read back, and intents without an answer become uncertain.
    pub(crate) fn recover(&mut self, now: Timestamp) -> Recovery {
        for fact in std::mem::take(&mut self.aside) {
            // What is there already is not there to be moved.
            drop(self.apply(&fact));
        }
        for kept in self.attempts.values_mut() {
            if kept.state == AttemptState::Intended {
                (kept.state, kept.since) = (AttemptState::Uncertain(uncertainty()), now);
                let row = Row::Done(Disposition::Uncertain);
                self.rows.insert(kept.recipient.0, row);
            }
        }
        let lately = |kept: &&Kept| {
            let age = now.duration_since(kept.since).unsigned_abs();
            matches!(kept.state, AttemptState::Uncertain(_)) && age <= UNCERTAIN_COUNTS
        };
        let uncertain = self.attempts.values().filter(lately);
        Recovery {
            uncertain_since: uncertain.map(|kept| kept.since).collect(),
            next_key: self.attempts.keys().max().map_or(1, |key| key + 1),
            latest: Latest {
                answers: self.latest(),
                ends: Vec::new(),
            },
            ..Recovery::default()
        }
    }

    /// Calls that are not over.
    pub(crate) fn open_calls(&self) -> Vec<OpenCall> {
        let open = |(key, kept): (&i64, &Kept)| match &kept.state {
            AttemptState::Accepted(call) => Some(OpenCall {
                key: AttemptKey(*key),
                recipient: kept.recipient,
                call: call.clone(),
                intended_at: kept.intended_at,
                accepted_at: kept.since,
                hold: Some(hold_of(kept.recipient.0)),
                tried: self.tried_of(kept.recipient),
            }),
            _ => None,
        };
        self.attempts.iter().filter_map(open).collect()
    }

    /// Everybody who is still to be called is called no more.
    pub(crate) fn close(&mut self, disposition: Disposition) {
        for (id, row) in &mut self.rows {
            if matches!(row, Row::Due(_)) {
                let tried = self.tried.contains_key(id);
                let unreached = Disposition::Unreached;
                *row = Row::Done(if tried { unreached } else { disposition });
            }
        }
    }

    fn tried_of(&self, recipient: RecipientId) -> Tried {
        self.tried.get(&recipient.0).copied().unwrap_or_default()
    }

    /// A planted bug's way in: whoever is uncertain is due again, as if they had not been called.
    pub(crate) fn make_uncertain_due(&mut self) {
        for kept in self.attempts.values_mut() {
            if matches!(kept.state, AttemptState::Uncertain(_)) {
                kept.state = AttemptState::NotSent("planted".into());
                self.live.remove(&kept.recipient);
                self.rows.insert(kept.recipient.0, Row::Due(0));
            }
        }
    }

    /// A planted bug's way in: what is held for uncertain attempts is gone.
    pub(crate) fn forget_holds(&mut self) {
        for kept in self.attempts.values_mut() {
            if matches!(kept.state, AttemptState::Uncertain(_)) {
                kept.hold = None;
            }
        }
    }
}

/// What is known of a callout whose answer never came.
pub(crate) fn uncertainty() -> Uncertainty {
    Uncertainty {
        side: Side::Network,
        why: "lost".into(),
        accepted: false,
    }
}
