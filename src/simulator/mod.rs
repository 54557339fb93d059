//! The platform's side of the Calling API: a pure world from a seed, and its HTTP face.
//!
//! The simulator answers any client as the documents say the platform does, misbehaves as told
//! ([`Options`]), and keeps a ledger of every phone that rang, which is what our promises are
//! measured against. It shares request signing with `sinch` and nothing else: it reads and writes
//! JSON of its own, so that one mistake cannot hide on both sides. It never knows store or engine.
//!
//! Reading order: [`world`] decides, `book` counts, [`callout`] checks what is posted, [`fate`] draws how a call
//! ends, [`faults`] what goes wrong, [`shape`] how a call is told; [`routes`], [`http`] and
//! [`server`] carry it over sockets, [`sender`] carries the events. [`methods`] dispatches every method other than callouts; [`manage`],
//! [`conference`], [`recording`], [`numbers`], [`callbacks`] and [`query`] carry them out, [`wording`] words the
//! answers, and [`requests`] records the requests. [`event`] is what an event is, [`events`] plans them, and [`tell`]
//! writes those that are due.
//!
//! Calls that ask are played: [`script`] reads SVAML, [`people`] are who answers, [`play`] plays the one to the other,
//! [`course`] is what goes on in one call, [`conduct`] carries each answer on, and [`legs`] connects calls.

mod answer;
mod book;
mod call;
mod call_id;
mod callbacks;
mod callout;
mod chance;
mod conduct;
mod conference;
mod course;
mod endpoint;
mod event;
mod events;
mod fate;
mod faults;
mod fields;
mod http;
mod ledger;
mod legs;
mod manage;
mod methods;
mod numbers;
mod options;
mod payload;
mod people;
mod percent;
mod play;
mod query;
mod recording;
mod requests;
mod routes;
mod script;
mod sender;
mod server;
mod shape;
mod socket;
mod svaml;
mod tariff;
mod tell;
mod wav;
mod wording;
mod world;

pub use answer::{Answer, ApiError, Delivery};
pub use callout::{Kind, Order, Rejected};
pub use endpoint::EndpointKind;
pub use event::EventFaults;
pub use fate::{CallResult, FAILED_REASONS, Fate};
pub use faults::{Fault, Faults};
pub use http::Clock;
pub use ledger::{
    AnswerRow, BadAnswers, EventRow, LedgerRow, LegRow, PlayedRow, PostRow, PressedRow, events_csv,
    ledger_csv, played_json, posts_csv, requests_csv,
};
pub use numbers::{Capability, Holder, OwnedNumber};
pub use options::{Legs, Mix, Options, OptionsError};
pub use people::People;
pub use requests::RequestRow;
pub use server::Simulator;
pub use shape::Shape;
pub use tariff::Tariff;
pub use tell::OutgoingEvent;
pub use world::World;
