//! `callout rehearse`: the whole run against the simulator.

use super::args::RehearseArgs;
use super::exit::{Exit, Failure};
use super::run::tell_end;
use super::simulate;
use crate::app::App;
use crate::app::rehearse::Wanted;
use crate::campaign::Campaign;
use crate::process;

pub(super) async fn rehearse(args: &RehearseArgs, app: &App) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    let options = simulate::options(&args.platform)?;
    let wanted = Wanted {
        virtual_time: args.virtual_time,
        at: args.at,
        ledger: args.ledger.clone(),
        output: args.output.clone(),
        only_of: args.only.of().map(str::to_owned),
    };
    let stop = process::listen()?;
    let ended = app.rehearse(&campaign, options, wanted, &stop).await?;
    Ok(tell_end(&ended, args.events.shown(args.json)))
}
