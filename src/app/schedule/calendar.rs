//! The campaigns that have a schedule, when each starts next, and what became of earlier starts.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::database::Database;
use crate::app::plan::rule;
use crate::app::{App, Error, Refusal};
use crate::campaign::{Campaign, is_scheduled};
use crate::domain::{Misfire, Occurrence, Repeat};
use crate::store::{self, Access, OccurrenceFate, OccurrenceRecord, RunHead, StoreError};

/// Earlier starts that are read.
const EARLIER: u32 = 5;

/// A campaign that says when it starts.
#[derive(Debug)]
pub(crate) struct Scheduled {
    /// Its file.
    pub(crate) file: PathBuf,
    /// The campaign, or how many faults its file has.
    pub(crate) campaign: Result<Campaign, usize>,
    /// Its latest run.
    pub(crate) last_run: Option<RunHead>,
    /// Its latest starts, latest first.
    pub(crate) earlier: Vec<OccurrenceRecord>,
}

/// What is found in files and folders.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// The campaigns that say when they start.
    pub(crate) campaigns: Vec<Scheduled>,
    /// Files that were named and do not.
    pub(crate) others: Vec<PathBuf>,
}

impl App {
    /// Looks for scheduled campaigns in the files that are named, in those of the folders that are named,
    /// or in those of this folder. Each has its own database unless one is `named`.
    pub(crate) async fn calendar(
        &self,
        paths: &[PathBuf],
        named: Option<&str>,
    ) -> Result<Calendar, Error> {
        let mut calendar = Calendar::default();
        for file in files(paths)? {
            let campaign = match Campaign::load(&file) {
                Ok(campaign) if campaign.schedule.is_some() => Ok(campaign),
                // A file that says when it starts is meant, whatever is wrong with it.
                Err(faults) if says_when(&file) => Err(faults.len()),
                Err(faults) if paths.contains(&file) => return Err(faults.into()),
                Ok(_) if paths.contains(&file) => {
                    calendar.others.push(file);
                    continue;
                }
                Ok(_) | Err(_) => continue,
            };
            let name = campaign.as_ref().ok().map(|campaign| campaign.name.clone());
            let mut scheduled = Scheduled {
                file,
                campaign,
                last_run: None,
                earlier: Vec::new(),
            };
            if let Some(name) = name {
                let database = Database::of(named, Some(&scheduled.file));
                scheduled.look_up(&database.address(), &name).await?;
            }
            calendar.campaigns.push(scheduled);
        }
        Ok(calendar)
    }
}

/// The files that are named, those of the folders that are named, or those of this folder.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
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

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let refuse = |e: std::io::Error| Refusal::input("folder", format!("{}: {e}", folder.display()));
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

impl Scheduled {
    /// Reads what became of earlier starts in a database, if there is one.
    async fn look_up(&mut self, address: &str, campaign: &str) -> Result<(), Error> {
        let store = match store::open(address, Access::Beside, None).await {
            Ok(store) => store,
            Err(StoreError::NoDatabase(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let own = |run: &RunHead| run.campaign == campaign && !run.rehearsal;
        self.last_run = store.run_heads("").await?.into_iter().find(own);
        self.earlier = store.occurrences(campaign, EARLIER).await?;
        Ok(store.close().await?)
    }

    /// For programs.
    pub(crate) fn json(&self, now: Timestamp) -> Value {
        let file = self.file.display().to_string();
        let campaign = match &self.campaign {
            Ok(campaign) => campaign,
            Err(faults) => return json!({ "file": file, "faults": faults }),
        };
        let schedule = campaign.schedule.as_ref();
        let earlier: Vec<Value> = self.earlier.iter().map(json_of_record).collect();
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
            "last_run": self.last_run.as_ref().map(|run| json!({
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

/// An occurrence for programs.
pub(crate) fn json_of(occurrence: &Occurrence) -> Value {
    let at = &occurrence.at;
    json!({
        "at": at.to_string(),
        "utc": at.timestamp().to_string(),
        "local": at.timestamp().to_zoned(jiff::tz::TimeZone::system()).to_string(),
        "remark": occurrence.remark.map(|remark| remark.to_string()),
    })
}

fn json_of_record(record: &OccurrenceRecord) -> Value {
    let (run, skipped, reason) = match &record.fate {
        OccurrenceFate::Run(run) => (Some(run.as_str()), None, None),
        OccurrenceFate::Skipped { kind, reason } => (None, Some(kind.as_str()), Some(reason)),
    };
    json!({
        "scheduled_for": record.scheduled_for.to_string(),
        "run": run,
        "skipped": skipped,
        "reason": reason,
    })
}
