//! Suppression lists: the numbers that are never to be called, and why.
//!
//! [`Suppressions`] is all of a database's lists at one revision, in little memory: a bitmap of all
//! numbers answers nearly every question, the rest is looked at only for a number that is in it.
//! Numbers that a person had erased are known by a keyed hash alone.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use roaring::RoaringTreemap;
use sha2::Sha256;

use super::Destination;

/// Most digits of an E.164 number.
const DIGITS_MAX: usize = 15;
/// Sets of numbers that are no larger than this are kept as single numbers.
const FEW: u64 = 32;

/// Who puts somebody on a list who presses a key for it.
const WHO_PRESSED: &str = "the person called";
/// The list on which erased numbers are.
pub const ERASED: &str = "erased";
/// Longest name of a list, in characters.
const LIST_CHARS_MAX: usize = 64;

/// Why a list that people put numbers on cannot be called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadListName {
    /// That is the list of erased numbers.
    Erased,
    /// It is empty, too long, or has control characters.
    Length,
}

/// Whether a list that people put numbers on may be called so.
pub fn check_list_name(name: &str) -> Result<(), BadListName> {
    if name == ERASED {
        return Err(BadListName::Erased);
    }
    let right = (1..=LIST_CHARS_MAX).contains(&name.chars().count());
    if !right || name.chars().any(char::is_control) {
        return Err(BadListName::Length);
    }
    Ok(())
}

/// A number in E.164 as an integer: its digits, country code first. `Debug` is masked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(u64);

impl Digits {
    /// The digits of an E.164 number with its `+`; none where it is something else.
    pub fn of(e164: &str) -> Option<Self> {
        let digits = e164.strip_prefix('+')?;
        // Country codes do not begin with 0, so the digits are the number and nothing is lost.
        let right = (1..=DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        right.then(|| digits.parse().ok().map(Self)).flatten()
    }

    /// The number behind an integer.
    pub fn from_value(value: u64) -> Self {
        Self(value)
    }

    /// The integer.
    pub fn value(self) -> u64 {
        self.0
    }

    /// The other way in which the same person's number is written, where a country has two. Argentina's
    /// mobile numbers have a 9 behind the country code for who calls from abroad, and none otherwise;
    /// Brazil's had a 9 put in front of eight digits that begin with 6 to 9, and old lists lack it.
    pub fn twin(self) -> Option<Self> {
        let head = |power: u32| self.0 / 10_u64.pow(power);
        let rest = |power: u32| self.0 % 10_u64.pow(power);
        // Area codes of Argentina begin with 1 to 3.
        let argentine = || (1..=3).contains(&(rest(10) / 10_u64.pow(9)));
        // Brazil: two digits of the area, then these eight.
        let brazilian = || rest(8) >= 60_000_000;
        match (head(10), head(11)) {
            (54, _) if argentine() => Some(Self(549 * 10_u64.pow(10) + rest(10))),
            (549, _) if argentine() => Some(Self(54 * 10_u64.pow(10) + rest(10))),
            (55, _) if brazilian() => {
                Some(Self(head(8) * 10_u64.pow(9) + 9 * 10_u64.pow(8) + rest(8)))
            }
            (_, 55) if brazilian() && head(8) % 10 == 9 => {
                Some(Self(head(9) * 10_u64.pow(8) + rest(8)))
            }
            _ => None,
        }
    }

    /// One of the two ways in which a person's number is written, the same for both.
    #[must_use]
    pub fn person(self) -> Self {
        self.twin().map_or(self, |twin| twin.min(self))
    }

    /// The number, and its twin.
    pub fn spellings(self) -> impl Iterator<Item = Self> {
        [Some(self), self.twin()].into_iter().flatten()
    }

    /// The number in full, `+` and digits: personal data.
    pub fn e164(self) -> String {
        format!("+{}", self.0)
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Destination::number(self.e164()).masked())
    }
}

/// Why a number is not called: who put it on which list, when, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The list's name.
    pub list: String,
    /// Who said so.
    pub who: String,
    /// When it was said.
    pub at: Timestamp,
    /// Why, in their words.
    pub why: Option<String>,
    /// From when on it no longer holds; none: for good.
    pub until: Option<Timestamp>,
}

impl Suppression {
    /// They pressed a key for it in the call of an attempt.
    pub fn pressed(list: &str, run: &str, attempt: impl fmt::Display, at: Timestamp) -> Self {
        Self {
            list: list.to_owned(),
            who: WHO_PRESSED.to_owned(),
            at,
            why: Some(format!("run {run}, attempt {attempt}, pressed in the call")),
            until: None,
        }
    }

    /// Whether it holds at a moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.at.strftime("%Y-%m-%d");
        write!(f, "on list {} since {day}", self.list)?;
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

/// Turns numbers into keyed hashes, by which an erased number is known again.
#[derive(Clone)]
pub struct NumberHash(Hmac<Sha256>);

impl NumberHash {
    /// With this key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// The hash of a number.
    pub fn of(&self, number: Digits) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(number.e164().as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for NumberHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberHash(…)")
    }
}

/// All suppression lists of a database, at one revision.
#[derive(Default)]
pub struct Suppressions {
    revision: i64,
    reasons: Vec<Suppression>,
    /// Large sets, by their reason.
    many: Vec<(usize, RoaringTreemap)>,
    /// Single numbers with their reason, sorted once they are all there.
    few: Vec<(u64, usize)>,
    /// Everything in the two above.
    all: RoaringTreemap,
    hash: Option<NumberHash>,
    erased: HashMap<[u8; 32], usize>,
    /// Lists with numbers that earlier rules read.
    read_earlier: BTreeSet<String>,
}

impl Suppressions {
    /// Lists at this revision, without a number yet.
    pub fn at_revision(revision: i64, hash: Option<NumberHash>) -> Self {
        Self {
            revision,
            hash,
            ..Self::default()
        }
    }

    /// Adds the numbers that share a reason.
    pub fn add(&mut self, reason: Suppression, numbers: RoaringTreemap) {
        let reason = self.reason(reason);
        self.all |= &numbers;
        if numbers.len() > FEW {
            self.many.push((reason, numbers));
        } else {
            self.few
                .extend(numbers.iter().map(|number| (number, reason)));
        }
    }

    /// Adds an erased number by its hash.
    pub fn add_erased(&mut self, reason: Suppression, hash: [u8; 32]) {
        let reason = self.reason(reason);
        self.erased.insert(hash, reason);
    }

    /// Notes that a list has numbers that were read by earlier rules, some perhaps as other people's.
    pub fn was_read_earlier(&mut self, list: &str) {
        if !self.read_earlier.contains(list) {
            self.read_earlier.insert(list.to_owned());
        }
    }

    /// The lists that should be imported again, by name.
    pub fn read_earlier(&self) -> impl Iterator<Item = &str> {
        self.read_earlier.iter().map(String::as_str)
    }

    /// To be called once when all numbers are there.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.few.sort_unstable();
        self.few.shrink_to_fit();
        self
    }

    fn reason(&mut self, reason: Suppression) -> usize {
        self.reasons.push(reason);
        self.reasons.len() - 1
    }

    /// The revision of the database's lists that this is.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Whether an endpoint must not be called at a moment, and why. Names of users are on no list.
    pub fn contains(&self, endpoint: &str, now: Timestamp) -> Option<&Suppression> {
        if self.all.is_empty() && self.erased.is_empty() {
            return None;
        }
        let number = Digits::of(endpoint)?;
        self.of(number).into_iter().find(|reason| reason.holds(now))
    }

    /// Everything that speaks against a number, in whichever of its spellings, expired or not.
    pub fn of(&self, number: Digits) -> Vec<&Suppression> {
        let mut found = Vec::new();
        for number in number.spellings() {
            if self.all.contains(number.0) {
                let from = self.few.partition_point(|(known, _)| *known < number.0);
                let few = self.few[from..].iter().take_while(|(n, _)| *n == number.0);
                found.extend(few.map(|(_, reason)| *reason));
                let many = self.many.iter().filter(|(_, set)| set.contains(number.0));
                found.extend(many.map(|(reason, _)| *reason));
            }
        }
        found.extend(self.erased_reason(number));
        found.dedup();
        found.iter().map(|reason| &self.reasons[*reason]).collect()
    }

    /// Whether a number was erased.
    pub fn is_erased(&self, endpoint: &str) -> bool {
        Digits::of(endpoint).is_some_and(|number| self.erased_reason(number).is_some())
    }

    fn erased_reason(&self, number: Digits) -> Option<usize> {
        if self.erased.is_empty() {
            return None;
        }
        let key = self.hash.as_ref()?;
        let reason = |number| self.erased.get(&key.of(number)).copied();
        number.spellings().find_map(reason)
    }

    /// Hands everybody who must not be called at a moment on as bytes, in an order that depends on
    /// nothing else: for a digest. Names of lists and reasons are no part of it.
    pub fn each_that_holds(&self, now: Timestamp, mut part: impl FnMut(&[u8])) {
        let holds = |reason: usize| self.reasons[reason].holds(now);
        let mut numbers = RoaringTreemap::new();
        for (reason, set) in &self.many {
            if holds(*reason) {
                numbers |= set;
            }
        }
        let few = self.few.iter().filter(|(_, reason)| holds(*reason));
        numbers.extend(few.map(|(number, _)| *number));
        for number in &numbers {
            part(&number.to_be_bytes());
        }
        let mut erased: Vec<&[u8; 32]> = self.erased.keys().collect();
        erased.sort_unstable();
        for hash in erased {
            part(hash);
        }
    }

    /// Each reason with how many numbers it has; several reasons may be of one list.
    pub fn counts(&self) -> Vec<(&Suppression, u64)> {
        let mut counts = vec![0; self.reasons.len()];
        for (reason, numbers) in &self.many {
            counts[*reason] += numbers.len();
        }
        for reason in self.few.iter().map(|(_, r)| r).chain(self.erased.values()) {
            counts[*reason] += 1;
        }
        self.reasons.iter().zip(counts).collect()
    }

    /// Every number that is stored, with its reason; erased numbers are not stored.
    pub fn entries(&self) -> impl Iterator<Item = (Digits, &Suppression)> {
        let few = self.few.iter().map(|(number, reason)| (*number, *reason));
        let many = self
            .many
            .iter()
            .flat_map(|(reason, set)| set.iter().map(move |number| (number, *reason)));
        few.chain(many)
            .map(|(number, reason)| (Digits(number), &self.reasons[reason]))
    }
}

impl fmt::Debug for Suppressions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suppressions")
            .field("revision", &self.revision)
            .field("numbers", &self.all.len())
            .field("erased", &self.erased.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn reason(list: &str, until: Option<i64>) -> Suppression {
        Suppression {
            list: list.into(),
            who: "test".into(),
            at: moment(0),
            why: None,
            until: until.map(moment),
        }
    }

    #[test]
    fn digits_are_those_of_an_e164_number_and_of_nothing_else() {
        assert_eq!(Digits::of("+46701740605").unwrap().value(), 46_701_740_605);
        assert_eq!(Digits::of("+46701740605").unwrap().e164(), "+46701740605");
        for other in [
            "46701740605",
            "+",
            "+0461",
            "+4670 1",
            "anna",
            "",
            "+1234567890123456",
        ] {
            assert_eq!(Digits::of(other), None, "{other}");
        }
        assert_eq!(format!("{:?}", Digits(46_701_740_605)), "+4670•••0605");
    }

    #[test]
    fn a_person_is_one_whichever_way_their_country_writes_the_number() {
        for (a, b) in [
            ("+5491123456789", "+541123456789"),
            ("+5492614123456", "+542614123456"),
            ("+5511987654321", "+551187654321"),
        ] {
            let [a, b] = [a, b].map(|number| Digits::of(number).unwrap());
            assert_eq!((a.twin(), b.twin()), (Some(b), Some(a)));
            assert_eq!(a.person(), b.person());
            let hash = NumberHash::new(&[7; 32]);
            for (known, asked) in [(a, b), (b, a)] {
                let mut lists = Suppressions::at_revision(1, Some(hash.clone()));
                lists.add(reason("x", None), [known.value()].into_iter().collect());
                assert!(lists.whole().contains(&asked.e164(), moment(1)).is_some());
                let mut lists = Suppressions::at_revision(1, Some(hash.clone()));
                lists.add_erased(reason(ERASED, None), hash.of(known));
                assert!(lists.whole().is_erased(&asked.e164()));
            }
        }
        // Numbers that begin alike and have one way only; the last is a telephone in a house.
        for one in [
            "+54912345678",
            "+46701740605",
            "+5511923456789",
            "+551123456789",
        ] {
            assert_eq!(Digits::of(one).unwrap().twin(), None, "{one}");
        }
    }

    #[test]
    fn an_erased_number_is_known_by_its_hash_alone() {
        let hash = NumberHash::new(&[7; 32]);
        let number = Digits::of("+46701740605").unwrap();
        let mut lists = Suppressions::at_revision(1, Some(hash.clone()));
        lists.add_erased(reason(ERASED, None), hash.of(number));
        let lists = lists.whole();
        assert!(lists.contains("+46701740605", moment(1)).is_some());
        assert!(lists.is_erased("+46701740605") && !lists.is_erased("+46701740606"));
        assert_eq!(lists.contains("+46701740606", moment(1)), None);
        assert_eq!(lists.entries().count(), 0);
        let other = NumberHash::new(&[8; 32]);
        assert_ne!(hash.of(number), other.of(number));
    }

    proptest! {
        /// Against the plainest thing that could work: a list of (number, until).
        #[test]
        fn a_number_is_suppressed_while_any_list_says_so(
            sets in proptest::collection::vec(
                (proptest::collection::btree_set(4_670_000_000..4_670_000_120_u64, 0..90),
                 proptest::option::of(0..20_i64)), 0..6),
            now in 0..20_i64,
        ) {
            let mut lists = Suppressions::default();
            for (numbers, until) in &sets {
                lists.add(reason("x", *until), numbers.iter().copied().collect());
            }
            let lists = lists.whole();
            for number in 4_670_000_000..4_670_000_120_u64 {
                let expected = sets.iter().any(|(numbers, until)| {
                    numbers.contains(&number) && until.is_none_or(|until| now < until)
                });
                let found = lists.contains(&format!("+{number}"), moment(now));
                prop_assert_eq!(found.is_some(), expected);
            }
            let stored: usize = sets.iter().map(|(numbers, _)| numbers.len()).sum();
            prop_assert_eq!(lists.entries().count(), stored);
            let counted: u64 = lists.counts().iter().map(|(_, n)| n).sum();
            prop_assert_eq!(counted, stored as u64);
        }
    }
}
