//! Suppression lists: an act of a person and, by act, the numbers as Roaring bitmaps.
//!
//! A number stands on a list by one act, the latest, so adding takes it out of the list's earlier
//! acts. Every change raises the revision, by which an engine sees that there was one.

use async_trait::async_trait;
use roaring::{RoaringBitmap, RoaringTreemap};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, SqliteConnection, Transaction};
use tracing::warn;

use super::mark::ListsLine;
use super::rows::json;
use super::{SqliteStore, millis, moment};
use crate::domain::{Digits, NumberHash, READER, Suppression, Suppressions};
use crate::store::{Added, ListAct, ListChange, Removal, StoreError, SuppressionStore};

/// Lower bits of the numbers that share a row.
const PIECE_BITS: u32 = 24;
/// Rows of bitmaps read at a time.
const PAGE: i64 = 200;

const STATE: &str = "-- suppressions: the state
    select revision, key from suppression_state";

const NUMBERS: &str = "-- suppressions: numbers
    select suppressed_numbers.*, list, who, at, why, until, reader
    from suppressed_numbers join suppression_acts on suppression_acts.number = act
    where (act, suppressed_numbers.id) > (?1, ?2) order by act, suppressed_numbers.id limit ?3";

const ERASED: &str = "-- suppressions: erased numbers
    select hash, list, who, at, why, until
    from erased_numbers join suppression_acts on suppression_acts.number = act";

const ACT: &str = "-- suppression: the act
    insert into suppression_acts (what, list, who, at, why, until, numbers, reader)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) returning number";

const REVISE: &str = "-- suppression: the revision
    update suppression_state set revision = revision + 1
    returning revision, (select lower(hex(id)) from identity) as id";

/// Numbers that are looked for one by one, where they were put on a list alone; of more, all such are read.
const FEW: u64 = 10_000;

const LISTED: &str = "-- suppression: where a list has numbers
    select suppressed_numbers.id, high, suppressed_numbers.numbers, until is null as for_good
    from suppressed_numbers indexed by suppressed_numbers_many
    cross join suppression_acts on suppression_acts.number = act
    where suppressed_numbers.number is null and (?1 is null or list = ?1)";

const LISTED_ALONE: &str = "-- suppression: where a list has these numbers alone
    select suppressed_numbers.id, high, suppressed_numbers.numbers, until is null as for_good
    from suppressed_numbers cross join suppression_acts on suppression_acts.number = act
    where suppressed_numbers.number in (select value from json_each(?2)) and (?1 is null or list = ?1)";

const ALL_ALONE: &str = "-- suppression: where a list has numbers alone
    select suppressed_numbers.id, high, suppressed_numbers.numbers, until is null as for_good
    from suppressed_numbers join suppression_acts on suppression_acts.number = act
    where suppressed_numbers.number is not null and (?1 is null or list = ?1)";

const CHANGES: &str = "-- list_changes
    select list, what, who, at, numbers, max(number) from suppression_acts group by list";

#[async_trait]
impl SuppressionStore for SqliteStore {
    async fn suppressions(&self) -> Result<Suppressions, StoreError> {
        // One transaction, so that revision, key and numbers are of one moment.
        let mut reader = self.readers.begin().await.map_err(|e| self.fault(&e))?;
        self.read_lists(&mut reader).await
    }

    async fn suppress(
        &self,
        reason: &Suppression,
        numbers: &RoaringTreemap,
    ) -> Result<Added, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let line = self.hold_lists_line().await;
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let added = put_on(&mut tx, reason, numbers).await.map_err(fault)??;
        revise(tx, line).await.map_err(fault)?;
        Ok(added)
    }

    async fn unsuppress(
        &self,
        numbers: &RoaringTreemap,
        removal: &Removal,
    ) -> Result<u64, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let list = removal.list.as_deref();
        let numbers = &with_twins(numbers);
        let line = self.hold_lists_line().await;
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let mut removed = take_off(&mut tx, list, numbers).await.map_err(fault)??;
        if list.is_none_or(|list| list == crate::domain::suppression::ERASED)
            && let Some(hash) = stored_hash(&mut tx).await.map_err(fault)??
        {
            for number in numbers {
                let gone = sqlx::query(
                    "-- unsuppress: an erased number
                     delete from erased_numbers where hash = ?1",
                )
                .bind(hash.of(Digits::from_value(number)).to_vec())
                .execute(&mut *tx)
                .await
                .map_err(fault)?;
                removed += gone.rows_affected();
            }
        }
        if removed == 0 {
            tx.commit().await.map_err(fault)?;
        } else {
            sqlx::query(ACT)
                .bind("remove")
                .bind(list)
                .bind(&removal.who)
                .bind(millis(removal.at))
                .bind(&removal.why)
                .bind(None::<i64>)
                .bind(i64::try_from(removed).unwrap_or(i64::MAX))
                .bind(READER)
                .execute(&mut *tx)
                .await
                .map_err(fault)?;
            revise(tx, line).await.map_err(fault)?;
        }
        Ok(removed)
    }

    async fn imported_again(&self, list: &str) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        sqlx::query(
            "-- imported_again
             update suppression_acts set reader = ?2 where list = ?1 and what = 'add'",
        )
        .bind(list)
        .bind(READER)
        .execute(&mut *writer)
        .await
        .map(drop)
        .map_err(|e| self.fault(&e))
    }

    async fn list_changes(&self) -> Result<Vec<ListChange>, StoreError> {
        let rows = sqlx::query(CHANGES).fetch_all(&self.readers).await;
        let rows = rows.map_err(|e| self.fault(&e))?;
        let change = |row: &SqliteRow| ListChange {
            list: row.get("list"),
            what: ListAct::parse(row.get("what")).unwrap_or(ListAct::Add),
            who: row.get("who"),
            at: moment(row.get("at")),
            numbers: row.get::<i64, _>("numbers").unsigned_abs(),
        };
        Ok(rows.iter().map(change).collect())
    }
}

impl SqliteStore {
    pub(super) async fn select_revision(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "-- suppressions: has anything changed?
             select revision from suppression_state",
        )
        .fetch_one(&self.readers)
        .await
    }

    async fn read_lists(&self, reader: &mut SqliteConnection) -> Result<Suppressions, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let state = sqlx::query(STATE).fetch_one(&mut *reader).await;
        let state = state.map_err(fault)?;
        let hash = hash_of(&state)?;
        let mut lists = Suppressions::at_revision(state.get("revision"), hash);
        let mut act: Option<(i64, Suppression, RoaringTreemap)> = None;
        let mut after = (0_i64, 0_i64);
        loop {
            let rows = sqlx::query(NUMBERS)
                .bind(after.0)
                .bind(after.1)
                .bind(PAGE)
                .fetch_all(&mut *reader)
                .await
                .map_err(fault)?;
            let Some(last) = rows.last() else { break };
            after = (last.get("act"), last.get("id"));
            for row in &rows {
                if row.get::<i64, _>("reader") < i64::from(READER) {
                    lists.was_read_earlier(row.get("list"));
                }
                let number: i64 = row.get("act");
                if act.as_ref().is_none_or(|(act, ..)| *act != number) {
                    let before = act.replace((number, reason(row), RoaringTreemap::new()));
                    if let Some((_, reason, numbers)) = before {
                        lists.add(reason, numbers);
                    }
                }
                if let Some((.., numbers)) = &mut act {
                    *numbers |= RoaringTreemap::from_bitmaps([(high(row), bitmap(row)?)]);
                }
            }
        }
        if let Some((_, reason, numbers)) = act {
            lists.add(reason, numbers);
        }
        let erased = sqlx::query(ERASED).fetch_all(reader).await;
        for row in &erased.map_err(fault)? {
            let hash = <[u8; 32]>::try_from(row.get::<Vec<u8>, _>("hash"));
            let hash = hash.map_err(|_| broken("the hash of a number"))?;
            lists.add_erased(reason(row), hash);
        }
        Ok(lists.whole())
    }

    pub(super) async fn insert_erased(
        &self,
        number: Digits,
        reason: &Suppression,
        key: &[u8; 32],
    ) -> Result<(), StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let line = self.hold_lists_line().await;
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        sqlx::query(
            "-- erase: the key, if there is none
             update suppression_state set key = ?1 where key is null",
        )
        .bind(key.as_slice())
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        let hash = stored_hash(&mut tx).await.map_err(fault)??;
        let hash = hash.ok_or_else(|| broken("the key of the hashes"))?;
        take_off(
            &mut tx,
            None,
            &with_twins(&[number.value()].into_iter().collect()),
        )
        .await
        .map_err(fault)??;
        // What was said of a number that stands nowhere any more may have been about one person.
        sqlx::query(
            "-- erase: reasons of nobody
             update suppression_acts set why = null
             where why is not null
                   and number not in (select act from suppressed_numbers)
                   and number not in (select act from erased_numbers)",
        )
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        let act = act(&mut tx, "erase", reason, 1).await.map_err(fault)?;
        sqlx::query(
            "-- erase: the hash
             insert into erased_numbers (hash, act) values (?1, ?2) on conflict do nothing",
        )
        .bind(hash.of(number).to_vec())
        .bind(act)
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        revise(tx, line).await.map_err(fault)?;
        Ok(())
    }
}

/// Puts numbers on a list. The lists have another revision once that is [`revise`]d.
async fn put_on(
    tx: &mut Transaction<'_, Sqlite>,
    reason: &Suppression,
    numbers: &RoaringTreemap,
) -> Read<Added> {
    let (kept, erased) = match without_erased(tx, numbers).await? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let numbers = kept.as_ref().unwrap_or(numbers);
    let renewed = match take_off(tx, Some(&reason.list), &with_twins(numbers)).await? {
        Ok(renewed) => renewed,
        Err(error) => return Ok(Err(error)),
    };
    let act = act(tx, "add", reason, numbers.len()).await?;
    let alone = (numbers.len() == 1).then(|| numbers.min()).flatten();
    let alone = alone.and_then(|number| i64::try_from(number).ok());
    for (high, piece) in pieces(numbers) {
        sqlx::query(
            "-- suppress
             insert into suppressed_numbers (act, high, numbers, number) values (?1, ?2, ?3, ?4)",
        )
        .bind(act)
        .bind(high)
        .bind(bytes(&piece))
        .bind(alone)
        .execute(&mut **tx)
        .await?;
    }
    Ok(Ok(Added {
        new: numbers.len().saturating_sub(renewed),
        renewed,
        erased,
    }))
}

/// Puts a number on a list for good, unless it is there for good or was erased. Returns whether it was put there: the
/// lists have another revision then, once that is [`revise`]d.
pub(super) async fn put_on_for_good(
    tx: &mut Transaction<'_, Sqlite>,
    reason: &Suppression,
    number: Digits,
) -> Read<bool> {
    let number = [number.value()].into_iter().collect();
    let spellings = with_twins(&number);
    for row in &places(tx, Some(&reason.list), &spellings).await? {
        let there = match bitmap(row) {
            Ok(there) => RoaringTreemap::from_bitmaps([(high(row), there)]),
            Err(error) => return Ok(Err(error)),
        };
        if row.get("for_good") && !there.is_disjoint(&spellings) {
            return Ok(Ok(false));
        }
    }
    let added = put_on(tx, reason, &number).await?;
    Ok(added.map(|added| added.new + added.renewed > 0))
}

/// Ends a change of the lists: they have another revision, here and outside of the database.
pub(super) async fn revise(
    mut tx: Transaction<'_, Sqlite>,
    line: Option<ListsLine>,
) -> Result<(), sqlx::Error> {
    let revised = sqlx::query(REVISE).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    tell(line, &revised);
    Ok(())
}

/// Says outside of the database that the lists were changed. Who cannot has suppressed all the same, and
/// a mark that says less is no fault.
fn tell(line: Option<ListsLine>, revised: &SqliteRow) {
    let Some(line) = line else { return };
    let (id, revision): (&str, i64) = (revised.get("id"), revised.get("revision"));
    if let Err(error) = line.revised(id, revision) {
        warn!(%error, "the change is made, and an older copy without it would not be noticed");
    }
}

/// What is read back may be unreadable, apart from the database's own faults.
pub(super) type Read<T> = Result<Result<T, StoreError>, sqlx::Error>;

/// Takes numbers off a list, or off all. Returns how many entries there were.
async fn take_off(
    tx: &mut Transaction<'_, Sqlite>,
    list: Option<&str>,
    numbers: &RoaringTreemap,
) -> Read<u64> {
    let mut removed = 0;
    for place in &places(tx, list, numbers).await? {
        let Some((_, wanted)) = numbers.bitmaps().find(|(part, _)| *part == high(place)) else {
            continue;
        };
        let id: i64 = place.get("id");
        let there = match bitmap(place) {
            Ok(there) => there,
            Err(error) => return Ok(Err(error)),
        };
        let found = there.intersection_len(wanted);
        if found == 0 {
            continue;
        }
        removed += found;
        let left = there - wanted;
        let change = if left.is_empty() {
            sqlx::query(
                "-- suppression: the last numbers of a row
                 delete from suppressed_numbers where id = ?1",
            )
            .bind(id)
        } else {
            sqlx::query(
                "-- suppression: what is left of a row
                 update suppressed_numbers set numbers = ?2 where id = ?1",
            )
            .bind(id)
            .bind(bytes(&left))
        };
        change.execute(&mut **tx).await?;
    }
    Ok(Ok(removed))
}

/// Where a list, or any, may have some of these numbers.
async fn places(
    tx: &mut Transaction<'_, Sqlite>,
    list: Option<&str>,
    numbers: &RoaringTreemap,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    let mut places = sqlx::query(LISTED).bind(list).fetch_all(&mut **tx).await?;
    let alone = if numbers.len() > FEW {
        sqlx::query(ALL_ALONE)
            .bind(list)
            .fetch_all(&mut **tx)
            .await?
    } else {
        let wanted = json(&numbers.iter().collect::<Vec<_>>());
        sqlx::query(LISTED_ALONE)
            .bind(list)
            .bind(wanted)
            .fetch_all(&mut **tx)
            .await?
    };
    places.extend(alone);
    Ok(places)
}

/// Numbers with the other spellings of those that have two.
fn with_twins(numbers: &RoaringTreemap) -> RoaringTreemap {
    let twins = numbers
        .iter()
        .filter_map(|number| Digits::from_value(number).twin());
    let twins: RoaringTreemap = twins.map(Digits::value).collect();
    numbers | twins
}

/// The numbers that were not erased, where some were; and how many were.
async fn without_erased(
    tx: &mut Transaction<'_, Sqlite>,
    numbers: &RoaringTreemap,
) -> Read<(Option<RoaringTreemap>, u64)> {
    let erased: Vec<Vec<u8>> = sqlx::query_scalar(
        "-- suppress: erased numbers
         select hash from erased_numbers",
    )
    .fetch_all(&mut **tx)
    .await?;
    if erased.is_empty() {
        return Ok(Ok((None, 0)));
    }
    let hash = match stored_hash(tx).await? {
        Ok(Some(hash)) => hash,
        Ok(None) => return Ok(Err(broken("the key of the hashes"))),
        Err(error) => return Ok(Err(error)),
    };
    let erased: std::collections::HashSet<Vec<u8>> = erased.into_iter().collect();
    let is_erased = |number: &u64| {
        let mut spellings = Digits::from_value(*number).spellings();
        spellings.any(|number| erased.contains(hash.of(number).as_slice()))
    };
    let found: RoaringTreemap = numbers.iter().filter(is_erased).collect();
    Ok(Ok((Some(numbers - &found), found.len())))
}

/// Numbers in rows that are small enough to be written anew for one of them: those that share their
/// upper 40 bits.
fn pieces(numbers: &RoaringTreemap) -> impl Iterator<Item = (u32, RoaringBitmap)> {
    numbers.bitmaps().flat_map(|(high, bitmap)| {
        let mut rest = bitmap.iter().peekable();
        std::iter::from_fn(move || {
            let part = *rest.peek()? >> PIECE_BITS;
            let mut piece = RoaringBitmap::new();
            while let Some(low) = rest.next_if(|low| low >> PIECE_BITS == part) {
                piece.insert(low);
            }
            Some((high, piece))
        })
    })
}

async fn act(
    tx: &mut Transaction<'_, Sqlite>,
    what: &str,
    reason: &Suppression,
    numbers: u64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(ACT)
        .bind(what)
        .bind(&reason.list)
        .bind(&reason.who)
        .bind(millis(reason.at))
        .bind(&reason.why)
        .bind(reason.until.map(millis))
        .bind(i64::try_from(numbers).unwrap_or(i64::MAX))
        .bind(READER)
        .fetch_one(&mut **tx)
        .await
}

async fn stored_hash(tx: &mut Transaction<'_, Sqlite>) -> Read<Option<NumberHash>> {
    Ok(hash_of(&sqlx::query(STATE).fetch_one(&mut **tx).await?))
}

fn hash_of(state: &SqliteRow) -> Result<Option<NumberHash>, StoreError> {
    let key: Option<Vec<u8>> = state.get("key");
    let key = key.map(|key| <[u8; 32]>::try_from(key).map_err(|_| broken("the key of the hashes")));
    Ok(key.transpose()?.map(|key| NumberHash::new(&key)))
}

fn reason(row: &SqliteRow) -> Suppression {
    Suppression {
        list: row.get("list"),
        who: row.get("who"),
        at: moment(row.get("at")),
        why: row.get("why"),
        until: row.get::<Option<i64>, _>("until").map(moment),
    }
}

fn high(row: &SqliteRow) -> u32 {
    u32::try_from(row.get::<i64, _>("high")).unwrap_or(u32::MAX)
}

fn bitmap(row: &SqliteRow) -> Result<RoaringBitmap, StoreError> {
    let bytes: &[u8] = row.get("numbers");
    RoaringBitmap::deserialize_from(bytes).map_err(|_| broken("a bitmap of suppressed numbers"))
}

fn bytes(bitmap: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(bitmap.serialized_size());
    bitmap
        .serialize_into(&mut bytes)
        .expect("memory takes all that is written");
    bytes
}

fn broken(what: &str) -> StoreError {
    StoreError::Diverged(format!("{what} cannot be read"))
}
