//! `callout rehearse`: the whole run against the simulator, in one process, over real HTTP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::{Global, RehearseArgs};
use super::exit::{Exit, Failure};
use super::session::{self, Session};
use super::{World, export, file, import, output, run, settings, simulate, suppress};
use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::engine::{Pace, Rules};
use crate::simulator::{Options, Simulator};
use crate::sinch::auth::Credentials;
use crate::sinch::{Bases, Client, Region};
use crate::store::Store;
use crate::store::sqlite::{Access, SqliteStore};

/// Longest wait before another attempt.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Calls per second where the campaign names none.
const RATE_DEFAULT: f64 = 10.0;

pub(super) async fn rehearse(
    args: &RehearseArgs,
    global: &Global,
    mut world: World,
) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    let options = simulate::options(&args.platform)?;
    let scheme = settings::scheme(global)?;
    let address = database(&global.db);
    let earlier = Earlier::of(&address);
    let (results, replace) = results_file(args, &campaign, &earlier)?;
    let store = Arc::new(begin_anew(&address).await?);
    let platform = Platform::start(options, Arc::clone(&world.clock))?;
    let bases = Bases::new(Region::Global, Some(&platform.url), Some(&platform.url))
        .map_err(|e| Failure::failed(e.to_string()))?;
    let client = Client::new(bases, credentials()?, scheme, Arc::clone(&world.clock))
        .map_err(|e| Failure::failed(e.to_string()))?;
    let new = run::new_run(&campaign, &mut world, client.platform(), true);
    store.create_run(&new).await?;
    // The rehearsal's own database begins anew; who is suppressed is known to the real one.
    let lists = (suppress::lists_if_any(global).await?, world.clock.wall());
    let (list, script) = import::import(store.as_ref(), &new.id, &campaign, lists).await?;
    output::tell(&format!(
        "rehearsing {}: {} rows, {} to call, against the simulator (no phone rings)",
        campaign.name, list.rows, list.valid
    ));
    let session = Session {
        store,
        client,
        script,
        kind: campaign.recipients.destination_kind,
        run: new.id,
        pace: Pace {
            calls_per_second: campaign.pacing.calls_per_second.unwrap_or(RATE_DEFAULT),
            concurrent_calls: campaign.pacing.concurrent_calls,
            restarted: false,
            elsewhere: false,
        },
        rules: hurried(&campaign, new.created_at),
        rows: list.rows,
        done: list.rows - list.valid,
        output: Some((&results, replace)),
        json: args.json,
    };
    let exit = session.work(world).await?;
    earlier.remember(&results)?;
    Ok(exit)
}

/// A rehearsal waits for nobody's morning: no phone rings.
fn hurried(campaign: &Campaign, since: jiff::Timestamp) -> Rules {
    let rules = session::rules(campaign, since);
    if rules.window.is_some() || rules.retry.max_attempts > 1 {
        output::tell(
            "a rehearsal keeps no window, and waits a second at most before the next attempt",
        );
    }
    Rules {
        retry: rules.retry.hurried(WAIT_MAX),
        window: None,
        since,
    }
}

fn credentials() -> Result<Credentials, Failure> {
    Credentials::new(settings::DEMO_KEY, settings::DEMO_SECRET.to_owned())
        .map_err(|e| Failure::failed(e.to_string()))
}

/// The rehearsal's own database, beside the real one.
fn database(address: &str) -> String {
    let stem = address.strip_suffix(".db").unwrap_or(address);
    format!("{stem}-rehearsal.db")
}

/// Opens the rehearsal's database, empty. The lock is taken before anything is deleted, so that a
/// rehearsal that is going on is left alone.
async fn begin_anew(address: &str) -> Result<SqliteStore, Failure> {
    let path = address
        .strip_prefix("sqlite:")
        .map(|p| p.strip_prefix("//").unwrap_or(p));
    let Some(path) = path else {
        return Ok(SqliteStore::open(address, Access::Engine).await?);
    };
    SqliteStore::begin_anew(Path::new(path))?;
    Ok(SqliteStore::open(address, Access::Engine).await?)
}

/// Where the results go, and whether a file that is there is replaced: only what an earlier rehearsal
/// wrote, and nobody has changed since.
fn results_file(
    args: &RehearseArgs,
    campaign: &Campaign,
    earlier: &Earlier,
) -> Result<(PathBuf, bool), Failure> {
    let named = args.output.clone();
    let path = named.unwrap_or_else(|| PathBuf::from(format!("{}-rehearsal.csv", campaign.name)));
    let own = path.exists() && earlier.wrote(&path);
    if path.exists() && !own {
        return Err(Failure::usage(format!(
            "{} is there and is not what an earlier rehearsal wrote: move it, or name another \
             file with --output",
            path.display()
        )));
    }
    file::refuse_to_replace(&path, own)?;
    Ok((path, own))
}

/// What earlier rehearsals wrote, in a file beside their database, which begins anew each time: a
/// line of SHA-256 and path each.
struct Earlier(PathBuf);

impl Earlier {
    fn of(address: &str) -> Self {
        let path = address.strip_prefix("sqlite:").unwrap_or(address);
        Self(PathBuf::from(format!("{path}-results")))
    }

    fn line(path: &Path) -> std::io::Result<String> {
        let sha256 = export::sha256_of(path)?;
        Ok(format!(
            "{sha256}  {}",
            std::path::absolute(path)?.display()
        ))
    }

    /// Whether a rehearsal wrote the file as it is now.
    fn wrote(&self, path: &Path) -> bool {
        let known = std::fs::read_to_string(&self.0).unwrap_or_default();
        Self::line(path).is_ok_and(|line| known.lines().any(|known| known == line))
    }

    /// Remembers what was written, in the place of what was written under that name before.
    fn remember(&self, path: &Path) -> std::io::Result<()> {
        let line = Self::line(path)?;
        let (_, name) = line.split_at(64);
        let known = std::fs::read_to_string(&self.0).unwrap_or_default();
        let mut lines: Vec<&str> = known
            .lines()
            .filter(|known| !known.ends_with(name))
            .collect();
        lines.push(&line);
        std::fs::write(&self.0, lines.join("\n") + "\n")
    }
}

/// The simulator on a thread of its own, so that it does not share the engine's.
struct Platform {
    url: String,
    /// Dropping it ends the thread.
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Platform {
    fn start(options: Options, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (started, start) = std::sync::mpsc::channel();
        let credentials = credentials()?;
        std::thread::spawn(move || {
            let serve = async {
                let address = SocketAddr::from(([127, 0, 0, 1], 0));
                let wall = Arc::new(move || clock.wall());
                match Simulator::start(options, credentials, address, wall) {
                    Ok(simulator) => {
                        drop(started.send(Ok(simulator.url())));
                        drop(stopped.await);
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            };
            match settings::runtime() {
                Ok(runtime) => runtime.block_on(serve),
                Err(error) => drop(started.send(Err(error))),
            }
        });
        let url = start
            .recv()
            .map_err(|e| Failure::failed(format!("start the simulator: {e}")))?
            .map_err(|e| Failure::failed(format!("start the simulator: {e}")))?;
        Ok(Self { url, _stop: stop })
    }
}
