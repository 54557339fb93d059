//! `callout doctor`: whether all is well, and what to do where it is not. Places no call.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::advice::advice;
use super::{Exit, Failure, Global, World};
use crate::campaign::Campaign;
use crate::cli::args::DoctorArgs;
use crate::cli::database::another_than_of;
use crate::cli::plan::Plan;
use crate::cli::{latest, output, settings, suppress};
use crate::clock::Clock;
use crate::domain::{CallId, Screen};
use crate::sinch::answer::Answer;
use crate::sinch::callback_urls::{CallbackUrls, GetCallbackUrls};
use crate::sinch::calls::GetCall;
use crate::sinch::numbers::{ListNumbers, OwnNumber};
use crate::sinch::problem::ApiError;
use crate::sinch::{ApiMethod, Client};
use crate::store::{self, Access, Store, StoreError};

/// A clock that is off by more is worth a word.
const SKEW_NOTED: SignedDuration = SignedDuration::from_secs(10);
/// A clock that is off by more makes signatures that receivers take for old or for forged.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(2);
/// No call has this id.
const NO_CALL: &str = "callout-doctor";

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    verdict: Verdict,
    /// What was found.
    says: String,
    /// What to do; empty where nothing needs to be done.
    todo: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Warning,
    Bad,
    /// Could not be looked at, because something else is bad.
    Unknown,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// What was looked at so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn note(&mut self, what: &'static str, verdict: Verdict, says: impl Into<String>, todo: &str) {
        self.0.push(Finding {
            what,
            verdict,
            says: output::printable(&says.into()),
            todo: todo.to_owned(),
        });
    }

    fn good(&mut self, what: &'static str, says: impl Into<String>) {
        self.note(what, Verdict::Good, says, "");
    }
}

pub(in crate::cli) async fn doctor(
    args: &DoctorArgs,
    global: &Global,
    world: &World,
) -> Result<Exit, Failure> {
    let plan = match &args.file {
        Some(file) => {
            let campaign = Campaign::load(file)?;
            Some(Plan::of(&campaign, Screen::none(), world.clock.wall())?)
        }
        None => None,
    };
    let mut findings = Findings::default();
    database(&mut findings, global).await;
    if let Some(why) = args
        .file
        .as_deref()
        .and_then(|file| another_than_of(global, file))
    {
        let todo = "say --db: without it `run` is refused";
        findings.note("database", Verdict::Warning, why, todo);
    }
    match settings::client(global, &world.clock) {
        Ok(client) => {
            findings.good(
                "settings",
                format!("{}, {} authorisation", client.platform(), global.auth),
            );
            platform(&mut findings, &client, world.clock.as_ref(), plan.as_ref()).await;
        }
        Err(failure) => {
            let words = failure.to_string();
            let words = words.trim_start_matches("error: ");
            let (says, todo) = words.split_once(": ").unwrap_or((words, ""));
            let todo = if todo.is_empty() {
                "correct the setting"
            } else {
                todo
            };
            findings.note("settings", Verdict::Bad, says, todo);
        }
    }
    if args.json {
        output::say_json(&json(&findings));
    } else {
        output::say(&text(&findings));
    }
    let bad = findings.0.iter().any(|f| f.verdict == Verdict::Bad);
    Ok(if bad { Exit::Failed } else { Exit::Done })
}

async fn database(findings: &mut Findings, global: &Global) {
    let checked = match latest::open(global, Access::Beside).await {
        Ok(store) => {
            latest_of(findings, store.as_ref()).await;
            if let Ok(lists) = store.suppressions().await {
                for list in lists.read_earlier() {
                    let says = suppress::import_again(list);
                    findings.note("suppression list", Verdict::Warning, says, "");
                }
            }
            match store.check().await {
                Ok(()) => store.scrub_owed().await,
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    match checked {
        Ok(false) => findings.good("database", format!("{} is whole", global.db)),
        Ok(true) => scrub(findings, global).await,
        Err(StoreError::NoDatabase(_)) => {
            findings.good(
                "database",
                format!("{} will be made by the first run", global.db),
            );
        }
        Err(error) => {
            let todo = match &error {
                StoreError::Full(_) => "make room on its disk",
                StoreError::Foreign { .. } => "name another database with --db",
                _ => "restore a copy, or name another database with --db",
            };
            findings.note("database", Verdict::Bad, error.to_string(), todo);
        }
    }
}

/// People were deleted, and a kill or a reader kept the file from being written anew: an engine that opens
/// it does that.
async fn scrub(findings: &mut Findings, global: &Global) {
    let owed = match store::open(&global.db, Access::EngineOfExisting, None).await {
        Ok(store) => store.scrub_owed().await,
        Err(error) => Err(error),
    };
    if matches!(owed, Ok(false)) {
        let says = format!(
            "{} is whole; traces of who was deleted are out of it now",
            global.db
        );
        return findings.good("database", says);
    }
    findings.note(
        "database",
        Verdict::Warning,
        format!("{} still has traces of people who were deleted", global.db),
        "do this again when no other process works on it or reads it",
    );
}

/// Whether the database has all that was done, as far as that is known outside of it.
async fn latest_of(findings: &mut Findings, store: &dyn Store) {
    match store.gap().await {
        Ok(None) => findings.good("mark", "knows of nothing that the database lacks"),
        Ok(Some(gap)) => {
            let todo = "put the latest database back: `run` and `resume` refuse this one";
            findings.note("mark", Verdict::Bad, format!("the database {gap}"), todo);
        }
        Err(error) => {
            let todo = "let this user read and write it: without it nobody is dialled";
            findings.note("mark", Verdict::Bad, error.to_string(), todo);
        }
    }
    for file in store.foreign_answers() {
        let says = format!(
            "{} has answers that belong to another database, or cannot be read",
            file.display()
        );
        let todo = "look what they are about; delete it when nobody misses them";
        findings.note("answers", Verdict::Warning, says, todo);
    }
}

async fn platform(
    findings: &mut Findings,
    client: &Client,
    clock: &dyn Clock,
    plan: Option<&Plan>,
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
        let todo = "correct the above first";
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
        Ok(urls) => callback_url(findings, &urls, plan),
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
            let todo = "check the network, the region (--region), SINCH_CALLING_URL and \
                        SINCH_CONFIGURATION_URL; a proxy is not used";
            findings.note(
                what,
                Verdict::Bad,
                format!("{host} is not reached: {error}"),
                todo,
            );
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
        ApiError::Refused(problem) => advice(problem),
        _ => "try again later",
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
            "",
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
    let todo = "set this machine's clock, and keep it set (NTP): signatures carry the time";
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
        let todo = "callout number assign NUMBER: a callout that shows a number which is not yours \
                    may be accepted and never ring";
        findings.note("cli", Verdict::Warning, says, todo);
    } else {
        findings.good("cli", format!("may be {}", shown.join(", ")));
    }
    let Some(plan) = plan else { return };
    let digits = |n: &str| -> String { n.chars().filter(char::is_ascii_digit).collect() };
    for cli in plan.clis() {
        if numbers.iter().all(|n| digits(&n.number) != digits(cli)) {
            let says =
                format!("the campaign shows {cli}, which is not among the account's numbers");
            let todo = "show one of yours: `callout number list`";
            findings.note("campaign", Verdict::Warning, says, todo);
        }
    }
}

fn callback_url(findings: &mut Findings, urls: &CallbackUrls, plan: Option<&Plan>) {
    let need = plan.and_then(Plan::callback_need);
    match (&urls.primary, need) {
        (Some(url), _) => findings.good("callback URL", format!("is {url}")),
        (None, None) => findings.good("callback URL", "none is set, and none is needed"),
        (None, Some(need)) => {
            let says = format!("none is set, and the campaign has {need}, which needs one");
            let todo = "callout callback set URL, or change the campaign";
            findings.note("callback URL", Verdict::Bad, says, todo);
        }
    }
}

fn text(findings: &Findings) -> String {
    let lines: Vec<String> = findings
        .0
        .iter()
        .map(|f| {
            let line = format!("{:<8} {:<13} {}", f.verdict.as_str(), f.what, f.says);
            if f.todo.is_empty() {
                line
            } else {
                let todo = f.todo.replace('\n', "\n                       ");
                format!("{line}\n                       -> {todo}")
            }
        })
        .collect();
    lines.join("\n")
}

fn json(findings: &Findings) -> Value {
    let all: Vec<Value> = findings
        .0
        .iter()
        .map(|f| {
            json!({
                "what": f.what,
                "verdict": f.verdict.as_str(),
                "says": f.says,
                "todo": (!f.todo.is_empty()).then_some(&f.todo),
            })
        })
        .collect();
    json!({ "findings": all })
}
