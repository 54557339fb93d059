//! An engine with a bug planted in it, to show that a torture would notice: its store lies to it.
//!
//! It works in a process of its own, which can be killed like any other: this test binary, started once
//! more in the folder of the torture. Nothing of it is in the program that people use.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use callout::clock::{Clock, SystemClock};
use callout::domain::retry::PerNumber;
use callout::domain::{
    AttemptId, AttemptKey, CallId, Callout, CalloutBody, Charges, Destination, DestinationKind,
    Known, RecipientId, RetryPolicy, RunId, Stage, Suppressions, TtsCallout, Wanted, Word,
};
use callout::engine::{Assignment, Engine, Listener, Pace, Predecessor, Progress, Rules, Time};
use callout::entropy::Entropy;
use callout::sinch::auth::{Credentials, Scheme};
use callout::sinch::{Bases, Client, Region};
use callout::store::{
    Access, Begun, Cursor, Due, DuePage, EngineStatus, EngineStore, Fact, Heard, Intent, Observed,
    OpenCall, Press, Recovery, Resolution, RunEnd, Store, StoreError, Whose, Wish,
};
use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc, watch};

use crate::support::{Desk, KEY, Platform, Running, SECRET};

/// The file in a torture's folder that says which bug, at which platform, at which rate.
const ORDERS: &str = "planted";

/// A bug in what an engine is told by its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// After a restart, what is uncertain is dialled again.
    RedialOnRestart,
    /// A commit is reported before it is durable, so POSTs leave before their intents are.
    PostBeforeCommit,
}

impl Bug {
    /// Starts an engine with this bug on the one run of a desk.
    pub(crate) fn start(self, desk: &Desk, platform: &Platform, rate: usize) -> Running {
        desk.write(ORDERS, &format!("{self:?} {} {rate}", platform.url));
        let mut again = Command::new(std::env::current_exe().unwrap());
        let name = "sabotage::an_engine_with_a_planted_bug";
        desk.spawn(again.args(["--ignored", "--exact", name, "--nocapture"]))
    }
}

#[test]
#[ignore = "no test by itself: a torture starts it in a process of its own"]
fn an_engine_with_a_planted_bug() {
    if !Path::new(ORDERS).exists() {
        return;
    }
    let orders = std::fs::read_to_string(ORDERS).unwrap();
    let [bug, url, rate] = orders.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{orders}");
    };
    let bug = [Bug::RedialOnRestart, Bug::PostBeforeCommit]
        .into_iter()
        .find(|known| format!("{known:?}") == bug);
    let worked = work(bug.unwrap(), url, rate.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(worked).unwrap();
}

/// Works on the one run of the database in this folder.
async fn work(bug: Bug, url: &str, calls_per_second: f64) -> Result<(), StoreError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let bases = Bases::new(Region::Global, Some(url), Some(url)).unwrap();
    let credentials = Credentials::new(KEY, SECRET.to_owned()).unwrap();
    let client = Client::new(bases, credentials, Scheme::Signed, Arc::clone(&clock)).unwrap();
    let store = callout::store::open("sqlite:callout.db", Access::Engine, None).await?;
    let runs = store.run_heads("").await?;
    let assignment = Assignment {
        store: Arc::new(Lying {
            store,
            bug,
            commits: Arc::new(Mutex::new(())),
        }),
        platform: Arc::new(client),
        render: Arc::new(callout_to),
        time: Time::Live(Arc::clone(&clock)),
        run: runs[0].id.clone(),
        predecessor: Predecessor::Process { elsewhere: false },
        pace: Pace {
            calls_per_second,
            concurrent_calls: None,
        },
        rules: Rules {
            retry: RetryPolicy::default(),
            flow: None,
            window: None,
            since: clock.wall(),
            known: Known::default(),
        },
        incoming: None,
        told: false,
        talks: None,
        noes: Arc::default(),
        spend: None,
    };
    let (_signals, heard) = mpsc::channel(1);
    let (told, _progress) = watch::channel(Progress::default());
    Engine::run(
        assignment,
        Entropy::from_os(),
        heard,
        Listener::Latest(told),
    )
    .await?;
    Ok(())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "an engine expects that it may fail"
)]
fn callout_to(due: &Due) -> Result<Callout, String> {
    Ok(Callout {
        body: CalloutBody::Tts(TtsCallout {
            cli: "+46100000000".into(),
            destination: Destination {
                kind: DestinationKind::Number,
                endpoint: due.endpoint.clone(),
            },
            domain: None,
            locale: None,
            text: Some("Hello.".into()),
            prompts: None,
            dtmf: None,
            enable_ace: None,
            enable_dice: None,
            enable_pie: None,
        }),
        custom: None,
        headers: Vec::new(),
    })
}

/// A store that lies to its engine in one way, and is true in all others.
#[derive(Debug)]
struct Lying {
    store: Arc<dyn Store>,
    bug: Bug,
    /// Keeps commits that were reported already in their order.
    commits: Arc<Mutex<()>>,
}

impl Lying {
    /// Makes whoever is uncertain due again, as if somebody knew that no phone rang.
    async fn redial(&self, run: &RunId, at: Timestamp) -> Result<(), StoreError> {
        let start = (RecipientId(0), AttemptKey(0));
        let unsettled = self.store.unsettled(run, start, u32::MAX).await?;
        let uncertain = unsettled
            .into_iter()
            .filter(|unsettled| unsettled.attempt.stage == Stage::Uncertain);
        let settlements: Vec<Resolution> = uncertain
            .map(|unsettled| Resolution {
                attempt: unsettled.attempt.id,
                call: None,
                called: None,
                word: Word::Person,
                why: "planted bug".into(),
                who: "sabotage".into(),
                at,
                retry: RetryPolicy::default(),
                wanted: Wanted::default(),
                chance: 0.0,
            })
            .collect();
        self.store.resolve(run, &settlements).await?;
        Ok(())
    }
}

impl Lying {
    /// Makes it durable in its own time, in the order in which it was reported.
    fn commit_late(&self, run: &RunId, intents: &[Intent], facts: &[Fact]) {
        let (store, commits) = (Arc::clone(&self.store), Arc::clone(&self.commits));
        let (run, intents, facts) = (run.clone(), intents.to_vec(), facts.to_vec());
        tokio::spawn(async move {
            let _in_order = commits.lock().await;
            store.intend(&run, &intents, &facts).await
        });
    }
}

#[async_trait]
impl EngineStore for Lying {
    async fn whose(
        &self,
        named: &[(Option<AttemptId>, Option<CallId>)],
    ) -> Result<Vec<Option<Whose>>, StoreError> {
        self.store.whose(named).await
    }

    async fn observe(&self, run: &RunId, heard: &[Heard]) -> Result<Vec<Observed>, StoreError> {
        self.store.observe(run, heard).await
    }

    async fn pressed(&self, presses: &[Press]) -> Result<(), StoreError> {
        self.store.pressed(presses).await
    }

    async fn recover(&self, run: &RunId, now: Timestamp) -> Result<Recovery, StoreError> {
        let recovery = self.store.recover(run, now).await?;
        if self.bug == Bug::RedialOnRestart {
            self.redial(run, now).await?;
        }
        Ok(recovery)
    }

    async fn intend(
        &self,
        run: &RunId,
        intents: &[Intent],
        facts: &[Fact],
    ) -> Result<Vec<AttemptKey>, StoreError> {
        if self.bug != Bug::PostBeforeCommit {
            return self.store.intend(run, intents, facts).await;
        }
        let stand = intents.iter().map(|intent| intent.key).collect();
        self.commit_late(run, intents, facts);
        Ok(stand)
    }

    async fn record(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        if self.bug != Bug::PostBeforeCommit {
            return self.store.record(run, facts).await;
        }
        self.commit_late(run, &[], facts);
        Ok(())
    }

    async fn compare(&self) -> Result<(), StoreError> {
        self.store.compare().await
    }

    async fn watch(&self) -> Result<(), StoreError> {
        self.store.watch().await
    }

    async fn take_run(&self, run: &RunId) -> Result<(), StoreError> {
        self.store.take_run(run).await
    }

    async fn open_calls(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<OpenCall>, StoreError> {
        self.store.open_calls(run, after, limit).await
    }

    async fn due_page(
        &self,
        run: &RunId,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u32,
        per_number: Option<PerNumber>,
    ) -> Result<DuePage, StoreError> {
        self.store
            .due_page(run, now, after, limit, per_number)
            .await
    }

    fn keep_aside(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        self.store.keep_aside(run, facts)
    }

    async fn charges(&self, run: &RunId) -> Result<Vec<Charges>, StoreError> {
        self.store.charges(run).await
    }

    async fn charges_within(
        &self,
        campaign: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Charges>, StoreError> {
        self.store.charges_within(campaign, from, until).await
    }

    async fn charges_ahead(
        &self,
        campaign: &str,
        day: (Timestamp, Timestamp),
    ) -> Result<Vec<Charges>, StoreError> {
        self.store.charges_ahead(campaign, day).await
    }

    async fn intended_from(
        &self,
        campaign: &str,
        from: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.store.intended_from(campaign, from).await
    }

    async fn suppressions_since(&self, revision: i64) -> Result<Option<Suppressions>, StoreError> {
        self.store.suppressions_since(revision).await
    }

    async fn begin_work(&self, run: &RunId, now: Timestamp) -> Result<Begun, StoreError> {
        self.store.begin_work(run, now).await
    }

    async fn end_run(&self, run: &RunId, end: &RunEnd, now: Timestamp) -> Result<u64, StoreError> {
        self.store.end_run(run, end, now).await
    }

    async fn asked(&self, run: &RunId) -> Result<Option<Wish>, StoreError> {
        self.store.asked(run).await
    }

    async fn report_status(&self, run: &RunId, telling: &EngineStatus) -> Result<(), StoreError> {
        self.store.report_status(run, telling).await
    }
}
