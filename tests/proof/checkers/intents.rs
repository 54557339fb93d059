//! Nothing leaves whose intent is not durable, and no attempt leaves twice.

use std::collections::HashSet;

use callout::domain::{AttemptId, AttemptState};

use super::{Checker, Post, Scene, Violations};

#[derive(Debug, Default)]
pub(super) struct Intents {
    sent: HashSet<AttemptId>,
}

impl Checker for Intents {
    fn posted(&mut self, post: Post, scene: &Scene<'_>, broken: &mut Violations) {
        let durable = scene.disk.attempts.get(&post.key.0);
        if !durable.is_some_and(|a| a.id == post.id && a.state == AttemptState::Intended) {
            let key = post.key;
            broken.push(format!("{key:?} was POSTed and its intent is not durable"));
        }
        if !self.sent.insert(post.id) {
            broken.push(format!("{} was POSTed twice", post.id));
        }
    }
}
