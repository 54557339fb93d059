//! Nobody is called again who may have rung, nor more often or sooner than the campaign says.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use callout::domain::{AttemptKey, Outcome, RecipientId, Verdict};

use super::{Checker, Post, Scene, Violations};
use crate::nature::SECOND;

#[derive(Debug, Default)]
pub(super) struct Again {
    /// Until its answer is known, an attempt may have rung, whatever the answer will be.
    may_have_rung: HashSet<RecipientId>,
    /// Whom the POSTs in flight of this process are for.
    in_flight: HashMap<AttemptKey, RecipientId>,
    /// Calls on each recipient that ended, and when the last did.
    ended: HashMap<RecipientId, (HashSet<AttemptKey>, Duration)>,
}

impl Checker for Again {
    fn posted(&mut self, post: Post, scene: &Scene<'_>, broken: &mut Violations) {
        let recipient = post.recipient;
        self.in_flight.insert(post.key, recipient);
        if !self.may_have_rung.insert(recipient) {
            broken.push(format!("{recipient:?} was called again and may have rung"));
        }
        if let Some((ended, at)) = self.ended.get(&recipient) {
            let waited = scene.now.saturating_sub(*at);
            // The waits of `Nature::retrying`, a tenth less at most.
            // Where people are asked, each kind of end has its own first.
            let first = ended.len() == 1 || scene.nature.flow.is_some();
            let least = (SECOND * if first { 2 } else { 5 }).mul_f64(0.899);
            if waited < least {
                broken.push(format!("{recipient:?} was called again after {waited:?}"));
            }
        }
    }

    fn answered(&mut self, key: AttemptKey, verdict: &Verdict, _: &Scene<'_>) {
        if matches!(verdict, Verdict::NotSent(_) | Verdict::Refused(_)) {
            self.may_have_rung.remove(&self.in_flight[&key]);
        }
    }

    fn ended(&mut self, key: AttemptKey, outcome: &Outcome, scene: &Scene<'_>) {
        let recipient = scene.disk.attempts[&key.0].recipient;
        let (ended, at) = self.ended.entry(recipient).or_default();
        // Said again, it changes nothing.
        if !ended.insert(key) {
            return;
        }
        *at = scene.now;
        let tries = u32::try_from(ended.len()).unwrap();
        // Where people are asked, it is for what was heard to say who is called again.
        let again = !outcome.answered() || scene.nature.flow.is_some();
        if tries < scene.nature.retry.max_attempts && again {
            self.may_have_rung.remove(&recipient);
        }
    }

    fn restarted(&mut self, _: &Scene<'_>) {
        self.in_flight.clear();
    }
}
