//! Runs: making them, moving them, finding them, and the wishes of other terminals.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use super::{SqliteStore, millis, moment};
use crate::domain::{
    DestinationKind, Disposition, READER, RefusalCode, RunEvent, RunId, RunState, Spend, Tried,
    closed,
};
use crate::store::{NewRun, Planned, Run, RunEnd, StoreError, Telling, Wish};

/// The occurrence of a run that never began is free again.
const FORGET_OCCURRENCE: &str = "-- forget_planned: its occurrence
    delete from occurrences where run = ?1
           and exists (select 1 from runs where id = ?1 and state = 'planned' and header is null)";

const FORGET_RUN: &str = "-- forget_planned
    delete from runs where id = ?1 and state = 'planned' and header is null";

impl SqliteStore {
    pub(super) async fn insert_run(&self, run: &NewRun) -> Result<(), StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        self.take_occurrence(&mut tx, run).await?;
        sqlx::query(
            "-- create_run
             insert into runs (id, campaign, definition, definition_path, rehearsal, platform,
                               state, created_at, blackout_file, expires_at, spend, plan,
                               planned_list, only_of, reader)
             values (?1, ?2, ?3, ?4, ?5, ?6, 'planned', ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
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
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    pub(super) async fn select_runs(&self, prefix: &str) -> Result<Vec<Run>, StoreError> {
        let rows = sqlx::query(
            "-- runs
             select *, (select scheduled_for from occurrences where run = runs.id) as scheduled_for
             from runs where substr(id, 1, length(?1)) = ?1 order by number desc",
        )
        .bind(prefix)
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.fault(&e))?;
        rows.iter().map(read_run).collect()
    }

    pub(super) async fn update_run(
        &self,
        run: &RunId,
        end: &RunEnd,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let (why, money) = match end {
            RunEnd::Paused(why) => (Some(why.to_string()), why.is_money()),
            _ => (None, false),
        };
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let before = state_of(&mut tx, run).await.map_err(fault)??;
        let left =
            *end == RunEnd::Completed && somebody_is_left(&mut tx, run).await.map_err(fault)?;
        let event = if left { RunEvent::Paused } else { end.event() };
        let why = why.or(left.then(|| "somebody is to be called again".to_owned()));
        let state = before
            .after(event)
            .map_err(|illegal| StoreError::Diverged(illegal.to_string()))?;
        sqlx::query(
            "-- set_run
             update runs set state = ?2, why = ?3, money = ?4, refused_with = ?8,
                    suspect = coalesce(?8, suspect),
                    started_at = case when ?5 then coalesce(started_at, ?6) else started_at end,
                    ended_at = case when ?5 then null else ?6 end
             where id = ?1 and state = ?7",
        )
        .bind(run.as_str())
        .bind(state.as_str())
        .bind(why)
        .bind(money)
        .bind(state == RunState::Running)
        .bind(millis(now))
        .bind(before.as_str())
        .bind(match end {
            RunEnd::Paused(why) => why.refused_with().map(|code| code.to_string()),
            _ => None,
        })
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    pub(super) async fn update_wish(
        &self,
        run: &RunId,
        wish: Option<Wish>,
    ) -> Result<(), sqlx::Error> {
        let word = wish.map(|wish| match wish {
            Wish::Pause => "pause",
            Wish::Cancel => "cancel",
        });
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "-- wish: who asked for the end is not made to wait by who asks for a pause
             update runs set wish = ?2 where id = ?1 and not (?2 is 'pause' and wish is 'cancel')",
        )
        .bind(run.as_str())
        .bind(word)
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    pub(super) async fn select_wish(&self, run: &RunId) -> Result<Option<Wish>, sqlx::Error> {
        let word: Option<String> = sqlx::query_scalar(
            "-- wished
             select wish from runs where id = ?1",
        )
        .bind(run.as_str())
        .fetch_one(&self.readers)
        .await?;
        Ok(wish_of(word.as_deref()))
    }

    pub(super) async fn update_telling(
        &self,
        run: &RunId,
        telling: &Telling,
    ) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        sqlx::query(
            "-- tell
             update runs set telling = ?2 where id = ?1",
        )
        .bind(run.as_str())
        .bind(serde_json::to_string(telling).unwrap_or_default())
        .execute(&mut *writer)
        .await
        .map(drop)
    }

    pub(super) async fn update_spend(&self, run: &RunId, spend: &Spend) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "-- set_spend
             update runs set spend = ?2 where id = ?1",
        )
        .bind(run.as_str())
        .bind(spend_json(spend))
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    pub(super) async fn update_results(
        &self,
        run: &RunId,
        path: &Path,
        sha256: &str,
    ) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        sqlx::query(
            "-- results_written
             update runs set results_path = ?2, results_sha256 = ?3 where id = ?1",
        )
        .bind(run.as_str())
        .bind(path.to_string_lossy())
        .bind(sha256)
        .execute(&mut *writer)
        .await
        .map(drop)
    }

    pub(super) async fn delete_planned(&self, run: &RunId) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        for statement in [FORGET_OCCURRENCE, FORGET_RUN] {
            let query = sqlx::query(statement).bind(run.as_str());
            query.execute(&mut *tx).await?;
        }
        tx.commit().await
    }

    pub(super) async fn update_pending(
        &self,
        run: &RunId,
        disposition: Disposition,
    ) -> Result<u64, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        let ended = sqlx::query(
            "-- cancel_pending, expire_pending
             update recipients set state = 'done', due_at = null,
                    disposition = case tried when 0 then ?2 else ?3 end,
                    waiting_for = null
             where run = (select number from runs where id = ?1)
                   and state in ('pending', 'waiting')",
        )
        .bind(run.as_str())
        .bind(closed(Tried::default(), disposition).as_str())
        .bind(
            closed(
                Tried {
                    used: 1,
                    ..Tried::default()
                },
                disposition,
            )
            .as_str(),
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(ended.rows_affected())
    }
}

/// Where a run stands, in a transaction that is about to move it.
pub(super) async fn state_of(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
) -> Result<Result<RunState, StoreError>, sqlx::Error> {
    let word: Option<String> = sqlx::query_scalar(
        "-- state_of
         select state from runs where id = ?1",
    )
    .bind(run.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(match word {
        Some(word) => read_state(&word),
        None => Err(StoreError::NoRun(run.to_string())),
    })
}

/// Whether somebody is to be called, in a transaction that is about to end the run: a person may have
/// settled an attempt since its engine looked last.
async fn somebody_is_left(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "-- set_run: whether somebody is left
         select exists (select 1 from recipients
                        where run = (select number from runs where id = ?1)
                              and state in ('pending', 'waiting'))",
    )
    .bind(run.as_str())
    .fetch_one(&mut **tx)
    .await
}

fn read_state(word: &str) -> Result<RunState, StoreError> {
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

fn wish_of(word: Option<&str>) -> Option<Wish> {
    match word {
        Some("pause") => Some(Wish::Pause),
        Some("cancel") => Some(Wish::Cancel),
        _ => None,
    }
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
        planned: Planned {
            hash: row.get("plan"),
            list_sha256: row.get("planned_list"),
            only_of: row.get::<Option<String>, _>("only_of").map(RunId::new),
        },
        started_at: row.get::<Option<i64>, _>("started_at").map(moment),
        ended_at: row.get::<Option<i64>, _>("ended_at").map(moment),
        header: header.and_then(|h| serde_json::from_str(&h).ok()),
        list_sha256: row.get("list_sha256"),
        reader: u32::try_from(row.get::<i64, _>("reader")).unwrap_or_default(),
        purged_at: row.get::<Option<i64>, _>("purged_at").map(moment),
        results: row
            .get::<Option<String>, _>("results_path")
            .map(PathBuf::from)
            .zip(row.get("results_sha256")),
        destination_kind: kind
            .and_then(|k| k.parse().ok())
            .unwrap_or(DestinationKind::Number),
    })
}
