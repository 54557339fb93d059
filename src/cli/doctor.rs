//! `callout doctor`: whether all is well, and what to do where it is not.

use serde_json::{Value, json};

use super::args::{DoctorArgs, Global};
use super::exit::{Exit, Failure};
use super::{advice, database, suppress};
use crate::app::App;
use crate::app::doctor::{Finding, Todo, Verdict};
use crate::domain::RunId;
use crate::output;

pub(super) async fn doctor(args: &DoctorArgs, global: &Global, app: &App) -> Result<Exit, Failure> {
    let file = args.file.as_deref();
    let doubt = file.and_then(|file| database::another_than_of(global, file));
    let findings = app.doctor(file, doubt).await?;
    if args.json {
        output::say_json(&json(&findings));
    } else {
        output::say(&text(&findings));
    }
    let bad = findings.iter().any(|f| f.verdict == Verdict::Bad);
    Ok(if bad { Exit::Failed } else { Exit::Done })
}

/// What to do, in the command line's words; empty where nothing needs to be done.
fn todo(todo: &Todo) -> String {
    match todo {
        Todo::Nothing => "",
        Todo::Words(words) => words,
        Todo::NameDatabase => "say --db: without it `run` is refused",
        Todo::NameAnother => "name another database with --db",
        Todo::RestoreOrNameAnother => "restore a copy, or name another database with --db",
        Todo::PutLatestBack => "put the latest database back: `run` and `resume` refuse this one",
        Todo::ImportAgain(list) => return suppress::how_to_import_again(list),
        Todo::EndOneOf(runs) => {
            let end = |run: &RunId| format!("`callout cancel {run}`");
            let ends: Vec<String> = runs.iter().map(end).collect();
            return format!("end what is not wanted: {}", ends.join(" or "));
        }
        Todo::Settings(refusal) => return advice::to_set(refusal),
        Todo::Reach => {
            "check the network, the region (--region), SINCH_CALLING_URL and \
             SINCH_CONFIGURATION_URL; a proxy is not used"
        }
        Todo::Refused(problem) => advice::of_platform(problem),
        Todo::AssignNumber => {
            "callout number assign NUMBER: a callout that shows a number which is not yours may be \
             accepted and never ring"
        }
        Todo::ShowOwnNumber => "show one of yours: `callout number list`",
        Todo::SetOwnCallback => "callout callback set --public-url URL, without another URL",
        Todo::Receive => {
            "start `callout serve --no-dial --public-url URL` on this database, and let what stands before it hand \
             on to it (docs/callbacks.md)"
        }
        Todo::SetCallback => "callout callback set URL, or change the campaign",
    }
    .to_owned()
}

fn text(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|f| {
            let says = output::printable(&f.says);
            let line = format!("{:<8} {:<13} {says}", f.verdict.as_str(), f.what);
            let todo = todo(&f.todo);
            if todo.is_empty() {
                line
            } else {
                let todo = todo.replace('\n', "\n                       ");
                format!("{line}\n                       -> {todo}")
            }
        })
        .collect();
    lines.join("\n")
}

fn json(findings: &[Finding]) -> Value {
    let all: Vec<Value> = findings
        .iter()
        .map(|f| {
            let todo = todo(&f.todo);
            json!({
                "what": f.what,
                "verdict": f.verdict.as_str(),
                "says": output::printable(&f.says),
                "todo": (!todo.is_empty()).then_some(todo),
            })
        })
        .collect();
    json!({ "findings": all })
}
