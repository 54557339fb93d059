//! `callout serve --no-dial`: receives the platform's events, and dials nobody.

use super::args::ServeArgs;
use super::database;
use super::exit::{Exit, Failure};
use crate::app::App;
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
    let store = app.open(Access::BesideOrNew).await?;
    let Some(receiver) = app.receiver(&store).await? else {
        return Err(Failure::failed("there is nowhere to listen"));
    };
    output::tell(&database::line(&app.settings.database));
    let url = app.callback_url(store.as_ref()).await?;
    let reached = url.map_or(String::new(), |url| {
        format!(", reached by {}", url.masked())
    });
    let address = receiver.address();
    output::tell(&format!("events are received at {address}{reached}"));
    stop.asked().await;
    receiver.stop().await;
    Ok(Exit::Done)
}
