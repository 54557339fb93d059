//! How long a call takes that asks: the shortest and the longest way through its menus.
//!
//! A key may lead back to a menu that was asked before, so the ways are not those of a tree; they end because a
//! call asks [`VISITS_MAX`] menus at most. What a way costs from a menu on depends on the menu and on how many
//! were asked before it: that is computed once each, from the last back to the first.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::call_flow::VISITS_MAX;
use super::spoken::{BEYOND_TEXT_S, spoken_prompts, spoken_s};
use super::svaml::Event;
use super::{Asks, CallFlow, Choice, Destination, MachineDoes, Menu, Money, Next, Speech};

/// Seconds that it can take to find out who answered (`FACTS` §6).
const FINDING_OUT_S: u32 = 5;
/// Seconds that a machine's beep is waited for.
pub const BEEP_WAIT_S: u32 = 30;

/// How long a call takes that somebody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Seconds that it takes whoever hears all that is said, and takes the shortest way; none where what is played
    /// is not known here.
    pub least_s: Option<u32>,
    /// Seconds that it takes on the longest way, ringing included; none where what is played is not known here.
    pub most_s: Option<u32>,
}

impl Way {
    /// The shortest and the longest way of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            least_s: self.least_s.zip(other.least_s).map(|(a, b)| a.min(b)),
            most_s: self.most_s.zip(other.most_s).map(|(a, b)| a.max(b)),
        }
    }
}

/// Somebody else whom a call is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Whom.
    pub to: Destination,
    /// Seconds after which the platform ends that.
    pub longest_s: u32,
}

impl Leg {
    /// What it costs at most where a minute of it costs so much; none where that is no price.
    pub fn worst(&self, rate: Decimal) -> Option<Decimal> {
        let rate = Some(rate).filter(|rate| Money::is_price(*rate))?;
        rate.checked_mul(Decimal::from(self.minutes()))
    }

    /// Started minutes that it lasts at most.
    pub fn minutes(&self) -> u32 {
        self.longest_s.div_ceil(60).max(1)
    }
}

/// Either of the two ways that are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Shortest,
    Longest,
}

/// What a way through a menu costs: the menu itself, and what can follow, each with the menu it leads to.
struct Asked {
    itself_s: u32,
    follows: Vec<(u32, Option<usize>)>,
}

impl CallFlow<String> {
    /// The shortest and the longest way.
    pub fn way(&self) -> Way {
        let greeting = self.greeting.spoken_s();
        Way {
            least_s: greeting.map(|greeting| add(greeting, self.menus_s(Look::Shortest))),
            most_s: self.most_s(),
        }
    }

    /// Seconds that it takes on the longest way, ringing included; none where what is played is not known here.
    pub fn most_s(&self) -> Option<u32> {
        let greeting = self.greeting.spoken_s()?.saturating_mul(2);
        let person = add(greeting, self.menus_s(Look::Longest));
        let machine = match self.machine.as_ref().map(|machine| &machine.does) {
            Some(MachineDoes::Leave(say)) => add(FINDING_OUT_S, twice(say)),
            // It is found out while the greeting is spoken.
            Some(MachineDoes::LeaveAfterBeep(say)) => {
                add(greeting.max(FINDING_OUT_S), add(BEEP_WAIT_S, twice(say)))
            }
            Some(MachineDoes::HangUp | MachineDoes::Ignore) | None => 0,
        };
        let person = if self.looks_for_machines() && !self.waits_for_beep() {
            add(FINDING_OUT_S, person)
        } else {
            person
        };
        Some(add(BEYOND_TEXT_S, person.max(machine)))
    }

    /// Seconds from the first menu on.
    fn menus_s(&self, look: Look) -> u32 {
        let menus: Vec<Asked> = self.menus.iter().map(|menu| menu.asked(look)).collect();
        // Beyond the last visit a menu is not asked any more: the call ends.
        let mut after = vec![0; menus.len()];
        for _ in 0..VISITS_MAX {
            let way = |menu: &Asked| {
                let follows = menu.follows.iter().map(|(seconds, to)| {
                    let then = to.and_then(|to| after.get(to));
                    add(*seconds, then.copied().unwrap_or(0))
                });
                let follows = match look {
                    Look::Shortest => follows.min(),
                    Look::Longest => follows.max(),
                };
                add(menu.itself_s, follows.unwrap_or(0))
            };
            after = menus.iter().map(way).collect();
        }
        after.first().copied().unwrap_or(0)
    }

    /// Whom else the call can be connected to: one of them at most.
    pub fn legs(&self) -> Vec<Leg> {
        let choices = self.menus.iter().flat_map(Menu::choices);
        let legs = choices.filter_map(|choice| match &choice.next {
            Next::Connect { number, longest_s } => Some(Leg {
                to: Destination::number(number.clone()),
                longest_s: *longest_s,
            }),
            Next::End | Next::Menu(_) | Next::Conference { .. } => None,
        });
        legs.collect()
    }
}

impl Speech<String> {
    /// Seconds that a voice takes to speak it, about; none where what is played is not known here.
    fn spoken_s(&self) -> Option<u32> {
        match self {
            Self::Text(text) => Some(spoken_s(text)),
            Self::Prompts(items) => {
                let known = items.iter().all(|item| spoken_prompts(item));
                known.then(|| items.iter().map(|item| spoken_s(item)).fold(0, add))
            }
        }
    }
}

impl<T> CallFlow<T> {
    /// Events of a call that somebody must answer or act on while it goes on, in the order of a call.
    pub fn callbacks(&self) -> Vec<Event> {
        let needed = [
            (
                Event::Ace,
                self.looks_for_machines() && !self.waits_for_beep(),
            ),
            (Event::Pie, !self.menus.is_empty()),
            (Event::Notify, self.waits_for_beep()),
        ];
        let needed = needed.into_iter().filter(|(_, needed)| *needed);
        needed.map(|(event, _)| event).collect()
    }

    /// What can be shown as pressed, but for digits that are shown as they were pressed.
    pub fn responses(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for menu in &self.menus {
            match &menu.asks {
                Asks::Keys(keys) => found.extend(keys.iter().map(|(key, choice)| {
                    let key = || key.as_char().to_string();
                    choice.response.clone().unwrap_or_else(key)
                })),
                Asks::Digits { then, .. } => found.extend(then.response.clone()),
            }
        }
        found
    }

    /// Whether these digits can be shown as pressed, as they are.
    pub fn takes_digits(&self, digits: &str) -> bool {
        self.menus.iter().any(|menu| match &menu.asks {
            Asks::Digits { then, .. } => then.response.is_none() && menu.offers(digits),
            Asks::Keys(_) => false,
        })
    }
}

impl<T> Menu<T> {
    /// All that can follow on it: what is offered, then what follows otherwise.
    pub fn choices(&self) -> impl Iterator<Item = &Choice<T>> {
        let (keys, then) = match &self.asks {
            Asks::Keys(keys) => (keys.as_slice(), None),
            Asks::Digits { then, .. } => (&[][..], Some(then)),
        };
        let offered = keys.iter().map(|(_, choice)| choice).chain(then);
        offered.chain([&self.otherwise])
    }
}

impl Menu<String> {
    fn asked(&self, look: Look) -> Asked {
        let timeout = self.timeout_ms.div_ceil(1000);
        Asked {
            itself_s: match look {
                Look::Shortest => spoken_s(&self.say),
                Look::Longest => {
                    let once = add(twice(&self.say), timeout);
                    once.saturating_mul(self.repeat.saturating_add(1))
                }
            },
            follows: self.choices().map(|choice| choice.follows(look)).collect(),
        }
    }
}

impl Choice<String> {
    /// Seconds that it takes, and the menu that it leads to.
    fn follows(&self, look: Look) -> (u32, Option<usize>) {
        let say = self.say.as_deref().unwrap_or_default();
        match (look, &self.next) {
            (Look::Shortest, Next::Menu(to)) => (spoken_s(say), Some(*to)),
            (Look::Shortest, _) => (spoken_s(say), None),
            (Look::Longest, Next::Menu(to)) => (twice(say), Some(*to)),
            (Look::Longest, Next::End) => (twice(say), None),
            (
                Look::Longest,
                Next::Connect { longest_s, .. } | Next::Conference { longest_s, .. },
            ) => (add(twice(say), *longest_s), None),
        }
    }
}

/// Seconds to speak a text, counted twice: a slow voice takes that long.
fn twice(text: &str) -> u32 {
    spoken_s(text).saturating_mul(2)
}

fn add(a: u32, b: u32) -> u32 {
    a.saturating_add(b)
}
