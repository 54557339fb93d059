//! Reading what became of a run: counts, and rows with their attempts, in pages.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::{
    AttemptId, AttemptRecord, Destination, DestinationKind, Disposition, Money, Outcome,
    RecipientId, RecipientState, ResultRow, RunId, SpendAccount, Stage, Tally, told,
};
use crate::store::sqlite::{SqliteStore, moment};
use crate::store::{RejectedRow, StoreError};

const RESULTS: &str = "-- results
    select recipients.*, runs.destination_kind from runs
    join recipients on recipients.id between runs.first_recipient and runs.last_recipient
    where runs.id = ?1 and recipients.id > ?2
    order by recipients.id limit ?3";

const REJECTS: &str = "-- rejects
    select recipients.*, runs.destination_kind from runs
    join recipients on recipients.run = runs.number
         and recipients.disposition in ('invalid', 'duplicate', 'suppressed')
    where runs.id = ?1 and recipients.id > ?2
    order by recipients.id limit ?3";

const ATTEMPTS: &str = "-- attempts
    select * from attempts where recipient between ?1 and ?2 order by recipient, key";

impl SqliteStore {
    pub(super) async fn select_results(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        self.select_rows(RESULTS, run, after, limit).await
    }

    pub(super) async fn select_rejects(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        self.select_rows(REJECTS, run, after, limit).await
    }

    async fn select_rows(
        &self,
        statement: &'static str,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let rows = sqlx::query(statement)
            .bind(run.as_str())
            .bind(after.0)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(fault)?;
        let mut rows: Vec<ResultRow> = rows.iter().map(read_row).collect();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(rows);
        };
        let attempts = sqlx::query(ATTEMPTS)
            .bind(first.recipient.0)
            .bind(last.recipient.0)
            .fetch_all(&self.readers)
            .await
            .map_err(fault)?;
        let mut of_recipient: BTreeMap<i64, Vec<AttemptRecord>> = BTreeMap::new();
        for row in &attempts {
            let recipient: i64 = row.get("recipient");
            of_recipient
                .entry(recipient)
                .or_default()
                .push(read_attempt(row)?);
        }
        for row in &mut rows {
            row.attempts = of_recipient.remove(&row.recipient.0).unwrap_or_default();
        }
        Ok(rows)
    }

    pub(super) async fn select_tally(&self, run: &RunId) -> Result<Tally, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut tally = Tally::default();
        let states = sqlx::query(
            "-- tally: recipients
             select recipients.state, disposition, count(*) as n from runs
             join recipients on recipients.id between first_recipient and last_recipient
             where runs.id = ?1 group by 1, 2",
        )
        .bind(run.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(fault)?;
        for row in &states {
            let n = row.get::<i64, _>("n").unsigned_abs();
            tally.rows += n;
            match recipient_state(row)? {
                RecipientState::Pending => tally.pending += n,
                RecipientState::Waiting => tally.waiting += n,
                RecipientState::InFlight => tally.in_flight += n,
                RecipientState::Done(d) => *tally.dispositions.entry(d).or_default() += n,
            }
        }
        let attempts = sqlx::query(
            "-- tally: attempts
             select attempts.state, result, reason, debit, currency, count(*) as n,
                    min(intended_at) as first_at, max(intended_at) as last_at,
                    sum(case when result = 'ANSWERED' and duration_s between 0 and ?2
                        then duration_s else 0 end) as talk_s
             from runs
             join attempts on attempts.recipient between first_recipient and last_recipient
             where runs.id = ?1 group by 1, 2, 3, 4, 5",
        )
        .bind(run.as_str())
        .bind(told::DURATION_S_MAX)
        .fetch_all(&self.readers)
        .await
        .map_err(fault)?;
        for row in &attempts {
            add_attempts(&mut tally, row)?;
        }
        if let Some(spend) = self.select_spend(run).await? {
            let charges = self.select_charges(run).await?;
            let account = SpendAccount::of(&spend, &charges);
            tally.budget = Some((spend, account));
        }
        Ok(tally)
    }
}

fn add_attempts(tally: &mut Tally, row: &SqliteRow) -> Result<(), StoreError> {
    let n = row.get::<i64, _>("n").unsigned_abs();
    let stage = stage(row)?;
    if !stage.counts() {
        tally.not_sent += n;
        return Ok(());
    }
    let word = |name: &str| row.get::<Option<String>, _>(name).unwrap_or_default();
    let debit = money(row);
    if stage == Stage::Final {
        match &debit {
            Some(debit) => tally.spent.add_times(debit, Decimal::from(n)),
            None => tally.unpriced += n,
        }
    }
    let talk_s = row.get::<Option<i64>, _>("talk_s").unwrap_or(0);
    tally.talk_s = tally.talk_s.saturating_add(talk_s);
    let key = (stage, word("result"), word("reason"));
    *tally.outcomes.entry(key).or_default() += n;
    let (first, last) = (moment(row.get("first_at")), moment(row.get("last_at")));
    tally.first_at = Some(tally.first_at.map_or(first, |at| at.min(first)));
    tally.last_at = Some(tally.last_at.map_or(last, |at| at.max(last)));
    Ok(())
}

/// Whom a row is about.
pub(in crate::store::sqlite) fn destination(row: &SqliteRow) -> Option<Destination> {
    let kind: Option<String> = row.get("destination_kind");
    let kind = kind
        .and_then(|k| k.parse().ok())
        .unwrap_or(DestinationKind::Number);
    let endpoint: Option<String> = row.get("endpoint");
    endpoint.map(|endpoint| Destination { kind, endpoint })
}

pub(super) fn read_row(row: &SqliteRow) -> ResultRow {
    let cells: String = row.get("cells");
    let disposition: Option<String> = row.get("disposition");
    let fault: Option<String> = row.get("fault");
    let fault = fault.and_then(|f| serde_json::from_str::<RejectedRow>(&f).ok());
    ResultRow {
        recipient: RecipientId(row.get("id")),
        line: row.get::<i64, _>("line").unsigned_abs(),
        cells: serde_json::from_str(&cells).unwrap_or_default(),
        destination: destination(row),
        disposition: disposition.as_deref().and_then(Disposition::parse),
        reason: row.get("reason"),
        fault: fault.map(|f| (f.column, f.value)),
        attempts: Vec::new(),
    }
}

/// The id of an attempt.
pub(in crate::store::sqlite) fn attempt_id(row: &SqliteRow) -> Result<AttemptId, StoreError> {
    let id = <[u8; 16]>::try_from(row.get::<&[u8], _>("id"))
        .map_err(|_| StoreError::Diverged("an attempt's id is not 16 bytes".into()))?;
    Ok(AttemptId::from_bytes(id))
}

pub(in crate::store::sqlite) fn read_attempt(row: &SqliteRow) -> Result<AttemptRecord, StoreError> {
    let outcome = Outcome {
        reason: row.get("reason"),
        ..outcome(row)
    };
    let note: Option<String> = row.get("note");
    Ok(AttemptRecord {
        id: attempt_id(row)?,
        stage: stage(row)?,
        intended_at: moment(row.get("intended_at")),
        answered_at: row.get::<Option<i64>, _>("answered_at").map(moment),
        ended_at: row.get::<Option<i64>, _>("ended_at").map(moment),
        call_id: row.get("call_id"),
        note: note.or_else(|| outcome.doubt()),
        outcome,
        hold: row
            .get::<Option<&str>, _>("hold")
            .and_then(|hold| hold.parse().ok()),
    })
}

/// Where a recipient stands.
pub(in crate::store::sqlite) fn recipient_state(
    row: &SqliteRow,
) -> Result<RecipientState, StoreError> {
    let (state, disposition): (&str, Option<&str>) = (row.get("state"), row.get("disposition"));
    RecipientState::parse(state, disposition)
        .ok_or_else(|| StoreError::Diverged(format!("a recipient is `{state}`")))
}

/// Where an attempt stands.
pub(in crate::store::sqlite) fn stage(row: &SqliteRow) -> Result<Stage, StoreError> {
    let word: &str = row.get("state");
    Stage::parse(word).ok_or_else(|| StoreError::Diverged(format!("an attempt is `{word}`")))
}

/// How an attempt ended, but for the reason. What an earlier version kept and nobody can believe is
/// unknown.
pub(in crate::store::sqlite) fn outcome(row: &SqliteRow) -> Outcome {
    let kept: Option<i64> = row.get("duration_s");
    let duration_s = kept.and_then(told::duration_s);
    let debit = money(row);
    let (amount, currency): (Option<String>, Option<String>) =
        (row.get("debit"), row.get("currency"));
    Outcome {
        result: row.get("result"),
        reason: None,
        duration_s,
        unread_duration: kept
            .filter(|_| duration_s.is_none())
            .map(|seconds| seconds.to_string()),
        unread_debit: amount.or(currency).filter(|_| debit.is_none()),
        debit,
    }
}

fn money(row: &SqliteRow) -> Option<Money> {
    let amount = row.get::<Option<&str>, _>("debit")?;
    Some(Money {
        amount: Money::parse_amount(amount)?,
        currency: row.get("currency"),
    })
}
