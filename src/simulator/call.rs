//! One placed call: what is known of it from the start, and what may be told of it at a moment.
//!
//! `world` keeps these; `shape` writes what [`Call::view`] tells.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::book::TokenId;
use super::call_id::CallId;
use super::course::{ANSWER_WAIT_MS, Course, Item, scaled_ms};
use super::endpoint::EndpointKind;
use super::event::{EventKind, Planned, Told};
use super::fate::{CallResult, Fate};
use super::faults::Fault;
use super::shape::{CallView, Telling};
use super::tariff::Tariff;

/// The word for what is not known yet.
const NOT_YET: &str = "N/A";

/// A call, from the moment it is placed.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) token: TokenId,
    pub(super) endpoint: Arc<str>,
    pub(super) endpoint_kind: EndpointKind,
    pub(super) cli: Option<Arc<str>>,
    pub(super) custom: Arc<str>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) accepted_at: Timestamp,
    pub(super) fate: Fate,
    /// Whether a phone rings for it.
    pub(super) rings: bool,
    pub(super) rate: Decimal,
    pub(super) debit: Decimal,
    pub(super) fault: Option<Fault>,
    pub(super) telling: Telling,
    pub(super) gets: u32,
    pub(super) final_served: u32,
    /// What is told of it while it goes on; most calls tell nothing.
    pub(super) told: Option<Box<Told>>,
    /// How many calls its endpoint had before.
    pub(super) nth: u64,
    /// The call that it is the second leg of.
    pub(super) leg_of: Option<usize>,
    /// What is played in it, once it is answered; in most calls nothing is.
    pub(super) course: Option<Box<Course>>,
    /// What was done to it; most calls are left alone.
    pub(super) managed: Option<Box<Managed>>,
}

/// What was done to a call from outside.
#[derive(Debug, Default)]
pub(super) struct Managed {
    /// Requests that were carried out.
    pub(super) times: u32,
    /// When it was hung up.
    pub(super) hung_up: Option<Timestamp>,
    /// In its conference: nobody hears it.
    pub(super) muted: bool,
    /// In its conference: it hears music.
    pub(super) on_hold: bool,
}

/// Where a call is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody answered yet.
    Ringing,
    /// Somebody has been talking for so many seconds.
    Talking(u32),
    /// It is over.
    Over,
}

impl Call {
    /// Where the call is at `now`.
    pub(super) fn phase(&self, now: Timestamp, time_scale: f64) -> Phase {
        if let Some(course) = &self.course {
            return if self.hung_up().is_some()
                || course.end(time_scale).is_some_and(|end| end <= now)
            {
                Phase::Over
            } else if now < self.answered(time_scale) {
                Phase::Ringing
            } else {
                Phase::Talking(whole_s(course.clock(now, time_scale)))
            };
        }
        let elapsed = now.duration_since(self.accepted_at);
        let rung = scaled(self.fate.ring_s, time_scale);
        let over = rung + scaled(self.fate.talk_s, time_scale);
        if elapsed >= over || self.hung_up().is_some() {
            Phase::Over
        } else if self.fate.result == CallResult::Answered && elapsed >= rung {
            Phase::Talking(unscaled_s(elapsed - rung, time_scale).min(self.fate.talk_s))
        } else {
            Phase::Ringing
        }
    }

    fn hung_up(&self) -> Option<Timestamp> {
        self.managed.as_ref()?.hung_up
    }

    /// What was done to it, to be added to.
    pub(super) fn managed(&mut self) -> &mut Managed {
        self.managed.get_or_insert_default()
    }

    /// Ends the call now; returns what it will not cost after all.
    pub(super) fn hang_up(&mut self, now: Timestamp, time_scale: f64) -> Decimal {
        let (result, mut talk_s) = match self.phase(now, time_scale) {
            Phase::Talking(talked_s) => (CallResult::Answered, talked_s),
            Phase::Ringing | Phase::Over => (CallResult::NoAnswer, 0),
        };
        if let Some(course) = &mut self.course {
            let now_ms = course.break_off(now, time_scale);
            course.end_ms = Some(now_ms);
            talk_s = started_s(now_ms);
        }
        self.fate = Fate {
            result,
            reason: "MANAGERHANGUP",
            talk_s,
            ..self.fate
        };
        self.managed().hung_up = Some(now);
        let debit = Tariff::debit(self.rate, talk_s);
        std::mem::replace(&mut self.debit, debit) - debit
    }

    /// When the call ends, or ended; the end of time where that is not known yet.
    pub(super) fn end(&self, time_scale: f64) -> Timestamp {
        self.hung_up().unwrap_or_else(|| {
            if let Some(course) = &self.course {
                return course.end(time_scale).unwrap_or(Timestamp::MAX);
            }
            let talk = scaled(self.fate.talk_s, time_scale);
            later(self.answered(time_scale), talk)
        })
    }

    /// When an event of it happens, or happened; nothing where it never does.
    pub(super) fn moment(&self, kind: EventKind, time_scale: f64) -> Option<Timestamp> {
        match kind {
            EventKind::Ice => Some(self.accepted_at),
            EventKind::Ace => {
                let after_ms = match &self.course {
                    Some(course) => course.ace.map(|ace| ace.at_ms),
                    None => (self.fate.result == CallResult::Answered).then_some(0),
                };
                after_ms.map(|ms| later(self.answered(time_scale), scaled_ms(ms, time_scale)))
            }
            EventKind::Dice => Some(self.end(time_scale)).filter(|end| *end < Timestamp::MAX),
            EventKind::Pie | EventKind::Notify | EventKind::Step => None,
        }
    }

    /// The call's clock and the moment until which an answer to ACE is waited for, where it is.
    pub(super) fn asks_at_its_answer(&self, time_scale: f64) -> Option<(u64, Timestamp)> {
        let course = self.course.as_ref()?;
        let ask = course.live.as_ref()?.ask?;
        let until = course.moment(ask.at_ms + ANSWER_WAIT_MS, time_scale);
        (ask.kind == EventKind::Ace).then_some((ask.at_ms, until))
    }

    /// Whether what was planned happens, or did: the end of a call that came earlier ends all that would have
    /// come, and what was broken off comes no more.
    pub(super) fn is_current(&self, event: &Planned, time_scale: f64) -> bool {
        let is_before_end = event.moment <= self.end(time_scale);
        let Some(course) = &self.course else {
            return is_before_end || self.hung_up().is_none();
        };
        match event.kind {
            EventKind::Dice => event.moment == self.end(time_scale),
            EventKind::Pie => course.said(event.item) != Some(&Item::Void),
            EventKind::Step => course.awaits_step(event.item),
            EventKind::Ice | EventKind::Ace | EventKind::Notify => is_before_end,
        }
    }

    /// Whole seconds of talk between two moments; none of a call that nobody answered.
    pub(super) fn talked_s(&self, from: Timestamp, to: Timestamp, time_scale: f64) -> u32 {
        if self.fate.result != CallResult::Answered {
            return 0;
        }
        let heard = to.duration_since(from.max(self.answered(time_scale)));
        unscaled_s(heard, time_scale).min(self.fate.talk_s)
    }

    /// When somebody answers, if anybody does.
    pub(super) fn answered(&self, time_scale: f64) -> Timestamp {
        later(self.accepted_at, scaled(self.fate.ring_s, time_scale))
    }

    /// What the platform tells of the call with this `id` at `now`: `ONGOING` until ringing and talk are over, and
    /// only then an outcome and a debit.
    pub(super) fn view<'a>(
        &'a self,
        id: &'a str,
        now: Timestamp,
        time_scale: f64,
        currency: &'a str,
    ) -> CallView<'a> {
        let phase = self.phase(now, time_scale);
        let is_final = phase == Phase::Over;
        let (status, result, reason, duration_s) = match phase {
            Phase::Over => {
                let fate = &self.fate;
                ("FINAL", fate.result.as_str(), fate.reason, fate.talk_s)
            }
            Phase::Talking(talked_s) => {
                ("ONGOING", CallResult::Answered.as_str(), NOT_YET, talked_s)
            }
            Phase::Ringing => ("ONGOING", NOT_YET, NOT_YET, 0),
        };
        CallView {
            call_id: id,
            endpoint: &self.endpoint,
            endpoint_kind: self.endpoint_kind,
            cli: self.cli.as_deref(),
            custom: &self.custom,
            accepted_at: self.accepted_at,
            is_final,
            status,
            result,
            reason,
            duration_s,
            currency,
            rate: self.rate,
            debit: is_final.then_some(self.debit),
        }
    }
}

/// Seconds of a call's clock, one that has begun with them: so is the talk of a call counted in which something is
/// played.
pub(super) fn started_s(ms: u64) -> u32 {
    u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)
}

/// Whole seconds of a call's clock.
fn whole_s(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}

/// Wall time of so many simulated seconds; `Options::check` keeps it within days.
fn scaled(seconds: u32, time_scale: f64) -> SignedDuration {
    let wall = Duration::from_secs(seconds.into()).mul_f64(time_scale);
    SignedDuration::try_from(wall).unwrap_or(SignedDuration::MAX)
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Simulated whole seconds in so much wall time.
fn unscaled_s(wall: SignedDuration, time_scale: f64) -> u32 {
    let seconds = wall.as_secs_f64() / time_scale;
    if seconds.is_finite() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast from float saturates, and the caller takes the minimum with the talk"
        )]
        let whole = seconds as u32;
        whole
    } else {
        u32::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_in_its_own_spelling_alone() {
        let id = CallId(0x1ce0_ffee_ca11_ca11_ca11_abcd_ef00_0003);
        let told = "1ce0ffee-ca11-ca11-ca11-abcdef000003";
        assert_eq!(id.to_string(), told);
        assert_eq!(CallId::parse(told), Some(id));
        for other in [
            "",
            "-",
            "+1ce0ffee-ca11-ca11-ca11-abcdef000003",
            "1CE0FFEE-ca11-ca11-ca11-abcdef000003",
            "1ce0ffeeca11ca11ca11abcdef000003",
            "1ce0ffee-ca11-ca11-ca11-abcdef0000033",
        ] {
            assert_eq!(CallId::parse(other), None, "{other}");
        }
    }
}
