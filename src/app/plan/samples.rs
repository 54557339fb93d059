//! What of a plan can be seen in single callouts: texts of real rows, the numbers that are shown, and what
//! needs callbacks.

use std::convert::Infallible;

use serde_json::Value;

use crate::domain::{CallFlow, Callout, CalloutBody, Destination, FlowCallout, Speech};

/// How the longest text is called.
pub(super) const LONGEST: &str = "longest text";

/// What one recipient would hear.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Shortest or longest.
    pub(crate) what: &'static str,
    /// Its row's line.
    pub(crate) line: u64,
    /// Masked.
    pub(crate) number: String,
    pub(crate) text: String,
    /// Seconds that a voice takes to speak it, about; none where that is not known. Of a call that asks, to the
    /// end of its first question.
    pub(crate) speech_s: Option<u32>,
    /// What happens in the call, where it asks; numbers are masked.
    pub(crate) flow: Option<CallFlow<String>>,
}

/// The shortest and the longest text of some callouts.
pub(crate) fn extremes(callouts: &[(u64, Destination, Callout)]) -> Vec<Sample> {
    let texts: Vec<Sample> = callouts
        .iter()
        .filter_map(|(line, to, callout)| {
            // Inline SVAML names the number that it connects.
            let masked = |text: &str| text.replace(&to.endpoint, &to.masked());
            let text = masked(&spoken(callout)?);
            Some(Sample {
                what: "shortest text",
                line: *line,
                number: to.masked(),
                text,
                speech_s: callout.length().speech_s(),
                flow: asked(callout, masked),
            })
        })
        .collect();
    let length = |sample: &&Sample| sample.text.chars().count();
    let shortest = texts.iter().min_by_key(length).cloned();
    let longest = texts.iter().max_by_key(length).map(|longest| Sample {
        what: LONGEST,
        ..longest.clone()
    });
    shortest.into_iter().chain(longest).collect()
}

/// What happens in a call that asks, with masked numbers.
fn asked(callout: &Callout, masked: impl Fn(&str) -> String) -> Option<CallFlow<String>> {
    let CalloutBody::Flow(FlowCallout { flow, .. }) = &callout.body else {
        return None;
    };
    let legs = flow.legs();
    let shown = |text: &String| {
        let leg = legs.iter().find(|leg| leg.to.endpoint == *text);
        Ok::<_, Infallible>(leg.map_or_else(|| masked(text), |leg| leg.to.masked()))
    };
    let Ok(flow) = flow.try_map(shown);
    Some(flow)
}

/// What a recipient would hear, or what decides it.
fn spoken(callout: &Callout) -> Option<String> {
    match &callout.body {
        CalloutBody::Tts(tts) => tts.text.clone().or_else(|| tts.prompts.clone()),
        CalloutBody::Conference(conference) => conference.greeting.clone(),
        CalloutBody::Custom(custom) => custom.ace.clone().or_else(|| custom.ice.clone()),
        CalloutBody::Flow(flow) => match &flow.flow.greeting {
            Speech::Text(text) => Some(text.clone()),
            Speech::Prompts(items) => Some(items.join(";")),
        },
    }
}

/// The number that a callout shows, unless it is hidden.
pub(crate) fn shown(callout: &Callout) -> Option<String> {
    let cli = match &callout.body {
        CalloutBody::Tts(tts) => Some(tts.cli.clone()),
        CalloutBody::Conference(conference) => Some(conference.cli.clone()),
        CalloutBody::Flow(flow) => Some(flow.cli.clone()),
        CalloutBody::Custom(custom) => custom.cli.clone().or_else(|| {
            let ice: Value = serde_json::from_str(custom.ice.as_deref()?).ok()?;
            Some(ice.get("action")?.get("cli")?.as_str()?.to_owned())
        }),
    };
    cli.filter(|cli| cli != "private")
}

/// What in a callout does nothing unless the application has a callback URL (`FACTS` §3).
pub(crate) fn callback_need(callout: &Callout) -> Option<&'static str> {
    let asked = |ace, dice, pie| {
        let asked = [
            (ace, "enable_ace"),
            (dice, "enable_dice"),
            (pie, "enable_pie"),
        ];
        asked
            .into_iter()
            .find(|(flag, _)| *flag == Some(true))
            .map(|(_, name)| name)
    };
    match &callout.body {
        CalloutBody::Tts(tts) => asked(tts.enable_ace, tts.enable_dice, tts.enable_pie),
        CalloutBody::Conference(conference) => {
            let detects = conference
                .conference_dtmf_options
                .as_ref()
                .is_some_and(|options| options.mode.as_deref() == Some("detect"));
            asked(
                conference.enable_ace,
                conference.enable_dice,
                conference.enable_pie,
            )
            .or_else(|| detects.then_some("conference_dtmf_options with mode `detect`"))
        }
        CalloutBody::Custom(custom) if custom.ice.is_none() && custom.destination.is_none() => {
            Some("no `ice`")
        }
        CalloutBody::Flow(flow) => flow.flow.needs_receiver().then_some("a call that asks"),
        CalloutBody::Custom(custom) => {
            let none = custom.ace.is_none().then_some("no `ace`");
            none.or_else(|| asked(custom.enable_ace, custom.enable_dice, None))
        }
    }
}
