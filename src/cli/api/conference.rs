//! `callout conference show|mute|unmute|hold|resume|kick|kick-all`.

use super::{App, Desk, Exit, Failure, call_id, or_dash, sure, yes_no};
use crate::app::by_hand::{self, conference_id};
use crate::cli::args::{ApiArgs, ConferenceCommand, WhoArgs};
use crate::output;
use crate::report::summary::human;
use crate::sinch::conferences::{
    ConferenceCommand as Does, GetConference, KickAll, KickParticipant, ManageParticipant, Moh,
    Participant,
};

pub(super) async fn conference(command: ConferenceCommand, app: &App) -> Result<Exit, Failure> {
    let open = |api: ApiArgs| Desk::open(api, app);
    match command {
        ConferenceCommand::Show(args) => show(&args.conference, &open(args.api)?).await,
        ConferenceCommand::Mute(args) => {
            manage(&args.who, Does::Mute, None, &open(args.api)?).await
        }
        ConferenceCommand::Unmute(args) => {
            manage(&args.who, Does::Unmute, None, &open(args.api)?).await
        }
        ConferenceCommand::Hold(args) => {
            manage(&args.who, Does::OnHold, args.music, &open(args.api)?).await
        }
        ConferenceCommand::Resume(args) => {
            manage(&args.who, Does::Resume, None, &open(args.api)?).await
        }
        ConferenceCommand::Kick(args) => {
            let desk = open(args.sure.api)?;
            let method = KickParticipant {
                conference: conference_id(&args.who.conference)?,
                call: call_id(&args.who.call)?,
            };
            let question = format!("End call {} in {}?", method.call, method.conference);
            sure(args.sure, &question)?;
            let done = format!("call {} is out of {}", method.call, method.conference);
            desk.change(&method, &done, &look(&method.conference)).await
        }
        ConferenceCommand::KickAll(args) => {
            let desk = open(args.sure.api)?;
            let method = KickAll {
                conference: conference_id(&args.conference)?,
            };
            let question = format!("End every call in {}?", method.conference);
            sure(args.sure, &question)?;
            let done = format!("everybody is out of {}", method.conference);
            desk.change(&method, &done, &look(&method.conference)).await
        }
    }
}

fn look(conference: &str) -> String {
    format!("callout conference show {conference}")
}

async fn show(conference: &str, desk: &Desk) -> Result<Exit, Failure> {
    let method = GetConference {
        conference: conference_id(conference)?,
    };
    if let Some(participants) = desk.ask(&method).await? {
        desk.say(
            || table(&participants),
            || by_hand::participants_json(&participants),
        );
    }
    Ok(Exit::Done)
}

async fn manage(
    who: &WhoArgs,
    command: Does,
    moh: Option<Moh>,
    desk: &Desk,
) -> Result<Exit, Failure> {
    let method = ManageParticipant {
        conference: conference_id(&who.conference)?,
        call: call_id(&who.call)?,
        command,
        moh,
    };
    let now = match command {
        Does::Mute => "muted",
        Does::Unmute => "heard again",
        Does::OnHold => "on hold",
        Does::Resume => "back from hold",
    };
    let done = format!("call {} is {now}", method.call);
    desk.change(&method, &done, &look(&method.conference)).await
}

fn table(participants: &[Participant]) -> String {
    if participants.is_empty() {
        return "nobody is in it".into();
    }
    output::table(
        ["CALL", "NUMBER", "FOR", "MUTED", "ON HOLD"],
        participants.iter().map(|p| {
            let seconds = p.duration_s.and_then(|s| u64::try_from(s).ok());
            [
                or_dash(p.id.as_deref()).to_owned(),
                or_dash(p.cli.as_deref()).to_owned(),
                seconds.map_or("-".into(), |s| human(std::time::Duration::from_secs(s))),
                yes_no(p.muted).to_owned(),
                yes_no(p.onhold).to_owned(),
            ]
        }),
    )
}
