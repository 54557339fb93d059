//! Deleting what was kept long enough, and what is about people who are forgotten.

use jiff::{SignedDuration, Timestamp};
use sqlx::Connection as _;

use super::file::{InboxFile, Opened};
use crate::domain::RunId;
use crate::store::StoreError;
use crate::store::sqlite::connecting::empty_log;
use crate::store::sqlite::rows::json;
use crate::store::sqlite::{SqliteStore, millis};

/// How long events are kept that belong to nobody.
const NOBODYS: SignedDuration = SignedDuration::from_hours(24);
/// How long the bodies of a run's events are kept, from its end.
const BODIES: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Events deleted at a time, so that none that comes meanwhile waits for long.
const PIECE: u16 = 200;

const RUNS: &str = "-- tidy: runs that have bodies
    select distinct run from events where run is not null and bodied = 1";

const ENDED: &str = "-- tidy: those that ended long ago
    select id from runs where id in (select value from json_each(?1)) and ended_at < ?2
        and state in ('completed', 'cancelled', 'expired')";

/// Which events lose their bodies, a piece at a time.
const OF_RUN: &str = "-- tidy: events of a run
    select number from events where run = ?1 and bodied = 1 limit ?2";

const OF_NOBODY: &str = "-- tidy: events of nobody
    select number from events where owner = 'nobody' and at < ?1 limit ?2";

const OF_UNKNOWN: &str = "-- tidy: events of attempts that are not known
    select number from events where owner = 'unknown attempt' and at < ?1 limit ?2";

const DELETE_BODIES: [&str; 3] = [
    "-- tidy: pages may be rebuilt
     update upkeep set rebuilt = 1 where rebuilt = 0 and json_array_length(?1) > 0",
    "-- tidy: bodies
     delete from bodies where number in (select value from json_each(?1))",
    "-- tidy: they have none any more
     update events set bodied = 0 where number in (select value from json_each(?1))",
];

const DELETE_EVENTS: &str = "-- tidy: events
    delete from events where number in (select value from json_each(?1))";

const REBUILT: &str = "-- scrub: were pages rebuilt
    select rebuilt from upkeep";

const WRITTEN_ANEW: &str = "-- scrub: none is any more
    update upkeep set rebuilt = 0";

const OF_PEOPLE: &str = "-- erase: events of people
    select events.number from events where bodied = 1
        and (attempt in (select value from json_each(?1)) or call in (select value from json_each(?2)))
    union
    select number from bodies where instr(body, cast(?3 as blob)) > 0";

/// In place: a page that is not rebuilt has no old copy of a row.
const BLANK: [&str; 2] = [
    "-- erase: bodies
     update bodies set body = zeroblob(length(body))
     where number in (select value from json_each(?1))",
    "-- erase: nobody reads them any more
     update events set bodied = 0, owner = coalesce(owner, 'nobody')
     where number in (select value from json_each(?1))",
];

const UNREAD: &str = "-- purge: events that were not read
    select number, attempt, call from events
    where bodied = 1 and run is null and (attempt is not null or call is not null)";

const THEIRS: &str = "-- purge: those of a run
    select value ->> 0 from json_each(?1)
    where exists (
        select 1 from attempts where attempts.id = unhex(value ->> 1)
            and run = (select number from runs where id = ?2))
    or value ->> 1 is null and value ->> 2 in (
        select call_id from attempts where run = (select number from runs where id = ?2)
            and call_id in (select value ->> 2 from json_each(?1) where value ->> 1 is null))";

impl SqliteStore {
    /// Deletes the bodies of a run's events.
    pub(in crate::store::sqlite) async fn forget_run(&self, run: &RunId) -> Result<(), StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(());
        };
        let unread: Vec<(i64, Option<String>, Option<String>)> = sqlx::query_as(UNREAD)
            .fetch_all(&inbox.reader)
            .await
            .map_err(|e| inbox.fault(&e))?;
        if !unread.is_empty() {
            let theirs: Vec<i64> = sqlx::query_scalar(THEIRS)
                .bind(json(&unread))
                .bind(run.as_str())
                .fetch_all(&self.readers)
                .await
                .map_err(|e| self.fault(&e))?;
            inbox.blank(&theirs).await?;
        }
        while inbox.delete(OF_RUN, run.to_string(), false).await? > 0 {}
        Ok(())
    }

    /// Overwrites the bodies of events that are about these attempts or calls, or have these digits.
    pub(in crate::store::sqlite) async fn forget_people(
        &self,
        attempts: &[String],
        calls: &[String],
        digits: &str,
    ) -> Result<(), StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(());
        };
        let numbers: Vec<i64> = sqlx::query_scalar(OF_PEOPLE)
            .bind(json(&attempts))
            .bind(json(&calls))
            .bind(digits)
            .fetch_all(&inbox.reader)
            .await
            .map_err(|e| inbox.fault(&e))?;
        inbox.blank(&numbers).await
    }

    /// Deletes what was kept long enough, in short pieces.
    pub(super) async fn tidy_inbox(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(());
        };
        let before = millis(now - NOBODYS);
        while inbox.delete(OF_NOBODY, before, true).await? > 0 {}
        let before = millis(now - BODIES);
        while inbox.delete(OF_UNKNOWN, before, true).await? > 0 {}
        let runs: Vec<String> = sqlx::query_scalar(RUNS)
            .fetch_all(&inbox.reader)
            .await
            .map_err(|e| inbox.fault(&e))?;
        let ended: Vec<String> = sqlx::query_scalar(ENDED)
            .bind(json(&runs))
            .bind(millis(now - BODIES))
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fault(&e))?;
        for run in ended {
            while inbox.delete(OF_RUN, run.clone(), false).await? > 0 {}
        }
        Ok(())
    }
}

impl InboxFile {
    /// Leaves nothing of deleted bodies in its files. It is written anew only where pages may have been
    /// rebuilt: for that long, events wait.
    pub(in crate::store::sqlite) async fn scrub(&self) -> Result<(), StoreError> {
        let Some(inbox) = self.if_there().await? else {
            return Ok(());
        };
        let mut writer = inbox.writing.connection.lock().await;
        let rewritten = async {
            let rebuilt: bool = sqlx::query_scalar(REBUILT).fetch_one(&mut *writer).await?;
            if rebuilt {
                sqlx::query("vacuum").execute(&mut *writer).await?;
                sqlx::query(WRITTEN_ANEW).execute(&mut *writer).await?;
            }
            Ok(())
        };
        rewritten.await.map_err(|e| inbox.fault(&e))?;
        empty_log(&mut writer, &inbox.writing.shown).await
    }
}

impl Opened {
    /// Overwrites the bodies of events, in short pieces.
    async fn blank(&self, numbers: &[i64]) -> Result<(), StoreError> {
        for piece in numbers.chunks(PIECE.into()) {
            let mut writer = self.writing.connection.lock().await;
            let blanking = async {
                let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                for statement in BLANK {
                    let query = sqlx::query(statement).bind(json(&piece));
                    query.execute(&mut *tx).await?;
                }
                tx.commit().await
            };
            blanking.await.map_err(|e| self.fault(&e))?;
        }
        Ok(())
    }

    /// Deletes the bodies of a piece of the events that a statement finds, and the events too where they
    /// are `whole`. Returns how many there were.
    async fn delete<T>(&self, found: &'static str, by: T, whole: bool) -> Result<usize, StoreError>
    where
        T: for<'q> sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + 'static,
    {
        let mut writer = self.writing.connection.lock().await;
        let deleting = async {
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
            let query = sqlx::query_scalar(found).bind(by).bind(PIECE);
            let numbers: Vec<i64> = query.fetch_all(&mut *tx).await?;
            let statements = DELETE_BODIES.iter().chain(whole.then_some(&DELETE_EVENTS));
            for statement in statements {
                let query = sqlx::query(*statement).bind(json(&numbers));
                query.execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(numbers.len())
        };
        deleting.await.map_err(|e| self.fault(&e))
    }
}
