//! Whether the tables of a call that asks fit together, once they are all known.

use std::collections::BTreeSet;

use crate::domain::call_flow::VISITS_MAX;
use crate::domain::{CallFlow, Choice, DestinationKind, Menu, Next};

use super::fault::{listed, nearest};
use super::place::Place;
use super::table::{Placed, Table};
use super::template::TextId;

type Flow = CallFlow<TextId>;

/// What may not be beside a call that asks.
pub(super) fn callout(root: &Table<'_, '_>, kind: DestinationKind) {
    let others = match kind {
        DestinationKind::Number => None,
        DestinationKind::Username => Some("user names"),
        DestinationKind::Sip => Some("SIP addresses"),
    };
    if let Some(names) = others
        && let Some(place) = place_of(root, &["recipients"], "destination_type")
    {
        let message = format!("a call that asks goes to telephone numbers, the list has {names}");
        let help = "leave [menu], [machine] and [reached] out, or name a list of numbers";
        root.file.fault(&place, message, help);
    }
    for name in ["domain", "enable_ace", "enable_pie"] {
        if let Some(place) = place_of(root, &["callout", "tts"], name) {
            let message = format!("`{name}` does not go with a call that asks");
            let help = if name == "domain" {
                "such a call goes to a telephone number: leave it out"
            } else {
                "leave it out: what is asked for follows from [menu] and [machine]"
            };
            root.file.fault(&place, message, help);
        }
    }
}

/// What can only be seen of all menus together.
pub(super) fn flow(root: &Table<'_, '_>, flow: &Flow, reached: &[Placed<String>]) {
    nobody_asks(root, flow);
    goes_back(root, flow);
    counts(root, flow, reached);
}

/// A connection that is let go on for longer than any call may last is cut.
pub(super) fn longest_call(root: &Table<'_, '_>, flow: &Flow, longest_call_s: u32) {
    for menu in &flow.menus {
        let longest = menu.choices().filter_map(|choice| match choice.next {
            Next::Connect { longest_s, .. } | Next::Conference { longest_s, .. } => Some(longest_s),
            Next::End | Next::Menu(_) => None,
        });
        if longest
            .max()
            .is_some_and(|longest_s| longest_s >= longest_call_s)
            && let Some(place) = place_of(root, &["spend"], "longest_call")
        {
            let message = format!(
                "`longest_call` ends a call before the `longest` of menu `{}` is over",
                menu.id
            );
            let help = "it is for the whole call: a longer one lets whoever is connected speak on";
            root.file.warn(&place, message, help);
        }
    }
}

/// Menus that no way leads to.
fn nobody_asks(root: &Table<'_, '_>, flow: &Flow) {
    let asked = from(flow, 0);
    for (at, menu) in flow.menus.iter().enumerate() {
        if at != 0
            && !asked.contains(&at)
            && let Some(place) = place_of(root, &["menu"], &menu.id)
        {
            let message = format!("no key leads to menu `{}`", menu.id);
            let help = format!("name it in another menu: menu = \"{}\"", menu.id);
            root.file.fault(&place, message, help);
        }
    }
    let in_time = within(flow, VISITS_MAX);
    for at in asked.difference(&in_time).filter(|at| **at != 0) {
        if let Some(menu) = flow.menus.get(*at)
            && let Some(place) = place_of(root, &["menu"], &menu.id)
        {
            let message = format!("menu `{}` is behind {VISITS_MAX} others", menu.id);
            let help = format!("a call asks {VISITS_MAX} menus at most, and ends then");
            root.file.fault(&place, message, help);
        }
    }
}

/// The menus that can be among the first so many of a call.
fn within(flow: &Flow, visits: u32) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([0]);
    for _ in 1..visits {
        let menus = found.iter().filter_map(|at| flow.menus.get(*at));
        let next: Vec<usize> = menus.flat_map(Menu::choices).filter_map(leads_to).collect();
        found.extend(next);
    }
    found
}

/// Whoever says nothing must not be asked the same over and over.
fn goes_back(root: &Table<'_, '_>, flow: &Flow) {
    for (at, menu) in flow.menus.iter().enumerate() {
        let Next::Menu(to) = menu.otherwise.next else {
            continue;
        };
        if to != at && !from(flow, to).contains(&at) {
            continue;
        }
        if let Some(place) = place_of(root, &["menu", &menu.id, "otherwise"], "menu") {
            let message = format!(
                "`otherwise` goes back: from there a way leads to menu `{}`",
                menu.id
            );
            let help = "`repeat` asks a menu again; only a key may lead back to it";
            root.file.fault(&place, message, help);
        }
    }
}

/// The menus that ways lead to from one.
fn from(flow: &Flow, start: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        let choices = flow.menus.get(at).into_iter().flat_map(Menu::choices);
        for to in choices.filter_map(leads_to) {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

fn leads_to(choice: &Choice<TextId>) -> Option<usize> {
    match choice.next {
        Next::Menu(to) => Some(to),
        Next::End | Next::Connect { .. } | Next::Conference { .. } => None,
    }
}

/// What counts as reached is what some key is shown as.
fn counts(root: &Table<'_, '_>, flow: &Flow, reached: &[Placed<String>]) {
    let responses = flow.responses();
    for Placed { value, place } in reached {
        if responses.contains(value) || flow.takes_digits(value) {
            continue;
        }
        let known = || responses.iter().map(String::as_str);
        let help = nearest(value, known()).map_or_else(
            || {
                if responses.is_empty() {
                    return "no key is offered at all: add [menu.main]".to_owned();
                }
                format!("the responses are {}", listed(known()))
            },
            |near| format!("did you mean \"{near}\"?"),
        );
        let message = format!("no key has the response `{}`", value.escape_debug());
        root.file.fault(place, message, help);
    }
}

/// Where a key of a table below the campaign stands; none where it is not there.
pub(super) fn place_of(root: &Table<'_, '_>, way: &[&str], key: &str) -> Option<Place> {
    root.below(way)?
        .keys()
        .find(|it| it.get_ref() == key)
        .map(|it| Place::of(it.span()))
}
