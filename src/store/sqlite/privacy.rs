//! Forgetting people: their rows in all runs, or a whole run's rows.
//!
//! Rows stay, emptied, so that a run's counts still add up. An endpoint that was deleted is an empty
//! text: the table's checks want one wherever a row was valid.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use super::vacuum::{OWE, rewrite};
use super::{SqliteStore, millis};
use crate::domain::{Digits, RunId, Spellings, Suppression};
use crate::store::{Erasure, PrivacyStore, StillOpen, StoreError};

/// What stands in the place of words that may have been about somebody.
const GONE: &str = "(deleted)";

/// A row's cells without what people write between digits.
macro_rules! bare {
    ($column:literal) => {
        concat!(
            "replace(replace(replace(replace(replace(replace(",
            $column,
            ", ' ', ''), '-', ''), '.', ''), '/', ''), '(', ''), ')', '')"
        )
    };
}

const OPEN: &str = "-- open_calls_to
    select runs.id, call_id from recipients
    join runs on runs.number = recipients.run
    join attempts on attempts.recipient = recipients.id
         and attempts.state in ('intended', 'accepted')
    where recipients.state = 'in flight' and endpoint = ?1";

/// A row without a number of its own is of whoever its digits belong to.
const OWN_ROWS: &str = concat!(
    "-- erase: whose rows
    select id, run, state in ('pending', 'waiting') as pending from recipients
    where (endpoint = ?1 or endpoint is null and instr(",
    bare!("cells"),
    ", ?2) > 0) and state <> 'in flight'"
);

/// Their attempts, and the calls of these.
const OWN_CALLS: &str = concat!(
    "-- erase: whose calls
    select lower(hex(attempts.id)), call_id from attempts where recipient in (
        select id from recipients
        where (endpoint = ?1 or endpoint is null and instr(",
    bare!("cells"),
    ", ?2) > 0) and state <> 'in flight')"
);

const MENTIONS: &str = concat!(
    "-- erase: rows of others
    select count(*) from recipients where instr(",
    bare!("cells"),
    ", ?1) > 0"
);

/// Everything that people, the platform or we wrote in words: texts with their keys, those after one in
/// pages, and how one is changed.
const TEXTS: [(&str, &str); 12] = [
    (
        "-- erase: notes
         select key, note from attempts where key > ?1 and note is not null
         order by key limit ?2",
        "update attempts set note = ?2 where key = ?1",
    ),
    (
        "-- erase: results
         select key, result from attempts where key > ?1 and result glob '*[0-9]*[0-9]*[0-9]*'
         order by key limit ?2",
        "update attempts set result = ?2 where key = ?1",
    ),
    (
        "-- erase: reasons of results
         select key, reason from attempts where key > ?1 and reason glob '*[0-9]*[0-9]*[0-9]*'
         order by key limit ?2",
        "update attempts set reason = ?2 where key = ?1",
    ),
    (
        "-- erase: what was pressed
         select key, value from heard where key > ?1 and value glob '*[0-9]*[0-9]*[0-9]*'
         order by key limit ?2",
        "update or replace heard set value = ?2 where key = ?1",
    ),
    (
        "-- erase: what was said of settlements
         select number, why from settlements where number > ?1 and true
         order by number limit ?2",
        "update settlements set why = ?2 where number = ?1",
    ),
    (
        "-- erase: reasons of suppressions
         select number, why from suppression_acts where number > ?1 and why is not null
         order by number limit ?2",
        "update suppression_acts set why = ?2 where number = ?1",
    ),
    (
        "-- erase: why runs are paused
         select number, why from runs where number > ?1 and why is not null
         order by number limit ?2",
        "update runs set why = ?2 where number = ?1",
    ),
    (
        "-- erase: how engines stand
         select number, telling from runs where number > ?1 and telling is not null
         order by number limit ?2",
        "update runs set telling = null where number = ?1 and ?2 is not null",
    ),
    (
        "-- erase: definitions
         select number, definition from runs where number > ?1 and true
         order by number limit ?2",
        "update runs set definition = ?2 where number = ?1",
    ),
    (
        "-- erase: reasons of rows
         select id, reason from recipients where id > ?1 and reason is not null
         order by id limit ?2",
        "update recipients set reason = ?2 where id = ?1",
    ),
    (
        "-- erase: reasons of waits
         select number, reason from waits where number > ?1 and true
         order by number limit ?2",
        "update waits set reason = ?2 where number = ?1",
    ),
    (
        "-- erase: why occurrences were skipped
         select scheduled_for, reason from occurrences where scheduled_for > ?1 and reason is not null
         order by scheduled_for limit -?2",
        "update occurrences set reason = ?2 where scheduled_for = ?1 and reason is not null",
    ),
];
/// Texts read at a time.
const PAGE: i64 = 1_000;

const ERASE: [&str; 7] = [
    "-- erase: what was noted
     update attempts set note = null
     where recipient in (select value from json_each(?1))",
    "-- erase: what they pressed without a flow
     delete from heard
     where nth is null and attempt in (select key from attempts
                       where recipient in (select value from json_each(?1)))",
    "-- erase: what they pressed
     update heard set value = null
     where attempt in (select key from attempts
                       where recipient in (select value from json_each(?1)))",
    "-- erase: what a person said
     update settlements set why = ?2
     where attempt in (select key from attempts
                       where recipient in (select value from json_each(?1)))",
    "-- erase: runs
     update runs set list_sha256 = null, planned_list = null, plan = null,
            definition = case when first_recipient = last_recipient
                                   and state in ('completed', 'cancelled', 'expired')
                         then ?2 else definition end
     where number in (select run from recipients where id in (select value from json_each(?1)))",
    "-- erase: reasons
     update recipients set reason = case when state in ('pending', 'waiting')
                                              or disposition = 'suppressed' then ?3
                                         when reason in ('machine', 'no response', 'other response', 'opted out')
                                         then reason end
     where id in (select value from json_each(?1))",
    "-- erase: rows
     update recipients set cells = '[]', fault = null, due_at = null,
            waiting_for = null, zones = null,
            endpoint = case when endpoint is not null then '' end,
            disposition = coalesce(disposition, 'suppressed'), state = 'done'
     where id in (select value from json_each(?1))",
];

const PURGE: [&str; 6] = [
    "-- purge: what was noted
     update attempts set note = null where run = (select number from runs where id = ?1)",
    "-- purge: what was pressed without a flow
     delete from heard
     where nth is null and attempt in (select key from attempts
                                       where run = (select number from runs where id = ?1))",
    "-- purge: what was pressed
     update heard set value = null
     where attempt in (select key from attempts
                       where run = (select number from runs where id = ?1))",
    "-- purge: what a person said
     update settlements set why = ?2
     where attempt in (select key from attempts
                       where run = (select number from runs where id = ?1))",
    "-- purge: rows
     update recipients set cells = '[]', fault = null, zones = null,
            reason = case when reason in ('machine', 'no response', 'other response', 'opted out') then reason end,
            endpoint = case when endpoint is not null then '' end
     where run = (select number from runs where id = ?1)",
    "-- purge: the run
     update runs set list_sha256 = null, planned_list = null, plan = null,
            results_path = null, results_sha256 = null,
            purged_at = ?3,
            definition = case when first_recipient = last_recipient then ?2 else definition end
     where id = ?1",
];

#[async_trait]
impl PrivacyStore for SqliteStore {
    async fn suppress_erased(
        &self,
        number: Digits,
        reason: &Suppression,
        key: &[u8; 32],
    ) -> Result<(), StoreError> {
        self.insert_erased(number, reason, key).await
    }

    async fn open_calls_to(&self, number: Digits) -> Result<Vec<StillOpen>, StoreError> {
        let query = sqlx::query(OPEN).bind(number.e164());
        let rows = query.fetch_all(&self.readers).await;
        let rows = rows.map_err(|e| self.fault(&e))?;
        let open = rows.iter().map(|row| StillOpen {
            run: RunId::new(row.get::<String, _>("id")),
            call: row.get("call_id"),
        });
        Ok(open.collect())
    }

    async fn erase(
        &self,
        number: Digits,
        national: &str,
        reason: &Suppression,
    ) -> Result<Erasure, StoreError> {
        // The inbox first: a kill leaves the rows, by which they are found again. Where nothing ever came,
        // nobody is looked for in it.
        if self.inbox.is_there() {
            self.forget_events_of(number, national).await?;
        }
        self.erase_rows(number, national, reason)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn purge(&self, run: &RunId, now: Timestamp) -> Result<(), StoreError> {
        self.forget_run(run).await?;
        self.purge_run(run, now).await.map_err(|e| self.fault(&e))
    }

    async fn vacuum(&self) -> Result<(), StoreError> {
        if self.engine.is_none() {
            return Err(StoreError::Database("only the engine scrubs".into()));
        }
        self.inbox.scrub().await?;
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        rewrite(&mut writer, &self.path).await
    }
}

impl SqliteStore {
    /// Deletes the bodies of the events of whoever is to be erased.
    async fn forget_events_of(&self, number: Digits, national: &str) -> Result<(), StoreError> {
        let query = sqlx::query_as(OWN_CALLS).bind(number.e164()).bind(national);
        let own: Vec<(String, Option<String>)> = query
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fault(&e))?;
        let (attempts, calls): (Vec<_>, Vec<_>) = own.into_iter().unzip();
        let calls: Vec<_> = calls.into_iter().flatten().collect();
        let digits = number.e164();
        let digits = digits.trim_start_matches('+');
        self.forget_people(&attempts, &calls, digits).await
    }

    async fn erase_rows(
        &self,
        number: Digits,
        national: &str,
        reason: &Suppression,
    ) -> Result<Erasure, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        let rows = sqlx::query(OWN_ROWS)
            .bind(number.e164())
            .bind(national)
            .fetch_all(&mut *tx)
            .await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
        let mut runs: Vec<i64> = rows.iter().map(|row| row.get("run")).collect();
        runs.sort_unstable();
        runs.dedup();
        let ids_json = serde_json::to_string(&ids).unwrap_or_default();
        for statement in ERASE {
            sqlx::query(statement)
                .bind(&ids_json)
                .bind(GONE)
                .bind(reason.to_string())
                .execute(&mut *tx)
                .await?;
        }
        let texts = erase_texts(&mut tx, &Spellings::of(&number.e164(), national)).await?;
        sqlx::query(OWE).execute(&mut *tx).await?;
        let mentions: i64 = sqlx::query_scalar(MENTIONS)
            .bind(national)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        let pending = rows.iter().filter(|row| row.get("pending")).count();
        Ok(Erasure {
            rows: ids.len() as u64,
            runs: runs.len() as u64,
            pending: pending as u64,
            texts,
            mentions: mentions.unsigned_abs(),
        })
    }

    async fn purge_run(&self, run: &RunId, now: Timestamp) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        for statement in PURGE {
            sqlx::query(statement)
                .bind(run.as_str())
                .bind(GONE)
                .bind(millis(now))
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query(OWE).execute(&mut *tx).await?;
        tx.commit().await
    }
}

/// Takes a number out of all words. Returns how many texts had it.
async fn erase_texts(
    tx: &mut Transaction<'_, Sqlite>,
    number: &Spellings,
) -> Result<u64, sqlx::Error> {
    let mut found = 0;
    for (texts, update) in TEXTS {
        let mut after = i64::MIN;
        loop {
            let page: Vec<(i64, String)> = sqlx::query_as(texts)
                .bind(after)
                .bind(PAGE)
                .fetch_all(&mut **tx)
                .await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = *last;
            for (key, text) in &page {
                let Some(text) = number.erased_from(text) else {
                    continue;
                };
                let query = sqlx::query(update).bind(key).bind(text);
                query.execute(&mut **tx).await?;
                found += 1;
            }
        }
    }
    Ok(found)
}
