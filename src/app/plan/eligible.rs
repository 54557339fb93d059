//! How many recipients of a list may be called now, later, or not at all; and the moment at which work of
//! a given length is done when it goes on only while windows are open.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::window::{Window, WindowState};
use crate::domain::{Ahead, OpeningId, Openings, Tried, Zones};

/// Openings that are looked at before a plan gives up on an end: two years of days.
const OPENINGS_MAX: u32 = 730;

/// How many may be called now, later, or not at all.
#[derive(Debug)]
pub(crate) struct Eligible {
    openings: Openings,
    /// People by where they may be.
    met: BTreeMap<OpeningId, u64>,
    pub(crate) now: u64,
    pub(crate) later: u64,
    pub(crate) next: Option<Timestamp>,
    pub(crate) held: u64,
}

impl Eligible {
    pub(crate) fn new(window: Window) -> Self {
        Self {
            openings: Openings::new(window),
            met: BTreeMap::new(),
            now: 0,
            later: 0,
            next: None,
            held: 0,
        }
    }

    /// Counts a recipient.
    pub(crate) fn add(&mut self, zones: Option<&Zones>, now: Timestamp) {
        let state = self.openings.id_of(zones).map(|id| {
            *self.met.entry(id).or_default() += 1;
            self.openings.state(id, now)
        });
        match state {
            Ok(WindowState::Open { .. }) => self.now += 1,
            Ok(WindowState::Closed {
                next_opening: Some(at),
            }) => {
                self.later += 1;
                self.next = Some(self.next.map_or(at, |next| next.min(at)));
            }
            Ok(WindowState::Closed { next_opening: None }) | Err(_) => self.held += 1,
        }
    }

    /// When so much dialling is done, begun at a moment, wherever people are: it goes on only while
    /// windows are open. None where that is not in sight.
    pub(crate) fn done_by(&mut self, from: Timestamp, work: Duration) -> Option<Timestamp> {
        let ends: Option<Vec<Timestamp>> = self
            .met
            .keys()
            .map(|id| done_in(&mut self.openings, *id, from, work))
            .collect();
        ends?.into_iter().max()
    }

    /// Everybody who is to be called, from a moment on.
    pub(crate) fn ahead(&self, from: Timestamp) -> Vec<Ahead> {
        let ahead = |(id, people): (&OpeningId, &u64)| Ahead {
            zones: Some(Zones::Known(self.openings.zones(*id).clone())),
            tried: Tried::default(),
            due: from,
            people: *people,
        };
        self.met.iter().map(ahead).collect()
    }

    /// The window in words.
    pub(crate) fn window(&self) -> String {
        self.openings.window().to_string()
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "window": self.openings.window().to_string(),
            "now": self.now,
            "later": self.later,
            "next_opening": self.next.map(|at| at.to_string()),
            "held": self.held,
        })
    }
}

fn done_in(
    openings: &mut Openings,
    id: OpeningId,
    from: Timestamp,
    mut work: Duration,
) -> Option<Timestamp> {
    let mut at = from;
    for _ in 0..OPENINGS_MAX {
        match openings.state(id, at) {
            WindowState::Open { until } => {
                let open = Duration::try_from(until.duration_since(at)).unwrap_or_default();
                if work <= open {
                    return at.checked_add(work).ok();
                }
                work -= open;
                at = until;
            }
            WindowState::Closed { next_opening } => at = next_opening?,
        }
    }
    None
}
