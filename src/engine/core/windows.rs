//! Whether a recipient may be called now: judged when they are read, when their intent is about to be
//! written, and once more when the POST is about to leave.

use jiff::Timestamp;

use super::{Command, Core, Now};
use crate::domain::window::{Leave, WindowState};
use crate::domain::{Disposition, RecipientId, Tried, WaitReason};
use crate::store::Due;

/// Due for whoever waits for nothing that comes by itself: the year 9000.
pub(super) const HELD_UNTIL: Timestamp = Timestamp::constant(221_845_392_000, 0);

/// Why somebody is not called who was not called in time.
const MISSED: &str = "the window closed";

/// What the window says of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Dial,
    Wait(Timestamp),
    Expire,
    Held,
}

impl Core {
    /// Whether the recipient may be called now. Where not, what follows is recorded.
    pub(super) fn may_call(&mut self, due: &Due, now: Now, commands: &mut Vec<Command>) -> bool {
        let (until, reason) = match self.judge(due, now) {
            Judgement::Dial => return true,
            Judgement::Wait(until) => (until, WaitReason::Window),
            Judgement::Held => (HELD_UNTIL, WaitReason::Held),
            Judgement::Expire => {
                self.missed(due.recipient, due.tried, commands);
                return false;
            }
        };
        self.waits(due.recipient, (until, now), reason, due.tried, commands);
        false
    }

    /// The window has closed for somebody whom the campaign does not want called any later.
    fn missed(&mut self, recipient: RecipientId, tried: Tried, commands: &mut Vec<Command>) {
        let disposition = if tried == Tried::default() {
            Disposition::Expired
        } else {
            Disposition::Unreached
        };
        self.done(recipient, disposition, Some(MISSED.into()), commands);
    }

    fn judge(&mut self, due: &Due, now: Now) -> Judgement {
        let Some(openings) = &mut self.openings else {
            return Judgement::Dial;
        };
        let Ok(id) = openings.id_of(due.zones.as_ref()) else {
            return Judgement::Held;
        };
        if let WindowState::Open { .. } = openings.state(id, now.wall) {
            return Judgement::Dial;
        }
        let zones = openings.zones(id);
        match openings.window().leave(now.wall, self.since, zones) {
            Leave::Dial { .. } => Judgement::Dial,
            Leave::Wait { until } => Judgement::Wait(until),
            Leave::Expire => Judgement::Expire,
            Leave::Never => Judgement::Held,
        }
    }
}
