//! Everything about one recipient, and whom a run has still to call: for people who ask why.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::{
    Ahead, AttemptId, Backlog, RunId, Said, Story, Tried, Wait, WaitReason, Zones,
};
use crate::store::sqlite::engine::due::hold;
use crate::store::sqlite::engine::group::HELD_UNTIL;
use crate::store::sqlite::rows::{attempt_json, read_attempt, read_row, row_json};
use crate::store::sqlite::{SqliteStore, moment};
use crate::store::{RecipientQuery, StoreError};

/// Recipients with one endpoint, at most: the one that is called, and its duplicates.
const STORIES_MAX: u32 = 100;

/// The index on endpoints is a partial one, and has those of all runs.
const BY_ENDPOINT: &str = concat!(
    "-- stories, by endpoint
    select ",
    row_json!(),
    " as row, due_at, waiting_for, zones, hold, longest_s from recipients
    join runs on runs.number = recipients.run
    where recipients.endpoint = ?2 and recipients.endpoint is not null and runs.id = ?1
    order by recipients.id limit ?3"
);

const BY_LINE: &str = concat!(
    "-- stories, by line
    select ",
    row_json!(),
    " as row, due_at, waiting_for, zones, hold, longest_s from runs
    join recipients on recipients.id between runs.first_recipient and runs.last_recipient
    where runs.id = ?1 and recipients.line = ?2
    order by recipients.id limit ?3"
);

const ATTEMPTS: &str = concat!(
    "-- stories: attempts
    select ",
    attempt_json!(),
    " from attempts where recipient = ?1 order by key"
);

const WAITS: &str = "-- stories: waits
    select at, reason, until from waits where recipient = ?1 order by number";

const SAID: &str = "-- stories: what people said
    select attempts.id, called, why, who, at from settlements
    join attempts on attempts.key = settlements.attempt
    where attempts.recipient = ?1 order by number";

const BACKLOG: &str = "-- backlog
    select waiting_for, count(*) as n, min(due_at) as soonest from recipients
    where run = (select number from runs where id = ?1) and state in ('pending', 'waiting')
    group by 1";

/// Whoever is held is no part of it.
const AHEAD: &str = "-- ahead
    select zones, tried, due_at / 60000 as minute, count(*) as n from recipients
    where run = (select number from runs where id = ?1) and state in ('pending', 'waiting')
      and due_at < ?2
    group by 1, 2, 3";

impl SqliteStore {
    pub(super) async fn select_stories(
        &self,
        run: &RunId,
        whom: &RecipientQuery,
    ) -> Result<Vec<Story>, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let query = match whom {
            RecipientQuery::Endpoint(endpoint) => {
                sqlx::query(BY_ENDPOINT).bind(run.as_str()).bind(endpoint)
            }
            RecipientQuery::Line(line) => sqlx::query(BY_LINE)
                .bind(run.as_str())
                .bind(i64::try_from(*line).unwrap_or(i64::MAX)),
        };
        let rows = query
            .bind(STORIES_MAX)
            .fetch_all(&self.readers)
            .await
            .map_err(fault)?;
        let mut stories = Vec::new();
        for row in &rows {
            let mut story = read_story(row)?;
            let id = story.row.recipient.0;
            let of = |statement: &'static str| sqlx::query(statement).bind(id);
            let attempts = of(ATTEMPTS).fetch_all(&self.readers).await.map_err(fault)?;
            story.row.attempts = attempts
                .iter()
                .map(|attempt| read_attempt(attempt.get(0)))
                .collect::<Result<_, _>>()?;
            let waits = of(WAITS).fetch_all(&self.readers).await.map_err(fault)?;
            story.waits = waits.iter().filter_map(read_wait).collect();
            let said = of(SAID).fetch_all(&self.readers).await.map_err(fault)?;
            story.said = said.iter().filter_map(read_said).collect();
            stories.push(story);
        }
        Ok(stories)
    }

    pub(super) async fn select_backlog(&self, run: &RunId) -> Result<Vec<Backlog>, sqlx::Error> {
        let query = sqlx::query(BACKLOG).bind(run.as_str());
        let rows = query.fetch_all(&self.readers).await?;
        let backlog = rows.iter().map(|row| Backlog {
            waiting_for: reason(row, "waiting_for"),
            recipients: row.get::<i64, _>("n").unsigned_abs(),
            soonest: due_at(row.get("soonest")),
        });
        Ok(backlog.collect())
    }

    pub(super) async fn select_ahead(&self, run: &RunId) -> Result<Vec<Ahead>, sqlx::Error> {
        let query = sqlx::query(AHEAD).bind(run.as_str()).bind(HELD_UNTIL);
        let rows = query.fetch_all(&self.readers).await?;
        let ahead = rows.iter().map(|row| Ahead {
            zones: row.get::<Option<&str>, _>("zones").map(Zones::read),
            tried: Tried::unpack(row.get("tried")).unwrap_or_default(),
            due: moment(row.get::<i64, _>("minute").saturating_mul(60_000)),
            people: row.get::<i64, _>("n").unsigned_abs(),
        });
        Ok(ahead.collect())
    }
}

fn read_story(row: &SqliteRow) -> Result<Story, StoreError> {
    Ok(Story {
        row: read_row(row.get("row"))?,
        due_at: row.get::<Option<i64>, _>("due_at").and_then(due_at),
        waiting_for: reason(row, "waiting_for"),
        zones: row.get::<Option<&str>, _>("zones").map(Zones::read),
        hold: hold(row),
        waits: Vec::new(),
        said: Vec::new(),
    })
}

/// When somebody is due; none for whom that never comes by itself.
fn due_at(millis: i64) -> Option<Timestamp> {
    (millis < HELD_UNTIL).then(|| moment(millis))
}

fn reason(row: &SqliteRow, column: &str) -> Option<WaitReason> {
    WaitReason::parse(row.get::<Option<&str>, _>(column)?)
}

fn read_wait(row: &SqliteRow) -> Option<Wait> {
    Some(Wait {
        at: moment(row.get("at")),
        reason: reason(row, "reason")?,
        until: row.get::<Option<i64>, _>("until").map(moment),
    })
}

fn read_said(row: &SqliteRow) -> Option<Said> {
    let id: Vec<u8> = row.get("id");
    Some(Said {
        attempt: AttemptId::from_bytes(<[u8; 16]>::try_from(id).ok()?),
        called: row.get("called"),
        why: row.get("why"),
        who: row.get("who"),
        at: moment(row.get("at")),
    })
}
