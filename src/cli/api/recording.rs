//! `callout recording list|download|delete`.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{App, Desk, Exit, Failure, name, or_dash, sure};
use crate::app::files::{NewFile, refuse_to_replace};
use crate::cli::args::{DownloadArgs, RecordingCommand, RecordingListArgs};
use crate::output;
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
        desk.say(|| table(&recordings), || json(&recordings));
    }
    Ok(Exit::Done)
}

/// A moment, or midnight of a date in UTC.
fn time(text: &str) -> Result<Timestamp, Failure> {
    let date = |text: &str| text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    let moment = text.parse::<Timestamp>().ok();
    moment
        .or_else(|| Some(date(text)?.timestamp()))
        .ok_or_else(|| {
            Failure::usage(format!(
                "`{text}` is neither a date such as 2026-11-21 nor a moment such as \
                 2026-11-21T08:00:00Z"
            ))
        })
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
    let path = named.map_or_else(|| file_name(&args.key), Ok)?;
    refuse_to_replace(&path, args.force)?;
    let mut download = desk.client.download(&method).await?;
    let mut file = NewFile::begin(&path)?;
    let bar = progress(download.length);
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

fn progress(length: Option<u64>) -> ProgressBar {
    let target = if output::watched() {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(length, target);
    let shape = match length {
        Some(_) => "{wide_bar:.cyan/blue} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes}, {bytes_per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(shape) {
        bar.set_style(style);
    }
    bar
}

/// A file of this folder, named after a key: whatever it says, no other folder is meant.
fn file_name(key: &str) -> Result<PathBuf, Failure> {
    let usable = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = key
        .chars()
        .map(|c| if usable(c) { c } else { '_' })
        .collect();
    if name.chars().all(|c| c == '.') {
        return Err(Failure::usage("name the file with --output"));
    }
    Ok(PathBuf::from(name))
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

fn json(recordings: &[Recording]) -> serde_json::Value {
    let recordings: Vec<_> = recordings
        .iter()
        .map(|r| {
            json!({
                "key": r.key,
                "url": r.url,
                "created_on": r.created_on,
                "expires_on": r.expires_on,
                "headers": r.headers,
            })
        })
        .collect();
    json!({ "recordings": recordings })
}
