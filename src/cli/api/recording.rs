//! `callout recording list|download|delete`.

use serde_json::json;

use super::{App, Desk, Exit, Failure, or_dash, sure};
use crate::app::by_hand::{self, file_of_key, name, time};
use crate::app::files::{NewFile, refuse_to_replace};
use crate::cli::args::{DownloadArgs, RecordingCommand, RecordingListArgs};
use crate::output::{self, progress};
use crate::sinch::recordings::{DeleteRecording, DownloadRecording, ListRecordings, Recording};

const KEY: &str = "a recording's key";

pub(super) async fn recording(command: RecordingCommand, app: &App) -> Result<Exit, Failure> {
    match command {
        RecordingCommand::List(args) => list(&args, &Desk::open(args.api, app)?).await,
        RecordingCommand::Download(args) => download(&args, &Desk::open(args.api, app)?).await,
        RecordingCommand::Delete(args) => {
            let desk = Desk::open(args.sure.api, app)?;
            sure(args.sure, &format!("Delete the recording {}?", args.key))?;
            let key = name(&args.key, KEY)?;
            let done = format!("the recording {key} is deleted");
            let method = DeleteRecording { key };
            desk.change(&method, &done, "callout recording list").await
        }
    }
}

async fn list(args: &RecordingListArgs, desk: &Desk) -> Result<Exit, Failure> {
    let method = ListRecordings {
        from: args.from.as_deref().map(time).transpose()?,
        to: args.to.as_deref().map(time).transpose()?,
        page: args.page,
        page_size: args.page_size,
    };
    if let (Some(from), Some(to)) = (method.from, method.to)
        && to <= from
    {
        return Err(Failure::usage("--to is not later than --from"));
    }
    if let Some(recordings) = desk.ask(&method).await? {
        desk.say(
            || table(&recordings),
            || by_hand::recordings_json(&recordings),
        );
    }
    Ok(Exit::Done)
}

async fn download(args: &DownloadArgs, desk: &Desk) -> Result<Exit, Failure> {
    let method = DownloadRecording {
        key: name(&args.key, KEY)?,
    };
    if args.api.dry_run {
        desk.preview(&method)?;
        return Ok(Exit::Done);
    }
    let named = args.output.clone();
    let path = named.map_or_else(|| file_of_key(&args.key), Ok)?;
    refuse_to_replace(&path, args.force)?;
    let mut download = desk.client.download(&method).await?;
    let mut file = NewFile::begin(&path)?;
    let bar = progress::bytes(download.length);
    let mut bytes = 0;
    while let Some(part) = download.next().await? {
        file.write(&part)?;
        bytes += part.len() as u64;
        bar.set_position(bytes);
    }
    bar.finish_and_clear();
    if bytes == 0 {
        return Err(Failure::failed(
            "the platform sent no bytes: the recording is empty or not ready; no file was written",
        ));
    }
    file.finish(args.force)?;
    let shown = path.display();
    desk.say(
        || format!("{shown}: {bytes} bytes"),
        || json!({ "file": shown.to_string(), "bytes": bytes, "content_type": download.content_type }),
    );
    Ok(Exit::Done)
}

fn table(recordings: &[Recording]) -> String {
    if recordings.is_empty() {
        return "no recordings".into();
    }
    output::table(
        ["KEY", "CREATED", "EXPIRES"],
        recordings.iter().map(|r| {
            [
                r.key.clone(),
                or_dash(r.created_on.as_deref()).to_owned(),
                or_dash(r.expires_on.as_deref()).to_owned(),
            ]
        }),
    )
}
