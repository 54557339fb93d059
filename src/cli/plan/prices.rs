//! What a list would cost: the platform is asked for a few numbers of each country and kind.
//!
//! Polite: few questions, slowly, and none about what was asked today. What is kept between two plans
//! are prices by country and kind, never a number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::estimate::Minutes;
use super::show::sums;
use crate::cli::{output, settings};
use crate::clock::Clock;
use crate::domain::money::Amount;
use crate::domain::{Money, Purse, Rates};
use crate::recipients::place_of;
use crate::report::summary::grouped;
use crate::sinch::problem::ApiError;
use crate::sinch::query::QueryNumber;
use crate::sinch::{Client, numbers::ListNumbers};

/// Digits after the `+` by which numbers are taken for alike.
const PREFIX_DIGITS: usize = 6;
/// Numbers asked of each country and kind.
const ASKED_EACH: usize = 3;
/// Questions at most for one plan.
const ASKED_MAX: usize = 60;
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a price is believed.
const BELIEVED: Duration = Duration::from_hours(24);

/// Numbers of a list that are alike, and the started minutes of a call to each of them.
#[derive(Debug, Clone, Copy, Default)]
struct Alike {
    numbers: u64,
    minutes: u64,
    /// None where it is not known of one of them.
    worst_minutes: Option<u64>,
}

impl Alike {
    fn add(&mut self, other: Self) {
        self.worst_minutes = if self.numbers == 0 {
            other.worst_minutes
        } else {
            let both = self.worst_minutes.zip(other.worst_minutes);
            both.and_then(|(a, b)| a.checked_add(b))
        };
        self.numbers += other.numbers;
        self.minutes = self.minutes.saturating_add(other.minutes);
    }
}

/// How many numbers of a list begin alike, with one of each beginning.
#[derive(Debug, Default)]
pub(super) struct Prefixes(HashMap<String, (Alike, String)>);

impl Prefixes {
    /// Counts a number in E.164.
    pub(super) fn add(&mut self, e164: &str, minutes: Minutes) {
        let end = e164.len().min(PREFIX_DIGITS + 1);
        let prefix = e164.get(..end).unwrap_or(e164);
        let one = Alike {
            numbers: 1,
            minutes: minutes.expected,
            worst_minutes: minutes.worst,
        };
        match self.0.get_mut(prefix) {
            Some((alike, _)) => alike.add(one),
            None => {
                self.0.insert(prefix.to_owned(), (one, e164.to_owned()));
            }
        }
    }

    /// How many numbers are in which country, the most first.
    pub(super) fn countries(&self) -> Vec<(String, u64)> {
        let mut countries = BTreeMap::<String, u64>::new();
        for ((country, _), (alike, _)) in self.groups() {
            *countries.entry(country).or_default() += alike.numbers;
        }
        let mut countries: Vec<_> = countries.into_iter().collect();
        countries.sort_by_key(|(_, numbers)| Reverse(*numbers));
        countries
    }

    /// The numbers by country and kind; of each, some to ask about, the commonest beginnings first.
    fn groups(&self) -> BTreeMap<(String, &'static str), (Alike, Vec<String>)> {
        let mut prefixes: Vec<&(Alike, String)> = self.0.values().collect();
        prefixes.sort_unstable_by(|a, b| (b.0.numbers, &b.1).cmp(&(a.0.numbers, &a.1)));
        let mut groups = BTreeMap::<_, (Alike, Vec<String>)>::new();
        for (alike, number) in prefixes {
            let group = groups.entry(place_of(number)).or_default();
            group.0.add(*alike);
            if group.1.len() < ASKED_EACH {
                group.1.push(number.clone());
            }
        }
        groups
    }
}

/// What is known of the prices of a list.
#[derive(Debug)]
pub(super) struct Prices {
    groups: Vec<Group>,
    /// Which platform told, and whom.
    platform: String,
    /// Our own numbers, digits only.
    own: Option<Vec<String>>,
    /// Why not everything is known.
    trouble: Option<String>,
}

/// The numbers of one country and kind.
#[derive(Debug)]
struct Group {
    country: String,
    kind: &'static str,
    alike: Alike,
    price: Option<Price>,
}

/// What the platform said of some numbers of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Price {
    asked_at: Timestamp,
    /// What a minute costs, lowest and highest, in plain decimals.
    lowest: String,
    highest: String,
    currency: String,
    restricted: bool,
}

impl Prices {
    /// Asks the platform; unless `anew`, what it said within the last day is believed.
    pub(super) async fn ask(
        prefixes: &Prefixes,
        client: &Client,
        clock: &dyn Clock,
        anew: bool,
    ) -> Self {
        let mut memory = Memory::load(client, clock.wall());
        if anew {
            memory.prices.clear();
        }
        let (mut groups, mut trouble, mut asked) = (Vec::new(), None, 0);
        let mut by_size: Vec<_> = prefixes.groups().into_iter().collect();
        by_size.sort_by_key(|(_, (alike, _))| Reverse(alike.numbers));
        for ((country, kind), (alike, samples)) in by_size {
            let known = memory.get(&country, kind);
            let price = match known {
                Some(price) => Some(price),
                None if trouble.is_some() || asked + samples.len() > ASKED_MAX => None,
                None => {
                    if asked == 0 {
                        output::tell("asking the platform what calls cost …");
                    }
                    asked += samples.len();
                    match price(&samples, client, clock.wall()).await {
                        Ok(price) => price.inspect(|p| memory.put(&country, kind, p.clone())),
                        Err(error) => {
                            trouble = Some(error.to_string());
                            None
                        }
                    }
                }
            };
            groups.push(Group {
                country,
                kind,
                alike,
                price,
            });
        }
        memory.save();
        let own = match (&trouble, client.send(&ListNumbers).await) {
            (_, Ok(numbers)) => Some(numbers.iter().map(|n| digits(&n.number)).collect()),
            (None, Err(error)) => {
                trouble = Some(error.to_string());
                None
            }
            (Some(_), Err(_)) => None,
        };
        Self {
            groups,
            platform: client.platform(),
            own,
            trouble,
        }
    }

    /// How many numbers were asked about.
    pub(super) fn numbers(&self) -> u64 {
        self.groups.iter().map(|group| group.alike.numbers).sum()
    }

    /// What one call to everybody costs at the highest prices: if all answer, and at worst, where that
    /// is known; and how many numbers have no price.
    pub(super) fn sums(&self) -> (Purse, Option<Purse>, u64) {
        let (mut once, mut worst, mut unknown) = (Purse::default(), Some(Purse::default()), 0);
        for group in &self.groups {
            let rate = group.price.as_ref().and_then(|p| p.rate(&p.highest));
            let Some(rate) = rate else {
                unknown += group.alike.numbers;
                continue;
            };
            once.add_times(&rate, group.alike.minutes.into());
            worst = worst
                .zip(group.alike.worst_minutes)
                .map(|(mut purse, minutes)| {
                    purse.add_times(&rate, minutes.into());
                    purse
                });
        }
        (once, worst, unknown)
    }

    /// What the platform told, and which platform: what a plan with these prices rests on.
    pub(super) fn record(&self) -> Value {
        let mut groups: Vec<Value> = self
            .groups
            .iter()
            .map(|group| {
                let price = group.price.as_ref();
                let price = price.map(|p| json!([p.lowest, p.highest, p.currency, p.restricted]));
                json!([group.country, group.kind, price])
            })
            .collect();
        groups.sort_by_key(Value::to_string);
        json!([self.platform, groups])
    }

    /// Whether a number to be shown is one of ours; none where that is not known.
    pub(super) fn owns(&self, cli: &str) -> Option<bool> {
        let own = self.own.as_ref()?;
        Some(own.contains(&digits(cli)))
    }

    /// The highest price of each country and kind, as the rates of a cap in this currency. Where one
    /// is not known, or is in another currency: which.
    pub(super) fn rates(&self, currency: &str) -> Result<Rates, String> {
        let mut rates = Rates::default();
        let mut unknown = Vec::new();
        for group in &self.groups {
            let place = Rates::place(&group.country, group.kind);
            match &group.price {
                Some(price) if price.currency == currency => match price.rate(&price.highest) {
                    Some(rate) => drop(rates.places.insert(place, rate.amount)),
                    None => unknown.push(format!("{place} has no price")),
                },
                Some(price) if !price.currency.is_empty() => {
                    unknown.push(format!("{place} is priced in {}", price.currency));
                }
                _ => unknown.push(format!("{place} has no price")),
            }
        }
        if unknown.is_empty() {
            return Ok(rates);
        }
        if let Some(trouble) = &self.trouble {
            unknown.push(format!("not everything could be asked: {trouble}"));
        }
        Err(unknown.join("; "))
    }

    /// What everything costs if everybody answers and listens for so many started minutes, by
    /// currency: at the lowest and at the highest price. None where no price is known.
    fn totals(&self, minutes: u32) -> Option<(Purse, Purse)> {
        let (mut low, mut high) = (Purse::default(), Purse::default());
        for group in &self.groups {
            let Some(price) = &group.price else { continue };
            for (purse, rate) in [(&mut low, &price.lowest), (&mut high, &price.highest)] {
                let calls = Decimal::from(group.alike.numbers);
                purse.add_times(&price.rate(rate)?, calls.checked_mul(minutes.into())?);
            }
        }
        (!low.is_empty()).then_some((low, high))
    }

    /// For people.
    pub(super) fn text(&self, minutes: u32) -> String {
        let mut lines = vec!["money: a minute costs".to_owned()];
        for group in &self.groups {
            let price = group
                .price
                .as_ref()
                .map_or("not known".to_owned(), Price::text);
            lines.push(format!(
                "  {} {:<16} {:>9} numbers   {price}",
                group.country,
                group.kind,
                grouped(group.alike.numbers)
            ));
        }
        match self.totals(minutes) {
            Some((low, high)) => {
                let sum = if low == high {
                    low.to_string()
                } else {
                    format!("{low} to {high}")
                };
                lines.push(format!(
                    "  {sum} if everybody answers, {minutes} started {} each; prices are samples",
                    if minutes == 1 { "minute" } else { "minutes" }
                ));
            }
            None => lines.push("  what the run costs is not known".into()),
        }
        if let Some(trouble) = &self.trouble {
            lines.push(format!("  not everything could be asked: {trouble}"));
        }
        lines.join("\n")
    }

    /// For programs.
    pub(super) fn json(&self, minutes: u32) -> Value {
        let groups: Vec<Value> = self
            .groups
            .iter()
            .map(|group| {
                let price = group.price.as_ref();
                json!({
                    "country": group.country,
                    "kind": group.kind,
                    "numbers": group.alike.numbers,
                    "lowest": price.map(|p| &p.lowest),
                    "highest": price.map(|p| &p.highest),
                    "currency": price.map(|p| &p.currency),
                    "restricted": price.map(|p| p.restricted),
                })
            })
            .collect();
        let totals = self.totals(minutes);
        json!({
            "a_minute": groups,
            "minutes_each": minutes,
            "if_all_answer_lowest": totals.as_ref().map(|(low, _)| sums(low)),
            "if_all_answer_highest": totals.as_ref().map(|(_, high)| sums(high)),
            "trouble": self.trouble,
        })
    }
}

impl Price {
    /// What a minute costs, of a rate in plain decimals; none where it is no price.
    fn rate(&self, rate: &str) -> Option<Money> {
        let amount = Money::parse_amount(rate).filter(|amount| Money::is_price(*amount))?;
        Some(Money {
            amount,
            currency: Money::currency_as_told(&self.currency),
        })
    }

    fn text(&self) -> String {
        let restricted = if self.restricted {
            "; some are restricted: the platform may refuse them"
        } else {
            ""
        };
        let shown = |rate: &str| {
            Money::parse_amount(rate)
                .map_or_else(|| rate.to_owned(), |rate| Amount(rate).to_string())
        };
        let (lowest, highest, currency) =
            (shown(&self.lowest), shown(&self.highest), &self.currency);
        if lowest == highest {
            format!("{lowest} {currency}{restricted}")
        } else {
            format!("{lowest} to {highest} {currency}{restricted}")
        }
    }
}

/// Asks for the price of each sample. None where the platform names no price, or two currencies.
async fn price(
    samples: &[String],
    client: &Client,
    now: Timestamp,
) -> Result<Option<Price>, ApiError> {
    let (mut rates, mut restricted) = (Vec::new(), false);
    for number in samples {
        let number = number.clone();
        let info = match client.send(&QueryNumber { number }).await {
            Ok(info) => info,
            // One number that the platform does not like says nothing of the others.
            Err(ApiError::Refused(problem)) if problem.code == Some(40001) => continue,
            Err(error) => return Err(error),
        };
        restricted |= info.restricted == Some(true);
        // A price of nothing, or less, is none that anybody can count on.
        rates.extend(info.rate.filter(|rate| Money::is_price(rate.amount)));
        tokio::time::sleep(PAUSE).await;
    }
    let currencies = rates.iter().map(|rate| rate.currency.clone());
    let currencies: std::collections::BTreeSet<_> = currencies.collect();
    let (Some(low), Some(high), 1) = (
        rates.iter().map(|r| r.amount).min(),
        rates.iter().map(|r| r.amount).max(),
        currencies.len(),
    ) else {
        return Ok(None);
    };
    Ok(Some(Price {
        asked_at: now,
        lowest: low.to_string(),
        highest: high.to_string(),
        currency: currencies.into_iter().flatten().next().unwrap_or_default(),
        restricted,
    }))
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// What the platform said lately, in a file of the user's cache folder: losing it costs a few
/// questions.
struct Memory {
    file: Option<PathBuf>,
    prices: BTreeMap<String, Price>,
    changed: bool,
}

impl Memory {
    fn load(client: &Client, now: Timestamp) -> Self {
        let folder = settings::variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(settings::variable("HOME")?).join(".cache")));
        // Prices are an account's own.
        let account: String = client
            .platform()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let file = folder.map(|f| f.join("callout").join(format!("prices-{account}.json")));
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

    fn get(&self, country: &str, kind: &str) -> Option<Price> {
        self.prices.get(&format!("{country} {kind}")).cloned()
    }

    fn put(&mut self, country: &str, kind: &str, price: Price) {
        self.prices.insert(format!("{country} {kind}"), price);
        self.changed = true;
    }

    fn save(&self) {
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
