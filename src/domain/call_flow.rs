//! What happens in a call that asks: menus, keys, machines, and what follows on each of them.
//!
//! Pure, and without the texts: `T` is what a text is. In a campaign it is a template, for a row it is the words,
//! and `()` where nobody asks for words. Where a call stands travels in the ids of its menus ([`Visit`]), so that
//! what follows on an event is decided by the event alone: a repeat gets the same answer again.

use std::collections::BTreeSet;

use super::{InCall, Wanted};

/// The menu that is asked first.
pub const FIRST_MENU: &str = "main";
/// Menus that are asked in one call, at most.
pub const VISITS_MAX: u32 = 10;
/// A response of this name would be read as a machine's.
pub const MACHINE: &str = "machine";

/// What happens in a call. Without menus the greeting is all that is said to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFlow<T> {
    /// Language or voice of all that is said.
    pub locale: Option<T>,
    /// What is said first, to a person.
    pub greeting: Speech<T>,
    /// What is asked; the first is asked after the greeting.
    pub menus: Vec<Menu<T>>,
    /// What is done about machines; none: they are not looked for.
    pub machine: Option<Machine<T>>,
    /// Responses that count as reached; none: every answered call does.
    pub reached: Option<BTreeSet<String>>,
}

/// Either of the two ways to say what is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speech<T> {
    /// Words.
    Text(T),
    /// Prompts, played one after the other.
    Prompts(Vec<T>),
}

/// One menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu<T> {
    /// Its name in the campaign.
    pub id: String,
    /// What is asked.
    pub say: T,
    /// How often it is asked once more.
    pub repeat: u32,
    /// How long a key is waited for, in milliseconds.
    pub timeout_ms: u32,
    /// What may be pressed.
    pub asks: Asks<T>,
    /// What follows where nothing was pressed that is offered.
    pub otherwise: Choice<T>,
}

/// What may be pressed in a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks<T> {
    /// One of these keys.
    Keys(Vec<(Key, Choice<T>)>),
    /// So many digits.
    Digits {
        /// How many.
        count: u32,
        /// What follows on them.
        then: Choice<T>,
    },
}

/// A key of a telephone: 0 to 9, `*` or `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(char);

/// What follows on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<T> {
    /// What is shown as pressed; none: the key itself.
    pub response: Option<String>,
    /// What is said then.
    pub say: Option<T>,
    /// The suppression list that the number goes on.
    pub suppress: Option<String>,
    /// And then.
    pub next: Next<T>,
}

/// What a choice leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<T> {
    /// The call ends.
    End,
    /// Another menu, by its place.
    Menu(usize),
    /// Somebody else on the line.
    Connect {
        /// Their number.
        number: T,
        /// Seconds that this may last.
        longest_s: u32,
    },
    /// A conference.
    Conference {
        /// Its id.
        id: T,
        /// Seconds that this may last.
        longest_s: u32,
    },
}

/// What is done about answering machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine<T> {
    /// What.
    pub does: MachineDoes<T>,
    /// Whether it is a machine where the platform is not sure.
    pub not_sure_is_machine: bool,
    /// Whether a machine counts as reached.
    pub counts: bool,
}

/// What is done when a machine answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineDoes<T> {
    /// A message is spoken as soon as the platform says so.
    Leave(T),
    /// A message is spoken after its beep.
    LeaveAfterBeep(T),
    /// The call ends.
    HangUp,
    /// It is treated as a person.
    Ignore,
}

/// One asking of a menu in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Which menu, by its place.
    pub menu: usize,
    /// The how-manyth menu of the call, from 1.
    pub nth: u32,
}

/// Who answered a call, as far as that was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnsweredBy {
    /// A person, or nobody looked.
    Person,
    /// A machine.
    Machine,
    /// The platform cannot tell.
    NotSure,
    /// It is being found out while the call goes on.
    NotYetKnown,
    /// Whoever it was has hung up.
    Gone,
}

/// What a menu resulted in.
#[derive(Clone, PartialEq, Eq)]
pub enum Keyed {
    /// What was pressed: a key, or the digits of a menu that asks for digits.
    Pressed(String),
    /// Nothing, or nothing that is offered.
    Nothing,
    /// Whoever was asked has hung up.
    Gone,
}

impl std::fmt::Debug for Keyed {
    /// What people press may be a number of theirs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pressed(_) => "Pressed",
            Self::Nothing => "Nothing",
            Self::Gone => "Gone",
        })
    }
}

/// What is said and done next in a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'f, T> {
    /// The greeting, where it is its turn.
    pub greeting: Option<&'f Speech<T>>,
    /// What is said then.
    pub say: Option<&'f T>,
    /// And then.
    pub then: Then<'f, T>,
}

/// What a step ends with.
#[derive(Debug, PartialEq, Eq)]
pub enum Then<'f, T> {
    /// The call ends.
    HangUp,
    /// A menu is asked.
    Ask(Visit),
    /// Somebody else is called, for so many seconds at most.
    Connect(&'f T, u32),
    /// A conference is joined, for so many seconds at most.
    Conference(&'f T, u32),
}

/// Something pressed that is offered, and what that means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<'f> {
    /// The how-manyth menu of the call it was pressed in, from 1.
    pub nth: u32,
    /// The response.
    pub response: String,
    /// The suppression list that the number goes on.
    pub suppress: Option<&'f str>,
    /// What that makes of the call.
    pub makes: InCall,
}

impl Key {
    /// The key of this name, in a campaign or in an event; none where a telephone has none.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "star" => return Some(Self('*')),
            "hash" => return Some(Self('#')),
            _ => {}
        }
        let mut chars = name.chars();
        let key = chars.next().filter(|_| chars.next().is_none())?;
        (key.is_ascii_digit() || key == '*' || key == '#').then_some(Self(key))
    }

    /// The word that a menu returns for it: letters and digits alone.
    pub fn word(self) -> String {
        match self.0 {
            '*' => "star".to_owned(),
            '#' => "hash".to_owned(),
            digit => digit.to_string(),
        }
    }

    /// As it is pressed.
    pub fn as_char(self) -> char {
        self.0
    }
}

impl<T> Step<'_, T> {
    /// Nothing more is said.
    pub fn hang_up() -> Self {
        Self {
            greeting: None,
            say: None,
            then: Then::HangUp,
        }
    }
}

impl<T> CallFlow<T> {
    /// What follows on an answered call.
    pub fn answered(&self, by: AnsweredBy) -> Step<'_, T> {
        if by == AnsweredBy::Gone {
            return Step::hang_up();
        }
        if self.is_machine(by) {
            match self.machine.as_ref().map(|machine| &machine.does) {
                Some(MachineDoes::Leave(say)) => {
                    return Step {
                        say: Some(say),
                        ..Step::hang_up()
                    };
                }
                Some(MachineDoes::HangUp) => return Step::hang_up(),
                Some(MachineDoes::LeaveAfterBeep(_) | MachineDoes::Ignore) | None => {}
            }
        }
        let first = Visit { menu: 0, nth: 1 };
        Step {
            greeting: Some(&self.greeting),
            say: None,
            then: if self.menus.is_empty() {
                Then::HangUp
            } else {
                Then::Ask(first)
            },
        }
    }

    /// What follows on what a menu resulted in.
    pub fn after(&self, at: Visit, keyed: &Keyed) -> Step<'_, T> {
        match self.choice(at, keyed) {
            Some(choice) => self.step(at, choice),
            None => Step::hang_up(),
        }
    }

    /// What follows where nothing is known of what was pressed.
    pub fn otherwise(&self, at: Visit) -> Step<'_, T> {
        self.after(at, &Keyed::Nothing)
    }

    fn step<'f>(&'f self, at: Visit, choice: &'f Choice<T>) -> Step<'f, T> {
        Step {
            greeting: None,
            say: choice.say.as_ref(),
            then: match &choice.next {
                Next::Menu(menu) if at.nth < VISITS_MAX && *menu < self.menus.len() => {
                    Then::Ask(Visit {
                        menu: *menu,
                        nth: at.nth + 1,
                    })
                }
                Next::End | Next::Menu(_) => Then::HangUp,
                Next::Connect { number, longest_s } => Then::Connect(number, *longest_s),
                Next::Conference { id, longest_s } => Then::Conference(id, *longest_s),
            },
        }
    }

    /// What follows on what a menu resulted in, as the campaign has it; none where the call is over.
    pub fn choice(&self, at: Visit, keyed: &Keyed) -> Option<&Choice<T>> {
        let menu = self.menus.get(at.menu)?;
        match keyed {
            Keyed::Gone => None,
            Keyed::Nothing => Some(&menu.otherwise),
            Keyed::Pressed(pressed) => Some(menu.offered(pressed).unwrap_or(&menu.otherwise)),
        }
    }

    /// What was pressed, where it is offered.
    pub fn chosen(&self, at: Visit, keyed: &Keyed) -> Option<Chosen<'_>> {
        let Keyed::Pressed(pressed) = keyed else {
            return None;
        };
        let choice = self.menus.get(at.menu)?.offered(pressed)?;
        let key = || match Key::parse(pressed) {
            Some(key) => key.as_char().to_string(),
            None => pressed.clone(),
        };
        let response = choice.response.clone().unwrap_or_else(key);
        let counts = self.reached.as_ref().is_some_and(|r| r.contains(&response));
        let connects = matches!(choice.next, Next::Connect { .. });
        let makes = [
            (true, InCall::PRESSED),
            (counts, InCall::COUNTS),
            (connects, InCall::CONNECTED),
            (choice.suppress.is_some(), InCall::OPTED_OUT),
        ];
        let makes = makes.into_iter().filter(|(is, _)| *is);
        Some(Chosen {
            nth: at.nth,
            response,
            suppress: choice.suppress.as_deref(),
            makes: makes.fold(InCall::NOTHING, |all, (_, one)| all.and(one)),
        })
    }

    /// Whether whoever answered is taken for a machine.
    pub fn is_machine(&self, by: AnsweredBy) -> bool {
        match (&self.machine, by) {
            (Some(_), AnsweredBy::Machine) => true,
            (Some(machine), AnsweredBy::NotSure) => machine.not_sure_is_machine,
            _ => false,
        }
    }

    /// The id under which a menu is asked at a visit. Each visit has its own, but for the first of the call.
    pub fn id_of(&self, at: Visit) -> String {
        let id = self.menus.get(at.menu).map_or("", |menu| &menu.id);
        if at.nth <= 1 {
            id.to_owned()
        } else {
            format!("{id}-{}", at.nth)
        }
    }

    /// The visit that an id means.
    pub fn visit(&self, asked: &str) -> Option<Visit> {
        let find = |id: &str| self.menus.iter().position(|menu| menu.id == id);
        let numbered = || {
            let (id, nth) = asked.rsplit_once('-')?;
            let nth = nth
                .parse()
                .ok()
                .filter(|nth| (2..=VISITS_MAX).contains(nth))?;
            Some(Visit {
                menu: find(id)?,
                nth,
            })
        };
        if asked == FIRST_MENU {
            return (!self.menus.is_empty()).then_some(Visit { menu: 0, nth: 1 });
        }
        // Numbers have other spellings, and those are nobody's ids.
        numbered().filter(|at| self.id_of(*at) == asked)
    }

    /// What a call must bring for its recipient to be reached.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            response: self.reached.is_some(),
            machine_counts: self.machine.as_ref().is_some_and(|machine| machine.counts),
        }
    }

    /// Whether a backend must answer while a call goes on.
    pub fn needs_receiver(&self) -> bool {
        !self.menus.is_empty() || self.looks_for_machines()
    }

    /// Whether machines are looked for.
    pub fn looks_for_machines(&self) -> bool {
        let ignored = |machine: &Machine<T>| matches!(machine.does, MachineDoes::Ignore);
        self.machine
            .as_ref()
            .is_some_and(|machine| !ignored(machine))
    }

    /// Whether a machine is found out while the call goes on, and told as a notification.
    pub fn waits_for_beep(&self) -> bool {
        let waits = |machine: &Machine<T>| matches!(machine.does, MachineDoes::LeaveAfterBeep(_));
        self.machine.as_ref().is_some_and(waits)
    }

    /// The same flow with every text made into another; the first that cannot be is the error.
    pub fn try_map<U, E>(
        &self,
        mut text: impl FnMut(&T) -> Result<U, E>,
    ) -> Result<CallFlow<U>, E> {
        let text = &mut text;
        Ok(CallFlow {
            locale: self.locale.as_ref().map(&mut *text).transpose()?,
            greeting: self.greeting.try_map(text)?,
            menus: self
                .menus
                .iter()
                .map(|menu| menu.try_map(text))
                .collect::<Result<_, E>>()?,
            machine: self
                .machine
                .as_ref()
                .map(|machine| machine.try_map(text))
                .transpose()?,
            reached: self.reached.clone(),
        })
    }

    /// The same flow without its words: enough to tell what was pressed and what that means.
    pub fn outline(&self) -> CallFlow<()> {
        let Ok(outline) = self.try_map(|_| Ok::<(), std::convert::Infallible>(()));
        outline
    }
}

impl<T> Speech<T> {
    fn try_map<U, E>(&self, text: &mut impl FnMut(&T) -> Result<U, E>) -> Result<Speech<U>, E> {
        Ok(match self {
            Self::Text(it) => Speech::Text(text(it)?),
            Self::Prompts(items) => {
                Speech::Prompts(items.iter().map(text).collect::<Result<_, E>>()?)
            }
        })
    }
}

impl<T> Menu<T> {
    /// Whether something that can be pressed is offered.
    pub fn offers(&self, pressed: &str) -> bool {
        self.offered(pressed).is_some()
    }

    /// What follows on something pressed; none where it is not offered.
    fn offered(&self, pressed: &str) -> Option<&Choice<T>> {
        match &self.asks {
            Asks::Keys(keys) => {
                let key = Key::parse(pressed)?;
                keys.iter()
                    .find(|(it, _)| *it == key)
                    .map(|(_, choice)| choice)
            }
            Asks::Digits { count, then } => {
                let digits = pressed.bytes().all(|b| b.is_ascii_digit());
                (digits && u32::try_from(pressed.len()).is_ok_and(|n| n == *count)).then_some(then)
            }
        }
    }

    fn try_map<U, E>(&self, text: &mut impl FnMut(&T) -> Result<U, E>) -> Result<Menu<U>, E> {
        Ok(Menu {
            id: self.id.clone(),
            say: text(&self.say)?,
            repeat: self.repeat,
            timeout_ms: self.timeout_ms,
            asks: match &self.asks {
                Asks::Keys(keys) => {
                    let keys = keys
                        .iter()
                        .map(|(key, choice)| Ok((*key, choice.try_map(text)?)));
                    Asks::Keys(keys.collect::<Result<_, E>>()?)
                }
                Asks::Digits { count, then } => Asks::Digits {
                    count: *count,
                    then: then.try_map(text)?,
                },
            },
            otherwise: self.otherwise.try_map(text)?,
        })
    }
}

impl<T> Choice<T> {
    fn try_map<U, E>(&self, text: &mut impl FnMut(&T) -> Result<U, E>) -> Result<Choice<U>, E> {
        Ok(Choice {
            response: self.response.clone(),
            say: self.say.as_ref().map(&mut *text).transpose()?,
            suppress: self.suppress.clone(),
            next: match &self.next {
                Next::End => Next::End,
                Next::Menu(menu) => Next::Menu(*menu),
                Next::Connect { number, longest_s } => Next::Connect {
                    number: text(number)?,
                    longest_s: *longest_s,
                },
                Next::Conference { id, longest_s } => Next::Conference {
                    id: text(id)?,
                    longest_s: *longest_s,
                },
            },
        })
    }
}

impl<T> Machine<T> {
    fn try_map<U, E>(&self, text: &mut impl FnMut(&T) -> Result<U, E>) -> Result<Machine<U>, E> {
        Ok(Machine {
            does: match &self.does {
                MachineDoes::Leave(say) => MachineDoes::Leave(text(say)?),
                MachineDoes::LeaveAfterBeep(say) => MachineDoes::LeaveAfterBeep(text(say)?),
                MachineDoes::HangUp => MachineDoes::HangUp,
                MachineDoes::Ignore => MachineDoes::Ignore,
            },
            not_sure_is_machine: self.not_sure_is_machine,
            counts: self.counts,
        })
    }
}

#[cfg(test)]
#[path = "call_flow_tests.rs"]
mod tests;
