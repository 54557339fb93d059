//! What a minute of calling some numbers costs, as the platform said.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::Money;

/// What the platform said of some numbers of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Price {
    pub(super) asked_at: Timestamp,
    /// What a minute costs, lowest and highest, in plain decimals.
    pub(crate) lowest: String,
    pub(crate) highest: String,
    pub(crate) currency: String,
    pub(crate) restricted: bool,
}

impl Price {
    /// What a minute costs, of a rate in plain decimals; none where it is no price.
    pub(super) fn rate(&self, rate: &str) -> Option<Money> {
        let amount = Money::parse_amount(rate).filter(|amount| Money::is_price(*amount))?;
        Some(Money {
            amount,
            currency: Money::currency_as_told(&self.currency),
        })
    }
}
