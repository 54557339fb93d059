//! Settings: the environment, the log, the runtime. The environment is read here and by clap only.

use std::path::PathBuf;

use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::args::{Global, LogFormat};
use crate::app::{PlatformSettings, Settings};

/// Open files that a fast run may need: its connections, and some.
const FILES_WANTED: u64 = 4096;

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
pub(super) fn of(global: &Global, database: String) -> Settings {
    let cache = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")));
    Settings {
        database,
        state: global.state.clone(),
        who: variable("USER").unwrap_or_else(|| "unknown".into()),
        cache,
        platform: PlatformSettings {
            key: variable("SINCH_APPLICATION_KEY"),
            secret: variable("SINCH_APPLICATION_SECRET"),
            auth: global.auth.clone(),
            region: global.region.clone(),
            paths: global.paths.clone(),
            calling: variable("SINCH_CALLING_URL"),
            configuration: variable("SINCH_CONFIGURATION_URL"),
        },
    }
}

/// Tasks share one thread: the work is waiting, and what is shared between threads costs more than
/// a second core brings. SQLite and the simulator have threads of their own.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// A fast run has many connections: take as many files as the system lets us.
pub(super) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(FILES_WANTED);
    if limit
        .current
        .is_some_and(|current| current < FILES_WANTED.min(most))
    {
        let raised = Rlimit {
            current: Some(FILES_WANTED.min(most)),
            maximum: limit.maximum,
        };
        // A refusal costs speed at most.
        setrlimit(Resource::Nofile, raised).ok();
    }
}

/// Keys and numbers are in this process's memory, so none of it is written to disk when it dies, and no
/// other process of the user looks into it; unless somebody who hunts a fault asks for it.
pub(super) fn keep_memory_to_ourselves() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    if variable("CALLOUT_CORE_DUMPS").is_some_and(|value| value.trim() == "allow") {
        return;
    }
    let none = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Core).maximum,
    };
    // A system that does not let us is no reason not to work.
    setrlimit(Resource::Core, none).ok();
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    }
}

/// Libraries say what they send and store from this level on; no log of ours has that, whatever it asks for.
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
        // Of a line that could not be written it would tell standard error, and panic as that is gone.
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
