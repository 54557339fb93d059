//! How a call ends: drawn once, when the call is placed, from nothing but its own generator.
//!
//! Results and reasons are those of the API's "Get call result" (`FACTS` §4); how often each comes
//! is made up, within reason.

use rand::Rng as _;
use rand::rngs::StdRng;

use super::callout::{Kind, Order};
use super::options::{Mix, Options};

/// The `result` of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallResult {
    /// Somebody, or something, answered.
    Answered,
    /// The line was busy.
    Busy,
    /// It rang until it stopped.
    NoAnswer,
    /// It never rang.
    Failed,
}

impl CallResult {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "ANSWERED",
            Self::Busy => "BUSY",
            Self::NoAnswer => "NOANSWER",
            Self::Failed => "FAILED",
        }
    }
}

/// Reasons with which calls can be made to fail.
pub const FAILED_REASONS: [&str; 6] = [
    "GENERALERROR",
    "CONGESTION",
    "BLOCKED",
    "INVALIDSVAMLACTION",
    "CALLBACKERROR",
    "NOCREDITPARTNER",
];

/// How one call will go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// How it ends.
    pub result: CallResult,
    /// Why it ends, in the API's word.
    pub reason: &'static str,
    /// Seconds until it is answered, or until it ends unanswered.
    pub ring_s: u32,
    /// Seconds of talk; zero unless answered.
    pub talk_s: u32,
}

/// Speech, at an unhurried pace.
const CHARS_PER_SECOND: u32 = 14;

impl Fate {
    /// A callout that the platform took and that never reaches anybody.
    pub(super) const NEVER_RINGS: Self = Self {
        result: CallResult::Failed,
        reason: "GENERALERROR",
        ring_s: 0,
        talk_s: 0,
    };

    /// Draws how the call that `order` asks for will go.
    pub(super) fn draw(options: &Options, order: &Order, rng: &mut StdRng) -> Self {
        // Every draw is made every time, so that one option does not shift the others' chances.
        let result = draw_result(options.mix, rng);
        let ring_s = rng.random_range(options.ring_s.clone());
        let talk_s = rng.random_range(options.talk_s.clone());
        let share: f64 = rng.random();
        if order.never_rings {
            return Self::NEVER_RINGS;
        }
        if result == CallResult::Answered {
            return answered(order, ring_s, talk_s, share);
        }
        Self::unanswered(options, result, (ring_s, order.dial_timeout_s), share)
    }

    /// Draws how the second leg of a call will go, before it is cut.
    pub(super) fn draw_leg(
        options: &Options,
        dial_timeout_s: Option<u32>,
        rng: &mut StdRng,
    ) -> Self {
        let result = draw_result(options.mix, rng);
        let ring_s = rng.random_range(options.ring_s.clone());
        let talk_s = rng.random_range(options.talk_s.clone());
        let share: f64 = rng.random();
        let is_patient = dial_timeout_s.is_none_or(|timeout_s| ring_s < timeout_s);
        match result {
            CallResult::Answered if is_patient => Self {
                result,
                reason: if share < 0.5 {
                    "CALLEEHANGUP"
                } else {
                    "CALLERHANGUP"
                },
                ring_s,
                talk_s,
            },
            CallResult::Answered => {
                let result = CallResult::NoAnswer;
                Self::unanswered(options, result, (ring_s, dial_timeout_s), share)
            }
            _ => Self::unanswered(options, result, (ring_s, dial_timeout_s), share),
        }
    }

    /// A call that nobody answers.
    fn unanswered(
        options: &Options,
        result: CallResult,
        (ring_s, dial_timeout_s): (u32, Option<u32>),
        share: f64,
    ) -> Self {
        match result {
            CallResult::Busy => unanswered(
                result,
                if share < 0.7 { "N/A" } else { "CALLEEHANGUP" },
                1 + ring_s % 4,
            ),
            CallResult::NoAnswer => {
                let patience_s = dial_timeout_s.unwrap_or(30 + ring_s % 16);
                unanswered(
                    result,
                    if share < 0.9 { "TIMEOUT" } else { "CANCEL" },
                    patience_s,
                )
            }
            CallResult::Failed | CallResult::Answered => {
                let drawn = match share {
                    s if s < 0.5 => "GENERALERROR",
                    s if s < 0.8 => "CONGESTION",
                    _ => "BLOCKED",
                };
                let reason = options.failed_reason.unwrap_or(drawn);
                unanswered(result, reason, ring_s % 4)
            }
        }
    }
}

fn draw_result(mix: Mix, rng: &mut StdRng) -> CallResult {
    let weights = [
        (CallResult::Answered, mix.answered),
        (CallResult::Busy, mix.busy),
        (CallResult::NoAnswer, mix.no_answer),
        (CallResult::Failed, mix.failed),
    ];
    let total: u64 = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut roll = rng.random_range(0..total.max(1));
    for (result, weight) in weights {
        match roll.checked_sub(u64::from(weight)) {
            Some(rest) => roll = rest,
            None => return result,
        }
    }
    CallResult::Failed
}

fn unanswered(result: CallResult, reason: &'static str, ring_s: u32) -> Fate {
    Fate {
        result,
        reason,
        ring_s,
        talk_s: 0,
    }
}

/// An answered call: who hangs up, and when. A spoken text ends the call when it is over, unless the
/// person leaves before; `maxDuration` ends any call.
fn answered(order: &Order, ring_s: u32, talk_s: u32, share: f64) -> Fate {
    let (mut talk_s, mut reason) = match order.kind {
        Kind::Tts => {
            let spoken_s = 2 + order.spoken_chars.div_ceil(CHARS_PER_SECOND);
            if share < 0.25 {
                (talk_s.clamp(1, spoken_s), "CALLEEHANGUP")
            } else {
                (spoken_s, "CALLERHANGUP")
            }
        }
        Kind::Conference | Kind::Custom if share < 0.7 => (talk_s, "CALLEEHANGUP"),
        Kind::Conference | Kind::Custom => (talk_s, "CALLERHANGUP"),
    };
    if let Some(longest_s) = order.max_duration_s.filter(|max| *max < talk_s) {
        (talk_s, reason) = (longest_s, "MANAGERHANGUP");
    }
    Fate {
        result: CallResult::Answered,
        reason,
        ring_s,
        talk_s,
    }
}
