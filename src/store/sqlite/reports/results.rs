//! Reading what became of a run: counts, and rows with their attempts, in pages.

use rust_decimal::Decimal;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::domain::{
    Answered, Disposition, Money, RecipientId, RecipientState, ResultRow, RunId, SecondCall,
    SpendAccount, Stage, Tally, told,
};
use crate::store::StoreError;
use crate::store::sqlite::rows::{
    attempt_json, outcome, read_page, recipient_state, row_json, stage,
};
use crate::store::sqlite::{SqliteStore, moment};

/// Ids rise without gaps, so a page is a span of them. It begins where the last one ended: SQLite takes one
/// lower bound, and would step from the first row of the run over all that was read before.
const RESULTS: &str = concat!(
    "-- results
    select group_concat(",
    row_json!(),
    " || coalesce((
        select group_concat(char(9) || ",
    attempt_json!(),
    ", '') from attempts indexed by attempts_recipient where attempts.recipient = recipients.id
    ), ''), char(10))
    from runs join recipients on recipients.id between max(runs.first_recipient, ?2 + 1)
         and min(runs.last_recipient, max(runs.first_recipient, ?2 + 1) + ?3 - 1)
    where runs.id = ?1"
);

const REJECTS: &str = concat!(
    "-- rejects
    select group_concat(",
    row_json!(),
    ", char(10)) from (
        select id from recipients
        where run = (select number from runs where id = ?1)
              and disposition in ('invalid', 'duplicate', 'suppressed') and id > ?2
        order by id limit ?3
    ) as page
    join recipients on recipients.id = page.id join runs on runs.number = recipients.run"
);

/// The rows of a run by what became of them. Each part has an index that holds nobody else; who is in
/// flight has an attempt that is not over.
const TALLY_ROWS: &str = "-- tally: recipients
    with own (run) as (select number from runs where id = ?1),
    due (pending, waiting) as materialized (
        select count(*) filter (where state = 'pending'), count(*) filter (where state = 'waiting')
        from own join recipients indexed by recipients_due using (run)
        where state in ('pending', 'waiting')
    )
    select 'done' as state, disposition, count(*) as n
    from own join recipients indexed by recipients_done using (run)
    where state = 'done' group by disposition
    union all
    select 'pending', null, pending from due
    union all
    select 'waiting', null, waiting from due
    union all
    select 'in flight', null, count(*)
    from own join attempts indexed by attempts_live using (run)
    join recipients on recipients.id = attempts.recipient and recipients.state = 'in flight'
    where attempts.state in ('intended', 'accepted', 'uncertain')";

/// The attempts of a run that are alike. Those that are over stand together in an index, so that they are
/// counted as they are passed; their first and last moment, and how long they talked, is looked up.
const TALLY_ATTEMPTS: &str = "-- tally: attempts
    with own (run) as (select number from runs where id = ?1),
    alike as materialized (
        select run, state, result, reason, debit, currency, count(*) as n from own
        join attempts indexed by attempts_over using (run)
        where state in ('final', 'not sent', 'refused')
        group by run, state, result, reason, debit, currency
    )
    select state, result, reason, debit, currency, null as duration_s, n,
           (select min(intended_at) from attempts as each
            where each.run = alike.run and each.state = alike.state
                  and each.state in ('final', 'not sent', 'refused') and each.result is alike.result
                  and each.reason is alike.reason and each.debit is alike.debit
                  and each.currency is alike.currency) as first_at,
           (select max(intended_at) from attempts as each
            where each.run = alike.run and each.state = alike.state
                  and each.state in ('final', 'not sent', 'refused') and each.result is alike.result
                  and each.reason is alike.reason and each.debit is alike.debit
                  and each.currency is alike.currency) as last_at,
           case when result = 'ANSWERED' then
               (select sum(duration_s) from attempts as each
                where each.run = alike.run and each.state = alike.state
                      and each.state in ('final', 'not sent', 'refused') and each.result is alike.result
                      and each.reason is alike.reason and each.debit is alike.debit
                      and each.currency is alike.currency and duration_s between 0 and ?2) end as talk_s
    from alike
    union all
    select state, result, reason, debit, currency, null, count(*), min(intended_at), max(intended_at),
           sum(duration_s) filter (where result = 'ANSWERED' and duration_s between 0 and ?2)
    from own join attempts indexed by attempts_live using (run)
    where state in ('intended', 'accepted', 'uncertain')
    group by state, result, reason, debit, currency";

const SECOND_CALLS: &str = "-- tally: calls that should not be
    select lower(hex(attempts.id)), attempts.call_id, second_calls.call_id from second_calls
    join attempts on attempts.key = second_calls.attempt
    where attempts.run = (select number from runs where id = ?1)
    order by second_calls.at, second_calls.call_id";

/// What the legs of connected calls cost.
const TALLY_LEGS: &str = "-- tally: legs
    select legs.debit, legs.currency, count(*) as n from legs
    join attempts on attempts.key = legs.attempt
    where attempts.run = (select number from runs where id = ?1) and legs.debit is not null
    group by legs.debit, legs.currency";

/// Why recipients were not reached. It looks at each, so it is asked where calls were answered in vain alone.
const TALLY_UNREACHED: &str = "-- tally: why they were not reached
    select reason, count(*) as n from recipients indexed by recipients_done
    where run = (select number from runs where id = ?1) and state = 'done' and disposition = 'unreached'
    group by reason";

/// What was pressed in the calls of a run, but for digits that people were asked for.
const TALLY_RESPONSES: &str = "-- tally: responses
    select value, count(distinct attempt) as n from heard indexed by heard_responses
    where run = (select number from runs where id = ?1) and nth > 0 and value is not null
          and (length(value) = 1 or value glob '*[^0-9]*')
    group by value order by n desc, value";

impl SqliteStore {
    pub(super) async fn select_results(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        self.select_page(RESULTS, run, after, limit).await
    }

    pub(super) async fn select_rejects(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        self.select_page(REJECTS, run, after, limit).await
    }

    async fn select_page(
        &self,
        statement: &'static str,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        let page: Option<String> = sqlx::query_scalar(statement)
            .bind(run.as_str())
            .bind(after.0)
            .bind(limit)
            .fetch_one(&self.readers)
            .await
            .map_err(|e| self.fault(&e))?;
        read_page(&page.unwrap_or_default())
    }

    pub(super) async fn select_tally(&self, run: &RunId) -> Result<Tally, StoreError> {
        let of = |statement: &'static str| sqlx::query(statement).bind(run.as_str());
        let rows = async {
            let rows = of(TALLY_ROWS).fetch_all(&self.readers).await;
            rows.map_err(|e| self.fault(&e))
        };
        let attempts = async {
            let attempts = of(TALLY_ATTEMPTS).bind(told::DURATION_S_MAX);
            let attempts = attempts.fetch_all(&self.readers).await;
            attempts.map_err(|e| self.fault(&e))
        };
        let budget = async {
            let Some(spend) = self.select_spend(run).await? else {
                return Ok(None);
            };
            let account = SpendAccount::of(&spend, &self.select_charges(run).await?);
            Ok(Some((spend, account)))
        };
        let second_calls = async {
            let query = sqlx::query_as(SECOND_CALLS).bind(run.as_str());
            let calls: Result<Vec<(String, Option<String>, String)>, _> =
                query.fetch_all(&self.readers).await;
            calls.map_err(|e| self.fault(&e))
        };
        let legs = async {
            let legs = of(TALLY_LEGS).fetch_all(&self.readers).await;
            legs.map_err(|e| self.fault(&e))
        };
        let responses = async {
            let query = sqlx::query_as(TALLY_RESPONSES).bind(run.as_str());
            let responses: Result<Vec<(String, i64)>, _> = query.fetch_all(&self.readers).await;
            responses.map_err(|e| self.fault(&e))
        };
        let (budget, attempts, rows, second_calls, legs, responses) =
            tokio::try_join!(budget, attempts, rows, second_calls, legs, responses)?;
        let mut tally = Tally {
            budget,
            second_calls: second_calls
                .into_iter()
                .map(|(attempt, call, other)| SecondCall {
                    attempt,
                    call,
                    other,
                })
                .collect(),
            responses: responses
                .into_iter()
                .map(|(response, n)| (response, n.unsigned_abs()))
                .collect(),
            ..Tally::default()
        };
        for row in &legs {
            if let Some(debit) = outcome_debit(row) {
                let n = Decimal::from(row.get::<i64, _>("n").unsigned_abs());
                tally.spent.add_times(&debit, n);
            }
        }
        for row in &rows {
            add_rows(&mut tally, row)?;
        }
        for row in &attempts {
            add_attempts(&mut tally, row)?;
        }
        if answered(&tally) > tally.of(Disposition::Reached) {
            let unreached = of(TALLY_UNREACHED).fetch_all(&self.readers).await;
            for row in &unreached.map_err(|e| self.fault(&e))? {
                let why: Option<&str> = row.get("reason");
                if let Some(worth) = why.and_then(Answered::parse) {
                    let n = row.get::<i64, _>("n").unsigned_abs();
                    tally.unreached.insert(worth, n);
                }
            }
        }
        Ok(tally)
    }
}

/// Attempts that were answered.
fn answered(tally: &Tally) -> u64 {
    let outcomes = tally.outcomes.iter();
    let answered = outcomes.filter(|((_, result, _), _)| result.eq_ignore_ascii_case("ANSWERED"));
    answered.map(|(_, n)| n).sum()
}

fn outcome_debit(row: &SqliteRow) -> Option<Money> {
    let amount = Money::parse_amount(row.get("debit"))?;
    let currency = row.get("currency");
    Some(Money { amount, currency })
}

fn add_rows(tally: &mut Tally, row: &SqliteRow) -> Result<(), StoreError> {
    let n = row.get::<i64, _>("n").unsigned_abs();
    tally.rows += n;
    match recipient_state(row)? {
        RecipientState::Pending => tally.pending += n,
        RecipientState::Waiting => tally.waiting += n,
        RecipientState::InFlight => tally.in_flight += n,
        RecipientState::Done(d) => *tally.dispositions.entry(d).or_default() += n,
    }
    Ok(())
}

fn add_attempts(tally: &mut Tally, row: &SqliteRow) -> Result<(), StoreError> {
    let n = row.get::<i64, _>("n").unsigned_abs();
    let stage = stage(row)?;
    if !stage.counts() {
        tally.not_sent += n;
        return Ok(());
    }
    let outcome = outcome(row);
    if stage == Stage::Final {
        match &outcome.debit {
            Some(debit) => tally.spent.add_times(debit, Decimal::from(n)),
            None => tally.unpriced += n,
        }
    }
    let talk_s = row.get::<Option<i64>, _>("talk_s").unwrap_or(0);
    tally.talk_s = tally.talk_s.saturating_add(talk_s);
    let reason: Option<String> = row.get("reason");
    let key = (
        stage,
        outcome.result.unwrap_or_default(),
        reason.unwrap_or_default(),
    );
    *tally.outcomes.entry(key).or_default() += n;
    let (first, last) = (moment(row.get("first_at")), moment(row.get("last_at")));
    tally.first_at = Some(tally.first_at.map_or(first, |at| at.min(first)));
    tally.last_at = Some(tally.last_at.map_or(last, |at| at.max(last)));
    Ok(())
}
