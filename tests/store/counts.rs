//! What a run is said to have come to is what its rows say: the counts, which are read from indexes, are
//! counted once more from the rows themselves.

use callout::domain::{Purse, RecipientId, RunId, Stage, Tally};
use callout::store::{self, Access, Store};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::support::{Desk, Platform, people};

/// Everything that a row can be, and what nobody would write but an earlier version or a platform that
/// says odd things. Both runs get it, each for its own people.
const EVERYTHING: [&str; 12] = [
    "update attempts set state = 'intended', answered_at = null, ended_at = null, call_id = null,
            result = null, reason = null, duration_s = null, debit = null, currency = null
     where recipient % 12 = 0",
    "update attempts set state = 'accepted', ended_at = null, result = null where recipient % 12 = 1",
    "update attempts set state = 'uncertain', ended_at = null, call_id = null where recipient % 12 in (2, 3)",
    "update attempts set state = 'refused', result = null, reason = 'no such number' where recipient % 12 = 4",
    "update attempts set state = 'not sent', result = null, reason = null where recipient % 12 = 5",
    "update attempts set debit = null, currency = null where recipient % 12 = 6",
    "update attempts set debit = 'dear', duration_s = -7 where recipient % 12 = 7",
    "update attempts set result = null, reason = null, duration_s = null where recipient % 12 = 8",
    "update attempts set debit = '0.5', currency = 'SEK', intended_at = 7 where recipient % 12 = 9",
    "update recipients set state = 'in flight', disposition = null where id % 12 in (0, 1, 2)",
    "update recipients set state = 'pending', disposition = null, due_at = id where id % 12 = 5 and id % 24 > 5",
    "update recipients set state = 'waiting', disposition = null, due_at = id, waiting_for = 'retry'
     where id % 12 = 5 and id % 24 = 5",
];

#[tokio::test]
async fn what_is_counted_is_what_the_rows_say() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&format!("{}none\n", people(50)), "calls_per_second = 1000");
    for _ in 0..2 {
        desk.run(&["run", "c.toml", "--yes", "--again"]);
    }
    let options = SqliteConnectOptions::new().filename(desk.path("callout.db"));
    let mut connection = options.connect().await.unwrap();
    for change in EVERYTHING {
        let done = sqlx::query(change).execute(&mut connection).await.unwrap();
        assert!(done.rows_affected() >= 4, "{change}");
    }
    let address = format!("sqlite:{}", desk.path("callout.db").display());
    let store = store::open(&address, Access::Beside, None).await.unwrap();
    let runs = store.run_heads("").await.unwrap();
    assert_eq!(runs.len(), 2);
    for run in &runs {
        let tally = store.tally(&run.id).await.unwrap();
        assert_eq!(
            tally,
            counted(store.as_ref(), &run.id, &mut connection).await
        );
        assert_eq!((tally.rows, tally.adds_up()), (51, true));
        assert_eq!(tally.dispositions.len(), 3, "{tally:?}");
    }
}

/// The same from the rows, one by one.
async fn counted(store: &dyn Store, run: &RunId, connection: &mut sqlx::SqliteConnection) -> Tally {
    let mut tally = Tally {
        spent: Purse::default(),
        ..Tally::default()
    };
    let mut after = RecipientId(0);
    // Pages that do not end where the attempts of the list do.
    loop {
        let rows = store.results(run, after, 7).await.unwrap();
        let Some(last) = rows.last() else {
            return tally;
        };
        after = last.recipient;
        for row in rows {
            tally.rows += 1;
            let state: String = sqlx::query_scalar("select state from recipients where id = ?1")
                .bind(row.recipient.0)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            match state.as_str() {
                "pending" => tally.pending += 1,
                "waiting" => tally.waiting += 1,
                "in flight" => tally.in_flight += 1,
                _ => {
                    *tally
                        .dispositions
                        .entry(row.disposition.unwrap())
                        .or_default() += 1;
                }
            }
            for attempt in row.attempts {
                if attempt.stage == Stage::NotSent {
                    tally.not_sent += 1;
                    continue;
                }
                let (outcome, at) = (attempt.outcome, Some(attempt.intended_at));
                if attempt.stage == Stage::Final {
                    match &outcome.debit {
                        Some(debit) => tally.spent.add(debit),
                        None => tally.unpriced += 1,
                    }
                }
                if outcome.result.as_deref() == Some("ANSWERED") {
                    tally.talk_s += outcome.duration_s.unwrap_or(0);
                }
                let words = (outcome.result.unwrap_or_default(), outcome.reason);
                let key = (attempt.stage, words.0, words.1.unwrap_or_default());
                *tally.outcomes.entry(key).or_default() += 1;
                tally.first_at = tally.first_at.min(at).or(at);
                tally.last_at = tally.last_at.max(at);
            }
        }
    }
}
