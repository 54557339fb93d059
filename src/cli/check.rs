//! `callout check`: reads a campaign and its list and names every fault.

use serde_json::{Value, json};

use super::args::CheckArgs;
use super::exit::{Exit, Failure};
use super::{output, suppress};
use crate::app::App;
use crate::app::check::{Checked, RowFault};
use crate::campaign::{Campaign, Fault, Faults};
use crate::domain::RejectKind;
use crate::recipients::CheckedList;
use crate::report::summary::grouped;

pub(super) async fn check(args: &CheckArgs, app: &App) -> Result<Exit, Failure> {
    let Checked {
        campaign: checked,
        rows,
    } = app.check(&args.file).await?;
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
