//! How fast a million rows are checked, and in how much memory. Ignored: figures are for people,
//! `cargo test --release --test list_speed -- --ignored --nocapture` prints them.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use callout::campaign::Campaign;
use callout::recipients::{CheckedRow, check_list};

/// The highest memory this process has used, as the kernel tells it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let digits = line.map(|line| {
        line.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    });
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[test]
#[ignore = "a measurement, not a check"]
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement needs the real clock"
)]
fn a_million_rows() {
    let rows: u32 = 1_000_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    writeln!(file, "name,phone,date,time").unwrap();
    for i in 0..rows {
        let mut number = String::new();
        match i % 3 {
            0 => write!(number, "07{:08}", i * 89 % 100_000_000),
            1 => write!(number, "+467{:08}", i * 89 % 100_000_000),
            _ => write!(number, "07{}-{:07}", i % 10, i * 89 % 10_000_000),
        }
        .unwrap();
        writeln!(file, "Person {i},{number},2026-12-01,10:15").unwrap();
    }
    file.flush().unwrap();
    drop(file);
    let source = "name = 't'\n[recipients]\nfile = 'l.csv'\nnumber = 'phone'\nregion = 'SE'\n\
        [callout.tts]\ncli = '+46100000000'\n\
        text = 'Hello {{ name }}. You have an appointment on {{ date }}.'\n";
    let campaign = Campaign::parse(source, &folder.path().join("c.toml")).unwrap();
    assert!(Path::new(&campaign.recipients.file).is_file());
    for workers in [1, 2] {
        let start = std::time::Instant::now();
        let mut sink = |_: Vec<CheckedRow>| -> Result<(), Infallible> { Ok(()) };
        let list = check_list(&campaign, workers, &mut sink).unwrap_or_else(|e| panic!("{e}"));
        let s = list.summary;
        println!(
            "{workers} workers: {:.2} s, peak {} MiB; {} rows, {} valid, {} duplicates, {} unknown",
            start.elapsed().as_secs_f64(),
            peak_kib() / 1024,
            s.rows,
            s.valid,
            s.duplicates,
            s.unknown_numbers
        );
    }
}
