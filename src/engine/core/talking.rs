//! Calls in which people are asked something: whoever stops goes on answering until they are over.

use std::borrow::Cow;
use std::time::Duration;

use super::{Core, End, Now, Phase};

/// How long calls are answered in which people are asked something.
#[derive(Debug, Default)]
pub(super) struct Talks {
    /// How long one lasts at most; none: nobody is asked anything.
    at_most: Option<Duration>,
    /// When the last of them is over at the latest.
    until: Duration,
    /// Whether what is pressed comes by a way of its own, so that it may be there although the call is over.
    listens: bool,
    /// When something happened last.
    stirred_at: Duration,
    /// When it was looked last in vain whether anything was there to be heard.
    quiet_at: Duration,
}

impl Talks {
    /// Whether people are asked something.
    pub(super) fn asks(&self) -> bool {
        self.at_most.is_some()
    }

    /// Something happened.
    pub(super) fn stirred(&mut self, now: Duration) {
        self.stirred_at = now;
    }

    /// Nothing was there to be heard at that moment.
    pub(super) fn quiet(&mut self, at: Duration) {
        self.quiet_at = at;
    }

    /// Whether nothing can be there to be heard any more, now that all calls are over: a key that was answered is
    /// taken into account before the run is.
    pub(super) fn all_is_heard(&self) -> bool {
        !self.asks() || !self.listens || self.quiet_at > self.stirred_at
    }

    /// A call of this age goes on.
    pub(super) fn began(&mut self, age: Duration, now: Duration) {
        if let Some(left) = self.at_most.and_then(|at_most| at_most.checked_sub(age)) {
            self.until = self.until.max(now + left);
        }
    }
}

impl Core {
    /// The same core, whose calls ask, and last so long at most; none: they ask nothing. `listens`: it is told when
    /// nothing is there to be heard.
    #[must_use]
    pub fn talking(mut self, at_most: Option<Duration>, listens: bool) -> Self {
        self.talks.at_most = at_most;
        self.talks.listens = listens;
        self
    }

    /// Until when the core follows calls although it stops, because somebody may be in them; none where it
    /// does not.
    pub(super) fn talks_until(&self, now: Now) -> Option<Duration> {
        let stops = match &self.phase {
            // What is heard could not be kept.
            Phase::Draining(end) => !matches!(end, End::Failed(_)),
            _ => false,
        };
        if !stops || !self.talks.asks() {
            return None;
        }
        let known = (!self.flights.is_empty()).then_some(self.talks.until);
        // Somebody may be in the call of an attempt whose answer was lost: it is known when they press a key.
        let unknown = self.uncertain.back().copied();
        known.max(unknown).filter(|until| *until > now.mono)
    }

    /// Why it does not stop yet, in words.
    pub(super) fn why_talking(&self, now: Now) -> Option<Cow<'static, str>> {
        let until = self.talks_until(now)?;
        let left = until.saturating_sub(now.mono).as_secs() + 1;
        let calls = match self.flights.len() + self.uncertain.len() {
            1 => "1 call goes on in which somebody is asked".to_owned(),
            calls => format!("{calls} calls go on in which people are asked"),
        };
        Some(
            format!("stopping: {calls}: they are answered until they are over, {left} s at most")
                .into(),
        )
    }
}
