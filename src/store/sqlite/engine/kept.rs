//! Answers that were kept aside, read back at a start: each line where it belongs, and none anywhere
//! else.
//!
//! A line belongs to the database whose id it has; one of an earlier version has none, and belongs where
//! its run is. What cannot be read, or tells of attempts that are not there, is kept in a file of its
//! own, for whoever can tell what it is about.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use sqlx::{Sqlite, Transaction};
use tracing::warn;

use super::aside::Line;
use super::group::Group;
use crate::domain::Stage;
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::file::{beside, hand_over, private};

/// Behind the database's name, before a number: lines that did not belong to it.
const FOREIGN: &str = "-answers-foreign-";

const IS_OURS: &str = "-- read_back: is a line ours?
    select case when ?1 is null then exists (select 1 from runs where id = ?2)
                else unhex(?1) is (select id from identity) end";

const MISSING: &str = "-- read_back: attempts that are not there
    select count(*) from json_each(?1) as kept
    where kept.value not in (select key from attempts
                             where run = (select number from runs where id = ?2))";

/// What a start found in the side file.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct ReadBack {
    /// Groups that were applied.
    pub(super) groups: u64,
    /// Lines that did not belong here, or not altogether.
    foreign: Vec<Line>,
}

impl SqliteStore {
    /// Applies what was kept aside for this database. What is already there is not there to be moved: a
    /// repeat changes nothing.
    pub(in crate::store::sqlite) async fn read_back(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
    ) -> Result<ReadBack, StoreError> {
        let Some(engine) = &self.engine else {
            return Err(StoreError::Database(
                "only the engine reads answers back".into(),
            ));
        };
        let lines = engine.aside.read().map_err(|e| {
            StoreError::unusable(&engine.aside.path().display().to_string(), "read", &e)
        })?;
        let mut read_back = ReadBack::default();
        for line in lines {
            let whole = match &line.group {
                Some(group) => apply(tx, group).await.map_err(|e| self.fault(&e))?,
                None => None,
            };
            read_back.groups += u64::from(whole.is_some());
            if whole != Some(true) {
                read_back.foreign.push(line);
            }
        }
        Ok(read_back)
    }

    /// Once all of it is in the database: forgets what was kept aside, and keeps what did not belong
    /// here.
    pub(in crate::store::sqlite) fn put_away(
        &self,
        read_back: &ReadBack,
    ) -> Result<(), StoreError> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        if read_back.groups == 0 && read_back.foreign.is_empty() {
            return Ok(());
        }
        let unusable = |path: &Path, e: std::io::Error| {
            StoreError::unusable(&path.display().to_string(), "written", &e)
        };
        if !read_back.foreign.is_empty() {
            let file = self.identity.file();
            let path =
                keep(file, &read_back.foreign).map_err(|e| unusable(&beside(file, FOREIGN), e))?;
            warn!(
                "{} lines of answers that were kept aside belong to another database, or cannot be \
                 read: they are kept in {} and were not applied",
                read_back.foreign.len(),
                path.display()
            );
        }
        let emptied = engine.aside.empty();
        emptied.map_err(|e| unusable(engine.aside.path(), e))
    }
}

/// Applies a line where it is ours. None where it is not; else whether all that it tells of is there.
async fn apply(
    tx: &mut Transaction<'_, Sqlite>,
    group: &Group,
) -> Result<Option<bool>, sqlx::Error> {
    let ours: bool = sqlx::query_scalar(IS_OURS)
        .bind(&group.database)
        .bind(&group.run)
        .fetch_one(&mut **tx)
        .await?;
    if !ours {
        return Ok(None);
    }
    group.write_kept(tx).await?;
    // An intent that was never committed was not sent, and is nowhere.
    let sent = group.attempts.iter();
    let sent = sent.filter(|attempt| attempt.stage != Stage::NotSent.as_str());
    let keys: Vec<i64> = sent.map(|attempt| attempt.key).collect();
    let missing: i64 = sqlx::query_scalar(MISSING)
        .bind(serde_json::to_string(&keys).unwrap_or_default())
        .bind(&group.run)
        .fetch_one(&mut **tx)
        .await?;
    Ok(Some(missing == 0))
}

/// Writes lines to a file that was not there before.
fn keep(database: &Path, lines: &[Line]) -> std::io::Result<PathBuf> {
    let mut nth = 1_u32;
    loop {
        let path = beside(database, &format!("{FOREIGN}{nth}"));
        let mut file = match private().write(true).create_new(true).open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && nth < u32::MAX => {
                nth += 1;
                continue;
            }
            other => other?,
        };
        for line in lines {
            file.write_all(&line.bytes)?;
            file.write_all(b"\n")?;
        }
        file.sync_all()?;
        hand_over(&path, database)?;
        return Ok(path);
    }
}

/// Files with answers that did not belong to the database in `file`, by their names.
pub(in crate::store::sqlite) fn foreign(file: &Path) -> Vec<PathBuf> {
    let begins = beside(file, FOREIGN);
    let (Some(folder), Some(begins)) = (file.parent(), begins.file_name()) else {
        return Vec::new();
    };
    let begins = begins.to_string_lossy();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&*begins))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}
