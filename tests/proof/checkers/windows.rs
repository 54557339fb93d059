//! Nobody is called outside their window.

use jiff::Timestamp;

use super::{Checker, Post, Scene, Violations};
use crate::nature::{ZONES, now_at};

#[derive(Debug)]
pub(super) struct Windows;

impl Checker for Windows {
    fn posted(&mut self, post: Post, scene: &Scene<'_>, broken: &mut Violations) {
        let recipient = post.recipient;
        let wall = now_at(scene.now).wall;
        if scene.nature.window.is_some() && !may_be_called(recipient.0, wall) {
            broken.push(format!("{recipient:?} was called outside their window"));
        }
    }
}

/// The checker's own reading of the rule of `Nature::windowed`: the first twenty seconds of an even minute,
/// by every clock.
fn may_be_called(recipient: i64, at: Timestamp) -> bool {
    let nth = usize::try_from(recipient).unwrap() % ZONES.len();
    ZONES[nth].split(',').all(|zone| {
        let clock = at.in_tz(zone).unwrap();
        clock.minute() % 2 == 0 && clock.second() < 20
    })
}
