//! What happens in a call that asks, as people read it: a tree; and as programs do.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::moments::human;
use super::words::counted;
use crate::domain::svaml::Event;
use crate::domain::{Asks, CallFlow, Choice, Key, Machine, MachineDoes, Menu, Next, Speech};

type Flow = CallFlow<String>;

/// The call as a tree, a line for each thing; what lies deeper is indented.
pub fn tree(flow: &Flow) -> Vec<String> {
    let mut tree = Tree {
        flow,
        lines: Vec::new(),
        told: vec![false; flow.menus.len()],
    };
    tree.lines.push(format!("says {}", speech(&flow.greeting)));
    if flow.menus.is_empty() {
        tree.lines.push("hangs up".to_owned());
    } else {
        tree.menu(0, 0);
    }
    if let Some(machine) = &flow.machine {
        tree.lines.push(machine_line(machine));
    }
    if let Some(reached) = &flow.reached {
        let any: Vec<String> = reached.iter().map(|name| format!("{name:?}")).collect();
        let any = any.join(" or ");
        tree.lines
            .push(format!("reached is whose response is {any}"));
    }
    tree.lines
}

struct Tree<'a> {
    flow: &'a Flow,
    lines: Vec<String>,
    /// The menus that were told already.
    told: Vec<bool>,
}

impl Tree<'_> {
    fn menu(&mut self, at: usize, depth: usize) {
        let Some(menu) = self.flow.menus.get(at) else {
            return;
        };
        if let Some(told) = self.told.get_mut(at) {
            *told = true;
        }
        let times = counted(u64::from(menu.repeat) + 1, "time", "times");
        let timeout = human(Duration::from_millis(menu.timeout_ms.into()));
        self.line(
            depth,
            &format!(
                "asks menu {}: {:?}, {times} at most, {timeout} for a key",
                menu.id, menu.say
            ),
        );
        match &menu.asks {
            Asks::Keys(keys) => {
                for (key, choice) in keys {
                    self.choice(&key.as_char().to_string(), Some(*key), choice, depth + 1);
                }
            }
            Asks::Digits { count, then } => {
                let what = counted(u64::from(*count), "digit", "digits");
                self.choice(&what, None, then, depth + 1);
            }
        }
        self.choice("otherwise", None, &menu.otherwise, depth + 1);
    }

    fn choice(&mut self, pressed: &str, key: Option<Key>, choice: &Choice<String>, depth: usize) {
        let shown = choice
            .response
            .clone()
            .or_else(|| key.map(|key| key.as_char().to_string()));
        let counts = |shown: &String| {
            self.flow
                .reached
                .as_ref()
                .is_some_and(|r| r.contains(shown))
        };
        let counts = shown.as_ref().is_some_and(counts);
        let mut parts = Vec::new();
        parts.extend(
            choice
                .response
                .as_ref()
                .map(|response| format!("{response:?}")),
        );
        parts.extend(counts.then(|| "counts as reached".to_owned()));
        parts.extend(
            choice
                .suppress
                .as_ref()
                .map(|list| format!("puts the number on suppression list {list:?}")),
        );
        parts.extend(choice.say.as_ref().map(|say| format!("says {say:?}")));
        let to = match &choice.next {
            Next::Menu(to) => Some(*to),
            Next::End | Next::Connect { .. } | Next::Conference { .. } => None,
        };
        parts.push(self.next(&choice.next));
        self.line(depth, &format!("{pressed}: {}", parts.join(", ")));
        if let Some(to) = to.filter(|to| self.told.get(*to) == Some(&false)) {
            self.menu(to, depth + 1);
        }
    }

    fn next(&self, next: &Next<String>) -> String {
        let seconds = |seconds: u32| human(Duration::from_secs(seconds.into()));
        match next {
            Next::End => "hangs up".to_owned(),
            Next::Menu(to) => {
                let id = self.flow.menus.get(*to).map_or("", |menu| &menu.id);
                if self.told.get(*to) == Some(&true) {
                    format!("asks menu {id} again")
                } else {
                    format!("goes to menu {id}")
                }
            }
            Next::Connect { number, longest_s } => {
                format!("connects to {number}, {} at most", seconds(*longest_s))
            }
            Next::Conference { id, longest_s } => {
                format!("joins conference {id:?}, {} at most", seconds(*longest_s))
            }
        }
    }

    fn line(&mut self, depth: usize, words: &str) {
        self.lines.push(format!("{}{words}", "  ".repeat(depth)));
    }
}

fn speech(speech: &Speech<String>) -> String {
    match speech {
        Speech::Text(text) => format!("{text:?}"),
        Speech::Prompts(items) => format!("{:?}", items.join(";")),
    }
}

fn machine_line(machine: &Machine<String>) -> String {
    let does = match &machine.does {
        MachineDoes::Leave(say) => format!("is left {say:?}"),
        MachineDoes::LeaveAfterBeep(say) => format!("is left {say:?} after its beep"),
        MachineDoes::HangUp => "is hung up on".to_owned(),
        MachineDoes::Ignore => "is treated as a person: nobody looks for it".to_owned(),
    };
    let unsure = if machine.not_sure_is_machine {
        "; whoever may be one is taken for one"
    } else {
        ""
    };
    let counts = if machine.counts {
        "reached"
    } else {
        "not reached"
    };
    format!("a machine {does}{unsure}; it counts as {counts}")
}

/// The call for programs.
pub fn json(flow: &Flow) -> Value {
    let callbacks = flow.callbacks().into_iter().map(Event::as_str);
    json!({
        "locale": flow.locale,
        "greeting": match &flow.greeting {
            Speech::Text(text) => json!({ "text": text }),
            Speech::Prompts(items) => json!({ "prompts": items }),
        },
        "menus": flow.menus.iter().map(|menu| menu_json(flow, menu)).collect::<Vec<_>>(),
        "machine": flow.machine.as_ref().map(machine_json),
        "reached": flow.reached,
        "callbacks": callbacks.collect::<Vec<_>>(),
    })
}

fn menu_json(flow: &Flow, menu: &Menu<String>) -> Value {
    let (keys, digits, then) = match &menu.asks {
        Asks::Keys(keys) => {
            let keys = keys.iter().map(|(key, choice)| {
                let key = key.as_char().to_string();
                (key.clone(), choice_json(flow, Some(&key), choice))
            });
            (Some(keys.collect::<Map<_, _>>()), None, None)
        }
        Asks::Digits { count, then } => (None, Some(count), Some(choice_json(flow, None, then))),
    };
    json!({
        "id": menu.id,
        "say": menu.say,
        "repeat": menu.repeat,
        "timeout_s": f64::from(menu.timeout_ms) / 1000.0,
        "keys": keys,
        "digits": digits,
        "then": then,
        "otherwise": choice_json(flow, None, &menu.otherwise),
    })
}

fn choice_json(flow: &Flow, key: Option<&str>, choice: &Choice<String>) -> Value {
    let response = choice.response.as_deref().or(key);
    let counts = flow
        .reached
        .as_ref()
        .is_none_or(|reached| response.is_some_and(|response| reached.contains(response)));
    let (mut menu, mut connect, mut conference, mut longest) = (None, None, None, None);
    match &choice.next {
        Next::End => {}
        Next::Menu(to) => menu = flow.menus.get(*to).map(|menu| menu.id.as_str()),
        Next::Connect { number, longest_s } => (connect, longest) = (Some(number), Some(longest_s)),
        Next::Conference { id, longest_s } => (conference, longest) = (Some(id), Some(longest_s)),
    }
    json!({
        "response": response,
        "counts_as_reached": counts,
        "say": choice.say,
        "suppress": choice.suppress,
        "menu": menu,
        "connect": connect,
        "conference": conference,
        "longest_s": longest,
    })
}

fn machine_json(machine: &Machine<String>) -> Value {
    let (does, say) = match &machine.does {
        MachineDoes::Leave(say) => ("leave", Some(say)),
        MachineDoes::LeaveAfterBeep(say) => ("leave after beep", Some(say)),
        MachineDoes::HangUp => ("hang up", None),
        MachineDoes::Ignore => ("ignore", None),
    };
    json!({
        "do": does,
        "say": say,
        "not_sure": if machine.not_sure_is_machine { "machine" } else { "person" },
        "counts_as": if machine.counts { "reached" } else { "unreached" },
    })
}
