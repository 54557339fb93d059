//! Group commit: many changes, three statements, one sync.
//!
//! sqlx hands every statement to the connection's own thread, which costs more than the statement;
//! so a group travels as one JSON parameter a table. Every update compares with the state that was
//! left: a row that is not there any more ends the run rather than being written over.

use sqlx::{Connection as _, Sqlite, Transaction};

use super::group::Group;
use crate::domain::RunId;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::identity::Intended;
use crate::store::sqlite::rows::json;
use crate::store::{Fact, Intent, StoreError};

/// What an attempt's row says of it, column by column.
macro_rules! attempt_moves {
    () => {
        "state = new.value ->> 1,
        answered_at = coalesce(answered_at, new.value ->> 2),
        ended_at = new.value ->> 3,
        call_id = coalesce(new.value ->> 4, call_id),
        result = new.value ->> 5,
        reason = new.value ->> 6,
        duration_s = new.value ->> 7,
        debit = new.value ->> 8,
        currency = new.value ->> 9,
        note = coalesce(new.value ->> 10, note)"
    };
}

/// What a recipient's row says of them.
macro_rules! recipient_moves {
    () => {
        "state = new.value ->> 1,
        disposition = new.value ->> 2,
        due_at = new.value ->> 3,
        reason = coalesce(new.value ->> 4, reason),
        waiting_for = new.value ->> 5,
        tried_before = case when new.value ->> 6 <> tried then tried else tried_before end,
        tried = coalesce(new.value ->> 6, tried)"
    };
}

/// Rows are materialised in each: `json_each` would write a row's text anew for every column that is read.
const INTEND: &str = "-- intend
    insert into attempts (key, id, run, recipient, state, intended_at, hold)
    with new (value) as materialized (select value from json_each(?1))
    select value ->> 0, unhex(value ->> 1), (select number from runs where id = ?2), value ->> 2,
           'intended', value ->> 3, value ->> 4
    from new";

const WAIT: &str = "-- wait
    insert into waits (recipient, at, reason, until)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?1)";

const MOVE_ATTEMPTS: &str = concat!(
    "-- move_attempts
    with new (value) as materialized (select value from json_each(?1))
    update attempts set
",
    attempt_moves!(),
    "
    from new
    where attempts.key = new.value ->> 0 and attempts.state = new.value ->> 11"
);

/// Calls that no attempt should have.
const SECOND_CALLS: &str = "-- second_calls
    insert or ignore into second_calls (attempt, call_id, at)
    select value ->> 0, value ->> 1, value ->> 2 from json_each(?1)";

/// Legs of connected calls; what was told of one stays told.
pub(in crate::store::sqlite) const LEGS: &str = "-- legs
    insert into legs (attempt, call_id, at, duration_s, debit, currency)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
    from json_each(?1) where true
    on conflict (attempt, call_id) do update set
        duration_s = coalesce(excluded.duration_s, duration_s),
        currency = case when excluded.debit is null then currency else excluded.currency end,
        debit = coalesce(excluded.debit, debit)";

/// Few attempts are refused: what only they have is written apart.
const REFUSED: &str = "-- refused
    update attempts set refusal = new.value ->> 1, refusal_of = new.value ->> 2
    from json_each(?1) as new where attempts.key = new.value ->> 0";

/// Answers that were kept aside: whatever is not over yet may move, by attempts that earlier versions
/// kept as well.
const MOVE_KEPT_ATTEMPTS: &str = concat!(
    "-- move_kept_attempts
    update attempts set
",
    attempt_moves!(),
    ",
        refusal = coalesce(new.value ->> 12, refusal),
        refusal_of = coalesce(new.value ->> 13, refusal_of)
    from json_each(?1) as new
    where attempts.key = new.value ->> 0 and attempts.state in ('intended', 'accepted', 'uncertain')
          and attempts.run = (select number from runs where id = ?2)
    returning attempts.recipient"
);

/// A recipient moves only with their attempt.
const MOVE_KEPT_RECIPIENTS: &str = concat!(
    "-- move_kept_recipients
    update recipients set
",
    recipient_moves!(),
    "
    from json_each(?1) as new
    where recipients.id = new.value ->> 0 and recipients.state = 'in flight'
          and recipients.id in (select value from json_each(?2))"
);

/// `to call` are two states, so that who was read as due may meanwhile wait and the other way round.
const MOVE_RECIPIENTS: &str = concat!(
    "-- move_recipients
    with new (value) as materialized (select value from json_each(?1))
    update recipients set
",
    recipient_moves!(),
    "
    from new
    where recipients.id = new.value ->> 0
          and case new.value ->> 7
                  when 'in-flight' then recipients.state = 'in flight'
                  when 'refused' then recipients.disposition = 'refused'
                  else recipients.state in ('pending', 'waiting') end"
);

impl Group {
    /// Writes the group. Returns how many rows were not where they were left.
    pub(super) async fn write(&self, tx: &mut Transaction<'_, Sqlite>) -> Result<u64, sqlx::Error> {
        let mut astray = 0;
        if !self.intents.is_empty() {
            let query = sqlx::query(INTEND)
                .bind(json(&self.intents))
                .bind(&self.run);
            query.execute(&mut **tx).await?;
        }
        for (statement, rows, expected) in [
            (MOVE_ATTEMPTS, json(&self.attempts), self.attempts.len()),
            (
                MOVE_RECIPIENTS,
                json(&self.recipients),
                self.recipients.len(),
            ),
        ] {
            if expected > 0 {
                let moved = sqlx::query(statement).bind(rows).execute(&mut **tx).await?;
                astray += (expected as u64).saturating_sub(moved.rows_affected());
            }
        }
        if !self.second_calls.is_empty() {
            let query = sqlx::query(SECOND_CALLS).bind(json(&self.second_calls));
            query.execute(&mut **tx).await?;
        }
        if !self.legs.is_empty() {
            let query = sqlx::query(LEGS).bind(json(&self.legs));
            query.execute(&mut **tx).await?;
        }
        let refused = self.refused();
        if !refused.is_empty() {
            let query = sqlx::query(REFUSED).bind(json(&refused));
            query.execute(&mut **tx).await?;
        }
        if !self.waits.is_empty() {
            let query = sqlx::query(WAIT).bind(json(&self.waits));
            query.execute(&mut **tx).await?;
        }
        Ok(astray)
    }

    /// Writes what of a group that was kept aside is not there yet. Returns how many attempts moved.
    pub(super) async fn write_kept(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
    ) -> Result<usize, sqlx::Error> {
        let moved: Vec<i64> = sqlx::query_scalar(MOVE_KEPT_ATTEMPTS)
            .bind(json(&self.attempts))
            .bind(&self.run)
            .fetch_all(&mut **tx)
            .await?;
        sqlx::query(MOVE_KEPT_RECIPIENTS)
            .bind(json(&self.recipients))
            .bind(json(&moved))
            .execute(&mut **tx)
            .await?;
        Ok(moved.len())
    }
}

impl SqliteStore {
    pub(super) async fn commit_group(
        &self,
        run: &RunId,
        intents: &[Intent],
        facts: &[Fact],
    ) -> Result<(), StoreError> {
        let intended = Intended::latest(intents);
        if intended.is_some() {
            self.identity.mark_to_dial()?;
        }
        let group = Group::of(run, intents, facts);
        let mut writer = self.writer.lock().await;
        let written = async {
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
            let astray = group.write(&mut tx).await?;
            if astray == 0 {
                tx.commit().await?;
            } else {
                tx.rollback().await?;
            }
            Ok::<_, sqlx::Error>(astray)
        }
        .await;
        match written {
            // Before anybody hears of the commit, and so before any POST of this group.
            Ok(0) => self.mark_intents(intended).await,
            Ok(astray) => Err(StoreError::Diverged(format!(
                "{astray} rows of a group were changed by somebody else"
            ))),
            Err(e) => Err(self.fault(&e)),
        }
    }
}
