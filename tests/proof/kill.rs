//! kill -9, again and again, with callouts in flight, against a platform in another process that
//! counts the phones that rang: no attempt is sent twice, no phone rings twice, no row is lost,
//! and what is not known is said to be uncertain. Planted bugs show that the audit would notice.

use std::io::Write as _;
use std::time::Duration;

use crate::sabotage::Bug;
use crate::support::audit::{Audit, KILLED};
use crate::support::{Desk, Platform, WriteLock, people, wait_for};
use callout::clock::{Clock as _, SystemClock};
use callout::entropy::Entropy;

/// How long a planted bug may take to show itself while the database is locked.
const LOCKED: Duration = Duration::from_millis(400);

/// What a torture does.
struct Torture {
    rows: usize,
    kills: usize,
    rate: usize,
    /// Milliseconds that the platform takes to answer: callouts are in flight for so long.
    answer_after: &'static str,
    faults: &'static [&'static str],
    /// Whether each kill comes while the database cannot be written.
    locked: bool,
    sabotage: Option<Bug>,
    seed: u64,
}

impl Torture {
    /// Kills so often, then lets the run end, and audits it. Says how many kills found the engine
    /// at work.
    fn run(&self) -> (usize, Audit) {
        let mut options = vec!["--time-scale", "0", "--answer-after", self.answer_after];
        options.extend(self.faults);
        let platform = Platform::start(&options);
        let desk = Desk::at(&platform);
        desk.tts(
            &people(self.rows),
            &format!("calls_per_second = {}", self.rate),
        );
        let mut entropy = Entropy::seeded(self.seed);
        let mut kills = 0;
        for nth in 0..self.kills {
            let before = platform.posted();
            let mut engine = if nth == 0 {
                desk.start(&["run", "c.toml", "--yes"])
            } else if let Some(bug) = self.sabotage {
                bug.start(&desk, &platform, self.rate)
            } else {
                desk.start(&["resume"])
            };
            // Between a handful and a few dozen callouts after the first.
            let grown = 1 + usize::try_from(entropy.seed() % 90).unwrap();
            wait_for("POSTs", || {
                (platform.posted() >= before + grown || !engine.going()).then_some(())
            });
            if self.locked {
                // Nothing can be committed now, so nothing may leave but what is durable already.
                let lock = WriteLock::take(&desk.path("callout.db"));
                let (clock, stalled) = (SystemClock::start(), platform.posted());
                while platform.posted() < stalled + 60 && clock.monotonic() < LOCKED {
                    std::thread::yield_now();
                }
                kills += usize::from(engine.kill());
                drop(lock);
            } else {
                kills += usize::from(engine.kill());
            }
        }
        let end = desk.run(&["resume"]);
        assert!(matches!(end.code, Some(0 | 5)), "{end:?}");
        let audit = Audit::of(&desk, &platform);
        let mut figures = std::io::stderr().lock();
        writeln!(
            figures,
            "{} rows, {kills} kills, {} POSTs, {} phones rang, uncertain by kill {:?}, \
             {} violations",
            self.rows,
            audit.posts.rows.len(),
            audit.ledger.rows.len(),
            audit.lost_in_kills(),
            audit.violations.len()
        )
        .unwrap();
        (kills, audit)
    }
}

#[test]
fn kill_9_with_callouts_in_flight_rings_no_phone_twice_and_loses_no_row() {
    let torture = Torture {
        rows: 3_000,
        kills: 15,
        rate: 800,
        answer_after: "40",
        faults: &[],
        locked: false,
        sabotage: None,
        seed: 1,
    };
    let (kills, audit) = torture.run();
    assert_eq!(audit.violations, Vec::<String>::new());
    assert_eq!(kills, 15);
    // The kills hit callouts in flight, or they would prove nothing.
    let lost = audit.lost_in_kills();
    assert!(lost.len() * 10 >= kills * 9, "{lost:?} of {kills} kills");
    // What is lost is what was in flight (twice rate and latency at most, here 50 ms), a group of
    // intents that waited for their permits, and the answers of two commits on their way to the disk.
    let most = 80 + 64 + 128;
    assert!(lost.iter().all(|count| *count <= most), "{lost:?}");
    // Without faults nothing else is uncertain.
    let uncertain = audit.results.counts("call_disposition")["uncertain"];
    assert_eq!(uncertain, lost.iter().sum::<usize>());
}

#[test]
fn an_answer_lost_to_a_fault_or_a_kill_is_never_dialled_again() {
    let torture = Torture {
        rows: 1_500,
        kills: 6,
        rate: 800,
        answer_after: "40",
        faults: &[
            "--lost",
            "0.04",
            "--reset",
            "0.03",
            "--server-error",
            "0.04",
            "--garbage",
            "0.03",
        ],
        locked: false,
        sabotage: None,
        seed: 2,
    };
    let (_, audit) = torture.run();
    assert_eq!(audit.violations, Vec::<String>::new());
    let by_fault = audit.posts.counts("fault");
    for fault in ["lost", "reset", "server_error", "garbage"] {
        assert!(by_fault.contains_key(fault), "{by_fault:?}");
    }
    // Every fault left its attempt uncertain, whether the platform had placed the call or not.
    let notes = audit.attempts.rows.iter();
    let by_answer = notes.filter(|row| {
        audit.attempts.cell(row, "state") == "uncertain"
            && audit.attempts.cell(row, "note") != KILLED
    });
    assert!(by_answer.count() > 100);
}

#[test]
fn a_kill_during_the_import_costs_no_more_than_a_resume() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    // Many rows to read: the import takes a while, in one transaction.
    let long = people(200) + &people(200).split_once('\n').unwrap().1.repeat(800);
    desk.tts(&long, "calls_per_second = 1000");
    // A transaction that outgrows its memory writes to the log long before it is committed.
    let log = desk.path("callout.db-wal");
    let spilled = || {
        let log = log.metadata().ok().filter(|log| log.len() > 1024 * 1024)?;
        Some(log.modified().unwrap())
    };
    for command in [["run", "c.toml", "--yes"].as_slice(), &["resume"]] {
        let before = spilled();
        let engine = desk.start(command);
        wait_for("the import", || {
            spilled().filter(|now| Some(*now) != before)
        });
        assert!(engine.kill());
        let status = desk.run(&["status", "--json"]).ends(0).json();
        assert_eq!(status["state"], "planned");
    }
    desk.write("list.csv", &people(200));
    desk.run(&["resume"]).ends(0);
    let audit = Audit::of(&desk, &platform);
    assert_eq!(audit.violations, Vec::<String>::new());
    assert_eq!(
        (audit.posts.rows.len(), audit.results.rows.len()),
        (200, 200)
    );
}

#[test]
fn the_audit_notices_an_engine_that_redials_after_a_restart() {
    let torture = Torture {
        rows: 600,
        kills: 3,
        rate: 800,
        answer_after: "40",
        faults: &[],
        locked: false,
        sabotage: Some(Bug::RedialOnRestart),
        seed: 3,
    };
    let (_, audit) = torture.run();
    let twice = audit.violations.iter().filter(|v| v.contains("rang"));
    assert!(twice.count() > 0, "{:?}", audit.violations);
}

/// Kills while nothing can be committed: what is sent then was not durable.
fn locked(sabotage: Option<Bug>) -> Audit {
    let torture = Torture {
        rows: 1_200,
        kills: 3,
        // Slow enough that the list lasts until the lock is taken, three times.
        rate: 300,
        answer_after: "5",
        faults: &[],
        locked: true,
        sabotage,
        seed: 4,
    };
    torture.run().1
}

#[test]
fn while_the_database_cannot_be_written_nothing_leaves_that_is_not_durable() {
    assert_eq!(locked(None).violations, Vec::<String>::new());
}

#[test]
fn the_audit_notices_an_engine_that_posts_before_its_intent_is_durable() {
    let audit = locked(Some(Bug::PostBeforeCommit));
    let unwritten = audit
        .violations
        .iter()
        .filter(|v| v.contains("never intended"));
    assert!(unwritten.count() > 0, "{:?}", audit.violations);
}
