//! The promises, held against what happens in a world: one a file.
//!
//! A checker sees what the platform sees, and the disk; what it finds broken it says in words.

mod account;
mod again;
mod blame;
mod heard;
mod intents;
mod money;
mod pacing;
mod windows;

use std::collections::BTreeMap;
use std::time::Duration;

use callout::domain::{
    AttemptId, AttemptKey, Disposition, EventNumber, News, Outcome, RecipientId, Spend, Verdict,
};

use crate::memory::Tables;
use crate::nature::Nature;
use crate::platform::Platform;

/// The world as it stands.
pub(crate) struct Scene<'a> {
    pub(crate) nature: &'a Nature,
    pub(crate) now: Duration,
    pub(crate) disk: &'a Tables,
    pub(crate) platform: &'a Platform,
    /// What the run may cost by now.
    pub(crate) spend: Option<&'a Spend>,
    /// What whoever was not called becomes, once the run was ended early.
    pub(crate) closed_as: Option<Disposition>,
    /// Whether the run is over.
    pub(crate) over: bool,
    /// Events that are not done with.
    pub(crate) inbox: &'a BTreeMap<EventNumber, (AttemptId, News)>,
}

/// A callout that reaches the platform.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post {
    pub(crate) key: AttemptKey,
    pub(crate) id: AttemptId,
    pub(crate) recipient: RecipientId,
}

/// What is broken, in words.
pub(crate) type Violations = Vec<String>;

/// Who watches over one promise.
pub(crate) trait Checker {
    /// A callout reaches the platform.
    fn posted(&mut self, _post: Post, _scene: &Scene<'_>, _broken: &mut Violations) {}

    /// A call began.
    fn rang(&mut self, _scene: &Scene<'_>, _broken: &mut Violations) {}

    /// The engine hears what became of a callout.
    fn answered(&mut self, _key: AttemptKey, _verdict: &Verdict, _scene: &Scene<'_>) {}

    /// The engine hears that a call is over.
    fn ended(&mut self, _key: AttemptKey, _outcome: &Outcome, _scene: &Scene<'_>) {}

    /// The run stopped because the next call does not fit under its cap.
    fn stopped_at_the_cap(&mut self, _scene: &Scene<'_>, _broken: &mut Violations) {}

    /// Another process goes on with what is on the disk.
    fn restarted(&mut self, _scene: &Scene<'_>) {}

    /// The world has come to its end.
    fn at_the_end(&mut self, _scene: &Scene<'_>, _broken: &mut Violations) {}
}

/// All of them.
pub(crate) fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(intents::Intents::default()),
        Box::new(again::Again::default()),
        Box::new(windows::Windows),
        Box::new(pacing::Pacing::default()),
        Box::new(account::Account),
        Box::new(heard::InCalls),
        Box::new(money::Caps),
        Box::new(blame::Blame),
    ]
}
