//! The list: a CSV stream in, checked rows and rejects out.
//!
//! [`ListReader`] turns bytes into rows and refuses what is not a list; [`Numbers`] turns a cell
//! into a number that can be dialled, or says why not; [`check_list`] does both for every row on
//! several threads, renders each callout on trial, finds duplicates and hands the rows on in order.
//! [`ZoneOf`] says in which
//! time zones a row may be. Memory stays flat whatever the list's length. This module knows `domain` and `campaign`.

pub mod check;
pub mod numbers;
pub mod phone;
pub mod reader;
pub mod zones;

mod bytes;
mod duplicates;
mod header;
mod spelling;
mod verdict;

pub use check::{CheckError, CheckedList, CheckedRow, ListSummary, check_list};
pub use duplicates::locate_duplicates;
pub use numbers::{NumberList, NumbersRead, read_numbers};

pub use phone::{Numbers, Parsed, Unreadable, national_of, place_of};
pub use reader::{ListReader, Row};
pub use verdict::{RowVerdict, address};
pub use zones::{ZoneOf, time_zones_of_prefixes, zones_of_number};
