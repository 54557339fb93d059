//! The wall's clock while the engine works: a jump stops dialling, and what is recorded from there on
//! keeps to the time as it went before.

use super::{Core, End, Now, Phase};
use crate::domain::{PauseReason, wall};

impl Core {
    /// The time as it can be believed. Nobody is dialled by a clock that has jumped.
    pub(super) fn believed(&mut self, now: Now) -> Now {
        let went_by = now.mono.saturating_sub(self.began.mono);
        let Some(off) = wall::jump(self.began.wall, now.wall, went_by) else {
            return now;
        };
        let steady = self.began.wall.checked_add(went_by).unwrap_or(now.wall);
        if self.phase == Phase::Running {
            let way = if off.is_negative() { "back" } else { "ahead" };
            let why = format!("it went {way} from {steady:.0} to {:.0}", now.wall);
            self.drain(End::Paused(PauseReason::Clock(why)));
        }
        Now {
            wall: steady,
            ..now
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::domain::{AttemptKey, Known, RecipientId, RetryPolicy, Tried};
    use crate::engine::core::{Command, Event, Pace, Predecessor, Rules};
    use crate::entropy::Entropy;
    use crate::store::{Due, DueAt, DuePage, Fact, Intent};

    fn at(after: Duration, jumped_s: i64) -> Now {
        let wall: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let jumped = SignedDuration::from_secs(jumped_s);
        Now {
            wall: wall + after + jumped,
            mono: after,
        }
    }

    /// A core that has people to call, and the intents that it has recorded.
    fn dialling() -> (Core, Vec<AttemptKey>) {
        let pace = Pace {
            calls_per_second: 10.0,
            concurrent_calls: None,
        };
        let rules = Rules {
            known: Known::default(),
            retry: RetryPolicy::default(),
            flow: None,
            window: None,
            since: at(Duration::ZERO, 0).wall,
        };
        let now = at(Duration::ZERO, 0);
        let mut core = Core::new(pace, rules, Predecessor::Nobody, 1, Entropy::seeded(1), now);
        core.step(Event::Tick, now);
        let due = |id| Due {
            recipient: RecipientId(id),
            endpoint: "+46701740601".into(),
            cells: "[]".into(),
            zones: None,
            hold: None,
            tried: Tried::default(),
            rests_until: None,
        };
        let page = DuePage {
            due: (1..100).map(due).collect(),
            ..DuePage::default()
        };
        let commands = core.step(Event::Page(page), now);
        let intents = commands.iter().filter_map(|command| match command {
            Command::Intend(Intent { key, .. }) => Some(*key),
            _ => None,
        });
        let intents = intents.collect();
        (core, intents)
    }

    #[test]
    fn a_clock_that_jumps_either_way_stops_dialling_and_what_is_recorded_keeps_the_time() {
        for (jumped_s, way) in [(-86_400, "back"), (3 * 86_400, "ahead"), (-150, "back")] {
            let (mut core, intents) = dialling();
            assert!(!intents.is_empty());
            let now = at(Duration::from_secs(2), jumped_s);
            let mut commands = core.step(
                Event::Committed {
                    intents,
                    dues: 0,
                    next_due: None,
                    moved: Vec::new(),
                },
                now,
            );
            commands.extend(core.step(Event::Tick, at(Duration::from_secs(9), jumped_s)));
            let (mut recorded, mut ended) = (0, None);
            for command in commands {
                match command {
                    Command::Record(Fact::Due { at: due, .. }) => {
                        assert_eq!(due, DueAt::At(at(Duration::from_secs(2), 0).wall));
                        recorded += 1;
                    }
                    Command::Record(Fact::Attempt { .. }) => {}
                    Command::Finish(End::Paused(PauseReason::Clock(why))) => ended = Some(why),
                    other => panic!("{other:?} after a jump of {jumped_s} s"),
                }
            }
            let why = ended.unwrap_or_default();
            assert!(
                recorded > 0 && why.contains(way),
                "{jumped_s}: {recorded} {why}"
            );
        }
    }

    #[test]
    fn a_clock_that_is_set_right_by_little_changes_nothing() {
        let (mut core, _) = dialling();
        for (after_s, jumped_s) in [(1, -60), (2, 60), (3_600, 100)] {
            core.step(Event::Tick, at(Duration::from_secs(after_s), jumped_s));
            assert_eq!(core.phase, Phase::Running);
        }
    }
}
