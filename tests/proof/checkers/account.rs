//! At the end every recipient has one disposition, and their attempts bear it out.

use callout::domain::{AttemptState, AttemptState as S, Disposition, RecipientState as R};

use super::{Checker, Scene, Violations};

#[derive(Debug)]
pub(super) struct Account;

impl Checker for Account {
    fn at_the_end(&mut self, scene: &Scene<'_>, broken: &mut Violations) {
        // Where people are asked, more than an answer decides.
        if !scene.over || scene.nature.flow.is_some() {
            return;
        }
        for (id, who) in &scene.disk.recipients {
            let attempts = scene
                .disk
                .attempts
                .values()
                .filter(|a| a.recipient.0 == *id);
            let counted: Vec<&AttemptState> = attempts
                .map(|a| &a.state)
                .filter(|state| !matches!(state, S::NotSent(_)))
                .collect();
            let borne_out = match (who.state, counted.as_slice()) {
                (R::Done(Disposition::Reached), [.., S::Final { outcome, .. }]) => {
                    outcome.answered()
                }
                (R::Done(Disposition::Unreached), [.., S::Final { outcome, .. }]) => {
                    let all = usize::try_from(scene.nature.retry.max_attempts).unwrap();
                    let ended = scene.closed_as.is_some() || scene.nature.window_expires();
                    !outcome.answered() && (ended || counted.len() == all)
                }
                (R::Done(Disposition::Refused), [.., S::Refused(_)])
                | (R::Done(Disposition::Uncertain), [.., S::Uncertain(_)]) => true,
                (R::Done(Disposition::Expired), []) if scene.nature.window_expires() => true,
                (R::Done(disposition @ (Disposition::Cancelled | Disposition::Expired)), []) => {
                    scene.closed_as == Some(disposition)
                }
                _ => false,
            };
            // Nothing follows an answer, a refusal or what nobody knows.
            let before = counted.split_last().map_or(&[][..], |(_, before)| before);
            let borne_out = borne_out
                && before
                    .iter()
                    .all(|state| matches!(state, S::Final { outcome, .. } if !outcome.answered()));
            if !borne_out {
                broken.push(format!(
                    "recipient {id} ends {:?} after {counted:?}",
                    who.state
                ));
            }
        }
    }
}
