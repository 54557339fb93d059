//! Who must not be called.

use async_trait::async_trait;
use jiff::Timestamp;
use roaring::RoaringTreemap;

use super::error::StoreError;
use crate::domain::{Suppression, Suppressions};

/// The suppression lists.
#[async_trait]
pub trait SuppressionStore: std::fmt::Debug + Send + Sync {
    /// Who must not be called: all suppression lists.
    async fn suppressions(&self) -> Result<Suppressions, StoreError>;

    /// Puts numbers on a list, all or none. One that is there already is there for the new reason
    /// from now on; one that was erased stays suppressed by its hash, and is not stored.
    async fn suppress(
        &self,
        reason: &Suppression,
        numbers: &RoaringTreemap,
    ) -> Result<Added, StoreError>;

    /// Takes numbers off one list or, without a name, off all. Returns how many entries there were.
    async fn unsuppress(
        &self,
        numbers: &RoaringTreemap,
        removal: &Removal,
    ) -> Result<u64, StoreError>;

    /// Writes down that the numbers of a list were read by the rules of now.
    async fn imported_again(&self, list: &str) -> Result<(), StoreError>;

    /// The latest change of each suppression list.
    async fn list_changes(&self) -> Result<Vec<ListChange>, StoreError>;
}

/// What came of putting numbers on a suppression list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Numbers that were not on the list.
    pub new: u64,
    /// Numbers that were on it, and now are for the new reason.
    pub renewed: u64,
    /// Numbers that were erased: suppressed already, and not stored again.
    pub erased: u64,
}

/// Numbers are taken off suppression lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Off which list; none: off all.
    pub list: Option<String>,
    /// Who says so.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Option<String>,
}

/// What is done to a suppression list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListAct {
    /// Numbers were put on it.
    Add,
    /// Numbers were taken off it.
    Remove,
    /// A number was erased, and stays suppressed by its hash.
    Erase,
}

impl ListAct {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Add, Self::Remove, Self::Erase];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Erase => "erase",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }
}

/// The latest change of a suppression list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListChange {
    /// The list's name; none for a removal from all lists.
    pub list: Option<String>,
    /// What was done.
    pub what: ListAct,
    /// Who did it.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// To how many numbers.
    pub numbers: u64,
}
