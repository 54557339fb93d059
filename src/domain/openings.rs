//! What is known of a window's openings, so that the decision before each dial costs a comparison.
//!
//! A state once found holds until it ends. It is asked for with the wall's time, and the wall's time
//! may jump: one that went back to before the state was found has it found anew.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::window::{Window, WindowState};
use super::zones::{ZoneSet, ZoneUnknown, Zones};

/// "Never, as far as one looks" is looked at again after this long.
const NEVER_HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// A set of zones that [`Openings`] has taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpeningId(u32);

/// A window, and what is known of its openings for each set of zones met.
#[derive(Debug)]
pub struct Openings {
    window: Window,
    ids: HashMap<ZoneSet, OpeningId>,
    known: Vec<(ZoneSet, Option<Known>)>,
}

/// A state, and the moments from which (inclusive) and until which (exclusive) it holds.
#[derive(Debug, Clone, Copy)]
struct Known {
    from: Timestamp,
    until: Timestamp,
    state: WindowState,
}

impl Openings {
    /// Nothing is known yet.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            ids: HashMap::new(),
            known: Vec::new(),
        }
    }

    /// The window whose openings these are.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// As [`id`](Self::id), for somebody of whom nothing may be recorded: such are held, unless the
    /// window has a zone of its own.
    pub fn id_of(&mut self, zones: Option<&Zones>) -> Result<OpeningId, ZoneUnknown> {
        self.id(zones.unwrap_or(&Zones::Unknown(ZoneUnknown::NoNumber)))
    }

    /// Takes a recipient's zones in. Where the window has a zone of its own, that one counts, and a
    /// recipient whose zone is not known is no question.
    pub fn id(&mut self, zones: &Zones) -> Result<OpeningId, ZoneUnknown> {
        let zones = self.window.zones_of(zones)?;
        if let Some(id) = self.ids.get(zones) {
            return Ok(*id);
        }
        let zones = zones.clone();
        let next = u32::try_from(self.known.len()).expect("there are not that many zones");
        self.known.push((zones.clone(), None));
        self.ids.insert(zones, OpeningId(next));
        Ok(OpeningId(next))
    }

    /// Whether the window is open in all of the set's zones.
    pub fn state(&mut self, id: OpeningId, now: Timestamp) -> WindowState {
        let (zones, known) = &mut self.known[id.0 as usize];
        if let Some(known) = known.filter(|known| known.from <= now && now < known.until) {
            return known.state;
        }
        let state = self.window.state(now, zones);
        let until = match state {
            WindowState::Open { until } => until,
            WindowState::Closed { next_opening } => next_opening
                .unwrap_or_else(|| now.checked_add(NEVER_HOLDS).unwrap_or(Timestamp::MAX)),
        };
        let from = now;
        *known = Some(Known { from, until, state });
        state
    }

    /// The zones of a set.
    pub fn zones(&self, id: OpeningId) -> &ZoneSet {
        &self.known[id.0 as usize].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::window::{Days, OnClose, Span, WindowZone};

    fn openings(zone: WindowZone) -> Openings {
        let span = Span::new(
            Days::ALL,
            "09:00".parse().unwrap(),
            "20:00".parse().unwrap(),
        );
        Openings::new(Window::new(vec![span.unwrap()], zone, [], OnClose::Wait))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_that_goes_back_finds_the_window_as_it_is_then() {
        let mut openings = openings(WindowZone::Recipient);
        let utc = openings.id(&Zones::read("UTC")).unwrap();
        let open = WindowState::Open {
            until: at("2026-11-21T20:00:00Z"),
        };
        let closed = WindowState::Closed {
            next_opening: Some(at("2026-11-21T09:00:00Z")),
        };
        assert_eq!(openings.state(utc, at("2026-11-21T19:59:59.9Z")), open);
        assert_eq!(openings.state(utc, at("2026-11-21T08:59:59.9Z")), closed);
        assert_eq!(openings.state(utc, at("2026-11-21T09:00:00Z")), open);
        assert_eq!(
            openings.state(utc, at("2026-11-21T20:00:00Z")),
            WindowState::Closed {
                next_opening: Some(at("2026-11-22T09:00:00Z")),
            }
        );
        assert_eq!(openings.state(utc, at("2026-11-21T12:00:00Z")), open);
    }

    #[test]
    fn sets_are_told_apart_and_kept_once() {
        let mut openings = openings(WindowZone::Recipient);
        let tokyo = openings.id(&Zones::read("Asia/Tokyo")).unwrap();
        let lima = openings.id(&Zones::read("America/Lima")).unwrap();
        assert_ne!(tokyo, lima);
        assert_eq!(openings.id(&Zones::read("asia/tokyo")), Ok(tokyo));
        assert_eq!(openings.zones(lima).as_str(), "America/Lima");
        let now = at("2026-11-21T03:00:00Z");
        assert!(openings.state(tokyo, now).is_open() && !openings.state(lima, now).is_open());
        assert_eq!(
            openings.id(&Zones::Unknown(ZoneUnknown::NoPrefix)),
            Err(ZoneUnknown::NoPrefix)
        );
    }

    #[test]
    fn a_window_with_a_zone_of_its_own_asks_nobody_else() {
        let zone = WindowZone::Fixed(ZoneSet::one("Asia/Tokyo").unwrap());
        let mut openings = openings(zone);
        let held = openings.id(&Zones::Unknown(ZoneUnknown::NotAName)).unwrap();
        assert_eq!(openings.id(&Zones::read("America/Lima")), Ok(held));
        assert!(openings.state(held, at("2026-11-21T03:00:00Z")).is_open());
    }
}
