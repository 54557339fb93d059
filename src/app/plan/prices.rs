//! What a list would cost: the platform is asked for a few numbers of each country and kind.
//!
//! Polite: few questions, slowly, and none about what was asked today. What is kept between two plans
//! are prices by country and kind, never a number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::estimate::Minutes;
use super::json::sums;
use super::price::Price;
use super::price_memory::PriceMemory;
use crate::app::{App, Notice};
use crate::clock::Clock;
use crate::domain::{Leg, Money, Purse, Rates};
use crate::recipients::place_of;
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

/// Numbers of a list that are alike, and the started minutes of a call to each of them.
#[derive(Debug, Clone, Copy)]
struct Alike {
    numbers: u64,
    minutes: u64,
    /// None where it is not known of one of them.
    worst_minutes: Option<u64>,
}

impl Default for Alike {
    fn default() -> Self {
        Self {
            numbers: 0,
            minutes: 0,
            worst_minutes: Some(0),
        }
    }
}

impl Alike {
    fn add(&mut self, other: Self) {
        let both = self.worst_minutes.zip(other.worst_minutes);
        self.worst_minutes = both.and_then(|(a, b)| a.checked_add(b));
        self.numbers += other.numbers;
        self.minutes = self.minutes.saturating_add(other.minutes);
    }
}

/// The country and the kind of a number.
type Place = (String, &'static str);
/// Whom calls can be connected to, one of them at most: where they are, and for how many started minutes.
type Connects = Vec<(Place, u32)>;

/// How many numbers of a list begin alike, with one of each beginning.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    list: HashMap<String, (Alike, String)>,
    /// How many calls can be connected to whom.
    connects: BTreeMap<Connects, u64>,
    /// Some of the numbers that calls can be connected to, by where they are.
    connected: BTreeMap<Place, BTreeSet<String>>,
}

impl Prefixes {
    /// Counts a number in E.164.
    pub(crate) fn add(&mut self, e164: &str, minutes: Minutes) {
        let end = e164.len().min(PREFIX_DIGITS + 1);
        let prefix = e164.get(..end).unwrap_or(e164);
        let one = Alike {
            numbers: 1,
            minutes: minutes.expected,
            worst_minutes: minutes.worst,
        };
        match self.list.get_mut(prefix) {
            Some((alike, _)) => alike.add(one),
            None => {
                self.list.insert(prefix.to_owned(), (one, e164.to_owned()));
            }
        }
    }

    /// Counts a call that can be connected to one of these.
    pub(crate) fn connects(&mut self, legs: &[Leg]) {
        if legs.is_empty() {
            return;
        }
        let mut places = Connects::new();
        for leg in legs {
            let place = place_of(&leg.to.endpoint);
            let samples = self.connected.entry(place.clone()).or_default();
            if samples.len() < ASKED_EACH {
                samples.insert(leg.to.endpoint.clone());
            }
            places.push((place, leg.minutes()));
        }
        *self.connects.entry(places).or_default() += 1;
    }

    /// How many numbers are in which country, the most first.
    pub(crate) fn countries(&self) -> Vec<(String, u64)> {
        let mut countries = BTreeMap::<String, u64>::new();
        for ((country, _), (alike, _)) in self
            .groups()
            .into_iter()
            .filter(|(_, (of, _))| of.numbers > 0)
        {
            *countries.entry(country).or_default() += alike.numbers;
        }
        let mut countries: Vec<_> = countries.into_iter().collect();
        countries.sort_by_key(|(_, numbers)| Reverse(*numbers));
        countries
    }

    /// The numbers by country and kind; of each, some to ask about, the commonest beginnings first.
    fn groups(&self) -> BTreeMap<Place, (Alike, Vec<String>)> {
        let mut prefixes: Vec<&(Alike, String)> = self.list.values().collect();
        prefixes.sort_unstable_by(|a, b| (b.0.numbers, &b.1).cmp(&(a.0.numbers, &a.1)));
        let mut groups = BTreeMap::<_, (Alike, Vec<String>)>::new();
        for (alike, number) in prefixes {
            let group = groups.entry(place_of(number)).or_default();
            group.0.add(*alike);
            if group.1.len() < ASKED_EACH {
                group.1.push(number.clone());
            }
        }
        for (place, numbers) in &self.connected {
            let (_, asked) = groups.entry(place.clone()).or_default();
            asked.extend(numbers.iter().take(ASKED_EACH - asked.len()).cloned());
        }
        groups
    }
}

/// What is known of the prices of a list.
#[derive(Debug)]
pub(crate) struct Prices {
    pub(crate) groups: Vec<PriceGroup>,
    /// How many calls can be connected to whom.
    connects: BTreeMap<Connects, u64>,
    /// Which platform told, and whom.
    platform: String,
    /// Our own numbers, digits only.
    own: Option<Vec<String>>,
    /// Why not everything is known.
    pub(crate) trouble: Option<String>,
}

/// The numbers of one country and kind.
#[derive(Debug)]
pub(crate) struct PriceGroup {
    pub(crate) country: String,
    pub(crate) kind: &'static str,
    alike: Alike,
    pub(crate) price: Option<Price>,
}

impl PriceGroup {
    /// How many numbers of the list are of it.
    pub(crate) fn numbers(&self) -> u64 {
        self.alike.numbers
    }
}

impl Prices {
    /// Asks the platform; unless `anew`, what it said within the last day is believed.
    pub(crate) async fn ask(prefixes: &Prefixes, client: &Client, app: &App, anew: bool) -> Self {
        let clock = app.clock.as_ref();
        let cache = app.settings.cache.as_deref();
        let mut memory = PriceMemory::load(cache, client, clock.wall());
        if anew {
            memory.forget();
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
                        app.tell(Notice::AskingPrices);
                    }
                    asked += samples.len();
                    match price(&samples, client, clock).await {
                        Ok(price) => price.inspect(|p| memory.put(&country, kind, p.clone())),
                        Err(error) => {
                            trouble = Some(error.to_string());
                            None
                        }
                    }
                }
            };
            groups.push(PriceGroup {
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
            connects: prefixes.connects.clone(),
            platform: client.platform(),
            own,
            trouble,
        }
    }

    /// How many numbers were asked about.
    pub(crate) fn numbers(&self) -> u64 {
        self.groups.iter().map(|group| group.alike.numbers).sum()
    }

    /// What one call to everybody costs at the highest prices: if all answer, and at worst, where that
    /// is known; and how many numbers have no price.
    pub(crate) fn sums(&self) -> (Purse, Option<Purse>, u64) {
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
        for (connects, calls) in &self.connects {
            let legs = connects.iter().map(|(place, minutes)| {
                let rate = self.rate(place)?;
                Some((rate.amount.checked_mul((*minutes).into())?, rate, *minutes))
            });
            let Some(legs) = legs.collect::<Option<Vec<_>>>() else {
                worst = None;
                continue;
            };
            let dearest = legs.into_iter().max_by_key(|(amount, ..)| *amount);
            if let (Some(purse), Some((_, rate, minutes))) = (&mut worst, dearest) {
                purse.add_times(&rate, Decimal::from(minutes) * Decimal::from(*calls));
            }
        }
        (once, worst, unknown)
    }

    /// The highest price of a minute at a place.
    fn rate(&self, (country, kind): &Place) -> Option<Money> {
        let mut groups = self.groups.iter();
        let group = groups.find(|group| group.country == *country && group.kind == *kind)?;
        let price = group.price.as_ref()?;
        price.rate(&price.highest)
    }

    /// What the platform told, and which platform: what a plan with these prices rests on.
    pub(crate) fn record(&self) -> Value {
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
    pub(crate) fn owns(&self, cli: &str) -> Option<bool> {
        let own = self.own.as_ref()?;
        Some(own.contains(&digits(cli)))
    }

    /// The highest price of each country and kind, as the rates of a cap in this currency. Where one
    /// is not known, or is in another currency: which.
    pub(crate) fn rates(&self, currency: &str) -> Result<Rates, String> {
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
    pub(crate) fn totals(&self, minutes: u32) -> Option<(Purse, Purse)> {
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

    /// For programs.
    pub(crate) fn json(&self, minutes: u32) -> Value {
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

/// Asks for the price of each sample. None where the platform names no price, or two currencies.
async fn price(
    samples: &[String],
    client: &Client,
    clock: &dyn Clock,
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
    let currencies: BTreeSet<_> = currencies.collect();
    let (Some(low), Some(high), 1) = (
        rates.iter().map(|r| r.amount).min(),
        rates.iter().map(|r| r.amount).max(),
        currencies.len(),
    ) else {
        return Ok(None);
    };
    Ok(Some(Price {
        asked_at: clock.wall(),
        lowest: low.to_string(),
        highest: high.to_string(),
        currency: currencies.into_iter().flatten().next().unwrap_or_default(),
        restricted,
    }))
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
