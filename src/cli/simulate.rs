//! `callout simulate`: the simulator alone, for any client of the API.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::args::{PlatformArgs, SimulateArgs};
use super::exit::{Exit, Failure};
use crate::app::{App, DEMO_KEY, DEMO_SECRET, files};
use crate::output;
use crate::simulator::{FAILED_REASONS, Faults, Holder, Mix, Options, OwnedNumber, Simulator};
use crate::sinch::auth::Credentials;

pub(super) async fn simulate(args: &SimulateArgs, app: &App) -> Result<Exit, Failure> {
    let platform = app.settings.platform.clone();
    let (key, secret) = match (platform.key, platform.secret) {
        (Some(key), Some(secret)) => (key, secret),
        _ => (DEMO_KEY.to_owned(), DEMO_SECRET.to_owned()),
    };
    if let Some(path) = &args.ledger {
        files::refuse_to_replace(path, false)?;
    }
    let credentials =
        Credentials::new(key.clone(), secret).map_err(|e| Failure::usage(e.to_string()))?;
    let clock = Arc::clone(&app.clock);
    let wall = Arc::new(move || clock.wall());
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let options = account(options(&args.platform)?, args)?;
    let mut simulator = Simulator::start(options, credentials, args.listen, wall)
        .map_err(|e| Failure::usage(format!("listen on {}: {e}", args.listen)))?;
    let demo = if key == DEMO_KEY {
        format!(
            "\n  export SINCH_APPLICATION_KEY={DEMO_KEY} SINCH_APPLICATION_SECRET={DEMO_SECRET}"
        )
    } else {
        String::new()
    };
    output::say(&format!(
        "the simulated platform listens on {url}\n\
         \x20 export SINCH_CALLING_URL={url} SINCH_CONFIGURATION_URL={url}{demo}\n\
         \x20 its ledger: {url}/simulator/ledger   all POSTs: {url}/simulator/posts\n\
         \x20 events: {url}/simulator/events   all other requests: {url}/simulator/requests\n\
         \x20 heard and pressed: {url}/simulator/played",
        url = simulator.url()
    ));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    simulator.stop().await;
    if let Some(path) = &args.ledger {
        files::write_private(path, simulator.ledger_csv().as_bytes(), false)?;
    }
    Ok(Exit::Done)
}

/// The simulator's options from the command line.
pub(super) fn options(args: &PlatformArgs) -> Result<Options, Failure> {
    let defaults = Options::default();
    let options = Options {
        seed: args.seed,
        time_scale: args.time_scale,
        mix: mix(&args.mix)?,
        ring_s: seconds("--ring", &args.ring)?,
        talk_s: seconds("--talk", &args.talk)?,
        shape: args.shape.parse().map_err(|_| {
            Failure::usage(format!("--shape `{}`: say new, old or mixed", args.shape))
        })?,
        faults: Faults {
            lost: args.lost,
            reset: args.reset,
            hang: args.hang,
            slow: args.slow,
            server_error: args.server_error,
            garbage: args.garbage,
            too_many: args.too_many,
            ..defaults.faults
        },
        people: args.people.people(),
        legs: args.people.legs(),
        events: args.told.faults(),
        refuse_above: args.refuse_above,
        credit: args.credit,
        forbidden_prefixes: args.forbid.clone(),
        refuse_with: args.refuse_with,
        refuse_after: args.refuse_after,
        failed_reason: args.failed_reason.as_deref().and_then(|wanted| {
            let mut known = FAILED_REASONS.into_iter();
            known.find(|reason| *reason == wanted)
        }),
        answer_after: Duration::from_millis(args.answer_after),
        ..defaults
    };
    options.check().map_err(|e| Failure::usage(e.to_string()))?;
    Ok(options)
}

/// The same with what only somebody who tries things by hand cares for.
fn account(mut options: Options, args: &SimulateArgs) -> Result<Options, Failure> {
    let owned = |number: &String| OwnedNumber::voice(number, Holder::Nobody);
    options.numbers.extend(args.own.iter().map(owned));
    // The latest price of a prefix stands.
    for (prefix, rate) in &args.price {
        options.tariff.rates.retain(|(known, _)| known != prefix);
        options.tariff.rates.push((prefix.clone(), *rate));
    }
    options.tariff.currency.clone_from(&args.currency);
    options.callback_url.clone_from(&args.callback_url);
    options.recordings = args.recordings;
    options.odd.clone_from(&args.odd);
    options.other_server_error = args.other_server_error;
    options.check().map_err(|e| Failure::usage(e.to_string()))?;
    Ok(options)
}

fn mix(text: &str) -> Result<Mix, Failure> {
    let weights: Result<Vec<u32>, _> = text.split(',').map(|w| w.trim().parse()).collect();
    match weights.as_deref() {
        Ok([answered, busy, no_answer, failed]) => Ok(Mix {
            answered: *answered,
            busy: *busy,
            no_answer: *no_answer,
            failed: *failed,
        }),
        _ => Err(Failure::usage(format!(
            "--mix `{text}`: give four whole numbers, such as 70,12,14,4"
        ))),
    }
}

fn seconds(flag: &str, text: &str) -> Result<std::ops::RangeInclusive<u32>, Failure> {
    let range = text
        .split_once('-')
        .and_then(|(from, to)| Some(from.trim().parse().ok()?..=to.trim().parse().ok()?));
    range.ok_or_else(|| Failure::usage(format!("{flag} `{text}`: give seconds, such as 5-20")))
}
