//! What people press in a call, and who answers it, decides about them, whenever that is told.

use callout::domain::{
    Answered, AttemptState as S, Disposition, InCall, Keyed, RecipientId, RecipientState as R,
    Signalled,
};

use super::{Checker, Post, Scene, Violations};

#[derive(Debug)]
pub(super) struct InCalls;

/// What was pressed by whoever answered, told apart without the flow.
fn pressed(heard: Option<&Signalled>) -> InCall {
    match heard {
        Some(Signalled::Menu {
            keyed: Keyed::Pressed(key),
            ..
        }) => match key.as_str() {
            "1" => InCall::PRESSED.and(InCall::COUNTS),
            "2" => InCall::PRESSED,
            "9" => InCall::PRESSED.and(InCall::OPTED_OUT),
            _ => InCall::NOTHING,
        },
        _ => InCall::NOTHING,
    }
}

/// What a recipient pressed in all their calls.
fn all_pressed(scene: &Scene<'_>, recipient: RecipientId) -> InCall {
    let calls = scene.platform.calls.values();
    let theirs = calls.filter(|call| call.recipient == recipient);
    let all = theirs.map(|call| pressed(call.heard.as_ref()));
    all.fold(InCall::NOTHING, InCall::and)
}

impl Checker for InCalls {
    fn posted(&mut self, post: Post, scene: &Scene<'_>, broken: &mut Violations) {
        let attempts = &scene.disk.attempts;
        let heard = scene.disk.heard.iter();
        let known = heard
            .filter(|(_, (whose, makes))| *whose == post.recipient && makes.has(InCall::PRESSED));
        let waits = |id| scene.inbox.values().any(|(attempt, _)| *attempt == id);
        for ((key, _), _) in known {
            if !waits(attempts[key].id) {
                let who = post.recipient;
                broken.push(format!("{who:?} is called again and had pressed a key"));
            }
        }
    }

    fn at_the_end(&mut self, scene: &Scene<'_>, broken: &mut Violations) {
        if !scene.over || scene.nature.flow.is_none() {
            return;
        }
        let max = usize::try_from(scene.nature.retry.max_attempts).unwrap();
        for (id, who) in &scene.disk.recipients {
            let attempts = scene.disk.attempts.values();
            let counted: Vec<&S> = attempts
                .filter(|a| a.recipient.0 == *id)
                .map(|a| &a.state)
                .filter(|state| !matches!(state, S::NotSent(_)))
                .collect();
            let keys = all_pressed(scene, RecipientId(*id));
            let ended = scene.closed_as.is_some() || counted.len() == max;
            let R::Done(verdict) = who.state else {
                broken.push(format!("recipient {id} is {:?} at the end", who.state));
                continue;
            };
            let right = match (counted.last(), scene.nature.wanted().of(keys)) {
                (Some(S::Uncertain(_)), _) => verdict == Disposition::Uncertain,
                (_, Answered::Reached) => verdict == Disposition::Reached,
                (_, Answered::OptedOut | Answered::OtherResponse) => {
                    verdict == Disposition::Unreached
                }
                (Some(S::Refused(_)), _) => verdict == Disposition::Refused,
                (None, _) => scene.closed_as == Some(verdict),
                (Some(_), _) => verdict == Disposition::Unreached && ended,
            };
            if !right {
                broken.push(format!(
                    "recipient {id} ends {verdict} with {keys:?} pressed after {counted:?}"
                ));
            }
        }
    }
}
