//! What happens in a call that asks, as SVAML: a step of its flow, and the call itself.

use super::{
    Amd, ConnectConf, ConnectPstn, Dtmf, Instruction, Menu, MenuOption, PlayFiles, RunMenu, Say,
    Svaml,
};
use crate::domain::call_flow::FIRST_MENU;
use crate::domain::{
    AnsweredBy, Asks, CallFlow, FlowCallout, Menu as Asked, Speech, Step, Then, Visit,
};

/// What is spoken where a campaign names no language (`FACTS` §3).
const LOCALE: &str = "en-US";

/// A step as an answer to an event. `cli` is shown to whomever the call is connected to.
pub fn svaml(flow: &CallFlow<String>, step: &Step<'_, String>, cli: &str) -> Svaml {
    let locale = flow.locale.clone();
    let greeting = step.greeting.map(|greeting| match greeting {
        Speech::Text(text) => say(text, locale.clone()),
        Speech::Prompts(items) => PlayFiles {
            ids: items.clone(),
            locale: Some(spoken(flow)),
            ..PlayFiles::default()
        }
        .into(),
    });
    let said = step.say.map(|text| say(text, locale.clone()));
    let action = match &step.then {
        Then::HangUp => Svaml::hangup(),
        Then::Ask(at) => Svaml::with_action(ask(flow, *at)),
        Then::Connect(number, longest_s) => Svaml::with_action(ConnectPstn {
            number: Some((*number).clone()),
            locale,
            max_duration_s: Some(*longest_s),
            cli: Some(cli.to_owned()),
            ..ConnectPstn::default()
        }),
        Then::Conference(id, _) => Svaml::with_action(ConnectConf {
            conference_id: Some((*id).clone()),
            ..ConnectConf::default()
        }),
    };
    let instructions = greeting.into_iter().chain(said);
    instructions.fold(action, Svaml::and)
}

fn say(text: &str, locale: Option<String>) -> Instruction {
    Say {
        text: Some(text.to_owned()),
        locale,
        ..Say::default()
    }
    .into()
}

/// The language of prompts, which must be named.
fn spoken(flow: &CallFlow<String>) -> String {
    flow.locale.clone().unwrap_or_else(|| LOCALE.to_owned())
}

/// A menu at a visit. The platform wants one that is called `main`, whichever it begins with.
fn ask(flow: &CallFlow<String>, at: Visit) -> RunMenu {
    let first = Visit { menu: 0, nth: 1 };
    let id = flow.id_of(at);
    let others = (id != FIRST_MENU).then_some(first);
    let menus = [at].into_iter().chain(others);
    RunMenu {
        locale: Some(spoken(flow)),
        main_menu: Some(id),
        menus: menus.filter_map(|at| menu(flow, at)).collect(),
        ..RunMenu::default()
    }
}

fn menu(flow: &CallFlow<String>, at: Visit) -> Option<Menu> {
    let asked: &Asked<String> = flow.menus.get(at.menu)?;
    let prompt = format!("#tts[{}]", asked.say);
    let (options, digits) = match &asked.asks {
        Asks::Keys(keys) => {
            let keys = keys.iter().map(|(key, _)| MenuOption {
                dtmf: Some(Dtmf(key.as_char().to_string())),
                action: Some(format!("return({})", key.word())),
                ..MenuOption::default()
            });
            (keys.collect(), None)
        }
        Asks::Digits { count, .. } => (Vec::new(), Some(*count)),
    };
    Some(Menu {
        id: Some(flow.id_of(at)),
        main_prompt: Some(prompt.clone()),
        repeat_prompt: Some(prompt),
        repeats: Some(asked.repeat),
        max_digits: digits,
        timeout_ms: Some(asked.timeout_ms),
        options,
        ..Menu::default()
    })
}

/// How the platform makes the call.
pub(in crate::sinch) fn ice(callout: &FlowCallout) -> Svaml {
    let flow = &callout.flow;
    Svaml::with_action(ConnectPstn {
        number: Some(callout.destination.endpoint.clone()),
        locale: flow.locale.clone(),
        max_duration_s: Some(callout.longest_s),
        cli: Some(callout.cli.clone()),
        dtmf: callout.dtmf.clone(),
        amd: flow.looks_for_machines().then(|| Amd {
            enabled: Some(true),
            asynchronous: Some(flow.waits_for_beep()),
            ..Amd::default()
        }),
        ..ConnectPstn::default()
    })
}

/// What follows on the answer, where that is the same whoever answers; none where a backend has to say.
pub(in crate::sinch) fn ace(callout: &FlowCallout) -> Option<Svaml> {
    let flow = &callout.flow;
    let asked_first = flow.looks_for_machines() && !flow.waits_for_beep();
    let step = flow.answered(AnsweredBy::NotYetKnown);
    (!asked_first).then(|| svaml(flow, &step, &callout.cli))
}
