//! `callout call show|say|play|hangup|record|stop-recording|manage`; `place` has its own file.

use std::fmt::Write as _;
use std::io::Read as _;

use super::{App, Desk, Exit, Failure, Global, call_id, or_dash, place, sure};
use crate::app::by_hand;
use crate::cli::args::{
    ApiArgs, CallCommand, CallManageArgs, CallRecordArgs, CallShowArgs, LegArgs,
};
use crate::output;
use crate::sinch::calls::{CallInfo, GetCall, ManageCall};
use crate::sinch::identity::Identity;
use crate::sinch::svaml::{
    Action, Instruction, RecordingOptions, StorageCredentials, Svaml, TranscriptionOptions,
};

/// Where recordings can go (`FACTS` §6).
const STORAGES: [&str; 3] = ["s3://", "azure://", "sdrive://"];
/// No SVAML that we know of is longer, in bytes.
const SVAML_BYTES_MAX: u64 = 1024 * 1024;

pub(super) async fn call(
    command: CallCommand,
    global: &Global,
    app: &App,
) -> Result<Exit, Failure> {
    let open = |api: ApiArgs| Desk::open(api, app);
    match command {
        CallCommand::Place(args) => place::place(&args, global, app).await,
        CallCommand::Show(args) => show(&args, &open(args.api)?).await,
        CallCommand::Say(args) => {
            let svaml = Svaml::say(args.text, args.locale);
            manage(&args.to, svaml, "the text is said", &open(args.api)?).await
        }
        CallCommand::Play(args) => {
            let svaml = Svaml::play(args.sounds, args.locale);
            manage(&args.to, svaml, "the sounds are played", &open(args.api)?).await
        }
        CallCommand::Hangup(args) => {
            let mut svaml = args
                .say
                .map_or_else(Svaml::default, |text| Svaml::say(text, args.locale));
            svaml.action = Svaml::hangup().action;
            let desk = open(args.sure.api)?;
            sure(args.sure, &format!("End call {}?", args.to.call))?;
            manage(&args.to, svaml, "the call is ended", &desk).await
        }
        CallCommand::Record(args) => {
            let desk = open(args.api)?;
            let (to, svaml) = recording(args)?;
            manage(&to, svaml, "the call is recorded", &desk).await
        }
        CallCommand::StopRecording(args) => {
            let svaml = if args.as_action {
                Svaml::stop_recording_action()
            } else {
                Svaml::stop_recording()
            };
            manage(&args.to, svaml, "the recording has ended", &open(args.api)?).await
        }
        CallCommand::Manage(args) => {
            let svaml = read_svaml(&args)?;
            // The documents disagree about what may stand in it: a person's own goes out as it is.
            for problem in svaml.check_managing() {
                output::tell(&format!(
                    "warning: the platform may not take this: {problem}"
                ));
            }
            let desk = open(args.sure.api)?;
            if matches!(svaml.action, Some(Action::Hangup(_))) {
                sure(args.sure, &format!("End call {}?", args.to.call))?;
            }
            send(&args.to, svaml, "the call has its SVAML", &desk).await
        }
    }
}

/// Manages a call with SVAML that we made of options.
async fn manage(to: &LegArgs, svaml: Svaml, done: &str, desk: &Desk) -> Result<Exit, Failure> {
    let problems = svaml.check_managing();
    if !problems.is_empty() {
        let problems: Vec<String> = problems.iter().map(|p| format!("  {p}")).collect();
        return Err(Failure::usage(format!(
            "the platform would not take this:\n{}",
            problems.join("\n")
        )));
    }
    send(to, svaml, done, desk).await
}

async fn send(to: &LegArgs, svaml: Svaml, done: &str, desk: &Desk) -> Result<Exit, Failure> {
    let heard = svaml
        .instructions
        .iter()
        .any(|i| matches!(i, Instruction::Say(_) | Instruction::PlayFiles(_)));
    if to.leg.is_some() && !heard {
        output::tell("--leg says who hears something, and nothing is said or played: left out");
    }
    let method = ManageCall {
        call: call_id(&to.call)?,
        leg: to.leg.filter(|_| heard),
        svaml,
    };
    let look = format!("callout call show {}", method.call);
    desk.change(&method, done, &look).await
}

fn recording(args: CallRecordArgs) -> Result<(LegArgs, Svaml), Failure> {
    let storage = |url: &str| STORAGES.iter().any(|scheme| url.starts_with(scheme));
    if let Some(url) = args.destination.as_ref().filter(|url| !storage(url)) {
        return Err(Failure::usage(format!(
            "`{url}` is no place for a recording: begin it with {}",
            STORAGES.join(" or ")
        )));
    }
    let options = RecordingOptions {
        destination_url: args.destination,
        credentials: args.credentials.map(StorageCredentials),
        format: args.format,
        notification_events: args.quiet.then_some(false),
        transcription_options: args.transcribe.map(|locale| TranscriptionOptions {
            enabled: Some(true),
            locale: Some(locale),
            ..TranscriptionOptions::default()
        }),
        ..RecordingOptions::default()
    };
    let svaml = if args.as_action {
        Svaml::start_recording_action(options)
    } else {
        Svaml::start_recording(options)
    };
    Ok((args.to, svaml))
}

fn read_svaml(args: &CallManageArgs) -> Result<Svaml, Failure> {
    let path = &args.svaml;
    let unreadable = |e: &dyn std::fmt::Display| Failure::usage(format!("{}: {e}", path.display()));
    let mut text = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(SVAML_BYTES_MAX)
            .read_to_end(&mut text)
    } else {
        std::fs::File::open(path).and_then(|f| f.take(SVAML_BYTES_MAX).read_to_end(&mut text))
    };
    read.map_err(|e| unreadable(&e))?;
    let svaml = Svaml::parse(&text).map_err(|e| unreadable(&e))?;
    if svaml.action.is_none() && svaml.instructions.is_empty() {
        return Err(unreadable(&"there is neither an instruction nor an action"));
    }
    Ok(svaml)
}

async fn show(args: &CallShowArgs, desk: &Desk) -> Result<Exit, Failure> {
    let method = GetCall {
        call: call_id(&args.call)?,
    };
    if let Some(info) = desk.ask(&method).await? {
        desk.say(
            || text(&args.call, &info),
            || by_hand::call_json(&args.call, &info),
        );
    }
    Ok(Exit::Done)
}

fn text(call: &str, info: &CallInfo) -> String {
    let outcome = &info.outcome;
    let endpoint = |party: &Option<Identity>| party.as_ref().map(|p| p.endpoint.clone());
    let facts = [
        ("call", Some(call.to_owned())),
        ("status", info.status.clone()),
        ("result", outcome.result.clone()),
        ("reason", outcome.reason.clone()),
        ("from", endpoint(&info.from)),
        ("to", endpoint(&info.to)),
        ("domain", info.domain.clone()),
        ("at", info.timestamp.map(|t| t.to_string())),
        ("duration", outcome.duration_s.map(|s| format!("{s} s"))),
        ("a minute", info.user_rate.as_ref().map(ToString::to_string)),
        ("debit", outcome.debit.as_ref().map(ToString::to_string)),
        ("minutes", info.debit_minutes.clone()),
        ("custom", info.custom.clone()),
        ("note", outcome.doubt()),
    ];
    let mut text = String::new();
    for (name, fact) in facts {
        let fact = output::printable(or_dash(fact.as_deref()));
        if fact != "-" || matches!(name, "result" | "to" | "debit") {
            writeln!(text, "{name:<9} {fact}").expect("a string takes all");
        }
    }
    text
}
