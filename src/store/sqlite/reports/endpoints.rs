//! The endpoints of a run and what became of them, for a comparison with another list: one pass over its
//! rows, many of them an answer, as a million answers of one row each would take seconds.

use sqlx::Row as _;

use crate::domain::{Disposition, RunEndpoints, RunId};
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;

/// Rows that an answer is made of.
const ROWS: i64 = 10_000;

impl SqliteStore {
    pub(super) async fn select_endpoints(&self, run: &RunId) -> Result<RunEndpoints, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let span = sqlx::query(
            "-- endpoints: which rows are the run's
             select first_recipient, last_recipient from runs where id = ?1",
        )
        .bind(run.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(fault)?;
        let mut found = RunEndpoints::default();
        let Some(span) = span else {
            return Err(StoreError::NoRun(run.to_string()));
        };
        let (Some(first), Some(last)): (Option<i64>, Option<i64>) = (span.get(0), span.get(1))
        else {
            return Ok(found);
        };
        let mut from = first;
        while from <= last {
            let to = last.min(from + ROWS - 1);
            // No endpoint has a control character; those that were erased are empty.
            let lines: Option<String> = sqlx::query_scalar(
                "-- endpoints
                 select group_concat(coalesce(disposition, '') || char(9) || endpoint, char(10))
                 from recipients where id between ?1 and ?2 and endpoint <> ''",
            )
            .bind(from)
            .bind(to)
            .fetch_one(&self.readers)
            .await
            .map_err(fault)?;
            for line in lines.as_deref().unwrap_or_default().lines() {
                let (word, endpoint) = line.split_once('\t').unwrap_or(("", line));
                let became =
                    match word {
                        "" => None,
                        word => Some(Disposition::parse(word).ok_or_else(|| {
                            StoreError::Diverged(format!("a recipient is `{word}`"))
                        })?),
                    };
                found.add(endpoint, became);
            }
            from = to + 1;
        }
        Ok(found)
    }
}
