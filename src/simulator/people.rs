//! Who answers, and what they do while something is played to them: people who press keys, wrong ones or
//! nothing, who are quick or slow, who leave in the middle; and machines, which only listen.
//!
//! What somebody does follows from the seed and from their call alone: each call has a stream of its own.

use std::ops::RangeInclusive;

use rand::Rng as _;
use rand::rngs::StdRng;

/// Every key of a telephone.
const KEYS: &str = "0123456789*#";
/// Milliseconds between two digits that somebody types.
const TYPING_MS: RangeInclusive<u64> = 250..=900;
/// Nobody types more digits than that.
const DIGITS_MAX: u32 = 32;
/// The share of people who type fewer digits than are asked for.
const TOO_FEW: f64 = 0.1;
/// Milliseconds after which the platform knows who answered.
const DETECTED_MS: RangeInclusive<u64> = 300..=4_800;
/// Seconds that a machine's greeting takes, until its beep.
const GREETING_S: RangeInclusive<u64> = 4..=14;
/// Seconds after its greeting for which a machine records.
const RECORDING_S: RangeInclusive<u64> = 45..=180;

/// What people do in calls that ask. Shares are from 0 to 1; the default is a sensible mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct People {
    /// The share of prompts of a menu after which somebody presses a key that is offered.
    pub press: f64,
    /// The share of prompts of a menu after which somebody presses another key.
    pub press_wrong: f64,
    /// The share of prompts and texts in the middle of which somebody hangs up. After all other prompts nothing
    /// is pressed.
    pub leave: f64,
    /// Which of the offered keys is pressed, by weight; a key that is not named is never pressed. In a menu that
    /// offers none of these, and without any, each key is as likely as the next.
    pub keys: Vec<(String, f64)>,
    /// The share of people who press while the prompt is still played.
    pub quick: f64,
    /// The share of calls that a machine answers.
    pub machines: f64,
    /// The share of calls of which the platform cannot tell who answered.
    pub unsure: f64,
    /// The share of machines whose beep is not heard.
    pub no_beep: f64,
}

impl Default for People {
    fn default() -> Self {
        Self {
            press: 0.72,
            press_wrong: 0.06,
            leave: 0.04,
            keys: Vec::new(),
            quick: 0.3,
            machines: 0.15,
            unsure: 0.04,
            no_beep: 0.1,
        }
    }
}

impl People {
    /// The shares, with their names.
    pub(super) fn named(&self) -> [(&'static str, f64); 7] {
        [
            ("the share of keys pressed", self.press),
            ("the share of wrong keys", self.press_wrong),
            ("the share of people who leave", self.leave),
            ("the share of quick people", self.quick),
            ("the share of machines", self.machines),
            ("the share of unsure detections", self.unsure),
            ("the share of machines without a beep", self.no_beep),
        ]
    }

    /// Whether what somebody does at a prompt adds up to no more than everybody.
    pub(super) fn fits(&self) -> bool {
        self.press + self.press_wrong + self.leave <= 1.0 + 1e-9
    }
}

/// Who answered one call.
#[derive(Debug)]
pub(super) struct Person {
    rng: StdRng,
    is_quick: bool,
    /// Set for a machine.
    pub(super) machine: Option<Machine>,
    /// Milliseconds after which the platform knows who it was.
    pub(super) detected_ms: u64,
    /// Whether the platform cannot tell.
    pub(super) is_unsure: bool,
    /// Whether they hang up before the platform knows.
    pub(super) leaves_undetected: bool,
}

/// An answering machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    /// Milliseconds until its beep, whether that is heard or not.
    pub(super) greeting_ms: u64,
    /// Whether the platform hears the beep.
    pub(super) beeps: bool,
    /// Milliseconds until it stops recording and hangs up.
    pub(super) stops_ms: u64,
}

/// What somebody does at a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// They press these keys; the first of them so many milliseconds after the prompt began.
    Press {
        /// The keys, one after the other.
        keys: String,
        /// When the first one is pressed.
        at_ms: u64,
        /// When the last one is.
        done_ms: u64,
    },
    /// They hang up, so many milliseconds after the prompt began.
    Leave(u64),
    /// Nothing.
    Nothing,
}

/// A prompt, as somebody hears it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompt<'a> {
    /// Milliseconds that it takes.
    pub(super) ms: u64,
    /// Whether a key counts while it is played.
    pub(super) barge: bool,
    /// Milliseconds for which a key is waited for afterwards.
    pub(super) timeout_ms: u64,
    /// The keys that are offered.
    pub(super) offered: &'a [&'a str],
    /// Digits that are asked for, where no keys are offered.
    pub(super) digits: u32,
}

impl Person {
    /// Somebody, or a machine. Every draw is made every time, so that one option does not shift the others.
    pub(super) fn draw(people: &People, mut rng: StdRng) -> Self {
        let is_machine = rng.random_bool(people.machines);
        let is_quick = rng.random_bool(people.quick);
        let is_unsure = rng.random_bool(people.unsure);
        let is_silent = rng.random_bool(people.no_beep);
        let leaves = rng.random_bool(people.leave);
        let detected_ms = rng.random_range(DETECTED_MS);
        let greeting_ms = 1000 * rng.random_range(GREETING_S);
        let recording_ms = 1000 * rng.random_range(RECORDING_S);
        Self {
            rng,
            is_quick,
            machine: is_machine.then_some(Machine {
                greeting_ms,
                beeps: !is_silent,
                stops_ms: greeting_ms + recording_ms,
            }),
            detected_ms,
            is_unsure,
            leaves_undetected: leaves && !is_machine,
        }
    }

    /// When they hang up while a text of so many milliseconds is spoken, if they do.
    pub(super) fn leaves_within(&mut self, people: &People, ms: u64) -> Option<u64> {
        let leaves = self.rng.random_bool(people.leave) && self.machine.is_none();
        let at_ms = self.rng.random_range(0..=ms);
        leaves.then_some(at_ms)
    }

    /// What they do at a prompt of a menu.
    pub(super) fn at_prompt(&mut self, people: &People, prompt: Prompt<'_>) -> Deed {
        if self.machine.is_some() {
            return Deed::Nothing;
        }
        let roll: f64 = self.rng.random();
        if roll < people.leave {
            return Deed::Leave(self.rng.random_range(0..=prompt.ms + prompt.timeout_ms));
        }
        if roll < people.leave + people.press {
            return self.press(people, prompt, false);
        }
        if roll < people.leave + people.press + people.press_wrong {
            return self.press(people, prompt, true);
        }
        Deed::Nothing
    }

    fn press(&mut self, people: &People, prompt: Prompt<'_>, wrongly: bool) -> Deed {
        let keys = match (prompt.digits, wrongly) {
            (0, false) => self.offered(people, prompt.offered),
            (0, true) => self.not_offered(prompt.offered),
            (count, _) => self.digits(count, wrongly),
        };
        let Some(keys) = keys else {
            return Deed::Nothing;
        };
        let timeout_ms = prompt.timeout_ms.max(1);
        let at_ms = if self.is_quick && prompt.barge {
            self.rng.random_range(0..=prompt.ms)
        } else {
            // The slowest press just before nobody waits any longer.
            let share: f64 = self.rng.random();
            prompt.ms + scaled(timeout_ms - 1, share * share)
        };
        let mut done_ms = at_ms;
        for _ in keys.chars().skip(1) {
            // Who is slower than the menu waits has stopped for it.
            done_ms += self.rng.random_range(TYPING_MS).min(timeout_ms - 1);
        }
        Deed::Press {
            keys,
            at_ms,
            done_ms,
        }
    }

    /// One of the offered keys, by weight where any of them has one.
    fn offered(&mut self, people: &People, offered: &[&str]) -> Option<String> {
        let weight = |key: &str| {
            let named = people.keys.iter().find(|(known, _)| known == key);
            named.map_or(0.0, |(_, weight)| *weight)
        };
        let weights: Vec<f64> = offered.iter().map(|key| weight(key)).collect();
        let total: f64 = weights.iter().sum();
        let share: f64 = self.rng.random();
        let place = if total > 0.0 {
            let mut rest = share * total;
            weights.iter().position(|weight| {
                let is_it = rest < *weight;
                rest -= weight;
                is_it
            })
        } else {
            pick(offered.len(), share)
        };
        let last = weights.iter().rposition(|weight| *weight > 0.0);
        let place = place.or(last)?;
        offered.get(place).map(|key| (*key).to_owned())
    }

    /// A key that is not offered, where there is one.
    fn not_offered(&mut self, offered: &[&str]) -> Option<String> {
        let begins = |key: &char| offered.iter().any(|known| known.starts_with(*key));
        let others: Vec<char> = KEYS.chars().filter(|key| !begins(key)).collect();
        let place = pick(others.len(), self.rng.random())?;
        others.get(place).map(char::to_string)
    }

    /// So many digits, or fewer.
    fn digits(&mut self, count: u32, too_few: bool) -> Option<String> {
        let is_short = too_few || self.rng.random_bool(TOO_FEW);
        let count = count.min(DIGITS_MAX);
        let fewer = self.rng.random_range(0..count.max(1));
        let count = if is_short { fewer } else { count };
        let digit = |_| char::from(b'0' + self.rng.random_range(0..10_u8));
        let digits: String = (0..count).map(digit).collect();
        (!digits.is_empty()).then_some(digits)
    }
}

/// A place among so many.
fn pick(count: usize, share: f64) -> Option<usize> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a handful of keys, and a share from 0 to below 1"
    )]
    let place = (count as f64 * share) as usize;
    (place < count).then_some(place)
}

/// So large a share of so many milliseconds.
fn scaled(ms: u64, share: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time within a call, and a share from 0 to below 1"
    )]
    let part = (ms as f64 * share) as u64;
    part
}

#[cfg(test)]
mod tests {
    use super::super::chance::{Purpose, draw};
    use super::*;

    const MENU: Prompt<'static> = Prompt {
        ms: 2_000,
        barge: true,
        timeout_ms: 5_000,
        offered: &["1", "2", "9"],
        digits: 0,
    };

    fn deeds(people: &People, prompt: Prompt<'_>) -> Vec<Deed> {
        let deed = |nth| {
            let rng = draw(3, Purpose::Person, "+46701740605", nth);
            Person::draw(people, rng).at_prompt(people, prompt)
        };
        (0..2_000).map(deed).collect()
    }

    fn keys(deed: &Deed) -> &str {
        match deed {
            Deed::Press { keys, .. } => keys,
            Deed::Leave(_) => "left",
            Deed::Nothing => "",
        }
    }

    fn share(deeds: &[Deed], is: impl Fn(&str) -> bool) -> usize {
        deeds.iter().filter(|deed| is(keys(deed))).count() / 20
    }

    #[test]
    fn a_mixture_presses_errs_leaves_and_says_nothing() {
        let people = People {
            machines: 0.0,
            ..People::default()
        };
        let deeds = deeds(&people, MENU);
        let of = |wanted: &'static str| share(&deeds, |keys| keys == wanted);
        for key in MENU.offered {
            assert!((21..=27).contains(&of(key)), "{key}: {}", of(key));
        }
        assert!((2..=6).contains(&of("left")), "{}", of("left"));
        assert!((14..=22).contains(&of("")), "{}", of(""));
        let wrong = share(&deeds, |keys| "045678*#".contains(keys) && !keys.is_empty());
        assert!((4..=8).contains(&wrong), "{wrong}");
    }

    #[test]
    fn keys_with_a_weight_are_pressed_and_no_others() {
        let people = People {
            press: 1.0,
            press_wrong: 0.0,
            leave: 0.0,
            machines: 0.0,
            keys: vec![("1".to_owned(), 3.0), ("9".to_owned(), 1.0)],
            ..People::default()
        };
        let all = deeds(&people, MENU);
        let of = |wanted: &'static str| share(&all, |keys| keys == wanted);
        assert!((71..=79).contains(&of("1")), "{}", of("1"));
        assert_eq!(of("2"), 0);
        let other = Prompt {
            offered: &["5"],
            ..MENU
        };
        assert!(deeds(&people, other).iter().all(|deed| keys(deed) == "5"));
    }

    #[test]
    fn machines_press_nothing_and_digits_are_sometimes_too_few() {
        let machines = People {
            machines: 1.0,
            ..People::default()
        };
        let is_nothing = |deed: &Deed| *deed == Deed::Nothing;
        assert!(deeds(&machines, MENU).iter().all(is_nothing));
        let people = People {
            press: 1.0,
            press_wrong: 0.0,
            leave: 0.0,
            machines: 0.0,
            ..People::default()
        };
        let digits = Prompt {
            offered: &[],
            digits: 4,
            ..MENU
        };
        let all = deeds(&people, digits);
        assert!((85..=95).contains(&share(&all, |keys| keys.len() == 4)));
        assert!(all.iter().all(|deed| keys(deed).len() <= 4));
    }

    #[test]
    fn nobody_types_for_ever() {
        let people = People {
            press: 1.0,
            press_wrong: 0.0,
            leave: 0.0,
            machines: 0.0,
            ..People::default()
        };
        let endless = Prompt {
            offered: &[],
            digits: u32::MAX,
            ..MENU
        };
        assert!(
            deeds(&people, endless)
                .iter()
                .all(|deed| keys(deed).len() <= 32)
        );
    }

    #[test]
    fn nobody_presses_after_the_menu_has_stopped_waiting() {
        let people = People {
            machines: 0.0,
            quick: 0.0,
            ..People::default()
        };
        for deed in deeds(&people, MENU) {
            if let Deed::Press { at_ms, done_ms, .. } = deed {
                assert!((2_000..7_000).contains(&at_ms) && done_ms == at_ms);
            }
        }
    }
}
