//! Whether a recipient may be called now: judged when they are read, when their intent is about to be
//! written, and once more when the POST is about to leave.

use jiff::Timestamp;

use super::moves::Whom;
use super::{Command, Core, Now};
use crate::domain::window::{Leave, WindowState};
use crate::domain::{Disposition, WaitReason, closed};
use crate::store::{Due, DueAt, Was};

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
    /// Whether the recipient, who was left so, may be called now. Where not, what follows is recorded.
    pub(super) fn may_call(
        &mut self,
        due: &Due,
        was: Was,
        now: Now,
        commands: &mut Vec<Command>,
    ) -> bool {
        let whom = Whom {
            recipient: due.recipient,
            tried: due.tried,
            was,
        };
        let (until, reason) = match self.judge(due, now) {
            Judgement::Dial => return true,
            Judgement::Wait(until) => (DueAt::At(until), WaitReason::Window),
            Judgement::Held => (DueAt::Held, WaitReason::Held),
            Judgement::Expire => {
                // The campaign does not want them called any later.
                let disposition = closed(due.tried, Disposition::Expired);
                self.done(whom, disposition, Some(MISSED.into()), commands);
                return false;
            }
        };
        self.waits(whom, until, reason, now, commands);
        false
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
