//! A campaign and its list, read with every fault.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use serde_json::{Value, json};

use super::runs::workers;
use super::{App, Error};
use crate::campaign::{Campaign, Fault, Faults, Script};
use crate::domain::{Count, RejectKind, Screen, ZoneUnknown, Zones};
use crate::recipients::{
    CheckError, CheckedList, CheckedRow, RowVerdict, check_list, locate_duplicates,
};
use crate::report::flow;
use crate::report::summary::{and_suppressed, counted, grouped};

/// A row that is no call.
#[derive(Debug)]
pub(crate) struct RowFault {
    pub(crate) line: u64,
    pub(crate) kind: RejectKind,
    pub(crate) column: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) reason: String,
}

/// A campaign and its list as they were read.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The campaign and its list, or what is wrong with them.
    pub(crate) campaign: Result<(Campaign, CheckedList), Faults>,
    /// The rows that are no calls. That somebody must not be called is no fault of the list.
    pub(crate) rows: Vec<RowFault>,
    /// What somebody should look at, though the rows are called.
    remarks: Vec<String>,
}

/// What stands in the cells of exports where nothing is known.
const NOTHING: [&str; 7] = ["NULL", "null", "\\N", "#N/A", "NaN", "nan", "None"];

/// What is counted of rows that are calls.
#[derive(Default)]
struct Oddities {
    /// Rows whose cell names no time zone.
    zones_unread: u64,
    /// Rows that have a word for nothing in a column, by the column's place in the header.
    nothing: BTreeMap<usize, u64>,
}

impl Oddities {
    fn look_at(&mut self, cells: &[String], zones: Option<&Zones>) {
        let unread = [ZoneUnknown::NotAName, ZoneUnknown::Mistakable];
        if let Some(Zones::Unknown(why)) = zones
            && unread.contains(why)
        {
            self.zones_unread += 1;
        }
        for (column, cell) in cells.iter().enumerate() {
            if NOTHING.contains(&cell.trim()) {
                *self.nothing.entry(column).or_default() += 1;
            }
        }
    }

    /// What of it matters to a script.
    fn remarks(&self, script: &Script) -> Vec<String> {
        let rows = |count: u64| if count == 1 { "row has" } else { "rows have" };
        let mut remarks = Vec::new();
        if self.zones_unread > 0 {
            remarks.push(format!(
                "{} {} a time zone that cannot be read: nobody is called there while a window is kept",
                grouped(self.zones_unread),
                rows(self.zones_unread)
            ));
        }
        for (name, index) in script.columns() {
            if let Some(count) = self.nothing.get(&index) {
                remarks.push(format!(
                    "{} {} a word for nothing (NULL, \\N, None) in column {name}, and it is used as \
                     it stands",
                    grouped(*count),
                    rows(*count)
                ));
            }
        }
        remarks
    }
}

impl App {
    /// Reads a campaign and its list.
    pub(crate) async fn check(&self, file: &Path) -> Result<Checked, Error> {
        let lists = self.suppressions_if_any().await?;
        let screen = Screen {
            lists: Some(&lists),
            now: self.clock.wall(),
            only: None,
        };
        let (mut rows, mut oddities) = (Vec::new(), Oddities::default());
        let counted = self.counting("rows read", None);
        let campaign = Campaign::load(file).and_then(|campaign| {
            let list = check(&campaign, screen, (&mut rows, &mut oddities), &counted.done)?;
            Ok((campaign, list))
        });
        let mut remarks = Vec::new();
        if let Ok((campaign, list)) = &campaign {
            name_earlier_rows(campaign, list, &mut rows)?;
            remarks = oddities.remarks(&list.script);
        }
        drop(counted);
        Ok(Checked {
            campaign,
            rows,
            remarks,
        })
    }
}

fn check(
    campaign: &Campaign,
    screen: Screen<'_>,
    (rows, oddities): (&mut Vec<RowFault>, &mut Oddities),
    done: &Count,
) -> Result<CheckedList, Faults> {
    let mut sink = |chunk: Vec<CheckedRow>| {
        done.add(chunk.len() as u64);
        for row in chunk {
            match row.verdict {
                RowVerdict::Valid { zones, .. } => oddities.look_at(&row.cells, zones.as_ref()),
                RowVerdict::Reject {
                    kind: RejectKind::Suppressed,
                    ..
                } => {}
                RowVerdict::Reject {
                    kind,
                    column,
                    value,
                    reason,
                    ..
                } => rows.push(RowFault {
                    line: row.line,
                    kind,
                    column,
                    value,
                    reason,
                }),
            }
        }
        Ok::<(), Infallible>(())
    };
    match check_list(campaign, workers(), screen, &mut sink) {
        Ok(list) => Ok(list),
        Err(CheckError::Faults(faults)) => Err(faults),
        Err(CheckError::Sink(never)) => match never {},
    }
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

impl Checked {
    /// Whether nothing is at fault.
    pub(crate) fn is_good(&self) -> bool {
        self.campaign.is_ok() && self.rows.is_empty()
    }

    /// For people, a line for each thing; so many rows at most.
    pub(crate) fn lines(&self, rows_max: usize) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.campaign {
            Ok((campaign, list)) => {
                let file = campaign.recipients.file.display();
                campaign
                    .warnings()
                    .iter()
                    .for_each(|w| lines.push(format!("warning: {w}")));
                for remark in &self.remarks {
                    lines.push(format!("warning: {remark}"));
                }
                for row in self.rows.iter().take(rows_max) {
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
                    lines.push(format!(
                        "{file}:{}: {column}{}{value}",
                        row.line, row.reason
                    ));
                }
                if let more @ 1.. = self.rows.len().saturating_sub(rows_max) {
                    let more = grouped(more as u64);
                    lines.push(format!("… and {more} more rows that are at fault"));
                }
                if let Some(flow) = campaign.flow_as_written() {
                    lines.push("in the call:".to_owned());
                    lines.extend(flow::tree(&flow).iter().map(|line| format!("  {line}")));
                }
                let summary = &list.summary;
                lines.push(format!(
                    "{}: {} = {} valid + {} invalid + {}{}",
                    campaign.name,
                    counted(summary.rows, "row", "rows"),
                    grouped(summary.valid),
                    grouped(summary.invalid),
                    counted(summary.duplicates, "duplicate", "duplicates"),
                    and_suppressed(" +", summary.suppressed)
                ));
                if summary.unknown_numbers > 0 {
                    lines.push(format!(
                    "warning: {} numbers are possible, but the numbering plan does not know them; \
                     they are dialled",
                    grouped(summary.unknown_numbers)
                ));
                }
            }
            Err(faults) => {
                lines.push(faults.to_string());
                for row in &self.rows {
                    lines.push(format!("row on line {}: {}", row.line, row.reason));
                }
            }
        }

        lines
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let row_faults: Vec<Value> = self
            .rows
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
        let flow = match &self.campaign {
            Ok((campaign, _)) => campaign.flow_as_written(),
            Err(_) => None,
        };
        let (campaign_faults, warnings, list) = match &self.campaign {
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
            "ok": self.is_good(),
            "campaign_faults": campaign_faults,
            "row_faults": row_faults,
            "warnings": warnings,
            "remarks": self.remarks,
            "call_flow": flow.as_ref().map(flow::json),
            "list": list,
        })
    }
}
