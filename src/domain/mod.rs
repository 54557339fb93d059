//! What a callout campaign is made of, in the words of the house.
//!
//! Everything here is pure: no I/O, no async, no clock and no randomness of its own. A function that
//! needs the time takes it as an argument. The domain knows nobody; every other module knows it.

pub mod absence;
pub mod account;
pub mod attempt;
pub mod breaker;
pub mod budget;
pub mod call_flow;
pub mod callout;
pub mod count;
pub mod destination;
pub mod earlier;
pub mod forecast;
pub mod ids;
pub mod in_call;
pub mod money;
pub mod news;
pub mod number_form;
pub mod openings;
pub mod outcome;
pub mod outlook;
pub mod pacing;
pub mod polling;
pub mod recipient;
pub mod redact;
pub mod refusals;
pub mod repeat;
pub mod retry;
pub mod run;
pub mod schedule;
pub mod screen;
pub mod spend;
mod spoken;
pub mod suppression;
pub mod svaml;
pub mod svaml_check;
pub mod told;
pub mod verdict;
pub mod wall;
pub mod way;
pub mod window;
pub mod zones;

pub use absence::{Absence, Began, Callee, Ours, Seen, Unproved};
pub use account::{AttemptRecord, Backlog, ResultRow, Said, SecondCall, Story, Tally, Wait};
pub use attempt::{AttemptEvent, AttemptState, IllegalStep, Stage, Word};
pub use breaker::Breaker;
pub use budget::{Budget, Headroom, PriceSurprise};
pub use call_flow::{
    AnsweredBy, Asks, CallFlow, Choice, Chosen, Key, Keyed, Machine, MachineDoes, Menu, Next,
    Speech, Step, Then, Visit,
};
pub use callout::{
    CallLength, Callout, CalloutBody, ConferenceCallout, ConferenceDtmf, CustomCallout,
    FlowCallout, HttpHeader, TtsCallout,
};
pub use count::Count;
pub use destination::{Destination, DestinationKind};
pub use earlier::{Endpoints, NotReachedBy, Overlap, RunEndpoints};
pub use ids::{AttemptId, AttemptKey, CallId, RecipientId, RunId};
pub use in_call::{Answered, InCall, Wanted};
pub use money::{Money, Purse};
pub use news::{EventNumber, News, Says, Signal, Signalled};
pub use number_form::{NumberForm, READ_AGAIN_BUT, READER};
pub use openings::{OpeningId, Openings};
pub use outcome::Outcome;
pub use outlook::{Ahead, Flow, Outlook};
pub use recipient::{
    Disposition, Follow, RESULT_COLUMNS, RecipientState, RejectKind, Stands, Terms, WaitReason,
    after_attempt, closed, heard_late,
};
pub use redact::{Spellings, without_numbers};
pub use refusals::{Endings, EndsSpeakOf, Known, Refusals, Ruling, Trouble};
pub use repeat::{BadRepeat, Occurrence, Remark, Repeat};
pub use retry::{RetryPolicy, Tried};
pub use run::{BY_HAND, IllegalRun, PauseReason, RunEvent, RunState};
pub use schedule::{
    Busy, ByHand, Misfire, Missed, Past, Schedule, Skip, SkipKind, SkipReason, Turn,
};
pub use screen::Screen;
pub use spend::{Charge, Charges, Hold, Legs, Raised, Rates, Spend, SpendAccount, Standing};
pub use suppression::{Digits, NumberHash, Suppression, Suppressions};
pub use verdict::{
    NotSent, Observation, Reaction, Refusal, RefusalCode, Side, SpeaksOf, Uncertainty, Verdict,
};
pub use wall::{ClockAccepted, Newest};
pub use way::{Leg, Way};
pub use window::{Days, Leave, OnClose, Span, TimeOfDay, Window, WindowState, WindowZone};
pub use zones::{ZoneSet, ZoneUnknown, Zones};
