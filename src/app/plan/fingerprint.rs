//! The hash of a plan: what a `run` of it must find as it was.
//!
//! A digest for each thing that a plan rests on, so that a run that is refused can say which of them
//! changed.

use std::fmt;
use std::str::FromStr;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::campaign::Campaign;
use crate::digest::hex;
use crate::domain::{READER, RunId};
use crate::recipients::time_zones_of_prefixes;

/// Hexadecimal digits of each part.
const DIGITS: usize = 10;
/// In the place of the prices, where the platform was not asked.
const NOT_ASKED: &str = "0000000000";

/// The parts, in the order in which they stand in the hash.
const PARTS: [&str; 6] = [
    "the campaign file or its file of dates",
    "the list",
    "the suppression lists",
    "the prices or the platform that is asked for them",
    "the rules (another version of callout, or of its tables of numbers and time zones)",
    "the earlier runs of the campaign, or which of their recipients are called",
];

/// The hash of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint([String; 6]);

impl Fingerprint {
    /// Of what a plan rests on. `suppressed` is a digest of who must not be called, `prices` is what
    /// the platform told, where it was asked, `runs` are the
    /// campaign's latest, and the one of whose recipients only those are called whom it did not reach.
    pub(crate) fn of(
        campaign: &Campaign,
        list_sha256: &str,
        suppressed: &str,
        prices: Option<&serde_json::Value>,
        runs: [Option<&RunId>; 2],
    ) -> Self {
        let mut definition = Sha256::new();
        definition.update(campaign.source());
        definition.update([0]);
        definition.update(campaign.blackout_file.as_deref().unwrap_or_default());
        let rules = json!([
            env!("CARGO_PKG_VERSION"),
            READER,
            time_zones_of_prefixes(),
            jiff::tz::db().available().count(),
        ]);
        let runs = json!(runs.map(|run| run.map(RunId::as_str)));
        Self([
            short(definition),
            list_sha256.chars().take(DIGITS).collect(),
            suppressed.chars().take(DIGITS).collect(),
            prices.map_or(NOT_ASKED.to_owned(), |prices| {
                short(Sha256::new_with_prefix(prices.to_string()))
            }),
            short(Sha256::new_with_prefix(rules.to_string())),
            short(Sha256::new_with_prefix(runs.to_string())),
        ])
    }

    /// Whether the plan asked the platform for prices.
    pub(crate) fn has_prices(&self) -> bool {
        self.0[3] != NOT_ASKED
    }

    /// What has changed between this plan and another. Prices that this one did not ask for are no
    /// part of it.
    pub(crate) fn changed(&self, now: &Self) -> Vec<&'static str> {
        let differs = |i: usize| self.0[i] != now.0[i] && (i != 3 || self.has_prices());
        (0..PARTS.len())
            .filter(|i| differs(*i))
            .map(|i| PARTS[i])
            .collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("-"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<String> = text.trim().split('-').map(str::to_lowercase).collect();
        let right =
            |part: &String| part.len() == DIGITS && part.bytes().all(|b| b.is_ascii_hexdigit());
        <[String; 6]>::try_from(parts)
            .ok()
            .filter(|parts| parts.iter().all(right))
            .map(Self)
            .ok_or_else(|| {
                "it is six times ten hexadecimal digits, with hyphens between".to_owned()
            })
    }
}

fn short(digest: Sha256) -> String {
    let mut hex = hex(&digest.finalize());
    hex.truncate(DIGITS);
    hex
}
