//! What an event is answered with. It depends on the event alone, so that a repeat gets the same again.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::sinch::events::{Event, IceEvent};
use crate::sinch::identity::Identity;

/// A call that was answered goes on as its callout says.
const CONTINUE: &str = r#"{"action":{"name":"continue"}}"#;
/// Nobody here knows what else to do with a call.
const HANG_UP: &str = r#"{"action":{"name":"hangup"}}"#;

/// What an event is answered with: SVAML or nothing.
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
