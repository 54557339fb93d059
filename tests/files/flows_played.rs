//! A flow, compiled and played by the simulated platform, is the flow that the pure module walks: the same texts are
//! heard in the same order, whoever answers and whatever they press.

use std::time::Duration;

use callout::domain::{
    AnsweredBy, Asks, AttemptId, CallFlow, Callout, CalloutBody, Choice, Destination, FlowCallout,
    Keyed, MachineDoes, Menu, Next, Signalled, Speech, Then, Visit,
};
use callout::serve::talk;
use callout::simulator::{Delivery, Mix, Options, People, PlayedRow, PressedRow, World};
use callout::sinch::callouts::CalloutRequest;
use callout::sinch::events::Event;
use jiff::Timestamp;
use proptest::prelude::*;

use crate::call_flows::any_flow;

const CLI: &str = "+46100000000";

/// The flow with a number at the end of each text, so that no two of them are alike.
fn numbered(mut flow: CallFlow<String>) -> CallFlow<String> {
    let mut nth = 0;
    let mut number = |text: &mut String| {
        nth += 1;
        text.push_str(&nth.to_string());
    };
    if let Speech::Text(greeting) = &mut flow.greeting {
        number(greeting);
    }
    for menu in &mut flow.menus {
        number(&mut menu.say);
        let choices: Vec<&mut Choice<String>> = match &mut menu.asks {
            Asks::Keys(keys) => keys.iter_mut().map(|(_, choice)| choice).collect(),
            Asks::Digits { then, .. } => vec![then],
        };
        for choice in choices.into_iter().chain([&mut menu.otherwise]) {
            // Else nobody hears where one asking of a menu ends and the next begins.
            if matches!(choice.next, Next::Menu(_)) {
                choice.say.get_or_insert_default();
            }
            choice.say.iter_mut().for_each(&mut number);
        }
    }
    flow
}

/// What the platform played, and who answered as far as it told.
fn played(callout: &FlowCallout, options: Options) -> (PlayedRow, AnsweredBy, u32) {
    let begin: Timestamp = "2026-11-21T05:00:00Z".parse().unwrap();
    let body = Callout {
        body: CalloutBody::Flow(callout.clone()),
        custom: None,
        headers: Vec::new(),
    };
    let id = AttemptId::parse(&"0123456789abcdef".repeat(2)).unwrap();
    let body = serde_json::to_vec(&CalloutRequest::new(&body, id)).unwrap();
    let mut world = World::new(options, begin);
    let posted = world.post(World::read(&body, true), begin);
    assert!(matches!(posted, Delivery::After(_, answer) if answer.status == 200));
    let (mut by, mut connected) = (AnsweredBy::NotYetKnown, false);
    while let Some(now) = world.next_event_at() {
        for sent in world.events_due(now, "key") {
            let event = Event::parse(&sent.body).unwrap();
            if !sent.asks {
                continue;
            }
            if let Some(Signalled::AnsweredBy(who)) = event.signal().map(|signal| signal.what) {
                by = who;
            }
            let answer = talk(&callout.flow, CLI, connected, &event).unwrap().next;
            connected |= answer.contains("connectPstn");
            world.event_answered(sent.number, (200, answer.as_bytes()), Duration::ZERO, now);
        }
    }
    assert_eq!(world.bad_answers().invalid, 0);
    let duration_s = world.ledger()[0].duration_s;
    (world.played().swap_remove(0), by, duration_s)
}

/// How often a menu was asked, and what that resulted in: an offered key, digits, or nothing of these.
fn asked(menu: &Menu<String>, pressed: &[PressedRow], heard: &[String]) -> (usize, Keyed) {
    let times = heard.iter().take_while(|text| **text == menu.say).count();
    let all = usize::try_from(menu.repeat).unwrap() + 1;
    let keys = match &menu.asks {
        Asks::Digits { .. } => pressed.last().map(|last| last.keys.clone()),
        Asks::Keys(keys) => {
            let word = |pressed: &PressedRow| {
                let is_it = |key: &&callout::domain::Key| key.as_char().to_string() == pressed.keys;
                keys.iter()
                    .map(|(key, _)| key)
                    .find(is_it)
                    .map(|key| key.word())
            };
            let words: Vec<_> = pressed.iter().filter_map(word).collect();
            assert!(words.len() <= 1, "what is offered leads on: {pressed:?}");
            let last = pressed.last().and_then(word);
            assert_eq!(
                last.is_some(),
                !words.is_empty(),
                "nothing is pressed after it"
            );
            last
        }
    };
    if keys.is_none() {
        assert_eq!(times, all, "it is asked as often as it says");
    }
    assert!(times <= all && pressed.len() <= times);
    (times, keys.map_or(Keyed::Nothing, Keyed::Pressed))
}

/// What the pure module has said to whoever answered and pressed this.
fn walked(flow: &CallFlow<String>, by: AnsweredBy, row: &PlayedRow) -> Vec<String> {
    let mut heard = Vec::new();
    let mut step = flow.answered(by);
    loop {
        if let Some(Speech::Text(greeting)) = step.greeting {
            heard.push(greeting.clone());
        }
        heard.extend(step.say.cloned());
        let Then::Ask(at) = step.then else {
            return heard;
        };
        let menu = &flow.menus[at.menu];
        let pressed = pressed_at(flow, at, row);
        let so_far = row.heard.get(heard.len()..).unwrap_or_default();
        let (times, keyed) = asked(menu, &pressed, so_far);
        heard.extend(std::iter::repeat_n(menu.say.clone(), times));
        step = flow.after(at, &keyed);
    }
}

/// What was pressed at one visit of a menu.
fn pressed_at(flow: &CallFlow<String>, at: Visit, row: &PlayedRow) -> Vec<PressedRow> {
    let id = flow.id_of(at);
    let pressed = row.pressed.iter().filter(|pressed| pressed.menu == id);
    pressed.cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_compiled_flow_is_played_as_the_pure_module_walks_it(
        flow in any_flow(),
        seed in any::<u64>(),
        press in 0.3..0.9_f64,
    ) {
        let mut flow = numbered(flow);
        // What is said after a beep is said by whoever is notified of it.
        if flow.machine.as_ref().is_some_and(|m| matches!(m.does, MachineDoes::LeaveAfterBeep(_))) {
            flow.machine = None;
        }
        let destination = Destination::number("+46701740605");
        let callout = FlowCallout {
            enable_dice: Some(true),
            ..FlowCallout::new(CLI.to_owned(), destination, flow)
        };
        let people = People {
            press,
            press_wrong: 0.1,
            leave: 0.0,
            machines: if callout.flow.machine.is_some() { 0.3 } else { 0.0 },
            unsure: 0.2,
            ..People::default()
        };
        let (row, by, duration_s) = played(&callout, Options {
            seed,
            mix: Mix::ANSWERED,
            people,
            callback_url: Some("http://127.0.0.1:9/".to_owned()),
            ..Options::default()
        });
        // A machine that is taken for a person hangs up when it has recorded enough.
        prop_assume!(!row.machine || callout.flow.is_machine(by));
        prop_assert_eq!(&row.heard, &walked(&callout.flow, by, &row));
        prop_assert_eq!(row.errors, 0);
        prop_assert!(duration_s <= callout.longest_s);
    }
}
