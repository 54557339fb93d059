//! Who is due, in pages, and calls that are not over.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::group::HELD_UNTIL;
use crate::domain::retry::PerNumber;
use crate::domain::{AttemptKey, CallId, Hold, RecipientId, RunId, Zones};
use crate::store::sqlite::rows::{heard, heard_bits, pressed_bits};
use crate::store::sqlite::{SqliteStore, millis, moment, tried};
use crate::store::{Cursor, Due, DueAt, DuePage, OpenCall, StoreError};

/// Who is due behind a cursor, and the first who will be: no more rows are read than are wanted.
macro_rules! due {
    ($name:literal, $called:literal) => {
        concat!(
            $name,
            "
    with behind as not materialized (
        select id, endpoint, cells, due_at, tried, zones, hold, longest_s,
               ",
            $called,
            " as called
        from recipients
        where run = (select number from runs where id = ?1)
              and state in ('pending', 'waiting') and (due_at, id) > (?2, ?3)
    )
    select * from (select * from behind where due_at <= ?6 order by due_at, id limit ?4)
    union all
    select * from (select * from behind where due_at > ?6 order by due_at, id limit 1)"
        )
    };
}

const DUE: &str = due!("-- due_page", "null");

/// As `DUE`, with the n-th latest call on the same number in whatever run; unless it is proved that no
/// phone can have rung. The answer is later than the call, so a number rests a little longer than asked.
const DUE_PER_NUMBER: &str = due!(
    "-- due_page, per number",
    "(select coalesce(attempts.answered_at, attempts.intended_at) from recipients as same
                join attempts on attempts.recipient = same.id
                where same.endpoint = recipients.endpoint
                      and attempts.state not in ('not sent', 'refused')
                order by attempts.intended_at desc limit 1 offset ?5)"
);

impl SqliteStore {
    pub(super) async fn select_open_calls(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<OpenCall>, StoreError> {
        let rows = sqlx::query(concat!(
            "-- open_calls
             select key, ",
            heard_bits!(),
            " as heard, ",
            pressed_bits!(),
            " as pressed,
                     recipient, call_id, intended_at, attempts.hold, longest_s, tried,
                    coalesce(answered_at, intended_at) as accepted_at
             from attempts join recipients on recipients.id = attempts.recipient
             where attempts.run = (select number from runs where id = ?1) and recipient > ?2
                   and attempts.state in ('intended', 'accepted', 'uncertain')
                   and attempts.state = 'accepted'
             order by recipient limit ?3"
        ))
        .bind(run.as_str())
        .bind(after.0)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.fault(&e))?;
        rows.iter()
            .map(|row| {
                let id: String = row.get("call_id");
                let call = CallId::new(&id)
                    .ok_or_else(|| StoreError::Diverged("a call id cannot be read".into()))?;
                Ok(OpenCall {
                    key: AttemptKey(row.get("key")),
                    recipient: RecipientId(row.get("recipient")),
                    call,
                    intended_at: moment(row.get("intended_at")),
                    accepted_at: moment(row.get("accepted_at")),
                    hold: hold(row),
                    tried: tried(row).map_err(|e| self.fault(&e))?,
                    heard: heard(row),
                })
            })
            .collect()
    }

    pub(super) async fn select_due(
        &self,
        run: &RunId,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u32,
        per_number: Option<PerNumber>,
    ) -> Result<DuePage, sqlx::Error> {
        let (due_at, recipient) = match after.map(Cursor::place) {
            Some([due_at, recipient]) => (*due_at, *recipient),
            _ => (i64::MIN, 0),
        };
        // One row more than asked for tells when the next one is due.
        let mut rows = sqlx::query(if per_number.is_some() {
            DUE_PER_NUMBER
        } else {
            DUE
        })
        .bind(run.as_str())
        .bind(due_at)
        .bind(recipient)
        .bind(i64::from(limit) + 1)
        .bind(per_number.map(|rule| rule.calls - 1))
        .bind(millis(now))
        .fetch_all(&self.readers)
        .await?;
        let rests_until = |row: &SqliteRow| {
            let called: Option<i64> = row.get("called");
            moment(called?).checked_add(per_number?.within).ok()
        };
        let now = millis(now);
        let due = rows
            .iter()
            .take(limit as usize)
            .take_while(|r| r.get::<i64, _>("due_at") <= now);
        let count = due.count();
        let next_due = rows
            .get(count)
            .map(|row| match row.get::<i64, _>("due_at") {
                HELD_UNTIL.. => DueAt::Held,
                at => DueAt::At(moment(at)),
            });
        rows.truncate(count);
        let end = rows.last();
        let end = end.map(|row| Cursor::new(&[row.get("due_at"), row.get("id")]));
        let due = rows
            .iter()
            .map(|row| {
                Ok(Due {
                    recipient: RecipientId(row.get("id")),
                    endpoint: row.get("endpoint"),
                    cells: row.get("cells"),
                    zones: row.get::<Option<&str>, _>("zones").map(Zones::read),
                    hold: hold(row),
                    tried: tried(row)?,
                    rests_until: rests_until(row).filter(|until| millis(*until) > now),
                })
            })
            .collect::<Result<_, sqlx::Error>>()?;
        Ok(DuePage { due, next_due, end })
    }
}

/// What is, or would be, held for a call.
pub(in crate::store::sqlite) fn hold(row: &SqliteRow) -> Option<Hold> {
    let amount: Option<&str> = row.get("hold");
    Some(Hold {
        amount: amount?.parse().ok()?,
        // What is no length of a call is as long as one can be.
        longest_s: u32::try_from(row.get::<Option<i64>, _>("longest_s")?).unwrap_or(u32::MAX),
    })
}
