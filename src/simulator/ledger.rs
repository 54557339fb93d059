//! The platform's own record: every call it placed and every POST it was sent, as rows and as CSV.
//!
//! This is what the promises are measured against, so it holds what happened and not what the
//! client was told. `world` fills it; tests and `callout simulate` read it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::faults::Fault;
use super::requests::RequestRow;

/// One call that was placed: one phone that rang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The first word of `custom`: our attempt's id.
    pub attempt: String,
    /// Whom it called.
    pub destination: String,
    /// The call's id, even where no answer told it to the client.
    pub call_id: String,
    /// When it was placed.
    pub accepted_at: Timestamp,
    /// POSTs received with this attempt's id, whatever became of them: of the whole attempt, on each of its rows.
    pub posts: u32,
    /// Calls placed for this attempt's id: of the whole attempt, on each of its rows. Above 1 a phone rang twice
    /// for one attempt.
    pub rung: u32,
    /// How it ends: drawn when the call is placed, and changed by a hang-up alone.
    pub result: &'static str,
    /// Why it ends.
    pub reason: &'static str,
    /// Seconds of talk.
    pub duration_s: u32,
    /// What it costs.
    pub debit: Decimal,
    /// The currency of `debit`.
    pub currency: String,
    /// What went wrong with the POST that placed it.
    pub fault: Option<Fault>,
    /// GETs that were answered with `FINAL`; every one above the first was needless.
    pub final_served: u32,
    /// GETs, whatever they were answered with.
    pub gets: u32,
    /// Requests that were carried out upon it: changes, conference commands and kicks.
    pub managed: u32,
    /// The call that it is the second leg of; empty where it is none. A leg counts in no `rung`.
    pub leg_of: String,
    /// The `X-CB-` headers that the platform kept, the first five; not in the CSV.
    pub headers: Vec<(String, String)>,
}

/// One POST of a callout, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostRow {
    /// Microseconds from the simulator's start to the arrival of the request's head.
    pub arrived_us: i64,
    /// The first word of `custom`; empty where it could not be read.
    pub attempt: String,
    /// The status answered; 0 where none was.
    pub status: u16,
    /// What went wrong.
    pub fault: Option<Fault>,
    /// Whether a call was placed that rings a phone.
    pub placed: bool,
    /// Where the request is not in the form that the documents suggest; empty where it is.
    pub against: String,
}

/// One event that was due: sent, lost, or not sent for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The call's id; that of a second call which is in no ledger where the fault says so.
    pub call_id: String,
    /// The first word of the call's `custom`.
    pub attempt: String,
    /// `ice`, `ace`, `pie`, `dice` or `notify`.
    pub event: &'static str,
    /// When it was handed to the network.
    pub sent_at: Timestamp,
    /// The status answered; 0 where none was, or none yet.
    pub status: u16,
    /// What went wrong on purpose, with spaces between: `lost`, `doubled`, `late`, `early`,
    /// `without_debit`, `second_call`.
    pub fault: String,
    /// Why it was not sent; empty where it was, and for a lost one.
    pub unsent: &'static str,
}

/// What was played in one call, and what its people did. Of a call that goes on it says what will be heard and
/// pressed until the platform asks again, unless somebody comes between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlayedRow {
    /// The call's id.
    pub call_id: String,
    /// The first word of the call's `custom`.
    pub attempt: String,
    /// Whom it called.
    pub destination: String,
    /// The call that it is the second leg of.
    pub leg_of: Option<String>,
    /// Whether a machine answered.
    pub machine: bool,
    /// Every text that was spoken, or began to be, in order; a file by its id or URL.
    pub heard: Vec<String>,
    /// Every key, in order, the wrong ones with them.
    pub pressed: Vec<PressedRow>,
    /// How often an error was played.
    pub errors: u32,
    /// The answers to ACE and PIE, in order.
    pub answers: Vec<AnswerRow>,
    /// Its second legs.
    pub legs: Vec<LegRow>,
}

/// What was pressed in a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PressedRow {
    /// The id of the menu.
    pub menu: String,
    /// The key, or the digits.
    pub keys: String,
    /// Simulated milliseconds since the call was answered.
    pub at_ms: u64,
}

/// How an event that asks was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerRow {
    /// `ace` or `pie`.
    pub event: &'static str,
    /// Milliseconds from its sending to its answer, in wall time; 0 in virtual time.
    pub took_ms: u64,
}

/// A second leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegRow {
    /// Its call id; none where it is a part of the first call's bill.
    pub call_id: Option<String>,
    /// What it costs.
    pub debit: Decimal,
}

/// Answers to ACE and PIE that were no good, across all calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BadAnswers {
    /// They were no valid SVAML for their event.
    pub invalid: u32,
    /// None came in time.
    pub late: u32,
    /// There was another status than 200, no connection, or nobody to ask.
    pub failed: u32,
}

/// What was played, as JSON: the counts of answers that were no good, and `calls`, one object each.
pub fn played_json(rows: &[PlayedRow], bad: BadAnswers) -> String {
    let page = json!({
        "invalid": bad.invalid,
        "late": bad.late,
        "failed": bad.failed,
        "calls": rows,
    });
    page.to_string()
}

/// The calls as CSV, one line each, in the order in which they were placed.
pub fn ledger_csv(rows: &[LedgerRow]) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        attempt: &'a str,
        destination: &'a str,
        call_id: &'a str,
        accepted_at: String,
        posts: u32,
        result: &'a str,
        reason: &'a str,
        duration_s: u32,
        debit: String,
        currency: &'a str,
        fault: &'a str,
        final_served: u32,
        gets: u32,
        managed: u32,
        leg_of: &'a str,
    }
    const HEADER: &str = "attempt,destination,call_id,accepted_at,posts,result,reason,duration_s,\
                          debit,currency,fault,final_served,gets,managed,leg_of";
    csv(
        HEADER,
        rows.iter().map(|row| Line {
            attempt: &row.attempt,
            destination: &row.destination,
            call_id: &row.call_id,
            accepted_at: format!("{:.6}", row.accepted_at),
            posts: row.posts,
            result: row.result,
            reason: row.reason,
            duration_s: row.duration_s,
            debit: row.debit.to_string(),
            currency: &row.currency,
            fault: row.fault.map_or("", Fault::as_str),
            final_served: row.final_served,
            gets: row.gets,
            managed: row.managed,
            leg_of: &row.leg_of,
        }),
    )
}

/// The POSTs as CSV, one line each, in the order in which they were decided.
pub fn posts_csv(rows: &[PostRow]) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        arrived_us: i64,
        attempt: &'a str,
        status: u16,
        fault: &'a str,
        placed: bool,
        against: &'a str,
    }
    csv(
        "arrived_us,attempt,status,fault,placed,against",
        rows.iter().map(|row| Line {
            arrived_us: row.arrived_us,
            attempt: &row.attempt,
            status: row.status,
            fault: row.fault.map_or("", Fault::as_str),
            placed: row.placed,
            against: &row.against,
        }),
    )
}

/// The events as CSV, one line each, in the order in which they were due.
pub fn events_csv(rows: &[EventRow]) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        call_id: &'a str,
        attempt: &'a str,
        event: &'a str,
        sent_at: String,
        status: u16,
        fault: &'a str,
        unsent: &'a str,
    }
    csv(
        "call_id,attempt,event,sent_at,status,fault,unsent",
        rows.iter().map(|row| Line {
            call_id: &row.call_id,
            attempt: &row.attempt,
            event: row.event,
            sent_at: format!("{:.6}", row.sent_at),
            status: row.status,
            fault: &row.fault,
            unsent: row.unsent,
        }),
    )
}

/// The other requests as CSV, one line each, in the order in which they were decided.
pub fn requests_csv(rows: &[RequestRow]) -> String {
    csv("arrived_us,verb,path,query,status,against", rows.iter())
}

/// The header is written by hand, so that an empty ledger has one, too.
fn csv<T: Serialize>(header: &str, lines: impl Iterator<Item = T>) -> String {
    let mut bytes = format!("{header}\n").into_bytes();
    {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(&mut bytes);
        for line in lines {
            writer
                .serialize(line)
                .expect("a flat row can always be written to memory");
        }
        writer.flush().expect("memory takes every write");
    }
    String::from_utf8(bytes).expect("rows are text")
}
