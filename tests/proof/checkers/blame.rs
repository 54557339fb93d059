//! Nobody is written off for what is the account's fault.

use callout::domain::AttemptState;

use super::{Checker, Scene, Violations};
use crate::platform::UNWELL;

#[derive(Debug)]
pub(super) struct Blame;

impl Checker for Blame {
    fn at_the_end(&mut self, scene: &Scene<'_>, broken: &mut Violations) {
        for kept in scene.disk.attempts.values() {
            if matches!(&kept.state, AttemptState::Refused(refusal) if refusal.message == UNWELL) {
                let whom = kept.recipient;
                broken.push(format!("{whom:?} was written off for the account"));
            }
        }
    }
}
