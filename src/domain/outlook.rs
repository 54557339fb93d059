//! When a run will be done: its people as a stream that flows at a rate while windows are open, of whom
//! some come back when `[retry]` wants them again.
//!
//! A plan asks before anybody is called, a screen asks while calls go on. Both ask the same question here; what
//! they know of the rate and of how calls end is theirs to say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::forecast::{Ends, Forecast};
use super::openings::{OpeningId, Openings};
use super::retry::{Next, RetryPolicy, Tried};
use super::window::{Leave, Window, WindowState};
use super::zones::Zones;

/// A look ahead takes about so many steps while people are called one after the other.
const STEPS: f64 = 256.0;
/// After so many steps no end is in sight.
const STEPS_MAX: u32 = 20_000;
/// Places whose next changes are the same are taken for one.
const CHANGES_COMPARED: usize = 6;
/// With fewer people than this nobody is left.
const NOBODY: f64 = 0.5;

/// People who are still to be called and stand alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    /// Where they may be; none where no window asks, or nothing is known.
    pub zones: Option<Zones>,
    /// How they were tried before.
    pub tried: Tried,
    /// From when on they may be called, whatever the window says.
    pub due: Timestamp,
    /// How many they are.
    pub people: u64,
}

/// How calls go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Calls per second while somebody may be called, above zero.
    pub rate: f64,
    /// From a callout to the end of its call, in the mean.
    pub call: Duration,
    /// How calls end.
    pub ends: Ends,
}

/// People of one place who were tried alike and are due together, in the order in which they are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Batch {
    due: Timestamp,
    place: Option<OpeningId>,
    tried: Tried,
}

/// What is known of a place at a moment.
#[derive(Debug, Clone, Copy)]
enum Door {
    Open {
        until: Timestamp,
    },
    Closed {
        until: Timestamp,
    },
    /// It never opens, or whoever is due is not called any later.
    Shut,
}

/// The people of a run who are still to be called.
#[derive(Debug)]
pub struct Outlook {
    retry: RetryPolicy,
    openings: Option<Openings>,
    /// When the run was made, by which `on_close` judges.
    since: Timestamp,
    /// People, in parts of them where a share of them comes back.
    pool: BTreeMap<Batch, f64>,
    /// Returns within one of these come back together.
    grain: Duration,
    held: u64,
}

impl Outlook {
    /// The outlook of a run that was made at `since` and will go on like `flow`, at `now`.
    pub fn new(
        retry: RetryPolicy,
        window: Option<Window>,
        since: Timestamp,
        ahead: impl IntoIterator<Item = Ahead>,
        (now, flow): (Timestamp, Flow),
    ) -> Self {
        let mut outlook = Self {
            retry,
            openings: window.map(Openings::new),
            since,
            pool: BTreeMap::new(),
            grain: Duration::from_secs(1),
            held: 0,
        };
        let (mut places, mut seen) = (HashMap::new(), HashMap::new());
        for Ahead {
            zones,
            tried,
            due,
            people,
        } in ahead
        {
            let place = match &mut outlook.openings {
                None => None,
                Some(openings) => {
                    let Ok(id) = openings.id_of(zones.as_ref()) else {
                        outlook.held += people;
                        continue;
                    };
                    Some(*places.entry(id).or_insert_with(|| {
                        let changes = changes(openings, id, now);
                        *seen.entry(changes).or_insert(id)
                    }))
                }
            };
            let batch = Batch { due, place, tried };
            *outlook.pool.entry(batch).or_default() += float(people);
        }
        let attempts = Forecast::of(&outlook.retry, flow.ends).attempts;
        let dialling = seconds(outlook.people() * attempts / flow.rate);
        outlook.grain = dialling.div_f64(STEPS).max(outlook.grain);
        outlook
    }

    /// People who are to be called, without those who are held.
    pub fn people(&self) -> f64 {
        self.pool.values().sum()
    }

    /// People of whom nobody knows where they are, so that no window opens for them.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// When the window opens next for whoever is left; none while it is open for somebody, or where there is none.
    pub fn opens_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let doors = self.doors(now);
        let mut opens: Option<Timestamp> = None;
        for door in doors.values() {
            match door {
                Door::Open { .. } => return None,
                Door::Closed { until } => opens = Some(opens.map_or(*until, |at| at.min(*until))),
                Door::Shut => {}
            }
        }
        opens
    }

    /// Takes in that so many callouts left until `now`.
    pub fn called(&mut self, now: Timestamp, callouts: u64, flow: Flow) {
        let mut left = float(callouts);
        let doors = self.doors(now);
        let open = |batch: &Batch| match batch.place.map(|place| doors[&place]) {
            None | Some(Door::Open { .. }) => batch.due <= now,
            Some(Door::Closed { .. } | Door::Shut) => false,
        };
        let mut pool = std::mem::take(&mut self.pool);
        // Whoever was called may have been somebody whose turn comes a little later here.
        let taken = [
            serve(&mut pool, &mut left, open),
            serve(&mut pool, &mut left, |_| true),
        ];
        for (batch, people) in taken.into_iter().flatten() {
            self.come_back(&mut pool, batch, people, (now, flow));
        }
        self.pool = pool;
    }

    /// Takes in that so many people have no final verdict, of whom so many are being called: how they end is
    /// not known, so a share of them comes back.
    pub fn left(&mut self, people: u64, in_flight: u64, ends: Ends) {
        let back: f64 = ends
            .follows(&self.retry, Tried::default())
            .iter()
            .filter(|(next, _)| *next != Next::Over)
            .map(|(_, share)| share)
            .sum();
        let called = float(in_flight.min(people));
        let target = float(people) - called * (1.0 - back);
        let known = self.people();
        if known > 0.0 {
            let scale = (target - float(self.held)).max(0.0) / known;
            self.pool.values_mut().for_each(|part| *part *= scale);
        }
    }

    /// When the last call is over, if calls go on like this from `from` on; none where that is not in sight.
    pub fn done_at(&mut self, from: Timestamp, flow: Flow) -> Option<Timestamp> {
        let mut pool = self.pool.clone();
        let mut at = from;
        for _ in 0..STEPS_MAX {
            if pool.values().sum::<f64>() < NOBODY {
                return at.checked_add(signed(flow.call)).ok();
            }
            let doors = self.doors_of(&pool, at);
            let door = |batch: &Batch| batch.place.map(|place| doors[&place]);
            pool.retain(|batch, _| batch.due > at || !matches!(door(batch), Some(Door::Shut)));
            let changes = doors.values().filter_map(|door| match door {
                Door::Open { until } | Door::Closed { until } => Some(*until),
                Door::Shut => None,
            });
            let step = at.checked_add(signed(self.grain)).ok()?;
            let until = changes.chain([step]).min()?;
            let mut room = until.duration_since(at).as_secs_f64() * flow.rate;
            let all = room;
            let taken = serve(&mut pool, &mut room, |batch| {
                batch.due <= at && matches!(door(batch), None | Some(Door::Open { .. }))
            });
            if taken.is_empty() {
                // Nobody may be called: time goes by until somebody is due, or a window opens.
                let next = pool.keys().filter_map(|batch| match door(batch) {
                    _ if batch.due > at => Some(batch.due),
                    Some(Door::Closed { until }) => Some(until),
                    _ => None,
                });
                let Some(next) = next.min() else {
                    continue;
                };
                at = next;
                continue;
            }
            let took = seconds((all - room) / flow.rate);
            let middle = at.checked_add(signed(took / 2)).ok()?;
            for (batch, people) in taken {
                self.come_back(&mut pool, batch, people, (middle, flow));
            }
            at = if room > 0.0 {
                at.checked_add(signed(took)).ok()?
            } else {
                until
            };
        }
        None
    }

    /// Those who were called at `at` and are to be called again.
    fn come_back(
        &self,
        pool: &mut BTreeMap<Batch, f64>,
        batch: Batch,
        people: f64,
        (at, flow): (Timestamp, Flow),
    ) {
        for (next, share) in flow.ends.follows(&self.retry, batch.tried) {
            if let Next::Again {
                wait,
                tried,
                fault: _,
            } = next
                && share > 0.0
                && let Ok(due) = at.checked_add(signed(flow.call.saturating_add(wait)))
            {
                let due = self.grained(due);
                let batch = Batch {
                    due,
                    tried,
                    ..batch
                };
                *pool.entry(batch).or_default() += people * share;
            }
        }
    }

    /// The moment at which whoever comes back at about `at` is due.
    fn grained(&self, at: Timestamp) -> Timestamp {
        let grain = i64::try_from(self.grain.as_secs())
            .unwrap_or(i64::MAX)
            .max(1);
        let second = at.as_second();
        let up = (grain - second.rem_euclid(grain)) % grain;
        Timestamp::from_second(second.saturating_add(up)).unwrap_or(at)
    }

    fn doors(&mut self, at: Timestamp) -> BTreeMap<OpeningId, Door> {
        let pool = std::mem::take(&mut self.pool);
        let doors = self.doors_of(&pool, at);
        self.pool = pool;
        doors
    }

    /// How each place stands that has people.
    fn doors_of(
        &mut self,
        pool: &BTreeMap<Batch, f64>,
        at: Timestamp,
    ) -> BTreeMap<OpeningId, Door> {
        let places: BTreeSet<OpeningId> = pool.keys().filter_map(|batch| batch.place).collect();
        let (since, Some(openings)) = (self.since, &mut self.openings) else {
            return BTreeMap::new();
        };
        let mut door = |place| match openings.state(place, at) {
            WindowState::Open { until } => Door::Open { until },
            WindowState::Closed { next_opening: None } => Door::Shut,
            WindowState::Closed {
                next_opening: Some(until),
            } => match openings.window().leave(at, since, openings.zones(place)) {
                Leave::Expire => Door::Shut,
                _ => Door::Closed { until },
            },
        };
        places
            .into_iter()
            .map(|place| (place, door(place)))
            .collect()
    }
}

/// Takes people out in the order of their turn, as many as there is room for, where they may be called.
fn serve(
    pool: &mut BTreeMap<Batch, f64>,
    room: &mut f64,
    may: impl Fn(&Batch) -> bool,
) -> Vec<(Batch, f64)> {
    let mut taken = Vec::new();
    for (batch, people) in pool.iter_mut() {
        if *room <= 0.0 {
            break;
        }
        if *people > 0.0 && may(batch) {
            let now = people.min(*room);
            *room -= now;
            *people -= now;
            taken.push((*batch, now));
        }
    }
    pool.retain(|_, people| *people > 0.0);
    taken
}

/// The next moments at which a place opens or closes; two places where these are the same are alike.
fn changes(openings: &mut Openings, id: OpeningId, now: Timestamp) -> (bool, Vec<Timestamp>) {
    let (mut at, mut changes) = (now, Vec::new());
    let open = openings.state(id, now).is_open();
    for _ in 0..CHANGES_COMPARED {
        let (WindowState::Open { until }
        | WindowState::Closed {
            next_opening: Some(until),
        }) = openings.state(id, at)
        else {
            break;
        };
        changes.push(until);
        at = until;
    }
    (open, changes)
}

fn seconds(s: f64) -> Duration {
    Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX)
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::retry::Waits;
    use crate::domain::window::{Days, OnClose, Span, WindowZone};
    use crate::domain::zones::ZoneSet;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn flow(rate: f64) -> Flow {
        Flow {
            rate,
            call: MINUTE,
            ends: Ends::default(),
        }
    }

    fn window(zone: WindowZone, on_close: OnClose) -> Window {
        let hours = ("09:00".parse().unwrap(), "17:00".parse().unwrap());
        let span = Span::new(Days::ALL, hours.0, hours.1).unwrap();
        Window::new(vec![span], zone, [], on_close)
    }

    fn stockholm() -> WindowZone {
        WindowZone::Fixed(ZoneSet::one("Europe/Stockholm").unwrap())
    }

    fn people(people: u64, zones: Option<&str>, due: Timestamp) -> Ahead {
        Ahead {
            zones: zones.map(Zones::read),
            tried: Tried::default(),
            due,
            people,
        }
    }

    /// Within so many percent of the time from `from` on.
    fn about(done: Option<Timestamp>, from: Timestamp, truth: Duration, percent: f64) {
        let took = done
            .expect("an end is in sight")
            .duration_since(from)
            .as_secs_f64();
        let truth = truth.as_secs_f64();
        let off = (took - truth).abs() / truth * 100.0;
        assert!(off <= percent, "{took} s instead of {truth} s");
    }

    fn retrying() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 3,
            busy: Waits::After(vec![10 * MINUTE]),
            no_answer: Waits::After(vec![60 * MINUTE, 240 * MINUTE]),
            ..RetryPolicy::default()
        }
    }

    #[test]
    fn without_window_and_retries_the_rate_alone_decides() {
        let now = at("2026-11-27T10:00:00Z");
        let list = [people(1_000_000, None, now)];
        let once = RetryPolicy::default();
        let mut outlook = Outlook::new(once, None, now, list, (now, flow(10.0)));
        let truth = Duration::from_secs(100_000) + MINUTE;
        about(outlook.done_at(now, flow(10.0)), now, truth, 0.1);
    }

    #[test]
    fn whoever_comes_back_takes_a_turn_and_the_last_wait_comes_on_top() {
        let now = at("2026-11-27T10:00:00Z");
        let new = |n| {
            let list = [people(n, None, now)];
            Outlook::new(retrying(), None, now, list, (now, flow(10.0)))
        };
        // Whoever is due longest comes first, so all are called once before anybody is called again:
        // 260,000 second attempts, and four hours until the last of whom nobody answered twice.
        let truth = Duration::from_hours(35) + 240 * MINUTE + 2 * MINUTE;
        about(new(1_000_000).done_at(now, flow(10.0)), now, truth, 2.0);
        // A short list waits longest for those whom nobody answered twice: an hour and four.
        let truth = 300 * MINUTE + Duration::from_secs(30) + 3 * MINUTE;
        about(new(300).done_at(now, flow(10.0)), now, truth, 2.0);
        // Nobody waits for a share of a person.
        let truth = Duration::from_mins(1);
        about(new(1).done_at(now, flow(10.0)), now, truth, 5.0);
    }

    #[test]
    fn nobody_is_called_while_the_window_is_closed() {
        // A Friday, an hour before the window opens; 28,800 calls a day.
        let now = at("2026-11-27T07:00:00Z");
        let window = window(stockholm(), OnClose::Wait);
        let list = [people(100_000, None, now)];
        let once = RetryPolicy::default();
        let mut outlook = Outlook::new(once, Some(window), now, list, (now, flow(1.0)));
        let done = outlook.done_at(now, flow(1.0));
        // Three whole days, and 13,600 s of the fourth.
        let truth = Duration::from_secs(3600 + 3 * 86_400 + 13_600 + 60);
        about(done, now, truth, 0.5);
    }

    #[test]
    fn each_place_has_its_own_window() {
        let now = at("2026-11-27T08:00:00Z");
        let window = window(WindowZone::Recipient, OnClose::Wait);
        let list = [
            people(3_600, Some("Europe/Stockholm"), now),
            people(3_600, Some("Europe/Berlin"), now),
            people(3_600, Some("America/New_York"), now),
            people(7, None, now),
        ];
        let once = RetryPolicy::default();
        let mut outlook = Outlook::new(once, Some(window), now, list, (now, flow(1.0)));
        assert_eq!(outlook.held(), 7);
        // New York opens at 14:00Z, when both others are done.
        let truth = Duration::from_mins(7 * 60 + 1);
        about(outlook.done_at(now, flow(1.0)), now, truth, 0.5);
    }

    #[test]
    fn whoever_is_not_called_any_later_needs_no_time() {
        let now = at("2026-11-27T15:00:00Z");
        let window = window(stockholm(), OnClose::Expire);
        let list = [people(100_000, None, now)];
        let once = RetryPolicy::default();
        let mut outlook = Outlook::new(once, Some(window), now, list, (now, flow(1.0)));
        about(
            outlook.done_at(now, flow(1.0)),
            now,
            Duration::from_mins(61),
            1.0,
        );
    }

    #[test]
    fn what_happened_takes_the_place_of_what_was_supposed() {
        let now = at("2026-11-27T10:00:00Z");
        let list = [people(36_000, None, now)];
        let mut outlook = Outlook::new(retrying(), None, now, list, (now, flow(10.0)));
        // Half an hour in which half of them were called, and everybody answered.
        let ends = Ends {
            answered: 1.0,
            busy: 0.0,
            no_answer: 0.0,
            failed: 0.0,
            fault: 0.0,
        };
        let flow = Flow { ends, ..flow(10.0) };
        let later = now + 30 * MINUTE;
        outlook.called(later, 18_000, flow);
        outlook.left(18_400, 400, ends);
        assert!(
            (outlook.people() - 18_000.0).abs() < 1.0,
            "{}",
            outlook.people()
        );
        about(outlook.done_at(later, flow), later, 31 * MINUTE, 1.0);
        // All are called: what is left ends with its calls.
        outlook.called(later, 18_000, flow);
        outlook.left(0, 0, ends);
        assert_eq!(outlook.done_at(later, flow), Some(later + MINUTE));
    }
}
