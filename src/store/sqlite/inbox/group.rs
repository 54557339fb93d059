//! Writing down what came: whoever waits for the disk waits together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::digest::hex;
use crate::domain::CallId;
use crate::store::sqlite::fault::fault;
use crate::store::sqlite::file::{Inode, inode_at};
use crate::store::sqlite::millis;
use crate::store::sqlite::rows::json;
use crate::store::{Arrival, LATE, StoreError};

/// Events that are written together, at most.
pub(super) const GROUP_MAX: usize = 256;

/// So many events are worth a write, however short after the one before.
const GROUP_WORTHY: usize = 16;
/// The least time from one group to the next, for fewer: an event that comes alone is written at once.
const BETWEEN_GROUPS: Duration = Duration::from_millis(40);
/// The same where somebody on the line waits for what is said next.
const BETWEEN_ANSWERS: Duration = Duration::from_millis(3);

/// The inbox's own writer.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) file: PathBuf,
    pub(super) shown: String,
    pub(super) inode: Option<Inode>,
    pub(super) connection: Mutex<SqliteConnection>,
}

/// An event on its way to the disk, and who waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) arrival: Arrival,
    pub(super) kept: oneshot::Sender<Result<bool, StoreError>>,
}

const EVENTS: &str = "-- inbox: keep
    insert into events (digest, signed_at, at, kind, attempt, call)
    select unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
    from json_each(?1) where true
    on conflict (digest) do nothing
    returning number, lower(hex(digest))";

const BODIES: &str = "-- inbox: keep their bodies
    insert into bodies (number, body)
    select value ->> 0, unhex(value ->> 1) from json_each(?1)";

const TAKEN: &str = "-- inbox: count them
    insert into taken (kind, count, last_at)
    select value ->> 0, value ->> 1, value ->> 2 from json_each(?1) where true
    on conflict (kind) do update
    set count = count + excluded.count, last_at = max(last_at, excluded.last_at)";

impl Writing {
    /// Whether the file is still the one that has the name: nothing is kept in one that nobody finds.
    pub(super) fn is_in_place(&self) -> bool {
        self.inode.is_some() && inode_at(&self.file) == self.inode
    }
}

/// Writes groups until nobody can send any more.
pub(super) async fn keep_all(writing: Arc<Writing>, mut arrivals: mpsc::Receiver<Waiting>) {
    let mut group = Vec::new();
    while !group.is_empty() || arrivals.recv_many(&mut group, GROUP_MAX).await > 0 {
        let size = group.len();
        let digests: Vec<String> = group.iter().map(|w| digest(&w.arrival)).collect();
        let mut written = {
            let mut writer = writing.connection.lock().await;
            write(&mut writer, &group, &digests).await
        };
        for (waiting, digest) in group.drain(..).zip(digests) {
            let said = match &mut written {
                Err(error) => Err(fault(&writing.shown, error)),
                Ok(_) if !writing.is_in_place() => Err(StoreError::Gone {
                    path: writing.shown.clone(),
                    what: "was removed or replaced",
                }),
                // The first of several alike is the new one.
                Ok(new) => Ok(new.remove(&digest)),
            };
            drop(waiting.kept.send(said));
        }
        // Where many come, they share the disk: those who were answered now may come again.
        gather(&mut arrivals, &mut group, size.max(GROUP_WORTHY)).await;
    }
}

/// Waits until so many are there, or those that are there have waited long enough.
async fn gather(arrivals: &mut mpsc::Receiver<Waiting>, group: &mut Vec<Waiting>, enough: usize) {
    let began = Instant::now();
    while group.len() < enough {
        let answers = group.iter().any(|waiting| waiting.arrival.is_answered());
        let until = began
            + if answers {
                BETWEEN_ANSWERS
            } else {
                BETWEEN_GROUPS
            };
        let more = timeout_at(until, arrivals.recv_many(group, GROUP_MAX)).await;
        if !more.is_ok_and(|more| more > 0) {
            return;
        }
    }
}

/// What tells an event apart: its bytes, the moment that was signed, and whether it was refused for its age.
fn digest(arrival: &Arrival) -> String {
    let mut sha256 = Sha256::new();
    sha256.update((arrival.signed_at.len() as u64).to_be_bytes());
    sha256.update(arrival.signed_at.as_bytes());
    sha256.update(&arrival.body);
    if arrival.kind == LATE {
        sha256.update(LATE);
    }
    hex(&sha256.finalize())
}

/// Writes a group in one transaction. Returns the digests of those that are new.
async fn write(
    writer: &mut SqliteConnection,
    group: &[Waiting],
    digests: &[String],
) -> Result<HashSet<String>, sqlx::Error> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    let rows: Vec<_> = group
        .iter()
        .zip(digests)
        .map(|(Waiting { arrival, .. }, digest)| {
            let attempt = arrival.attempt.map(|attempt| attempt.to_string());
            let call = arrival.call.as_ref().map(CallId::as_str);
            let (signed_at, at) = (&arrival.signed_at, millis(arrival.at));
            (digest, signed_at, at, &arrival.kind, attempt, call)
        })
        .collect();
    let mut new: Vec<(i64, String)> = sqlx::query_as(EVENTS)
        .bind(json(&rows))
        .fetch_all(&mut *tx)
        .await?;
    new.sort_unstable();
    let places: HashMap<&str, &Arrival> = digests
        .iter()
        .zip(group)
        .map(|(digest, waiting)| (digest.as_str(), &waiting.arrival))
        .collect();
    let mut bodies = Vec::new();
    let mut taken: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for (number, digest) in &new {
        let Some(arrival) = places.get(digest.as_str()) else {
            continue;
        };
        bodies.push((number, hex(&arrival.body)));
        let (count, last) = taken.entry(&arrival.kind).or_insert((0, i64::MIN));
        *count += 1;
        *last = millis(arrival.at).max(*last);
    }
    if !bodies.is_empty() {
        let taken: Vec<_> = taken.iter().map(|(kind, (n, at))| (kind, n, at)).collect();
        for (statement, rows) in [(BODIES, json(&bodies)), (TAKEN, json(&taken))] {
            sqlx::query(statement).bind(rows).execute(&mut *tx).await?;
        }
    }
    tx.commit().await?;
    Ok(new.into_iter().map(|(_, digest)| digest).collect())
}
