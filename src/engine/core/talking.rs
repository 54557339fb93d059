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
}

impl Talks {
    /// A call of this age goes on.
    pub(super) fn began(&mut self, age: Duration, now: Duration) {
        if let Some(left) = self.at_most.and_then(|at_most| at_most.checked_sub(age)) {
            self.until = self.until.max(now + left);
        }
    }
}

impl Core {
    /// The same core, whose calls ask, and last so long at most; none: they ask nothing.
    #[must_use]
    pub fn talking(mut self, at_most: Option<Duration>) -> Self {
        self.talks.at_most = at_most;
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
        if !stops || self.talks.at_most.is_none() {
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
