//! The header of a list: what separates its cells, and what is wrong with its names.
//!
//! Results are written as the list's own columns followed by ours, so a name may neither occur
//! twice nor be one of ours. Whether the columns a campaign needs are there is
//! [`Campaign::bind`](crate::campaign::Campaign::bind)'s business: it can point at the campaign file.

use std::collections::BTreeMap;
use std::path::Path;

use crate::campaign::Fault;
use crate::domain::RESULT_COLUMNS;

/// Most columns of a list: those of a spreadsheet.
const COLUMNS_MAX: usize = 16_384;

/// What may separate cells, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator that the header uses most, outside quotes.
pub(super) fn detect_delimiter(beginning: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    let mut blank = true;
    for &byte in beginning {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && !blank => break,
            b'\n' | b'\r' => continue,
            _ if quoted => {}
            _ => {
                if let Some(at) = DELIMITERS.iter().position(|&d| d == byte) {
                    counts[at] += 1;
                }
            }
        }
        blank = false;
    }
    let best = counts.iter().max().copied().unwrap_or(0);
    let at = counts.iter().position(|&count| count == best);
    at.filter(|_| best > 0).map_or(b',', |at| DELIMITERS[at])
}

/// Everything that is wrong with the names themselves.
pub(super) fn check(path: &Path, line: usize, header: &[String]) -> Vec<Fault> {
    if header.len() > COLUMNS_MAX {
        let message = format!(
            "the list has {} columns, at most {COLUMNS_MAX}",
            header.len()
        );
        return vec![Fault::new(
            path,
            (line, 1),
            message,
            "is this a CSV file with a header?",
        )];
    }
    let mut faults = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, name) in header.iter().enumerate() {
        let fault = |message: String, help: &str| {
            let mut fault = Fault::new(path, (line, i + 1), message, help);
            fault.text.clone_from(name);
            fault
        };
        if name.contains('\0') {
            let message = format!("column {} has NUL bytes in its name", i + 1);
            faults.push(fault(
                message,
                "is this UTF-16? then say encoding = \"utf-16le\"",
            ));
        } else if let Some(first) = seen.insert(name, i + 1) {
            let message = format!("columns {first} and {} have the same name `{name}`", i + 1);
            faults.push(fault(message, "rename one of them"));
        } else if RESULT_COLUMNS.contains(&name.as_str()) {
            let message = format!("`{name}` is the name of a column that results add");
            faults.push(fault(message, "rename the column, or take it out"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_found_outside_quotes() {
        assert_eq!(detect_delimiter(b"\r\n\"a,b,c\";d\r\ne,f,g"), b';');
        assert_eq!(detect_delimiter(b"a\tb\n"), b'\t');
        assert_eq!(detect_delimiter(b"a|b|c,d"), b'|');
        assert_eq!(detect_delimiter(b"number"), b',');
        assert_eq!(detect_delimiter(b""), b',');
    }

    #[test]
    fn a_name_is_unique_and_not_one_of_ours() {
        let header = ["a", "b", "a", "call_id", "x\0"].map(String::from);
        let faults = check(Path::new("l.csv"), 1, &header);
        let at: Vec<_> = faults.iter().map(|fault| fault.column).collect();
        assert_eq!(at, [3, 4, 5]);
    }
}
