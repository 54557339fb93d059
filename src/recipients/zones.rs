//! In which time zones a recipient may be: from the list's own column, else from the number.
//!
//! A number's prefix says where it was issued. `data/time_zones.txt` has the zones of each prefix, all
//! of them where it lies in several; where a number's digits say nothing of a place (most mobile
//! numbers, and all free ones), every zone of its country counts. There is no fallback: what is not
//! known is [`Zones::Unknown`], and the recipient is held.

use std::sync::{LazyLock, OnceLock};

use crate::campaign::ListSpec;
use crate::domain::{Destination, DestinationKind, ZoneSet, ZoneUnknown, Zones};

use super::phone::{Reach, reach_of};

/// Prefixes and their zones; the file says where it is from.
const TABLE: &str = include_str!("../../data/time_zones.txt");

static PREFIXES: LazyLock<Prefixes> = LazyLock::new(|| Prefixes::read(TABLE));

/// Where a list's rows say their time zones, if they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneOf {
    column: Option<usize>,
}

impl ZoneOf {
    /// For lists with this header.
    pub fn new(list: &ListSpec, header: &[String]) -> Self {
        let name = list.time_zone.as_ref();
        Self {
            column: name.and_then(|name| header.iter().position(|column| column == name)),
        }
    }

    /// The zones of a row. A cell that is not empty decides, also where it is wrong.
    pub fn zones(self, cells: &[String], destination: &Destination) -> Zones {
        let cell = self.column.and_then(|column| cells.get(column));
        match cell.map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
            Some(name) => ZoneSet::one(name).into(),
            None => from_destination(destination),
        }
    }
}

fn from_destination(destination: &Destination) -> Zones {
    match destination.kind {
        DestinationKind::Number => zones_of_number(&destination.endpoint),
        DestinationKind::Username | DestinationKind::Sip => Zones::Unknown(ZoneUnknown::NoNumber),
    }
}

/// All zones in which a number may lie, given in E.164 with its `+`.
pub fn zones_of_number(e164: &str) -> Zones {
    let digits = e164.trim_start_matches('+');
    let known = match reach_of(e164) {
        Reach::Area => PREFIXES.longest(digits),
        Reach::Country(code) => PREFIXES.longest(&digits[..code.min(digits.len())]),
        Reach::Nowhere => None,
    };
    known.map_or(Zones::Unknown(ZoneUnknown::NoPrefix), Clone::clone)
}

/// The table of prefixes and their zones, as a text: what the rules of a plan rest on.
pub fn time_zones_of_prefixes() -> &'static str {
    TABLE
}

/// The table as a tree of digits: a look-up is a step a digit.
#[derive(Debug)]
struct Prefixes {
    nodes: Vec<Node>,
    /// The names of each list of zones, and the zones once somebody asked for them.
    lists: Vec<(&'static str, OnceLock<Zones>)>,
}

/// Where each next digit leads, and which list belongs to the digits so far; 0 is nowhere and none.
#[derive(Debug, Default, Clone, Copy)]
struct Node {
    next: [u16; 10],
    list: u16,
}

impl Prefixes {
    /// Reads lines with names of zones, each followed by indented lines with prefixes.
    fn read(table: &'static str) -> Self {
        let mut prefixes = Self {
            nodes: vec![Node::default()],
            lists: Vec::new(),
        };
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(' ') {
                line.split_ascii_whitespace()
                    .for_each(|prefix| prefixes.insert(prefix));
            } else {
                prefixes.lists.push((line, OnceLock::new()));
            }
        }
        prefixes
    }

    /// Gives a prefix the list that was read last.
    fn insert(&mut self, prefix: &str) {
        let count = |n: usize| u16::try_from(n).expect("the table is small");
        let mut at = 0;
        for digit in prefix.bytes().map(|b| usize::from(b - b'0')) {
            if self.nodes[at].next[digit] == 0 {
                self.nodes[at].next[digit] = count(self.nodes.len());
                self.nodes.push(Node::default());
            }
            at = usize::from(self.nodes[at].next[digit]);
        }
        self.nodes[at].list = count(self.lists.len());
    }

    /// The zones of the longest prefix of these digits.
    fn longest(&self, digits: &str) -> Option<&Zones> {
        let (mut at, mut list) = (0, 0);
        for byte in digits.bytes().take_while(u8::is_ascii_digit) {
            at = usize::from(self.nodes[at].next[usize::from(byte - b'0')]);
            if at == 0 {
                break;
            }
            let here = usize::from(self.nodes[at].list);
            list = if here == 0 { list } else { here };
        }
        let (names, zones) = self.lists.get(list.checked_sub(1)?)?;
        Some(zones.get_or_init(|| names.parse::<ZoneSet>().into()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::domain::NumberForm;

    use super::*;

    fn zones(e164: &str) -> String {
        zones_of_number(e164).record().to_owned()
    }

    fn spec(time_zone: Option<&str>) -> ListSpec {
        ListSpec {
            file: "l.csv".into(),
            number: "phone".into(),
            region: None,
            numbers: NumberForm::Any,
            delimiter: None,
            encoding: None,
            time_zone: time_zone.map(Into::into),
            id: None,
            destination_kind: DestinationKind::Number,
        }
    }

    /// What a row with this cell in its column `tz` has.
    fn row(cell: &str, destination: &Destination) -> Zones {
        let header = ["phone", "tz"].map(String::from);
        let cells = ["x".to_owned(), cell.to_owned()];
        ZoneOf::new(&spec(Some("tz")), &header).zones(&cells, destination)
    }

    #[test]
    fn every_zone_of_the_table_is_known_and_every_prefix_is_found() {
        let mut seen = 0;
        for (names, _) in &PREFIXES.lists {
            assert!(names.parse::<ZoneSet>().is_ok(), "{names}");
        }
        let mut names = "";
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            if !line.starts_with(' ') {
                names = line;
                continue;
            }
            for prefix in line.split_ascii_whitespace() {
                let found = PREFIXES.longest(prefix).unwrap();
                assert_eq!(found.record(), names, "{prefix}");
                seen += 1;
            }
        }
        assert!(seen > 3_000, "{seen}");
    }

    #[test]
    fn a_prefix_has_the_zones_of_all_longer_ones() {
        let mut all: Vec<(&str, BTreeSet<&str>)> = Vec::new();
        let mut names = BTreeSet::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(' ') {
                all.extend(line.split_ascii_whitespace().map(|p| (p, names.clone())));
            } else {
                names = line.split(',').collect();
            }
        }
        for (prefix, zones) in &all {
            for (above, more) in &all {
                let ok = !prefix.starts_with(above) || zones.is_subset(more);
                assert!(ok, "{above} lacks a zone of {prefix}");
            }
        }
    }

    #[test]
    fn a_number_lies_where_its_area_is_or_anywhere_in_its_country() {
        assert_eq!(zones("+46701740605"), "Europe/Stockholm");
        assert_eq!(zones("+12025550101"), "America/New_York");
        // An area with exceptions: the number is in one of its zones.
        assert_eq!(zones("+18508500101"), "America/Chicago,America/New_York");
        assert_eq!(zones("+61731000101"), "Australia/Brisbane");
        assert_eq!(zones("+61740000101"), "Australia/Brisbane,Australia/Sydney");
        // Mobile numbers of a large country, and free ones.
        let australia = zones("+61491570156");
        assert!(australia.contains("Perth") && australia.contains("Lord_Howe"));
        assert!(zones("+79161234567").contains("Kamchatka"));
        assert!(zones("+18005550100").split(',').count() >= 42);
        // A number that no plan knows may be anywhere in its country.
        assert_eq!(zones("+4610000000000"), "Europe/Stockholm");
        assert!(zones("+12215550100").split(',').count() >= 42);
        // Barbados has mobile numbers of its own below +1.
        assert_eq!(zones("+12462501234"), "America/Barbados");
    }

    #[test]
    fn countries_have_their_own_rules_not_a_neighbours() {
        assert_eq!(zones("+213551234567"), "Africa/Algiers");
        assert_eq!(zones("+212650123456"), "Africa/Casablanca");
        assert_eq!(zones("+218912345678"), "Africa/Tripoli");
        assert_eq!(zones("+74012310101"), "Europe/Kaliningrad");
        assert_eq!(zones("+74012310101"), zones("+74012999999"));
    }

    #[test]
    fn what_belongs_to_no_place_is_unknown() {
        for number in ["+80012345678", "+870773111632", "+88213123456", "+", ""] {
            assert_eq!(zones(number), "?no-prefix", "{number}");
        }
    }

    #[test]
    fn a_cell_decides_and_a_wrong_one_holds() {
        let number = Destination::number("+46701740605");
        assert_eq!(row(" asia/tokyo ", &number).record(), "Asia/Tokyo");
        assert_eq!(row(" ", &number).record(), "Europe/Stockholm");
        assert_eq!(row("Tokyo", &number).record(), "?not-a-name");
        assert_eq!(row("EST", &number).record(), "?mistakable");
        let user = Destination::username("anna");
        assert_eq!(row("Asia/Tokyo", &user).record(), "Asia/Tokyo");
        assert_eq!(row("", &user).record(), "?no-number");
        let header = ["phone".to_owned()];
        let none = ZoneOf::new(&spec(None), &header).zones(&header, &number);
        assert_eq!(none.record(), "Europe/Stockholm");
    }
}
