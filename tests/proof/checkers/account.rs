//! At the end every recipient has one disposition, and their attempts bear it out.

use callout::domain::{AttemptState, AttemptState as S, Disposition};

use super::{Checker, Scene, Violations};
use crate::disk::Row;

#[derive(Debug)]
pub(super) struct Account;

impl Checker for Account {
    fn at_the_end(&mut self, scene: &Scene<'_>, broken: &mut Violations) {
        if !scene.over {
            return;
        }
        for (id, row) in &scene.disk.rows {
            let attempts = scene
                .disk
                .attempts
                .values()
                .filter(|a| a.recipient.0 == *id);
            let counted: Vec<&AttemptState> = attempts
                .map(|a| &a.state)
                .filter(|state| !matches!(state, S::NotSent(_)))
                .collect();
            let borne_out = match (row, counted.as_slice()) {
                (Row::Done(Disposition::Reached), [.., S::Final { outcome, .. }]) => {
                    outcome.answered()
                }
                (Row::Done(Disposition::Unreached), [.., S::Final { outcome, .. }]) => {
                    let all = usize::try_from(scene.nature.retry.max_attempts).unwrap();
                    let ended = scene.closed_as.is_some() || scene.nature.window_expires();
                    !outcome.answered() && (ended || counted.len() == all)
                }
                (Row::Done(Disposition::Refused), [.., S::Refused(_)])
                | (Row::Done(Disposition::Uncertain), [.., S::Uncertain(_)]) => true,
                (Row::Done(Disposition::Expired), []) if scene.nature.window_expires() => true,
                (Row::Done(disposition @ (Disposition::Cancelled | Disposition::Expired)), []) => {
                    scene.closed_as == Some(*disposition)
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
                broken.push(format!("recipient {id} ends {row:?} after {counted:?}"));
            }
        }
    }
}
