//! Lists as people send them, and worse: what `recipients` makes of every row and of every list
//! that is none. Each list is a file, read through the public way in.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use callout::campaign::{Campaign, Faults};
use callout::domain::{RejectKind, Screen};
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
    match check_list(campaign, 2, Screen::none(), &mut sink) {
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
            writeln!(shown, "{} {kind:?} {column}: {reason}", row.line).unwrap();
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
    insta::assert_snapshot!(rejects(&rows), @r"
    79 Duplicate Mobil: the same number as an earlier row
    80 Duplicate Mobil: the same number as an earlier row
    81 Invalid Mobil: it is too short
    82 Invalid Mobil: there is no number
    83 Invalid Mobil: there are words or signs where a number should be
    84 Invalid Namn: column `Namn` is empty, `text` needs it
    85 Invalid Mobil: there are two numbers in one cell
    87 Invalid Mobil: a spreadsheet has rounded the number: its last digits are lost
    88 Invalid -: the row has 3 cells, the header 6
    89 Invalid -: the row has 7 cells, the header 6
    ");
    assert_eq!(figures(&summary), [71, 61, 8, 2, 0]);
    assert_eq!(summary.header[0], "Bokning");
    let bytes = std::fs::read(fixture("clinic.csv")).unwrap();
    assert_eq!(summary.sha256.len(), 64);
    assert!(
        bytes.starts_with(b"\xef\xbb\xbf"),
        "the fixture has lost its mark"
    );
    // The first cell with a line break is kept as it stands.
    assert_eq!(rows[0].cells[5], "Dr. Håkan\nÅberg");
    assert_eq!((rows[0].line, rows[1].line), (2, 4));
}

#[test]
fn a_duplicate_is_located_by_a_second_look_at_the_list() {
    let spec = "number = \"Mobil\"\nregion = \"SE\"";
    let campaign = campaign(&fixture("clinic.csv"), spec, "Hej {{ Namn }}");
    let (summary, rows) = checked(&campaign).unwrap();
    let script = campaign
        .bind(&summary.header, Path::new("clinic.csv"))
        .unwrap();
    let duplicates: Vec<(u64, String)> = rows
        .iter()
        .filter_map(|row| match &row.verdict {
            RowVerdict::Reject {
                kind: RejectKind::Duplicate,
                value,
                ..
            } => Some((row.line, value.clone().unwrap())),
            _ => None,
        })
        .collect();
    let first = locate_duplicates(&campaign, &script, &duplicates).unwrap();
    let original = rows.iter().find(|row| row.cells[0] == "A-1003").unwrap();
    assert_eq!(first.len(), 2);
    assert!(
        first.values().all(|line| *line == original.line),
        "{first:?}"
    );
}

#[test]
fn a_list_of_several_countries_needs_no_region() {
    let spec = "time_zone = \"time_zone\"";
    let campaign = campaign(&fixture("outage.csv"), spec, "{{ area }}");
    let (summary, rows) = checked(&campaign).unwrap();
    assert_eq!(rejects(&rows), "");
    // The numbers for fiction of the United Kingdom and France are in no numbering plan.
    assert_eq!(figures(&summary), [202, 202, 0, 0, 100]);
}

#[test]
fn digits_that_could_be_two_numbers_are_refused_unless_the_campaign_says_which() {
    let (_folder, path) = list(
        "number\n4915112345678\n49(0)30113722\n436641234567\n+436641234567.0\n0151 12345679\n"
            .as_bytes(),
    );
    let under = |recipients: &str| checked(&campaign(&path, recipients, "Hello")).unwrap();
    let dialled = |rows: &[CheckedRow]| {
        let to = |row: &CheckedRow| match &row.verdict {
            RowVerdict::Valid { destination, .. } => destination.endpoint.clone(),
            RowVerdict::Reject { .. } => "-".to_owned(),
        };
        rows.iter().map(to).collect::<Vec<_>>()
    };
    let (_, rows) = under("region = \"DE\"");
    let number = ["-", "+4930113722", "-", "+436641234567", "+4915112345679"];
    assert_eq!(dialled(&rows), number);
    insta::assert_snapshot!(rejects(&rows), @r"
    2 Invalid number: it can be read as +4949•••5678 or as +4915•••5678: write it with + and country code, or say how numbers are written with `numbers` in [recipients]
    4 Invalid number: it can be read as +4943•••4567 or as +4366•••4567: write it with + and country code, or say how numbers are written with `numbers` in [recipients]
    ");
    let (_, rows) = under("region = \"DE\"\nnumbers = \"international\"");
    let number = ["+4915112345678", "+4930113722", "+436641234567", "-", "-"];
    assert_eq!(dialled(&rows), number);
    insta::assert_snapshot!(rejects(&rows), @r"
    5 Duplicate number: the same number as an earlier row
    6 Invalid number: it begins with 0, which no country code does
    ");
    let (_, rows) = under("region = \"DE\"\nnumbers = \"national\"");
    let number = [
        "+494915112345678",
        "+4930113722",
        "+49436641234567",
        "+436641234567",
        "+4915112345679",
    ];
    assert_eq!(dialled(&rows), number);
}

#[test]
fn a_list_that_is_not_utf8_names_the_byte_and_the_way_out() {
    let file = fixture("members-cp1252.csv");
    let faults = checked(&campaign(&file, "", "{{ name }}")).unwrap_err();
    let shown = faults
        .to_string()
        .replace(&*file.to_string_lossy(), "members.csv");
    insta::assert_snapshot!(shown, @r#"
    members.csv:2:2: column `name` has the byte 0xc5, which is not UTF-8
      help: spreadsheets often write Windows-1252: add encoding = "windows-1252" to [recipients], or save the list as UTF-8
    "#);
    let named = campaign(&file, "encoding = \"windows-1252\"", "{{ name }}");
    let (summary, rows) = checked(&named).unwrap();
    assert_eq!(figures(&summary), [2, 2, 0, 0, 0]);
    assert_eq!(rows[1].cells[1], "Søren");
}

#[test]
fn a_list_that_is_none_says_why() {
    let cases: [(&[u8], &str, &str); 14] = [
        (b"", "", "l.csv:1:1: the list is empty"),
        (b"\n\r\n\n", "", "l.csv:1:1: the list is empty"),
        (
            b"number,a\n",
            "",
            "l.csv:1:1: the list has a header and no rows",
        ),
        (
            b"\n\nnumber\n\n",
            "",
            "l.csv:3:1: the list has a header and no rows",
        ),
        (
            b"number,a,a\n+46701740605,1,2\n",
            "",
            "l.csv:1:3: columns 2 and 3 have the same name `a`",
        ),
        (
            b"number,call_id\n+46701740605,1\n",
            "",
            "l.csv:1:2: `call_id` is the name of a column that results add",
        ),
        (
            b"Number,a\n+46701740605,1\n",
            "",
            "/t.toml:2:1: `l.csv` has no column `number`",
        ),
        (
            b"number,tz\n+46701740605,1\n",
            "time_zone = \"time_zone\"",
            "/t.toml:4:13: `l.csv` has no column `time_zone`",
        ),
        (
            b"number\n0701740605\n",
            "",
            "l.csv:2:1: none of the list's 1 rows can be called",
        ),
        (
            b"n\0u\0m\0,\0a\0\n\0",
            "",
            "l.csv:1:1: column 1 has NUL bytes in its name",
        ),
        (
            b"number,a\n+46701740605,\"open\n+46701740606,b\n+46701740607,c\n",
            "",
            "l.csv:2:1: a record does not end: is a quote left open at line 2?",
        ),
        (
            b"number\n+46701740605\n",
            "region = \"XX\"",
            "/t.toml:4:10: `XX` is not a region with telephone numbers",
        ),
        (
            b"number,a\n+46701740605,\x82\xff\x90\n",
            "encoding = \"shift_jis\"",
            "l.csv:2:2: column `a` has bytes that are not Shift_JIS",
        ),
        (
            b"num\xffber,a\n+46701740605,1\n",
            "",
            "l.csv:1:1: cell 1 has the byte 0xff, which is not UTF-8",
        ),
    ];
    for (bytes, spec, expected) in cases {
        let shown = faults_of(bytes, spec);
        assert_eq!(shown.lines().next(), Some(expected), "{shown}");
    }
}

#[test]
fn a_near_column_is_named() {
    let shown = faults_of(b"Nummer,name\n+46701740605,1\n", "number = \"numer\"");
    insta::assert_snapshot!(shown, @r#"
    /t.toml:4:10: `l.csv` has no column `numer`
      4 | number = "numer"
        |          ^^^^^^^
      help: did you mean `Nummer`? the list has `Nummer` and `name`
    "#);
}

#[test]
fn a_path_that_is_no_list_is_told_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &Path| {
        let faults = checked(&campaign(path, "", "Hello")).unwrap_err();
        faults.as_slice()[0].message.clone()
    };
    assert!(at(&folder.path().join("none.csv")).starts_with("cannot read the list: No such file"));
    assert_eq!(at(folder.path()), "this is a folder, not a list");
    assert_eq!(at(Path::new("/dev/null")), "this is not a regular file");
}

#[test]
fn a_record_without_end_is_refused_before_it_fills_the_memory() {
    let mut bytes = b"number,a\n+46701740605,ok\n+46701740606,\"".to_vec();
    bytes.resize(3 << 20, b'x');
    let shown = faults_of(&bytes, "");
    assert!(
        shown.contains("l.csv:3:1: a record does not end"),
        "{shown}"
    );
}

#[test]
fn the_same_rows_come_out_of_every_dress_a_list_can_wear() {
    let plain = "number,name\n+46701740605,Åke\n+46701740606,\"Ö, \"\"B\"\"\n2\"\n";
    let expected = vec![
        vec!["+46701740605".to_owned(), "Åke".to_owned()],
        vec!["+46701740606".to_owned(), "Ö, \"B\"\n2".to_owned()],
    ];
    let utf16 = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(plain.encode_utf16());
        let bytes = |unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        units.flat_map(bytes).collect()
    };
    let tabs = plain
        .replace("number,name", "number\tname")
        .replace("5,", "5\t");
    let dressed: [Vec<u8>; 7] = [
        plain.into(),
        format!("\u{feff}{plain}").into(),
        plain.trim_end().into(),
        format!("\n\r\n{}\n\n", plain.replace("Åke\n", "Åke\n\n\r\n")).into(),
        utf16(true),
        utf16(false),
        tabs.replace("6,", "6\t").into(),
    ];
    for bytes in dressed {
        let (_folder, path) = list(&bytes);
        let (_, rows) = checked(&campaign(&path, "", "{{ name }}")).unwrap();
        let cells: Vec<_> = rows.into_iter().map(|row| row.cells).collect();
        assert_eq!(cells, expected, "{:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn lines_are_those_an_editor_shows() {
    let bytes =
        b"number,a\r\n\r\n+46701740605,\"x\r\ny\"\r\n+46701740606,z\r\n\r\n\r\n+46701740607,w";
    let (_folder, path) = list(bytes);
    let (_, rows) = checked(&campaign(&path, "", "Hello")).unwrap();
    let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 5, 8]);
}

#[test]
fn users_are_told_apart_by_their_exact_names() {
    let long = "x".repeat(129);
    let text = format!("user;a\nanna;1\n anna ;2\nAnna;3\n;4\n{long};5\n");
    let (_folder, path) = list(text.as_bytes());
    let spec = "number = \"user\"\ndestination_type = \"username\"";
    let (summary, rows) = checked(&campaign(&path, spec, "Hello")).unwrap();
    insta::assert_snapshot!(rejects(&rows), @r"
    3 Duplicate user: the same name as an earlier row
    5 Invalid user: there is no name
    6 Invalid user: the name has 129 characters, at most 128 are taken
    ");
    assert_eq!(figures(&summary), [5, 2, 2, 1, 0]);
}

#[test]
fn a_row_that_cannot_be_called_does_not_make_a_later_one_a_duplicate() {
    let (_folder, path) = list(b"number,name\n+46701740605,\n+46701740605,Bo\n+46 701740605,Eva\n");
    let (summary, rows) = checked(&campaign(&path, "", "{{ name }}")).unwrap();
    assert_eq!(figures(&summary), [3, 1, 1, 1, 0]);
    assert!(matches!(rows[1].verdict, RowVerdict::Valid { .. }));
}

#[test]
fn rows_come_in_the_lists_order_whatever_the_number_of_workers() {
    let mut text = "number,name\n".to_owned();
    for i in 0..30_000 {
        writeln!(text, "+4670{:07},n{i}", i % 20_000).unwrap();
    }
    let (_folder, path) = list(text.as_bytes());
    let campaign = campaign(&path, "", "{{ name }}");
    for workers in [0, 1, 5] {
        let mut next = 2;
        let mut sink = |chunk: Vec<CheckedRow>| -> Result<(), Infallible> {
            for row in chunk {
                assert_eq!(row.line, next);
                next += 1;
            }
            Ok(())
        };
        let list = check_list(&campaign, workers, Screen::none(), &mut sink).unwrap();
        assert_eq!(
            (list.summary.valid, list.summary.duplicates),
            (20_000, 10_000)
        );
    }
}

#[test]
fn a_sink_that_fails_ends_the_check() {
    let (_folder, path) = list(b"number\n+46701740605\n");
    let mut sink = |_: Vec<CheckedRow>| Err("full");
    let outcome = check_list(&campaign(&path, "", "Hello"), 2, Screen::none(), &mut sink);
    assert!(matches!(outcome, Err(CheckError::Sink("full"))));
}

/// Cells that nobody wants and everybody gets.
const HOSTILE: [&[u8]; 22] = [
    b"+46701740605",
    b"0701740605",
    b"",
    b"\0",
    b"\xff\xfe",
    b"\"",
    b"\"a\nb\"",
    b"\"\"\"",
    b"a\"b",
    "\u{202e}+46701740605".as_bytes(),
    "+4670\u{200b}1740605".as_bytes(),
    "\u{ff10}\u{ff17}\u{ff10}1740605".as_bytes(),
    b"=cmd|' /C calc'!A0",
    b"@SUM(1)",
    b"-1+1",
    b"#tts[x]",
    b"{{ 7 * 7 }}",
    b"+46701740605;+46701740606",
    b"4,67E+10",
    b"\t",
    b"\r",
    b"'",
];
const LINE_ENDS: [&[u8]; 5] = [b"\n", b"\r\n", b"\r", b"\n\n", b"\n"];

#[test]
fn a_thousand_hostile_rows_all_end_in_one_verdict() {
    // A small generator of its own, so that the rows are the same each time.
    let mut state = 42_u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for utf8 in [true, false] {
        let mut bytes = b"number,name,area\n+46701740699,a,b\n".to_vec();
        for row in 0..1_000 {
            for cell in 0..=draw(5) {
                if cell > 0 {
                    bytes.push(b',');
                }
                match draw(40) {
                    0 => bytes.extend(std::iter::repeat_n(b'x', draw(60_000))),
                    1..20 => bytes.extend(format!("+4670174{row:04}").bytes()),
                    _ => {
                        let nasty = HOSTILE[draw(HOSTILE.len())];
                        if !utf8 || std::str::from_utf8(nasty).is_ok() {
                            bytes.extend(nasty);
                        }
                    }
                }
            }
            bytes.extend(LINE_ENDS[draw(LINE_ENDS.len())]);
        }
        let (_folder, path) = list(&bytes);
        let campaign = campaign(&path, "region = \"SE\"", "{{ name }} {{ area }}");
        match checked(&campaign) {
            Ok((summary, rows)) => {
                assert!(utf8);
                assert_eq!(summary.rows, rows.len() as u64);
                let parts = summary.valid + summary.invalid + summary.duplicates;
                assert_eq!(summary.rows, parts);
                assert!(summary.valid > 0 && summary.invalid > 100 && summary.duplicates > 0);
            }
            Err(faults) => {
                // One of the two faults these bytes may be refused for, and never another.
                let shown = faults.to_string();
                let known = ["is not UTF-8", "is a quote left open"];
                assert!(known.iter().any(|known| shown.contains(known)), "{shown}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_a_list_or_a_fault(
        bytes in prop::collection::vec(prop::sample::select(b"number,;\"\r\n\t|+4670\0\xff\xc3\xa5 ".to_vec()), 0..200),
        header in any::<bool>(),
    ) {
        let all = [if header { &b"number,a\n"[..] } else { b"" }, &bytes].concat();
        let (_folder, path) = list(&all);
        let campaign = campaign(&path, "", "Hello");
        if let Ok(mut reader) = ListReader::open(&campaign.recipients) {
            let mut line = 0;
            while let Ok(Some(row)) = reader.next_row() {
                prop_assert!(row.line > line);
                line = row.line;
            }
        }
        if let Ok((summary, _)) = checked(&campaign) {
            prop_assert_eq!(summary.rows, summary.valid + summary.invalid + summary.duplicates);
        }
    }

    #[test]
    fn cells_come_back_as_they_were_written(
        rows in prop::collection::vec(prop::collection::vec("[a-z\"\r\n,;å ]{0,8}", 3), 1..8),
    ) {
        let mut bytes = b"number,b,c\n".to_vec();
        let mut writer = csv::WriterBuilder::new().from_writer(&mut bytes);
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        let (_folder, path) = list(&bytes);
        let mut reader = ListReader::open(&campaign(&path, "", "Hello").recipients).unwrap();
        let mut read = Vec::new();
        while let Some(row) = reader.next_row().unwrap() {
            read.push(row.cells);
        }
        prop_assert_eq!(read, rows);
    }
}
