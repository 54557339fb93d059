//! Lists as people send them, and worse: what `recipients` makes of every row and of every list
//! that is none. Each list is a file, read through the public way in.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use callout::campaign::{Campaign, Faults};
use callout::domain::RejectKind;
use callout::recipients::{
    CheckError, CheckedRow, ListReader, ListSummary, RowVerdict, check_list, locate_duplicates,
};
use proptest::prelude::*;

/// A campaign whose list is `file`, with further lines for `[recipients]`.
fn campaign(file: &Path, recipients: &str, text: &str) -> Campaign {
    let source = format!(
        "name = \"t\"\n[recipients]\nfile = '{}'\n{recipients}\n\
         [callout.tts]\ncli = \"+46100000000\"\ntext = '''{text}'''\n",
        file.display()
    );
    Campaign::parse(&source, Path::new("/t.toml")).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/lists")
        .join(name)
}

fn checked(campaign: &Campaign) -> Result<(ListSummary, Vec<CheckedRow>), Faults> {
    let mut rows = Vec::new();
    let mut sink = |chunk: Vec<CheckedRow>| -> Result<(), Infallible> {
        rows.extend(chunk);
        Ok(())
    };
    match check_list(campaign, 2, &mut sink) {
        Ok(list) => Ok((list.summary, rows)),
        Err(CheckError::Faults(faults)) => Err(faults),
        Err(CheckError::Sink(never)) => match never {},
    }
}

/// A list of these bytes; the folder lives as long as the first part.
fn list(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.csv");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The list's faults with the folder taken out of their text.
fn faults_of(bytes: &[u8], recipients: &str) -> String {
    let (folder, path) = list(bytes);
    let faults = checked(&campaign(&path, recipients, "Hello")).unwrap_err();
    let shown = faults.to_string();
    shown.replace(&format!("{}/", folder.path().display()), "")
}

fn figures(summary: &ListSummary) -> [u64; 5] {
    [
        summary.rows,
        summary.valid,
        summary.invalid,
        summary.duplicates,
        summary.unknown_numbers,
    ]
}

/// Each reject as `line kind column: reason`.
fn rejects(rows: &[CheckedRow]) -> String {
    let mut shown = String::new();
    for row in rows {
        if let RowVerdict::Reject {
            kind,
            column,
            reason,
            ..
        } = &row.verdict
        {
            let column = column.as_deref().unwrap_or("-");
            shown.push_str(&format!("{} {kind:?} {column}: {reason}\n", row.line));
        }
    }
    shown
}

#[test]
fn the_clinics_spreadsheet_is_read_row_by_row() {
    let text = "Hej {{ Namn }}, {{ Datum }} {{ Tid }} hos {{ row[\"Läkare\"] }}.";
    let spec = "number = \"Mobil\"\nregion = \"SE\"\nid = \"Bokning\"";
    let campaign = campaign(&fixture("clinic.csv"), spec, text);
    let (summary, rows) = checked(&campaign).unwrap();
    insta::assert_snapshot!(rejects(&rows), @"");
    assert_eq!(figures(&summary), [0, 0, 0, 0, 0]);
}

#[test]
fn a_list_of_several_countries_needs_no_region() {
    let campaign = campaign(
        &fixture("outage.csv"),
        "time_zone = \"time_zone\"",
        "{{ area }}",
    );
    let (summary, rows) = checked(&campaign).unwrap();
    insta::assert_snapshot!(rejects(&rows), @"");
    assert_eq!(figures(&summary), [0, 0, 0, 0, 0]);
}

#[test]
fn a_list_that_is_not_utf8_names_the_byte_and_the_way_out() {
    let file = fixture("members-cp1252.csv");
    let faults = checked(&campaign(&file, "", "{{ name }}")).unwrap_err();
    let shown = faults
        .to_string()
        .replace(&*file.to_string_lossy(), "members.csv");
    insta::assert_snapshot!(shown, @"");
    let named = campaign(&file, "encoding = \"windows-1252\"", "{{ name }}");
    let (summary, rows) = checked(&named).unwrap();
    assert_eq!(figures(&summary), [2, 2, 0, 0, 0]);
    assert_eq!(rows[1].cells[1], "Søren");
}
