//! What the database knows of time: its newest moment, and who said that an earlier clock is right.
//!
//! Of attempts, the latest acceptance leaves out those that were there then, whatever their moment; of
//! everything else, what was not newer than what was accepted.

use jiff::Timestamp;
use sqlx::Row as _;

use crate::domain::{ClockAccepted, Newest, RunId};
use crate::store::sqlite::{SqliteStore, millis};

const NEWEST: &str = "-- newest
    with accepted as (
        select coalesce(max(attempt), 0) as attempt, coalesce(max(newest), ?1) as newest
        from clock_acceptances
    ), found as (
        select * from (
            select intended_at as at, 'attempts' as place, run
            from attempts indexed by attempts_intended
            where key > (select attempt from accepted) order by intended_at desc limit 1
        )
        union all
        -- Calls end later than they begin: of the latest, that counts as well.
        select max(at), 'attempts', run from (
            select coalesce(ended_at, answered_at) as at, run from attempts
            where key > (select attempt from accepted) order by key desc limit 1000
        )
        union all
        select * from (
            select wall, 'clock_acceptances', null from clock_acceptances
            order by number desc limit 1
        )
        union all
        select at, place, run from (
            select max(max(created_at, coalesce(started_at, created_at),
                           coalesce(ended_at, created_at), coalesce(purged_at, created_at))) as at,
                   'runs' as place, number as run from runs
            union all
            select max(at), 'waits', null from (select at from waits order by number desc limit 1000)
            union all
            select max(at), 'occurrences', null from occurrences
            union all
            select max(at), 'settlements', null from settlements
            union all
            select max(at), 'suppression_acts', null from suppression_acts
        ) where at > (select newest from accepted)
    )
    select at, place, (select id from runs where number = found.run) as run
    from found where at is not null order by at desc limit 1";

const ACCEPT: &str = "-- accept_clock
    insert into clock_acceptances (who, wall, newest, found, attempt)
    values (?1, ?2, ?3, ?4, (select coalesce(max(key), 0) from attempts))";

impl SqliteStore {
    pub(super) async fn select_newest(&self) -> Result<Option<Newest>, sqlx::Error> {
        let row = sqlx::query(NEWEST)
            .bind(i64::MIN)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(|row| Newest {
            // What no clock can show is as far ahead as can be.
            at: Timestamp::from_millisecond(row.get("at")).unwrap_or(Timestamp::MAX),
            table: row.get("place"),
            run: row.get::<Option<String>, _>("run").map(RunId::new),
        }))
    }

    pub(super) async fn insert_accepted(
        &self,
        accepted: &ClockAccepted,
    ) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        sqlx::query(ACCEPT)
            .bind(&accepted.who)
            .bind(millis(accepted.wall))
            .bind(millis(accepted.newest.at))
            .bind(&accepted.newest.table)
            .execute(&mut *writer)
            .await
            .map(drop)
    }
}
