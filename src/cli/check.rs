//! `callout check`: reads a campaign and its list and names every fault.

use std::convert::Infallible;

use serde_json::{Value, json};

use super::args::{CheckArgs, Global};
use super::exit::{Exit, Failure};
use super::{World, import, output, suppress};
use crate::campaign::{Campaign, Fault, Faults};
use crate::domain::{RejectKind, Screen};
use crate::recipients::{CheckError, CheckedList, RowVerdict, check_list, locate_duplicates};
use crate::report::summary::grouped;

/// A row that is no call, for `check`.
struct RowFault {
    line: u64,
    kind: RejectKind,
    column: Option<String>,
    value: Option<String>,
    reason: String,
}

pub(super) async fn check(
    args: &CheckArgs,
    global: &Global,
    world: &World,
) -> Result<Exit, Failure> {
    let lists = suppress::lists_if_any(global).await?;
    let screen = Screen {
        lists: Some(&lists),
        now: world.clock.wall(),
        only: None,
    };
    let mut rows = Vec::new();
    let checked = Campaign::load(&args.file).and_then(|campaign| {
        let mut sink = |chunk: Vec<crate::recipients::CheckedRow>| {
            for row in chunk {
                if let RowVerdict::Reject {
                    kind,
                    column,
                    value,
                    reason,
                    ..
                } = row.verdict
                    // That somebody must not be called is no fault of the list.
                    && kind != RejectKind::Suppressed
                {
                    rows.push(RowFault {
                        line: row.line,
                        kind,
                        column,
                        value,
                        reason,
                    });
                }
            }
            Ok::<(), Infallible>(())
        };
        let list = match check_list(&campaign, import::workers(), screen, &mut sink) {
            Ok(list) => list,
            Err(CheckError::Faults(faults)) => return Err(faults),
            Err(CheckError::Sink(never)) => match never {},
        };
        Ok((campaign, list))
    });
    if let Ok((campaign, list)) = &checked {
        name_earlier_rows(campaign, list, &mut rows)?;
    }
    if args.json {
        output::say_json(&as_json(checked.as_ref(), &rows));
    } else {
        say(checked.as_ref(), &rows);
    }
    Ok(if checked.is_ok() && rows.is_empty() {
        Exit::Done
    } else {
        Exit::Usage
    })
}

/// Tells each duplicate which line came first.
fn name_earlier_rows(
    campaign: &Campaign,
    list: &CheckedList,
    rows: &mut [RowFault],
) -> Result<(), Faults> {
    let duplicates: Vec<(u64, String)> = rows
        .iter()
        .filter(|row| row.kind == RejectKind::Duplicate)
        .map(|row| (row.line, row.value.clone().unwrap_or_default()))
        .collect();
    if duplicates.is_empty() {
        return Ok(());
    }
    let earlier = locate_duplicates(campaign, &list.script, &duplicates)?;
    for row in rows
        .iter_mut()
        .filter(|row| row.kind == RejectKind::Duplicate)
    {
        if let Some(line) = earlier.get(&row.line) {
            row.reason = format!("the same number as line {line}");
        }
    }
    Ok(())
}

fn say(checked: Result<&(Campaign, CheckedList), &Faults>, rows: &[RowFault]) {
    match checked {
        Ok((campaign, list)) => {
            let file = campaign.recipients.file.display();
            campaign
                .warnings()
                .iter()
                .for_each(|w| output::say(&format!("warning: {w}")));
            for row in rows {
                let column = row
                    .column
                    .as_ref()
                    .map(|c| format!("{c}: "))
                    .unwrap_or_default();
                let value = row
                    .value
                    .as_ref()
                    .map(|v| format!(" {v:?}"))
                    .unwrap_or_default();
                output::say(&format!(
                    "{file}:{}: {column}{}{value}",
                    row.line, row.reason
                ));
            }
            let summary = &list.summary;
            output::say(&format!(
                "{}: {} rows = {} valid + {} invalid + {} duplicates{}",
                campaign.name,
                grouped(summary.rows),
                grouped(summary.valid),
                grouped(summary.invalid),
                grouped(summary.duplicates),
                suppress::and_suppressed(" +", summary.suppressed)
            ));
            if summary.unknown_numbers > 0 {
                output::say(&format!(
                    "warning: {} numbers are possible, but the numbering plan does not know them; \
                     they are dialled",
                    grouped(summary.unknown_numbers)
                ));
            }
        }
        Err(faults) => {
            output::say(&faults.to_string());
            for row in rows {
                output::say(&format!("row on line {}: {}", row.line, row.reason));
            }
        }
    }
}

fn as_json(checked: Result<&(Campaign, CheckedList), &Faults>, rows: &[RowFault]) -> Value {
    let row_faults: Vec<Value> = rows
        .iter()
        .map(|row| {
            let kind = match row.kind {
                RejectKind::Invalid => "invalid",
                RejectKind::Duplicate => "duplicate",
                RejectKind::Suppressed => "suppressed",
            };
            json!({
                "line": row.line, "kind": kind, "column": row.column, "value": row.value,
                "reason": row.reason,
            })
        })
        .collect();
    let (campaign_faults, warnings, list) = match checked {
        Ok((campaign, list)) => {
            let summary = &list.summary;
            let counts = json!({
                "rows": summary.rows, "valid": summary.valid, "invalid": summary.invalid,
                "duplicates": summary.duplicates, "suppressed": summary.suppressed,
                "unknown_numbers": summary.unknown_numbers,
                "sha256": summary.sha256, "columns": summary.header,
            });
            let none: &[Fault] = &[];
            (json!(none), json!(campaign.warnings()), counts)
        }
        Err(faults) => (json!(faults.as_slice()), json!([]), Value::Null),
    };
    json!({
        "ok": checked.is_ok() && rows.is_empty(),
        "campaign_faults": campaign_faults,
        "row_faults": row_faults,
        "warnings": warnings,
        "list": list,
    })
}
