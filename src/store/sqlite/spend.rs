//! What attempts count against a cap: added up from the rows, never counted along.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::results::money;
use super::runs::spend_of;
use super::{SqliteStore, millis};
use crate::domain::{Charges, Outcome, RunId, Spend, Standing};
use crate::store::StoreError;

const CHARGES: &str = "-- charges
    select attempts.state, result, debit, currency, attempts.hold,
           coalesce(duration_s, 0) > 0 as talked, count(*) as n
    from runs join attempts on attempts.recipient between first_recipient and last_recipient
    where runs.id = ?1 group by 1, 2, 3, 4, 5, 6";

/// Runs that ended before that time have no attempt in it.
const CHARGES_WITHIN: &str = "-- charges_within
    select attempts.state, result, debit, currency, attempts.hold,
           coalesce(duration_s, 0) > 0 as talked, count(*) as n
    from runs join attempts on attempts.recipient between first_recipient and last_recipient
    where runs.campaign = ?1 and runs.created_at < ?3 and coalesce(runs.ended_at, ?2) >= ?2
          and intended_at >= ?2 and intended_at < ?3
    group by 1, 2, 3, 4, 5, 6";

impl SqliteStore {
    pub(super) async fn select_charges(&self, run: &RunId) -> Result<Vec<Charges>, sqlx::Error> {
        let query = sqlx::query(CHARGES).bind(run.as_str());
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(charges).collect())
    }

    pub(super) async fn select_charges_within(
        &self,
        campaign: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Charges>, sqlx::Error> {
        let query = sqlx::query(CHARGES_WITHIN)
            .bind(campaign)
            .bind(millis(from))
            .bind(millis(until));
        let rows = query.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(charges).collect())
    }

    /// What a run may cost.
    pub(super) async fn select_spend(&self, run: &RunId) -> Result<Option<Spend>, StoreError> {
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

fn charges(row: &SqliteRow) -> Charges {
    let standing = match row.get::<&str, _>("state") {
        "final" => Standing::Over(Outcome {
            result: row.get("result"),
            reason: None,
            duration_s: Some(row.get("talked")),
            debit: money(row),
        }),
        "not sent" | "refused" => Standing::Dropped,
        _ => Standing::Open,
    };
    let hold: Option<&str> = row.get("hold");
    Charges {
        standing,
        hold: hold.and_then(|hold| hold.parse().ok()),
        attempts: row.get::<i64, _>("n").unsigned_abs(),
    }
}
