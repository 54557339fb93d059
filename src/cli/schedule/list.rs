//! `callout schedule list`: the campaigns that have a schedule, when each starts next, and how its
//! last run went.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{json_of, local};
use crate::app::App;
use crate::app::plan::rule;
use crate::app::schedule::{EarlierStarts, earlier_starts};
use crate::campaign::{Campaign, is_scheduled};
use crate::cli::args::{Global, ScheduleListArgs};
use crate::cli::database::Database;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::domain::{Misfire, Repeat};
use crate::report::moments::moment;
use crate::store::{Fate, OccurrenceRecord};

/// One campaign of the list.
struct Row {
    file: PathBuf,
    campaign: Result<Campaign, usize>,
    past: EarlierStarts,
}

pub(super) async fn list(
    args: &ScheduleListArgs,
    global: &Global,
    app: &App,
) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for file in files(&args.files)? {
        let campaign = match Campaign::load(&file) {
            Ok(campaign) if campaign.schedule.is_some() => Ok(campaign),
            // A file that says when it starts is meant, whatever is wrong with it.
            Err(faults) if says_when(&file) => Err(faults.len()),
            Ok(_) | Err(_) => {
                if args.files.contains(&file) {
                    Campaign::load(&file)?;
                    output::tell(&format!("{} has no [schedule]", file.display()));
                }
                continue;
            }
        };
        let name = campaign.as_ref().ok().map(|campaign| campaign.name.clone());
        let mut row = Row {
            file,
            campaign,
            past: EarlierStarts::default(),
        };
        if let Some(name) = name {
            // Each campaign has its own database.
            let database = Database::of(global.named_db.as_deref(), Some(&row.file));
            row.past = earlier_starts(&database.address(), &name).await?;
        }
        rows.push(row);
    }
    let now = app.clock.wall();
    if args.json {
        let rows: Vec<Value> = rows.iter().map(|row| row.json(now)).collect();
        output::say_json(&json!({ "campaigns": rows }));
    } else if rows.is_empty() {
        output::say("no campaign with a [schedule] here");
    } else {
        let header = ["campaign", "next start", "here", "repeat", "last run"];
        let cells = rows.iter().map(|row| row.cells(now));
        output::say(&output::table(header, cells));
    }
    Ok(if rows.iter().any(|row| row.campaign.is_err()) {
        Exit::Usage
    } else {
        Exit::Done
    })
}

/// The files that are named, those of the folders that are named, or those of this folder.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if named.is_empty() {
        let here = in_folder(Path::new("."))?;
        let short = |path: &PathBuf| path.strip_prefix(".").unwrap_or(path).to_owned();
        return Ok(here.iter().map(short).collect());
    }
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            files.extend(in_folder(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |e: std::io::Error| Failure::usage(format!("{}: {e}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        if path.extension().is_some_and(|e| e == "toml") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn says_when(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|source| is_scheduled(&source))
}

impl Row {
    fn cells(&self, now: Timestamp) -> [String; 5] {
        let file = self.file.display();
        let Ok(campaign) = &self.campaign else {
            let wrong = format!("has faults: callout check {file}");
            let [a, b, c] = [(); 3].map(|()| String::new());
            return [file.to_string(), wrong, a, b, c];
        };
        let Some(schedule) = &campaign.schedule else {
            return [(); 5].map(|()| String::new());
        };
        let next = schedule.next(now);
        let of_next = |word: fn(&jiff::Zoned) -> String, none: &str| {
            next.as_ref().map_or(none.to_owned(), |n| word(&n.at))
        };
        [
            format!("{} ({file})", campaign.name),
            of_next(moment, "none any more"),
            of_next(local, ""),
            rule(schedule),
            self.last(),
        ]
    }

    /// How the last run went; a start that was skipped after it is told as well.
    fn last(&self) -> String {
        let run = self.past.last_run.as_ref();
        let ran = run.map_or("none".to_owned(), |run| {
            format!("{} {}, {:.0}", run.id, run.state, run.created_at)
        });
        match self.past.starts.first() {
            Some(OccurrenceRecord {
                scheduled_for,
                fate: Fate::Skipped { reason, .. },
                ..
            }) => format!("{ran}; skipped {scheduled_for:.0}: {reason}"),
            _ => ran,
        }
    }

    fn json(&self, now: Timestamp) -> Value {
        let file = self.file.display().to_string();
        let campaign = match &self.campaign {
            Ok(campaign) => campaign,
            Err(faults) => return json!({ "file": file, "faults": faults }),
        };
        let schedule = campaign.schedule.as_ref();
        let earlier: Vec<Value> = self.past.starts.iter().map(json_of_record).collect();
        json!({
            "file": file,
            "faults": 0,
            "campaign": campaign.name,
            "next": schedule.and_then(|s| s.next(now)).as_ref().map(json_of),
            "start": schedule.map(|s| s.start.to_string()),
            "repeat": schedule.and_then(|s| s.repeat.as_ref()).map(Repeat::as_str),
            "repeat_words": schedule.map(rule),
            "misfire": schedule.map(|s| match s.misfire {
                Misfire::Run => "run",
                Misfire::Skip => "skip",
            }),
            "expires_after_s": schedule.and_then(|s| s.expires_after).map(|a| a.as_secs()),
            "until": schedule.and_then(|s| s.until.as_ref()).map(ToString::to_string),
            "last_run": self.past.last_run.as_ref().map(|run| json!({
                "run": run.id.as_str(),
                "state": run.state.as_str(),
                "created_at": run.created_at.to_string(),
                "scheduled_for": run.scheduled_for.map(|at| at.to_string()),
                "expires_at": run.expires_at.map(|at| at.to_string()),
            })),
            "earlier": earlier,
        })
    }
}

fn json_of_record(record: &OccurrenceRecord) -> Value {
    let (run, skipped, reason) = match &record.fate {
        Fate::Run(run) => (Some(run.as_str()), None, None),
        Fate::Skipped { kind, reason } => (None, Some(kind.as_str()), Some(reason)),
    };
    json!({
        "scheduled_for": record.scheduled_for.to_string(),
        "run": run,
        "skipped": skipped,
        "reason": reason,
    })
}
