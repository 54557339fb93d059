//! Runs: making them, finding them, and what people change of them and wish.

mod import;
pub(super) mod refusals;
mod rereading;
mod wishing;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};
use tokio::sync::oneshot;

use super::{SqliteStore, millis, moment};
use crate::domain::{
    BY_HAND, DestinationKind, READER, RecipientId, RefusalCode, RunId, RunState, Spend,
};
use crate::store::{
    AtRest, Imported, NewRun, Planned, RejectedRow, Rows, Run, RunHead, RunStore, StoreError, Wish,
    Wishing, WrittenOtherwise,
};

/// The occurrence of a run that never began is free again.
const FORGET_OCCURRENCE: &str = "-- forget_planned: its occurrence
    delete from occurrences where run = ?1
           and exists (select 1 from runs where id = ?1 and state = 'planned' and header is null)";

const FORGET_RUN: &str = "-- forget_planned
    delete from runs where id = ?1 and state = 'planned' and header is null";

const RUN: &str = "-- run
    select *, (select scheduled_for from occurrences where run = runs.id) as scheduled_for
    from runs where id = ?1";

/// What a list of runs tells of each, without what is large in them.
macro_rules! heads {
    ($name:literal, $which:literal) => {
        concat!(
            $name,
            "
    select id, campaign, definition_path, rehearsal, state, header is not null as imported, plan,
           planned_list, only_of, created_at, expires_at, ended_at, purged_at, results_path,
           results_sha256,
           (select scheduled_for from occurrences where run = runs.id) as scheduled_for
    from runs where ",
            $which,
            " order by number desc"
        )
    };
}

const HEADS: &str = heads!("-- run_heads", "substr(id, 1, length(?1)) = ?1");

const UNFINISHED: &str = heads!(
    "-- unfinished",
    "campaign = ?1 and not rehearsal and state in ('planned', 'running', 'paused')"
);

pub(super) const DOUBLED: &str = heads!(
    "-- doubled_runs",
    "not rehearsal and campaign <> ?1 and state in ('planned', 'running', 'paused')
           and exists (select 1 from runs as other
                       where other.campaign = runs.campaign and other.number <> runs.number
                             and not other.rehearsal
                             and other.state in ('planned', 'running', 'paused'))"
);

const WISH: &str =
    "-- ask_engine: who asked for the end is not made to wait by who asks for a pause
    update runs set wish = ?2 where id = ?1 and not (?2 is 'pause' and wish is 'cancel')";

const SET_SPEND: &str = "-- set_spend
    update runs set spend = ?2 where id = ?1";

const RESULTS_WRITTEN: &str = "-- results_written
    update runs set results_path = ?2, results_sha256 = ?3 where id = ?1";

#[async_trait]
impl RunStore for SqliteStore {
    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let alone = !run.rehearsal && run.campaign != BY_HAND;
        if alone {
            self.refuse_second(&mut tx, &run.campaign).await?;
        }
        self.take_occurrence(&mut tx, run).await?;
        sqlx::query(
            "-- create_run
             insert into runs (id, campaign, definition, definition_path, rehearsal, platform,
                               state, created_at, blackout_file, expires_at, spend, plan,
                               planned_list, only_of, reader, alone)
             values (?1, ?2, ?3, ?4, ?5, ?6, 'planned', ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )
        .bind(run.id.as_str())
        .bind(&run.campaign)
        .bind(&run.definition)
        .bind(run.definition_path.to_string_lossy())
        .bind(run.rehearsal)
        .bind(&run.platform)
        .bind(millis(run.created_at))
        .bind(&run.blackout_file)
        .bind(run.expires_at.map(millis))
        .bind(run.spend.as_ref().map(spend_json))
        .bind(&run.planned.hash)
        .bind(&run.planned.list_sha256)
        .bind(run.planned.only_of.as_ref().map(RunId::as_str))
        .bind(READER)
        .bind(alone)
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    async fn import(
        &self,
        run: &RunId,
        rows: Rows,
        imported: oneshot::Receiver<Imported>,
    ) -> Result<(), StoreError> {
        self.import_list(run, rows, imported).await
    }

    async fn run(&self, id: &RunId) -> Result<Run, StoreError> {
        let query = sqlx::query(RUN).bind(id.as_str());
        let row = query.fetch_optional(&self.readers).await;
        match row.map_err(|e| self.fault(&e))? {
            Some(row) => read_run(&row),
            None => Err(StoreError::NoRun(id.to_string())),
        }
    }

    async fn run_heads(&self, prefix: &str) -> Result<Vec<RunHead>, StoreError> {
        self.heads(sqlx::query(HEADS).bind(prefix)).await
    }

    async fn unfinished(&self, campaign: &str) -> Result<Vec<RunHead>, StoreError> {
        self.heads(sqlx::query(UNFINISHED).bind(campaign)).await
    }

    async fn forget_planned(&self, run: &RunId) -> Result<(), StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        for statement in [FORGET_OCCURRENCE, FORGET_RUN] {
            let query = sqlx::query(statement).bind(run.as_str());
            query.execute(&mut *tx).await.map_err(fault)?;
        }
        tx.commit().await.map_err(fault)
    }

    async fn cancel_at_rest(&self, run: &RunId, now: Timestamp) -> Result<AtRest, StoreError> {
        self.cancel(run, now).await
    }

    async fn ask_engine(&self, run: &RunId, wish: Option<Wish>) -> Result<(), StoreError> {
        let word = wish.map(|wish| match wish {
            Wish::Pause => "pause",
            Wish::Cancel => "cancel",
        });
        let query = sqlx::query(WISH).bind(run.as_str()).bind(word);
        self.write(query).await.map(drop)
    }

    async fn wishing(&self) -> Result<Wishing, StoreError> {
        wishing::begin(Path::new(&self.path))
    }

    async fn set_spend(&self, run: &RunId, spend: &Spend) -> Result<(), StoreError> {
        let query = sqlx::query(SET_SPEND)
            .bind(run.as_str())
            .bind(spend_json(spend));
        self.write(query).await.map(drop)
    }

    async fn accept_refusals(
        &self,
        run: &RunId,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.accept_refusals_of(run, now).await
    }

    async fn results_written(
        &self,
        run: &RunId,
        path: &Path,
        sha256: &str,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(RESULTS_WRITTEN)
            .bind(run.as_str())
            .bind(path.to_string_lossy())
            .bind(sha256);
        self.write(query).await.map(drop)
    }

    async fn written_otherwise(
        &self,
        run: &RunId,
        column: usize,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<WrittenOtherwise>, StoreError> {
        self.select_written_otherwise(run, column, after, limit)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn reject(&self, rejects: &[(RecipientId, RejectedRow)]) -> Result<(), StoreError> {
        self.update_rejects(rejects)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn was_read_again(&self, run: &RunId, whole: bool) -> Result<(), StoreError> {
        self.update_reader(run, whole)
            .await
            .map_err(|e| self.fault(&e))
    }
}

impl SqliteStore {
    /// The heads of runs that a question gives.
    pub(super) async fn heads(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Vec<RunHead>, StoreError> {
        let rows = query.fetch_all(&self.readers).await;
        let rows = rows.map_err(|e| self.fault(&e))?;
        rows.iter().map(read_head).collect()
    }

    /// Refuses another run of a campaign of which one is unfinished. The index of the table says the
    /// same, but for runs that were there before it.
    async fn refuse_second(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        campaign: &str,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(UNFINISHED).bind(campaign);
        let found = query.fetch_all(&mut **tx).await;
        match found.map_err(|e| self.fault(&e))?.first() {
            None => Ok(()),
            Some(row) => {
                let head = read_head(row)?;
                Err(StoreError::Unfinished {
                    run: head.id,
                    campaign: head.campaign,
                    state: head.state,
                })
            }
        }
    }
}

pub(super) fn read_state(word: &str) -> Result<RunState, StoreError> {
    RunState::parse(word).ok_or_else(|| StoreError::Diverged(format!("a run is `{word}`")))
}

fn spend_json(spend: &Spend) -> String {
    serde_json::to_string(spend).expect("names and decimals serialise")
}

/// What a run may cost. What cannot be read is no run without a cap.
pub(super) fn spend_of(row: &SqliteRow) -> Result<Option<Spend>, StoreError> {
    let text: Option<&str> = row.get("spend");
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|e| StoreError::Diverged(format!("what a run may cost cannot be read: {e}")))
}

/// Codes of refusals that a person called the recipients' own.
fn theirs_of(row: &SqliteRow) -> BTreeSet<RefusalCode> {
    let codes: Vec<String> = serde_json::from_str(row.get("refusals_theirs")).unwrap_or_default();
    codes
        .iter()
        .filter_map(|code| RefusalCode::parse(code))
        .collect()
}

pub(super) fn wish_of(word: Option<&str>) -> Option<Wish> {
    match word {
        Some("pause") => Some(Wish::Pause),
        Some("cancel") => Some(Wish::Cancel),
        _ => None,
    }
}

fn read_head(row: &SqliteRow) -> Result<RunHead, StoreError> {
    Ok(RunHead {
        id: RunId::new(row.get::<String, _>("id")),
        campaign: row.get("campaign"),
        definition_path: PathBuf::from(row.get::<String, _>("definition_path")),
        rehearsal: row.get("rehearsal"),
        state: read_state(row.get("state"))?,
        imported: row.get("imported"),
        planned: planned_of(row),
        created_at: moment(row.get("created_at")),
        scheduled_for: row.get::<Option<i64>, _>("scheduled_for").map(moment),
        expires_at: row.get::<Option<i64>, _>("expires_at").map(moment),
        ended_at: row.get::<Option<i64>, _>("ended_at").map(moment),
        purged_at: row.get::<Option<i64>, _>("purged_at").map(moment),
        results: results_of(row),
    })
}

fn planned_of(row: &SqliteRow) -> Planned {
    Planned {
        hash: row.get("plan"),
        list_sha256: row.get("planned_list"),
        only_of: row.get::<Option<String>, _>("only_of").map(RunId::new),
    }
}

fn results_of(row: &SqliteRow) -> Option<(PathBuf, String)> {
    let path: Option<String> = row.get("results_path");
    path.map(PathBuf::from).zip(row.get("results_sha256"))
}

/// Rows of a run's list, whose ids rise without gaps.
fn rows_of(row: &SqliteRow) -> u64 {
    let first: Option<i64> = row.get("first_recipient");
    let last: Option<i64> = row.get("last_recipient");
    let span = first.zip(last).map(|(first, last)| last - first + 1);
    span.and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0)
}

fn read_run(row: &SqliteRow) -> Result<Run, StoreError> {
    let state = read_state(row.get("state"))?;
    let header: Option<String> = row.get("header");
    let kind: Option<String> = row.get("destination_kind");
    Ok(Run {
        id: RunId::new(row.get::<String, _>("id")),
        campaign: row.get("campaign"),
        definition: row.get("definition"),
        definition_path: PathBuf::from(row.get::<String, _>("definition_path")),
        blackout_file: row.get("blackout_file"),
        rehearsal: row.get("rehearsal"),
        platform: row.get("platform"),
        telling: row
            .get::<Option<String>, _>("telling")
            .and_then(|telling| serde_json::from_str(&telling).ok()),
        state,
        why: row.get("why"),
        money: row.get("money"),
        refused_with: row
            .get::<Option<&str>, _>("refused_with")
            .and_then(RefusalCode::parse),
        suspect: row
            .get::<Option<&str>, _>("suspect")
            .and_then(RefusalCode::parse),
        theirs: theirs_of(row),
        wish: wish_of(row.get::<Option<String>, _>("wish").as_deref()),
        created_at: moment(row.get("created_at")),
        scheduled_for: row.get::<Option<i64>, _>("scheduled_for").map(moment),
        expires_at: row.get::<Option<i64>, _>("expires_at").map(moment),
        spend: spend_of(row)?,
        planned: planned_of(row),
        started_at: row.get::<Option<i64>, _>("started_at").map(moment),
        ended_at: row.get::<Option<i64>, _>("ended_at").map(moment),
        header: header.and_then(|h| serde_json::from_str(&h).ok()),
        rows: rows_of(row),
        list_sha256: row.get("list_sha256"),
        reader: u32::try_from(row.get::<i64, _>("reader")).unwrap_or_default(),
        purged_at: row.get::<Option<i64>, _>("purged_at").map(moment),
        results: results_of(row),
        destination_kind: kind
            .and_then(|k| k.parse().ok())
            .unwrap_or(DestinationKind::Number),
    })
}
