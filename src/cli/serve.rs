//! `callout serve --no-dial`: receives the platform's events, and dials nobody.

use super::args::ServeArgs;
use super::database;
use super::exit::{Exit, Failure};
use crate::app::App;
use crate::app::receive::Receiving;
use crate::output;
use crate::process;
use crate::store::Access;

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
    let ended = Receiving::end(Some(receiving)).await;
    match gone {
        None => Ok(ended.map(|()| Exit::Done)?),
        Some(gone) => Err(gone.into()),
    }
}
