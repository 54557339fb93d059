//! Deleting what was kept long enough.

use jiff::{SignedDuration, Timestamp};
use sqlx::Connection as _;

use super::file::Opened;
use super::group::json;
use crate::store::StoreError;
use crate::store::sqlite::{SqliteStore, millis};

/// How long events are kept that belong to nobody.
const NOBODYS: SignedDuration = SignedDuration::from_hours(24);
/// How long the bodies of a run's events are kept, from its end.
const BODIES: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Events deleted at a time, so that none that comes meanwhile waits for long.
const PIECE: i64 = 200;

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

impl SqliteStore {
    /// Deletes what was kept long enough, in short pieces.
    pub(super) async fn tidy_inbox(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(());
        };
        let before = millis(now - NOBODYS);
        while inbox.delete(OF_NOBODY, before, true).await? > 0 {}
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

impl Opened {
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
