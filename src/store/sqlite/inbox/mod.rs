//! The inbox on SQLite: a file of its own beside the database, with its own log and its own writer.
//!
//! Several processes write it at once, in short transactions; it needs no engine's lock. `file` makes and
//! opens it, `group` writes what came, `forget` deletes, `carry` copies it and puts a copy back.

mod carry;
mod file;
mod forget;
mod group;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::rows::json;
use super::{SqliteStore, millis, moment};
use crate::domain::{AttemptId, CallId, EventNumber, RunId};
use crate::store::{Arrival, Inbox, InboxStanding, LATE, Owner, Received, StoreError};

pub(super) use file::InboxFile;

/// How long the secret before the current one is taken.
const OLD_SECRET: SignedDuration = SignedDuration::from_hours(24);

const PENDING: &str = "-- inbox: pending
    select events.number, signed_at, at, kind, attempt, call, body from events
    join bodies on bodies.number = events.number
    where owner is null and events.number > ?1
    order by events.number limit ?2";

const HANDLED: &str = "-- inbox: handled
    update events set owner = done.value ->> 1, run = done.value ->> 2, handled_at = ?2
    from json_each(?1) as done
    where events.number = done.value ->> 0 and owner is null";

const REFUSED: &str = "-- inbox: refused
    insert into refused (reason, count, last_at)
    select value ->> 0, value ->> 1, ?2 from json_each(?1) where true
    on conflict (reason) do update
    set count = count + excluded.count, last_at = max(last_at, excluded.last_at)";

const TAKEN: &str = "-- inbox: taken
    select kind, count, last_at from taken where kind <> ?1 order by kind";

const REFUSALS: &str = "-- inbox: refusals
    select reason, count from refused order by reason";

const WAITING: &str = "-- inbox: who has them
    select (select count(*) from events where owner is null) as pending,
           (select count(*) from events where owner = 'nobody') as nobodys,
           (select count(*) from events where owner = 'nobody' and kind = 'ice') as strange,
           (select count(*) from events where owner = 'unknown attempt') as unknown";

const ENDS_TOLD: &str = "-- inbox: calls whose end was told
    select count(distinct coalesce(attempt, call)) from events
    where run = ?1 and run is not null and kind = 'dice'";

const RECEIVER: &str = "-- inbox: somebody receives
    update receiver set until = ?1 where until < ?1";

const RECEIVES: &str = "-- inbox: does somebody receive
    select until > ?1 from receiver";

const SECRETS: &str = "-- callback_secrets
    select secret from callback_secrets where until is null or until > ?1
    order by until is not null, since desc";

const RETIRE_SECRETS: [&str; 2] = [
    "-- callback_secrets: those that nobody takes any more
     delete from callback_secrets where until <= ?1 or secret = ?3",
    "-- callback_secrets: the one before
     update callback_secrets set until = ?2 where until is null",
];

const NEW_SECRET: &str = "-- callback_secrets: the new one
    insert into callback_secrets (secret, since) values (?1, ?2)";

#[async_trait]
impl Inbox for SqliteStore {
    async fn keep(&self, arrival: Arrival) -> Result<bool, StoreError> {
        self.inbox.opened().await?.keep(arrival).await
    }

    async fn pending(&self, after: EventNumber, limit: u32) -> Result<Vec<Received>, StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(Vec::new());
        };
        let query = sqlx::query(PENDING).bind(after.0).bind(limit);
        let rows = query.fetch_all(&inbox.reader).await;
        let rows = rows.map_err(|e| inbox.fault(&e))?;
        Ok(rows.iter().map(received).collect())
    }

    async fn handled(
        &self,
        events: &[(EventNumber, Owner)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let rows = events.iter().map(|(number, owner)| match owner {
            Owner::Run(run) => (number.0, "run", Some(run.as_str())),
            Owner::Nobody => (number.0, "nobody", None),
            Owner::UnknownAttempt => (number.0, "unknown attempt", None),
        });
        let rows = json(&rows.collect::<Vec<_>>());
        let inbox = self.inbox.opened().await?;
        let query = sqlx::query(HANDLED).bind(rows).bind(millis(now));
        inbox.write(query).await
    }

    async fn count_refused(
        &self,
        refused: &[(&'static str, u64)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        let rows = json(&refused);
        let inbox = self.inbox.opened().await?;
        let query = sqlx::query(REFUSED).bind(rows).bind(millis(now));
        inbox.write(query).await
    }

    async fn standing(&self) -> Result<InboxStanding, StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(InboxStanding::default());
        };
        let read = async {
            let taken: Vec<(String, i64, i64)> = sqlx::query_as(TAKEN)
                .bind(LATE)
                .fetch_all(&inbox.reader)
                .await?;
            let refused: Vec<(String, i64)> =
                sqlx::query_as(REFUSALS).fetch_all(&inbox.reader).await?;
            let waiting = sqlx::query(WAITING).fetch_one(&inbox.reader).await?;
            let count = |name| waiting.get::<i64, _>(name).unsigned_abs();
            Ok(InboxStanding {
                last_at: taken.iter().map(|(_, _, last)| moment(*last)).max(),
                taken: taken
                    .into_iter()
                    .map(|(kind, count, _)| (kind, count.unsigned_abs()))
                    .collect(),
                pending: count("pending"),
                nobodys: count("nobodys"),
                strange_calls: count("strange"),
                unknown_attempts: count("unknown"),
                refused: refused
                    .into_iter()
                    .map(|(reason, count)| (reason, count.unsigned_abs()))
                    .collect(),
            })
        };
        read.await.map_err(|e| inbox.fault(&e))
    }

    async fn receiver_until(&self, until: Timestamp) -> Result<(), StoreError> {
        let inbox = self.inbox.opened().await?;
        inbox.write(sqlx::query(RECEIVER).bind(millis(until))).await
    }

    async fn is_received(&self, now: Timestamp) -> Result<bool, StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(false);
        };
        let query = sqlx::query_scalar(RECEIVES).bind(millis(now));
        let received = query.fetch_one(&inbox.reader).await;
        received.map_err(|e| inbox.fault(&e))
    }

    async fn ends_told(&self, run: &RunId) -> Result<u64, StoreError> {
        let Some(inbox) = self.inbox.if_there().await? else {
            return Ok(0);
        };
        let query = sqlx::query_scalar(ENDS_TOLD).bind(run.as_str());
        let told: Result<i64, _> = query.fetch_one(&inbox.reader).await;
        told.map(i64::unsigned_abs).map_err(|e| inbox.fault(&e))
    }

    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        self.tidy_inbox(now).await
    }

    async fn callback_secrets(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(SECRETS)
            .bind(millis(now))
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn change_callback_secret(&self, secret: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let change = async {
            let mut tx = sqlx::Connection::begin_with(&mut *writer, "BEGIN IMMEDIATE").await?;
            for statement in RETIRE_SECRETS {
                sqlx::query(statement)
                    .bind(millis(now))
                    .bind(millis(now + OLD_SECRET))
                    .bind(secret)
                    .execute(&mut *tx)
                    .await?;
            }
            let query = sqlx::query(NEW_SECRET).bind(secret).bind(millis(now));
            query.execute(&mut *tx).await?;
            tx.commit().await
        };
        change.await.map_err(|e| self.fault(&e))
    }
}

/// An event as it came.
fn received(row: &SqliteRow) -> Received {
    let attempt: Option<String> = row.get("attempt");
    let call: Option<String> = row.get("call");
    Received {
        number: EventNumber(row.get("number")),
        arrival: Arrival {
            body: row.get("body"),
            signed_at: row.get("signed_at"),
            at: moment(row.get("at")),
            kind: row.get("kind"),
            attempt: attempt.as_deref().and_then(AttemptId::parse),
            call: call.as_deref().and_then(CallId::new),
        },
    }
}
