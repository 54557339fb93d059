//! Refusals: what the latest answers of a run were, and a person's word that they are the recipients'
//! own.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use crate::domain::refusals::TAKEN_BACK as WHY_TAKEN_BACK;
use crate::domain::{
    AttemptEvent, AttemptKey, AttemptState, Disposition, Outcome, RecipientId, Refusal,
    RefusalCode, RunId, SpeaksOf,
};
use crate::store::sqlite::{SqliteStore, millis, tried};
use crate::store::{Latest, Refused, StoreError};

/// Answers that are looked at, and attempts among which they are sought.
const LATEST: &str = "-- recover: the latest answers to callouts
    select * from (
        select key, recipient, attempts.state, attempts.reason, refusal, refusal_of, note, tried from attempts
        join recipients on recipients.id = attempts.recipient
        where key > (select max(key) from attempts) - 1000
              and attempts.run = (select number from runs where id = ?1)
              and (attempts.state in ('accepted', 'final')
                   or attempts.state = 'refused' and refusal is not null
                      and recipients.disposition = 'refused' and recipients.endpoint <> '')
        order by key desc limit 50
    ) order by key";

const PAUSED_FOR: &str = "-- accept_refusals: what the run is paused for
    select refused_with, refusals_theirs from runs where id = ?1 and refused_with is not null";

const THEIRS: &str = "-- accept_refusals: the code
    update runs set refused_with = null, suspect = null, refusals_theirs = json_insert(refusals_theirs, '$[#]', ?2)
    where id = ?1";

/// Attempts that were taken back, each the latest of somebody who is still to be called.
const TAKEN_BACK: &str = "-- accept_refusals: whose
    select key, recipient, refusal, refusal_of, note from recipients
    join attempts on attempts.recipient = recipients.id
    where recipients.run = (select number from runs where id = ?1)
          and recipients.state in ('pending', 'waiting') and attempts.state = 'not sent'
          and refusal = ?2
          and not exists (select 1 from attempts as later
                          where later.recipient = recipients.id and later.key > attempts.key)";

const STANDS: &str = "-- accept_refusals: the attempt
    update attempts set state = ?2, ended_at = ?3, note = ?4 where key = ?1 and state = 'not sent'";

const DONE: &str = "-- accept_refusals: the recipient
    update recipients set state = 'done', disposition = ?2, due_at = null, waiting_for = null,
           reason = ?3
    where id = ?1 and state in ('pending', 'waiting')";

/// What came back last in a run.
pub(in crate::store::sqlite) async fn latest_answers(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
) -> Result<Latest, sqlx::Error> {
    let rows = sqlx::query(LATEST)
        .bind(run.as_str())
        .fetch_all(&mut **tx)
        .await?;
    let refused = |row: &SqliteRow| {
        let Some(refusal) = refusal(row) else {
            return Ok::<_, sqlx::Error>(None);
        };
        Ok(Some(Refused {
            key: AttemptKey(row.get("key")),
            recipient: RecipientId(row.get("recipient")),
            tried: tried(row)?,
            refusal,
        }))
    };
    let ended = rows
        .iter()
        .filter(|row| row.get::<&str, _>("state") == "final");
    Ok(Latest {
        answers: rows.iter().map(refused).collect::<Result<_, _>>()?,
        ends: ended
            .map(|row| Outcome {
                reason: row.get("reason"),
                ..Outcome::default()
            })
            .collect(),
    })
}

fn refusal(row: &SqliteRow) -> Option<Refusal> {
    let code = RefusalCode::parse(row.get::<Option<&str>, _>("refusal")?)?;
    let note: Option<&str> = row.get("note");
    // The note is the refusal in words, which begin with its code, behind why it was taken back.
    let said = note.unwrap_or_default();
    let said = said
        .strip_prefix(WHY_TAKEN_BACK)
        .unwrap_or(said)
        .trim_start_matches(": ");
    let number = code.code.map(|code| code.to_string()).unwrap_or_default();
    let message = said.strip_prefix(&number).unwrap_or(said).trim_start();
    Some(Refusal {
        status: code.status,
        code: code.code,
        message: message.to_owned(),
        speaks_of: row
            .get::<Option<&str>, _>("refusal_of")
            .and_then(SpeaksOf::parse)
            .unwrap_or(SpeaksOf::Unknown),
    })
}

impl SqliteStore {
    pub(super) async fn accept_refusals_of(
        &self,
        run: &RunId,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let paused = sqlx::query(PAUSED_FOR)
            .bind(run.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(fault)?;
        let Some(paused) = paused else {
            return Ok(None);
        };
        let code: String = paused.get("refused_with");
        let rows = sqlx::query(TAKEN_BACK)
            .bind(run.as_str())
            .bind(&code)
            .fetch_all(&mut *tx)
            .await
            .map_err(fault)?;
        for row in &rows {
            stands(&mut tx, row, now).await.map_err(fault)?;
        }
        sqlx::query(THEIRS)
            .bind(run.as_str())
            .bind(&code)
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(Some(rows.len() as u64))
    }
}

/// A refusal that was taken back is its recipient's own after all.
async fn stands(
    tx: &mut Transaction<'_, Sqlite>,
    row: &SqliteRow,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let Some(refusal) = refusal(row) else {
        return Ok(());
    };
    let reason = refusal.to_string();
    let before = AttemptState::NotSent(String::new());
    let Ok(state) = before.after(AttemptEvent::RefusalStands(refusal)) else {
        return Ok(());
    };
    sqlx::query(STANDS)
        .bind(row.get::<i64, _>("key"))
        .bind(state.stage().as_str())
        .bind(millis(now))
        .bind(&reason)
        .execute(&mut **tx)
        .await?;
    sqlx::query(DONE)
        .bind(row.get::<i64, _>("recipient"))
        .bind(Disposition::Refused.as_str())
        .bind(reason)
        .execute(&mut **tx)
        .await
        .map(drop)
}
