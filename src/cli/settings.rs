//! Settings from options and environment, and the log. This file and clap's `env` alone read the environment.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::args::{CallCommand, CallbackCommand, Command, Global, LogFormat, ScheduleCommand};
use crate::app::receive::{LISTEN, ReceiveSettings};
use crate::app::{PlatformSettings, Settings};

/// A variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}

/// The settings of a command, from its options and the environment.
pub(super) fn of(global: &Global, command: &Command, database: String) -> Settings {
    let cache = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")));
    Settings {
        database,
        state: global.state.clone(),
        who: variable("USER").unwrap_or_else(|| "unknown".into()),
        cache,
        local: local_zone(),
        utc: global.utc,
        platform: PlatformSettings {
            key: variable("SINCH_APPLICATION_KEY"),
            secret: variable("SINCH_APPLICATION_SECRET"),
            auth: global.auth.clone(),
            region: global.region.clone(),
            paths: global.paths.clone(),
            calling: variable("SINCH_CALLING_URL"),
            configuration: variable("SINCH_CONFIGURATION_URL"),
        },
        receive: receive(command),
    }
}

/// Where a command receives the platform's events.
fn receive(command: &Command) -> ReceiveSettings {
    let (args, public) = match command {
        Command::Run(args) => (Some(&args.receive), None),
        Command::Resume(args) => (Some(&args.receive), None),
        Command::Schedule(ScheduleCommand::Run(args)) => (Some(&args.receive), None),
        Command::Call(CallCommand::Place(args)) => (Some(&args.receive), None),
        Command::Serve(args) => (Some(&args.receive), None),
        Command::Callback(CallbackCommand::Get(args)) => (None, Some(&args.public)),
        Command::Callback(CallbackCommand::Set(args)) => (None, Some(&args.public)),
        Command::Doctor(args) => (None, Some(&args.public)),
        _ => (None, None),
    };
    let public = public.or_else(|| args.map(|args| &args.public));
    let always = matches!(command, Command::Serve(_)).then_some(LISTEN);
    ReceiveSettings {
        listen: args.and_then(|args| args.listen).or(always),
        public_url: public.and_then(|public| public.public_url.clone()),
    }
}

/// The zone of this machine; UTC where it has none, as in many containers.
fn local_zone() -> TimeZone {
    let zone = TimeZone::system();
    if zone.is_unknown() {
        return TimeZone::UTC;
    }
    zone
}

/// The most verbose level at which a library may log, whatever the filter asks for: at DEBUG and TRACE libraries
/// write out what they send and store.
const LIBRARIES_MAX: Level = Level::INFO;

pub(super) fn start_log(global: &Global) {
    let asked = EnvFilter::try_new(&global.log).unwrap_or_else(|_| EnvFilter::new("warn"));
    let told = filter_fn(|event| {
        let target = event.target();
        let ours = target
            .strip_prefix(env!("CARGO_PKG_NAME"))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        ours || *event.level() <= LIBRARIES_MAX
    });
    let log = tracing_subscriber::fmt::layer()
        // The layer would report an unwritable line on standard error, and panic where that is closed as well.
        .log_internal_errors(false)
        .with_writer(|| crate::output::Log);
    let log = match global.log_format {
        LogFormat::Text => log.with_ansi(crate::output::watched()).boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    let log = log.with_filter(asked.and(told));
    // A log that is already there belongs to a test.
    drop(tracing_subscriber::registry().with(log).try_init());
}

/// Whether core dumps are allowed (`CALLOUT_CORE_DUMPS=allow`), for whoever hunts a fault.
pub(super) fn allows_core_dumps() -> bool {
    variable("CALLOUT_CORE_DUMPS").is_some_and(|value| value.trim() == "allow")
}
