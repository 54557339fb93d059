//! What attempts count against a cap: added up from the rows, never counted along.

use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite};

use crate::domain::{Charges, Legs, RunId, Spend, Stage, Standing};
use crate::store::StoreError;
use crate::store::sqlite::rows::{outcome, read_legs, stage};
use crate::store::sqlite::runs::spend_of;
use crate::store::sqlite::{SqliteStore, millis};

/// Attempts whose call was connected: few, and each counts with its legs.
macro_rules! connected {
    () => {
        "(select attempt from heard where makes & 16 <> 0)"
    };
}

/// What is known of the legs of an attempt.
macro_rules! legs {
    () => {
        "(select json_group_array(json_array(legs.debit, legs.currency)) from legs where legs.attempt = attempts.key)"
    };
}

const CHARGES: &str = concat!(
    "-- charges
    select state, result, debit, currency, hold, duration_s, null as legs, count(*) as n
    from attempts indexed by attempts_charges
    where run = (select number from runs where id = ?1) and hold is not null
          and key not in ",
    connected!(),
    "
    group by state, result, debit, currency, hold, duration_s
    union all
    select state, result, debit, currency, hold, duration_s, ",
    legs!(),
    ", 1
    from attempts
    where run = (select number from runs where id = ?1) and hold is not null
          and key in ",
    connected!()
);

/// Runs that ended before that time have no attempt in it, nor have those that were made after it, give
/// or take the ten minutes that a clock is never off by unnoticed; where a clock was ever set back, any
/// may have. Those without a cap hold nothing.
const CHARGES_WITHIN: &str = concat!(
    "-- charges_within
    with of_campaign as (
        select number, spend, first_recipient, last_recipient from runs
        where campaign = ?1 and (created_at < ?3 + 600000 and coalesce(ended_at, ?2) >= ?2 - 600000
                                 or exists (select 1 from clock_acceptances))
    )
    select state, result, debit, currency, hold, duration_s, null as legs, count(*) as n
    from of_campaign cross join attempts indexed by attempts_charges on attempts.run = number
    where hold is not null and intended_at >= ?2 and intended_at < ?3 and key not in ",
    connected!(),
    "
    group by number, state, result, debit, currency, hold, duration_s
    union all
    select state, result, debit, currency, hold, duration_s, null, count(*) as n
    from of_campaign
    join attempts on attempts.recipient between first_recipient and last_recipient
    where spend is null and hold is null and intended_at >= ?2 and intended_at < ?3 and key not in ",
    connected!(),
    "
    group by state, result, debit, currency, duration_s
    union all
    select state, result, debit, currency, hold, duration_s, ",
    legs!(),
    ", 1
    from of_campaign join attempts on attempts.run = number
    where intended_at >= ?2 and intended_at < ?3 and (hold is not null or spend is null) and key in ",
    connected!()
);

/// Attempts behind the day's end that nobody has accepted, or that were accepted on that day: they were
/// made before it ends, whatever the clock showed.
const CHARGES_AHEAD: &str = concat!(
    "-- charges_ahead
    select attempts.state, result, debit, currency, hold, duration_s,
           case when key in ",
    connected!(),
    " then ",
    legs!(),
    " end as legs, count(*) as n
    from attempts indexed by attempts_intended join runs on runs.number = attempts.run
    where intended_at >= ?3 and campaign = ?1
          and (key > (select coalesce(max(attempt), 0) from clock_acceptances)
               or key <= (select coalesce(max(attempt), 0) from clock_acceptances
                          where wall >= ?2 and wall < ?3))
    group by attempts.state, result, debit, currency, hold, duration_s, legs"
);

const INTENDED_FROM: &str = "-- intended_from
    select intended_at from attempts indexed by attempts_intended
    join runs on runs.number = attempts.run
    where intended_at >= ?2 and campaign = ?1 order by intended_at limit 1";

impl SqliteStore {
    pub(in crate::store::sqlite) async fn select_charges(
        &self,
        run: &RunId,
    ) -> Result<Vec<Charges>, StoreError> {
        let query = sqlx::query(CHARGES).bind(run.as_str());
        self.charges_of(query).await
    }

    pub(super) async fn select_charges_within(
        &self,
        campaign: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Charges>, StoreError> {
        let query = sqlx::query(CHARGES_WITHIN)
            .bind(campaign)
            .bind(millis(from))
            .bind(millis(until));
        self.charges_of(query).await
    }

    pub(super) async fn select_charges_ahead(
        &self,
        campaign: &str,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Vec<Charges>, StoreError> {
        let query = sqlx::query(CHARGES_AHEAD)
            .bind(campaign)
            .bind(millis(from))
            .bind(millis(until));
        self.charges_of(query).await
    }

    pub(super) async fn select_intended_from(
        &self,
        campaign: &str,
        from: Timestamp,
    ) -> Result<Option<Timestamp>, sqlx::Error> {
        let found: Option<i64> = sqlx::query_scalar(INTENDED_FROM)
            .bind(campaign)
            .bind(millis(from))
            .fetch_optional(&self.readers)
            .await?;
        // A moment that no clock can show is on no day.
        Ok(found.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    /// What a question about attempts gives, added up by its rows.
    async fn charges_of(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Vec<Charges>, StoreError> {
        let rows = query.fetch_all(&self.readers).await;
        rows.map_err(|e| self.fault(&e))?
            .iter()
            .map(charges)
            .collect()
    }

    /// What a run may cost.
    pub(in crate::store::sqlite) async fn select_spend(
        &self,
        run: &RunId,
    ) -> Result<Option<Spend>, StoreError> {
        let row = sqlx::query(
            "-- spend
             select spend from runs where id = ?1",
        )
        .bind(run.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(|e| self.fault(&e))?;
        row.as_ref().map_or(Ok(None), spend_of)
    }
}

fn charges(row: &SqliteRow) -> Result<Charges, StoreError> {
    let standing = match stage(row)? {
        Stage::Final => Standing::Over(outcome(row)),
        Stage::NotSent | Stage::Refused => Standing::Dropped,
        Stage::Intended | Stage::Accepted | Stage::Uncertain => Standing::Open,
    };
    let hold: Option<&str> = row.get("hold");
    let legs: Option<&str> = row.get("legs");
    Ok(Charges {
        standing,
        legs: legs.map_or(Legs::None, |legs| Legs::Told(read_legs(legs))),
        hold: hold.and_then(|hold| hold.parse().ok()),
        attempts: row.get::<i64, _>("n").unsigned_abs(),
    })
}
