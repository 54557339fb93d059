//! The rules of a call that asks, one by one.

use super::*;
use crate::domain::svaml::Event;

fn choice(
    response: Option<&str>,
    say: &'static str,
    next: Next<&'static str>,
) -> Choice<&'static str> {
    Choice {
        response: response.map(str::to_owned),
        say: Some(say),
        suppress: None,
        next,
    }
}

fn key(name: &str) -> Key {
    Key::parse(name).unwrap()
}

/// The first menu has the keys 1 (counts), 2 (goes on), 3 (connects), 9 (puts on a list), `*` (goes back), and the
/// second asks for four digits.
fn flow(machine: Option<MachineDoes<&'static str>>) -> CallFlow<&'static str> {
    let connect = Next::Connect {
        number: "+46812345678",
        longest_s: 600,
    };
    let opted_out = Choice {
        suppress: Some("no".to_owned()),
        ..choice(Some("opted out"), "never again", Next::End)
    };
    CallFlow {
        locale: None,
        greeting: Speech::Text("hello"),
        menus: vec![
            Menu {
                id: FIRST_MENU.to_owned(),
                say: "press",
                repeat: 1,
                timeout_ms: 5_000,
                asks: Asks::Keys(vec![
                    (key("1"), choice(Some("confirmed"), "thanks", Next::End)),
                    (key("2"), choice(None, "more", Next::Menu(1))),
                    (key("3"), choice(None, "wait", connect)),
                    (key("9"), opted_out),
                    (key("*"), choice(None, "again", Next::Menu(0))),
                ]),
                otherwise: choice(None, "goodbye", Next::End),
            },
            Menu {
                id: "pin-2".to_owned(),
                say: "pin",
                repeat: 0,
                timeout_ms: 1_000,
                asks: Asks::Digits {
                    count: 4,
                    then: choice(None, "thanks", Next::End),
                },
                otherwise: choice(None, "bye", Next::End),
            },
        ],
        machine: machine.map(|does| Machine {
            does,
            not_sure_is_machine: false,
            counts: false,
        }),
        reached: Some(BTreeSet::from(["confirmed".to_owned(), "2".to_owned()])),
    }
}

const FIRST: Visit = Visit { menu: 0, nth: 1 };
const PIN: Visit = Visit { menu: 1, nth: 2 };

fn pressed(keys: &str) -> Keyed {
    Keyed::Pressed(keys.to_owned())
}

/// What is said, and then.
fn after(at: Visit, keyed: &Keyed) -> (Option<&'static str>, String) {
    let flow = flow(None);
    let step = flow.after(at, keyed);
    assert_eq!(step.greeting, None, "a greeting is for the answer");
    (step.say.copied(), format!("{:?}", step.then))
}

#[test]
fn a_person_hears_the_greeting_and_then_the_first_menu() {
    let all = flow(Some(MachineDoes::Leave("message")));
    let step = all.answered(AnsweredBy::Person);
    assert_eq!(step.greeting, Some(&Speech::Text("hello")));
    assert_eq!((step.say, step.then), (None, Then::Ask(FIRST)));
    let without = CallFlow {
        menus: Vec::new(),
        ..all
    };
    let step = without.answered(AnsweredBy::Person);
    assert_eq!(step.greeting, Some(&Speech::Text("hello")));
    assert_eq!(step.then, Then::HangUp);
}

#[test]
fn a_machine_is_done_to_what_the_campaign_says() {
    let answered = |does: Option<MachineDoes<&'static str>>, by| {
        let flow = flow(does);
        let step = flow.answered(by);
        (
            step.greeting.is_some(),
            step.say.copied(),
            step.then == Then::Ask(FIRST),
        )
    };
    let person = (true, None, true);
    let machine = AnsweredBy::Machine;
    assert_eq!(
        answered(Some(MachineDoes::Leave("message")), machine),
        (false, Some("message"), false)
    );
    assert_eq!(
        answered(Some(MachineDoes::HangUp), machine),
        (false, None, false)
    );
    assert_eq!(answered(Some(MachineDoes::Ignore), machine), person);
    assert_eq!(answered(None, machine), person, "nobody looks for them");
    // What waits for a beep is not said at the answer.
    assert_eq!(
        answered(Some(MachineDoes::LeaveAfterBeep("message")), machine),
        person
    );
    assert_eq!(
        answered(
            Some(MachineDoes::LeaveAfterBeep("message")),
            AnsweredBy::NotYetKnown
        ),
        person
    );
    assert_eq!(
        answered(Some(MachineDoes::Leave("message")), AnsweredBy::NotSure),
        person
    );
    assert_eq!(
        answered(Some(MachineDoes::Leave("message")), AnsweredBy::Gone),
        (false, None, false)
    );
}

#[test]
fn who_may_be_a_machine_is_one_where_the_campaign_says_so() {
    let mut flow = flow(Some(MachineDoes::HangUp));
    assert!(flow.is_machine(AnsweredBy::Machine) && !flow.is_machine(AnsweredBy::NotSure));
    if let Some(machine) = &mut flow.machine {
        machine.not_sure_is_machine = true;
    }
    assert!(flow.is_machine(AnsweredBy::NotSure));
    for never in [
        AnsweredBy::Person,
        AnsweredBy::NotYetKnown,
        AnsweredBy::Gone,
    ] {
        assert!(!flow.is_machine(never), "{never:?}");
    }
}

#[test]
fn a_key_has_its_own_answer_and_everything_else_the_other() {
    let ends = |say| (Some(say), "HangUp".to_owned());
    assert_eq!(after(FIRST, &pressed("1")), ends("thanks"));
    assert_eq!(after(FIRST, &pressed("9")), ends("never again"));
    for nothing in [
        pressed("7"),
        pressed("#"),
        pressed("12"),
        pressed(""),
        Keyed::Nothing,
    ] {
        assert_eq!(after(FIRST, &nothing), ends("goodbye"), "{nothing:?}");
    }
    assert_eq!(after(FIRST, &Keyed::Gone), (None, "HangUp".to_owned()));
    let connects = "Connect(\"+46812345678\", 600)".to_owned();
    assert_eq!(after(FIRST, &pressed("3")), (Some("wait"), connects));
}

#[test]
fn digits_are_all_of_them_or_something_else() {
    let ends = |say| (Some(say), "HangUp".to_owned());
    assert_eq!(after(PIN, &pressed("0420")), ends("thanks"));
    for other in ["042", "04200", "04*0", "०४२०", "star"] {
        assert_eq!(after(PIN, &pressed(other)), ends("bye"), "{other}");
    }
}

#[test]
fn a_call_asks_ten_menus_and_says_goodbye_instead_of_the_eleventh() {
    let again = |nth| after(Visit { menu: 0, nth }, &pressed("star"));
    let asks = |nth| format!("{:?}", Then::<&str>::Ask(Visit { menu: 0, nth }));
    assert_eq!(again(1), (Some("again"), asks(2)));
    assert_eq!(again(9), (Some("again"), asks(10)));
    assert_eq!(again(10), (Some("again"), "HangUp".to_owned()));
    let more = after(FIRST, &pressed("2"));
    assert_eq!(
        more,
        (Some("more"), format!("{:?}", Then::<&str>::Ask(PIN)))
    );
}

#[test]
fn an_id_is_one_visit_and_no_other() {
    let flow = flow(None);
    let mut ids = BTreeSet::new();
    assert_eq!(flow.id_of(FIRST), "main");
    for menu in 0..2 {
        for nth in 2..=VISITS_MAX {
            let visit = Visit { menu, nth };
            let id = flow.id_of(visit);
            assert_eq!(flow.visit(&id), Some(visit), "{id}");
            assert!(ids.insert(id));
        }
    }
    assert_eq!(flow.visit("main"), Some(FIRST));
    for none in [
        "", "main-1", "main-11", "main-02", "main-+2", "main-2x", "pin", "pin-2", "other-2", "-2",
        "2",
    ] {
        assert_eq!(flow.visit(none), None, "{none}");
    }
    assert_eq!(
        flow.visit("pin-2-2"),
        Some(PIN),
        "a name may end in a number"
    );
}

#[test]
fn what_was_pressed_is_shown_by_its_response_and_means_what_the_campaign_says() {
    let flow = flow(None);
    let chosen = |at, keys: &str| {
        let chosen = flow.chosen(at, &pressed(keys))?;
        Some((chosen.response, chosen.suppress, chosen.makes))
    };
    let all = |of: &[InCall]| of.iter().fold(InCall::PRESSED, |all, one| all.and(*one));
    assert_eq!(
        chosen(FIRST, "1"),
        Some(("confirmed".into(), None, all(&[InCall::COUNTS])))
    );
    assert_eq!(
        chosen(FIRST, "2"),
        Some(("2".into(), None, all(&[InCall::COUNTS])))
    );
    assert_eq!(
        chosen(FIRST, "3"),
        Some(("3".into(), None, all(&[InCall::CONNECTED])))
    );
    assert_eq!(chosen(FIRST, "star"), Some(("*".into(), None, all(&[]))));
    let opted_out = Some(("opted out".into(), Some("no"), all(&[InCall::OPTED_OUT])));
    assert_eq!(chosen(FIRST, "9"), opted_out);
    assert_eq!(chosen(PIN, "0420"), Some(("0420".into(), None, all(&[]))));
    assert_eq!((chosen(FIRST, "7"), chosen(PIN, "042")), (None, None));
    assert_eq!(flow.chosen(FIRST, &Keyed::Nothing), None);
    assert_eq!(flow.chosen(FIRST, &Keyed::Gone), None);
    assert_eq!(flow.chosen(Visit { menu: 7, nth: 2 }, &pressed("1")), None);
    assert_eq!(flow.chosen(PIN, &pressed("0420")).map(|it| it.nth), Some(2));
}

#[test]
fn a_key_is_known_by_its_sign_and_by_its_word() {
    for (name, word) in [
        ("0", "0"),
        ("9", "9"),
        ("*", "star"),
        ("#", "hash"),
        ("star", "star"),
    ] {
        assert_eq!(key(name).word(), word);
        assert_eq!(Key::parse(word), Key::parse(name));
    }
    for none in ["", "10", "a", "+", "Star", "١"] {
        assert_eq!(Key::parse(none), None, "{none}");
    }
}

#[test]
fn a_backend_is_needed_for_menus_and_for_machines_that_are_looked_for() {
    let needs = |menus: bool, does: Option<MachineDoes<&'static str>>| {
        let mut flow = flow(does);
        if !menus {
            flow.menus.clear();
        }
        assert_eq!(flow.needs_receiver(), !flow.callbacks().is_empty());
        flow.callbacks()
            .into_iter()
            .map(Event::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(needs(false, None), "");
    assert_eq!(needs(true, None), "pie");
    assert_eq!(needs(false, Some(MachineDoes::Ignore)), "");
    assert_eq!(needs(false, Some(MachineDoes::HangUp)), "ace");
    assert_eq!(needs(true, Some(MachineDoes::Leave("m"))), "ace pie");
    assert_eq!(
        needs(true, Some(MachineDoes::LeaveAfterBeep("m"))),
        "pie notify"
    );
}

#[test]
fn the_outline_leads_the_same_ways_without_a_word() {
    let outline = flow(Some(MachineDoes::Leave("message"))).outline();
    assert_eq!(outline.after(FIRST, &pressed("2")).then, Then::Ask(PIN));
    let chosen = outline
        .chosen(FIRST, &pressed("9"))
        .map(|chosen| chosen.response);
    assert_eq!(chosen.as_deref(), Some("opted out"));
    assert_eq!(
        outline.wanted(),
        Wanted {
            response: true,
            machine_counts: false
        }
    );
}
