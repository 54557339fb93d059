//! Time zones of a recipient: one, or all in which the number may lie, or the reason why nobody knows.
//!
//! A zone that is not known stays a value of its own ([`Zones::Unknown`]); nothing here falls back to
//! a likely one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use jiff::tz::TimeZone;

/// Names of the time zone database that people write when they mean something else: these two have
/// no summer time, Eastern and Mountain Time have. A wrong hour is worse than a question.
const MISTAKEN: [&str; 2] = ["EST", "MST"];

/// One time zone or several, by their names in the time zone database, in order and without repeats.
///
/// A clone is a reference; two sets are equal when their names are.
#[derive(Clone)]
pub struct ZoneSet(Arc<Set>);

struct Set {
    /// The names with commas between them.
    names: String,
    zones: Vec<TimeZone>,
}

impl ZoneSet {
    /// The zone of that name, in whatever case it is written.
    pub fn one(name: &str) -> Result<Self, ZoneUnknown> {
        Self::all([name])
    }

    /// The zones of these names. None, or one that is not known, makes the whole unknown.
    pub fn all<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, ZoneUnknown> {
        let mut named: Vec<(String, TimeZone)> = Vec::new();
        for name in names {
            let zone = TimeZone::get(name).map_err(|_| ZoneUnknown::NotAName)?;
            // `Etc/Unknown` and `Factory` exist to say that nobody knows, and read as UTC.
            let known = zone.iana_name().filter(|name| *name != "Factory");
            let name = known.ok_or(ZoneUnknown::NotAName)?.to_owned();
            if MISTAKEN.contains(&name.as_str()) {
                return Err(ZoneUnknown::Mistakable);
            }
            named.push((name, zone));
        }
        if named.is_empty() {
            return Err(ZoneUnknown::NotAName);
        }
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named.dedup_by(|a, b| a.0 == b.0);
        let (names, zones): (Vec<String>, Vec<TimeZone>) = named.into_iter().unzip();
        let names = names.join(",");
        Ok(Self(Arc::new(Set { names, zones })))
    }

    /// The names with commas between them, as [`FromStr`] reads them.
    pub fn as_str(&self) -> &str {
        &self.0.names
    }

    /// Every zone in which the number may lie, in the order of their names.
    pub fn zones(&self) -> &[TimeZone] {
        &self.0.zones
    }
}

impl FromStr for ZoneSet {
    type Err = ZoneUnknown;

    fn from_str(names: &str) -> Result<Self, ZoneUnknown> {
        Self::all(names.split(','))
    }
}

impl PartialEq for ZoneSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.names == other.0.names
    }
}

impl Eq for ZoneSet {}

impl Hash for ZoneSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.names.hash(state);
    }
}

impl fmt::Debug for ZoneSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZoneSet({})", self.0.names)
    }
}

impl fmt::Display for ZoneSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.names)
    }
}

/// Why a recipient's time zone is not known. None of these texts has anything of the list in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ZoneUnknown {
    /// The list's cell is no name of the time zone database.
    #[error("the list's time zone is not a name of the IANA database, such as Europe/Stockholm")]
    NotAName,
    /// The list's cell is one of the names that mean something else than they seem to.
    #[error("`EST` and `MST` have no summer time: name a place, as in America/New_York")]
    Mistakable,
    /// No time zone is known for numbers of this prefix.
    #[error("the number's prefix belongs to no place, and the list names no time zone")]
    NoPrefix,
    /// It is a user name, and the list says nothing.
    #[error("a user name has no time zone of its own, and the list names none")]
    NoNumber,
}

impl ZoneUnknown {
    const ALL: [Self; 4] = [
        Self::NotAName,
        Self::Mistakable,
        Self::NoPrefix,
        Self::NoNumber,
    ];

    /// As a record: a word behind a `?`, which no zone's name has.
    fn record(self) -> &'static str {
        match self {
            Self::NotAName => "?not-a-name",
            Self::Mistakable => "?mistakable",
            Self::NoPrefix => "?no-prefix",
            Self::NoNumber => "?no-number",
        }
    }
}

/// Where a recipient may be, as far as time zones tell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Zones {
    /// In one of these, and nobody knows in which.
    Known(ZoneSet),
    /// Nobody knows: the recipient is held.
    Unknown(ZoneUnknown),
}

impl Zones {
    /// As a database keeps it: names with commas between them, or a word behind a `?`.
    pub fn record(&self) -> &str {
        match self {
            Self::Known(zones) => zones.as_str(),
            Self::Unknown(why) => why.record(),
        }
    }

    /// Reads a record. Names that this program's time zone database does not have are unknown zones.
    pub fn read(record: &str) -> Self {
        let unknown = ZoneUnknown::ALL.iter().find(|why| why.record() == record);
        match unknown {
            Some(why) => Self::Unknown(*why),
            None => record.parse::<ZoneSet>().into(),
        }
    }
}

impl From<Result<ZoneSet, ZoneUnknown>> for Zones {
    fn from(zones: Result<ZoneSet, ZoneUnknown>) -> Self {
        zones.map_or_else(Self::Unknown, Self::Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_its_names_in_order_and_without_repeats() {
        let set: ZoneSet = "europe/stockholm,America/New_York,Europe/Stockholm"
            .parse()
            .unwrap();
        assert_eq!(set.as_str(), "America/New_York,Europe/Stockholm");
        assert_eq!(set.zones().len(), 2);
        assert_eq!(set, set.as_str().parse().unwrap());
    }

    #[test]
    fn nothing_that_is_not_a_place_becomes_a_zone() {
        for wrong in [
            "",
            " ",
            "Europe/Stokholm",
            "UTC+2",
            "Etc/Unknown",
            "Factory",
            "localtime",
            "../etc/passwd",
            "Europe/Stockholm,",
        ] {
            assert_eq!(
                wrong.parse::<ZoneSet>(),
                Err(ZoneUnknown::NotAName),
                "{wrong}"
            );
        }
        for doubtful in ["EST", "est", "MST"] {
            assert_eq!(ZoneSet::one(doubtful), Err(ZoneUnknown::Mistakable));
        }
        for right in ["UTC", "CET", "Etc/GMT+5", "EST5EDT"] {
            assert!(ZoneSet::one(right).is_ok(), "{right}");
        }
        assert!(ZoneSet::all([]).is_err());
    }

    #[test]
    fn a_record_reads_back() {
        let known = Zones::from(ZoneSet::all(["Asia/Tokyo", "America/Lima"]));
        let unknown = ZoneUnknown::ALL.map(Zones::Unknown);
        for zones in [vec![known], unknown.to_vec()].concat() {
            assert_eq!(Zones::read(zones.record()), zones);
        }
        let gone = Zones::read("Europe/Atlantis");
        assert_eq!(gone, Zones::Unknown(ZoneUnknown::NotAName));
    }
}
