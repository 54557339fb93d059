//! What the platform said lately of prices, in a file of the user's cache folder: losing it costs a few
//! questions. It holds prices by country and kind, never a number.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::price::Price;
use crate::sinch::Client;

/// How long a price is believed.
const BELIEVED: Duration = Duration::from_hours(24);

/// Prices that are still believed, and the file that keeps them.
pub(super) struct PriceMemory {
    file: Option<PathBuf>,
    prices: BTreeMap<String, Price>,
    changed: bool,
}

impl PriceMemory {
    /// Reads what is kept in a folder of an account's prices.
    pub(super) fn load(cache: Option<&Path>, client: &Client, now: Timestamp) -> Self {
        // Prices are an account's own.
        let account: String = client
            .platform()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let file = cache.map(|f| f.join("callout").join(format!("prices-{account}.json")));
        let mut prices: BTreeMap<String, Price> = file
            .as_ref()
            .and_then(|file| serde_json::from_slice(&std::fs::read(file).ok()?).ok())
            .unwrap_or_default();
        prices.retain(|_, price| {
            let age = now.duration_since(price.asked_at);
            let new = !age.is_negative() && age.unsigned_abs() < BELIEVED;
            new && price.rate(&price.lowest).is_some() && price.rate(&price.highest).is_some()
        });
        Self {
            file,
            prices,
            changed: false,
        }
    }

    /// Believes nothing that was said before.
    pub(super) fn forget(&mut self) {
        self.prices.clear();
    }

    /// The price of a country's numbers of a kind.
    pub(super) fn get(&self, country: &str, kind: &str) -> Option<Price> {
        self.prices.get(&format!("{country} {kind}")).cloned()
    }

    /// Keeps a price.
    pub(super) fn put(&mut self, country: &str, kind: &str, price: Price) {
        self.prices.insert(format!("{country} {kind}"), price);
        self.changed = true;
    }

    /// Writes down what is new.
    pub(super) fn save(&self) {
        let Some(file) = self.file.as_ref().filter(|_| self.changed) else {
            return;
        };
        let written = file
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(file, serde_json::to_vec(&self.prices)?));
        if let Err(error) = written {
            tracing::debug!(%error, "prices are not kept");
        }
    }
}
