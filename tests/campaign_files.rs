//! Campaign files: every fault with its place, the samples, and what a row can and cannot do to a
//! callout. Everything goes through the public way in.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use callout::campaign::{Campaign, RowFault, Script};
use callout::domain::{Callout, CalloutBody, Destination};
use callout::recipients::{CheckedRow, ListSummary, RowVerdict, check_list};
use proptest::prelude::*;

fn sample(name: &str) -> (Campaign, ListSummary, Vec<CheckedRow>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("campaigns")
        .join(name);
    let campaign = Campaign::load(&path).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(campaign.warnings(), []);
    let mut rows = Vec::new();
    let mut sink = |chunk: Vec<CheckedRow>| -> Result<(), Infallible> {
        rows.extend(chunk);
        Ok(())
    };
    let list = check_list(&campaign, 2, &mut sink).unwrap_or_else(|error| panic!("{error}"));
    (campaign, list.summary, rows)
}

#[test]
fn s1() {
    for n in [
        "appointment-reminder.toml",
        "conference-bridge.toml",
        "custom-press-one.toml",
        "outage-prompts.toml",
    ] {
        let (c, s, rows) = sample(n);
        println!("{n} {s:?}");
        let script = c.bind(&s.header, Path::new("l")).unwrap();
        for r in rows.iter() {
            match &r.verdict {
                RowVerdict::Reject { reason, column, .. } => {
                    println!("{} {column:?} {reason}", r.line)
                }
                RowVerdict::Valid { destination, .. } => {
                    if r.line < 4 {
                        println!("{:?}", script.callout(destination, &r.cells))
                    }
                }
            }
        }
    }
}
