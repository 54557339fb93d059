//! The platform of the seeded world: it loses answers, refuses, is late, and runs calls to their end.

use std::collections::HashMap;
use std::time::Duration;

use callout::domain::{
    AnsweredBy, AttemptId, AttemptKey, CallId, Keyed, Money, NotSent, Observation, Outcome,
    Reaction, RecipientId, Refusal, Side, Signalled, SpeaksOf, Uncertainty, Verdict,
};
use callout::entropy::Entropy;
use rust_decimal::Decimal;

use crate::nature::{MINUTE_S, Nature, SECOND, hold_of};

/// What the platform says while the account is unwell.
pub(crate) const UNWELL: &str = "unwell";

/// A call that the platform runs.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) recipient: RecipientId,
    pub(crate) began: Duration,
    pub(crate) ends: Duration,
    outcome: Outcome,
    /// What is heard in it, where it is answered and anything is.
    pub(crate) heard: Option<Signalled>,
    gets: u64,
}

impl Call {
    /// What it costs, in started minutes of its recipient's price; nothing where nobody answers.
    pub(crate) fn cost(&self) -> Decimal {
        if self.outcome.result.as_deref() != Some("ANSWERED") {
            return Decimal::ZERO;
        }
        let seconds = self.ends.saturating_sub(self.began).as_secs_f64().ceil();
        let minutes = (seconds / f64::from(MINUTE_S)).ceil().max(1.0);
        hold_of(self.recipient.0).amount * Decimal::from_f64_retain(minutes).unwrap()
    }
}

/// What a callout comes to.
pub(crate) struct Answered {
    pub(crate) verdict: Verdict,
    /// How long the answer takes.
    pub(crate) after: Duration,
    /// Whether a call began, be its answer lost or not.
    pub(crate) rings: bool,
}

/// The platform, and all calls that it ever ran.
#[derive(Debug)]
pub(crate) struct Platform {
    nature: Nature,
    pub(crate) calls: HashMap<String, Call>,
    /// Callouts that came for each recipient.
    posts: HashMap<RecipientId, u64>,
    pub(crate) hung_up: u64,
}

impl Platform {
    pub(crate) fn of(nature: &Nature) -> Self {
        Self {
            nature: nature.clone(),
            calls: HashMap::new(),
            posts: HashMap::new(),
            hung_up: 0,
        }
    }

    /// Callouts that came.
    pub(crate) fn posts(&self) -> u64 {
        self.posts.values().sum()
    }

    /// A callout comes.
    pub(crate) fn post(
        &mut self,
        id: AttemptId,
        recipient: RecipientId,
        now: Duration,
    ) -> Answered {
        let whom = u64::try_from(recipient.0).unwrap();
        let nth = self.posts.entry(recipient).or_default();
        *nth += 1;
        let mut draw = self.nature.draw("post", whom, *nth - 1);
        let latency = Duration::from_micros(1_000 + draw.seed() % 80_000);
        let verdict = self.verdict(&mut draw, now);
        let rings = !matches!(verdict, Verdict::NotSent(_) | Verdict::Refused(_));
        let lost = matches!(verdict, Verdict::Uncertain(_));
        let name = format!("call-{id}");
        if rings {
            let call = self.begin(recipient, lost, &mut draw, now);
            self.calls.insert(name.clone(), call);
        }
        let verdict = match verdict {
            Verdict::Accepted(_) => Verdict::Accepted(CallId::new(&name).unwrap()),
            other => other,
        };
        let slow = lost && draw.fraction() < 0.1;
        Answered {
            verdict,
            after: if slow { SECOND * 50 } else { latency },
            rings,
        }
    }

    fn begin(&self, recipient: RecipientId, lost: bool, draw: &mut Entropy, now: Duration) -> Call {
        let mut longest = self.nature.longest_call;
        if lost {
            // What nobody can hang up ends by itself in time.
            longest = longest.min(Duration::from_secs(u64::from(MINUTE_S) - 1));
        }
        let ends = now + longest.mul_f64(draw.fraction());
        let answered = draw.fraction() < 0.7;
        let press = |key: &str| Signalled::Menu {
            id: Some("main".into()),
            keyed: Keyed::Pressed(key.into()),
        };
        let heard = match draw.seed() % 8 {
            0 | 1 => Some(Signalled::AnsweredBy(AnsweredBy::Machine)),
            2 => Some(press("1")),
            3 => Some(press("2")),
            4 => Some(press("9")),
            5 => Some(press("7")),
            _ => None,
        };
        let asked = answered && self.nature.flow.is_some();
        Call {
            heard: heard.filter(|_| asked),
            recipient,
            began: now,
            ends,
            outcome: Outcome {
                result: Some(if answered { "ANSWERED" } else { "BUSY" }.into()),
                ..Outcome::default()
            },
            gets: 0,
        }
    }

    /// Somebody asks how a call stands, and hears of it after a while.
    pub(crate) fn get(
        &mut self,
        key: AttemptKey,
        call: &CallId,
        now: Duration,
    ) -> (Observation, Duration) {
        let nature = &self.nature;
        let whom = u64::try_from(key.0).unwrap();
        let call = self.calls.get_mut(call.as_str()).unwrap();
        let mut draw = nature.draw("a get", whom, call.gets);
        call.gets += 1;
        let seen = if call.gets <= nature.unknown_first {
            Observation::NotFound
        } else if draw.fraction() < nature.get_failing && now < nature.faults_end {
            Observation::Again {
                why: "no".into(),
                wait: None,
            }
        } else if now < call.ends {
            Observation::Ongoing
        } else {
            Observation::Final(told(nature, whom, call))
        };
        (seen, Duration::from_micros(500 + draw.seed() % 30_000))
    }

    /// What is heard in the call of an attempt.
    pub(crate) fn heard(&self, attempt: AttemptId) -> Option<Signalled> {
        self.calls[&format!("call-{attempt}")].heard.clone()
    }

    /// What an event tells of a call that is over.
    pub(crate) fn told(&self, key: AttemptKey, call: &CallId) -> Outcome {
        let whom = u64::try_from(key.0).unwrap();
        told(&self.nature, whom, &self.calls[call.as_str()])
    }

    /// Somebody ends a call. Whether it was done.
    pub(crate) fn hang_up(&mut self, call: &CallId, now: Duration) -> bool {
        if self.nature.deaf {
            return false;
        }
        self.hung_up += 1;
        let call = self.calls.get_mut(call.as_str()).unwrap();
        call.ends = call.ends.min(now);
        true
    }

    fn verdict(&self, draw: &mut Entropy, now: Duration) -> Verdict {
        let nature = &self.nature;
        let roll = draw.fraction();
        let not_sent = |side, reaction| {
            Verdict::NotSent(NotSent {
                side,
                why: "no".into(),
                reaction,
            })
        };
        if let Some((from, until, speaks_of)) = nature.unwell
            && (from..until).contains(&now)
        {
            return Verdict::Refused(Refusal {
                status: 418,
                code: None,
                message: UNWELL.into(),
                speaks_of,
            });
        }
        let calm = now > nature.faults_end;
        let kinds = [
            (nature.lost, Verdict::Uncertain(uncertainty())),
            (nature.server_error, Verdict::Uncertain(uncertainty())),
            (
                nature.too_many,
                not_sent(Side::Platform, Reaction::SlowDown(None)),
            ),
            (
                nature.unreachable,
                not_sent(Side::Network, Reaction::BackOff),
            ),
            (
                nature.too_early,
                not_sent(Side::Platform, Reaction::Later(SECOND * 5)),
            ),
            (
                nature.credentials,
                not_sent(Side::Ours, Reaction::Credentials),
            ),
            (
                nature.refused,
                Verdict::Refused(Refusal {
                    status: 403,
                    code: Some(40300),
                    message: "no".into(),
                    speaks_of: SpeaksOf::Recipient,
                }),
            ),
        ];
        let mut upper = 0.0;
        for (share, verdict) in kinds {
            upper += share;
            if !calm && roll < upper {
                return verdict;
            }
        }
        Verdict::Accepted(CallId::new("later").unwrap())
    }
}

/// How a call ended. A price is told with its currency, without it, or not at all.
fn told(nature: &Nature, whom: u64, call: &Call) -> Outcome {
    let mut outcome = call.outcome.clone();
    if nature.spend.is_some() {
        let told = nature.draw("a price", whom, 0).seed() % 8;
        outcome.debit = (told > 0).then(|| Money {
            amount: call.cost(),
            currency: (told > 1).then(|| "EUR".into()),
        });
        if nature.odd_prices {
            tell_oddly(&mut outcome, told);
        }
    }
    outcome
}

/// A debit in a currency that is none, one below zero, and one that cannot be read.
fn tell_oddly(outcome: &mut Outcome, told: u64) {
    match (told, &mut outcome.debit) {
        (2, Some(debit)) => debit.currency = Some("Kronor".into()),
        (3, Some(debit)) => debit.amount = -debit.amount - Decimal::ONE,
        (4, debit) => (*debit, outcome.unread_debit) = (None, Some("NaN".into())),
        _ => {}
    }
}

/// What is known of a callout whose answer never came.
fn uncertainty() -> Uncertainty {
    Uncertainty {
        side: Side::Network,
        why: "lost".into(),
        accepted: false,
    }
}
