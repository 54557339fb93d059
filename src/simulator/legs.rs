//! The second leg of a call: somebody else whom it is connected to.
//!
//! The documents do not say how such a leg is told. By default it has a call id of its own, under the same `custom`,
//! with its own bill, ACE and `DiCE` at the same URLs (its ACE goes to the
//! application where that of the first call was answered in the callout); or it is a part of the first call's bill alone
//! ([`Legs`]). It begins when it rings. The first call is billed all the while and
//! ends with it, answered or not.

use std::sync::Arc;

use jiff::Timestamp;
use rand::Rng as _;
use rand::rngs::StdRng;

use super::call::Call;
use super::call_id::CallId;
use super::callout::Plays;
use super::chance::{Purpose, draw};
use super::endpoint::EndpointKind;
use super::fate::{CallResult, Fate};
use super::options::Legs;
use super::script::Dial;
use super::shape::Telling;
use super::tariff::Tariff;
use super::world::World;

impl World {
    /// Calls somebody else, at a moment at which the first call's clock says `at_ms`.
    pub(super) fn dial(&mut self, first: usize, dial: &Dial, (now, at_ms): (Timestamp, u64)) {
        let call = &self.calls[first];
        let Some(course) = &call.course else {
            return;
        };
        let Some(live) = &course.live else {
            return;
        };
        let legs = course.record.legs.len() + course.record.legs_within.len();
        let nth = (call.nth << 8) | u64::try_from(legs).unwrap_or(0);
        let mut rng = draw(self.options.seed, Purpose::Leg, &call.endpoint, nth);
        let left_s =
            u32::try_from(live.longest_ms.saturating_sub(at_ms) / 1000).unwrap_or(u32::MAX);
        let mut fate = Fate::draw_leg(&self.options, dial.timeout_s, &mut rng);
        if fate.ring_s >= left_s {
            fate = Fate {
                result: CallResult::NoAnswer,
                reason: "CANCEL",
                ring_s: left_s,
                talk_s: 0,
            };
        }
        let longest_s = dial
            .max_duration_s
            .map_or(left_s - fate.ring_s, |longest_s| {
                longest_s.min(left_s - fate.ring_s)
            });
        let ringing_ms = 1000 * u64::from(fate.ring_s);
        if let Some(course) = &mut self.calls[first].course {
            course.since = (now, at_ms);
            course.until_ms = at_ms + ringing_ms;
        }
        if self.options.legs == Legs::Apart {
            self.place_leg(
                first,
                dial,
                fate,
                (now, at_ms + ringing_ms, longest_s),
                &mut rng,
            );
            return;
        }
        let talk_s = fate.talk_s.min(longest_s);
        let rate = self.options.tariff.rate(&dial.endpoint);
        if let Some(course) = &mut self.calls[first].course {
            course.record.legs_within.push(Tariff::debit(rate, talk_s));
        }
        let end_ms = at_ms + ringing_ms + 1000 * u64::from(talk_s);
        self.finish(first, end_ms, CallResult::Answered, other_side(fate.reason));
    }

    fn place_leg(
        &mut self,
        first: usize,
        dial: &Dial,
        fate: Fate,
        (now, answered_ms, longest_s): (Timestamp, u64, u32),
        rng: &mut StdRng,
    ) {
        let id = CallId(rng.random());
        let nth: u64 = rng.random();
        let index = self.calls.len();
        let (endpoint, _) = self.book.endpoint(&dial.endpoint);
        let cli = dial.cli.as_deref().map(|cli| self.book.cli(cli));
        let rate = self.options.tariff.rate(&endpoint);
        let call = &mut self.calls[first];
        let urls = call.told.as_ref().filter(|_| !dial.is_silent);
        let told = urls.map(|urls| Box::new(urls.of_leg(self.callbacks.url(), nth)));
        let mut plays = Plays {
            longest_s: Some(longest_s),
            leg_of: Some((first, answered_ms)),
            ..Plays::default()
        };
        if let Some(course) = &mut call.course {
            course.record.legs.push(index);
            course.leg = Some(index);
            plays.pie = course.live.as_ref().and_then(|live| live.pie.clone());
        }
        let leg = Call {
            id,
            token: call.token,
            endpoint,
            endpoint_kind: if dial.is_sip {
                EndpointKind::Sip
            } else {
                EndpointKind::Number
            },
            cli: cli.or_else(|| call.cli.clone()),
            custom: Arc::clone(&call.custom),
            headers: Vec::new(),
            accepted_at: now,
            fate,
            rings: true,
            rate,
            debit: Tariff::debit(rate, fate.talk_s),
            fault: None,
            telling: Telling::draw(self.options.shape, rng),
            gets: 0,
            final_served: 0,
            told,
            nth,
            leg_of: Some(first),
            course: None,
            managed: None,
        };
        self.spent += leg.debit;
        self.calls_by_id.insert(id, index);
        self.calls.push(leg);
        if fate.result == CallResult::Answered {
            self.begin(index, plays);
        } else {
            self.events
                .place(index, &mut self.calls[index], &self.options);
            self.finish(
                first,
                answered_ms,
                CallResult::Answered,
                other_side(fate.reason),
            );
        }
    }

    /// The end of a second leg is known: the first call ends with it.
    pub(super) fn leg_is_over(&mut self, leg: usize, end_ms: u64) {
        let call = &self.calls[leg];
        let Some(course) = &call.course else {
            return;
        };
        let Some((first, answered_ms)) = course.leg_of else {
            return;
        };
        let ((since, since_ms), reason) = (course.since, call.fate.reason);
        if let Some(course) = &mut self.calls[first].course {
            if course.leg != Some(leg) {
                return;
            }
            course.since = (since, answered_ms + since_ms);
        }
        self.finish(
            first,
            answered_ms + end_ms,
            CallResult::Answered,
            other_side(reason),
        );
    }

    /// Hangs up the other side of a call that was connected; nothing where there is none.
    pub(super) fn hang_up_others(&mut self, index: usize, now: Timestamp) {
        let Some(course) = &mut self.calls[index].course else {
            return;
        };
        let (leg, first) = (course.leg.take(), course.leg_of.take());
        let first = first.map(|(first, _)| first);
        for other in leg.into_iter().chain(first) {
            if let Some(course) = &mut self.calls[other].course {
                course.leg = None;
                course.leg_of = None;
            }
            self.hang_up_unless_over(other, now);
        }
    }
}

/// Why a call ends, seen from the other side.
fn other_side(reason: &'static str) -> &'static str {
    match reason {
        "CALLERHANGUP" => "CALLEEHANGUP",
        "MANAGERHANGUP" => reason,
        _ => "CALLERHANGUP",
    }
}
