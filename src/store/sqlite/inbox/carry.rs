//! The inbox beside a copy of the database, and back.
//!
//! A copy is put back by adding what it has to what is there: whoever receives events meanwhile goes on, and
//! nothing that was acknowledged is lost. All of them are read once more, as the database that is put back
//! may not know what followed from them; to read one twice changes nothing.

use std::io;
use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::file::{InboxFile, SUFFIX, VERSION};
use crate::store::StoreError;
use crate::store::sqlite::connecting::{is_whole, quiet};
use crate::store::sqlite::fault::fault;
use crate::store::sqlite::file::{beside, private, remove};

const COPY: &str = "vacuum into ?1";

const PUT_BACK: [&str; 5] = [
    "-- put back: all are read once more
     update events set owner = null, run = null, handled_at = null
     where bodied = 1 and owner is not null",
    "-- put back: events
     insert or ignore into events
         (digest, signed_at, at, kind, attempt, call, bodied, owner, run, handled_at)
     select digest, signed_at, at, kind, attempt, call, bodied,
            case when bodied = 0 then owner end, case when bodied = 0 then run end,
            case when bodied = 0 then handled_at end
     from copied.events order by number",
    "-- put back: bodies
     insert into bodies (number, body)
     select here.number, there.body from copied.events as copy
     join copied.bodies as there on there.number = copy.number
     join main.events as here on here.digest = copy.digest
     where here.bodied = 1 and copy.bodied = 1
         and not exists (select 1 from main.bodies where bodies.number = here.number)
     order by here.number",
    "-- put back: counts of what came
     insert into taken (kind, count, last_at)
     select kind, count, last_at from copied.taken where true
     on conflict (kind) do update
     set count = max(count, excluded.count), last_at = max(last_at, excluded.last_at)",
    "-- put back: counts of what was refused
     insert into refused (reason, count, last_at)
     select reason, count, last_at from copied.refused where true
     on conflict (reason) do update
     set count = max(count, excluded.count), last_at = max(last_at, excluded.last_at)",
];

impl InboxFile {
    /// Copies it beside a copy of the database; nothing where nothing ever came.
    pub(in crate::store::sqlite) async fn copy_to(
        &self,
        database: &Path,
    ) -> Result<(), StoreError> {
        let Some(inbox) = self.if_there().await? else {
            return Ok(());
        };
        let to = beside(database, SUFFIX);
        let shown = to.display().to_string();
        let unusable = |e: io::Error| StoreError::unusable(&shown, "written", &e);
        let file = private().write(true).create_new(true).open(&to);
        let file = file.map_err(unusable)?;
        let query = sqlx::query(COPY).bind(to.to_string_lossy().into_owned());
        if let Err(error) = query.execute(&inbox.reader).await {
            remove(&to).map_err(unusable)?;
            return Err(inbox.fault(&error));
        }
        file.sync_all().map_err(unusable)
    }

    /// Whether every page and index of it is as it should be.
    pub(in crate::store::sqlite) async fn check(&self) -> Result<(), StoreError> {
        let Some(inbox) = self.if_there().await? else {
            return Ok(());
        };
        let mut reader = inbox.reader.acquire().await.map_err(|e| inbox.fault(&e))?;
        is_whole(&mut reader, &inbox.writing.shown).await
    }

    /// Adds what stands beside a copy of the database, and has all events read once more.
    pub(in crate::store::sqlite) async fn put_back(&self, copy: &Path) -> Result<(), StoreError> {
        let from = beside(copy, SUFFIX);
        let copied = from.symlink_metadata().is_ok();
        if copied {
            check_copy(&from).await?;
        } else if self.if_there().await?.is_none() {
            return Ok(());
        }
        let inbox = self.opened().await?;
        let mut writer = inbox.writing.connection.lock().await;
        let added = async {
            if copied {
                let path = from.to_string_lossy().into_owned();
                let query = sqlx::query("attach database ?1 as copied").bind(path);
                query.execute(&mut *writer).await?;
            }
            add(&mut writer, copied).await?;
            if copied {
                let query = sqlx::query("detach database copied");
                query.execute(&mut *writer).await?;
            }
            Ok(())
        };
        added.await.map_err(|e| inbox.fault(&e))
    }
}

async fn add(writer: &mut SqliteConnection, copied: bool) -> Result<(), sqlx::Error> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    let (again, from_copy) = PUT_BACK.split_at(1);
    let from_copy = if copied { from_copy } else { &[] };
    for statement in again.iter().chain(from_copy) {
        sqlx::query(*statement).execute(&mut *tx).await?;
    }
    tx.commit().await
}

/// Whether a copy is an inbox of ours, and whole.
async fn check_copy(from: &Path) -> Result<(), StoreError> {
    let shown = from.display().to_string();
    let fault = |e: sqlx::Error| fault(&shown, &e);
    let options = quiet(sqlx::sqlite::SqliteConnectOptions::new()).filename(from);
    let mut reader = options.read_only(true).connect().await.map_err(fault)?;
    let whole = is_whole(&mut reader, &shown).await;
    let found: Result<i64, _> = sqlx::query_scalar("pragma user_version")
        .fetch_one(&mut reader)
        .await;
    reader.close().await.map_err(fault)?;
    whole?;
    match found.map_err(fault)? {
        // Whatever is carried has been the same since the first.
        1..=VERSION => Ok(()),
        found if found > VERSION => Err(StoreError::Newer {
            path: shown,
            found,
            known: VERSION,
        }),
        _ => Err(StoreError::Foreign {
            path: shown,
            why: "is no copy of an inbox".into(),
        }),
    }
}
