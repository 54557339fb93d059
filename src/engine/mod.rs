//! The engine: a core that decides and a driver that does.
//!
//! [`core`] is one state machine without clock, socket or database: it is fed events and gives
//! commands. [`driver`] carries the commands out against a store and a [`Platform`] and feeds what comes
//! of them back, live or in virtual time (`timeline`). Recovery is the same machine fed from the database.

pub mod core;
pub mod driver;
pub mod platform;
pub mod progress;
#[cfg(debug_assertions)]
pub mod sabotage;
mod timeline;

pub use core::{Command, Core, End, Event, Now, Pace, Rules};
pub use driver::{Driver, Ending, Engine, Render, Signal};
pub use platform::Platform;
pub use progress::Progress;
