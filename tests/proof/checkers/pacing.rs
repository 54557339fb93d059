//! No second has more POSTs than the campaign's rate, and no moment more calls than its cap.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use callout::domain::{AttemptKey, AttemptState, Outcome, Verdict};

use super::{Checker, Post, Scene, Violations};
use crate::nature::{SECOND, UNCERTAIN_COUNTS, now_at};

#[derive(Debug, Default)]
pub(super) struct Pacing {
    /// POSTs of the last second.
    sends: VecDeque<Duration>,
    /// Attempts that count as calls: until when, where that is known.
    counted: HashMap<AttemptKey, Option<Duration>>,
}

impl Checker for Pacing {
    fn posted(&mut self, post: Post, scene: &Scene<'_>, broken: &mut Violations) {
        let now = scene.now;
        while self.sends.front().is_some_and(|at| *at + SECOND <= now) {
            self.sends.pop_front();
        }
        self.sends.push_back(now);
        let pace = scene.nature.pace;
        let within = self.sends.len();
        if f64::from(u32::try_from(within).unwrap()) > pace.calls_per_second.ceil() {
            let rate = pace.calls_per_second;
            broken.push(format!("{within} POSTs in a second at {rate}/s"));
        }
        self.counted
            .retain(|_, until| until.is_none_or(|until| until > now));
        self.counted.insert(post.key, None);
        let at_once = self.counted.len();
        if let Some(cap) = pace.concurrent_calls
            && at_once > usize::try_from(cap).unwrap()
        {
            broken.push(format!("{at_once} calls at once, {cap} are allowed"));
        }
    }

    fn answered(&mut self, key: AttemptKey, verdict: &Verdict, scene: &Scene<'_>) {
        let until = match verdict {
            Verdict::Accepted(_) => None,
            Verdict::Uncertain(_) => Some(scene.now + UNCERTAIN_COUNTS),
            Verdict::NotSent(_) | Verdict::Refused(_) => {
                self.counted.remove(&key);
                return;
            }
        };
        self.counted.insert(key, until);
    }

    fn ended(&mut self, key: AttemptKey, _: &Outcome, _: &Scene<'_>) {
        self.counted.remove(&key);
    }

    /// What the disk says now is what counts as a call.
    fn restarted(&mut self, scene: &Scene<'_>) {
        self.counted.clear();
        let wall = now_at(scene.now).wall;
        for (key, kept) in &scene.disk.attempts {
            let until = match &kept.state {
                AttemptState::Accepted(_) => None,
                AttemptState::Uncertain(_) => {
                    let since = kept.answered_at.unwrap_or(kept.intended_at);
                    let age = wall.duration_since(since).unsigned_abs();
                    match UNCERTAIN_COUNTS.checked_sub(age) {
                        Some(left) => Some(scene.now + left),
                        None => continue,
                    }
                }
                _ => continue,
            };
            self.counted.insert(AttemptKey(*key), until);
        }
    }
}
