//! `callout serve --no-dial`: receives the platform's events, and dials nobody.

use std::time::Duration;

use super::args::ServeArgs;
use super::database;
use super::exit::{Exit, Failure};
use crate::app::App;
use crate::app::receive::Receiving;
use crate::output;
use crate::process;
use crate::store::Access;

/// How often it is looked whether people are still in calls.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn serve(args: &ServeArgs, app: &App) -> Result<Exit, Failure> {
    if !args.no_dial {
        return Err(Failure::usage(
            "`serve` does not dial yet: say --no-dial to receive the platform's events alone",
        ));
    }
    let stop = process::listen()?;
    let Some(mut receiving) = app.receiving(Access::BesideOrNew).await? else {
        return Err(Failure::failed("there is nowhere to listen"));
    };
    output::tell(&database::line(&app.settings.database));
    let gone = tokio::select! {
        () = stop.asked() => None,
        gone = receiving.gone() => Some(gone),
    };
    if gone.is_none() {
        answer_on(app, &receiving).await?;
    }
    let ended = Receiving::end(Some(receiving)).await;
    match gone {
        None => Ok(ended.map(|()| Exit::Done)?),
        Some(gone) => Err(gone.into()),
    }
}

/// Goes on answering the calls in which people are asked something, until they are over.
async fn answer_on(app: &App, receiving: &Receiving) -> Result<(), Failure> {
    let stopped = app.clock.wall();
    let mut told = false;
    while let Some((calls, until)) = receiving.in_talk(stopped, app.clock.wall()).await? {
        if !told {
            let left = until.duration_since(app.clock.wall()).as_secs();
            output::tell(&format!(
                "stopping: {calls} calls go on in which people are asked: they are answered until they are over, \
                 {left} s at most; once more to leave at once"
            ));
            told = true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
