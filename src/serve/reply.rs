//! What an event is answered with. It depends on the event and on the campaign alone, so that a repeat gets the
//! same again.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::domain::{AnsweredBy, CallFlow, Signalled, Step, Then};
use crate::sinch::events::{Event, IceEvent};
use crate::sinch::identity::Identity;
use crate::sinch::svaml::compile::svaml;

/// A call that was answered goes on as its callout says.
const CONTINUE: &str = r#"{"action":{"name":"continue"}}"#;
/// Nobody here knows what else to do with a call.
pub(super) const HANG_UP: &str = r#"{"action":{"name":"hangup"}}"#;

/// What an event is answered with whose call has no flow: SVAML or nothing.
///
/// A callout of ours that asks what to do is connected to whom it is for; somebody's call to a number of the
/// application ends.
pub fn reply(event: &Event) -> Cow<'static, str> {
    match event {
        Event::Ice(ice) => match event.attempt().and_then(|_| connect(ice)) {
            Some(svaml) => svaml.to_string().into(),
            None => HANG_UP.into(),
        },
        Event::Ace(_) => CONTINUE.into(),
        Event::Pie(_) => HANG_UP.into(),
        Event::Dice(_) | Event::Notify(_) | Event::Other(_) => "".into(),
    }
}

/// What an event is answered with whose call is not known, or whose row is gone: whoever is on the line is not kept
/// there.
pub fn reply_to_nobodys(event: &Event) -> Cow<'static, str> {
    match event {
        Event::Ice(_) | Event::Ace(_) | Event::Pie(_) => HANG_UP.into(),
        Event::Dice(_) | Event::Notify(_) | Event::Other(_) => "".into(),
    }
}

/// What is said next in a call, as far as its event decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// The answer once the event is durable.
    pub next: Cow<'static, str>,
    /// The answer where it does not become so in time.
    pub in_doubt: Cow<'static, str>,
    /// Whether a promise is spoken, or somebody else is called: what was pressed is taken into account before.
    pub first: bool,
    /// Whom the call would be connected to.
    pub connects: Option<String>,
}

impl Talk {
    /// What is said where what was pressed cannot be done.
    #[must_use]
    pub fn instead(self) -> Self {
        Self {
            next: self.in_doubt.clone(),
            first: false,
            connects: None,
            ..self
        }
    }

    /// The call goes on with what it does.
    pub fn go_on() -> Self {
        Self {
            next: CONTINUE.into(),
            in_doubt: CONTINUE.into(),
            first: false,
            connects: None,
        }
    }
}

/// What follows in a call with a flow; none where its event is none of the flow's.
pub fn talk(flow: &CallFlow<String>, cli: &str, connected: bool, event: &Event) -> Option<Talk> {
    let say = |step: &Step<'_, String>| Cow::from(svaml(flow, step, cli).to_inline());
    match event {
        // The other leg of a call that was connected.
        Event::Ace(_) if connected => Some(Talk::go_on()),
        Event::Ace(_) => {
            let by = match event.signal().map(|signal| signal.what) {
                Some(Signalled::AnsweredBy(by)) => by,
                _ => AnsweredBy::Person,
            };
            let step = flow.answered(by);
            let greeting = Step {
                greeting: step.greeting,
                say: step.say,
                then: Then::HangUp,
            };
            Some(Talk {
                in_doubt: say(&greeting),
                next: say(&step),
                first: false,
                connects: None,
            })
        }
        Event::Pie(_) => {
            let signal = event.signal()?;
            let Signalled::Menu { id, keyed } = signal.what else {
                return None;
            };
            let at = flow.visit(id.as_deref()?)?;
            let step = flow.after(at, &keyed);
            let chosen = flow.chosen(at, &keyed);
            Some(Talk {
                next: say(&step),
                in_doubt: say(&flow.otherwise(at)),
                first: chosen.is_some_and(|chosen| chosen.suppress.is_some())
                    || matches!(step.then, Then::Connect(..)),
                connects: match step.then {
                    Then::Connect(number, _) => Some(number.clone()),
                    _ => None,
                },
            })
        }
        Event::Ice(_) | Event::Dice(_) | Event::Notify(_) | Event::Other(_) => None,
    }
}

/// Connects a call to whom it is for.
fn connect(ice: &IceEvent) -> Option<Value> {
    let to = ice.to.as_ref()?;
    let mut action = if to.is_kind("username") {
        let endpoint = &to.endpoint;
        json!({"name": "connectMxp", "destination": {"type": "username", "endpoint": endpoint}})
    } else if to.is_kind("sip") {
        json!({"name": "connectSip", "destination": {"endpoint": to.endpoint}})
    } else {
        json!({"name": "connectPstn", "number": number(to)?})
    };
    if let (Some(cli), Some(action)) = (ice.cli.as_ref().and_then(number), action.as_object_mut()) {
        action.insert("cli".into(), json!(cli));
    }
    Some(json!({ "action": action }))
}

/// A number in E.164: events have it without the plus (`FACTS` §7).
fn number(of: &Identity) -> Option<String> {
    let digits = of.endpoint.strip_prefix('+').unwrap_or(&of.endpoint);
    let is_number = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
    is_number.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replied(event: &str) -> String {
        reply(&Event::parse(event.as_bytes()).unwrap()).into_owned()
    }

    #[test]
    fn a_callout_of_ours_is_connected_and_a_strange_call_ends() {
        let attempt = "0123456789abcdef0123456789abcdef";
        let to = r#""to":{"type":"number","endpoint":"46700000002"},"cli":"46700000001""#;
        let ours = format!(r#"{{"event":"ice","callid":"c","custom":"{attempt}",{to}}}"#);
        let connected =
            r#"{"action":{"name":"connectPstn","number":"+46700000002","cli":"+46700000001"}}"#;
        assert_eq!(replied(&ours), connected);
        let strange = format!(r#"{{"event":"ice","callid":"c",{to}}}"#);
        assert_eq!(replied(&strange), HANG_UP);
        let nowhere = format!(r#"{{"event":"ice","callid":"c","custom":"{attempt}"}}"#);
        assert_eq!(replied(&nowhere), HANG_UP);
    }
}
