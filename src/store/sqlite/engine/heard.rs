//! What was heard in calls, and who does not want to be called again by it.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use crate::domain::{Digits, InCall, Suppression};
use crate::store::sqlite::rows::json;
use crate::store::sqlite::suppression::{Read, put_on_for_good, revise};
use crate::store::sqlite::{SqliteStore, millis, moment};
use crate::store::{Press, StoreError};

/// The place of who answered, before the menus of a call.
const WHO_ANSWERED: u32 = 0;

/// Nobody's words are kept of whose row is erased or purged.
const KEEP: &str = "-- pressed: what was heard
    insert or ignore into heard (attempt, run, at, nth, value, makes, suppress)
    select attempts.key, attempts.run, new.value ->> 1, new.value ->> 2,
           case when recipients.endpoint <> '' then new.value ->> 3 end, new.value ->> 4, new.value ->> 5
    from json_each(?1) as new
    join attempts on attempts.id = unhex(new.value ->> 0)
    join recipients on recipients.id = attempts.recipient
    where recipients.endpoint <> '' or new.value ->> 2 is not null
    returning key, suppress is not null as opts_out";

const OPT_OUT: &str = "-- pressed: who opts out
    select heard.at, heard.suppress, lower(hex(attempts.id)) as attempt, runs.id as run, recipients.endpoint
    from heard
    join attempts on attempts.key = heard.attempt
    join recipients on recipients.id = attempts.recipient
    join runs on runs.number = attempts.run
    where heard.key = ?1 and runs.destination_kind = 'number'";

impl SqliteStore {
    /// Keeps what was heard and, in the same transaction, puts the numbers of those who opt out by it on their lists.
    pub(super) async fn keep_presses(&self, presses: &[Press]) -> Result<(), StoreError> {
        if presses.is_empty() {
            return Ok(());
        }
        let fault = |e: sqlx::Error| self.fault(&e);
        let opts_out = presses.iter().any(|press| press.suppress.is_some());
        let line = if opts_out {
            self.hold_lists_line().await
        } else {
            None
        };
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let kept = sqlx::query(KEEP)
            .bind(json(&presses.iter().map(row).collect::<Vec<_>>()))
            .fetch_all(&mut *tx)
            .await
            .map_err(fault)?;
        let mut listed = false;
        // What was there was applied when it came: whoever was taken off a list since stays off it.
        for row in kept.iter().filter(|row| row.get("opts_out")) {
            listed |= opt_out(&mut tx, row.get("key")).await.map_err(fault)??;
        }
        if listed {
            revise(tx, line).await.map_err(fault)
        } else {
            tx.commit().await.map_err(fault)
        }
    }
}

type HeardRow<'a> = (
    String,
    i64,
    Option<u32>,
    Option<&'a str>,
    u8,
    Option<&'a str>,
);

fn row(press: &Press) -> HeardRow<'_> {
    let machine = press.makes.has(InCall::MACHINE);
    (
        press.attempt.to_string(),
        millis(press.at),
        press.nth.or(machine.then_some(WHO_ANSWERED)),
        press.value.as_deref(),
        press.makes.pack(),
        press.suppress.as_deref(),
    )
}

/// Puts a number on the list that was asked for. Returns whether the lists were changed by that.
async fn opt_out(tx: &mut Transaction<'_, Sqlite>, key: i64) -> Read<bool> {
    let found = sqlx::query(OPT_OUT)
        .bind(key)
        .fetch_optional(&mut **tx)
        .await?;
    let wish = |row: &SqliteRow| {
        // Of whose row is erased or purged the number is not known any more.
        let number = Digits::of(row.get("endpoint"))?;
        let (run, attempt): (&str, &str) = (row.get("run"), row.get("attempt"));
        let at = moment(row.get("at"));
        let reason = Suppression::pressed(row.get("suppress"), run, attempt, at);
        Some((number, reason))
    };
    match found.as_ref().and_then(wish) {
        Some((number, reason)) => put_on_for_good(tx, &reason, number).await,
        None => Ok(Ok(false)),
    }
}
