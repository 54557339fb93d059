//! Which time zone a person meant whose word for it is none.

use crate::domain::ZoneSet;

use super::fault::nearest;

/// The zone whose name is near, or whose place was given alone. Abbreviations are offered for nothing, and
/// nothing for them: `PST` is near to `EST`, and hours away.
pub(super) fn meant(name: &str) -> Option<String> {
    let is_place = |zone: &str| zone.contains('/') && ZoneSet::one(zone).is_ok();
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|zone| is_place(zone))
        .collect();
    let place = name.trim().replace(' ', "_");
    let by_place = known.iter().find(|zone| {
        let last = zone.rsplit('/').next();
        last.is_some_and(|last| last.eq_ignore_ascii_case(&place))
    });
    let names = known.iter().map(String::as_str).chain(["recipient", "UTC"]);
    let abbreviated = place.len() <= 4 && !place.eq_ignore_ascii_case("utc");
    by_place
        .cloned()
        .or_else(|| nearest(name, names.filter(|_| !abbreviated)).map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_offered_and_never_an_abbreviation() {
        assert_eq!(meant("stockholm").as_deref(), Some("Europe/Stockholm"));
        assert_eq!(
            meant("Europe/Stokholm").as_deref(),
            Some("Europe/Stockholm")
        );
        assert_eq!(meant("New York").as_deref(), Some("America/New_York"));
        for short in [
            "PST", "BST", "IST", "JST", "EST", "MST", "EDT", "CST", "pst",
        ] {
            assert_eq!(meant(short), None, "{short}");
        }
    }
}
