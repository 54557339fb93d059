//! The engine: a core that decides, and around it what does what the core decided.
//!
//! [`core`] is one state machine without clock, socket or database: it is fed events and gives
//! commands. An [`Engine`] is given an [`Assignment`], carries the commands out against a store and a
//! [`Platform`] and feeds what comes of them back, live or in virtual time ([`Time`]). Recovery is the
//! same machine fed from the database.

mod assignment;
mod commits;
pub mod core;
mod ear;
#[expect(
    clippy::module_inception,
    reason = "the folder is the room, the file what works in it"
)]
mod engine;
pub mod glance;
mod group;
mod hearing;
mod incoming;
mod noes;
mod platform;
pub mod progress;
mod timeline;
mod wishes;

pub use assignment::{Assignment, Render};
pub use core::{Command, Core, End, Event, Heard, Now, Pace, Predecessor, Rules};
pub use engine::{Ending, Engine, Signal};
pub use glance::{Glance, Start, Watch};
pub use hearing::{learned, press};
pub use incoming::Incoming;
pub use noes::Noes;
pub use platform::Platform;
pub use progress::{Listener, Progress, Told, telling};
pub use timeline::Time;
