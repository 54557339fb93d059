//! What there is to say about an event: its kind, where it goes, and what can go wrong with it.
//!
//! `callout` reads which events are asked for, `call` keeps it, `events` plans them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::call_id::CallId;

/// An event that the simulated platform tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EventKind {
    /// A custom callout asks what to do.
    Ice,
    /// Somebody answered.
    Ace,
    /// A menu has a result.
    Pie,
    /// The call is over.
    Dice,
    /// Something else happened.
    Notify,
    /// What the platform does by itself at a moment; nothing is told.
    Step,
}

impl EventKind {
    /// Those of every call, in the order in which it has them.
    pub(super) const EVERY_CALL: [Self; 3] = [Self::Ice, Self::Ace, Self::Dice];

    /// The word on the wire.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ice => "ice",
            Self::Ace => "ace",
            Self::Pie => "pie",
            Self::Dice => "dice",
            Self::Notify => "notify",
            Self::Step => "step",
        }
    }
}

/// Where a callout wants an event to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Sink {
    /// It is not asked for, or its answer stands in the callout.
    #[default]
    Nowhere,
    /// To the URL of the application, if it has one.
    Application,
    /// To this URL.
    Url(String),
}

/// Kinds of events that are told.
const KINDS: usize = 5;

/// Where a callout wants its events to go, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted([Sink; KINDS]);

impl Wanted {
    /// Asks for one kind of events.
    pub(super) fn set(&mut self, kind: EventKind, sink: Sink) {
        self.0[kind as usize] = sink;
    }

    /// Whether this kind is asked for.
    pub(super) fn has(&self, kind: EventKind) -> bool {
        self.0[kind as usize] != Sink::Nowhere
    }

    /// Whether any event is asked for.
    pub(super) fn is_any(&self) -> bool {
        self.0.iter().any(|sink| *sink != Sink::Nowhere)
    }

    /// The URLs, by kind, where the application has this one; nothing where no event has a URL.
    pub(super) fn urls(self, application: Option<&Arc<str>>) -> Option<Urls> {
        let urls = self.0.map(|sink| match sink {
            Sink::Nowhere => None,
            Sink::Application => application.map(Arc::clone),
            Sink::Url(url) => Some(url.into()),
        });
        urls.iter().any(Option::is_some).then_some(urls)
    }
}

/// Where events go, by kind.
pub(super) type Urls = [Option<Arc<str>>; KINDS];

/// What is told of one call. Most calls have none.
#[derive(Debug)]
pub(super) struct Told {
    /// Where it is told, by kind.
    urls: Urls,
    /// How many calls its endpoint had before: with it the draws about the events can be repeated.
    pub(super) nth: u64,
    /// A second call of the same `custom` that is told, too, and that nobody placed.
    pub(super) twin: Option<CallId>,
    /// How long the answer to the POST is held back, so that an event comes before it.
    pub(super) held: Duration,
}

impl Told {
    pub(super) fn new(urls: Urls, nth: u64, twin: Option<CallId>) -> Self {
        Self {
            urls,
            nth,
            twin,
            held: Duration::ZERO,
        }
    }

    /// What is told of the second leg of this call.
    pub(super) fn of_leg(&self, application: Option<&Arc<str>>, nth: u64) -> Self {
        let mut urls = self.urls.clone();
        let ace = &mut urls[EventKind::Ace as usize];
        *ace = ace.take().or_else(|| application.map(Arc::clone));
        Self::new(urls, nth, None)
    }

    /// Where events of this kind go.
    pub(super) fn url(&self, kind: EventKind) -> Option<&Arc<str>> {
        self.urls.get(kind as usize)?.as_ref()
    }
}

/// What goes wrong with events, and how often. Each share is drawn on its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventFaults {
    /// The share of events that are never sent.
    pub lost: f64,
    /// The share of events that are sent twice, the second time as soon as the first.
    pub doubled: f64,
    /// The share of events that come late.
    pub late: f64,
    /// How late those come, in wall time.
    pub late_by: Duration,
    /// Whether events come in another order than they happened: each is delayed by up to twice what is
    /// left of its call and two simulated seconds more.
    pub shuffled: bool,
    /// The share of calls whose first event comes before the answer to the POST, which is held back for it.
    /// Calls that tell nothing within five seconds of wall time are left as they are.
    pub early: f64,
    /// The share of calls whose `DiCE` has no debit.
    pub without_debit: f64,
    /// The share of calls of which a second one is told under the same `custom`. It is in no ledger, and
    /// a GET does not find it.
    pub second_call: f64,
}

impl Default for EventFaults {
    fn default() -> Self {
        Self {
            lost: 0.0,
            doubled: 0.0,
            late: 0.0,
            late_by: Duration::from_secs(30),
            shuffled: false,
            early: 0.0,
            without_debit: 0.0,
            second_call: 0.0,
        }
    }
}

impl EventFaults {
    pub(super) fn named(&self) -> [(&'static str, f64); 6] {
        [
            ("the share of lost events", self.lost),
            ("the share of doubled events", self.doubled),
            ("the share of late events", self.late),
            ("the share of early events", self.early),
            ("the share of events without debit", self.without_debit),
            ("the share of second calls", self.second_call),
        ]
    }
}

/// Something that is wrong with one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Lost,
    Doubled,
    Late,
    Early,
    WithoutDebit,
    SecondCall,
}

/// All that is wrong with one event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marks(u8);

impl Marks {
    const WORDS: [(Mark, &'static str); 6] = [
        (Mark::Lost, "lost"),
        (Mark::Doubled, "doubled"),
        (Mark::Late, "late"),
        (Mark::Early, "early"),
        (Mark::WithoutDebit, "without_debit"),
        (Mark::SecondCall, "second_call"),
    ];

    /// Adds a mark where the condition holds.
    pub(super) fn mark(&mut self, mark: Mark, condition: bool) {
        self.0 |= u8::from(condition) << (mark as u8);
    }

    pub(super) fn has(self, mark: Mark) -> bool {
        self.0 & (1 << (mark as u8)) != 0
    }
}

impl fmt::Display for Marks {
    /// The words, a space between two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (_, word) in Self::WORDS.into_iter().filter(|(mark, _)| self.has(*mark)) {
            write!(f, "{between}{word}")?;
            between = " ";
        }
        Ok(())
    }
}

/// An event that will be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Planned {
    /// When it is sent.
    pub(super) due: Timestamp,
    /// Decides between events due at the same moment, before all else; zero unless shuffled.
    pub(super) rank: u32,
    /// The call's place.
    pub(super) call: usize,
    /// Its place among the call's events.
    pub(super) nth: usize,
    pub(super) kind: EventKind,
    /// What it says, or which step it is, by its place in the call's course.
    pub(super) item: u32,
    /// When it happened.
    pub(super) moment: Timestamp,
    pub(super) marks: Marks,
}
