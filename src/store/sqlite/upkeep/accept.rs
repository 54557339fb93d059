//! A person goes on with a database of which calls may be unknown: whoever may have been called is
//! uncertain from then on, and nobody of them is due.
//!
//! The database gets another id, so that it is told from the one that was lost, and new attempts get
//! keys that no attempt had there.

use sqlx::{Connection as _, Sqlite, Transaction};

use crate::store::sqlite::identity::own;
use crate::store::sqlite::{SqliteStore, millis};
use crate::store::{Accepted, Accepting, Gap, StoreError};

/// Hex digits that were drawn for the ids of attempts which nobody knows; their keys make the rest.
const ID_DIGITS: usize = 20;

/// Runs whose people may have been called since.
macro_rules! unfinished {
    () => {
        "run in (select number from runs where state in ('planned', 'running', 'paused'))"
    };
}

const NEWEST: &str = "-- accept: the newest moment that is known
    select max(coalesce((select max(max(intended_at, coalesce(answered_at, 0), coalesce(ended_at, 0)))
                         from attempts), 0),
               coalesce((select max(max(created_at, coalesce(started_at, 0), coalesce(ended_at, 0)))
                         from runs), 0))";

/// Ends as recovery ends an attempt that nobody can tell about.
const ATTEMPTS: &str = concat!(
    "-- accept: attempts that stand for those which are not known
    insert into attempts (key, id, run, recipient, state, intended_at, answered_at, note, hold)
    select ?1 + row_number() over (order by id),
           unhex(?2 || printf('%012x', ?1 + row_number() over (order by id))),
           run, id, 'uncertain', ?3, ?4, ?5, hold
    from recipients where state in ('pending', 'waiting') and ",
    unfinished!()
);

const RECIPIENTS: &str = concat!(
    "-- accept: nobody of them is due
    update recipients set state = 'done', disposition = 'uncertain', due_at = null,
           waiting_for = null
    where state in ('pending', 'waiting') and ",
    unfinished!()
);

const FORGET: [&str; 2] = [
    "-- accept: starts of runs that have no list yet
     delete from occurrences
     where run in (select id from runs where state = 'planned' and header is null)",
    "-- accept: runs that have no list yet, which may have been imported and called since
     delete from runs where state = 'planned' and header is null",
];

const RECORD: &str = "-- accept: what was accepted
    insert into accepted_gaps (who, at, what, attempts, since, first_key, last_key, former)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, unhex(?8))";

const RENAME: &str = "-- accept: another database from now on
    update identity set id = unhex(?1)";

impl SqliteStore {
    pub(super) async fn accept_gap(
        &self,
        accepting: &Accepting,
    ) -> Result<Option<Accepted>, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let before = own(&mut writer).await.map_err(fault)?;
        let (found, gap) = self.identity.find(&before)?;
        let Some(gap) = gap else { return Ok(None) };
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        // Answers that were kept aside are this database's own only as long as it has its id.
        let read_back = self.read_back(&mut tx).await?;
        // Keys that no attempt had which may have been made since.
        let known = found.and_then(|found| found.told);
        let key = known.map_or(0, |told| told.key).max(before.told.key);
        let mut accepted = Accepted {
            gap,
            uncertain: 0,
            forgotten: 0,
        };
        let stand_ins = stand_in(&mut tx, accepting, key, &mut accepted).await;
        let (since, first_key) = stand_ins.map_err(fault)?;
        sqlx::query(RECORD)
            .bind(&accepting.who)
            .bind(millis(accepting.at))
            .bind(gap.to_string())
            .bind(gap.attempts().and_then(|n| i64::try_from(n).ok()))
            .bind(since)
            .bind(first_key)
            .bind(first_key.map(|_| key.saturating_add_unsigned(accepted.uncertain)))
            .bind(&before.told.id)
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        let renamed = sqlx::query(RENAME)
            .bind(drawn(accepting, 0))
            .execute(&mut *tx);
        renamed.await.map_err(fault)?;
        let after = own(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        drop(writer);
        self.put_away(&read_back)?;
        // Until this is written the database is another one than its mark's: refused once more.
        self.identity.write_mark(&after.told)?;
        Ok(Some(accepted))
    }
}

/// Makes everybody uncertain who may have been called since. Returns the newest moment that is known,
/// and the key of the first attempt that was made for it.
async fn stand_in(
    tx: &mut Transaction<'_, Sqlite>,
    accepting: &Accepting,
    key: i64,
    accepted: &mut Accepted,
) -> Result<(i64, Option<i64>), sqlx::Error> {
    let since: i64 = sqlx::query_scalar(NEWEST).fetch_one(&mut **tx).await?;
    if accepted.gap.attempts() == Some(0) {
        return Ok((since, None));
    }
    let made = sqlx::query(ATTEMPTS)
        .bind(key)
        .bind(&drawn(accepting, 16)[..ID_DIGITS])
        .bind(since)
        .bind(millis(accepting.at))
        .bind(note(accepted.gap))
        .execute(&mut **tx)
        .await?;
    sqlx::query(RECIPIENTS).execute(&mut **tx).await?;
    for statement in FORGET {
        let forgotten = sqlx::query(statement).execute(&mut **tx).await?;
        accepted.forgotten = forgotten.rows_affected();
    }
    accepted.uncertain = made.rows_affected();
    Ok((since, (accepted.uncertain > 0).then_some(key + 1)))
}

/// What stands with an attempt that nobody knows. Its call, if there was one, began between its intent,
/// the newest moment that the copy knows, and its answer, when it was accepted.
fn note(gap: Gap) -> String {
    match gap.attempts() {
        Some(attempts) => {
            format!("this database is an older copy: {attempts} attempts made since are not in it")
        }
        None => "this database may lack calls, and nobody can tell which".to_owned(),
    }
}

/// Sixteen of the bytes that were drawn, in hex.
fn drawn(accepting: &Accepting, from: usize) -> String {
    let bytes = accepting.key[from..].iter().take(16);
    let bits = bytes.fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    format!("{bits:032x}")
}
